"""VPQ and STQ pixel by pixel, straight from their definitions; slow."""

from collections import Counter, defaultdict

import numpy as np


def vpq_sums(truth, pred, k):
    """Sum of IoUs, TP, FP and FN by category id.

    Args:
        truth: (ids, segments_info) of each frame of one video.
        pred: the same of the predictions.
        k: window length in frames.
    """
    sums = defaultdict(lambda: [0.0, 0, 0, 0])
    for start in range(len(truth) - k + 1):
        _count_window(truth[start : start + k], pred[start : start + k], sums)
    return dict(sums)


def _count_window(truth, pred, sums):
    true, predicted = _volume_segments(truth), _volume_segments(pred)
    pairs = Counter()
    for (true_ids, _), (pred_ids, _) in zip(truth, pred, strict=True):
        pairs.update(zip(true_ids.ravel().tolist(), pred_ids.ravel().tolist(), strict=True))
    area = Counter()
    for (_, p), pixels in pairs.items():
        area[p] += pixels
    hit_true, hit_pred = set(), set()
    for t, info in true.items():
        for p, other in predicted.items():
            shared = pairs[t, p]
            if not shared or info['iscrowd'] or info['category_id'] != other['category_id']:
                continue
            iou = shared / (area[p] + info['area'] - shared - pairs[0, p])
            if iou > 0.5:
                sums[info['category_id']][0] += iou
                sums[info['category_id']][1] += 1
                hit_true.add(t)
                hit_pred.add(p)
    crowds = {}
    for t, info in true.items():
        if info['iscrowd']:
            crowds[info['category_id']] = t
        elif t not in hit_true:
            sums[info['category_id']][3] += 1
    for p, info in predicted.items():
        if p in hit_pred:
            continue
        excused = pairs[0, p]
        if info['category_id'] in crowds:
            excused += pairs[crowds[info['category_id']], p]
        if not excused / area[p] > 0.5:
            sums[info['category_id']][2] += 1


def _volume_segments(frames):
    found = {}
    for _, segments in frames:
        for entry in segments:
            if entry['id'] in found:
                found[entry['id']]['area'] += entry['area']
            else:
                found[entry['id']] = dict(entry)
    return found


def stq(videos, things):
    """STQ, AQ and SQ.

    Args:
        videos: (truth, pred) of each video, as in :func:`vpq_sums`.
        things: category ids of things.
    """
    confusion, qualities = Counter(), []
    for truth, pred in videos:
        true, predicted = _tubes(truth), _tubes(pred)
        first = next((s['id'] for _, segments in truth for s in segments), None)
        for t, p in zip(true, predicted, strict=True):
            confusion[t[0], p[0]] += 1
        # a pixel is evaluated for tubes unless it is of the first listed thing
        kept = [
            (t, p)
            for t, p in zip(true, predicted, strict=True)
            if not (t[0] in things and t[1] == first)
        ]
        tubes = {t for t, _ in kept if t[0] in things}
        for tube in tubes:
            size = sum(t == tube for t, _ in kept)
            total = 0.0
            for other in {p for t, p in kept if t == tube and p[0] in things}:
                shared = kept.count((tube, other))
                union = size + sum(p == other for _, p in kept) - shared
                total += shared * shared / union
            qualities.append(total / size)
    classes = {c for pair in confusion for c in pair}
    ious = []
    for c in classes:
        both = confusion[c, c] if c is not None else 0
        row = sum(n for (t, _), n in confusion.items() if t == c and c is not None)
        column = sum(n for (t, p), n in confusion.items() if p == c and t is not None)
        if row + column - both:
            ious.append(both / (row + column - both))
    aq = float(np.mean(qualities)) if qualities else 0.0
    sq = float(np.mean(ious)) if ious else float('nan')
    return dict(STQ=float(np.sqrt(aq * sq)), AQ=aq, SQ=sq)


def _tubes(frames):
    """(category id, segment id) of each pixel of a video, (None, None) for void."""
    pixels = []
    for ids, segments in frames:
        known = {entry['id']: (entry['category_id'], entry['id']) for entry in segments}
        pixels += [known.get(i, (None, None)) for i in ids.ravel().tolist()]
    return pixels
