import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmvseg.media.names import leads_out, links_out, natural_key


def test_numbers_are_counted():
    ordered = [
        '0.jpg',
        '5.jpg',
        '10.jpg',
        '15.jpg',
        'a_2.jpg',
        'a_10.jpg',
        'b_1_9.jpg',
        'b_1_10.jpg',
    ]
    shuffled = random.Random(0).sample(ordered, len(ordered))
    assert sorted(shuffled, key=natural_key) == ordered


def test_names_of_one_length_keep_their_order():
    names = [f'{number:08d}.png' for number in (0, 9, 10, 99, 100, 2000)]
    assert sorted(names, key=natural_key) == sorted(names)


@pytest.mark.parametrize('name', ['².jpg', '٣.jpg', '①.jpg', 'a³b', '', '..'])
def test_other_digits_are_letters(name):
    assert natural_key(name)[0][0] == -1


@given(st.lists(st.text(st.sampled_from('019a²٣.'), max_size=6), unique=True), st.randoms())
def test_the_order_is_one(names, rng):
    names = [name for name in names if name not in ('', '.') and '/' not in name]
    shuffled = rng.sample(names, len(names))
    assert sorted(names, key=natural_key) == sorted(shuffled, key=natural_key)


@pytest.mark.parametrize(
    ('name', 'leads'),
    [
        ('a/b.jpg', False),
        ('./a.jpg', False),
        ('a..b/c', False),
        ('../a', True),
        ('a/../../b', True),
        ('/a', True),
        ('', True),
        ('C:\\a', True),
        ('C:a/b', False),
        ('\\\\server\\a', True),
        ('a\\..\\b', True),
    ],
)
def test_names_that_lead_out_of_a_folder(name, leads):
    assert leads_out(name) is leads


def test_links_that_lead_out_of_a_folder(tmp_path):
    (tmp_path / 'disk/root/video').mkdir(parents=True)
    (tmp_path / 'disk/other').mkdir()
    root = tmp_path / 'root'
    root.symlink_to('disk/root')  # as data sets lie on other disks
    (root / 'again').symlink_to('video')
    (root / 'out').symlink_to('../other')
    assert [links_out(root / name, root) for name in ('video', 'again', 'absent')] == [False] * 3
    assert links_out(root / 'out', root)
    assert links_out(root / 'out/0.jpg', root)
    (root / 'video/0.jpg').symlink_to(tmp_path / 'disk/root-2')  # a name that begins alike
    assert links_out(root / 'video/0.jpg', root)
    assert not links_out('/etc', '/')
