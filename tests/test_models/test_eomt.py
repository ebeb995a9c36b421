import pytest
import torch
import torch.nn.functional as F
from dvis_models import batch
from query_cases import fix_points
from token_models import CLASSES, QUERIES, WIDTH, build, config, gradients

from mmvseg.errors import UserError
from mmvseg.registry import MODELS

EXTRA, GRID = 5, (4, 4)
PATCHES = GRID[0] * GRID[1]


def encoded(model, num=2):
    with torch.no_grad():
        return model.encode(torch.randn(num, 3, 64, 64, generator=torch.Generator().manual_seed(1)))


def sequences(model, image):
    queries = model.panoptic_head.learned_queries(len(image.tokens))
    with torch.no_grad():
        return list(model.decode(image, queries))


def masks_of(model, tokens):
    """Mask logits of normalised tokens at a quarter of the image's size, (N, Q, 16, 16)."""
    head = model.panoptic_head
    tokens = model.last_norm(tokens)
    patches = tokens[:, QUERIES + EXTRA :].transpose(1, 2).unflatten(2, GRID)
    embeds = head.mask_embed(tokens[:, :QUERIES])
    return torch.einsum('nqc,nchw->nqhw', embeds, head.upscale(patches))


def test_queries_join_in_front_of_the_tokens_of_the_last_blocks():
    model = build('EoMT')
    image = encoded(model)
    expected = model.backbone.blocks[0](model.backbone.embed(torch.zeros(1, 3, 64, 64)).tokens)
    torch.testing.assert_close(model.encode(torch.zeros(1, 3, 64, 64)).tokens, expected)
    found = sequences(model, image)
    assert len(found) == 1 + 3
    tokens = torch.cat([model.panoptic_head.query_feat.weight.expand(2, -1, -1), image.tokens], 1)
    torch.testing.assert_close(found[0], tokens)
    for block, output in zip(model.backbone.blocks[1:], found[1:], strict=True):
        tokens = block(tokens)
        torch.testing.assert_close(output, tokens)


def test_the_final_prediction_is_that_of_the_normalised_tokens():
    model = build('EoMT')
    image = encoded(model)
    *_, tokens = sequences(model, image)
    result = model.segment(image)
    queries = model.backbone.norm(tokens)[:, :QUERIES]
    torch.testing.assert_close(result.query_embeds, queries)
    torch.testing.assert_close(result.class_logits, model.panoptic_head.cls_embed(queries))
    torch.testing.assert_close(result.mask_logits(), masks_of(model, tokens))


@pytest.mark.parametrize('normalised', [True, False])
@pytest.mark.parametrize('supervised', [True, False])
def test_predictions_that_have_a_loss(normalised, supervised):
    model = build('EoMT', normalise_layers=normalised, supervise_last_input=supervised)
    found = sequences(model, encoded(model))
    layers = model.predict_layers(found, GRID)
    chosen = found if supervised else [*found[:2], found[3]]
    assert len(layers) == len(chosen)
    for number, (layer, tokens) in enumerate(zip(layers, chosen, strict=True)):
        normal = model.last_norm(tokens) if normalised or number == len(chosen) - 1 else tokens
        logits = model.panoptic_head.cls_embed(normal[:, :QUERIES])
        torch.testing.assert_close(layer.class_logits, logits)
        if normalised:
            torch.testing.assert_close(layer.mask_logits(1), masks_of(model, tokens)[1])


@pytest.mark.parametrize(('supervised', 'earlier'), [(True, 3), (False, 2)])
def test_names_of_the_losses(supervised, earlier):
    _, losses = gradients(build('EoMT', supervise_last_input=supervised), *batch())
    parts = ('loss_ce', 'loss_mask', 'loss_dice')
    prefixes = ['', *(f'd{layer}.' for layer in range(earlier))]
    assert losses.keys() == {prefix + part for prefix in prefixes for part in parts}


def test_masked_queries_see_their_own_mask_and_all_that_is_no_patch():
    model = build('EoMT').train()
    model.mask_probabilities.copy_(torch.tensor([0.0, 1.0, 1.0]))
    tokens = sequences(model.eval(), encoded(model))[1]
    model.train()
    assert model._visible(tokens, GRID, 0) is None
    visible = model._visible(tokens, GRID, 1)
    assert visible.shape == (2, 1, QUERIES + EXTRA + PATCHES, QUERIES + EXTRA + PATCHES)
    masks = masks_of(model, tokens)
    inside = F.interpolate(masks, GRID, mode='bilinear', align_corners=False).flatten(2) > 0
    assert inside.any()
    assert not inside.all()
    assert torch.equal(visible[:, 0, :QUERIES, -PATCHES:], inside)
    assert visible[:, 0, :QUERIES, :-PATCHES].all()
    assert visible[:, 0, QUERIES:].all()


