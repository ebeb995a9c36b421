"""The plain transformer, against its formulas written out token by token."""

import math

import pytest
import torch
import torch.nn.functional as F
from token_models import FAMILIES, WIDTH, kept_shapes, randomise, vit

from mmvseg.errors import UserError
from mmvseg.models.backbones import DINOViT
from mmvseg.models.backbones.vit import Attention, Block


def build(family='DINOv2', **options):
    torch.manual_seed(0)
    return randomise(DINOViT(**vit(family, **options))).eval()


def images(num=2, height=48, width=64):
    return torch.randn(num, 3, height, width, generator=torch.Generator().manual_seed(1))


def plain_attention(attention, tokens, visible):
    """Attention of one image, (S, C) -> (S, C), head by head."""
    count, channels = tokens.shape
    size = channels // attention.num_heads
    biases = attention.qkv.bias
    if biases is None:
        biases = torch.cat([attention.q_bias, torch.zeros(channels), attention.v_bias])
    q, k, v = (tokens @ attention.qkv.weight.T + biases).split(channels, dim=1)
    heads = []
    for head in range(attention.num_heads):
        part = slice(head * size, (head + 1) * size)
        scores = q[:, part] @ k[:, part].T / math.sqrt(size)
        if visible is not None:
            scores = scores.masked_fill(~visible, -math.inf)
        heads.append(scores.softmax(1) @ v[:, part])
    assert heads[0].shape == (count, size)
    return torch.cat(heads, 1) @ attention.proj.weight.T + attention.proj.bias


@pytest.mark.parametrize('key_bias', [True, False])
@pytest.mark.parametrize('masked', [True, False])
def test_a_block_is_attention_and_two_layers_each_scaled(key_bias, masked):
    torch.manual_seed(0)
    block = randomise(Block(WIDTH, num_heads=4, hidden_dims=24, key_bias=key_bias))
    tokens = torch.randn(2, 7, WIDTH)
    visible = torch.rand(2, 1, 7, 7) > 0.4 if masked else None
    if masked:
        visible |= torch.eye(7, dtype=torch.bool)
    outputs = block(tokens, visible=visible)
    for number, expected in enumerate(tokens):
        seen = None if visible is None else visible[number, 0]
        expected = expected + block.ls1 * plain_attention(block.attn, block.norm1(expected), seen)
        hidden = F.gelu(block.mlp.fc1(block.norm2(expected)))
        expected = expected + block.ls2 * (hidden @ block.mlp.fc2.weight.T + block.mlp.fc2.bias)
        torch.testing.assert_close(outputs[number], expected)


def test_names_of_the_parameters():
    attention = [name for name, _ in Attention(WIDTH, 2, key_bias=False).named_parameters()]
    assert attention == ['q_bias', 'v_bias', 'qkv.weight', 'proj.weight', 'proj.bias']
    names = {name for name, _ in build().named_parameters() if '.' not in name}
    assert names == {'cls_token', 'register_tokens', 'pos_embed'}
    assert 'pos_embed' not in dict(build('DINOv3').named_parameters())


@pytest.mark.parametrize('family', FAMILIES)
def test_the_map_is_that_of_the_patches_row_by_row(family):
    model = build(family)
    (output,) = model(images())
    assert output.shape == (2, WIDTH, 3, 4)
    image = model.embed(images())
    assert image.grid == (3, 4)
    tokens = image.tokens
    assert tokens.shape == (2, 1 + 4 + 12, WIDTH)
    for block in model.blocks:
        tokens = block(tokens, image.rotation)
    tokens = model.norm(tokens)
    for row in range(3):
        for column in range(4):
            torch.testing.assert_close(output[:, :, row, column], tokens[:, 5 + 4 * row + column])


def test_tokens_before_the_first_block():
    model, (image,) = build(), images(1, 48, 48)
    (tokens,) = model.embed(image[None]).tokens
    torch.testing.assert_close(tokens[0], model.cls_token[0, 0])
    torch.testing.assert_close(tokens[1:5], model.register_tokens[0])
    patch = image[:, 16:32, 32:48].flatten()  # row 1, column 2 of 3 x 3
    weight, bias = model.patch_embed.weight.flatten(1), model.patch_embed.bias
    torch.testing.assert_close(tokens[5 + 5], weight @ patch + bias + model.pos_embed[0, 5])


def test_learned_positions_are_scaled_to_other_grids():
    model = build()
    model.pos_embed.data[:] = torch.arange(3.0).repeat(3)[None, :, None]  # they grow to the right
    positions = model._positions((6, 6))[0].unflatten(0, (6, 6))
    torch.testing.assert_close(positions, positions[:1].expand_as(positions))  # not downwards
    assert (positions[0].diff(dim=0) > 0).all()
    torch.testing.assert_close(positions[0] + positions[0].flip(0), torch.full((6, WIDTH), 2.0))
    assert model._positions((3, 3)) is model.pos_embed
    assert model._positions((2, 5)).shape == (1, 10, WIDTH)


