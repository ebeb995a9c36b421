"""What edits do not change stays as it is, byte for byte; what they cannot read is refused."""

import json

import msgspec
import pytest

from mmvseg.errors import UserError
from mmvseg.formats.edits.contents import class_counts, read_contents, write_contents

TEXT = """{
 "info": {"year": 2026, "ratio": 1.50},
 "licenses": [],
 "videos": [
  {"id": 3, "height": 4, "width": 6, "length": 1, "file_names": ["a/0.jpg"], "fps": 6.0, "x": null}
 ],
 "categories": [{"id": 2, "name": "caf\\u00e9", "supercategory": "place"}],
 "annotations": [
  {"id": 9, "video_id": 3, "category_id": 2, "track": "k", "areas": [12.50], "note": {"b":1,"a":2},
   "segmentations": [{"size": [4, 6], "counts": [6, 12, 6]}], "iscrowd": false}
 ]
}"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / 'ann.json'
    path.write_text(TEXT)
    return path


def test_entries_stay_byte_for_byte(path):
    contents = read_contents(path)
    (entry,) = contents.objects
    assert f'{entry.encoded().decode()}\n ]' in TEXT
    changed = entry.changed(id=5, category_id=2)
    assert changed.values.id == 5
    assert changed.changes == {'id': 5}
    fields = msgspec.json.decode(changed.encoded(), type=dict[str, msgspec.Raw])
    assert [*fields] == [
        *('id', 'video_id', 'category_id', 'track', 'areas', 'note', 'segmentations', 'iscrowd')
    ]
    assert bytes(fields['areas']) == b'[12.50]'
    assert bytes(fields['note']) == b'{"b":1,"a":2}'
    assert json.loads(changed.encoded()) == json.loads(TEXT)['annotations'][0] | dict(id=5)
    assert entry.changed(id=9) is entry


def test_what_is_written_is_what_was_read(path, tmp_path):
    write_contents({tmp_path / 'new/out.json': read_contents(path)})
    assert json.loads((tmp_path / 'new/out.json').read_text()) == json.loads(TEXT)
    assert '1.50}' in (tmp_path / 'new/out.json').read_text()


@pytest.mark.parametrize('encoding', ['utf-8-sig', 'utf-16'])
def test_encodings(path, tmp_path, encoding):
    path.write_bytes(json.dumps(json.loads(TEXT), ensure_ascii=False).encode(encoding))
    write_contents({tmp_path / 'out.json': read_contents(path)})
    assert json.loads((tmp_path / 'out.json').read_bytes()) == json.loads(TEXT)


@pytest.mark.parametrize('annotations', [None, [], 'missing'])
def test_files_without_annotations(path, tmp_path, annotations):
    content = json.loads(TEXT) | dict(annotations=annotations)
    if annotations == 'missing':
        del content['annotations']
    path.write_text(json.dumps(content))
    write_contents({tmp_path / 'out.json': read_contents(path)})
    written = json.loads((tmp_path / 'out.json').read_text())
    assert written == content | dict(annotations=[] if annotations == [] else None)


def test_objects_of_nothing_are_left_out(path):
    content = json.loads(TEXT)
    content['annotations'] += [
        content['annotations'][0] | dict(id=10, video_id=4),
        content['annotations'][0] | dict(id=11, category_id=4),
    ]
    path.write_text(json.dumps(content))
    contents = read_contents(path)
    assert [entry.values.id for entry in contents.objects] == [9]
    assert contents.notes == [
        f'{path}: 2 objects of videos or classes that it does not list, left out'
    ]
    assert class_counts(contents) == {3: {2: 1}}
    assert str(contents) == '1 video, 1 object, 1 class'


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (dict(videos=None), "not a YouTube-VIS file (no list 'videos')"),
        (
            dict(annotations=[dict(id=1)]),
            'annotation 1, annotations[0]: missing video_id, category_id',
        ),
        (dict(categories=[dict(id='1', name='a')]), "categories[0].id: '1' is not an integer"),
        (dict(categories=[]), 'categories: is empty'),
        (dict(videos=[dict(id=3, height=4, width=6, file_names=[])]), 'a video without frames'),
    ],
)
def test_other_files_are_refused_in_the_words_of_the_reader(path, change, words):
    path.write_text(json.dumps(json.loads(TEXT) | change))
    with pytest.raises(UserError) as error:
        read_contents(path)
    assert words in str(error.value)
    assert str(path) in str(error.value)


def test_several_files_are_written_all_or_none(path, tmp_path):
    contents = read_contents(path)
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'first.json').write_text('before')
    outputs = {tmp_path / 'first.json': contents, tmp_path / 'folder': contents}
    with pytest.raises(UserError, match='folder'):
        write_contents(outputs)
    assert (tmp_path / 'first.json').read_text() == 'before'
    assert sorted(p.name for p in tmp_path.iterdir()) == ['ann.json', 'first.json', 'folder']


def test_a_file_in_the_folder_of_its_split_is_found(path):
    (path.parent / 'train').mkdir()
    path.rename(path.parent / 'train' / 'instances.json')
    assert len(read_contents(path.parent / 'train.json').objects) == 1
