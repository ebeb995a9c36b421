"""Maps of four strides from a plain transformer, and the models that stand on them."""

import pytest
import torch
import torch.nn.functional as F
from dvis_models import CONFIGS, batch, video, windows
from helpers import REPOSITORY
from mmengine.config import Config, ConfigDict
from mmengine.structures import InstanceData
from token_models import FAMILIES, WIDTH, randomise, vit

from mmvseg.errors import UserError
from mmvseg.models.backbones import DINOViT, PyramidViT
from mmvseg.registry import MODELS

OUT = 8


def build(family='DINOv2', **options):
    torch.manual_seed(0)
    return randomise(PyramidViT(OUT, **vit(family, **options))).eval()


def images(num=2, height=64, width=96):
    return torch.randn(num, 3, height, width, generator=torch.Generator().manual_seed(1))


def normal(features, norm):
    """LayerNorm over the channels of (N, C, h, w)."""
    centred = features - features.mean(1, keepdim=True)
    scaled = centred / (features.var(1, correction=0, keepdim=True) + 1e-6).sqrt()
    return scaled * norm.weight[:, None, None] + norm.bias[:, None, None]


def test_every_map_is_made_of_the_last_one():
    model = build()
    (features,) = DINOViT.forward(model, images())
    quarter, half, _, _ = (level.resize for level in model.pyramid)
    hidden = F.gelu(normal(quarter.deconv1(features), quarter.norm))
    resized = [quarter.deconv2(hidden), half(features), features, F.max_pool2d(features, 2)]
    maps = model(images())
    sizes = [(16, 24), (8, 12), (4, 6), (2, 3)]
    for found, level, expected, size in zip(maps, model.pyramid, resized, sizes, strict=True):
        assert found.shape == (2, OUT, *size)
        expected = normal(F.conv2d(expected, level.conv1.weight), level.norm1)
        expected = normal(F.conv2d(expected, level.conv2.weight, padding=1), level.norm2)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_channels_of_the_maps_before_the_convolutions():
    channels = [level.conv1.in_channels for level in build().pyramid]
    assert channels == [WIDTH // 4, WIDTH // 2, WIDTH, WIDTH]


def test_the_transformer_has_the_names_of_its_weights():
    plain = DINOViT(**vit())
    result = build().load_state_dict(plain.state_dict(), strict=False)
    assert not result.unexpected_keys
    assert all(name.startswith('pyramid.') for name in result.missing_keys)


def test_a_frozen_transformer_leaves_the_pyramid_trainable():
    model = build('DINOv3', frozen=True).train()
    sum((features**2).sum() for features in model(images())).backward()
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == name.startswith('pyramid.'), name
        assert (parameter.grad is not None) == parameter.requires_grad, name


@pytest.mark.parametrize('family', FAMILIES)
def test_gradients_reach_all_parameters(family):
    model = build(family, with_cp=True).train()
    sum((features**2).sum() for features in model(images())).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_initialisation_keeps_the_norms():
    model = PyramidViT(OUT, **vit())
    model.init_weights()
    for level in model.pyramid:
        assert (level.norm1.weight == 1).all()
        assert level.conv1.weight.std().item() == pytest.approx(0.02, rel=0.5)


@pytest.mark.parametrize(
    'options', [dict(patch_size=14), dict(patch_size=8), dict(out_indices=(1, 3))]
)
def test_other_strides_and_blocks_are_refused(options):
    with pytest.raises(UserError, match=r'backbone: PyramidViT .*one map of stride 16.*patch_size'):
        build(**options)


@pytest.mark.parametrize('size', [(48, 64), (64, 80)])
def test_sizes_without_a_whole_map_of_stride_32_are_refused(size):
    with pytest.raises(UserError, match=rf'{size[0]} x {size[1]} pixels; .*pad_size_divisor=32'):
        build()(images(1, *size))


def backbone(family, **options):
    """What a config of another model sets as its backbone."""
    return dict(type='PyramidViT', out_channels=OUT, **vit(family, **options))


def query_model(kind, family):
    cfg = Config.fromfile(REPOSITORY / CONFIGS[kind]).model
    cfg.backbone = ConfigDict(backbone(family))
    cfg.panoptic_head.in_channels = [OUT] * 4
    cfg.panoptic_head.transformer_decoder.num_layers = 2
    cfg.criterion.num_points = 64
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    return model


@pytest.mark.parametrize('kind', list(CONFIGS))
@pytest.mark.parametrize('family', FAMILIES)
def test_models_of_queries_stand_on_it(kind, family):
    model = query_model(kind, family).train()
    losses = model.loss(*batch(num_frames=2))
    sum(losses.values()).backward()
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert any(name.startswith('backbone.pyramid') for name in trained) == (kind == 'MinVIS')
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == (name in trained), name
    (result,) = model.eval().predict(windows(video(4), 2))
    assert len(result.pred.masks[0]) == 4


def test_windows_do_not_change_the_result_of_minvis():
    model = query_model('MinVIS', 'DINOv3').eval()
    first, second = (model.predict(windows(video(4), size))[0].pred for size in (1, 4))
    assert first.scores == pytest.approx(second.scores, abs=1e-5)


def test_tevit_stands_on_it():
    cfg = Config.fromfile(REPOSITORY / 'configs/shapes/tevit_msgshift_shapes.py').model
    cfg.backbone = ConfigDict(backbone('DINOv2'))
    cfg.neck.in_channels = [OUT] * 4
    cfg.roi_head.num_stages = 2
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    inputs, samples = batch()
    for sample in samples:
        frames = sample.gt_instances
        sample.gt_instances = [with_boxes(frame) for frame in frames]
    sum(model.train().loss(inputs, samples).values()).backward()
    assert all(parameter.grad is not None for parameter in model.backbone.parameters())
    (result,) = model.eval().predict(windows(video(4), 2))
    assert len(result.pred.masks[0]) == 4


def with_boxes(frame: InstanceData) -> InstanceData:
    boxes = []
    for mask in frame.masks:
        rows, columns = mask.nonzero().unbind(1)
        corners = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        boxes.append(torch.stack(corners).float())
    frame.bboxes = torch.stack(boxes)
    return frame
