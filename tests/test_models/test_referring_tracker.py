import helpers
import pytest
import torch
from torch import nn

from mmvseg.errors import UserError
from mmvseg.models.trackers import TrackerState
from mmvseg.registry import MODELS
from mmvseg.testing.parity import REPLAYERS, Comparison, load_case

QUERIES, CHANNELS = 6, 16


def build(seed=0, **kwargs):
    torch.manual_seed(seed)
    config = dict(
        type='ReferringTracker',
        num_classes=3,
        embed_dims=CHANNELS,
        num_layers=3,
        num_heads=4,
        feedforward_channels=32,
        mask_dims=8,
    )
    return MODELS.build(config | kwargs).eval()


def videos(num_videos=1, num_frames=5, seed=0):
    """Queries of objects that change little but come in any order, (B, T, Q, C)."""
    generator = torch.Generator().manual_seed(seed)
    objects = torch.randn(num_videos, 1, QUERIES, CHANNELS, generator=generator)
    shape = (num_videos, num_frames, QUERIES, CHANNELS)
    queries = objects + 0.3 * torch.randn(shape, generator=generator)
    order = torch.rand(shape[:3], generator=generator).argsort(dim=2)
    return queries.gather(2, order[..., None].expand_as(queries))


def reference_attention(attention, query, memory):
    """Attention of torch's own module, maps and all."""
    copy = nn.MultiheadAttention(attention.embed_dim, attention.num_heads, batch_first=True)
    copy.load_state_dict(attention.state_dict())
    return copy.train()(query, memory, memory)[0]


def track_slowly(tracker, queries, permutations):
    """The published loop over frames (1, Q, C) and layers, as the paper's equations read."""
    previous, frames = None, []
    for frame, permutation in zip(queries, permutations, strict=True):
        memory = frame[None]
        x = memory[:, permutation]
        layers = []
        for layer in tracker.layers:
            query = x if previous is None else previous
            x = layer.norms[0](x + reference_attention(layer.cross_attn, query, memory))
            x = layer.norms[1](x + reference_attention(layer.self_attn, x, x))
            x = layer.norms[2](x + layer.ffn[2](layer.ffn[0](x).relu()))
            layers.append(x)
        previous = x
        frames.append(torch.cat(layers))
    return torch.stack(frames, dim=1)  # (L, T, Q, C)


def test_recorded_case():
    case = load_case(helpers.reference_dir() / 'dvis' / 'referring_tracker')
    comparison = Comparison(case)
    REPLAYERS[case.kind](case, comparison)
    rows = comparison.finish()
    assert len(rows) == 31
    assert [row for row in rows if not row.passed] == []


@pytest.mark.parametrize('alignment', ['inverse', 'true'])
@torch.no_grad()
def test_equals_the_slow_loop(alignment):
    tracker, queries = build(alignment=alignment), videos()
    tracked = tracker(queries, all_layers=True)
    expected = track_slowly(tracker, queries[0], tracked.permutations[0])
    actual = torch.cat(tracked.layers)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_two_videos_in_a_batch_equal_two_runs():
    tracker, queries = build(), videos(num_videos=2)
    together = tracker(queries, all_layers=True)
    assert not torch.equal(*together.permutations)
    again = tracker(queries.flip(1), together.state)
    for b in range(2):
        alone = tracker(queries[b : b + 1], all_layers=True)
        for actual, expected in zip(together.layers, alone.layers, strict=True):
            torch.testing.assert_close(actual[b], expected[0], rtol=1e-5, atol=1e-5)
        assert torch.equal(together.permutations[b], alone.permutations[0])
        alone = tracker(queries[b : b + 1].flip(1), alone.state)
        torch.testing.assert_close(again.layers[-1][b], alone.layers[-1][0], rtol=1e-5, atol=1e-5)
        assert torch.equal(again.permutations[b], alone.permutations[0])


@pytest.mark.parametrize('window', [1, 2, 3])
@torch.no_grad()
def test_windows_equal_the_whole_video(window):
    tracker, queries = build(), videos(num_videos=2)
    whole = tracker(queries)
    parts, permutations, state = [], [], None
    for part in queries.split(window, dim=1):
        tracked = tracker(part, state)
        state = tracked.state
        parts.append(tracked.layers[-1])
        permutations.append(tracked.permutations)
    assert torch.equal(torch.cat(permutations, dim=1), whole.permutations)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole.layers[-1], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state.outputs, whole.state.outputs, rtol=1e-5, atol=1e-5)
    assert torch.equal(state.references, whole.state.references)


