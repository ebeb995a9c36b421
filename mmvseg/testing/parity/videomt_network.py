"""Replay recorded passes of the networks of EoMT, VidEoMT and PMT."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mmvseg.engine.hooks.mask_annealing_hook import MaskAnnealingHook
from mmvseg.models.backbones.rotary import RotaryPositions
from mmvseg.models.losses import QueryPredictions
from mmvseg.models.segmentors.eomt import EoMT
from mmvseg.models.segmentors.pmt import PMT
from mmvseg.models.segmentors.videomt import VidEoMT
from mmvseg.structures import ClipQueries, FrameQueries

from .case import Case, Comparison
from .dvis_video import video_windows
from .recorded_losses import recorded_rand, tap
from .videomt_model import load_model, recorded_scale


@torch.no_grad()
def replay_encoder_queries(case: Case, comparison: Comparison) -> None:
    """Tokens after every block, predictions before every query block and at the end."""
    model = load_model(case, supervise_last_input=True)
    pixels = case.inputs['pixels']
    comparison.close('tokens.embedded', model.backbone.embed(pixels).tokens)
    with outputs_of(model.backbone.blocks) as tokens:
        image = model.encode(pixels)
        queries = model.panoptic_head.learned_queries(len(pixels))
        sequences = list(model.decode(image, queries))
    for number, output in enumerate(tokens):
        comparison.close(f'tokens.block.{number}', output)
    _compare_layers('layer.', model.predict_layers(sequences, image.grid)[:-1], comparison)
    _compare_final('', model.read(sequences[-1], image.grid), comparison)
    comparison.close('propagated_queries', model.propagate(sequences[-1]))
    if image.rotation is None:
        return
    _compare_rotation(model.backbone.rotary, image.grid, comparison)
    model.backbone.rotary.train()
    with recorded_scale(case.inputs['rope_rescale']):
        scaled = model.segment(model.encode(pixels))
    _compare_final('train_rope.', scaled, comparison)


@torch.no_grad()
def replay_stream(case: Case, comparison: Comparison) -> None:
    """A video in windows of several lengths, and two clips at once."""
    model = load_model(case, supervise_last_input=True)
    _compare_stream(model, case, comparison)
    if 'batch_images' not in case.inputs:
        return
    second = case.inputs['batch_images']
    first = case.inputs['images'][: len(second)]
    clips = torch.stack([_pixels(model, first), _pixels(model, second)])
    sequences, grid = model.decode_clips(clips)
    layers = model.predict_layers([layer.flatten(0, 1) for layer in sequences], grid)
    _compare_layers('batch.layer.', layers[:-1], comparison, tuple(clips.shape[:2]))
    _compare_final('batch.', model.raw_outputs(clips), comparison)


@torch.no_grad()
def replay_pmt_stream(case: Case, comparison: Comparison) -> None:
    """The same of PMT, and its lateral projections."""
    model: PMT = load_model(case, supervise_last_input=True)
    _compare_stream(model, case, comparison)
    num_frames = case.config['config']['batch_frames']
    clip = _pixels(model, case.inputs['images'][:num_frames])[None]
    norm, block = model.laterals[0].norm, model.decoder.blocks[0]
    with outputs_of([norm, block]) as outputs, inputs_of(norm) as taps:
        sequences, grid = model.decode_clips(clip)
    images = (num_frames, -1)
    comparison.close('lateral.0.encoder', taps[0].unflatten(0, images)[:1])
    comparison.close('lateral.0.normed', outputs[0].unflatten(0, images)[:1])
    comparison.close('block.0', outputs[1][0])
    comparison.close('lateral_sum', model.encode(clip[0]).tokens)
    layers = model.predict_layers([layer[0] for layer in sequences], grid)
    _compare_layers('layer.', layers[:-1], comparison)
    _compare_rotation(model.backbone.rotary or model.decoder.rotary, grid, comparison)


@torch.no_grad()
def replay_masked_attention(case: Case, comparison: Comparison) -> None:
    """EoMT with all, some and none of its queries masked, and the annealing of their share."""
    config = case.config['config']
    model = load_model(case)
    pixels = _pixels(model, case.inputs['images'])
    model.train()
    shares = dict(full=[1.0] * config['num_blocks'], mixed=config['probs'])
    shares['off'] = [0.0] * config['num_blocks']
    for mode, probabilities in shares.items():
        model.mask_probabilities.copy_(torch.tensor(probabilities))
        image, masks = model.encode(pixels), []
        numbers = {
            name: case.inputs[name] for name in case.inputs if name.startswith(f'{mode}.rand.')
        }
        with recorded_rand(numbers, f'{mode}.rand.'), tap(model, '_visible', masks.append):
            queries = model.panoptic_head.learned_queries(len(pixels))
            sequences = list(model.decode(image, queries))
        _compare_layers(f'{mode}.layer.', model.predict_layers(sequences, image.grid), comparison)
        for block, visible in enumerate(masks):
            if visible is not None:
                from_queries = visible[:, 0, : queries.shape[1], -image.grid[0] * image.grid[1] :]
                comparison.equal(f'{mode}.attn_mask.{block}', from_queries.to(torch.uint8))
    model.eval()
    _compare_final('disabled.layer.0.', model.segment(model.encode(pixels)), comparison)
    _compare_annealing(case, comparison)


def _compare_stream(model: VidEoMT, case: Case, comparison: Comparison) -> None:
    """Every frame's outputs, and the queries that go from frame to frame, in several windows."""
    for length in (len(case.inputs['images']), 1, 2):
        outputs, queries_in = [], [model.panoptic_head.learned_queries(1)]
        with inputs_of(model.query_updater) as queries_out:
            state = None
            for window in video_windows(case, case.inputs['images'], length):
                state = state or model.begin(window.sample)
                for frame in model.track(state, window):
                    outputs.append(frame)
                    queries_in.append(state.memory)
        *queries_in, state_after = queries_in
        comparison.close('pred_logits', torch.cat([frame.class_logits for frame in outputs]))
        comparison.close('pred_masks', torch.cat([frame.mask_logits() for frame in outputs]))
        comparison.close('queries_in', torch.cat(queries_in))
        comparison.close('queries_out', torch.cat(queries_out))
        comparison.close('state_after', state_after[0])


