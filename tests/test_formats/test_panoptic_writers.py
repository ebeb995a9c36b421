"""Writers of results in the layouts of STEP and Cityscapes-VPS."""

import json
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.formats.panoptic_writers import CityscapesVPSWriter, STEPWriter
from mmvseg.formats.results_folder import complete_results, zip_results
from mmvseg.formats.writers import build_writer
from mmvseg.structures import CodedMaps, Segment, VideoPanoptic

META = dict(
    classes=('person', 'car', 'sky', 'road'),
    category_ids=(61, 7, 0, 123),
    palette=((220, 20, 60), (0, 0, 142), (70, 130, 180), (0, 0, 142)),
    thing_classes=('person', 'car'),
    stuff_classes=('sky', 'road'),
)


def step_video(video_id='0002'):
    return dict(video_id=video_id, frames=[f'/data/{video_id}/{t:06d}.jpg' for t in range(2)])


def step_result(*labels):
    """A column of pixels for each segment, in two frames; the last column is of none."""
    segments = [Segment(n, label, label < 2, 1, n) for n, label in enumerate(labels, 1)]
    row = [*range(1, len(labels) + 1), 0]
    return VideoPanoptic(segments, CodedMaps([np.array([row] * 3, np.uint16)] * 2))


def test_step_maps_hold_class_and_number(tmp_path):
    writer = STEPWriter(tmp_path, META)
    writer.add(step_video(), step_result(0, 1, 1, 2, 0))
    writer.merge(['0002'])
    assert sorted(path.name for path in (tmp_path / '0002').iterdir()) == [
        '000000.png',
        '000001.png',
    ]
    pixels = np.asarray(Image.open(tmp_path / '0002/000001.png'))
    # things are numbered from 1 in each class, stuff has 0, void is class 255
    things = [[61, 0, 1], [7, 0, 1], [7, 0, 2]]
    assert pixels[0].tolist() == [*things, [0, 0, 0], [61, 0, 2], [255, 0, 0]]
    assert complete_results(tmp_path) == tmp_path / 'videos.json'


def test_step_numbers_of_two_bytes(tmp_path):
    segments = [Segment(n, 1, True, 1, n) for n in range(1, 302)]
    maps = CodedMaps([np.array([[1, 256, 301]], np.uint16)] * 2)
    STEPWriter(tmp_path, META).add(step_video(), VideoPanoptic(segments, maps))
    pixels = np.asarray(Image.open(tmp_path / '0002/000000.png'))
    assert pixels[0].tolist() == [[7, 0, 1], [7, 1, 0], [7, 1, 45]]


def test_step_refuses_what_a_map_cannot_hold(tmp_path):
    with pytest.raises(UserError, match="class 'car' has the id 255: a map holds ids of 0 to 254"):
        STEPWriter(tmp_path, META | dict(category_ids=(61, 255, 0, 123)))
    segments = [Segment(n, 1, True, 1, n) for n in range(1, 65537)]
    result = VideoPanoptic(segments, [np.ones((1, 1), np.int32)] * 2)
    with pytest.raises(UserError, match='more than 65535 objects'):
        STEPWriter(tmp_path, META).add(step_video(), result)


def test_cityscapes_results_are_named_by_pictures(tmp_path):
    ids = [f'0001_000{n}_bonn_000000_00000{n}' for n in range(2)]
    video = dict(
        step_video('0001'), image_ids=ids, file_names=[f'{name}_newImg8bit.png' for name in ids]
    )
    writer = CityscapesVPSWriter(tmp_path, META)
    writer.add(video, step_result(0, 2))
    assert writer.finished() == {'0001'}
    (tmp_path / f'pan_pred/{ids[1]}.png').rename(tmp_path / 'away.png')
    assert writer.finished() == set()
    (tmp_path / 'away.png').rename(tmp_path / f'pan_pred/{ids[1]}.png')
    writer.merge(['0001'])
    entries = json.loads((tmp_path / 'pred.json').read_text())['annotations']
    assert [entry['image_id'] for entry in entries] == ids
    assert [entry['file_name'] for entry in entries] == video['file_names']
    assert [s['category_id'] for s in entries[0]['segments_info']] == [61, 0]
    pixels = np.asarray(Image.open(tmp_path / f'pan_pred/{ids[0]}.png')).astype(int)
    found = set((pixels @ [1, 256, 65536]).flat)
    assert found == {0, *(segment['id'] for segment in entries[0]['segments_info'])}
    names = zipfile.ZipFile(zip_results(tmp_path)).namelist()
    assert names == ['pred.json', *(f'pan_pred/{name}.png' for name in ids)]


@pytest.mark.parametrize(
    ('form', 'kind'), [('step', 'STEPWriter'), ('cityscapes_vps', 'CityscapesVPSWriter')]
)
def test_the_layout_decides_about_panoptic_results(tmp_path, form, kind):
    dataset = SimpleNamespace(metainfo=META, videos=[step_video()], results_form=form)
    assert type(build_writer('vps', tmp_path, dataset)).__name__ == kind
