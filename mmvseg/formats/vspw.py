"""Finding ground truth and predictions of video semantic segmentation in VSPW's layout."""

from dataclasses import dataclass
from pathlib import Path

from mmvseg.errors import UserError

from .json_fields import get_value, load_json

NUM_CLASSES = 124


@dataclass
class SemanticTruth:
    """Ground truth.

    Attributes:
        source: the file that lists the videos, for messages.
        names: name of each class by id, in a folder that brings its own classes; else empty.
        num_classes: ids are below this.
        masks: the masks of each video in order, by video.
    """

    source: str
    names: dict[int, str]
    num_classes: int
    masks: dict[str, list[Path]]


def find_split(folder: str | Path, split: str | None = None) -> Path:
    """The file that lists the videos to evaluate.

    Args:
        folder: the data set, or the file itself.
        split: name of the file without ``.txt``; by default ``val``, or the only one there is.

    Raises:
        UserError: if there is none, or several without ``val``.
    """
    folder = Path(folder)
    if folder.is_file():
        return folder
    found = {path.stem: path for path in sorted(folder.glob('*.txt'))}
    if split is None:
        split = next(iter(found)) if len(found) == 1 else 'val'
    if split not in found:
        names = ', '.join(path.name for path in found.values()) or 'no .txt file'
        raise UserError(
            f'{folder}: has no {split}.txt, which lists the videos, but {names}; give its name '
            'with --split'
        )
    return found[split]


def load_semantic_truth(ann_file: str | Path, mask_root: str | Path) -> SemanticTruth:
    """Find the masks of the listed videos.

    Args:
        ann_file: text file with a video a line. Classes are the 124 of VSPW, unless there is a
            file of others, see :func:`find_categories`.
        mask_root: folder of the videos: the masks are ``MASK_ROOT/<video>/mask/<frame>.png``.

    Returns:
        The ground truth; without any masks if no video has a folder of masks.

    Raises:
        UserError: if a file cannot be read, or only some of the videos have masks.
    """
    videos = read_video_names(ann_file)
    categories = find_categories(ann_file, mask_root)
    names = {entry['id']: entry['name'] for entry in read_categories(categories)}
    folders = {video: Path(mask_root) / video / 'mask' for video in videos}
    masks = {video: sorted(folder.glob('*.png')) for video, folder in folders.items()}
    without = [video for video in videos if not masks[video]]
    if without and len(without) < len(videos):
        raise UserError(
            f'{folders[without[0]]}: has no masks (*.png); {len(without)} of {len(videos)} videos '
            f'of {ann_file} lack them'
        )
    num_classes = max(names) + 1 if names else NUM_CLASSES
    return SemanticTruth(str(ann_file), names, num_classes, {} if without else masks)


def read_video_names(ann_file: str | Path) -> list[str]:
    """The videos of a list, one a line.

    Raises:
        UserError: if it cannot be read, names none, or names one twice.
    """
    try:
        lines = Path(ann_file).read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{ann_file}: cannot be read ({error}); check the path') from error
    videos = [line.strip() for line in lines if line.strip()]
    if not videos:
        raise UserError(f'{ann_file}: lists no videos; it needs one a line')
    if len(set(videos)) < len(videos):
        twice = next(video for video in videos if videos.count(video) > 1)
        raise UserError(f'{ann_file}: video {twice} is listed twice')
    return videos


def find_categories(ann_file: str | Path, videos: str | Path) -> Path | None:
    """The ``categories.json`` of own data: beside the list of videos or beside their folder.

    Args:
        ann_file: the list.
        videos: folder of the videos, ``data``.

    Returns:
        None where there is none: the classes are those of VSPW.
    """
    places = (Path(ann_file).parent, Path(videos).parent)
    return next((p / 'categories.json' for p in places if (p / 'categories.json').is_file()), None)


def read_categories(path: Path | None) -> list[dict]:
    """The classes of own data, each a ``dict(id, name)`` and what else its entry holds.

    Args:
        path: of :func:`find_categories`; None gives an empty list.

    Raises:
        UserError: if an entry is damaged, or an id is one that a mask cannot hold.
    """
    if path is None:
        return []
    content = load_json(path)
    if not isinstance(content, list) or not content:
        raise UserError(f'{path}: must be a list of categories')
    for i, entry in enumerate(content):
        where = f'{path}: [{i}]'
        category_id = get_value(entry, 'id', where)
        # 8-bit masks hold id + 1, and 255 is no class
        if type(category_id) is not int or not 0 <= category_id < 254:
            raise UserError(f'{where}: the id must be an integer from 0 to 253')
        entry['name'] = str(get_value(entry, 'name', where))
    return content
