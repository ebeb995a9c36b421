"""Videos with squares as pages show them, and names that try to leave their place in a page."""

import json
from fractions import Fraction

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.media import VideoWriter
from mmvseg.pages.records import ShownError, ShownRun, ShownTube, ShownVideo, SiteInfo
from mmvseg.pages.site import Site

KINDS = ('association', 'class', 'mask', 'extent', 'duplicate', 'false', 'missed')
EVIL = '<script>alert(1)</script>'
QUOTES = '"\' onerror=alert(1) x="><img src=x onerror=alert(1)>\u2028&amp;'
SIZE, LENGTH, FPS = (48, 63), 12, 6
COLORS = ((250, 40, 40), (40, 40, 250), (40, 200, 40))


def mask_at(x, y=8, side=14):
    mask = np.zeros(SIZE, np.uint8)
    mask[y : y + side, x : x + side] = 1
    return mask


def encode(mask):
    return coco_mask.encode(np.asfortranarray(mask))


def tube(number, xs, category='cat', color=COLORS[0], **options):
    """A square at the columns ``xs``, absent where one is None."""
    masks = [None if x is None else encode(mask_at(x)) for x in xs]
    return ShownTube(number, category, color, masks, **options)


def scene(name='street', page='street', category='cat', runs=1):
    """An object that two tracks show in turn, with two frames between them; and a false track."""
    xs = [2 + 3 * t for t in range(LENGTH)]
    first = tube(0, [*xs[:5], *[None] * 7], category, COLORS[0], score=0.9)
    second = tube(4, [*[None] * 7, *xs[7:]], category, COLORS[1], score=0.6)
    false = tube(2, [40] * LENGTH, 'dog', COLORS[2], score=0.3, is_hidden=True)
    owners = np.full((3, LENGTH), -1)
    owners[0, :5] = owners[1, 7:] = 0
    errors = [
        ShownError('association', 7, 0.9, f'this {category} is cut', category, 0, 0),
        ShownError('false', 3, 0.3, 'this dog is on nothing', 'dog', 2, None),
        ShownError('mask', 3, 0.2, 'poor', category, 1, 0),
    ]
    return ShownVideo(
        name=name,
        page=page,
        size=SIZE,
        length=LENGTH,
        fps=Fraction(FPS),
        objects=[tube(17, xs, category, COLORS[0])],
        runs=[ShownRun([first, second, false], owners, errors) for _ in range(runs)],
    )


def grey_of(frame):
    """Brightness of a frame, from which it is told on a screenshot."""
    return 20 + 18 * frame


def write_pictures(site, video):
    """The mp4 and the jpg of a video: each frame of one grey."""
    with VideoWriter(site.path(video.page, '.mp4'), video.fps, max_gop=4) as writer:
        for frame in range(video.length):
            writer.write(np.full((*video.size, 3), grey_of(frame), np.uint8))
    _, picture = cv2.imencode('.jpg', np.full((48, 63, 3), 90, np.uint8))
    site.path(video.page, '.jpg').write_bytes(picture.tobytes())


def write_site(folder, videos, runs=('a/results.json',), kinds=KINDS, pictures=True):
    site = Site(folder, SiteInfo(runs, 'val.json', bool(kinds), 'tracks', 'All of them.', kinds))
    for video in videos:
        if pictures:
            write_pictures(site, video)
        site.add_video(video)
    site.finish()
    return site


def read_data(path):
    """What a file of data hands over, and to which function."""
    function, rest = path.read_text().split('(', 1)
    assert rest.endswith(');\n')
    return function, json.loads(rest[:-3])
