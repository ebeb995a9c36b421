"""Files in the form of CocoVID, for tests of their importer."""

import copy

import pytest
from label_reading import block, code, read_labels, write_json

from mmvseg.errors import UserError

CLASSES = [dict(id=3, name='car'), dict(id=7, name='Fußgänger')]
A, B = block(0, 0, 4, 4), block(2, 5, 7, 12)


def annotation(id_, image_id, track, mask=A, category_id=3, **more):
    segmentation = mask if isinstance(mask, dict | list) else code(mask)
    known = dict(id=id_, image_id=image_id, category_id=category_id, segmentation=segmentation)
    return known | ({} if track is None else dict(instance_id=track)) | more


def image(id_, number, video_id=1, **more):
    name = f'v{video_id}/{number:03d}.jpg'
    known = dict(id=id_, video_id=video_id, frame_id=number, file_name=name, height=8, width=12)
    return known | more


def coco_vid(**lists):
    """Two videos of two frames, with an object each of the same number."""
    content = dict(
        videos=[dict(id=1, name='one'), dict(id=2, name='two')],
        images=[image(1, 0), image(2, 1), image(3, 0, 2), image(4, 1, 2)],
        categories=CLASSES,
        annotations=[
            annotation(1, 1, 5),
            annotation(2, 2, 5, B),
            annotation(3, 3, 5, category_id=7),
        ],
    )
    return copy.deepcopy(content | lists)


def without(content, *keys):
    """A file without some lists, and without these fields in the entries of the others."""
    return {
        name: [{k: v for k, v in entry.items() if k not in keys} for entry in entries]
        for name, entries in content.items()
        if name not in keys
    }


def read(tmp_path, content, name='labels.json', **options):
    write_json(tmp_path / name, content)
    return read_labels('coco', tmp_path, **options)


def fault(tmp_path, content, **options):
    """The message of a file that is broken."""
    with pytest.raises(UserError) as error:
        read(tmp_path, content, **options)
    return str(error.value)
