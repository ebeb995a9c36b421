"""Right linking moves masks between tracks and neither changes, adds nor removes one."""

import numpy as np
from analysis_scenes import analyze

from mmvseg.analysis.relinking import relinked_tubes


def linked(objects, tracks, categories=(), num_categories=1):
    """The track that each mask of the new tubes is from, a text a tube, '.' for none."""
    video = analyze(objects, tracks, categories, num_categories)
    tubes, sources = relinked_tubes(video.overlap)
    present = video.overlap.track_areas > 0
    rows = np.nonzero(sources >= 0)
    moved = sorted(zip(sources[rows].tolist(), rows[1].tolist(), strict=True))
    assert moved == sorted(map(tuple, np.argwhere(present).tolist()))  # each mask once
    assert tubes.areas.sum() == video.overlap.track_areas.sum()
    return [''.join('.' if s < 0 else str(s) for s in row) for row in sources]


def test_what_is_linked_rightly_stays():
    assert linked(['aaaa', 'bbbb'], ['aaaa', 'bbbb']) == ['0000', '1111']


def test_a_switch_is_undone():
    assert linked(['aaaa', 'bbbb'], ['aabb', 'bbaa']) == ['0011', '1100']


def test_parts_of_an_object_are_joined():
    assert linked(['aaaaaa'], ['aa....', '..aa..', '....aa']) == ['001122']


def test_a_second_track_keeps_what_the_first_has_already():
    assert linked(['aaaa'], ['aaa.', 'aaaa']) == ['0001', '111.']


def test_a_mask_on_nothing_changes_places_with_one_that_shows_the_object():
    assert linked(['aaaa'], ['aaed', '..aa']) == ['0011', '..00']


def test_a_mask_on_nothing_stays_where_no_other_shows_the_object():
    assert linked(['aaaa', 'bbbb'], ['aaed', 'bbbb']) == ['0000', '1111']


def test_tracks_of_other_classes_are_not_joined():
    assert linked(['aaaa'], ['aa..', '..aa'], (1, 2), 2) == ['00..', '..11']


def test_what_would_not_fit_on_its_own_stays():
    # two frames of b are too few for b
    assert linked(['aaaaaaaa', 'bbbbbbbb'], ['aaaaaabb']) == ['00000000']


def test_without_objects_or_tracks():
    assert linked(['aaaa'], []) == []
    assert linked(['....'], ['aaaa']) == ['0000']
