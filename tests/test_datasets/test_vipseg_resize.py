import copy
import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mmvseg.datasets import vipseg_resize
from mmvseg.datasets.vipseg_resize import resize_vipseg
from mmvseg.errors import UserError
from mmvseg.formats.categories import load_table
from mmvseg.formats.dataset_checker import check_dataset
from mmvseg.formats.vipseg_release import find_source
from mmvseg.media.images import read_image, read_segment_map

#: wall (stuff), floor (stuff) with a numbered region, two persons' worth of things, no number: door
WALL, FLOOR, FLOOR_7, THING_1, THING_2, THING_0 = 1, 14, 1407, 301, 302, 3


def raw_mask(t):
    """40 x 61 pixels; one pixel of a thing vanishes in resizing."""
    mask = np.zeros((40, 61), np.uint16)
    mask[:, :20], mask[20:, 20:40], mask[30:, 30:40] = WALL, FLOOR, FLOOR_7
    mask[4:12, 22 + t : 34 + t], mask[4:12, 44:52], mask[14:20, 44:52] = THING_1, THING_2, THING_0
    mask[1, 60] = 12405
    return mask


@pytest.fixture
def raw(tmp_path):
    """A raw release: one video of train, two of val, one of test without masks."""
    root = tmp_path / 'raw'
    rng = np.random.default_rng(0)
    for split, videos in dict(train='a', val='bc', test='d').items():
        (root / f'{split}.txt').parent.mkdir(parents=True, exist_ok=True)
        (root / f'{split}.txt').write_text(''.join(f'{video}\n' for video in videos))
        for video in videos:
            for folder in ('imgs', 'panomasks') if split != 'test' else ('imgs',):
                (root / folder / video).mkdir(parents=True)
            for t in range(2):
                image = np.repeat(rng.integers(0, 255, (40, 61, 1), np.uint8), 3, axis=-1)
                Image.fromarray(image).save(root / f'imgs/{video}/{t:08d}.jpg')
                if split != 'test':
                    Image.fromarray(raw_mask(t)).save(root / f'panomasks/{video}/{t:08d}.png')
    return root


def read_json(out, split):
    return json.loads((out / f'panoptic_gt_VIPSeg_{split}.json').read_text())


def problems_of(out, split):
    ann_file = out / f'panoptic_gt_VIPSeg_{split}.json'
    return [str(p) for p in check_dataset(ann_file, out / 'images') if not p.is_note]


def test_raw(raw, tmp_path):
    out, frames = tmp_path / 'out', []
    source = find_source(raw)
    assert len(source.frames) == 8
    resize_vipseg(source, out, 20, on_frame=lambda: frames.append(1))
    assert len(frames) == 8
    for split in ('train', 'val', 'test'):
        assert problems_of(out, split) == []
    content = read_json(out, 'val')
    assert [video['video_id'] for video in content['videos']] == ['b', 'c']
    assert content['videos'][0]['images'][1] == dict(
        id='00000001', width=30, height=20, file_name='00000001.jpg'
    )
    assert [(c['id'], c['name']) for c in content['categories']] == [
        (c.id, c.name) for c in load_table('vipseg')
    ]
    assert {c['isthing'] for c in content['categories']} == {0, 1}
    frame = content['annotations'][1]['annotations'][1]
    assert frame['file_name'] == '00000001.png'
    segments = {
        s['id']: (s['category_id'], s['iscrowd'], s['area']) for s in frame['segments_info']
    }
    # the part of the floor with a number of its own is floor; the thing of one pixel is gone
    assert segments.keys() == {WALL, FLOOR, THING_1, THING_2, THING_0}
    assert [segments[i][:2] for i in (WALL, FLOOR, THING_1, THING_2, THING_0)] == [
        (0, 0), (13, 0), (2, 0), (2, 0), (2, 0),
    ]  # fmt: skip
    ids = read_segment_map(out / 'panomasksRGB/c/00000001.png')
    assert ids.shape == (20, 30)
    assert all((ids == i).sum() == segment[2] for i, segment in segments.items())
    # nearest: every pixel holds the value of one of those that it covers, about
    rows, columns = np.arange(20) * 2 + 1, (np.arange(30) + 0.5) * 61 // 30
    expected = raw_mask(1)[rows][:, columns.astype(int)]
    expected[expected == FLOOR_7] = FLOOR
    assert (ids == expected).mean() > 0.99
    test = read_json(out, 'test')
    assert test['annotations'] == []
    assert len(test['videos'][0]['images']) == 2
    assert not (out / 'panomasksRGB/d').exists()


