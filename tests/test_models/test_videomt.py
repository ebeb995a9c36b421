import pytest
import torch
from dvis_models import batch, video, windows
from query_cases import fix_points
from token_models import CLASSES, QUERIES, build, config, gradients

from mmvseg.errors import UserError
from mmvseg.registry import MODELS

#: Parameters of the published models by width, blocks, heads, positions and classes.
PUBLISHED = {
    (384, 12, 6, 'DINOv2', 40): 24_087_977,
    (768, 12, 12, 'DINOv2', 40): 94_182_185,
    (1024, 24, 16, 'DINOv2', 40): 317_649_961,
    (1024, 24, 16, 'DINOv3', 40): 315_986_985,
    (1024, 24, 16, 'DINOv2', 25): 317_634_586,
}


def by_hand(model, clip):
    """Tokens of frames (T, 3, H, W) after the last block, one frame after the other."""
    learned, outputs = model.panoptic_head.query_feat.weight, []
    queries = learned
    for frame in clip:
        image = model.backbone.embed(frame[None])
        first, *others = model.backbone.blocks
        tokens = torch.cat([queries[None], first(image.tokens, image.rotation)], dim=1)
        for block in others:
            tokens = block(tokens, image.rotation)
        outputs.append(tokens)
        found = tokens[0, :QUERIES]
        if model.normalise_layers:
            found = model.backbone.norm(found)
        queries = found @ model.query_updater.weight.T + model.query_updater.bias + learned
    return torch.cat(outputs), queries


@pytest.mark.parametrize('normalised', [False, True])
@pytest.mark.parametrize('family', ['DINOv2', 'DINOv3'])
def test_queries_go_on_to_the_next_frame(family, normalised):
    model = build('VidEoMT', family, normalise_layers=normalised)
    inputs, _ = batch(num_clips=2, num_frames=3)
    with torch.no_grad():
        found, grid = model.decode_clips(inputs)
        raw = model.raw_outputs(inputs)
        for clip in range(2):
            expected, _ = by_hand(model, inputs[clip])
            torch.testing.assert_close(found[-1][clip], expected, atol=1e-4, rtol=1e-4)
            frames = model.read(expected, grid)
            logits = raw.class_logits[clip]
            torch.testing.assert_close(logits, frames.class_logits, atol=1e-4, rtol=1e-4)
            masks = raw.mask_logits()[clip].transpose(0, 1)
            torch.testing.assert_close(masks, frames.mask_logits(), atol=1e-3, rtol=1e-3)


def test_the_state_between_windows_is_the_queries_of_the_next_frame():
    model, frames = build('VidEoMT'), video(3)
    (window,) = windows(frames, 3)
    state = model.begin(window.sample)
    assert state.memory is None
    model.advance(state, window)
    with torch.no_grad():
        clip = model.data_preprocessor.normalise(frames, (64, 64))
        _, expected = by_hand(model, clip)
    torch.testing.assert_close(state.memory, expected[None], atol=1e-4, rtol=1e-4)
    assert not state.memory.requires_grad


def test_gradients_go_back_through_the_frames():
    model = build('VidEoMT')
    inputs, _ = batch(num_clips=1, num_frames=3)
    inputs.requires_grad_()
    found, _ = model.decode_clips(inputs)
    found[-1][0, 2, :QUERIES].sum().backward()
    assert all(inputs.grad[0, t].abs().max() > 1e-6 for t in range(3))


def test_defaults_are_those_of_the_published_models():
    _, losses = gradients(build('VidEoMT').train(), *batch())
    parts = ('loss_ce', 'loss_mask', 'loss_dice')
    # three query blocks: before the first two and at the end, not before the last block
    assert losses.keys() == {layer + part for layer in ('', 'd0.', 'd1.') for part in parts}
    _, losses = gradients(build('VidEoMT', supervise_last_input=True).train(), *batch())
    assert {'d2.loss_ce', 'd2.loss_mask', 'd2.loss_dice'} < losses.keys()


def test_training_masks_no_attention():
    model = build('VidEoMT').train()
    assert not any('mask_probabilities' in name for name in model.state_dict())
    inputs, _ = batch(num_clips=1)
    with torch.no_grad():
        trained = model.raw_outputs(inputs).class_logits
        assert torch.equal(trained, model.eval().raw_outputs(inputs).class_logits)