def test_learned_positions_are_smoothed_before_they_shrink():
    model = build(grid_size=16)
    model.pos_embed.data.zero_()[0, 0] = 1.0  # the corner
    positions = model._positions((2, 2))[0]
    assert positions[0].min() > 1e-3  # not only the nearest positions count


def test_half_precision_positions_are_scaled_in_float32():
    half, exact = build().bfloat16(), build().bfloat16().float()
    positions = half._positions((5, 4))
    assert positions.dtype == torch.bfloat16
    assert torch.equal(positions, exact._positions((5, 4)).bfloat16())


def test_the_same_image_at_another_place_gives_other_tokens():
    for family in FAMILIES:
        model = build(family)
        image = images(1, 32, 32)
        moved = image.roll(16, dims=3)
        assert not torch.allclose(model(image)[0].roll(1, dims=3), model(moved)[0], atol=1e-3)


def test_maps_of_several_blocks():
    model = build(out_indices=(1, -1))
    first, last = model(images())
    shallow = build()
    shallow.load_state_dict(model.state_dict())
    torch.testing.assert_close(last, shallow(images())[0])
    shallow.blocks = shallow.blocks[:2]
    shallow.out_indices = [1]
    torch.testing.assert_close(first, shallow(images())[0])


@pytest.mark.parametrize('indices', [(), (0, 1), (1, 0, 3), (3, 3), (3, 4), (-5, 3)])
def test_blocks_that_cannot_be_returned_are_refused(indices):
    with pytest.raises(UserError, match=r'backbone\.out_indices = .* block 3; .*backbone\.depth'):
        DINOViT(**vit(out_indices=indices))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(position='sine'), r"backbone\.position = 'sine'.*'learned' or 'rotary'"),
        (dict(grid_size=None), r'backbone\.grid_size: learned positions need one'),
        (dict(grid_size=0), r'backbone\.grid_size: learned positions need one'),
        (dict(position='rotary'), r'backbone\.grid_size: rotary positions have no grid'),
        (dict(num_heads=3), r'backbone\.num_heads = 3: 16 channels'),
        (
            dict(position='rotary', grid_size=None, num_heads=8),
            r'backbone\.num_heads = 8: .*multiples of 4 channels',
        ),
    ],
)
def test_arguments_that_do_not_fit_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        DINOViT(**vit(**options))


@pytest.mark.parametrize('size', [(48, 40), (40, 48), (8, 16)])
def test_images_that_patches_do_not_divide_are_refused(size):
    message = rf'backbone\.patch_size = 16: .* {size[0]} x {size[1]} .*pad_size_divisor'
    with pytest.raises(UserError, match=message):
        build()(images(1, *size))


@pytest.mark.parametrize('family', FAMILIES)
def test_recomputed_blocks_give_the_same_gradients_and_keep_less(family):
    results = []
    for with_cp in (False, True):
        model = build(family, with_cp=with_cp)
        with kept_shapes() as shapes:
            (output,) = model(images())
        (output**2).sum().backward()
        results.append((output, {n: p.grad for n, p in model.named_parameters()}, shapes))
    (plain, expected, kept), (recomputed, actual, kept_less) = results
    torch.testing.assert_close(recomputed, plain, rtol=0, atol=0)
    for name, gradient in expected.items():
        torch.testing.assert_close(actual[name], gradient)
    hidden = (2, 5 + 12, 4 * WIDTH)  # in the feed-forward layers
    assert kept.count(hidden) >= len(model.blocks)
    assert hidden not in kept_less


def test_nothing_is_recomputed_without_gradients(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError('checkpoint')

    monkeypatch.setattr('mmvseg.models.backbones.vit.checkpoint', refuse)
    with torch.no_grad():
        build(with_cp=True)(images())


@pytest.mark.parametrize('family', FAMILIES)
def test_gradients_reach_all_parameters(family):
    model = build(family).train()
    (model(images())[0] ** 2).sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        # softmax does not see what is added to all scores of a query
        key_bias = parameter.grad[WIDTH : 2 * WIDTH] if name.endswith('qkv.bias') else None
        assert parameter.grad.abs().sum() > 1e-6, name
        assert key_bias is None or key_bias.abs().max() < 1e-4


def test_a_frozen_one_is_not_trained_and_always_infers():
    for frozen in (False, True):
        model = build('DINOv3', frozen=frozen).train()
        assert model.training != frozen
        assert model.rotary.training != frozen
        assert all(p.requires_grad != frozen for p in model.parameters())
        first, second = model(images())[0], model(images())[0]
        assert torch.equal(first, second) == frozen  # positions are scaled at random in training


def test_initialisation_leaves_no_zeros_where_they_would_stay():
    model = DINOViT(**vit(layer_scale=0.1))
    model.init_weights()
    for name, parameter in model.named_parameters():
        if name.endswith(('ls1', 'ls2')):
            assert (parameter == 0.1).all()
        elif 'norm' in name:
            assert (parameter == float(name.endswith('weight'))).all()
        elif name.endswith('bias'):
            assert not parameter.any()
        else:
            assert 0.01 < parameter.std() < 0.03, name
