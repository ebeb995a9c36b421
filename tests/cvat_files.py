"""Files of CVAT, written for tests."""

import json

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from mmvseg.apis.import_labels import ImportRequest, import_labels

LABELS = ('cup', 'dog')


def task(kind='task', name='street', size=6, start=0, step=1, extra='', hw=(30, 40), id_='7'):
    """The element of a task or job."""
    named = f'<name>{name}</name>' if name else ''
    height, width = hw or (0, 0)
    sides = f'<original_size><width>{width}</width><height>{height}</height></original_size>'
    filtered = f'step={step}' if step > 1 else ''
    return (
        f'<{kind}><id>{id_}</id>{named}<size>{size}</size><start_frame>{start}</start_frame>'
        f'<stop_frame>{start + step * (size - 1)}</stop_frame>'
        f'<frame_filter>{filtered}</frame_filter>{extra}{sides if hw else ""}</{kind}>'
    )


def labels(names=LABELS, attribute='track_id', default='0'):
    """The element of labels, each with an attribute."""
    attributes = (
        f'<attributes><attribute><name>{attribute}</name><input_type>number</input_type>'
        f'<default_value>{default}</default_value></attribute></attributes>'
    )
    each = ''.join(f'<label><name>{name}</name>{attributes}</label>' for name in names)
    return f'<labels>{each}</labels>'


def document(parts, meta=None):
    """A whole file."""
    meta = task(extra=labels()) if meta is None else meta
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
        f'<meta>{meta}<dumped>now</dumped></meta>{"".join(parts)}</annotations>'
    )


def track(shapes, id_=0, label='cup', **more):
    """A track of shapes."""
    more = ''.join(f' {key}="{value}"' for key, value in more.items())
    return f'<track id="{id_}" label="{label}" source="manual"{more}>{"".join(shapes)}</track>'


def shape(tag, frame, outside=0, keyframe=1, attributes=None, **values):
    """A shape of a track."""
    given = dict(frame=frame, outside=outside, occluded=0, keyframe=keyframe) | values
    text = ' '.join(f'{key}="{value}"' for key, value in given.items())
    inside = ''.join(
        f'<attribute name="{name}">{value}</attribute>'
        for name, value in (attributes or {}).items()
    )
    return f'<{tag} {text} z_order="0">{inside}</{tag}>'


def box(frame, left, top, right, bottom, **more):
    """A box."""
    return shape('box', frame, xtl=left, ytl=top, xbr=right, ybr=bottom, **more)


def polygon(frame, points, **more):
    """A polygon of (x, y) corners."""
    return shape('polygon', frame, points=';'.join(f'{x:.2f},{y:.2f}' for x, y in points), **more)


def square(frame, left, top, side=8, **more):
    """A polygon that is a square."""
    right, bottom = left + side, top + side
    points = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return polygon(frame, points, **more)


def brush(frame, left, top, side=6, **more):
    """A mask that is a square."""
    rle = f'0, {side * side}'
    return shape('mask', frame, rle=rle, left=left, top=top, width=side, height=side, **more)


def write_frames(folder, names, hw=(30, 40)):
    """Pictures, each of a grey of its own: ten times its place."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, name in enumerate(names):
        Image.fromarray(np.full((*hw, 3), 10 * place, np.uint8)).save(folder / name)


PROJECT = (
    '<project><id>1</id><name>p</name><tasks>'
    f'{task(name="a", id_="3", size=4, start=5, step=2, extra="<subset>Train</subset>")}'
    f'{task(name="b", id_="4", size=3, extra="<subset>Train</subset>")}'
    f'{task(name="c", id_="2", size=3, extra="<subset>Val</subset>")}'
    f'</tasks>{labels()}</project>'
)


def cvat_import(tmp_path):
    """Imports a text as ``labels/street.xml``, or what lies in ``labels``, and reports on it."""

    def run(text=None, **more):
        folder = tmp_path / 'labels'
        if text is not None:
            folder.mkdir(exist_ok=True)
            (folder / 'street.xml').write_text(text)
        done = import_labels(ImportRequest(source=folder, out=tmp_path / 'out', **more))
        content = json.loads((tmp_path / 'out' / 'annotations.json').read_text())
        return content, done.report

    return run


def masks(entry):
    """The masks of an object, None where it is absent."""
    return [rle and coco_mask.decode([rle])[..., 0] > 0 for rle in entry['segmentations']]


def boxes(content, place=0):
    """Boxes ``[x, y, w, h]`` of an object by frame, without those where it is absent."""
    found = content['annotations'][place]['bboxes']
    return {frame: value for frame, value in enumerate(found) if value is not None}


def tracks(content):
    """What objects are called."""
    return [entry['track'] for entry in content['annotations']]
