import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from scipy.optimize import linear_sum_assignment

from mmvseg.errors import UserError
from mmvseg.models.trackers import chain_queries, match_frames

CYCLE = torch.tensor([1, 2, 0])


def shuffled(permutations, num_queries, channels=16, noise=0.1, seed=0):
    """Frames (T, Q, C) of the same objects: query k of frame t is ``permutations[t][k]``."""
    generator = torch.Generator().manual_seed(seed)
    objects = torch.randn(num_queries, channels, generator=generator)
    frames = [objects[permutation] for permutation in permutations]
    frames = torch.stack(frames)
    return frames + noise * torch.randn(frames.shape, generator=generator)


def match_frame_by_frame(queries, references, alignment, epsilon):
    """The published loop: re-order a frame, compare the next one with it."""
    order = []
    for current in queries:
        if references is None:
            permutation = torch.arange(len(current))
        else:
            rows = references / (references.norm(dim=1, keepdim=True) + epsilon)
            columns = current / (current.norm(dim=1, keepdim=True) + epsilon)
            cost = 1 - rows @ columns.T
            if alignment == 'inverse':
                cost = cost.T
            permutation = torch.from_numpy(linear_sum_assignment(cost.numpy())[1])
        references = current[permutation]
        order.append(permutation)
    return torch.stack(order)


permutations_of_frames = st.integers(1, 6).flatmap(
    lambda num_queries: st.lists(st.permutations(range(num_queries)), min_size=1, max_size=6)
)


@settings(deadline=None, max_examples=60)
@given(permutations_of_frames, st.sampled_from(['inverse', 'true']), st.booleans())
def test_one_table_of_neighbours_serves_all_frames(permutations, alignment, goes_on):
    num_queries = len(permutations[0])
    queries = shuffled(permutations, num_queries)
    references = shuffled([range(num_queries)], num_queries, seed=1)[0] if goes_on else None
    expected = match_frame_by_frame(queries, references, alignment, 1e-6)
    given_references = None if references is None else references[None]
    actual = match_frames(queries[None], given_references, alignment, epsilon=1e-6)[0]
    assert actual.tolist() == expected.tolist()


@settings(deadline=None, max_examples=60)
@given(permutations_of_frames)
def test_true_alignment_follows_every_object(permutations):
    queries = shuffled(permutations, len(permutations[0]), noise=1e-3)
    order = match_frames(queries[None], None, 'true')[0]
    objects = torch.tensor(permutations).gather(1, order)
    assert (objects == objects[0]).all()
    assert order[0].tolist() == list(range(len(permutations[0])))


@settings(deadline=None, max_examples=60)
@given(permutations_of_frames, st.integers(1, 5), st.sampled_from(['inverse', 'true']))
def test_permutations_compose_over_windows(permutations, window, alignment):
    queries = shuffled(permutations, len(permutations[0]))[None]
    whole = match_frames(queries, None, alignment)
    parts, references = [], None
    for part in queries.split(window, dim=1):
        parts.append(match_frames(part, references, alignment))
        references = part[:, -1].gather(1, parts[-1][:, -1, :, None].expand_as(part[:, -1]))
    assert torch.equal(torch.cat(parts, dim=1), whole)


def test_inverse_alignment_is_right_for_swaps_and_wrong_for_cycles():
    identity, swap = torch.arange(3), torch.tensor([1, 0, 2])

    def objects(permutation, alignment):
        queries = shuffled([identity, permutation], 3, noise=0)
        return permutation[match_frames(queries[None], None, alignment)[0, 1]].tolist()

    assert objects(swap, 'true') == objects(swap, 'inverse') == [0, 1, 2]
    assert objects(CYCLE, 'true') == [0, 1, 2]
    assert objects(CYCLE, 'inverse') == [2, 0, 1]


def test_each_video_of_a_batch_is_matched_by_itself():
    frames = [shuffled([torch.arange(5), torch.randperm(5)], 5, seed=seed) for seed in range(3)]
    references = [shuffled([torch.arange(5)], 5, seed=seed + 9)[0] for seed in range(3)]
    together = match_frames(torch.stack(frames), torch.stack(references), 'true')
    for video, reference, order in zip(frames, references, together, strict=True):
        assert torch.equal(match_frames(video[None], reference[None], 'true')[0], order)


def test_length_of_vectors_does_not_matter():
    queries = shuffled([torch.arange(4), torch.randperm(4), torch.randperm(4)], 4)
    scaled = queries * torch.rand(3, 4, 1).add(0.1)
    assert torch.equal(
        match_frames(queries[None], None, 'true'), match_frames(scaled[None], None, 'true')
    )


def test_the_first_frame_keeps_its_order_even_if_queries_are_equal():
    assert match_frames(torch.ones(1, 1, 4, 8), None, 'inverse').tolist() == [[[0, 1, 2, 3]]]


def test_queries_of_zeros_leave_the_others_alone():
    queries = shuffled([torch.arange(4), torch.tensor([2, 0, 3, 1])], 4)
    queries[:, 0] = 0
    order = match_frames(queries[None], None, 'true')[0, 1]
    assert sorted(order.tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
@pytest.mark.parametrize('frame', [0, 1, 2])
def test_the_first_frame_that_is_not_finite_is_named(bad, frame):
    queries = torch.randn(2, 3, 4, 8)
    queries[1, frame, 2, 5] = bad
    with pytest.raises(UserError, match=rf'frame {frame} of clip 1 .* not finite'):
        match_frames(queries, None, 'true')
    with pytest.raises(UserError, match=rf'frame {frame} of clip 1 .* not finite'):
        match_frames(queries, torch.randn(2, 4, 8), 'inverse')


def test_half_precision_and_autocast_match_in_float32():
    queries = shuffled([torch.arange(9), torch.randperm(9), torch.randperm(9)], 9).bfloat16()
    expected = match_frames(queries.float()[None], None, 'true')
    assert torch.equal(match_frames(queries[None], None, 'true'), expected)
    close = torch.randn(1, 9, 64) + 1e-3 * torch.randn(8, 9, 64)  # bfloat16 sees no difference
    expected = match_frames(close[None], None, 'true')
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(match_frames(close[None], None, 'true'), expected)


def test_chain_goes_on_where_it_stopped():
    queries = shuffled([torch.randperm(5) for _ in range(6)], 5)
    whole, references = chain_queries(queries)
    first, memory = chain_queries(queries[:2])
    second, memory = chain_queries(queries[2:], memory)
    assert torch.equal(torch.cat([first, second]), whole)
    assert torch.equal(memory, references)
    assert torch.equal(whole, match_frame_by_frame(queries, None, 'true', 0))
