"""Whatever a file is like, its edits have no new faults, and none ends in a traceback."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from mutations import mutated
from tiny_dataset import make_content

from mmvseg.errors import UserError
from mmvseg.formats.dataset_checker import check_dataset
from mmvseg.formats.edits.contents import read_contents, write_contents
from mmvseg.formats.edits.merge import merge
from mmvseg.formats.edits.remap import remap
from mmvseg.formats.edits.split import split
from mmvseg.formats.edits.subset import Wanted, subset


def edits(contents, other):
    """Each edit of a file; it may be refused."""
    for edit in (
        lambda: split(contents, 1, 0).train,
        lambda: split(contents, 1, 0).val,
        lambda: subset(contents, Wanted(max_videos=1, drop_empty=True)),
        lambda: subset(contents, Wanted(classes=['cup'], min_frames=2)),
        lambda: remap(contents, {'cup': 'fork'}),
        lambda: merge([contents, other], ['a', 'b']),
        lambda: merge([other, contents], ['a', 'b']),
    ):
        try:
            yield edit()
        except UserError:
            continue


def faults(path):
    """What is wrong with a file, each fault once, without where it is and names of frames."""
    found = [problem for problem in check_dataset(path, None) if not problem.is_note]
    return {
        (re.sub(r'\[\d+\]', '', problem.field), re.sub("'.*'", '', problem.rule))
        for problem in found
    }


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated(make_content((3, 2))))
def test_edits_have_no_new_faults(content):
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / 'in.json').write_text(json.dumps(content))
        (folder / 'other.json').write_text(json.dumps(make_content((2,))))
        try:
            contents = read_contents(folder / 'in.json')
        except UserError:
            return
        known = faults(folder / 'in.json')
        for edited in edits(contents, read_contents(folder / 'other.json')):
            write_contents({folder / 'out.json': edited})
            assert faults(folder / 'out.json') <= known
            json.loads((folder / 'out.json').read_text())


def test_edits_of_a_sound_file_are_sound_and_not_refused(tmp_path):
    (tmp_path / 'in.json').write_text(json.dumps(make_content((3, 2, 2))))
    contents = read_contents(tmp_path / 'in.json')
    edited = [*edits(contents, contents)]
    assert len(edited) == 7
    for contents in edited:
        write_contents({tmp_path / 'out.json': contents})
        assert faults(tmp_path / 'out.json') == set()
