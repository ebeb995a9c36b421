"""Pictures and videos come as players show them: all eight orientations, and shapes of pixels."""

from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from mmvseg.media import VideoFile, VideoWriter, open_source
from mmvseg.media.display import orientation
from mmvseg.media.images import read_image, read_image_size

#: The numbers a, b, c, d of a display matrix, and the filters with which FFmpeg obeys it.
MATRICES = {
    (1, 0, 0, 1): ['null'],
    (-1, 0, 0, 1): ['hflip'],
    (1, 0, 0, -1): ['vflip'],
    (-1, 0, 0, -1): ['hflip', 'vflip'],
    (0, 1, -1, 0): ['transpose=clock'],
    (0, -1, 1, 0): ['transpose=cclock'],
    (0, 1, 1, 0): ['transpose=cclock_flip'],
    (0, -1, -1, 0): ['transpose=clock_flip'],
}


def blocks(height=48, width=64):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    return small.repeat(8, axis=0).repeat(8, axis=1)


def write_video(path, matrix=(1, 0, 0, 1), pixel_aspect=Fraction(1)):
    """A video with a display matrix in its track header."""
    with VideoWriter(path, 10, crf=1, pixel_aspect=pixel_aspect) as writer:
        for _ in range(2):
            writer.write(blocks())
    data = bytearray(path.read_bytes())
    start = data.index(b'tkhd') + 44
    a, b, c, d = ((number * 2**16).to_bytes(4, 'big', signed=True) for number in matrix)
    data[start : start + 20] = a + b + bytes(4) + c + d
    path.write_bytes(data)
    return path


def filtered(frame, filters):
    """The frame after FFmpeg's own filters."""
    graph = av.filter.Graph()
    last = graph.add_buffer(
        width=frame.width, height=frame.height, format='rgb24', time_base=Fraction(1, 10)
    )
    for spec in [*filters, 'buffersink']:
        name, _, argument = spec.partition('=')
        node = graph.add(name, argument or None)
        last.link_to(node)
        last = node
    graph.configure()
    graph.push(frame.reformat(format='rgb24'))
    return graph.pull().to_ndarray(format='rgb24')


@pytest.mark.parametrize('matrix', MATRICES)
def test_display_matrices(tmp_path, matrix):
    path = write_video(tmp_path / 'phone.mp4', matrix, Fraction(2))
    with av.open(str(path)) as container:
        expected = filtered(next(container.decode(video=0)), MATRICES[matrix])
    source = VideoFile(path)
    frames = list(source)
    assert source.size == expected.shape[:2]
    assert source.pixel_aspect == (Fraction(1, 2) if matrix[0] == 0 else 2)
    for frame in frames:
        np.testing.assert_array_equal(frame.image, expected)


def test_a_matrix_between_is_rounded(tmp_path):
    """Stabilised films turn by some degrees; a matrix of zeros asks for nothing."""
    for matrix, expected in [((-1, 0, 0, -1), (False, True, True)), ((0,) * 4, (False,) * 3)]:
        path = write_video(tmp_path / 'a.mp4', matrix)
        data = bytearray(path.read_bytes())
        start = data.index(b'tkhd') + 44
        if matrix[0]:
            data[start + 4 : start + 8] = (9000).to_bytes(4, 'big')
        path.write_bytes(data)
        with av.open(str(path)) as container:
            assert orientation(next(container.decode(video=0))) == expected


class WithExif:
    """A frame with notes that PyAV has no name for, which it then lists none of."""

    def __init__(self, frame):
        self.rotation = frame.rotation

    @property
    def side_data(self):
        raise ValueError('31 is not a valid Type')


@pytest.mark.parametrize('matrix', [m for m in MATRICES if m[0] == m[3] and m[1] == -m[2]])
def test_rotations_are_known_without_the_matrix(tmp_path, matrix):
    with av.open(str(write_video(tmp_path / 'a.mp4', matrix))) as container:
        frame = next(container.decode(video=0))
        assert orientation(WithExif(frame)) == orientation(frame)


@pytest.mark.parametrize('kind', ['jpg', 'png', 'tif', 'webp'])
@pytest.mark.parametrize('number', range(1, 9))
def test_orientations_of_pictures(tmp_path, kind, number):
    exif = Image.Exif()
    exif[0x0112] = number
    path = tmp_path / f'picture.{kind}'
    options = dict(lossless=True) if kind == 'webp' else {}
    Image.fromarray(blocks()).save(path, exif=exif, **options)
    with Image.open(path) as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored).convert('RGB'))
    assert read_image_size(path) == expected.shape[:2]
    np.testing.assert_allclose(read_image(path), expected, atol=3)


@pytest.mark.parametrize('aspect', [Fraction(2), Fraction(64, 45), Fraction(8, 9), Fraction(1)])
@pytest.mark.parametrize('growing', [False, True])
def test_shapes_of_pixels_are_kept(tmp_path, aspect, growing):
    path = tmp_path / 'dv.mp4'
    with VideoWriter(path, 5, pixel_aspect=aspect, growing=growing) as writer:
        writer.write(blocks())
    assert open_source(path).pixel_aspect == aspect
    assert open_source(path).size == (48, 64)
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == aspect


def saved(image, kind, **options):
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_pictures_of_rare_kinds(tmp_path):
    grey = Image.fromarray(blocks()[..., 0])
    palette = Image.fromarray(blocks() // 64 * 80).quantize(16)
    kinds = {
        'one_bit.png': grey.convert('1'),
        'grey_alpha.png': Image.merge('LA', (grey, grey)),
        'palette.png': palette,
        'cmyk.jpg': Image.fromarray(blocks()).convert('CMYK'),
        'one_bit.tif': grey.convert('1'),
        'grey_alpha.tif': Image.merge('LA', (grey, grey)),
    }
    for name, image in kinds.items():
        path = tmp_path / name
        image.save(path, **(dict(transparency=3) if image.mode == 'P' else {}))
        expected = np.asarray(Image.open(path).convert('RGB')).astype(int)
        assert np.abs(read_image(path) - expected).mean() < 3, name
