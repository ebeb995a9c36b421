"""What is made of the address of a file, without asking anybody."""

import pytest

from mmvseg.checkpoints.addresses import is_address, mirrored, shown, shown_in, to_url
from mmvseg.errors import UserError


def test_short_forms():
    hub = 'https://huggingface.co/me/models'
    assert to_url('hf:me/models/tevit.pth') == f'{hub}/resolve/main/tevit.pth'
    assert to_url('hf://me/models/a/b c.pth') == f'{hub}/resolve/main/a/b%20c.pth'
    assert to_url('hf:me/models@v1/tevit.pth') == f'{hub}/resolve/v1/tevit.pth'
    # a page, whose address is often copied in place of the file's
    assert to_url(f'{hub}/blob/main/tevit.pth') == f'{hub}/resolve/main/tevit.pth'
    assert to_url('https://a.b/c/blob/d.pth') == 'https://a.b/c/blob/d.pth'
    with pytest.raises(UserError, match='hf: is followed by USER/REPO/FILE'):
        to_url('hf:tevit.pth')
    assert all(map(is_address, ('hf:a/b/c', 'HTTP://a/b', 'https://a/b')))
    assert not any(map(is_address, ('a.pth', 'torchvision://resnet50', 'ftp://a/b', 'hf.pth')))


def test_mirrors(monkeypatch):
    hub = 'https://huggingface.co'
    assert mirrored(f'{hub}/a/b') == f'{hub}/a/b'
    monkeypatch.setenv('HF_ENDPOINT', 'https://hf.example/')
    assert mirrored(f'{hub}/a/b') == 'https://hf.example/a/b'
    pairs = (
        f'{hub}=https://m.example',
        f'{hub}/x=http://x.example/y/',
        'https://github.com=http://g',
    )
    monkeypatch.setenv('MMVSEG_MIRROR', ' '.join(pairs))
    assert mirrored(f'{hub}/a/b?c=d') == 'https://m.example/a/b?c=d'
    assert mirrored(f'{hub}/x/b') == 'http://x.example/y/b'
    assert mirrored('https://github.com/a') == 'http://g/a'
    assert mirrored('https://huggingface.community/a') == 'https://huggingface.community/a'
    monkeypatch.setenv('MMVSEG_MIRROR', 'huggingface.co')
    with pytest.raises(UserError, match='MMVSEG_MIRROR: pairs FROM=TO of addresses expected'):
        mirrored(f'{hub}/a/b')


@pytest.mark.parametrize(
    ('url', 'expected'),
    [
        ('https://a.b/c.pth?download=true', 'https://a.b/c.pth?download=true'),
        ('https://me:x@a.b:8/c.pth', 'https://***@a.b:8/c.pth'),
        ('https://a.b/c?v=1&access_token=x', 'https://a.b/c?v=1&access_token=***'),
        ('https://a.b/c?X-Amz-Signature=x&X-Amz-Date=y', None),
        ('https://me:x@[a.b/c?y', 'https://***@[a.b/c'),
    ],
)
def test_what_is_shown_of_an_address(url, expected):
    assert shown(url) == (expected or 'https://a.b/c?X-Amz-Signature=***&X-Amz-Date=***')


def test_addresses_in_texts():
    text = "load_from='https://me:x@a.b/c.pth', see https://a.b/c?token=x and\nhttps://a.b/d?e=f."
    assert shown_in(text) == (
        "load_from='https://***@a.b/c.pth', see https://a.b/c?token=*** and\nhttps://a.b/d?e=f."
    )
