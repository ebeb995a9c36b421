"""The examples on the page of the Python interface run and say what they show."""

import importlib
import re

import pytest
from helpers import REPOSITORY
from squares import square_frame, write_checkpoint, write_config, write_frames

from mmvseg.media import VideoWriter

PAGE = REPOSITORY / 'docs' / 'python_api.md'
#: What an example calls, and the package that it needs.
NEEDED = {'.to_dataframe(': 'pandas', 'to_supervision': 'supervision'}


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """Two videos of squares and a model that finds them, in each frame by itself."""
    write_config(tmp_path / 'squares.py', live=True)
    write_checkpoint(tmp_path / 'squares.pth')
    for name in ('street', 'yard'):
        write_frames(tmp_path / name)
    with VideoWriter(tmp_path / 'street.mp4', 25, crf=1) as writer:
        for index in range(7):
            writer.write(square_frame(index))
    monkeypatch.chdir(tmp_path)


def lacking(source):
    """A package that the source needs and that is not installed; else None."""
    for word, package in NEEDED.items():
        if word in source and importlib.util.find_spec(package) is None:
            return package
    return None


def blocks(page):
    """The Python code of a page, block by block."""
    return re.findall(r'^```python\n(.*?)^```', page, re.MULTILINE | re.DOTALL)


def shown(block):
    """What a block says that it prints: its comments behind or below a print."""
    comments = re.findall(r'print\(.*\)  # (.*)|^ *# (.*)', block, re.MULTILINE)
    return [behind or below for behind, below in comments]


def run_block(block, namespace, capsys):
    capsys.readouterr()
    exec(compile(block, 'block', 'exec'), namespace)
    return capsys.readouterr().out.splitlines()


def test_examples_of_the_page(scene, capsys):
    found, left_out = blocks(PAGE.read_text()), set()
    assert len(found) >= 10
    namespace = {}
    for block in found:
        if package := lacking(block):
            left_out.add(package)
            continue
        assert run_block(block, namespace, capsys) == shown(block), block
    if left_out:
        pytest.skip(f'all but those that need {", ".join(sorted(left_out))}')


def test_a_wrong_block_fails(capsys):
    (block,) = blocks('text\n```python\nprint(1 + 1)  # 3\n```\n')
    assert shown(block) == ['3'] != run_block(block, {}, capsys)
