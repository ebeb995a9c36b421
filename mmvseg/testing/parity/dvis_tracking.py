"""Replay recorded cases of the referring tracker and the temporal refiner."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mmvseg.models.trackers import ReferringTracker, TemporalRefiner, TrackerOutput, TrackerState

from .case import Case, Comparison


def tracking_config(original: dict) -> dict:
    """Arguments of tracker or refiner from the published model's settings."""
    return dict(
        num_classes=original['class_num'],
        embed_dims=original['hidden_channel'],
        num_layers=original['decoder_layer_num'],
        num_heads=original['num_head'],
        feedforward_channels=original['feedforward_channel'],
        mask_dims=original['mask_dim'],
    )


@torch.no_grad()
def replay_referring_tracker(case: Case, comparison: Comparison) -> None:
    """A whole video, the same in two windows, and every frame referring to itself."""
    config = case.config['config']
    tracker = ReferringTracker(**tracking_config(config['tracker']))
    case.load_weights(tracker, published='tracker.', ours='tracker.')
    queries = case.inputs['frame_embeds'].permute(0, 2, 3, 1)  # (B, T, Q, C)
    mask_features = case.inputs['mask_features']
    comparison.close('frame_forward', tracker.refer_to_self(queries).permute(0, 3, 1, 2))
    tracker.train()  # for the outputs of all layers; it has no dropout
    split = config['split']
    windows = dict(full=slice(None), win0=slice(split), win1=slice(split, None))
    states: dict[str, TrackerState] = {}
    for name, window in windows.items():
        output = tracker(queries[:, window], states.get('win0') if name == 'win1' else None)
        states[name] = output.state
        _compare_predictions(
            name, tracker, output.layers, mask_features[:, window], comparison, one_class=False
        )
        _compare_memory(name, output, queries[:, window], comparison)


@torch.no_grad()
def replay_temporal_refiner(case: Case, comparison: Comparison) -> None:
    """Two videos; the published windows of mask prediction change nothing."""
    refiner = TemporalRefiner(**tracking_config(case.config['config']['refiner']))
    case.load_weights(refiner, published='refiner.', ours='refiner.')
    tracked, frame_queries = (
        case.inputs[name].permute(0, 2, 3, 1) for name in ('instance_embeds', 'frame_embeds')
    )  # (B, T, Q, C)
    last = refiner(tracked, frame_queries)[-1]
    refiner.train()  # for the outputs of all layers; it has no dropout
    layers = refiner(tracked, frame_queries)
    for name, outputs in (('eval', [*layers[:-1], last]), ('train', layers)):
        _compare_predictions(
            name, refiner, outputs, case.inputs['mask_features'], comparison, one_class=True
        )


def _compare_predictions(
    name: str,
    module: ReferringTracker | TemporalRefiner,
    layers: Sequence[Tensor],
    mask_features: Tensor,
    comparison: Comparison,
    *,
    one_class: bool,
) -> None:
    prefixes = [f'{name}.aux_outputs.{i}.' for i in range(len(layers) - 1)] + [f'{name}.']
    for prefix, layer in zip(prefixes, layers, strict=True):
        embeds = module.normalise(layer)  # (B, T, Q, C)
        class_logits = module.classify(embeds)
        if one_class:  # recorded once a frame
            class_logits = class_logits[:, None].expand(-1, embeds.shape[1], -1, -1)
        masks = torch.einsum('btqc,btchw->bqthw', module.embed_masks(embeds), mask_features)
        comparison.close(f'{prefix}pred_logits', class_logits)
        comparison.close(f'{prefix}pred_masks', masks)
    comparison.close(f'{name}.pred_embds', embeds.permute(0, 3, 1, 2))


def _compare_memory(
    name: str, output: TrackerOutput, queries: Tensor, comparison: Comparison
) -> None:
    comparison.equal(f'{name}.indices', output.permutations[0])
    memory = [queries[:, -1], *(layer[:, -1] for layer in output.layers)]
    comparison.close(f'{name}.last_outputs', torch.stack(memory).transpose(1, 2))
    comparison.close(f'{name}.last_frame_embeds', output.state.references.transpose(0, 1))
