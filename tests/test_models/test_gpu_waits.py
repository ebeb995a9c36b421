"""Where inference makes the CPU wait, on a GPU that is pretended, against the written list."""

import contextlib
import copy
import functools
import re
import warnings
from collections import Counter

import dense_heads
import dvis_models
import pytest
import token_models
import torch
from dvis_models import video, windows
from helpers import REPOSITORY
from pretend_gpu import OnGPU, PretendGPU

from mmvseg.engine.config import load_config
from mmvseg.models.heads import pixel_decoder
from mmvseg.models.postprocess import mask_probabilities, query_masks
from mmvseg.registry import MODELS
from mmvseg.structures import VideoWindow

KEPT = [
    pixel_decoder.pixel_centres,
    pixel_decoder._shapes,
    query_masks._axis_weights,
    mask_probabilities._row_weights,
]


def tevit(**test_cfg):
    cfg = load_config(REPOSITORY / 'configs/shapes/tevit_msgshift_shapes.py').model
    cfg.test_cfg.update(test_cfg)
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if '.fc_reg.' in name:
                parameter.mul_(0.05)
    return model.eval()


#: A model for each path of the inference.
BUILT = {
    'MinVIS': lambda: dvis_models.build('MinVIS'),
    'MinVIS, all objects': lambda: dvis_models.build('MinVIS', max_per_stretch=20),
    'DVISOnline': lambda: dvis_models.build('DVISOnline'),
    'MinVIS, on disk': lambda: dvis_models.build('MinVIS', mask_memory_mb=0),
    'DVISOffline': lambda: dvis_models.build('DVISOffline'),
    'DVISOnline vps': lambda: dense_heads.build_varied('DVISOnline', 'vps'),
    'MinVIS vss': lambda: dense_heads.build_varied('MinVIS', 'vss'),
    'EoMT': lambda: token_models.build('EoMT'),
    'VidEoMT': lambda: token_models.build('VidEoMT'),
    'TeViT': tevit,
}
LIVE = ['MinVIS', 'DVISOnline vps', 'MinVIS vss']


@contextlib.contextmanager
def pretended():
    for kept in KEPT:
        kept.cache_clear()
    with PretendGPU() as gpu, torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # that there is no GPU for autocast
        yield gpu
    for kept in KEPT:
        kept.cache_clear()


@functools.cache
def on_cpu(name):
    """A model, and its result for a video."""
    model = BUILT[name]()
    with torch.no_grad():
        (sample,) = model.predict(windows(video(4), 2))
    return model, sample.pred


@functools.cache
def on_gpu(name):
    model, _ = on_cpu(name)
    return PretendGPU().place(copy.deepcopy(model))


@functools.cache
def segment(name, num_frames, window):
    """The result, and the waits by file and function."""
    model = on_gpu(name)
    with pretended() as gpu:
        (sample,) = model.predict(windows(video(num_frames), window))
    return sample.pred, places(gpu.waits)


def places(waits):
    found = Counter()
    for (file, function, _), count in waits.items():
        found[file, function] += count
    return found


def written():
    """File and function of each row of the list."""
    text = (REPOSITORY / 'docs/benchmarks.md').read_text()
    section = text.split('### What the CPU waits for')[1].split('\n#')[0]
    return set(re.findall(r'^\| `([\w/]+\.py)`, `(\w+)` *\|', section, re.MULTILINE))


@pytest.mark.parametrize('name', BUILT)
def test_results_are_those_of_the_cpu(name):
    _, expected = on_cpu(name)
    actual, _ = segment(name, 4, 2)
    if hasattr(expected, 'masks'):
        dvis_models.assert_equal_instances(expected, actual)
    else:
        assert all((a == b).all() for a, b in zip(expected.maps, actual.maps, strict=True))


def test_the_written_list_is_complete_and_true():
    seen = {place for name in BUILT for place in segment(name, 4, 2)[1]}
    for name in LIVE:
        model = on_gpu(name)
        with pretended() as gpu:
            assert len(list(model.live(windows(video(2), 1)))) == 2
        seen |= set(places(gpu.waits))
    assert seen == written()


@pytest.mark.parametrize('name', ['MinVIS', 'DVISOnline', 'VidEoMT', 'TeViT'])
def test_a_frame_more_is_no_wait_more(name):
    _, two = segment(name, 2, 2)
    _, four = segment(name, 4, 4)
    assert four == two


def test_windows_that_are_there_are_not_sent_again():
    model = on_gpu('MinVIS')
    with pretended() as gpu:
        there = [
            VideoWindow(window.frames.as_subclass(OnGPU), window.sample)
            for window in windows(video(2), 1)
        ]
        model.predict(there)
    assert gpu.pinned
    assert all(len(shape) < 4 for shape in gpu.pinned)


class TestThePretence:
    """It sees what a GPU would wait for."""

    def run(self, function):
        with PretendGPU() as gpu:
            function(torch.arange(4.0).to('cuda', non_blocking=True))
        waits = gpu.waits
        waits.subtract({('test_gpu_waits.py', 'run', 'upload'): 1})
        return {kind for (*_, kind), count in waits.items() if count}

    @pytest.mark.parametrize(
        ('function', 'kind'),
        [
            (lambda x: x[0].item(), 'download'),
            (lambda x: x.tolist(), 'download'),
            (lambda x: x.cpu(), 'download'),
            (lambda x: x.to('cpu'), 'download'),
            (lambda x: bool(x.sum() > 1), 'download'),
            (lambda x: int(x[1]), 'download'),
            (lambda x: 1 if (x > 1).any() else 0, 'download'),
            (lambda x: x[x > 1], 'count'),
            (lambda x: x.nonzero(), 'count'),
            (lambda x: torch.where(x > 1), 'count'),
            (lambda x: torch.bincount(x.long()), 'count'),
            (lambda x: x.repeat_interleave(x.long()), 'count'),
            (lambda x: torch.zeros(4)[: x.long()[2]], 'size'),
            (lambda x: x.reshape(x.long()[1], 4), 'size'),
            (lambda x: x.split([x.long()[1], x.long()[3]]), 'size'),
            (lambda x: torch.tensor([1, 2], device=x.device), 'upload'),
            (lambda x: x.new_tensor([1, 2]), 'upload'),
            (lambda x: torch.ones(3).to(x.device), 'upload'),
            (lambda x: torch.ones(3).to(x), 'upload'),
            (lambda x: torch.ones(3).to(x.device, non_blocking=True), 'upload'),
            (lambda x: x[torch.tensor([1, 2])], 'upload'),
        ],
    )
    def test_waits(self, function, kind):
        assert kind in self.run(function)

    @pytest.mark.parametrize(
        'function',
        [
            lambda x: torch.ones(3).pin_memory().to(x.device, non_blocking=True),
            lambda x: (x + 1).sum().sqrt(),
            lambda x: x[1:3].reshape(2, 1).expand(2, 5),
            lambda x: torch.zeros(2, device=x.device) + torch.arange(2, device=x.device),
            lambda x: x.masked_fill(x > 1, 0),
            lambda x: x.topk(2),
            lambda x: len(x) + x.shape[0] + x.numel(),
            lambda x: x[x.argsort()],
        ],
    )
    def test_does_not_wait(self, function):
        assert not self.run(function)

    def test_devices_do_not_mix(self):
        with PretendGPU(), pytest.raises(AssertionError, match='both devices'):
            torch.ones(3, device='cuda') + torch.ones(3)
