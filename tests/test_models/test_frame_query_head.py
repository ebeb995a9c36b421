import copy

import pytest
import torch
from mmdet.models.dense_heads import Mask2FormerHead
from mmengine.config import ConfigDict

from mmvseg.errors import UserError
from mmvseg.models.heads import FrameQueryHead

CHANNELS, CLASSES, QUERIES, WIDTH = (8, 16, 24, 32), 5, 10, 32


def config(**kwargs):
    attention = dict(embed_dims=WIDTH, num_heads=4, dropout=0.0, batch_first=True)
    ffn = dict(embed_dims=WIDTH, feedforward_channels=48, ffn_drop=0.0)
    positions = dict(num_feats=WIDTH // 2, normalize=True)
    encoder_layer = dict(self_attn_cfg=attention | dict(num_levels=3, num_points=4), ffn_cfg=ffn)
    decoder_layer = dict(self_attn_cfg=attention, cross_attn_cfg=attention, ffn_cfg=ffn)
    encoder = dict(num_layers=2, layer_cfg=encoder_layer)
    parts = dict(
        in_channels=CHANNELS,
        num_queries=QUERIES,
        feat_channels=WIDTH,
        out_channels=16,
        positional_encoding=positions,
        pixel_decoder=dict(
            type='MSDeformAttnPixelDecoder', encoder=encoder, positional_encoding=positions
        ),
        transformer_decoder=dict(num_layers=4, layer_cfg=decoder_layer, init_cfg=None),
    )
    # The configs share their parts, and mmdet's constructors change what they are given.
    return copy.deepcopy(parts | kwargs)


@pytest.fixture
def head():
    torch.manual_seed(0)
    head = FrameQueryHead(num_classes=CLASSES, **config())
    head.init_weights()
    return head.eval()


@pytest.fixture
def feats():
    generator = torch.Generator().manual_seed(1)
    return [
        torch.randn(3, channels, 64 // 2**level, 96 // 2**level, generator=generator)
        for level, channels in enumerate(CHANNELS)
    ]


def mmdet_head():
    loss_cls = dict(type='CrossEntropyLoss', class_weight=[1.0] * CLASSES + [0.1])
    things = dict(num_things_classes=CLASSES, num_stuff_classes=0)
    return Mask2FormerHead(**ConfigDict(config(loss_cls=loss_cls)), **things).eval()


@torch.no_grad()
def test_every_layer_is_that_of_mask2former(head, feats):
    reference = mmdet_head()
    reference.load_state_dict(head.state_dict())
    layers, last = head.forward_layers(feats)
    class_logits, mask_logits = reference(feats, None)
    assert len(layers) == len(class_logits) == 5
    for layer, classes, masks in zip(layers, class_logits, mask_logits, strict=True):
        ours = torch.einsum('nqc,nchw->nqhw', layer[1], last.mask_features)
        torch.testing.assert_close(layer[0], classes, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(ours, masks, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_inference_gives_the_last_layer(head, feats):
    layers, last = head.forward_layers(feats)
    queries = head(feats)
    assert queries.class_logits.shape == (3, QUERIES, CLASSES + 1)
    assert queries.mask_embeds.shape == (3, QUERIES, 16)
    assert queries.query_embeds.shape == (3, QUERIES, WIDTH)
    assert queries.mask_features.shape == (3, 16, 64, 96)
    assert torch.equal(queries.class_logits, layers[-1][0])
    assert torch.equal(queries.mask_embeds, layers[-1][1])
    assert torch.equal(queries.query_embeds, last.query_embeds)
    assert torch.equal(queries.mask_features, last.mask_features)
    assert torch.equal(head.cls_embed(queries.query_embeds), queries.class_logits)


@torch.no_grad()
def test_inference_classifies_the_last_layer_only(head, feats):
    calls = []
    head.cls_embed.register_forward_hook(lambda *_: calls.append(1))
    head(feats)
    assert len(calls) == 1


@torch.no_grad()
def test_frames_do_not_depend_on_each_other(head, feats):
    together = head(feats)
    alone = head([feat[1:2] for feat in feats])
    for name, expected in vars(alone).items():
        actual = getattr(together, name)[1:2]
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5)


@pytest.fixture
def one_layer(head):
    """A decoder of one layer whose queries all begin with the same mask."""
    head.transformer_decoder.layers = head.transformer_decoder.layers[:1]
    head.query_feat.weight.data[:] = head.query_feat.weight.data[0].clone()
    return head


def first_mask_embed(head):
    return head.mask_embed(head.transformer_decoder.post_norm(head.query_feat.weight))[0]


@torch.no_grad()
def test_queries_see_their_mask_alone(one_layer, feats):
    _, maps = one_layer.decode_pixels(feats)
    # The first layer looks at the coarsest map; features of its size need no resizing.
    features = torch.randn(3, 16, *maps[0].shape[-2:], generator=torch.Generator().manual_seed(2))
    inside = torch.einsum('c,nchw->nhw', first_mask_embed(one_layer), features)[:, None] >= 0
    assert 0.2 < inside.float().mean() < 0.8

    def decode(coarsest):
        return one_layer.decode_layers(features, [coarsest, *maps[1:]])[1].query_embeds

    expected = decode(maps[0])
    torch.testing.assert_close(decode(maps[0].masked_fill(~inside, 7.0)), expected)
    assert not torch.allclose(decode(maps[0].masked_fill(inside, 7.0)), expected)


@torch.no_grad()
def test_a_query_without_a_mask_attends_everywhere(one_layer, feats):
    mask_features, maps = one_layer.decode_pixels(feats)
    nowhere = -first_mask_embed(one_layer)[None, :, None, None].expand_as(mask_features)
    queries = one_layer.decode_layers(nowhere, maps)[1].query_embeds
    everywhere = one_layer.decode_layers(-nowhere, maps)[1].query_embeds
    assert queries.isfinite().all()
    torch.testing.assert_close(queries, everywhere)


def test_gradients_reach_every_parameter(head, feats):
    layers, last = head.train().forward_layers(feats)
    loss = last.mask_features.square().mean() + last.query_embeds.square().mean()
    for class_logits, mask_embeds in layers:
        loss = loss + class_logits.square().mean() + mask_embeds.square().mean()
    loss.backward()
    without = [name for name, p in head.named_parameters() if p.grad is None]
    assert without == []
    assert all(p.grad.isfinite().all() for p in head.parameters())


@torch.no_grad()
def test_the_pixel_decoder_keeps_float32_under_autocast(head, feats):
    expected, maps = head.decode_pixels(feats)
    half = [feat.bfloat16() for feat in feats]
    rounded, _ = head.decode_pixels([feat.float() for feat in half])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mask_features, autocast_maps = head.decode_pixels(feats)
        from_half, _ = head.decode_pixels(half)
        queries = head(feats)
    assert torch.equal(mask_features, expected)
    assert all(torch.equal(a, b) for a, b in zip(autocast_maps, maps, strict=True))
    assert torch.equal(from_half, rounded)
    assert torch.equal(queries.mask_features, expected)
    assert queries.class_logits.dtype == torch.bfloat16


@torch.no_grad()
def test_odd_sizes(head):
    sizes = [(25, 39), (13, 20), (7, 10), (4, 5)]
    maps = [torch.randn(1, channels, *size) for channels, size in zip(CHANNELS, sizes, strict=True)]
    assert head(maps).mask_logits().shape == (1, QUERIES, 25, 39)


def test_widths_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match='embed_dims is 32, but feat_channels is 64'):
        FrameQueryHead(num_classes=CLASSES, **config(feat_channels=64))