def _compare_layers(
    prefix: str,
    layers: Sequence[QueryPredictions],
    comparison: Comparison,
    clips: tuple[int, ...] | None = None,
) -> None:
    """Predictions of layers for images (N, …), or for ``clips`` (B, T) of them."""
    for number, layer in enumerate(layers):
        masks = torch.stack([layer.mask_logits(image) for image in range(layer.num_images)])
        logits = layer.class_logits
        if clips is not None:
            logits, masks = logits.unflatten(0, clips), masks.unflatten(0, clips)
        comparison.close(f'{prefix}{number}.pred_logits', logits)
        comparison.close(f'{prefix}{number}.pred_masks', masks)


def _compare_final(
    prefix: str, queries: FrameQueries | ClipQueries, comparison: Comparison
) -> None:
    masks = queries.mask_logits()
    if isinstance(queries, ClipQueries):
        masks = masks.transpose(1, 2)  # (B, T, Q, h, w)
    comparison.close(f'{prefix}pred_logits', queries.class_logits)
    comparison.close(f'{prefix}pred_masks', masks)


def _compare_rotation(
    rotary: RotaryPositions, grid: tuple[int, int], comparison: Comparison
) -> None:
    rotation = rotary(grid)
    comparison.close('rope.cos', rotation.cos)
    comparison.close('rope.sin', rotation.sin)


def _compare_annealing(case: Case, comparison: Comparison) -> None:
    start, end, steps = (case.inputs[f'annealing.{name}'] for name in ('start', 'end', 'steps'))
    hook = MaskAnnealingHook(start.tolist(), end.tolist())
    probabilities = [hook.probabilities(step) for step in steps.tolist()]
    comparison.close('annealing.probs', torch.tensor(probabilities))


def _pixels(model: EoMT, frames: Tensor) -> Tensor:
    """Frames (T, 3, h, w) as the network takes them."""
    return model.data_preprocessor.normalise(frames, model.data_preprocessor.padded_size([frames]))


@contextmanager
def outputs_of(modules: Iterable[nn.Module]) -> Iterator[list[Tensor]]:
    """What modules return, in order of the calls."""
    outputs: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda _, __, output: outputs.append(output))
        for module in modules
    ]
    try:
        yield outputs
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def inputs_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """What a module is given, in order of the calls."""
    inputs: list[Tensor] = []
    hook = module.register_forward_pre_hook(lambda _, arguments: inputs.append(arguments[0]))
    try:
        yield inputs
    finally:
        hook.remove()
