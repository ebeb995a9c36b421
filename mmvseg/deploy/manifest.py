"""What a program must know of exported networks besides their weights.

It travels in the file itself, or as ``deploy.json`` in the folder of a model of several networks.
"""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from mmvseg.errors import UserError
from mmvseg.files import user_path

#: Key of the manifest in the metadata of an .onnx file.
METADATA_KEY = 'mmvseg'
#: Key of the network's name there.
NAME_KEY = 'network'
#: Name of the manifest in a folder.
FILE_NAME = 'deploy.json'
#: Raised whenever an older program would misread a newer manifest.
VERSION = 1

#: How frames are tied together. ``matched``: the queries of a frame continue those of the frame
#: before that they resemble (MinVIS, EoMT); ``tracked``: a tracker carries them on (DVIS online);
#: ``refined``: then a refiner sees the whole video (DVIS offline); ``propagated``: the network
#: carries them on itself (VidEoMT, PMT); ``clip``: it takes many frames at once (TeViT).
Kind = Literal['matched', 'tracked', 'refined', 'propagated', 'clip']

#: The networks of each kind, in the order in which they run.
NETWORKS: dict[str, tuple[str, ...]] = {
    'matched': ('frame',),
    'tracked': ('frame', 'tracker'),
    'refined': ('frame', 'tracker', 'refiner'),
    'propagated': ('frame',),
    'clip': ('clip', 'masks'),
}


class Input(Struct):
    """How frames become the input of the network.

    Attributes:
        scale: longest and shortest side after resizing; None: frames keep their size.
        backend: ``pillow`` or ``cv2``, whose bilinear filters differ.
        mean: of red, green and blue, 0 to 255.
        std: likewise.
        divisor: of height and width; zeros are put right of and below a normalised frame.
        size: the only (height, width) that a static network takes; None: any.
    """

    scale: tuple[int, int] | None
    backend: Literal['pillow', 'cv2']
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    divisor: int
    size: tuple[int, int] | None


class Report(Struct):
    """What is reported of a video; the fields are those of ``model.test_cfg``.

    Attributes:
        max_per_video: (query, class) pairs of a video.
        max_per_stretch: pairs of each stretch instead; 0: of the video.
        min_score: of a pair of a stretch.
        stretch_frames: frames of a stretch.
        num_things: so many classes, the first ones, are things; task ``vps``.
        object_mask_threshold: least probability of a segment's class; task ``vps``.
        overlap_threshold: least share that a segment keeps of its mask; task ``vps``.
        memory_mb: of what waits for the end of the video; the rest goes to a temporary file.
    """

    max_per_video: int = 10
    max_per_stretch: int = 0
    min_score: float = 0.1
    stretch_frames: int = 60
    num_things: int | None = None
    object_mask_threshold: float = 0.8
    overlap_threshold: float = 0.8
    memory_mb: float = 256


class Clip(Struct):
    """How a model of clips takes a video.

    Attributes:
        frames: of a clip; with ``fixed`` exactly so many, else at most.
        overlap: frames that clips share.
        mask_threshold: least probability of a pixel of the object.
        fixed: whether the file takes one number of frames alone.
    """

    frames: int
    overlap: int
    mask_threshold: float
    fixed: bool


class Manifest(Struct, kw_only=True):
    """See the fields' types.

    Attributes:
        version: of this form.
        model: name of the class, for people.
        kind: see :data:`Kind`.
        task: ``vis``, ``vps`` or ``vss``.
        num_queries: Q.
        classes: names by class index.
        category_ids: of the data set.
        palette: RGB of each class.
        thing_classes: names of those that are things; None: all.
        alignment: of a tracker's queries, see :mod:`.matching`.
        clip: of kind ``clip``.
    """

    version: int = VERSION
    model: str
    kind: Kind
    task: Literal['vis', 'vps', 'vss']
    num_queries: int
    classes: list[str]
    category_ids: list[int]
    palette: list[tuple[int, int, int]]
    thing_classes: list[str] | None
    input: Input
    report: Report
    alignment: Literal['inverse', 'true'] = 'true'
    clip: Clip | None = None

    def __post_init__(self) -> None:
        if self.kind == 'clip' and self.clip is None:
            raise ValueError('kind is clip, but clip is null')
        if self.task == 'vps' and self.report.num_things is None:
            raise ValueError('task is vps, but report.num_things is null')

    @property
    def by_stretches(self) -> bool:
        """Whether tubes of queries are reported for each stretch of a video."""
        return self.task == 'vis' and self.report.max_per_stretch > 0

    @property
    def metainfo(self) -> dict:
        """As results want it."""
        return dict(
            classes=tuple(self.classes),
            category_ids=tuple(self.category_ids),
            palette=[tuple(colour) for colour in self.palette],
            thing_classes=None if self.thing_classes is None else tuple(self.thing_classes),
        )


def encode(manifest: Manifest) -> bytes:
    """The manifest as json."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2)


def decode(text: str | bytes, source: str) -> Manifest:
    """The manifest of a json text.

    Args:
        text: the json.
        source: where it comes from, for messages.

    Raises:
        UserError: it is none, or of a newer version.
    """
    try:
        version = msgspec.json.decode(text, type=dict).get('version')
        if isinstance(version, int) and version > VERSION:
            raise UserError(
                f'{source}: was exported by a newer mmvseg (form {version}, this one reads '
                f'{VERSION}); update mmvseg'
            )
        return msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise UserError(
            f'{source}: is no description of exported networks ({error}); export the model again'
        ) from error


def read_folder(folder: Path) -> Manifest:
    """The manifest of a folder of networks.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    path = user_path(folder) / FILE_NAME
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UserError(
            f'{folder}: no {FILE_NAME} in it ({error.strerror}); give the file or the folder that '
            'mmvseg export wrote'
        ) from error
    return decode(text, str(path))
