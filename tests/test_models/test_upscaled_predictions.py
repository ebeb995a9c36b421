"""Features that are made when they are needed give what kept ones do, and are not kept."""

import query_cases as cases
import torch
import torch.distributed as dist
from token_models import kept_shapes, randomise
from torch import nn
from two_processes import in_two_processes

from mmvseg.errors import NonFiniteError
from mmvseg.models.heads.token_query_head import UpscaleBlock
from mmvseg.models.losses import QueryCriterion, QueryPredictions, UpscaledPredictions

CHANNELS, LARGE = 5, (1, 5, 8, 16)


def both():
    """The same predictions of three images with kept features and with features on demand."""
    torch.manual_seed(0)
    upscale = randomise(nn.Sequential(UpscaleBlock(CHANNELS), UpscaleBlock(CHANNELS)))
    logits = torch.randn(3, cases.Q, cases.K + 1, requires_grad=True)
    embeds = torch.randn(3, 1, cases.Q, CHANNELS, requires_grad=True)
    patches = torch.randn(3, CHANNELS, 2, 4, requires_grad=True)
    kept = QueryPredictions(logits, embeds, upscale(patches)[:, None])
    on_demand = UpscaledPredictions(logits, embeds, patches[:, None], upscale)
    return kept, on_demand, [logits, embeds, patches, *upscale.parameters()]


def losses(predicted):
    torch.manual_seed(0)
    criterion = QueryCriterion(cases.K, dict(type='QueryMatcher'), num_points=30)
    targets = [cases.targets(labels, i) for i, labels in enumerate([[1, 0], [], [0]])]
    return criterion([predicted], targets, videos='abc')


def test_masks_of_all_queries_and_of_some():
    kept, on_demand, _ = both()
    some = [torch.tensor([2, 0]), torch.tensor([], dtype=torch.long), torch.tensor([3])]
    expected = torch.stack([kept.mask_logits(image) for image in range(3)])
    selected = torch.cat([expected[0, [2, 0]], expected[2, [3]]])
    for mode in (torch.enable_grad, torch.no_grad):
        with mode():
            found = torch.stack([on_demand.mask_logits(image) for image in range(3)])
            torch.testing.assert_close(found, expected)
            torch.testing.assert_close(on_demand.selected_mask_logits(some), selected)
            torch.testing.assert_close(kept.selected_mask_logits(some), selected)


def test_losses_and_gradients():
    kept, on_demand, parts = both()
    expected, actual = losses(kept), losses(on_demand)
    for name, loss in expected.items():
        torch.testing.assert_close(actual[name], loss)
    wanted = torch.autograd.grad(sum(expected.values()), parts)
    for ours, other in zip(torch.autograd.grad(sum(actual.values()), parts), wanted, strict=True):
        torch.testing.assert_close(ours, other)


def test_upscaled_features_are_not_kept():
    with kept_shapes() as shapes:
        kept, _, _ = both()
        losses(kept)
    assert any(shape[-3:] == LARGE[1:] for shape in shapes)
    _, on_demand, _ = both()
    with kept_shapes() as shapes:
        loss = losses(on_demand)
    assert shapes
    assert not any(shape[-3:] == LARGE[1:] or shape[-3:] == (8, 16, 5) for shape in shapes)
    sum(loss.values()).backward()


def test_one_image_is_upscaled_at_a_time():
    _, on_demand, _ = both()
    seen = []
    on_demand.upscale.register_forward_hook(lambda module, args, output: seen.append(output.shape))
    QueryCriterion(cases.K, dict(type='QueryMatcher')).matcher.match(
        on_demand, [cases.targets([0])] * 3, 1, 'abc'
    )
    assert [tuple(shape) for shape in seen] == [LARGE] * 3


def break_on_one_process(rank):
    dist.init_process_group('gloo')
    _, on_demand, _ = both()
    if rank == 1:
        on_demand.upscale[0].norm.bias.data[0] = float('inf')
    try:
        losses(on_demand)
    except NonFiniteError as error:
        return str(error)


def test_features_that_are_not_finite_stop_all_processes_together():
    healthy, broken = in_two_processes(break_on_one_process)
    assert broken.startswith("video 'a': the cost matrix of the matching: training has diverged")
    assert healthy.startswith('predictions of another process: training has diverged')


def test_under_autocast_features_are_made_in_half_precision_and_masks_are_not():
    _, on_demand, parts = both()
    seen = []
    on_demand.upscale[0].deconv.register_forward_hook(
        lambda module, args, output: seen.append(output.dtype)
    )
    with torch.autocast('cpu', torch.bfloat16):
        masks = on_demand.mask_logits(0)
        found = losses(on_demand)
    assert masks.dtype == torch.float32
    assert set(seen) == {torch.bfloat16}  # as kept features are, also inside the criterion
    sum(found.values()).backward()
    assert all(part.grad.isfinite().all() for part in parts)