def test_pictures_are_averaged_and_those_of_the_size_are_copied(raw, tmp_path):
    resize_vipseg(find_source(raw), tmp_path / 'half', 20)
    resize_vipseg(find_source(raw), tmp_path / 'same', 40)
    name = 'a/00000000.jpg'
    original = (raw / 'imgs' / name).read_bytes()
    assert (tmp_path / 'same/images' / name).read_bytes() == original
    half = read_image(tmp_path / 'half/images' / name).astype(float)
    averaged = Image.fromarray(read_image(raw / 'imgs' / name)).resize(
        (30, 20), Image.Resampling.BILINEAR
    )
    assert abs(half - np.asarray(averaged)).mean() < 3  # the losses of JPEG on noise


def test_converted(raw, tmp_path):
    """What one run makes is a converted release for the next."""
    full, out = tmp_path / 'full', tmp_path / 'out'
    resize_vipseg(find_source(raw), full, 40)
    content = read_json(full, 'val')
    segments = [
        s for v in content['annotations'] for f in v['annotations'] for s in f['segments_info']
    ]
    used = {segment['category_id'] for segment in segments}
    content['categories'] = [c for c in content['categories'] if c['id'] in used]
    content['annotations'][0]['annotations'][0]['segments_info'][0]['iscrowd'] = 1
    content['videos'][0]['images'][0] |= dict(id=77, file_name='00000000.png')
    content['annotations'][0]['annotations'][0]['image_id'] = 77
    (full / 'panoptic_gt_VIPSeg_val.json').write_text(json.dumps(content))
    (full / 'images').rename(full / 'imgs')
    resize_vipseg(find_source(full), out, 25)
    for split in ('train', 'test'):
        assert problems_of(out, split) == []
    direct = tmp_path / 'direct'
    resize_vipseg(find_source(raw), direct, 25)
    assert read_json(out, 'train') == read_json(direct, 'train')
    found = read_json(out, 'val')
    assert found['categories'] == content['categories']
    assert found['videos'][0]['images'][0] == dict(
        id=77, width=38, height=25, file_name='00000000.jpg'
    )
    assert found['annotations'][0]['annotations'][0]['segments_info'][0]['iscrowd'] == 1


def test_goes_on_where_it_stopped(raw, tmp_path):
    whole, out, done = tmp_path / 'whole', tmp_path / 'out', []

    def stop():
        done.append(1)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resize_vipseg(find_source(raw), out, 20, on_frame=stop)
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob('*.*g')}
    assert len(stamps) == 6
    resize_vipseg(find_source(raw), out, 20)
    resize_vipseg(find_source(raw), whole, 20)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    for split in ('train', 'val', 'test'):
        assert read_json(out, split) == read_json(whole, split)
    assert not list(out.rglob('*.part'))


def test_other_settings_are_refused(raw, tmp_path):
    out = tmp_path / 'out'
    resize_vipseg(find_source(raw), out, 20)
    other = tmp_path / 'other'
    other.symlink_to(raw)
    resize_vipseg(find_source(other), out, 20)  # the same folder
    with pytest.raises(UserError, match=r'was made with .*20.* now asked for .*21'):
        resize_vipseg(find_source(raw), out, 21)
    copied = tmp_path / 'copied'
    copied.mkdir()
    for path in raw.iterdir():
        (copied / path.name).symlink_to(path)
    with pytest.raises(UserError, match=r'was made with .*/raw.* now asked for .*/copied'):
        resize_vipseg(find_source(copied), out, 20)
    # the official conversion was run inside of the source: other ids
    for name in ('panomasksRGB', 'panoptic_gt_VIPSeg_train.json', 'panoptic_gt_VIPSeg_val.json'):
        (raw / name).symlink_to(out / name)
    with pytest.raises(UserError, match=r"was made with .*'raw': True.* asked for .*'raw': False"):
        resize_vipseg(find_source(raw), out, 20)
    for name in ('panomasksRGB', 'panoptic_gt_VIPSeg_train.json', 'panoptic_gt_VIPSeg_val.json'):
        (raw / name).unlink()
    with pytest.raises(UserError, match='is the source itself'):
        resize_vipseg(find_source(raw), raw, 20)
    (tmp_path / 'full').mkdir()
    (tmp_path / 'full/letter').write_text('x')
    with pytest.raises(UserError, match='was not begun by this tool'):
        resize_vipseg(find_source(raw), tmp_path / 'full', 20)


def test_damaged_files_are_named_and_the_others_done(raw, tmp_path):
    out = tmp_path / 'out'
    broken = [raw / 'imgs/a/00000001.jpg', raw / 'panomasks/b/00000000.png']
    sound = [path.read_bytes() for path in broken]
    for path in broken:
        path.write_bytes(path.read_bytes()[:80])
    cut = raw / 'panomasks/c/00000001.png'
    sound.append(cut.read_bytes())
    Image.fromarray(raw_mask(1)[:30]).save(cut)
    unknown = raw / 'panomasks/c/00000000.png'
    sound.append(unknown.read_bytes())
    Image.fromarray(raw_mask(1) + np.uint16(30000)).save(unknown)
    with pytest.raises(UserError) as caught:
        resize_vipseg(find_source(raw), out, 20)
    for words in (
        *map(str, broken),
        f'{cut}: 61x30 pixels, the frames of the video have 61x40',
        f'{unknown}: val',
    ):
        assert words in str(caught.value)
    assert not (out / 'panoptic_gt_VIPSeg_val.json').exists()
    for path, data in zip((*broken, cut, unknown), sound, strict=True):
        path.write_bytes(data)
    resize_vipseg(find_source(raw), out, 20)
    assert problems_of(out, 'val') == []


