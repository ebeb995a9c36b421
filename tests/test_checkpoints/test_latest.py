import pytest
import torch

from mmvseg.checkpoints.latest import LAST_CHECKPOINT, find_latest_checkpoint
from mmvseg.errors import UserError


@pytest.fixture
def work_dir(tmp_path):
    for number in (2, 4, 10):
        state = dict(state_dict=dict(a=torch.zeros(100)), optimizer={}, meta=dict(iter=number))
        torch.save(state, tmp_path / f'iter_{number}.pth')
    torch.save(dict(a=torch.zeros(1)), tmp_path / 'best_AP_iter_12.pth')
    (tmp_path / LAST_CHECKPOINT).write_text('/elsewhere/iter_4.pth')
    return tmp_path


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-200])


def test_the_pointer_decides(work_dir):
    said = []
    assert find_latest_checkpoint(work_dir, said.append) == work_dir / 'iter_4.pth'
    assert not said


@pytest.mark.parametrize(
    ('pointer', 'message'),
    [
        (None, 'has no last_checkpoint'),
        (b'', 'names no file'),
        (b'\xff\xfe\x00\x91', 'is no text'),
        (b'a' * 5000, 'names no file'),
        (b'a' * 400, 'which is not there'),
        (b'a\0b', 'names no file'),
        (b'iter_7.pth', 'names iter_7.pth, which is not there'),
    ],
)
def test_an_unusable_pointer_leads_to_the_newest_checkpoint(work_dir, pointer, message):
    (work_dir / LAST_CHECKPOINT).unlink()
    if pointer is not None:
        (work_dir / LAST_CHECKPOINT).write_bytes(pointer)
    said = []
    assert find_latest_checkpoint(work_dir, said.append) == work_dir / 'iter_10.pth'
    assert message in said[0]
    assert 'iter_10.pth, the newest whole checkpoint' in said[1]


def test_checkpoints_that_are_cut_off_are_passed_by(work_dir):
    (work_dir / LAST_CHECKPOINT).write_text('iter_10.pth')
    cut_off(work_dir / 'iter_10.pth')
    torch.save(dict(a=torch.zeros(1)), work_dir / 'iter_4.pth')
    said = []
    assert find_latest_checkpoint(work_dir, said.append) == work_dir / 'iter_2.pth'
    assert ['iter_10.pth' in said[0], 'iter_4.pth' in said[1]] == [True, True]
    assert 'weights but no training state' in said[1]
    cut_off(work_dir / 'iter_2.pth')
    with pytest.raises(UserError, match=r'no training can go on from .*give another --work-dir'):
        find_latest_checkpoint(work_dir)


def test_nothing_to_find(tmp_path):
    said = []
    assert find_latest_checkpoint(tmp_path / 'absent', said.append) is None
    assert not said
    (tmp_path / LAST_CHECKPOINT).write_text('iter_7.pth')
    assert find_latest_checkpoint(tmp_path, said.append) is None
    assert 'names iter_7.pth, which is not there' in said[0]
