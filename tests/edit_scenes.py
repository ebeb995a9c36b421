"""Small files in the form of YouTube-VIS for edits, written as classes of videos."""

import json

from track_scenes import content, entries

from mmvseg.formats.edits.contents import Contents, read_contents


def scene(videos, names=('cat', 'dog'), first=1, lengths=None, folder='v'):
    """A content.

    Args:
        videos: a text each, with a digit for each object, the position of its class.
        names: of the classes, whose ids are 1, 2 ...
        first: id of the first video; the others follow.
        lengths: of the videos; 2 by default.
        folder: what names of videos begin with.
    """
    lengths = lengths or [2] * len(videos)
    objects = [
        entry
        for v, (text, length) in enumerate(zip(videos, lengths, strict=True))
        for digit in text
        for entry in entries(['a' * length], video_id=first + v, category_id=int(digit) + 1)
    ]
    made = content(objects, lengths, len(names))
    for v, video in enumerate(made['videos']):
        video['id'] = first + v
        video['file_names'] = [f'{folder}{first + v}/{t}.jpg' for t in range(lengths[v])]
        video['source'] = f'tape {v}'
    for category, name in zip(made['categories'], names, strict=True):
        category |= dict(name=name, supercategory='thing')
    for entry in made['annotations']:
        entry['track'] = f'{folder}/{entry["id"]}'
    return made


def opened(path, made) -> Contents:
    """The contents of a file that is written for it."""
    path.write_text(json.dumps(made))
    return read_contents(path)


def plain(contents: Contents) -> dict:
    """What a file of these contents holds."""
    lists = dict(
        videos=contents.videos, categories=contents.categories, annotations=contents.objects
    )
    return {
        key: entries and [json.loads(entry.encoded()) for entry in entries]
        for key, entries in lists.items()
    }
