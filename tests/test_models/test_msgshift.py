import pytest
import torch
from mmdet.models.backbones import PyramidVisionTransformerV2

from mmvseg.models.backbones import MsgShifT


def small(num_layers=(2, 2, 2, 2), **kwargs):
    backbone = MsgShifT(
        num_msg_tokens=8,
        embed_dims=8,
        num_layers=list(num_layers),
        num_heads=[1, 2, 4, 5],
        mlp_ratios=[2, 2, 2, 2],
        **kwargs,
    )
    torch.manual_seed(0)
    for parameter in backbone.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return backbone.eval()


def frames(num, height=64, width=96):
    return torch.randn(num, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_map_sizes_and_strides():
    maps = small()(frames(4), num_frames=2)
    assert [tuple(m.shape) for m in maps] == [
        (4, 8, 16, 24),
        (4, 16, 8, 12),
        (4, 32, 4, 6),
        (4, 40, 2, 3),
    ]


def test_published_size():
    backbone = MsgShifT(num_layers=[2, 2, 2, 2])
    assert sum(p.numel() for p in backbone.parameters()) == 13_496_096


def test_without_messengers_equals_pvtv2():
    torch.manual_seed(0)
    plain = PyramidVisionTransformerV2(embed_dims=8, num_layers=[1, 1, 1, 1]).eval()
    for parameter in plain.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    ours = MsgShifT(num_msg_tokens=0, embed_dims=8, num_layers=[1, 1, 1, 1]).eval()
    ours.load_state_dict(plain.state_dict())
    for expected, actual in zip(plain(frames(2)), ours(frames(2)), strict=True):
        torch.testing.assert_close(actual, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize('num_layers', [(2, 2, 2, 2), (1, 3, 2, 1)])
def test_chunked_inference_equals_one_pass(num_layers):
    backbone = small(num_layers, frame_chunk=2)
    images = frames(6)
    expected = [m.detach() for m in backbone(images, num_frames=3)]
    with torch.no_grad():
        chunked = backbone(images, num_frames=3)
    for a, b in zip(expected, chunked, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_shift_carries_information_within_a_clip_only():
    backbone = small()
    images = frames(6)
    changed = images.clone()
    changed[0] += 1.0
    with torch.no_grad():
        difference = (backbone(images, 3)[2] - backbone(changed, 3)[2]).abs().amax((1, 2, 3))
    assert (difference[:3] > 1e-6).all()
    assert (difference[3:] == 0).all()


def test_shift_off_keeps_frames_apart():
    backbone = small(shift_strides=None)
    images = frames(3)
    changed = images.clone()
    changed[0] += 1.0
    with torch.no_grad():
        difference = (backbone(images, 3)[3] - backbone(changed, 3)[3]).abs().amax((1, 2, 3))
    assert difference[0] > 1e-6
    assert (difference[1:] == 0).all()


def test_rolls_each_group_by_its_stride():
    backbone = small()
    messengers = torch.arange(5.0).view(5, 1, 1).expand(5, 8, 1)  # frame t holds t
    rolled = backbone._shift(messengers, 5, backwards=False)
    back = backbone._shift(rolled, 5, backwards=True)
    assert rolled[0, :, 0].tolist() == [4, 4, 1, 1, 3, 3, 2, 2]
    torch.testing.assert_close(back, messengers)


def test_every_parameter_receives_a_gradient():
    backbone = small().train()
    sum(m.square().sum() for m in backbone(frames(4), 2)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in backbone.parameters())


def test_checkpointing_keeps_the_gradients():
    images = frames(2)
    gradients = []
    for with_cp in (False, True):
        backbone = small(with_cp=with_cp)
        sum(m.square().mean() for m in backbone(images, 2)).backward()
        gradients.append(backbone.layers[0][0].projection.weight.grad)
    torch.testing.assert_close(gradients[0], gradients[1])


def test_message_tokens_must_divide_into_groups():
    with pytest.raises(ValueError, match='num_msg_tokens=6'):
        MsgShifT(num_msg_tokens=6, num_layers=[1, 1, 1, 1])
