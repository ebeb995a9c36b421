"""BURST's sequences."""

import copy

import pytest
from label_reading import block, code, read_labels, shown, write_json

from mmvseg.errors import UserError

A, B = block(0, 0, 4, 4), block(2, 5, 7, 12)
EMPTY = code(A & ~A)['counts']
CATEGORIES = [dict(id=5, name='cup', synset='cup.n.01'), dict(id=9, name='dog')]


def mask(of, **more):
    return dict(rle=code(of)['counts']) | more


def sequence(name='s', **values):
    known = dict(
        id=1,
        seq_name=name,
        dataset='Src',
        width=12,
        height=8,
        fps=1,
        all_image_paths=['0.jpg', '0b.jpg', '1.jpg'],
        annotated_image_paths=['0.jpg', '1.jpg'],
        neg_category_ids=[9],
        not_exhaustive_category_ids=[5],
        track_category_ids={'1': 5},
        segmentations=[{'1': mask(A)}, {'1': mask(B, is_gt=True, score=1.0)}],
    )
    return copy.deepcopy(known | values)


def burst(*sequences, **lists):
    known = dict(sequences=list(sequences or [sequence()]), split='val')
    return known | dict(categories=CATEGORIES) | lists


def read(tmp_path, content, name='all_classes.json', **options):
    write_json(tmp_path / name, content)
    return read_labels('coco', tmp_path, **options)


def fault(tmp_path, content):
    with pytest.raises(UserError) as error:
        read(tmp_path, content)
    return str(error.value)


def test_annotated_frames_are_the_video(tmp_path):
    video = read(tmp_path, burst()).videos['Src/s']
    assert [frame.name for frame in video.frames] == ['0.jpg', '1.jpg']
    assert shown(video) == {'1': ('cup', [0, 1])}
    assert video.extra == dict(neg_category_ids=[9], not_exhaustive_category_ids=[5])


def test_ids_of_classes_that_are_absent_are_those_of_the_result(tmp_path):
    content = burst(categories=[*CATEGORIES, dict(id=0, name='none')])
    video = read(tmp_path, content).videos['Src/s']
    assert video.extra == dict(neg_category_ids=[2], not_exhaustive_category_ids=[1])


def test_tracks_begin_anew_in_each_video(tmp_path):
    other = sequence('t', track_category_ids={'1': 9})
    found = read(tmp_path, burst(sequence(), other))
    assert [shown(video)['1'][0] for video in found.videos.values()] == ['cup', 'dog']


def test_an_empty_code_is_an_absent_object(tmp_path):
    content = burst(sequence(segmentations=[{'1': mask(A)}, {'1': dict(rle=EMPTY)}]))
    assert shown(read(tmp_path, content).videos['Src/s']) == {'1': ('cup', [0])}


def test_masks_of_a_program_are_said(tmp_path):
    content = burst(sequence(segmentations=[{'1': mask(A, is_gt=False, score=0.4)}, {}]))
    (note,) = read(tmp_path, content).notes
    assert 'some masks were made by a program' in note


def test_parts_of_a_split_are_left_out(tmp_path):
    for name in ('common_classes', 'uncommon_classes', 'first_frame_annotations'):
        write_json(tmp_path / f'val/{name}.json', burst())
    write_json(tmp_path / 'train/train.json', burst(sequence('t')))
    found = read(tmp_path, burst(), name='val/all_classes.json')
    assert sorted(found.videos) == ['Src/s', 'Src/t']
    assert len(found.notes) == 3
    assert 'common_classes.json: left out, all_classes.json has all of it' in found.notes[0]


@pytest.mark.parametrize('table', [CATEGORIES, dict(categories=CATEGORIES)])
def test_classes_may_be_in_a_file_of_their_own(tmp_path, table):
    write_json(tmp_path / 'info/categories.json', table)
    content = burst()
    del content['categories']
    assert read(tmp_path, content, name='val/all.json').ids == {'cup': 5, 'dog': 9}


FAULTS = {
    'track 2, frame 1: track_category_ids has no class for it; import all_classes.json': sequence(
        segmentations=[{'1': mask(A)}, {'2': mask(A)}]
    ),
    'track 2: there is no category 7': sequence(track_category_ids={'1': 5, '2': 7}),
    'track 2: has no mask in any frame': sequence(track_category_ids={'1': 5, '2': 9}),
    'frame 1: the run-length code covers': sequence(
        segmentations=[{'1': mask(A)}, {'1': mask(A[:4])}]
    ),
}


@pytest.mark.parametrize('rule', FAULTS)
def test_what_is_broken_is_named_and_can_be_left_out(tmp_path, rule):
    message = fault(tmp_path, burst(FAULTS[rule]))
    assert f'{tmp_path / "all_classes.json"}: video Src/s, track ' in message
    assert rule in message
    found = read_labels('coco', tmp_path, skip_bad=True)
    assert any(rule in line for line in found.left_out)
    label, frames = shown(found.videos['Src/s'])['1']
    assert label == 'cup'
    assert 0 in frames


@pytest.mark.parametrize(
    ('values', 'rule'),
    [
        (dict(segmentations=[{}]), '2 annotated_image_paths and 1 segmentations'),
        (dict(annotated_image_paths=[], segmentations=[]), '0 annotated_image_paths'),
        (dict(segmentations=[{'1': {}}, {}]), 'sequences[0].segmentations'),
        (dict(width=0), 'sequences[0].width: 0 is not a number of pixels'),
        (dict(track_category_ids=[5]), 'sequences[0].track_category_ids: [5] is not an object'),
        (dict(neg_category_ids=[3]), 'neg_category_ids: there is no category 3'),
    ],
)
def test_sequences_that_are_broken(tmp_path, values, rule):
    content = burst(sequence(**values), sequence('t'))
    message = fault(tmp_path, content)
    assert 'video Src/s' in message
    assert rule in message
    found = read_labels('coco', tmp_path, skip_bad=True)
    assert 'Src/t' in found.videos
    assert len(found.left_out) == 1
