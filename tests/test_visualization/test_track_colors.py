import numpy as np
from pycocotools import mask as mask_api

from mmvseg.structures import Segment, VideoInstances, VideoPanoptic
from mmvseg.visualization import track_color
from mmvseg.visualization.overlay_panoptic import PanopticPainter
from mmvseg.visualization.text import DrawingStyle
from mmvseg.visualization.track_colors import colors_beside_truth, segment_colors_beside_truth


def video(spans, track_ids, scores=None):
    masks = []
    for left, right in spans:
        mask = np.zeros((2, 40), np.uint8, order='F')
        mask[:, left:right] = 1
        masks.append([mask_api.encode(mask)])
    scores = np.ones(len(spans)) if scores is None else np.array(scores)
    return VideoInstances(scores, np.zeros(len(spans), int), masks, np.array(track_ids, int))


def test_a_track_has_the_colour_of_its_object():
    truth = video([(0, 10), (20, 30)], [0, 1])
    found = video([(33, 38), (20, 29), (1, 10), (0, 9)], [0, 1, 7, 8], [0.9, 0.8, 0.7, 0.6])
    colors = colors_beside_truth(found, truth)
    assert (colors[1], colors[7]) == (track_color(1), track_color(0))
    others = {colors[0], colors[8]}  # no object; an object that is taken
    assert len(others) == 2
    assert not others & {track_color(0), track_color(1)}


def test_without_objects_or_tracks():
    some = video([(0, 10)], [5])
    assert colors_beside_truth(some, video([], [])) == {5: track_color(0)}
    assert colors_beside_truth(video([], []), some) == {}
    assert colors_beside_truth(video([(20, 25)], [5]), some) == {5: track_color(6)}


def test_things_of_panoptic_results_and_not_stuff():
    def result(ids):
        things = [Segment(n, 0, n < 90, 1.0, 0) for n in np.unique(ids).tolist()]
        return VideoPanoptic(things, [np.array(ids)])

    found, truth = result([[1, 1, 2, 90]]), result([[3, 3, 91, 91]])
    colors = segment_colors_beside_truth(found, truth)
    assert colors == {1: track_color(3), 2: track_color(4)}
    palette = [(9, 9, 9)]
    painter = PanopticPainter(['cat'], palette, DrawingStyle(scores=False), colors)
    drawn = painter.draw(np.zeros((40, 80, 3), np.uint8), result(np.full((40, 80), 1)), 0)
    assert np.abs(drawn[30, 40] - 0.5 * np.array(track_color(3))).max() <= 1
