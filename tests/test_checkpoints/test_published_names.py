"""Tables of names."""

import pytest

from mmvseg.checkpoints.published.names import NameTable, numbered

TABLE = NameTable(
    [
        *numbered('res#.{block}.conv{conv}.weight', 'layer#.{block}.conv{conv}.weight', [(2, 1)]),
        ('stem.norm.{rest}', 'bn1.{rest}'),
        ('a.b', 'axb'),
    ]
)


@pytest.mark.parametrize(
    ('theirs', 'ours'),
    [
        ('res2.10.conv3.weight', 'layer1.10.conv3.weight'),
        ('stem.norm.running_mean', 'bn1.running_mean'),
        ('stem.norm.a.b', 'bn1.a.b'),
        ('a.b', 'axb'),
    ],
)
def test_both_ways(theirs, ours):
    assert TABLE.to_ours(theirs) == ours
    assert TABLE.to_theirs(ours) == theirs


@pytest.mark.parametrize(
    'name',
    ['res3.0.conv1.weight', 'res2.x.conv1.weight', 'xres2.0.conv1.weight', 'stem.norm.', 'acb'],
)
def test_other_names_have_no_translation(name):
    assert TABLE.to_ours(name) is None