@torch.no_grad()
def test_interleaved_videos_do_not_mix():
    tracker = build()
    first, second = videos(seed=1), videos(seed=2)
    expected = [tracker(video).layers[-1] for video in (first, second)]
    states: list[TrackerState | None] = [None, None]
    outputs = [[], []]
    for t in range(first.shape[1]):
        for number, video in enumerate((first, second)):
            tracked = tracker(video[:, t : t + 1], states[number])
            states[number] = tracked.state
            outputs[number].append(tracked.layers[-1])
    for actual, whole in zip(outputs, expected, strict=True):
        torch.testing.assert_close(torch.cat(actual, dim=1), whole, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_one_frame_refers_to_itself():
    tracker, queries = build(), videos(num_videos=2, num_frames=1)
    tracked = tracker(queries)
    expected = tracker.refer_to_self(queries)
    assert tracked.permutations.tolist() == [[list(range(QUERIES))]] * 2
    torch.testing.assert_close(tracker.normalise(tracked.layers[-1]), expected)


@torch.no_grad()
def test_refer_to_self_takes_each_frame_as_the_first():
    tracker, queries = build(), videos(num_videos=2, num_frames=3)
    together = tracker.refer_to_self(queries)
    for t in range(3):
        alone = tracker.normalise(tracker(queries[:, t : t + 1]).layers[-1])
        torch.testing.assert_close(together[:, t : t + 1], alone, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_heads():
    tracker = build()
    embeds = tracker.normalise(tracker(videos(2)).layers[-1])
    assert embeds.mean(-1).abs().max() < 1e-5
    assert tracker.classify(embeds).shape == (2, 5, QUERIES, 4)
    assert tracker.embed_masks(embeds).shape == (2, 5, QUERIES, 8)
    assert tracker.embed_masks(embeds[0, 0]).shape == (QUERIES, 8)


def test_all_layers_in_training_only_the_last_else():
    tracker, queries = build(), videos()
    (last,) = tracker(queries).layers
    layers = tracker(queries, all_layers=True).layers
    assert len(layers) == 3
    assert torch.equal(layers[-1], last)
    tracker.train()
    assert len(tracker(queries).layers) == 3
    assert len(tracker(queries, all_layers=False).layers) == 1


def test_gradients_reach_all_parameters():
    tracker = build().train()
    tracked = tracker(videos(num_videos=2))
    for layer in tracked.layers:
        assert layer.shape == (2, 5, QUERIES, CHANNELS)
    embeds = tracker.normalise(torch.stack(tracked.layers))
    (tracker.classify(embeds).pow(2).mean() + tracker.embed_masks(embeds).pow(2).mean()).backward()
    without = [name for name, p in tracker.named_parameters() if not p.grad.abs().sum()]
    assert without == []


def test_gradients_flow_through_the_frames_before_but_not_through_the_state_of_another_call():
    tracker = build().train()
    queries = videos(num_frames=4).requires_grad_()
    tracker(queries).layers[-1][:, -1].pow(3).sum().backward()
    assert (queries.grad[0].abs().sum((1, 2)) > 0).all()
    with torch.no_grad():
        state = tracker(videos(num_frames=2)).state
    queries = videos(num_frames=2).requires_grad_()
    tracker(queries, state).layers[-1][:, 0].pow(3).sum().backward()
    assert queries.grad[0, 0].abs().sum() > 0
    assert queries.grad[0, 1].abs().sum() == 0


def test_references_are_the_aligned_queries():
    tracker, queries = build(alignment='true'), videos(num_videos=2)
    tracked = tracker(queries)
    for b in range(2):
        last = queries[b, -1][tracked.permutations[b, -1]]
        assert torch.equal(tracked.state.references[b], last)
        similarity = torch.cosine_similarity(last, queries[b, 0], dim=1)
        assert similarity.min() > 0.6


@torch.no_grad()
def test_autocast_tracks_the_same_objects():
    tracker, queries = build(), videos()
    exact = tracker(queries)
    with torch.autocast('cpu', torch.bfloat16):
        half = tracker(queries)
    assert torch.equal(half.permutations, exact.permutations)
    torch.testing.assert_close(half.layers[-1].float(), exact.layers[-1], rtol=0.1, atol=0.1)


def test_user_errors():
    with pytest.raises(UserError, match=r"model\.tracker\.alignment is 'false'"):
        build(alignment='false')
    with pytest.raises(UserError, match='embed_dims=16 cannot be split among num_heads=3'):
        build(num_heads=3)
    with pytest.raises(UserError, match=r'embed_dims is 16, .* 8 channels'):
        build()(torch.rand(1, 2, QUERIES, 8))
    queries = videos(num_videos=2)
    queries[1, 3, 0] = float('nan')
    with pytest.raises(UserError, match=r'frame 3 of clip 1 .* not finite'):
        build()(queries)
