"""Contents of YouTube-VIS files that were never written, read as from files."""

import json

import msgspec

from mmvseg.evaluation.functional import youtube_vis_ap
from mmvseg.evaluation.functional.ground_truth import to_ground_truth
from mmvseg.formats.problems import strictly
from mmvseg.formats.youtube_vis import parse, to_content
from mmvseg.formats.youtube_vis_results import parse_results


def records(content, source='gt'):
    return strictly(parse(to_content(json.dumps(content).encode(), source), source))


def ground_truth(content, source='gt', occlusion=False):
    return to_ground_truth(records(content, source), occlusion)


def results(entries, source='results'):
    raw = msgspec.json.decode(json.dumps(entries), type=list[msgspec.Raw])
    return strictly(parse_results(raw, source))


def evaluate(truth, entries, source='results', occlusion=False):
    found = results(entries, source)
    return youtube_vis_ap.evaluate_youtube_vis(truth, found, source, occlusion)
