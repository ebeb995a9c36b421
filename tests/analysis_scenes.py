"""Analyses of scenes that are written as a letter a frame, see :mod:`track_scenes`."""

import youtube_vis_content
from track_scenes import content, entries

from mmvseg.analysis.oracles import OracleAP
from mmvseg.analysis.video_analysis import analyzed_videos


def videos_of(truth, results):
    scored = [dict(score=1.0 - 0.01 * i) | result for i, result in enumerate(results)]
    records = youtube_vis_content.records(truth)
    found = youtube_vis_content.results(scored)
    return [*analyzed_videos(records, found, 'results')]


def analyze(objects, tracks, categories=(), num_categories=1):
    """One video; ``categories`` are those of the tracks, else 1."""
    truth = content(entries(objects), [len(objects[0])], num_categories)
    results = entries(tracks)
    for result, category in zip(results, categories, strict=False):
        result['category_id'] = category
    return videos_of(truth, results)[0]


def oracle_numbers(videos, category_ids=(1,)):
    collected = OracleAP(category_ids)
    for video in videos:
        collected.add(video.found, video.tubes, video.relinked, video.overlap)
    return collected.numbers()
