"""Models prepared for inference give what they gave before."""

import copy

import dvis_models
import pytest
import token_models
import torch
from helpers import REPOSITORY
from mmdet.models.backbones import ResNet
from mmdet.models.backbones.resnet import Bottleneck
from mmengine.config import Config
from torch import nn

from mmvseg.models.precision import inference
from mmvseg.models.prepared import prepare, prepare_for_inference
from mmvseg.models.prepared.layers import FusedLinear, fuse_layers
from mmvseg.models.prepared.pixel_decoder import PreparedPixelDecoder
from mmvseg.models.prepared.resnet import PreparedBlock
from mmvseg.ops.packed_conv import PackedConv2d
from mmvseg.registry import MODELS

CPU = torch.device('cpu')

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason='this torch has no oneDNN'
)


@pytest.fixture(autouse=True)
def onednn_is_faster(monkeypatch):
    monkeypatch.setattr(prepare, 'onednn_is_faster', lambda: True)
    monkeypatch.setattr('mmvseg.models.precision.onednn_is_faster', lambda: True)


def tevit():
    cfg = Config.fromfile(REPOSITORY / 'configs/shapes/tevit_msgshift_shapes.py').model
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    return model.eval()


def randomise_norms(model):
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.running_var, 0.5, 1.5)
            nn.init.normal_(norm.running_mean, std=0.1)


def tensors(outputs):
    """All tensors of raw outputs, in order."""
    if outputs is None or isinstance(outputs, torch.Tensor):
        return [] if outputs is None else [outputs]
    if hasattr(outputs, '__dict__'):
        outputs = list(vars(outputs).values())
    return [tensor for part in outputs for tensor in tensors(part)]


def r50_minvis():
    cfg = Config.fromfile(REPOSITORY / 'configs/shapes/minvis_shapes.py').model
    cfg.backbone = dict(type='ResNet', depth=50, norm_eval=True, base_channels=8, stem_channels=8)
    cfg.panoptic_head.in_channels = [32, 64, 128, 256]
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    return model.eval()


MODELS_BY_NAME = dict(
    minvis=lambda: dvis_models.build('MinVIS'),
    minvis_r50=r50_minvis,
    online=lambda: dvis_models.build('DVISOnline'),
    offline=lambda: dvis_models.build('DVISOffline'),
    tevit=tevit,
    videomt=lambda: token_models.build('VidEoMT').eval(),
)


@pytest.mark.parametrize('name', MODELS_BY_NAME)
def test_outputs_change_by_rounding(name):
    plain = MODELS_BY_NAME[name]()
    randomise_norms(plain)
    fast = copy.deepcopy(plain)
    assert prepare_for_inference(fast) is fast
    clips = torch.randn(1, 2, 3, 64, 96)
    with torch.no_grad():
        expected = tensors(plain.raw_outputs(clips))
    for _ in range(2):  # packed at the first call
        with inference(torch.float32, CPU):
            outputs = tensors(fast.raw_outputs(clips))
        assert len(outputs) == len(expected)
        for output, wanted in zip(outputs, expected, strict=True):
            scale = wanted.abs().max().clamp(min=1)
            torch.testing.assert_close(output / scale, wanted / scale, atol=1e-5, rtol=1e-5)


def test_it_is_prepared_indeed():
    model = prepare_for_inference(r50_minvis())
    blocks = [m for m in model.backbone.modules() if isinstance(m, PreparedBlock)]
    assert len(blocks) == 16
    assert isinstance(model.panoptic_head.pixel_decoder, PreparedPixelDecoder)
    assert any(isinstance(m, FusedLinear) for m in model.panoptic_head.modules())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in model.modules())


