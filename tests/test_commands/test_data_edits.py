"""``mmvseg data split``, ``merge``, ``subset`` and ``remap``: each option, and what is refused."""

import json
from unittest import mock

import pytest
from edit_scenes import scene
from tiny_dataset import content, make_content, write  # noqa: F401

from mmvseg.commands import main
from mmvseg.datasets import YouTubeVISDataset

NAMES = ('cat', 'dog', 'bird', 'fish')
VIDEOS = ['0' + '1' * (v % 2) + '2' * (v % 4 == 0) + '3' * (v == 7) for v in range(20)]


@pytest.fixture
def run(capsys):
    def run(*arguments):
        argv = ['mmvseg', *map(str, arguments)]
        with mock.patch('sys.argv', argv), pytest.raises(SystemExit) as ended:
            main.main()
        output = capsys.readouterr()
        return ended.value.code or 0, output.out, output.err

    return run


@pytest.fixture
def ann(tmp_path):
    path = tmp_path / 'ann.json'
    path.write_text(json.dumps(scene(VIDEOS, NAMES)))
    return path


def load(path):
    return json.loads(path.read_text())


def ids(path, key='videos'):
    return [entry['id'] for entry in load(path)[key]]


def test_split(run, ann, tmp_path):
    out = tmp_path / 'local'
    status, text, err = run('data', 'split', ann, '--out', out, '--val', '0.2')
    assert status == 0
    assert '| cat   | 20     | 20      | 16       | 4           | 20.0 |' in text
    assert '| fish  | 1      | 1       | 1        | 0           | 0.0  |' in text
    assert f'{out}/train.json: 16 videos, 29 objects, 4 classes\n' in text
    assert f'{out}/val.json: 4 videos, 7 objects, 4 classes\n' in text
    assert err == (
        'note: no object in val.json of these classes (in so many videos in all): fish (1); a '
        'class in one video cannot be in both files\n'
    )
    assert ids(out / 'val.json') == [4, 7, 14, 17]
    assert sorted(ids(out / 'train.json') + ids(out / 'val.json')) == list(range(1, 21))
    assert sorted(path.name for path in out.iterdir()) == ['train.json', 'val.json']


def test_split_by_number_and_seed(run, ann, tmp_path):
    for folder, options in dict(a=['4'], b=['4', '--seed', 0], c=['4', '--seed', 1]).items():
        assert run('data', 'split', ann, '--out', tmp_path / folder, '--val', *options)[0] == 0
    assert ids(tmp_path / 'a/val.json') == ids(tmp_path / 'b/val.json') == [4, 7, 14, 17]
    assert ids(tmp_path / 'c/val.json') == [1, 11, 16, 20]
    assert run('data', 'split', ann, '--out', tmp_path / 'd')[0] == 0
    assert len(ids(tmp_path / 'd/val.json')) == 2


@pytest.mark.parametrize('size', ['0', '-1', '1.5', 'x', '1/0', 'nan'])
def test_sizes_that_are_none(run, ann, tmp_path, size):
    status, _, err = run('data', 'split', ann, '--out', tmp_path / 'x', f'--val={size}')
    assert status == 2
    assert f"'{size}' is no share below 1 and no number of videos" in err


def test_a_class_without_an_object_to_train_on(run, tmp_path):
    (tmp_path / 'ann.json').write_text(json.dumps(scene(['0', '1'])))
    _, _, err = run('data', 'split', tmp_path / 'ann.json', '--out', tmp_path, '--val', '0.5')
    assert 'note: no object in train.json of these classes' in err
    assert 'note: no object in val.json of these classes' in err


