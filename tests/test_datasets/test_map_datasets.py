"""VIPSeg and VSPW: clips with masks from maps, windows without, and damaged files."""

import json

import cv2
import numpy as np
import pytest

from mmvseg.datasets import (
    LoadPanopticClip,
    LoadSemanticClip,
    PackClip,
    VIPSegDataset,
    VSPWDataset,
    dataset_metainfo,
    load_table,
)
from mmvseg.datasets.shapes import (
    STUFF_CLASSES,
    THING_CLASSES,
    ShapesOptions,
    ShapesRequest,
    ShapesWorld,
    write_shapes,
)
from mmvseg.datasets.shapes.layouts import class_map
from mmvseg.errors import UserError

OPTIONS = ShapesOptions(height=48, width=64, length=4, difficulty=0.5)
CLASSES = THING_CLASSES + STUFF_CLASSES
PREFIXES = dict(vipseg=dict(img='images', mask='panomasksRGB'), vspw=dict(img='data'))
FILES = dict(vipseg='panoptic_gt_VIPSeg_{}.json', vspw='{}.txt')
KINDS = dict(vipseg=VIPSegDataset, vspw=VSPWDataset)
LOADERS = dict(vipseg=LoadPanopticClip, vspw=LoadSemanticClip)


@pytest.fixture(params=['vipseg', 'vspw'])
def layout(request):
    return request.param


@pytest.fixture
def folder(tmp_path, layout):
    write_shapes(tmp_path / layout, ShapesRequest(OPTIONS, train=2, val=1, layout=layout))
    return tmp_path / layout


def build(folder, split='train', **kwargs):
    layout = folder.name
    settings = dict(
        ann_file=FILES[layout].format(split),
        data_root=str(folder),
        data_prefix=PREFIXES[layout],
        pipeline=[LOADERS[layout](), PackClip(drop_empty=True)],
        clip=dict(num_frames=4, consecutive=True),
    )
    return KINDS[layout](**settings | kwargs)


def rendered(video=0, split=0):
    """What the frames of a training video show."""
    world = ShapesWorld(OPTIONS, seed=[0, split, video])
    frames = [world.render(t) for t in range(OPTIONS.length)]
    return frames, [class_map(frame, world.labels) for frame in frames]


def test_classes(folder):
    config = dict(
        type=KINDS[folder.name].__name__,
        ann_file=FILES[folder.name].format('val'),
        data_root=str(folder),
    )
    early, dataset = dataset_metainfo(config), build(folder)
    dataset.full_init()
    for metainfo in (early, dataset.metainfo):
        assert metainfo['classes'] == CLASSES
        assert metainfo['thing_classes'] == THING_CLASSES
        assert metainfo['stuff_classes'] == STUFF_CLASSES
        assert metainfo['category_ids'] == tuple(range(10))
        assert len(set(metainfo['palette'])) == 10
    assert dataset.tasks == (dict(vipseg='vps', vspw='vss')[folder.name],)


def test_a_clip_has_the_masks_of_its_maps(folder):
    dataset = build(folder)
    assert len(dataset) == 2  # one run of frames a video
    sample = dataset[0]['data_samples']
    assert (sample.video_id, sample.video_length) == ('train_00000', 4)
    frames, classes = rendered()
    for t, annotated in enumerate(sample.gt_instances):
        shown = np.full((48, 64), -1)
        assert len(set(annotated.instance_ids.tolist())) == len(annotated.masks)
        for label, mask in zip(annotated.labels, annotated.masks, strict=True):
            assert (shown[mask.numpy() > 0] == -1).all()  # a pixel belongs to one
            shown[mask.numpy() > 0] = label
        np.testing.assert_array_equal(shown, classes[t])
        if folder.name == 'vspw':
            assert annotated.instance_ids.tolist() == annotated.labels.tolist()
            continue
        things = annotated.instance_ids >= 100
        objects = np.unique(frames[t].instances[frames[t].instances >= 0])
        assert annotated.instance_ids[things].tolist() == (100 + objects).tolist()


def test_windows_have_no_annotations(folder):
    loader = LOADERS[folder.name]()
    dataset = build(folder, 'val', test_mode=True, window_size=3, pipeline=[loader, PackClip()])
    assert len(dataset) == 2
    first, last = dataset[0]['data_samples'], dataset[1]['data_samples']
    assert (first.is_first, first.is_last, last.is_last) == (True, False, True)
    assert first.get('gt_instances') is None
    assert last.frame_ids == [3]


