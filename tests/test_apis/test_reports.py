import numpy as np
import pytest
from pycocotools import mask as mask_api

from mmvseg.apis.reports import build_report
from mmvseg.structures import Segment, VideoInstances, VideoPanoptic, VideoSemantic

META = dict(classes=('cat\n\x1b[31m', 'sky'), category_ids=(1, 2), palette=((1, 2, 3), (4, 5, 6)))
SHOWN = r'cat\n\x1b[31m'


@pytest.mark.parametrize('task', ['vis', 'vps', 'vss'])
def test_names_stay_on_the_line_of_the_summary(task):
    mask = mask_api.encode(np.ones((2, 2), np.uint8, order='F'))
    things = [Segment(1, 0, True, 1.0, 0)]
    result = dict(
        vis=VideoInstances(np.array([0.5]), np.array([0]), [[mask]], np.array([1])),
        vps=VideoPanoptic(things, [np.ones((2, 2), np.uint8)]),
        vss=VideoSemantic([np.zeros((2, 2), np.uint8)]),
    )[task]
    assert SHOWN in build_report(result, META, None).describe()


def test_summary_counts_what_shows_the_same_again():
    mask = mask_api.encode(np.ones((2, 2), np.uint8, order='F'))
    found = VideoInstances(
        np.array([0.5, 0.9, 0.1]), np.array([1, 0, 1]), [[mask]] * 3, np.arange(3)
    )
    line = build_report(found, META, 0.2).describe()
    assert line.startswith('1 track of score >= 0.2: 1 cat')
    assert line.endswith('; left out: 1 of the same objects again (--all-tracks)')
    line = build_report(found, META, 0.2, all_tracks=True).describe()
    assert line.startswith('2 tracks of score >= 0.2: ')
    assert 'left out' not in line


def test_summary_says_why_nothing_is_left_of_chosen_classes():
    mask = mask_api.encode(np.ones((2, 2), np.uint8, order='F'))
    found = VideoInstances(np.array([0.5, 0.9]), np.array([1, 0]), [[mask]] * 2, np.arange(2))
    line = build_report(found, META, 0.2, labels=[1]).describe()
    assert line.startswith('no track is left: 1 of score >= 0.2 show the objects of better ones')
    assert line.endswith('(--all-tracks) (1 of other classes left out)')
    line = build_report(found, META, 0.6, labels=[1]).describe()
    assert line.startswith('no track has a score >= 0.6 (--score-thr); the best of 1 has 0.500')