def test_nothing_is_lost(run, ann, tmp_path):
    split = ('data', 'split', ann, '--out', tmp_path / 'new')
    assert run(*split)[0] == 0
    status, out, err = run(*split, '--val', 5)
    assert (status, out) == (1, '')
    assert 'new/train.json: is there already; choose another --out or give --overwrite' in err
    assert len(ids(tmp_path / 'new/val.json')) == 2
    assert run(*split, '--val', 5, '--overwrite')[0] == 0
    assert len(ids(tmp_path / 'new/val.json')) == 5
    before = ann.read_bytes()
    names = tmp_path / 'names.json'
    names.write_text('{}')
    train = ann.rename(tmp_path / 'train.json')
    for command in (
        ('split', train, '--out', tmp_path),
        ('merge', train, tmp_path / 'new/val.json', '--out', train),
        ('subset', train, '--out', train),
        ('remap', train, '--drop', 'cat', '--out', train),
        ('remap', train, '--classes', names, '--drop', 'cat', '--out', names),
    ):
        status, out, err = run('data', *command, '--overwrite')
        assert (status, out) == (1, '')
        assert 'is an input of this run' in err
    assert train.read_bytes() == before


def test_files_of_other_forms(run, tmp_path):
    (tmp_path / 'x.json').write_text('{"images": [], "categories": []}')
    for command in ('split', 'subset', 'merge', 'stats'):
        more = [tmp_path / 'x.json'] if command == 'merge' else []
        out = [] if command == 'stats' else ['--out', tmp_path / f'{command}.json']
        status, _, err = run('data', command, tmp_path / 'x.json', *more, *out)
        assert status == 1
        assert 'is it a COCO image file?' in err
    assert [path.name for path in tmp_path.rglob('*') if path.is_file()] == ['x.json']


def test_merge(run, ann, tmp_path):
    parts = tmp_path / 'parts'
    run('data', 'split', ann, '--out', parts)
    both = tmp_path / 'both.json'
    status, out, err = run('data', 'merge', parts / 'train.json', parts / 'val.json', '--out', both)
    assert (status, err) == (0, '')
    assert out == f'{both}: 20 videos, 36 objects, 4 classes\n'
    status, _, err = run('data', 'merge', ann, both, '--out', tmp_path / 'twice.json')
    assert status == 1
    assert 'has the frame v' in err
    for wrong, words in (
        ([ann], 'give two or more ANN'),
        ([ann, both, '--frames', tmp_path], '--frames: 1 folders for 2 files'),
    ):
        status, _, err = run('data', 'merge', *wrong, '--out', tmp_path / 'x.json')
        assert status == 2
        assert words in err


@pytest.fixture
def two_folders(tmp_path, write):  # noqa: F811
    """Two sets of the same names of videos, as two imports give them."""
    for name in 'ab':
        path = write(make_content((3, 2)))
        (tmp_path / 'data' / name).mkdir(parents=True)
        path.rename(tmp_path / 'data' / name / 'annotations.json')
        (tmp_path / 'frames').rename(tmp_path / 'data' / name / 'frames')
    return tmp_path / 'data'


def merge_folders(run, data, *folders):
    files = [data / name / 'annotations.json' for name in 'ab']
    return run('data', 'merge', *files, '--out', data / 'both.json', '--frames', *folders)


def test_merged_folders_are_checked_and_trained_on_with_one_root(run, two_folders):
    data = two_folders
    status, out, _ = merge_folders(run, data, data / 'a/frames', data / 'b/frames')
    assert status == 0
    assert out.endswith(f'its frames lie below {data}: mmvseg check {data}/both.json {data}\n')
    assert run('check', data / 'both.json', data)[0] == 0
    pipeline = [dict(type='LoadClip'), dict(type='PackClip')]
    dataset = YouTubeVISDataset(ann_file='both.json', data_root=str(data), pipeline=pipeline)
    assert len(dataset) == 10
    assert dataset[9]['inputs'].shape[-2:] == (40, 60)
    assert dataset[9]['data_samples'].metainfo['video_id'] == 4


def test_relative_folders(run, two_folders, monkeypatch):
    monkeypatch.chdir(two_folders)
    _, out, _ = merge_folders(run, two_folders, 'a/frames', 'b/frames')
    assert 'its frames lie below .: ' in out
    names = [video['file_names'][0] for video in load(two_folders / 'both.json')['videos']]
    assert names == [f'{name}/frames/video_{v}/00000.jpg' for name in 'ab' for v in range(2)]


