"""Images in and out: RGB inside, complete files or a clear error.

What a file's header declares is looked at before anything is decoded: a few bytes can declare a
picture that no memory holds.
"""

import os
import stat
import warnings
from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

import cv2
import numpy as np
from PIL import Image, JpegImagePlugin, PngImagePlugin

from mmvseg.errors import UserError
from mmvseg.files import write_bytes

from .pages import count_pages, is_tiff, open_picture
from .pixel_values import ValueRange, to_uint8

IMAGE_SUFFIXES = frozenset({'.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff'})
#: Largest width or height of a picture.
MAX_SIDE = 2**16 - 1
#: Largest number of pixels of a picture: 16384 x 8192, a video frame of "16K".
MAX_PIXELS = 2**27
#: OpenCV reads no floating-point greys as colours.
TIFF_FLAGS = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH

#: What maps are, in the words of :attr:`PngHeader.kind`.
_CLASS_MAP_KINDS = frozenset(
    {'grey 8 bit', 'palette 8 bit', 'palette 4 bit', 'palette 2 bit', 'palette 1 bit'}
)
_GREY_MAP_KINDS = frozenset({'grey 8 bit', 'grey 16 bit'})
_INDEX_MAP_KINDS = _CLASS_MAP_KINDS | _GREY_MAP_KINDS | {'grey 1 bit'}
_SEGMENT_MAP_KINDS = frozenset({'RGB 8 bit'})
_RGBA_MAP_KINDS = frozenset({'RGB with alpha 8 bit'})
_PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
_JPEG_SIGNATURE = b'\xff\xd8'
_PNG_COLORS = {0: 'grey', 2: 'RGB', 3: 'palette', 4: 'grey with alpha', 6: 'RGB with alpha'}
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: A byte of a deflate stream, which a PNG's pixels are, expands to so many at most.
_DEFLATE_RATIO = 1032
_ORIENTATION_TAG = 0x0112
#: Orientations that exchange height and width.
_LYING = range(5, 9)


@runtime_checkable
class ContentFile(Protocol):
    """A file that need not lie on the disk by itself, such as an archive's member."""

    member: str | None

    def read_bytes(self) -> bytes:
        """Its content."""


#: What pictures are read from; messages name it by its ``str``.
PictureFile: TypeAlias = str | Path | ContentFile


class PngHeader(NamedTuple):
    """What the first bytes of a PNG declare.

    Attributes:
        height: in pixels.
        width: in pixels.
        kind: colours and bits a channel, such as ``'RGB 8 bit'``.
        raw_bytes: size of the decoded pixels.
    """

    height: int
    width: int
    kind: str
    raw_bytes: int


def read_image(path: PictureFile, value_range: ValueRange | None = None) -> np.ndarray:
    """Read an image as RGB uint8, (H, W, 3).

    Args:
        path: the file.
        value_range: what becomes 0 and 255, see :func:`~mmvseg.media.pixel_values.to_uint8`.

    Raises:
        UserError: if the file is missing, truncated, too large or no image, has several pages, or
            needs a range.
    """
    return to_uint8(read_values(path), value_range, str(path))


def read_values(path: PictureFile) -> np.ndarray:
    """Read an image as RGB with the numbers that are in the file, (H, W, 3), of any type.

    Raises:
        UserError: if the file is missing, truncated, too large or no image, or has several pages.
    """
    data = _read_file(path)
    # OpenCV fills the missing rows of a cut-off JPEG with grey and only prints a warning.
    if data.startswith(_JPEG_SIGNATURE) and not _has_end_marker(data):
        raise UserError(f'{path}: truncated JPEG ({len(data)} bytes, no end marker)')
    _check_declared(data, path)
    count = count_pages(BytesIO(data), str(path))
    if count > 1:
        raise UserError(
            f'{path}: has {count} pages or frames; a frame of a video is a picture of one (the '
            'file on its own is a video)'
        )
    flags = TIFF_FLAGS if is_tiff(data) else cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    return to_rgb(_decode(data, path, flags))


def to_rgb(image: np.ndarray) -> np.ndarray:
    """What OpenCV has read, (H, W) or (H, W, 3), as RGB, (H, W, 3)."""
    if image.ndim == 2:
        return np.stack([image] * 3, -1)
    if image.dtype in (np.uint8, np.uint16, np.float32):
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return np.ascontiguousarray(image[..., ::-1])


def read_image_size(path: PictureFile) -> tuple[int, int]:
    """Height and width of what :func:`read_image` gives, by the file's header alone.

    Raises:
        UserError: if the file is missing, too large or no image.
    """
    data = _read_file(path)
    _check_declared(data, path)
    try:
        with _opened(data) as image:
            # Pillow gives the size of a lying TIFF as it stands.
            stored = getattr(image, 'tag_v2', {})
            width, height = (stored.get(256), stored.get(257)) if stored else image.size
            orientation = image.getexif().get(_ORIENTATION_TAG)
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f'{path}: not a readable image ({len(data)} bytes)') from error
    return (width, height) if orientation in _LYING else (height, width)