def test_vspw_ignores_what_has_no_class(tmp_path):
    write_shapes(tmp_path / 'vspw', ShapesRequest(OPTIONS, train=1, val=0, layout='vspw'))
    path = tmp_path / 'vspw/data/train_00000/mask/00000.png'
    mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    mask[:10], mask[10:20] = 0, 255
    cv2.imwrite(str(path), mask)
    dataset = build(tmp_path / 'vspw', clip=dict(num_frames=1))
    by_frame = {i.frame_ids[0]: i for i in (dataset[n]['data_samples'] for n in range(4))}
    covered = by_frame[0].gt_instances[0].masks.sum(0)
    assert not covered[:20].any()
    assert (covered[20:] == 1).all()


def test_vipseg_leaves_crowds_and_unlisted_ids_out(tmp_path):
    write_shapes(tmp_path / 'vipseg', ShapesRequest(OPTIONS, train=1, val=0, layout='vipseg'))
    path = tmp_path / 'vipseg/panoptic_gt_VIPSeg_train.json'
    content = json.loads(path.read_text())
    first = content['annotations'][0]['annotations'][0]['segments_info']
    crowd, unlisted = first[0], first.pop()
    crowd['iscrowd'] = 1
    path.write_text(json.dumps(content))
    dataset = build(tmp_path / 'vipseg')
    found = dataset[0]['data_samples'].gt_instances[0].instance_ids.tolist()
    assert not {crowd['id'], unlisted['id']} & set(found)
    assert len(found) == len(first) - 1


def test_a_segment_has_the_class_of_the_first_frame_that_lists_it(tmp_path):
    write_shapes(tmp_path / 'vipseg', ShapesRequest(OPTIONS, train=1, val=0, layout='vipseg'))
    path = tmp_path / 'vipseg/panoptic_gt_VIPSeg_train.json'
    content = json.loads(path.read_text())
    frames = content['annotations'][0]['annotations']
    segment = frames[0]['segments_info'][0]
    for frame in frames[1:]:
        for other in frame['segments_info']:
            if other['id'] == segment['id']:
                other['category_id'] = (segment['category_id'] + 1) % 10
    path.write_text(json.dumps(content))
    sample = build(tmp_path / 'vipseg')[0]['data_samples']
    labels = {
        label
        for frame in sample.gt_instances
        for number, label in zip(frame.instance_ids.tolist(), frame.labels.tolist(), strict=True)
        if number == segment['id']
    }
    assert labels == {segment['category_id']}


def test_frames_may_be_named_like_their_maps(tmp_path):
    write_shapes(tmp_path / 'vipseg', ShapesRequest(OPTIONS, train=1, val=0, layout='vipseg'))
    path = tmp_path / 'vipseg/panoptic_gt_VIPSeg_train.json'
    path.write_text(path.read_text().replace('.jpg"', '.png"'))
    record = build(tmp_path / 'vipseg').video_record(0)
    assert record['frames'][3] == str(tmp_path / 'vipseg/images/train_00000/00003.jpg')
    assert record['masks'][3].endswith('panomasksRGB/train_00000/00003.png')


def test_published_classes():
    table = load_table('vipseg')
    assert (len(table), sum(category.is_thing for category in table)) == (124, 58)
    for config in (
        dict(type='VIPSegDataset', version='vipseg', ann_file='absent.json'),
        dict(type='VSPWDataset', ann_file='absent/val.txt'),
    ):
        metainfo = dataset_metainfo(config)
        assert len(metainfo['classes']) == 124
        assert metainfo['thing_classes'] == metainfo['classes'][:58]
        things, stuff = metainfo['category_ids'][:58], metainfo['category_ids'][58:]
        assert list(things) == sorted(things)
        assert list(stuff) == sorted(stuff)
        assert metainfo['classes'][58] == 'wall'  # dataset id 0


def broken(folder, change):
    """The data set with a changed json or list of videos."""
    path = folder / FILES[folder.name].format('train')
    if folder.name == 'vspw':
        path.write_text(change)
        return build(folder)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return build(folder)


@pytest.mark.parametrize('layout', ['vipseg'], indirect=True)
@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda c: c.pop('annotations'), 'no annotations to train on'),
        (lambda c: c['categories'][0].pop('isthing'), r'categories.0.: isthing is missing'),
        (
            lambda c: c['videos'][0]['images'][1].update(width=3),
            'video train_00000, frame 1, height, width: 48 x 3, but',
        ),
        (
            lambda c: c['videos'][0]['images'].pop(),
            'train_00000, annotations: 4 entries, but the video has 3',
        ),
        (
            lambda c: c['annotations'][0]['annotations'][2]['segments_info'][0].update(
                category_id=77
            ),
            'train_00000, frame 2, segment 7, category_id: unknown category 77',
        ),
        (
            lambda c: c['annotations'][0]['annotations'].reverse(),
            "train_00000, frame 0, file_name: '00003.png', but the image in this place is",
        ),
        (lambda c: c['videos'][1].pop('images'), r'train_00001, videos.1.: missing images'),
        (lambda c: c.pop('videos'), 'not a VIPSeg file .Object missing required field `videos`'),
    ],
)
def test_broken_json(folder, change, words):
    with pytest.raises(UserError, match=words):
        broken(folder, change)


