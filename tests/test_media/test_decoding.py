import pytest

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
