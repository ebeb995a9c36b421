"""Some of the videos and classes of a file."""

import pytest
from edit_scenes import opened, plain, scene

from mmvseg.errors import UserError
from mmvseg.formats.edits.split import split
from mmvseg.formats.edits.subset import Wanted, subset

VIDEOS = ['0', '01', '', '11', '2', '0', '1', '02']


@pytest.fixture
def contents(tmp_path):
    made = scene(VIDEOS, ('cat', 'café', 'bird'), lengths=[2, 3, 4, 5, 2, 3, 4, 5])
    return opened(tmp_path / 'ann.json', made)


def video_ids(part):
    return [entry.values.id for entry in part.videos]


def test_nothing_wanted_is_everything(contents):
    assert plain(subset(contents, Wanted())) == plain(contents)


def test_videos_by_ids_and_names(contents):
    found = subset(contents, Wanted(videos=['v4', '2']))
    assert video_ids(found) == [2, 4]
    assert {entry.values.video_id for entry in found.objects} == {2, 4}
    assert len(found.categories) == 3
    assert video_ids(subset(contents, Wanted(drop_videos=['v4', '2']))) == [1, 3, 5, 6, 7, 8]
    assert video_ids(subset(contents, Wanted(['1', '2'], drop_videos=['v2']))) == [1]


def test_classes(contents):
    found = plain(subset(contents, Wanted(classes=['bird', 'cafe\u0301'])))
    assert [c['name'] for c in found['categories']] == ['café', 'bird']
    assert [c['id'] for c in found['categories']] == [2, 3]
    assert {entry['category_id'] for entry in found['annotations']} == {2, 3}
    assert len(found['annotations']) == 6
    assert len(found['videos']) == 8


def test_lengths_and_empty_videos(contents):
    assert video_ids(subset(contents, Wanted(min_frames=4))) == [3, 4, 7, 8]
    assert video_ids(subset(contents, Wanted(min_frames=4, drop_empty=True))) == [4, 7, 8]
    # empty is what has no object of the classes
    birds = Wanted(classes=['bird'], drop_empty=True)
    assert video_ids(subset(contents, birds)) == [5, 8]


def test_a_number_of_videos_keeps_the_shares_of_classes(contents):
    for seed in range(5):
        found = subset(contents, Wanted(max_videos=4, seed=seed))
        assert video_ids(found) == video_ids(split(contents, 4, seed).val)
    chosen = {(*video_ids(subset(contents, Wanted(max_videos=4, seed=s))),) for s in range(5)}
    assert len(chosen) > 1
    assert video_ids(subset(contents, Wanted(max_videos=20))) == list(range(1, 9))
    few = subset(contents, Wanted(videos=['1', '2', '4'], max_videos=2))
    assert len(few.videos) == 2
    assert set(video_ids(few)) < {1, 2, 4}


def test_without_annotations(tmp_path):
    made = scene(VIDEOS, ('cat', 'dog', 'bird')) | dict(annotations=None)
    found = subset(opened(tmp_path / 'ann.json', made), Wanted(classes=['cat'], max_videos=3))
    assert found.objects is None
    assert len(found.videos) == 3


@pytest.mark.parametrize(
    ('wanted', 'words'),
    [
        (Wanted(videos=['v11', '2']), "--videos: .*ann.json has no video 'v11'; close to it: v1"),
        (
            Wanted(drop_videos=['x']),
            "--drop-videos: .* has no video 'x'; there are v1, 1, v2, 2, v3, .* and 6 more",
        ),
        (Wanted(classes=['Bird', 'birds']), "has no class 'Bird', 'birds'; close to it: bird"),
        (Wanted(min_frames=6), 'none of its 8 videos is left'),
        (Wanted(videos=['3'], drop_empty=True), 'none of its 8 videos is left'),
    ],
)
def test_refusals(contents, wanted, words):
    with pytest.raises(UserError, match=words):
        subset(contents, wanted)
