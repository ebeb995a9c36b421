"""Packed convolutions against torch's own, in float64."""

import copy

import pytest
import torch
from torch import nn

from mmvseg.ops import winograd
from mmvseg.ops.packed_conv import PackedConv2d, WinogradConv2d, packed, winograd_pays

pytestmark = pytest.mark.skipif(
    not torch.backends.mkldnn.is_available(), reason='this torch has no oneDNN'
)


def norm_of(channels):
    norm = nn.BatchNorm2d(channels).eval()
    for tensor in (norm.weight, norm.running_var):
        nn.init.uniform_(tensor, 0.5, 1.5)
    for tensor in (norm.bias, norm.running_mean):
        nn.init.normal_(tensor)
    return norm


def exact(maps, *layers):
    maps = maps.double()
    for layer in layers:
        maps = copy.deepcopy(layer).double()(maps)
    return maps.float()


@torch.no_grad()
@pytest.mark.parametrize('bias', [True, False])
@pytest.mark.parametrize(
    'geometry',
    [
        dict(kernel_size=1),
        dict(kernel_size=3, padding=1),
        dict(kernel_size=3, padding=2, dilation=2, stride=2),
        dict(kernel_size=(2, 3), stride=(2, 1)),
        dict(kernel_size=3, padding=1, groups=8),
    ],
    ids=str,
)
def test_norm_and_activation_are_fused(geometry, bias):
    conv, norm = nn.Conv2d(8, 16, bias=bias, **geometry), norm_of(16)
    layer = packed(conv, norm, 'relu')
    assert type(layer) is PackedConv2d
    for size in ((9, 13), (20, 6)):  # the weights were packed for the first
        for maps in (torch.randn(2, 8, *size), torch.randn(2, *size, 8).permute(0, 3, 1, 2)):
            output = layer(maps)
            assert output.is_contiguous(memory_format=torch.channels_last)
            torch.testing.assert_close(
                output, exact(maps, conv, norm, nn.ReLU()), atol=2e-5, rtol=1e-5
            )


@torch.no_grad()
@pytest.mark.parametrize('kind', [PackedConv2d, WinogradConv2d])
@pytest.mark.parametrize(
    ('activation', 'layer'), [('none', nn.Identity()), ('relu', nn.ReLU()), ('gelu', nn.GELU())]
)
def test_activations_and_adding_in_place(kind, activation, layer):
    conv, norm, maps = nn.Conv2d(8, 8, 3, padding=1), norm_of(8), torch.randn(1, 8, 6, 7)
    sums = torch.randn(1, 8, 6, 7).contiguous(memory_format=torch.channels_last)
    expected = layer(sums + exact(maps, conv, norm))
    torch.testing.assert_close(
        kind(conv, norm, activation)(maps), exact(maps, conv, norm, layer), atol=2e-5, rtol=1e-5
    )
    if activation == 'gelu':
        return  # nobody adds before it
    output = kind(conv, norm, activation).add_to(sums, maps)
    torch.testing.assert_close(output, expected, atol=2e-5, rtol=1e-5)
    assert output.data_ptr() == sums.data_ptr()


@torch.no_grad()
def test_the_weight_is_kept_on_demand():
    conv = nn.Conv2d(4, 6, 1)
    layer = PackedConv2d(conv, keep_weight=True)
    layer(torch.randn(1, 4, 3, 3))
    torch.testing.assert_close(layer.weight, conv.weight)
    assert PackedConv2d(conv).weight is None


@torch.no_grad()
@pytest.mark.parametrize('size', [(1, 1), (2, 3), (7, 8), (16, 5), (1, 30)])
@pytest.mark.parametrize('images', [1, 5])
@pytest.mark.parametrize('chunk', [1, 7, 1000])
def test_winograd(monkeypatch, size, images, chunk):
    monkeypatch.setattr(winograd, 'CHUNK_TILES', chunk)
    conv, maps = nn.Conv2d(5, 3, 3, padding=1, bias=images > 1), torch.randn(images, 5, *size)
    output = WinogradConv2d(conv)(maps)
    torch.testing.assert_close(output, exact(maps, conv), atol=1e-5, rtol=1e-5)
    assert output.shape == (images, 3, *size)


@torch.no_grad()
def test_winograd_where_it_pays():
    wide = nn.Conv2d(192, 200, 3, padding=1)
    maps = torch.randn(1, 192, 10, 12)
    layer = packed(wide, None, 'relu')
    assert type(layer) is WinogradConv2d
    exactly = exact(maps, wide, nn.ReLU())
    error = (layer(maps) - exactly).abs().max()
    assert error <= 3 * (wide(maps).relu() - exactly).abs().max()  # no less exact than torch
    for other in (
        nn.Conv2d(64, 256, 3, padding=1),
        nn.Conv2d(256, 256, 1),
        nn.Conv2d(256, 256, 3, padding=1, stride=2),
        nn.Conv2d(256, 256, 3, padding=1, groups=256),
        nn.Conv2d(256, 256, 3),
    ):
        assert not winograd_pays(other)