@pytest.mark.parametrize('layout', ['vipseg'], indirect=True)
def test_a_video_without_annotations_is_not_trained_on(folder):
    dataset = broken(folder, lambda content: content['annotations'].pop())
    assert dataset.video_ids == ['train_00000', 'train_00001']
    assert dataset.item_videos.tolist() == [0]


@pytest.mark.parametrize('layout', ['vipseg'], indirect=True)
def test_only_crowds(folder):
    def change(content):
        for video in content['annotations']:
            for frame in video['annotations']:
                for segment in frame['segments_info']:
                    segment['iscrowd'] = 1

    with pytest.raises(UserError, match=r'nothing to train on.*; \d+ segments are crowds'):
        broken(folder, change)


@pytest.mark.parametrize('layout', ['vipseg'], indirect=True)
def test_other_classes_than_the_published(folder):
    with pytest.raises(UserError, match='category 0 is disc, in VIPSeg it is wall'):
        build(folder, version='vipseg')
    with pytest.raises(UserError, match="version '2021': use 'vipseg'"):
        build(folder, version='2021')


@pytest.mark.parametrize('layout', ['vspw'], indirect=True)
def test_category_ids_must_fit_a_map(folder):
    path = folder / 'categories.json'
    content = json.loads(path.read_text())
    content[3]['id'] = 254
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r'categories\.json: id: 254 is not from 0 to 253'):
        build(folder)


def test_classes_cannot_be_left_out(folder):
    with pytest.raises(UserError, match=r'metainfo\.classes: every pixel has a class'):
        build(folder, metainfo=dict(classes=('square',)))


@pytest.mark.parametrize('layout', ['vspw'], indirect=True)
def test_own_classes_of_a_list_elsewhere(folder, tmp_path):
    path = folder / 'categories.json'
    entries = [dict(id=c['id'], name=c['name']) for c in json.loads(path.read_text())]
    path.write_text(json.dumps(entries))  # that nothing is a thing need not be said
    (tmp_path / 'one.txt').write_text('train_00001\n')
    prefix = dict(img=str(folder / 'data'))
    config = dict(type='VSPWDataset', ann_file=str(tmp_path / 'one.txt'), data_prefix=prefix)
    assert dataset_metainfo(config)['classes'] == CLASSES
    dataset = build(folder, ann_file=str(tmp_path / 'one.txt'), data_prefix=prefix)
    assert (dataset.video_ids, dataset.metainfo['stuff_classes']) == (['train_00001'], CLASSES)


@pytest.mark.parametrize('layout', ['vspw'], indirect=True)
@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('', 'names no video'),
        ('train_00000\ntrain_00000\n', 'video train_00000, line 2: names the video again'),
        ('train_00000\nabsent\n', 'video absent, video: there is no folder .*data/absent'),
    ],
)
def test_broken_list(folder, text, words):
    with pytest.raises(UserError, match=words):
        broken(folder, text)


def test_broken_maps(folder):
    name = dict(vipseg='panomasksRGB/train_00000/00001.png', vspw='data/train_00000/mask/00001.png')
    path = folder / name[folder.name]
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    dataset = build(folder)
    path.write_bytes(b'no picture')
    with pytest.raises(UserError, match=rf'frame 1: .*{path.name}: not a readable'):
        dataset[0]
    cv2.imwrite(str(path), picture[:20])
    with pytest.raises(
        UserError, match=r'frame 1: .*: 64x20 pixels, the frames of the video have 64x48'
    ):
        dataset[0]
    other = picture[..., None].repeat(3, 2) if picture.ndim == 2 else picture[..., 0]
    cv2.imwrite(str(path), other)
    with pytest.raises(UserError, match='channel'):
        dataset[0]
    path.unlink()
    with pytest.raises(UserError, match=r'cannot be read|frame 1, mask: no mask/00001\.png'):
        build(folder)[0]


def test_masks_outside_of_their_folder_need_leave(folder, layout, tmp_path):
    for mask in (folder / PREFIXES[layout].get('mask', 'data')).rglob('*.png'):
        mask.rename(tmp_path / 'mask.png')
        mask.symlink_to(tmp_path / 'mask.png')
    with pytest.raises(UserError, match=r'\.png: a link leads out of the folder'):
        build(folder)[0]
    assert build(folder, allow_outside_root=True, pipeline=[])[0]['mask_paths']