def test_a_full_disk_is_told(raw, tmp_path, monkeypatch):
    def fail(path, image):
        raise UserError(f'{path}: cannot be written (No space left on device)')

    monkeypatch.setattr(vipseg_resize, 'write_image', fail)
    with pytest.raises(UserError, match=r'out/.*No space left'):
        resize_vipseg(find_source(raw), tmp_path / 'out', 20)


@pytest.mark.parametrize(
    ('remove', 'words'),
    [
        ('imgs', 'neither imgs .raw. nor images'),
        ('imgs/b', 'no frames .*b: |b: no frames'),
        ('panomasks', 'has no folder of any video of .*train.txt'),
        ('panomasks/b', 'and 1 file more: missing, but .*val.txt needs them'),
        ('panomasks/b/00000000.png', '00000000.png: missing, but .*val.txt needs them'),
        ('*.txt', 'no .*<split>.txt of train, val, test in it'),
        ('.', 'no such folder'),
    ],
)
def test_incomplete_releases(raw, remove, words):
    for path in [raw] if remove == '.' else list(raw.glob(remove)):
        path.rename(raw.parent / f'gone_{path.name}')
    with pytest.raises(UserError, match=words):
        find_source(raw)


@pytest.mark.parametrize('mode', ['RGB', 'P', 'text'])
def test_other_kinds_of_raw_masks(raw, tmp_path, mode):
    path = raw / 'panomasks/a/00000000.png'
    if mode == 'text':
        path.write_text('text')
    else:
        Image.fromarray(np.zeros((40, 61), np.uint8)).convert(mode).save(path)
    with pytest.raises(UserError, match=f'1 frame cannot be read.*\n  {path}: '):
        resize_vipseg(find_source(raw), tmp_path / 'out', 20)


def test_damaged_json_is_told_without_a_traceback(raw, tmp_path):
    full = tmp_path / 'full'
    resize_vipseg(find_source(raw), full, 40)
    content = read_json(full, 'train')
    places = (
        ('videos',), ('videos', 0), ('videos', 0, 'images'), ('videos', 0, 'images', 0),
        ('videos', 0, 'images', 0, 'file_name'), ('videos', 0, 'images', 0, 'id'),
        ('annotations', 0), ('annotations', 0, 'video_id'), ('annotations', 0, 'annotations'),
        ('annotations', 0, 'annotations', 0),
        ('annotations', 0, 'annotations', 0, 'file_name'),
        ('annotations', 0, 'annotations', 0, 'segments_info'),
        ('annotations', 0, 'annotations', 0, 'segments_info', 0),
        ('annotations', 0, 'annotations', 0, 'segments_info', 0, 'id'),
    )  # fmt: skip
    for path in places:
        for value in (None, 1.5, 'x', [1], {}):
            broken = copy.deepcopy(content)
            place = broken
            for key in path[:-1]:
                place = place[key]
            if type(place[path[-1]]) is type(value):
                continue
            place[path[-1]] = value
            (full / 'panoptic_gt_VIPSeg_train.json').write_text(json.dumps(broken))
            with pytest.raises(UserError, match=r'panoptic_gt_VIPSeg_train\.json'):
                find_source(full)


def test_a_name_beyond_what_files_can_have_is_missing(raw, tmp_path):
    full = tmp_path / 'full'
    resize_vipseg(find_source(raw), full, 40)
    content = read_json(full, 'train')
    content['videos'][0]['images'][0]['file_name'] = f'{"x" * 300}.jpg'
    content['annotations'][0]['annotations'][0]['file_name'] = f'{"x" * 300}.png'
    (full / 'panoptic_gt_VIPSeg_train.json').write_text(json.dumps(content))
    with pytest.raises(UserError, match=r'x\.jpg.*: missing'):
        find_source(full)


def test_results_are_what_opencv_reads_too(raw, tmp_path):
    resize_vipseg(find_source(raw), tmp_path / 'out', 20)
    mask = cv2.imread(str(tmp_path / 'out/panomasksRGB/a/00000000.png'), cv2.IMREAD_UNCHANGED)
    assert mask.dtype == np.uint8
    assert mask.shape == (20, 30, 3)
    blue, green, red = (mask[..., i].astype(int) for i in range(3))
    assert THING_1 in np.unique(red + 256 * green + 65536 * blue)
