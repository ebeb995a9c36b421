import helpers
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmvseg.errors import UserError
from mmvseg.models.trackers import temporal_refiner
from mmvseg.registry import MODELS
from mmvseg.testing.parity import REPLAYERS, Comparison, load_case

QUERIES, CHANNELS = 5, 16


def build(seed=0, **kwargs):
    torch.manual_seed(seed)
    config = dict(
        type='TemporalRefiner',
        num_classes=3,
        embed_dims=CHANNELS,
        num_layers=2,
        num_heads=4,
        feedforward_channels=32,
        mask_dims=8,
    )
    return MODELS.build(config | kwargs).eval()


def inputs(num_videos=2, num_frames=7, seed=0):
    """Tracked queries and those of single frames, (B, T, Q, C) each."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, num_videos, num_frames, QUERIES, CHANNELS, generator=generator).unbind()


def reference_attention(attention, query, memory):
    """Attention of torch's own module, maps and all."""
    copy = nn.MultiheadAttention(attention.embed_dim, attention.num_heads, batch_first=True)
    copy.load_state_dict(attention.state_dict())
    return copy.train()(query, memory, memory)[0]


def convolve(conv, x):
    """A convolution over frames (T, C) that repeats the ends of the video."""
    reach = conv.kernel_size[0] // 2
    padded = torch.cat([x[:1].expand(reach, -1), x, x[-1:].expand(reach, -1)])
    return F.conv1d(padded.T, conv.weight, conv.bias).T


def refine_slowly(layer, x, frame_queries):
    """One layer over one video (T, Q, C), query by query and frame by frame."""
    tubes = []
    for tube in x.unbind(1):
        tube = layer.norms[0](
            tube + reference_attention(layer.time_attn, tube[None], tube[None])[0]
        )
        aggregated = convolve(layer.time_conv[2], convolve(layer.time_conv[0], tube).relu())
        tubes.append(layer.norms[1](tube + aggregated))
    frames = []
    for frame, memory in zip(torch.stack(tubes, dim=1), frame_queries, strict=True):
        frame = frame[None]
        frame = layer.norms[2](frame + reference_attention(layer.object_attn, frame, frame))
        frame = layer.norms[3](frame + reference_attention(layer.cross_attn, frame, memory[None]))
        frame = layer.norms[4](frame + layer.ffn[2](layer.ffn[0](frame).relu()))
        frames.append(frame[0])
    return torch.stack(frames)


def test_recorded_case():
    case = load_case(helpers.reference_dir() / 'dvis' / 'temporal_refiner')
    comparison = Comparison(case)
    REPLAYERS[case.kind](case, comparison)
    rows = comparison.finish()
    assert len(rows) == 14
    assert [row for row in rows if not row.passed] == []


