"""Charts: what stands on them, that names stay text, that nothing depends on the run."""

from xml.etree import ElementTree

import numpy as np
import pytest

from mmvseg.visualization.charts.bars import bars_chart
from mmvseg.visualization.charts.calibration import calibration_chart
from mmvseg.visualization.charts.confusion import MOST_CLASSES, confusion_chart
from mmvseg.visualization.charts.curves import curves_chart
from mmvseg.visualization.charts.differences import differences_chart
from mmvseg.visualization.charts.groups import groups_chart

SVG = '{http://www.w3.org/2000/svg}'


def texts(picture):
    return [element.text for element in ElementTree.fromstring(picture).iter(f'{SVG}text')]


def test_bars_have_their_numbers():
    series = dict(alone=dict(masks=25.94, classes=-0.04), later=dict(masks=3.0, classes=0.0))
    picture = bars_chart('Gains', 'points', series, signed=True)
    shown = texts(picture)
    assert {'Gains', 'points', 'masks', 'classes', 'alone', 'later', '+25.9', '+3.0'} <= {*shown}
    assert '-0.0' not in shown
    assert picture == bars_chart('Gains', 'points', series, signed=True)
    single = texts(bars_chart('Losses', 'points', dict(All=dict(masks=2.5))))
    assert '2.5' in single
    assert 'All' not in single


def test_curves_of_single_classes_are_drawn():
    recall = [0.0, 0.5, 1.0]
    overall = {'0.5': [1, 1, 0], '0.75': [1, 0.5, 0], 'mean': [0.8, 0.4, 0]}
    without, with_classes = (curves_chart(recall, overall, c) for c in ([], [[1, 0.2, 0]]))
    assert {'recall', 'precision', 'IoU 0.5', 'IoU 0.75'} <= {*texts(with_classes)}
    name = 'single classes, mean over IoU'
    assert (name in texts(without), name in texts(with_classes)) == (False, True)


def test_calibration_counts_tracks_and_marks_the_best_score():
    bins = [
        dict(low=0.0, high=0.5, tracks=0, right=None),
        dict(low=0.5, high=1.0, tracks=437, right=0.5),
    ]
    shown = texts(calibration_chart(bins, 0.123, 0.61))
    assert '437' in shown
    assert 'Scores; expected calibration error 0.12' in shown
    assert 'best F1, from score 0.61 on' in shown
    assert not any('best F1' in text for text in texts(calibration_chart(bins, 0.1, None)))


def test_groups_have_the_number_of_their_objects():
    group = dict(objects=12, AP=0.345, AP50=0.6)
    kinds = dict(size=dict(measure='mean area', groups=dict(small=group)))
    shown = texts(groups_chart(kinds))
    assert {'size: mean area', 'small (12)', '34.5', '60.0'} <= {*shown}


def test_confusion_of_classes_that_occur():
    names = ['\x1b[31m$a$', 'a name that is longer than there is room for', 'never']
    counts = np.array([[5, 2, 0, 1], [0, 7, 0, 0], [0, 0, 0, 0], [9, 0, 0, 0]])
    rows, columns = [*names, 'nothing'], [*names, 'missed']
    shown = texts(confusion_chart('Classes', rows, columns, counts, num_others=1))
    assert {r'\x1b[31m$a$', 'a name that is longer t…', 'nothing', 'missed', '9'} <= {*shown}
    assert 'never' not in shown
    # without others the last is a class like the rest
    plain = texts(confusion_chart('Classes', names, names, counts[:3, :3]))
    assert 'nothing' not in plain


def test_of_many_classes_the_most_confused_are_drawn():
    num_classes = MOST_CLASSES + 10
    names = [f'class {k}' for k in range(num_classes)]
    counts = np.eye(num_classes, dtype=int) * 3
    counts[30, 31] = 8
    shown = texts(confusion_chart('Classes', names, names, counts))
    assert f'Classes (the {MOST_CLASSES} most confused of {num_classes} classes)' in shown
    assert {'class 30', 'class 31'} <= {*shown}
    assert 'class 33' not in shown
    assert '8' not in shown  # too small to read


@pytest.mark.parametrize(
    ('sign', 'words'),
    [(1, 'B is clearly better'), (-1, 'B is clearly worse'), (0, 'no clear difference')],
)
def test_differences_say_what_they_mean(sign, words):
    shown = texts(differences_chart(dict(Main=dict(AP=(4.7, 3.0, 6.1, sign)))))
    assert {'Main', 'AP', '+4.7', words} <= {*shown}
    assert sum('clear' in text for text in shown) == 1
