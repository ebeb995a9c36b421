"""What a training set says of itself at the start."""

import pytest

from mmvseg.datasets import ClipIndex, tracks
from mmvseg.errors import UserError


@pytest.fixture
def said(monkeypatch):
    """What is logged."""
    lines = []
    monkeypatch.setattr(tracks, 'print_log', lambda text, **_: lines.append(text))
    return lambda: ' '.join(lines)


def objects(dataset):
    item = dataset[ClipIndex(0, seed=0, draw=0)]
    return [len(frame.labels) for frame in item['data_samples'].gt_instances]


def test_nothing_to_say(content, make_dataset, said):
    make_dataset(content)
    assert said() == ''


@pytest.mark.parametrize('areas', [0, None, -7])
def test_areas_that_are_none_are_measured(content, make_dataset, said, areas):
    given = objects(make_dataset(content))
    for annotation in content['annotations']:
        annotation['areas'] = [areas if mask else None for mask in annotation['segmentations']]
    assert objects(make_dataset(content)) == given
    assert '9 entries are hardly meant so (9 in areas), e.g. video 10, annotation 100' in said()


@pytest.mark.parametrize(
    ('change', 'cause'),
    [
        (lambda a: a.update(iscrowd=1), r'crowds \(iscrowd = 1\)'),
        (lambda a: a.update(bboxes=[None] * len(a['bboxes'])), r'without a box \(bboxes is null\)'),
        (
            lambda a: a.update(bboxes=[b and [x / 64 for x in b] for b in a['bboxes']]),
            'in boxes thinner than a pixel that look like fractions of the frame, not pixels',
        ),
        (
            lambda a: a.update(bboxes=[b and [*b[:2], 0.5, 9] for b in a['bboxes']]),
            'in boxes thinner than a pixel',
        ),
    ],
)
def test_a_set_without_an_object_to_train_on_is_refused(content, make_dataset, change, cause):
    for annotation in content['annotations']:
        change(annotation)
    with pytest.raises(UserError, match=f'no object can be trained on; of 9 masks .* 9 {cause}$'):
        make_dataset(content)


def test_empty_masks_are_not_trained_on(content, make_dataset):
    nothing = dict(size=[40, 60], counts=[2400])
    for annotation in content['annotations']:
        annotation['segmentations'] = [mask and nothing for mask in annotation['segmentations']]
        annotation['areas'] = None
    with pytest.raises(UserError, match='9 without a pixel in the mask'):
        make_dataset(content)


def test_what_is_left_out_is_counted(content, make_dataset, said):
    content['annotations'][0]['iscrowd'] = 1
    content['annotations'][2]['bboxes'][1] = [3, 3, 0.5, 0.5]
    make_dataset(content)
    assert '5 of 9 masks are not trained on: 4 crowds (iscrowd = 1), 1 in boxes thinner' in said()
    assert 'only 3 of the 7 frames that clips start from hold an object' in said()


def test_objects_of_unknown_videos_and_categories_are_told(content, make_dataset, said):
    content['annotations'][0]['video_id'] = 99
    content['annotations'][1]['category_id'] = 99
    dataset = make_dataset(content)
    assert [len(record['instances']) for record in dataset.videos] == [0, 2]
    assert '2 entries are hardly meant so (1 in video_id, 1 in category_id)' in said()


def test_boxes_that_do_not_meet_their_masks_are_told(content, make_dataset, said):
    x, y, width, height = content['annotations'][0]['bboxes'][3]
    content['annotations'][0]['bboxes'][3] = [x, y, x + width, y + height]  # corners, not sizes
    make_dataset(content)
    assert '1 in bboxes' in said()
    assert 'frame 3, bboxes: box [14, 11, 26, 21] does not fit the mask, which lies in' in said()


def test_videos_that_are_too_small(content, make_dataset):
    with pytest.raises(UserError, match='9 in videos with a side below 41 pixels'):
        make_dataset(content, min_size=41)


def test_objects_of_other_categories_alone(content, make_dataset):
    content['annotations'] = [a for a in content['annotations'] if a['category_id'] == 7]
    with pytest.raises(UserError, match='none of its 2 objects has a mask and a category that is'):
        make_dataset(content, metainfo=dict(classes=['fork']))
