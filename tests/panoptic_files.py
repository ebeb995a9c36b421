"""Small panoptic ground truths and predictions in VIPSeg's layout."""

import json

import cv2
import numpy as np
from hypothesis import strategies as st

#: Two classes of stuff and two of things; ids neither sorted nor without gaps.
CATEGORIES = [
    dict(id=7, name='cat', isthing=1),
    dict(id=0, name='sky', isthing=0),
    dict(id=2, name='dog', isthing=1),
    dict(id=5, name='road', isthing=0),
]

#: Category of some segment ids.
CLASSES = {1: 0, 2: 2, 3: 7, 4: 2, 70000: 5, 2**24 - 1: 7}


def segment(segment_id, category_id, area=0, iscrowd=0):
    return dict(id=segment_id, category_id=category_id, area=area, iscrowd=iscrowd)


def listed(ids, classes, crowds=()):
    """The segments of a map, ``classes`` is the category of each id."""
    return [
        segment(i, classes[i], int((ids == i).sum()), int(i in crowds))
        for i in np.unique(ids).tolist()
        if i in classes
    ]


def write_ids(path, ids):
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = np.asarray(ids)
    cv2.imwrite(str(path), np.stack([ids >> 16, ids >> 8 & 255, ids & 255], -1).astype(np.uint8))


def write_truth(folder, videos, categories=CATEGORIES):
    """Write ground truth.

    Args:
        folder: where to.
        videos: (ids, segments) of each frame, by video.
        categories: the classes.

    Returns:
        The json.
    """
    annotations = _write(folder / 'panomasksRGB', videos)
    content = dict(videos=[], annotations=annotations, categories=categories)
    for entry in annotations:
        (height, width), *_ = (ids.shape for ids, _ in videos[entry['video_id']])
        images = [
            dict(id=f['image_id'], height=height, width=width, file_name=f['file_name'])
            for f in entry['annotations']
        ]
        content['videos'].append(dict(video_id=entry['video_id'], images=images))
    path = folder / 'panoptic_gt_val.json'
    path.write_text(json.dumps(content))
    return path


def write_predictions(folder, videos):
    """Like :func:`write_truth`."""
    content = dict(annotations=_write(folder / 'pan_pred', videos))
    (folder / 'pred.json').write_text(json.dumps(content))


def _write(root, videos):
    root.mkdir(parents=True, exist_ok=True)
    annotations = []
    for video, frames in videos.items():
        entries = []
        for t, (ids, segments) in enumerate(frames):
            write_ids(root / video / f'{t:04d}.png', ids)
            name = f'{t:04d}'
            entries.append(dict(image_id=name, file_name=f'{name}.jpg', segments_info=segments))
        annotations.append(dict(video_id=video, annotations=entries))
    return annotations


@st.composite
def videos(draw):
    """Frames of one video and of its predictions, with crowds and ids that change their class."""
    num_frames = draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    ids = np.array([0, *CLASSES])
    result = []
    for extra in ([99], []):  # 99 is in the ground truth's maps only, not in its lists
        frames = []
        for _ in range(num_frames):
            classes = {i: int(rng.choice([c, c, c, 7])) for i, c in CLASSES.items()}
            cells = rng.choice(ids[: rng.integers(2, len(ids) + 1)], (2, 3)).repeat(2, 0)
            pixels = np.where(rng.random(cells.shape) < 0.2, rng.choice([*ids, *extra]), cells)
            crowds = rng.choice(ids, 2) if extra else ()
            frames.append((pixels, listed(pixels, classes, crowds)))
        result.append(frames)
    return result


def edit_json(path, edit):
    """Change a json file with a function of its content."""
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
