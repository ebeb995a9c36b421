"""Analyses of scenes that are written as a letter a frame, see :mod:`track_scenes`."""

import youtube_vis_content
from track_scenes import content, entries

from mmvseg.analysis.oracles import OracleAP
from mmvseg.analysis.video_analysis import analyzed_videos


def records(truth, results):
    scored = [dict(score=1.0 - 0.01 * i) | result for i, result in enumerate(results)]
    return youtube_vis_content.records(truth), youtube_vis_content.results(scored)


def videos_of(truth, results):
    return [*analyzed_videos(*records(truth, results), 'results')]


def scene(objects, tracks, categories=(), num_categories=1, scores=()):
    """One video; ``categories`` are those of the tracks, else 1."""
    truth = content(entries(objects), [len(objects[0])], num_categories)
    results = entries(tracks)
    for name, values in dict(category_id=categories, score=scores).items():
        for result, value in zip(results, values, strict=False):
            result[name] = value
    return truth, results


def analyze(*args, **options):
    """See :func:`scene`."""
    return videos_of(*scene(*args, **options))[0]


def numbers_of(collector, truth, results):
    """Numbers of one of the classes that collect videos."""
    truth, results = records(truth, results)
    collected = collector(truth)
    for video in analyzed_videos(truth, results, 'results'):
        collected.add(video)
    return collected.numbers()


def oracle_numbers(videos, category_ids=(1,)):
    collected = OracleAP(category_ids)
    for video in videos:
        collected.add(video.found, video.tubes, video.relinked, video.overlap)
    return collected.numbers()
