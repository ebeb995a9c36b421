"""Panoptic and semantic results the slow way, and small models whose results have variety."""

import torch
import torch.nn.functional as F
from dvis_models import build, made_once, video

#: Seeds that give several segments, things and stuff.
SEEDS = dict(MinVIS=2, DVISOnline=2, DVISOffline=1)


def probabilities(mask_logits, geometry):
    """The published order of steps, on whole videos (Q, T, h, w)."""
    bilinear = dict(mode='bilinear', align_corners=False)
    logits = F.interpolate(mask_logits, size=geometry.padded, **bilinear)
    logits = logits[..., : geometry.resized[0], : geometry.resized[1]]
    return F.interpolate(logits.sigmoid(), size=geometry.original, **bilinear)


def panoptic(class_probs, mask_logits, geometry, num_things, object_thr=0.8, overlap_thr=0.8):
    """Maps (T, H, W) and (id, label, is_thing, query) of each segment."""
    scores, labels = class_probs.max(1)
    queries = [
        q
        for q in range(len(scores))
        if labels[q] != class_probs.shape[1] - 1 and scores[q] > object_thr
    ]
    num_frames = mask_logits.shape[1]
    maps = torch.zeros(num_frames, *geometry.original, dtype=torch.long)
    if not queries:
        return maps, []
    probs = probabilities(mask_logits[queries], geometry)
    winner = (scores[queries].view(-1, 1, 1, 1) * probs).argmax(0)
    segments, stuff = [], {}
    for place, query in enumerate(queries):
        won, probable = winner == place, probs[place] >= 0.5
        sure = won & probable
        if not won.any() or not probable.any() or not sure.any():
            continue
        if won.sum().item() / probable.sum().item() < overlap_thr:
            continue
        label = int(labels[query])
        if label >= num_things and label in stuff:
            maps[sure] = stuff[label]
            continue
        identity = len(segments) + 1
        if label >= num_things:
            stuff[label] = identity
        segments.append((identity, label, label < num_things, query))
        maps[sure] = identity
    return maps, segments


def semantic(class_scores, mask_logits, geometry):
    """Sums of each class (K, T, H, W); the largest is the answer."""
    return torch.einsum('qk,qthw->kthw', class_scores, probabilities(mask_logits, geometry))


def rows_of(segments):
    return [(s.id, s.label, s.is_thing, s.query) for s in segments]


@made_once
@torch.no_grad()
def build_varied(kind, task, **test_cfg):
    """A random model whose queries differ in class and mask."""
    settings = dict(num_things=3, object_mask_threshold=0.25, overlap_threshold=0.3)
    model = build(kind, SEEDS[kind], task=task, **(settings | test_cfg))
    frames = model.data_preprocessor.normalise(video(), (64, 64))
    embeds = model.panoptic_head(model.backbone(frames)).query_embeds
    parts = [(model.panoptic_head.cls_embed, model.panoptic_head.mask_embed, embeds)]
    if hasattr(model, 'tracker'):
        tracked = model.tracker.normalise(model.tracker(embeds[None]).layers[-1])
        parts.append((model.tracker.class_embed, model.tracker.mask_embed, tracked))
    if hasattr(model, 'refiner'):
        refined = model.raw_outputs(frames[None]).query_embeds
        parts.append((model.refiner.class_embed, model.refiner.mask_embed, refined))
    for classes, masks, queries in parts:
        queries = queries.flatten(0, -2)
        for layer, inputs in ((classes, queries), (masks[-1], masks[:-1](queries))):
            layer.weight.mul_(2 / (inputs @ layer.weight.T).std(0)[:, None])
            layer.bias.copy_(-layer.weight @ inputs.mean(0))
    return model
