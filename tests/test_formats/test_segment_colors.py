import numpy as np

from mmvseg.formats.segment_colors import segment_colors
from mmvseg.structures import Segment

# the thing 'bird' has the colour of the stuff 'sky', 'dark' is black, 'wall' is as 'sky'
META = dict(
    palette=((220, 20, 60), (0, 128, 255), (0, 0, 0), (0, 128, 255), (0, 128, 255), (9, 9, 9)),
    thing_classes=('person', 'bird', 'dark'),
)


def segments(*labels):
    return [Segment(7 * i + 1, label, label < 3, 0.5, i) for i, label in enumerate(labels)]


def colors(*labels):
    found = segment_colors(segments(*labels), META)
    assert found.dtype == np.uint8
    as_tuples = [tuple(color) for color in found.tolist()]
    assert len(set(as_tuples)) == len(labels)
    assert (0, 0, 0) not in as_tuples
    return as_tuples


def test_stuff_and_first_things_have_the_colours_of_their_classes():
    assert colors(0, 3, 5) == [(220, 20, 60), (0, 128, 255), (9, 9, 9)]


def test_things_leave_their_colours_to_stuff():
    bird, sky = colors(1, 3)
    assert sky == (0, 128, 255)
    assert bird != sky
    # even where there is none: the colour would say sky
    assert colors(1) == [bird]


def test_stuff_of_equal_colours_is_told_apart():
    sky, wall, other = colors(3, 4, 5)
    assert (sky, other) == ((0, 128, 255), (9, 9, 9))
    assert wall not in (sky, other)


def test_things_of_a_class_stay_close_to_its_colour_and_apart_from_each_other():
    people = np.array(colors(*[0] * 20), int)
    assert (np.abs(people - people[0]).max(1) <= 65).all()
    distances = np.abs(people[:, None] - people).max(-1) + 1000 * np.eye(20)
    assert distances.min() >= 8


def test_black_classes_and_none_at_all():
    assert len(colors(2, 2, 2)) == 3
    assert colors() == []


def test_many_segments():
    colors(*[0, 1, 2] * 1000)


def test_same_colours_again():
    labels = [0, 0, 3, 1, 0, 4, 1]
    assert colors(*labels) == colors(*labels)
