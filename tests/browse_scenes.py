"""Videos of data sets as their page shows them."""

from mmvseg.pages.dataset import BrowsedObject, BrowsedProblem, BrowsedVideo, DatasetInfo
from mmvseg.pages.dataset import write_dataset_page as write_page

CLASSES = ('cat', 'dog', 'fox')
GIF = b'GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;'


def item(number, category, spans=((0, 9),), area=1000.0, **options):
    return BrowsedObject(number, category, spans, area, **options)


def video(name='street', objects=(), problems=(), page=None, length=10, size=(72, 128)):
    page = page or name
    return BrowsedVideo(name, page, size, length, f'{page}.gif', (60, 80), objects, problems)


def videos():
    """Three: cats and a dog with a gap, a dog with a problem, and nothing."""
    return [
        video('street', [item(1, 0), item(2, 0, area=40000.0), item(3, 1, [(0, 1), (5, 6)])]),
        video('yard', [item(4, 1, area=40000.0)], [BrowsedProblem('frame 3', 'missing file')]),
        video('empty', length=40, size=(128, 72)),
    ]


def write(folder, shown, classes=CLASSES, problems=(), source='train.json', root='frames'):
    colors = [(250, 40, 40), (40, 40, 250), (40, 200, 40), (9, 9, 9)]
    info = DatasetInfo(source, root, classes, colors, 'All frames were opened.', problems, True)
    write_page(folder, info, shown)
    for one in shown:
        path = folder / 'sheets' / one.sheet
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(GIF)
    return folder
