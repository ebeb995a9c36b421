"""Folders of imported videos: harmless, and one for each."""

import pytest

from mmvseg.apis.import_names import FolderNames, safe_name


@pytest.mark.parametrize(
    ('name', 'folder'),
    [
        ('day/street', 'day/street'),
        ('C:\\videos\\street', 'C_/videos/street'),
        ('../../etc/passwd', 'etc/passwd'),
        ('/street', 'street'),
        ('street.', 'street'),
        ('a\nb\x1b', 'a_b_'),
        ('Fußgänger 1', 'Fußgänger 1'),
        ('...', 'video'),
        ('', 'video'),
    ],
)
def test_names_lead_nowhere_else(name, folder):
    assert FolderNames().take(name) == folder


def test_equal_names_get_numbers():
    folders = FolderNames()
    assert [folders.take('a'), folders.take('A'), folders.take('a')] == ['a', 'A_2', 'a_3']


def test_nothing_is_left_of_dots():
    assert safe_name(' .. ') == ''
