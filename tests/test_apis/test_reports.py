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
