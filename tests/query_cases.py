"""Small random predictions and targets of query losses, and what they are worth in plain words."""

import math

import torch
import torch.nn.functional as F

from mmvseg.models.losses import MaskTargets, QueryPredictions

Q, C, K = 4, 3, 2
HEIGHT, WIDTH = 2, 4  # powers of two: float32 coordinates of pixels are exact


def predictions(seed=0, images=1, frames=1):
    """In float64; gradients reach all three parts."""
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=draw, dtype=torch.float64).requires_grad_()

    return QueryPredictions(
        normal(images, Q, K + 1),
        normal(images, frames, Q, C),
        normal(images, frames, C, HEIGHT, WIDTH),
    )


def targets(labels, seed=0, frames=1, visible=None):
    """Random masks at twice the resolution of the predictions."""
    draw = torch.Generator().manual_seed(100 + seed)
    shape = (len(labels), frames * 2 * HEIGHT, 2 * WIDTH)
    masks = torch.randn(shape, generator=draw) > 0.3
    seen = torch.ones(len(labels), dtype=torch.bool)
    if visible is not None:
        seen = torch.tensor(visible)
        masks[~seen] = False
    return MaskTargets(torch.tensor(labels, dtype=torch.long), masks.to(torch.uint8), seen)


def use_pixel_centres(monkeypatch, frames=1):
    """Let ``torch.rand`` give the centres of all predicted pixels in order; its shapes so far."""
    rows = frames * HEIGHT
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(WIDTH), indexing='ij')
    size = torch.tensor([WIDTH, rows])
    centres = (torch.stack([x, y], dim=-1).flatten(0, 1) + 0.5) / size  # (rows * WIDTH, 2)
    shapes = []

    def rand(*shape, device=None):
        shape = shape[0] if isinstance(shape[0], tuple) else shape
        shapes.append(shape)
        return centres[torch.arange(shape[-2]) % len(centres)].expand(shape).clone()

    monkeypatch.setattr(torch, 'rand', rand)
    return shapes


def fix_points(monkeypatch):
    """Let ``torch.rand`` give every row the same numbers, whatever was drawn before."""
    rand = torch.rand

    def same_in_every_row(*shape, **kwargs):
        rows, *rest = shape[0] if isinstance(shape[0], tuple) else shape
        generator = torch.Generator().manual_seed(rest[0])
        return rand(rest, generator=generator).expand(rows, *rest).clone()

    monkeypatch.setattr(torch, 'rand', same_in_every_row)


def mask_logits(predicted, image, query):
    """Logit of every pixel, frames one below the other, as a list."""
    frames, _, height, width = predicted.mask_features[image].shape
    return [
        predicted.mask_embeds[image, f, query] @ predicted.mask_features[image, f, :, y, x]
        for f in range(frames)
        for y in range(height)
        for x in range(width)
    ]


def wanted_mask(target, number):
    """Share of every predicted pixel that the object fills, as a list."""
    return F.avg_pool2d(target.masks[number][None].double(), 2).flatten().tolist()


def mask_terms(logits, wanted):
    """Binary cross entropy and dice loss of one mask."""
    bce, overlap, inside = 0.0, 0.0, 0.0
    for logit, share in zip(logits, wanted, strict=True):
        p = torch.sigmoid(logit)
        bce = bce - share * torch.log(p) - (1 - share) * torch.log(1 - p)
        overlap = overlap + p * share
        inside = inside + p
    return bce / len(wanted), 1 - (2 * overlap + 1) / (inside + sum(wanted) + 1)


def cost(predicted, image, query, target, number):
    """Of one query for one object, with the published weights."""
    logits = predicted.class_logits[image, query].tolist()
    probability = math.exp(logits[target.labels[number]]) / sum(map(math.exp, logits))
    bce, dice = mask_terms(mask_logits(predicted, image, query), wanted_mask(target, number))
    return -2 * probability + 5 * float(bce) + 5 * float(dice)


def losses(predicted, target_list, pairs, num_masks):
    """Weighted losses of one layer.

    Args:
        predicted: of one layer.
        target_list: one an image.
        pairs: of each image, (query, object) in the order of the assignment.
        num_masks: what the mask losses are divided by.
    """
    entropy = weights = bce = dice = 0.0
    for image, (target, matched) in enumerate(zip(target_list, pairs, strict=True)):
        classes = [K] * Q
        for query, number in matched:
            classes[query] = int(target.labels[number])
            terms = mask_terms(mask_logits(predicted, image, query), wanted_mask(target, number))
            bce, dice = bce + terms[0], dice + terms[1]
        for query, label in enumerate(classes):
            weight = 0.1 if label == K else 1.0
            entropy = entropy - weight * predicted.class_logits[image, query].log_softmax(0)[label]
            weights += weight
    return dict(
        loss_ce=2 * entropy / weights, loss_mask=5 * bce / num_masks, loss_dice=5 * dice / num_masks
    )
