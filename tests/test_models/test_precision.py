"""In what precision models infer."""

import threading

import pytest
import torch

from mmvseg.errors import UserError
from mmvseg.models.precision import PRECISIONS, dtype_of, inference
from mmvseg.ops import linear

CPU, GPU = torch.device('cpu'), torch.device('cuda:1')


@pytest.mark.parametrize(
    ('precision', 'on_cpu', 'on_gpu'),
    [
        ('fp32', torch.float32, torch.float32),
        ('auto', torch.bfloat16, torch.float16),
        ('bf16', torch.bfloat16, torch.bfloat16),
    ],
)
def test_type_by_name_and_device(precision, on_cpu, on_gpu):
    assert dtype_of(precision, CPU) == on_cpu
    assert dtype_of(precision, GPU) == on_gpu


def test_what_there_is_not():
    assert dtype_of('fp16', GPU) == torch.float16
    with pytest.raises(UserError, match=r'--precision fp16.*needs a GPU; use bf16'):
        dtype_of('fp16', CPU)
    with pytest.raises(UserError, match="precision = 'int8': must be one of fp32, auto"):
        dtype_of('int8', CPU)


def test_the_command_line_knows_the_same_names():
    from mmvseg.commands import arguments

    assert arguments.PRECISIONS == PRECISIONS


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_inference(monkeypatch, dtype):
    monkeypatch.setattr('mmvseg.models.precision.onednn_is_faster', lambda: True)
    layer, rows = torch.nn.Linear(3, 3), torch.randn(2, 3)
    with inference(dtype, CPU):
        output = layer(rows)
        assert output.dtype == dtype
        assert output.is_inference()
        assert linear.uses_onednn()
    assert not linear.uses_onednn()
    assert layer(rows).dtype == torch.float32


def test_other_devices_have_libraries_of_their_own(monkeypatch):
    monkeypatch.setattr('mmvseg.models.precision.onednn_is_faster', lambda: True)
    with inference(torch.float32, torch.device('meta')):
        assert not linear.uses_onednn()


def test_threads_do_not_switch_each_other(monkeypatch):
    """One that begins before another ends, and ends before it."""
    monkeypatch.setattr('mmvseg.models.precision.onednn_is_faster', lambda: True)
    begun, ended = threading.Event(), threading.Event()
    seen = []

    def infer():
        with inference(torch.float32, CPU):
            begun.set()
            ended.wait(60)
            seen.append(linear.uses_onednn())

    with inference(torch.float32, CPU):
        thread = threading.Thread(target=infer)
        thread.start()
        assert begun.wait(60)
    ended.set()
    thread.join(60)
    assert seen == [True]
    assert not linear.uses_onednn()
