import zlib

import pytest
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.media import open_source, without_password


@pytest.mark.parametrize(
    ('path', 'shown'),
    [
        ('rtsp://cam/stream?user=admin&password=s3cret', 'rtsp://cam/stream'),
        ('rtsp://me:s3c@ret@cam:554/stream', 'rtsp://cam:554/stream'),
        ('rtsp://me:s3cret@[::1]/stream', 'rtsp://[::1]/stream'),
        ('http://cam/a@b.mp4', 'http://cam/a@b.mp4'),
        ('who?me@home.mp4', 'who?me@home.mp4'),
    ],
)
def test_messages_show_no_password(path, shown):
    assert without_password(path) == shown


@pytest.mark.parametrize('login', ['', 'me:s3cret@'])
def test_a_broken_address_is_named(login):
    with pytest.raises(UserError) as caught:
        open_source(f'rtsp://{login}[::1/stream?password=s3cret')
    assert str(caught.value).startswith('rtsp://[::1/stream: not a valid address')


@pytest.mark.parametrize('kind', ['gif', 'png', 'webp'])
def test_animations_of_enormous_pictures_are_refused(tmp_path, kind):
    path = tmp_path / f'a.{kind}'
    side = 16_000
    pictures = [Image.new('RGB', (9, 9), color) for color in ('red', 'blue')]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], lossless=True)
    data = path.read_bytes()
    if kind == 'gif':
        data = data[:6] + 2 * side.to_bytes(2, 'little') + data[10:]
    elif kind == 'webp':
        data = data[:24] + 2 * (side - 1).to_bytes(3, 'little') + data[30:]
    else:
        header = b'IHDR' + 2 * side.to_bytes(4, 'big') + data[24:29]
        data = data[:12] + header + zlib.crc32(header).to_bytes(4, 'big') + data[33:]
    path.write_bytes(data)
    with pytest.raises(
        UserError, match=rf'a\.{kind}: not a readable .*(16000 x 16|256000)000 pixels'
    ):
        open_source(path)
