"""Whatever happens to a file, there is a page or one message, and no traceback."""

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from mutations import mutated
from page_scenes import encode, mask_at, read_data

from mmvseg.apis.browse import browse
from mmvseg.apis.stopping import StopWish
from mmvseg.errors import UserError
from mmvseg.formats.dataset_checker import check_dataset

SIZE = [48, 63]


def make_content():
    """Two videos, one of them with two objects."""
    videos = [
        dict(id=n, height=SIZE[0], width=SIZE[1], length=2, file_names=[f'{n}/0.jpg', f'{n}/1.jpg'])
        for n in (3, 8)
    ]
    code = dict(size=SIZE, counts=encode(mask_at(20))['counts'].decode())
    place = dict(bboxes=[[20, 8, 14, 14], None], areas=[196, None], iscrowd=0)
    annotations = [
        dict(id=n, video_id=3, category_id=5, segmentations=[code, None], **place) for n in (1, 2)
    ]
    annotations[0]['occlusion'] = ['no_occlusion', None]
    return dict(videos=videos, categories=[dict(id=5, name='cat')], annotations=annotations)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated(make_content()))
def test_there_is_a_page_or_a_message(content):
    with TemporaryDirectory() as folder:
        path, out = Path(folder, 'a.json'), Path(folder, 'page')
        path.write_text(json.dumps(content))
        options = dict(video=None, first=None, range=None, allow_outside_root=False)
        args = argparse.Namespace(
            annotations=path, root=None, out=out, frames=2, no_check=False, **options
        )
        try:
            found = [problem for problem in check_dataset(path, None) if not problem.is_note]
            assert browse(args, StopWish()) == 0
        except UserError:
            return
        _, site = read_data(out / 'dataset.js')
        text = (out / 'index.html').read_text()
        whole = text.count('<li>') - text.count('<li><span class="note">note')
        assert sum(video['faults'] for video in site['videos']) + whole == len(found)