def leaving(samples):
    """Clips whose object 0 is not visible in the last frame."""
    for sample in samples:
        sample.gt_instances[-1] = sample.gt_instances[-1][1:]
    return samples


def test_absent_objects_are_trained_as_the_last_class_by_option(monkeypatch):
    fix_points(monkeypatch)
    inputs, samples = batch(num_frames=3)
    leaving(samples)
    targets = {}
    for option in (False, True):
        model = build('VidEoMT', absent_as_last_class=option).train()
        targets[option] = model._targets(samples)
        classes = []
        monkeypatch.setattr(
            torch.nn.functional,
            'cross_entropy',
            lambda logits, wanted, weights, classes=classes: classes.append(wanted) or logits.sum(),
        )
        model.loss(inputs, samples)
        found = set(torch.stack(classes).flatten().tolist())
        # objects of classes 0 and 1; CLASSES: no object
        assert found == ({CLASSES - 1, 1, CLASSES} if option else {0, 1, CLASSES})
    assert {tuple(target.labels.tolist()) for target in targets[False]} == {(0, 1)}
    assert {tuple(target.labels.tolist()) for target in targets[True]} == {(CLASSES, 1)}


@pytest.mark.parametrize('kind', ['VidEoMT', 'PMT'])
def test_absent_objects_need_the_criterion_that_knows_them(kind):
    message = r"model\.criterion\.type = QueryCriterion: .*needs 'VidEoMTCriterion'"
    other = dict(type='QueryCriterion')
    with pytest.raises(UserError, match=message):
        build(kind, criterion=other, absent_as_last_class=True)
    build(kind, criterion=other)
    untrained = config(kind, absent_as_last_class=True)
    untrained.pop('criterion')
    MODELS.build(untrained)


def test_frames_alone_are_those_of_eomt(monkeypatch):
    fix_points(monkeypatch)
    same = dict(normalise_layers=False, supervise_last_input=False)
    matcher = dict(matcher=dict(type='QueryMatcher'))
    segmenter = build('VidEoMT', frames_alone=True, criterion=matcher)
    eomt = build('EoMT', masked_attention=False, **same)
    weights = segmenter.state_dict()
    eomt.load_state_dict(weights, strict=False)
    inputs, samples = batch()
    expected, losses = gradients(eomt.train(), inputs, samples)
    actual, found = gradients(segmenter.train(), inputs, samples)
    assert found == losses
    for name, gradient in actual.items():
        assert torch.equal(gradient, expected[name]), name
    (ours,), (theirs,) = (model.eval().predict(windows(video(), 3)) for model in (segmenter, eomt))
    assert ours.pred.masks == theirs.pred.masks
    online = build('VidEoMT').eval()
    online.load_state_dict(weights)  # the next stage
    (tracked,) = online.predict(windows(video(), 3))
    assert tracked.pred.masks != ours.pred.masks


def test_frames_alone_do_not_touch_what_carries_the_queries_on():
    model = build('VidEoMT', frames_alone=True)
    model.query_updater.weight.data.fill_(float('nan'))
    (result,) = model.predict(windows(video(3), 3))
    assert result.pred.scores[0] > 0


@pytest.mark.parametrize('size', PUBLISHED)
def test_sizes_of_the_published_models(size):
    width, depth, heads, family, classes = size
    position = (
        dict(position='learned', grid_size=40)
        if family == 'DINOv2'
        else dict(position='rotary', key_bias=False)
    )
    with torch.device('meta'):
        model = MODELS.build(
            dict(
                type='VidEoMT',
                backbone=dict(
                    type='DINOViT', embed_dims=width, depth=depth, num_heads=heads, **position
                ),
                panoptic_head=dict(
                    type='TokenQueryHead', num_classes=classes, num_queries=200, embed_dims=width
                ),
                num_query_blocks=3 if depth == 12 else 4,
            )
        )
    assert sum(p.numel() for p in model.parameters()) == PUBLISHED[size]


@pytest.mark.parametrize('kind', ['VidEoMT', 'PMT'])
def test_clips_need_a_matcher_that_keeps_an_object_in_its_query(kind):
    by_frame = dict(config(kind)['criterion'], matcher=dict(type='QueryMatcher'))
    with pytest.raises(UserError, match=r'matcher\.type = QueryMatcher: .* anew in every frame'):
        build(kind, criterion=by_frame)
    build(kind, criterion=by_frame, frames_alone=True)
