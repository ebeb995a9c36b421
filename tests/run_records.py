"""Records of runs for comparisons: scenes of several videos, and verdicts made by chance."""

import numpy as np
import youtube_vis_content
from track_scenes import content, entries

from mmvseg.analysis.object_outcomes import ObjectOutcomes
from mmvseg.analysis.oracles import OracleAP
from mmvseg.analysis.run_values import RunRecord
from mmvseg.analysis.video_analysis import analyzed_videos
from mmvseg.evaluation.functional.precision_recall import IOU_THRESHOLDS, Verdicts
from mmvseg.evaluation.functional.tracking import evaluate_tracking


def in_videos(texts, categories=()):
    """Objects or results of the videos from 1 on, such as ``[['aa', 'bb'], ['aa']]``.

    ``categories`` are those of all of them one after the other, else 1.
    """
    found = [entry for v, of in enumerate(texts, 1) for entry in entries(of, video_id=v)]
    for entry, category in zip(found, categories, strict=False):
        entry['category_id'] = category
    return found


def record(objects, tracks, num_categories=1, object_categories=(), categories=()):
    """The record of a run whose objects and tracks are given as lists of texts, one a video."""
    lengths = [len((true or found)[0]) for true, found in zip(objects, tracks, strict=True)]
    annotations = in_videos(objects, object_categories)
    truth = youtube_vis_content.records(content(annotations, lengths, num_categories))
    found = in_videos(tracks, categories)
    scored = [entry | dict(score=1 - 0.01 * i) for i, entry in enumerate(found)]
    return record_of(truth, youtube_vis_content.results(scored))


def record_of(truth, results):
    """The record of results that are read already."""
    oracle_ap, outcomes = OracleAP([category.id for category in truth.categories]), ObjectOutcomes()
    for video in analyzed_videos(truth, results, 'results'):
        oracle_ap.add(video.found, video.tubes, video.relinked, video.overlap)
        outcomes.add(video)
    tracking = evaluate_tracking(truth, results, 'results')
    return RunRecord(oracle_ap, tracking, outcomes.outcomes)


def random_verdicts(num_videos, category_ids, seed=0):
    """Verdicts with the ids of their videos, 10, 11 and so on; no two scores are the same."""
    rng = np.random.default_rng(seed)
    scores = rng.permutation(10_000) / 10_000
    verdicts = []
    for video in range(num_videos):
        for category_id in category_ids:
            positives, number = int(rng.integers(0, 3)), int(rng.integers(0, 6))
            own, scores = np.sort(scores[:number])[::-1], scores[number:]
            hit = np.zeros((1, len(IOU_THRESHOLDS), number), bool)
            for d in rng.permutation(number)[:positives]:
                hit[0, : rng.integers(1, len(IOU_THRESHOLDS) + 1), d] = True
            ignored = rng.random(hit.shape) < 0.1
            verdict = Verdicts(category_id, own, hit, ignored, np.array([positives]))
            verdicts.append((10 + video, verdict))
    return verdicts