def test_tevit_keeps_the_mask_head_that_it_infers_with():
    plain = tevit()
    fast = prepare_for_inference(copy.deepcopy(plain))
    assert len(plain.roi_head.mask_head) > len(fast.roi_head.mask_head) == 1
    feats = [torch.randn(2, 64, 64 // s, 96 // s) for s in (4, 8, 16, 32)]
    boxes = torch.tensor([[4.0, 4.0, 60.0, 50.0], [30.0, 10.0, 90.0, 60.0]]).expand(2, -1, -1)
    arguments = (feats, boxes, torch.randn(2, 2, 64), torch.zeros(2, 2, dtype=torch.long))
    with torch.no_grad():
        expected = plain.roi_head.predict_masks(*arguments)
    with inference(torch.float32, CPU):
        masks = fast.roi_head.predict_masks(*arguments)
    torch.testing.assert_close(masks, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('name', ['minvis_r50', 'tevit'])
def test_a_second_time_changes_nothing(name):
    model = prepare_for_inference(MODELS_BY_NAME[name]())
    kinds = [type(module) for module in model.modules()]
    prepare_for_inference(model)
    assert [type(module) for module in model.modules()] == kinds


def test_other_numbers_are_left_alone():
    model = prepare_for_inference(dvis_models.build('MinVIS').double())
    assert not any(isinstance(module, FusedLinear) for module in model.modules())


def test_frames_of_other_sizes_follow():
    """Positions and packed weights belong to a size."""
    plain = dvis_models.build('MinVIS')
    fast = prepare_for_inference(copy.deepcopy(plain))
    for size in ((64, 96), (96, 64), (64, 96)):
        clips = torch.randn(1, 1, 3, *size)
        with torch.no_grad():
            expected = plain.raw_outputs(clips).class_logits
        with inference(torch.float32, CPU):
            torch.testing.assert_close(
                fast.raw_outputs(clips).class_logits, expected, atol=1e-5, rtol=1e-5
            )


def test_half_precision_prepares_what_stays_in_float32():
    plain = r50_minvis()
    fast = prepare_for_inference(copy.deepcopy(plain), torch.bfloat16)
    assert isinstance(fast.panoptic_head.pixel_decoder, PreparedPixelDecoder)
    assert not any(isinstance(m, PreparedBlock) for m in fast.modules())
    clips = torch.randn(1, 1, 3, 64, 96)
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        expected = plain.raw_outputs(clips).mask_features
    with inference(torch.bfloat16, CPU):
        features = fast.raw_outputs(clips).mask_features
    assert features.dtype == torch.float32
    torch.testing.assert_close(features, expected, atol=1e-4, rtol=1e-4)


def test_nothing_changes_where_onednn_is_slower(monkeypatch):
    monkeypatch.setattr(prepare, 'onednn_is_faster', lambda: False)
    model = prepare_for_inference(dvis_models.build('MinVIS'))
    assert not any(isinstance(m, FusedLinear) for m in model.modules())


@torch.no_grad()
@pytest.mark.parametrize(
    'options',
    [
        dict(depth=18),
        dict(depth=50, deep_stem=True, avg_down=True),
        dict(depth=50, style='caffe', strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2)),
        dict(
            depth=50,
            plugins=[dict(cfg=dict(type='ContextBlock', ratio=0.25), position='after_conv3')],
        ),
    ],
    ids=['basic blocks', 'stem and shortcuts of D', 'caffe, dilated', 'plugins'],
)
def test_resnets(options):
    torch.manual_seed(0)
    plain = ResNet(base_channels=8, stem_channels=8, **options)
    plain.eval()  # returns nothing
    randomise_norms(plain)
    fast = prepare_for_inference(copy.deepcopy(plain))
    images = torch.randn(2, 3, 65, 70)
    given = images.clone()
    for output, expected in zip(fast(images), plain(images), strict=True):
        torch.testing.assert_close(output, expected, atol=2e-5, rtol=1e-4)
    torch.testing.assert_close(images, given)  # blocks overwrite what is theirs alone
    untouched = [m for m in fast.modules() if isinstance(m, Bottleneck)]
    assert bool(untouched) == ('plugins' in options)


class Doubled(nn.Linear):
    def forward(self, rows):
        return 2 * super().forward(rows)


@torch.no_grad()
def test_sub_classes_and_other_norms_are_left_alone():
    model = nn.ModuleList(
        [
            nn.Sequential(Doubled(4, 4), nn.ReLU()),
            nn.Sequential(nn.Linear(4, 4), nn.GELU(approximate='tanh')),
            nn.Sequential(nn.Linear(4, 4), nn.GELU(), nn.Dropout(), nn.Linear(4, 2)),
            nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4, track_running_stats=False)),
        ]
    ).eval()
    inputs = [torch.randn(3, 4)] * 3 + [torch.randn(2, 4, 3, 3)]
    expected = [layer(rows) for layer, rows in zip(model, inputs, strict=True)]
    fuse_layers(model)
    assert type(model[0][0]) is Doubled
    assert model[2][0].activation == 'gelu'
    assert not any(isinstance(m, PackedConv2d) for m in model.modules())
    for layer, rows, wanted in zip(model, inputs, expected, strict=True):
        torch.testing.assert_close(layer(rows), wanted)