def test_folders_that_are_not_there_or_lead_out(run, two_folders, tmp_path):
    data = two_folders
    status, _, err = merge_folders(run, data, data / 'a/frames', data / 'c')
    assert status == 1
    assert f'--frames {data}/c: no such folder' in err
    (data / 'b/frames').rename(tmp_path / 'elsewhere')
    (data / 'b/frames').symlink_to(tmp_path / 'elsewhere')
    status, _, err = merge_folders(run, data, data / 'a/frames', data / 'b/frames')
    assert status == 0
    assert f'note: {data}/b/frames: a link leads out of {data}' in err
    assert run('check', data / 'both.json', data)[0] == 1
    assert run('check', data / 'both.json', data, '--allow-outside-root')[0] == 0


def test_subset(run, ann, tmp_path):
    out = tmp_path / 'out.json'

    def subset(*options):
        status, text, _ = run('data', 'subset', ann, '--out', out, '--overwrite', *options)
        assert status == 0
        assert text.startswith(f'{out}: {len(ids(out))} video')
        return ids(out)

    assert subset('--videos', 'v3', 5) == [3, 5]
    assert subset('--drop-videos', *range(1, 18), 'v19') == [18, 20]
    assert subset('--classes', 'fish') == list(range(1, 21))
    assert load(out)['categories'] == [dict(id=4, name='fish', supercategory='thing')]
    assert subset('--classes', 'fish', '--drop-empty') == [8]
    assert subset('--max-videos', 4) == [4, 7, 14, 17]
    assert subset('--max-videos', 4, '--seed', 1) == [1, 11, 16, 20]
    assert subset('--min-frames', 2) == list(range(1, 21))
    status, _, err = run('data', 'subset', ann, '--out', out, '--overwrite', '--min-frames', 3)
    assert status == 1
    assert 'none of its 20 videos is left' in err


def test_remap(run, ann, tmp_path):
    out = tmp_path / 'out.json'

    def remap(*options):
        status, _, err = run('data', 'remap', ann, '--out', out, '--overwrite', *options)
        assert status == 0, err
        return [category['name'] for category in load(out)['categories']]

    assert remap('--map', 'cat=pet', '--map', 'dog=pet', '--drop', 'fish') == ['pet', 'bird']
    names = tmp_path / 'names.json'
    names.write_text(json.dumps(dict(cat='a=b', fish=None)))
    assert remap('--classes', names) == ['a=b', 'dog', 'bird']
    assert remap('--classes', names, '--map', 'dog=d', '--drop', 'fish') == ['a=b', 'd', 'bird']
    assert len(remap('--to', 'ytvis_2021', '--drop', 'bird')) == 40
    by_name = {category['name']: category['id'] for category in load(out)['categories']}
    assert (
        len(
            YouTubeVISDataset(ann_file=str(out), version='2021', test_mode=True).metainfo['classes']
        )
        == 40
    )
    found = {entry['category_id'] for entry in load(out)['annotations']}
    assert found == {by_name[name] for name in ('cat', 'dog', 'fish')}


def test_what_remap_refuses(run, ann, tmp_path):
    names = tmp_path / 'names.json'
    for options, status, words in (
        ((), 2, 'nothing to do: give --map, --drop, --classes or --to'),
        (('--map', 'cat'), 2, "'cat' is not OLD=NEW"),
        (('--map', 'a=b=c'), 2, 'can be given in a json'),
        (('--map', 'cat=a', '--drop', 'cat'), 1, "class 'cat' is given twice"),
        (('--map', 'cats=a'), 1, "has no class 'cats'; close to it: cat"),
        (('--to', 'ovis'), 1, "--map or --drop for them): 'cat', 'dog', 'bird', 'fish'; close"),
        (('--classes', names), 1, 'names.json: must be an object with a new name or null'),
    ):
        names.write_text('{"cat": 3}')
        ended = run('data', 'remap', ann, '--out', tmp_path / 'out.json', *options)
        assert ended[0] == status
        assert words in ended[2]
        assert not (tmp_path / 'out.json').exists()
