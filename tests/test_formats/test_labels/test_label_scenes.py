"""Random scenes, written as tools do, come back as far as the tool can carry them."""

import base64
import io
import json
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from label_reading import masks_of, picture, read_labels
from label_studio_code import encode
from PIL import Image

from mmvseg.formats.label_exports.polygons import CORNERS, outlines

SIZE = 7, 11
LABELS = 'Fußgänger', 'dog', 'traffic light'

tubes = arrays(bool, (3, *SIZE), elements=st.booleans(), fill=st.just(False)).filter(np.any)
scenes = st.lists(tubes, min_size=1, max_size=3)
few = settings(max_examples=15, deadline=None)


def labelstudio(folder, scene):
    """A task for each picture with a brush for each object."""
    size = dict(original_height=SIZE[0], original_width=SIZE[1], image_rotation=0)
    tasks = []
    for frame in range(3):
        result = []
        for number, tube in enumerate(scene):
            if not tube[frame].any():
                continue
            values = np.repeat(tube[frame].ravel(), 4) * 255
            code = encode(values, 8, (3, 4, 8, 16), lambda place, equal: (equal > 4, equal, 2))
            part = dict(id=f'r{number}', **size)
            brush = dict(format='rle', rle=[*code], brushlabels=[LABELS[number]])
            result.append(dict(type='brushlabels', value=brush, from_name='tag', **part))
            said = dict(number=number)
            result.append(dict(type='number', value=said, from_name='track_id', **part))
        given = [dict(id=frame, result=result, was_cancelled=False)]
        address = f'/data/local-files/?d=clip/{frame}.png'
        tasks.append(dict(id=frame, data=dict(image=address), annotations=given))
    (folder / 'export.json').write_text(json.dumps(tasks))


def supervisely(folder, scene):
    """A figure for each object in a frame: its box, as a packed PNG."""
    frames = []
    for frame in range(3):
        figures = []
        for number, tube in enumerate(scene):
            if not tube[frame].any():
                continue
            rows, columns = (np.flatnonzero(tube[frame].any(axis)) for axis in (1, 0))
            box = tube[frame][rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            png = io.BytesIO()
            Image.fromarray(box).save(png, 'PNG')
            data = base64.b64encode(zlib.compress(png.getvalue())).decode()
            bitmap = dict(origin=[int(columns[0]), int(rows[0])], data=data)
            kind = dict(objectKey=str(number), geometryType='bitmap')
            figures.append(dict(geometry=dict(bitmap=bitmap), **kind))
        frames.append(dict(index=frame, figures=figures))
    objects = [dict(key=str(i), classTitle=LABELS[i]) for i in range(len(scene))]
    size = dict(height=SIZE[0], width=SIZE[1])
    annotation = dict(size=size, framesCount=3, objects=objects, frames=frames)
    (folder / 'ds/ann').mkdir(parents=True)
    (folder / 'ds/ann/clip.mp4.json').write_text(json.dumps(annotation))
    classes = [dict(title=label) for label in LABELS]
    (folder / 'meta.json').write_text(json.dumps(dict(classes=classes, projectType='videos')))


def yolo(folder, scene):
    """A line for each part of an object, without its holes; returns what is written."""
    (folder / 'labels').mkdir()
    (folder / 'data.yaml').write_text(f'names: {json.dumps(LABELS)}', encoding='utf-8')
    written = np.zeros((len(scene), 3, *SIZE), bool)
    for frame in range(3):
        lines = []
        for number, tube in enumerate(scene):
            for part in outlines(tube[frame], CORNERS):
                points = (part.outer / SIZE[::-1]).ravel()
                lines.append(f'{number} {" ".join(f"{p:g}" for p in points)} {number}')
                written[number, frame] |= CORNERS.fill(part.outer, *SIZE)
        if lines:
            (folder / f'labels/clip_{frame}.txt').write_text('\n'.join(lines))
    return written


def assert_comes_back(name, folder, scene):
    video = read_labels(name, folder).videos['clip']
    assert len(video.frames) == 3
    found = {o.track: (o.label, masks_of(o, video)) for o in video.objects}
    assert found.keys() == {str(number) for number in range(len(scene))}
    for number, tube in enumerate(scene):
        label, masks = found[str(number)]
        assert label == LABELS[number]
        np.testing.assert_array_equal(masks, tube)


@given(scenes)
@few
def test_brushes_of_label_studio(scene):
    with TemporaryDirectory() as folder:
        labelstudio(Path(folder), scene)
        assert_comes_back('labelstudio', folder, scene)


@given(scenes)
@few
def test_bitmaps_of_supervisely(scene):
    with TemporaryDirectory() as folder:
        supervisely(Path(folder), scene)
        assert_comes_back('supervisely', folder, scene)


@given(scenes)
@few
def test_polygons_of_yolo(scene):
    with TemporaryDirectory() as folder:
        for frame in range(3):
            picture(Path(folder, f'images/clip_{frame}.png'), SIZE)
        assert_comes_back('yolo-seg', folder, yolo(Path(folder), scene))
