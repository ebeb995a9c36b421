"""Whatever happens to the json of a tool, it is read or refused with a message."""

import base64
import io
import json
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from label_reading import picture, read_labels
from label_studio_code import encode
from mutations import mutated
from PIL import Image

from mmvseg.errors import UserError

SIZE = 8, 12
SQUARE = [[2, 2], [6, 2], [6, 5]]


def png():
    data = io.BytesIO()
    Image.fromarray(np.ones((4, 5), bool)).save(data, 'PNG')
    return data.getvalue()


def labelme():
    mask = base64.b64encode(png()).decode()
    more = dict(group_id=1, flags={}, description='')
    shapes = [
        dict(label='cup', points=SQUARE, shape_type='polygon', **more),
        dict(label='cup', points=[[7, 1], [9, 3]], shape_type='rectangle', **more),
        dict(label='dog', points=[[4, 4], [4, 6]], shape_type='circle', **more),
        dict(label='box', points=[[2, 1], [6, 4]], shape_type='mask', mask=mask, **more),
        dict(label='dog', points=[[4, 4]], shape_type='point', **more),
    ]
    page = dict(shapes=shapes, imagePath='0.png', imageData=None, imageHeight=8, imageWidth=12)
    return {'clip/0.json': page, 'clip/1.json': page | dict(imagePath=r'..\clip\1.png')}


def labelstudio():
    code = [*encode([255] * 8 * 12 * 4, 8, (3, 4, 8, 16), lambda place, equal: (True, equal, 3))]
    size = dict(original_width=12, original_height=8, image_rotation=0)
    box = dict(x=10, y=10, width=50, height=50, rotation=10)
    values = dict(
        brushlabels=dict(format='rle', rle=code, brushlabels=['cup']),
        rectanglelabels=box | dict(rectanglelabels=['cup']),
        polygonlabels=dict(points=[[10, 10], [50, 10], [50, 60]], polygonlabels=['dog']),
    )
    result = []
    for kind, value in values.items():
        result.append(dict(id=kind, type=kind, value=value, from_name='tag', **size))
        number = dict(number=int(kind == 'polygonlabels'))
        result.append(dict(id=kind, type='number', value=number, from_name='track_id', **size))
    keys = [box | dict(frame=frame, enabled=True, time=frame / 25) for frame in (1, 2)]
    track = dict(framesCount=2, sequence=keys, labels=['cup'])
    region = dict(id='r', type='videorectangle', value=track, meta=dict(text=['x']))
    given = [
        dict(image='/data/local-files/?d=clip/0.png'),
        dict(image='/data/upload/1/0123abcd-clip_1.png'),
        dict(video='/data/local-files/?d=clip.mp4'),
    ]
    results = result, result, [region]
    tasks = [
        dict(id=i, data=data, annotations=[dict(id=i, result=items, was_cancelled=False)])
        for i, (data, items) in enumerate(zip(given, results, strict=True))
    ]
    return {'export.json': tasks}


def supervisely():
    bitmap = dict(origin=[2, 1], data=base64.b64encode(zlib.compress(png())).decode())
    points = dict(exterior=SQUARE, interior=[[[3, 3], [5, 3], [5, 4]]])
    figures = [
        dict(objectKey='a', geometryType='bitmap', geometry=dict(bitmap=bitmap)),
        dict(objectKey='b', geometryType='polygon', geometry=dict(points=points)),
        dict(objectKey='b', geometry=dict(points=points, shape='rectangle')),
    ]
    annotation = dict(
        size=dict(height=8, width=12),
        framesCount=2,
        objects=[dict(key='a', classTitle='cup'), dict(key='b', classTitle='dog')],
        frames=[dict(index=index, figures=figures) for index in range(2)],
    )
    classes = [dict(title='cup', id=4), dict(title='dog', id=7)]
    meta = dict(classes=classes, projectType='videos')
    return {'meta.json': meta, 'ds/ann/clip.mp4.json': annotation}


def outcome(name, folder, skip_bad):
    """The message that an import stops with, and the videos otherwise."""
    try:
        return None, read_labels(name, folder, skip_bad=skip_bad).videos.values()
    except UserError as error:
        return str(error), ()


@pytest.mark.parametrize(
    ('name', 'contents'), [(f.__name__, f()) for f in (labelme, labelstudio, supervisely)]
)
def test_nothing_ends_in_a_traceback(name, contents):
    @given(mutated(contents))
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        database=None,
    )
    def test(changed):
        with TemporaryDirectory() as folder:
            for index in range(2):
                picture(Path(folder, f'clip/{index}.png'), SIZE)
            for path, content in changed.items():
                target = Path(folder, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(json.dumps(content, ensure_ascii=True))
            for skip_bad in (False, True):
                message, videos = outcome(name, folder, skip_bad)
                assert message is None or folder in message
                for video in videos:
                    for labelled in video.objects:
                        assert len(labelled.rles) == len(video.frames)
                        assert any(labelled.rles)
                        assert all(rle is None or rle['size'] == [8, 12] for rle in labelled.rles)

    test()