@pytest.mark.parametrize('num_frames', [1, 2, 7])
@torch.no_grad()
def test_equals_the_slow_way(num_frames):
    refiner = build()
    tracked, frame_queries = inputs(num_frames=num_frames)
    layers = refiner(tracked, frame_queries, all_layers=True)
    for b in range(2):
        x = tracked[b]
        for layer, actual in zip(refiner.layers, layers, strict=True):
            x = refine_slowly(layer, x, frame_queries[b])
            torch.testing.assert_close(actual[b], x, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_two_videos_in_a_batch_equal_two_runs():
    refiner, (tracked, frame_queries) = build(), inputs()
    together = refiner.normalise(refiner(tracked, frame_queries)[-1])
    for b in range(2):
        alone = refiner(tracked[b : b + 1], frame_queries[b : b + 1])[-1]
        alone = refiner.normalise(alone)
        torch.testing.assert_close(together[b : b + 1], alone, rtol=1e-4, atol=1e-5)
        scores = refiner.classify(together)[b : b + 1]
        torch.testing.assert_close(scores, refiner.classify(alone), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('tokens', [1, 9, 30])
@torch.no_grad()
def test_chunks_change_nothing(monkeypatch, tokens):
    refiner, sequences = build().double(), [x.double() for x in inputs()]
    with torch.enable_grad():
        expected = refiner(*sequences)[-1]
    monkeypatch.setattr(temporal_refiner, 'CHUNK_TOKENS', tokens)
    actual = refiner(*sequences)[-1]
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


@torch.no_grad()
def test_order_of_queries_does_not_matter():
    refiner, (tracked, frame_queries) = build(), inputs()
    order = torch.randperm(QUERIES)
    plain = refiner(tracked, frame_queries)[-1]
    # Tracks may come in any order, and so may the queries of the frames that they attend to.
    moved = refiner(tracked[:, :, order], frame_queries[:, :, order.flip(0)])[-1]
    torch.testing.assert_close(moved, plain[:, :, order], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_all_frames_of_a_query_are_heard_in_all_others():
    refiner, (tracked, frame_queries) = build(num_layers=1), inputs(num_videos=1, num_frames=12)
    plain = refiner(tracked, frame_queries)[-1]
    tracked = tracked.clone()
    tracked[0, 0, 2] += 1
    change = (refiner(tracked, frame_queries)[-1] - plain).abs().amax((0, 2, 3))
    assert (change > 1e-5).all()


@torch.no_grad()
def test_classes_are_of_whole_tracks():
    refiner, (tracked, frame_queries) = build(), inputs()
    embeds = refiner.normalise(refiner(tracked, frame_queries)[-1])
    logits = refiner.classify(embeds)
    assert logits.shape == (2, QUERIES, 4)
    for b in range(2):
        for q in range(QUERIES):
            tube = embeds[b, :, q]  # (T, C)
            weights = refiner.activation_proj(tube)[:, 0].exp()
            fused = (weights[:, None] * tube).sum(0) / weights.sum()
            torch.testing.assert_close(logits[b, q], refiner.class_embed(fused))
    assert refiner.embed_masks(embeds[:, :, :2]).shape == (2, 7, 2, 8)


def test_all_layers_in_training_only_the_last_else():
    refiner, sequences = build(), inputs()
    (last,) = refiner(*sequences)
    layers = refiner(*sequences, all_layers=True)
    assert len(layers) == 2
    assert torch.equal(layers[-1], last)
    refiner.train()
    assert len(refiner(*sequences)) == 2
    assert len(refiner(*sequences, all_layers=False)) == 1


def test_gradients_reach_all_parameters():
    refiner = build().train()
    tracked, frame_queries = (tensor.clone().requires_grad_() for tensor in inputs())
    embeds = [refiner.normalise(layer) for layer in refiner(tracked, frame_queries)]
    loss = sum(
        refiner.classify(x).pow(2).mean() + refiner.embed_masks(x).pow(2).mean() for x in embeds
    )
    loss.backward()
    # The softmax over frames cancels what is added to all of them.
    without = [name for name, p in refiner.named_parameters() if p.grad.abs().sum() < 1e-7]
    assert without == ['activation_proj.bias']
    assert (tracked.grad.abs().sum((2, 3)) > 0).all()
    assert (frame_queries.grad.abs().sum((2, 3)) > 0).all()


@torch.no_grad()
def test_no_attention_map_of_all_frames_exists():
    """At 4096 frames the map of a single head takes 64 MiB."""
    refiner = build(num_layers=1)
    sequences = [torch.randn(1, 4096, 1, CHANNELS) for _ in range(2)]
    with torch.profiler.profile(profile_memory=True) as profile:
        refiner(*sequences)
    largest = max(event.cpu_memory_usage for event in profile.events())
    assert 4 * 4096 * CHANNELS <= largest < 4 * 4096 * 4096


def test_user_errors():
    with pytest.raises(UserError, match='embed_dims=16 cannot be split among num_heads=5'):
        build(num_heads=5)
    with pytest.raises(UserError, match=r'embed_dims is 16, .* 8 channels'):
        build()(torch.rand(1, 2, QUERIES, 8), torch.rand(1, 2, QUERIES, 8))