def is_picture(path: Path) -> bool:
    """Whether a file is a picture by its content, whatever its name; a gif counts as a video."""
    try:
        with open_picture(path) as image:
            return f'.{image.format}'.lower() in IMAGE_SUFFIXES
    except UserError:
        return False


def read_class_map(path: PictureFile, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a PNG with one number a pixel, (H, W) uint8; of a palette PNG the index.

    Args:
        path: the file.
        size: (height, width) that it must have, those of the video's frames.

    Raises:
        UserError: if the file is missing, broken, of another kind or size.
    """
    rule = 'a map of classes has one 8-bit channel, grey or palette'
    return _decode_numbers(_read_map(path, size, _CLASS_MAP_KINDS, rule), path)


def read_grey_map(path: PictureFile, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a grey PNG with one number of 8 or 16 bits a pixel, (H, W), any integer type.

    Args:
        path: the file.
        size: (height, width) that it must have, those of the video's frames.

    Raises:
        UserError: if the file is missing, broken, of another kind or size.
    """
    rule = 'a map of numbers has one grey channel of 8 or 16 bits'
    return _decode_numbers(_read_map(path, size, _GREY_MAP_KINDS, rule), path)


def read_index_map(path: PictureFile, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a PNG with one number a pixel, (H, W), any integer type; of a palette PNG the index.

    Args:
        path: the file.
        size: (height, width) that it must have, those of the video's frames.

    Raises:
        UserError: if the file is missing, broken, of another kind or size.
    """
    rule = 'a map of numbers has one channel, grey of 1, 8 or 16 bits or a palette'
    numbers = _decode_numbers(_read_map(path, size, _INDEX_MAP_KINDS, rule), path)
    return numbers.astype(np.uint8) if numbers.dtype == bool else numbers


def read_rgba_map(path: PictureFile, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a PNG with four numbers a pixel, (H, W, 4) uint8: alpha is one of them as it stands.

    Args:
        path: the file.
        size: (height, width) that it must have, those of the video's frames.

    Raises:
        UserError: if the file is missing, broken, not 8-bit RGB with alpha or of another size.
    """
    rule = 'a map of four numbers has three 8-bit channels and alpha (RGBA)'
    return _decode_numbers(_read_map(path, size, _RGBA_MAP_KINDS, rule), path)


def read_segment_map(path: PictureFile, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a PNG of segment ids, R + 256 G + 65536 B, (H, W) int32.

    Args:
        path: the file.
        size: (height, width) that it must have, those of the video's frames.

    Raises:
        UserError: if the file is missing, broken, not 8-bit RGB or of another size.
    """
    rule = 'a map of segment ids has three 8-bit channels (RGB)'
    data = _read_map(path, size, _SEGMENT_MAP_KINDS, rule)
    image = _decode(data, path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    # The bytes of each number in place: a fifth of the time that shifting takes.
    ids = np.zeros((*image.shape[:2], 4), np.uint8)
    for byte in range(3):
        ids[..., byte] = image[..., 2 - byte]
    return ids.view('<i4')[..., 0]


def write_image(path: str | Path, image: np.ndarray, webp_quality: int | None = None) -> None:
    """Write an image of uint8, a PNG also of uint16; RGB (H, W, 3) or grey (H, W).

    The suffix chooses the format. The file appears under its name only when it is complete.

    Args:
        path: the file.
        image: RGB or grey.
        webp_quality: of a WebP, 1 to 100; lossless if None.

    Raises:
        UserError: if the file cannot be written.
    """
    write_bytes(Path(path), encode_image(path, image, webp_quality))


def encode_image(path: str | Path, image: np.ndarray, webp_quality: int | None = None) -> bytes:
    """What :func:`write_image` would write to a path.

    Raises:
        UserError: its suffix is that of no format.
    """
    suffix = Path(path).suffix
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    options = [] if webp_quality is None else [cv2.IMWRITE_WEBP_QUALITY, webp_quality]
    done, encoded = cv2.imencode(suffix, image, options)
    if not done:
        raise UserError(f'{path}: OpenCV cannot encode {suffix} (see mmvseg doctor)')
    return encoded.tobytes()


def write_segment_map(path: str | Path, ids: np.ndarray) -> None:
    """Write segment ids, (H, W), as :func:`read_segment_map` reads them; see also there."""
    write_image(path, np.stack([ids & 255, ids >> 8 & 255, ids >> 16], -1).astype(np.uint8))


def png_header(data: bytes) -> PngHeader | None:
    """What a PNG declares, given its content; None if it is none."""
    if len(data) < 26 or not data.startswith(_PNG_SIGNATURE):
        return None
    width, height = (int.from_bytes(data[at : at + 4], 'big') for at in (16, 20))
    bits, color = data[24], data[25]
    kind = f'{_PNG_COLORS.get(color, f"colour type {color}")} {bits} bit'
    row_bits = width * bits * _PNG_CHANNELS.get(color, 1)
    return PngHeader(height, width, kind, height * (1 + (row_bits + 7) // 8))


def declared_size(data: bytes) -> tuple[int, int] | None:
    """Height and width as the header of a picture has them; None where there is none known.

    Args:
        data: content of the file.

    Raises:
        PIL.Image.DecompressionBombError: the header declares an enormous picture.
    """
    header = png_header(data)
    if header is not None:
        return header.height, header.width
    try:
        with _opened(data) as image:
            return image.height, image.width
    except (OSError, SyntaxError, ValueError):
        return None


def too_large(path: PictureFile, size: tuple[int, int]) -> UserError:
    """The error of a picture that declares a height and width beyond the bounds."""
    return UserError(f'{path}: not a readable image (declares {size[1]} x {size[0]} pixels)')


def _opened(data: bytes) -> Image.Image:
    """A picture before its pixels are decoded."""
    # By their classes, without Pillow's search and its own limit.
    if data.startswith(_JPEG_SIGNATURE):
        return JpegImagePlugin.JpegImageFile(BytesIO(data))
    if data.startswith(_PNG_SIGNATURE):
        return PngImagePlugin.PngImageFile(BytesIO(data))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', Image.DecompressionBombWarning)
        return Image.open(BytesIO(data))


def _read_file(path: PictureFile) -> bytes:
    """The content of a regular file: a pipe or a device may never end."""
    if isinstance(path, ContentFile):
        return path.read_bytes()
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise UserError(f'{path}: cannot be read (it is a folder, a pipe or a device)')
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise UserError(
            f'{path}: cannot be read ({getattr(error, "strerror", None) or error})'
        ) from error


def _check_declared(data: bytes, path: PictureFile) -> None:
    """Refuse what declares more than is possible or allowed."""
    try:
        size = declared_size(data)
    except Image.DecompressionBombError as error:
        raise UserError(f'{path}: not a readable image (has over {MAX_PIXELS} pixels)') from error
    if size is None:
        return  # OpenCV decides, with a limit of its own
    if max(size) > MAX_SIDE or size[0] * size[1] > MAX_PIXELS:
        raise too_large(path, size)
    header = png_header(data)
    if header is not None and header.raw_bytes > _DEFLATE_RATIO * len(data):
        raise UserError(
            f'{path}: not a readable image (declares {size[1]} x {size[0]} pixels, but has '
            f'{len(data)} bytes)'
        )
    if header is not None and not _chunks_fit(data):
        raise UserError(f'{path}: not a readable image (truncated or damaged, {len(data)} bytes)')


def _chunks_fit(png: bytes) -> bool:
    """Whether no chunk of a PNG says it is longer than the file; OpenCV would make room for it."""
    place = len(_PNG_SIGNATURE)
    while place + 8 <= len(png) and png[place + 4 : place + 8] != b'IEND':
        place += 12 + int.from_bytes(png[place : place + 4], 'big')
    return place <= len(png)


def _read_map(
    path: PictureFile, size: tuple[int, int] | None, kinds: Collection[str], rule: str
) -> bytes:
    """The content of a PNG, its header checked; the rule says in words what kinds it may have."""
    data = _read_file(path)
    header = png_header(data)
    if header is None:
        raise UserError(f'{path}: not a readable image (not a PNG, {len(data)} bytes)')
    if size is not None and (header.height, header.width) != tuple(size):
        raise UserError(
            f'{path}: {header.width}x{header.height} pixels, the frames of the video have '
            f'{size[1]}x{size[0]}'
        )
    _check_declared(data, path)
    if header.kind not in kinds:
        raise UserError(f'{path}: {rule}, this is {header.kind}')
    return data


def _decode_numbers(data: bytes, path: PictureFile) -> np.ndarray:
    """The numbers of a PNG, (H, W) or (H, W, C): OpenCV would give a palette's colours instead."""
    try:
        with PngImagePlugin.PngImageFile(BytesIO(data)) as image:
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's words for broken chunks
        raise UserError(f'{path}: not a readable image ({error})') from error
    except MemoryError as error:
        raise too_large(path, png_header(data)[:2]) from error


def _decode(data: bytes, path: PictureFile, flags: int) -> np.ndarray:
    """The pixels of a picture, (H, W, 3), BGR."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except (cv2.error, MemoryError) as error:
        raise UserError(f'{path}: not a readable image ({_opencv_reason(error)})') from error
    if image is None:
        raise UserError(f'{path}: not a readable image ({len(data)} bytes)')
    return image


def _opencv_reason(error: Exception) -> str:
    return getattr(error, 'err', None) or 'too large for the memory'


def _has_end_marker(jpeg: bytes) -> bool:
    # The marker of the image, not that of a thumbnail before it; phones append data behind it.
    end = jpeg.rfind(b'\xff\xd9')
    return end >= 0 and (end >= len(jpeg) - 1024 or end > jpeg.rfind(b'\xff\xda'))