def test_a_masked_query_does_not_see_patches_outside_of_its_mask(monkeypatch):
    model = build('EoMT', num_query_blocks=1).train()
    image = encoded(model, num=1)
    allowed = torch.ones(1, 1, *[QUERIES + EXTRA + PATCHES] * 2, dtype=torch.bool)
    allowed[0, 0, 2, -1] = False  # query 2, the last patch
    monkeypatch.setattr(model, '_visible', lambda *args: allowed)
    _, before = sequences(model, image)
    image.tokens[0, -1] += 3 * torch.randn(WIDTH)
    _, after = sequences(model, image)
    same = (before - after).abs().amax(2)[0] < 1e-6
    assert same.nonzero()[:, 0].tolist() == [2]


def test_a_share_of_the_queries_is_freed_at_random():
    model = build('EoMT', panoptic_head=config('EoMT')['panoptic_head'] | dict(num_queries=200))
    model.train().mask_probabilities.fill_(0.7)
    tokens = torch.cat([torch.randn(4, 200, WIDTH), torch.randn(4, EXTRA + PATCHES, WIDTH)], 1)
    torch.manual_seed(0)
    some = model._visible(tokens, GRID, 0)[:, 0, :200, -PATCHES:]
    again = model._visible(tokens, GRID, 0)[:, 0, :200, -PATCHES:]
    model.mask_probabilities.fill_(1)
    masked = model._visible(tokens, GRID, 0)[:, 0, :200, -PATCHES:]
    freed = some.all(2) & ~masked.all(2)
    assert torch.equal(some[~freed], masked[~freed])
    share = freed.sum() / (~masked.all(2)).sum()
    assert share.item() == pytest.approx(0.3, abs=0.05)
    assert not torch.equal(some, again)  # drawn anew in every block


def test_masks_are_of_training_only_and_off_by_option(monkeypatch):
    fix_points(monkeypatch)
    masked, free = build('EoMT'), build('EoMT', masked_attention=False)
    assert masked.mask_probabilities.tolist() == [1, 1, 1]
    assert free.mask_probabilities.tolist() == [0, 0, 0]
    inputs, samples = batch()
    with torch.no_grad():
        results = [model.raw_outputs(inputs).class_logits for model in (masked, free)]
    assert torch.equal(*results)
    losses = [gradients(model.train(), inputs, samples)[1] for model in (masked, free)]
    assert losses[0]['d0.loss_ce'] == losses[1]['d0.loss_ce']  # before the first block
    assert losses[0]['d1.loss_ce'] != losses[1]['d1.loss_ce']
    masked.mask_probabilities.zero_()  # the end of the annealing
    assert gradients(masked, inputs, samples)[1] == losses[1]


def test_the_state_of_the_annealing_is_in_the_checkpoint():
    assert build('EoMT').state_dict()['mask_probabilities'].tolist() == [1, 1, 1]


def test_every_frame_is_an_image(monkeypatch):
    """Clips of T frames are worth as much as T times as many clips of one."""
    fix_points(monkeypatch)
    model = build('EoMT').train()
    inputs, samples = batch(num_clips=1, num_frames=2)
    _, together = gradients(model, inputs, samples)
    frames = []
    for t in range(2):
        frames.append(batch(num_clips=1, num_frames=2)[1][0])
        frames[t].gt_instances = samples[0].gt_instances[t : t + 1]
    _, apart = gradients(model, inputs.transpose(0, 1), frames)
    assert together == pytest.approx(apart)


@pytest.mark.parametrize('number', [0, -1, 5])
def test_wrong_numbers_of_blocks_are_refused(number):
    with pytest.raises(UserError, match=rf'model\.num_query_blocks = {number}: must be 1 to 4'):
        build('EoMT', num_query_blocks=number)


def test_all_blocks_may_see_the_queries():
    model = build('EoMT', num_query_blocks=4)
    torch.testing.assert_close(
        encoded(model).tokens[:, 1:EXTRA], model.backbone.register_tokens.expand(2, -1, -1)
    )
    assert len(sequences(model, encoded(model))) == 5


def test_a_head_of_another_width_is_refused():
    head = dict(type='TokenQueryHead', num_classes=CLASSES, num_queries=QUERIES, embed_dims=24)
    message = r'model\.panoptic_head\.embed_dims = 24: must be 16, as in the backbone'
    with pytest.raises(UserError, match=message):
        MODELS.build(config('EoMT', panoptic_head=head))
