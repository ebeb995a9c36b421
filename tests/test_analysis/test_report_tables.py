"""Tables for the terminal: what they show and what they leave out."""

from analysis_scenes import analyze
from track_scenes import content, entries
from youtube_vis_content import records

from mmvseg.analysis.comparison_tables import comparison_tables, seed_tables
from mmvseg.analysis.groups import GroupAP
from mmvseg.analysis.track_tables import SHOWN_ERRORS, occurring_groups, track_tables

BETTER = dict(
    a=0.5, b=0.6, difference=0.1, interval=[0.05, 0.2], verdict='clearly better', share_better=1.0
)
SWITCHES = BETTER | dict(a=9, b=4, difference=-5, interval=[-8, -1])
NOTHING = BETTER | dict(a=-1.0, b=-1.0, difference=None, interval=None)
FEW = BETTER | dict(interval=None, verdict='too few videos')
LOST = dict(video_id=1, video='v\n1', category='cat', annotation=7, kind='mask')


def rows(text):
    """The cells of each row of tables by the first one."""
    cells = [[cell.strip() for cell in line.split('|')[1:-1]] for line in text.splitlines()]
    return {row[0]: row[1:] for row in cells if row}


def compared(**changes):
    comparison = dict(
        sentence='B is better.',
        main=dict(AP=BETTER, HOTA=FEW, AP75=NOTHING, IDSW=SWITCHES),
        oracles=dict(mask=dict(AP=BETTER, gain=BETTER)),
        classes=dict(cat=dict(AP=BETTER), dog=dict(AP=NOTHING)),
        videos=[],
        objects_gained=[],
        objects_lost=[],
    )
    report = dict(A=dict(results='a'), B=dict(results='b'), comparison=comparison | changes)
    return comparison_tables(report)


def test_differences_with_and_without_interval():
    found = rows(compared())
    assert found['AP'] == ['50.0', '60.0', '+10.0', '+5.0 to +20.0', 'clearly better']
    assert found['HOTA'] == ['50.0', '60.0', '+10.0', '-', 'too few videos']
    assert found['IDSW'] == ['9', '4', '-5', '-8 to -1', 'clearly better']
    assert found['perfect masks'] == found['cat'] == found['AP']
    assert not {'AP75', 'dog'} & found.keys()


def test_videos_and_objects_that_changed():
    same = dict(a=0.5, b=0.5, difference=0.0)
    video = dict(AP=BETTER, AssA=NOTHING, gained=1, lost=0)
    videos = [video | dict(video='v1'), video | dict(video='v2', AP=same)]
    text = compared(videos=videos, objects_lost=[LOST] * 12)
    found = rows(text)
    assert found['v1'] == ['50.0', '60.0', '-', '-', '1', '0']
    assert 'v2' not in found
    assert found['v\\n1'] == ['7', 'cat', 'mask']
    assert 'lost: right in A alone (5 of 12)' in text
    assert 'gained' not in text.replace('| gained |', '')


def spread(*values):
    return dict(
        values=[*values], mean=sum(values) / len(values), min=min(values), max=max(values), std=0.1
    )


def test_seeds():
    seeds = dict(
        num_runs=2,
        main=dict(AP=spread(0.4, 0.5), IDSW=spread(3, 4), AP75=spread(-1) | dict(mean=None)),
        gains=dict(alone=dict(mask=spread(0.1, -0.0001))),
        objects=dict(all=3, some=2, none=1),
    )
    text = seed_tables(dict(runs=[dict(results='x'), dict(results='y')], seeds=seeds))
    assert text.startswith(
        'AP is 45.0 on average over 2 runs, 40.0 to 50.0, with a standard deviation of 10.0. Of 6 '
        'objects all runs find 3, some 2, none 1.\n1: x\n2: y\n'
    )
    found = rows(text)
    assert found['AP'] == ['45.0', '40.0', '50.0', '10.0', '40.0', '50.0']
    assert found['IDSW'] == ['3.5', '3.0', '4.0', '0.1', '3.0', '4.0']
    assert found['perfect masks'][-1] == '0.0'
    assert 'AP75' not in found


def report_of(numbers):
    means = dict(HOTA=0.5, DetA=0.4, AssA=0.6)
    tracking = dict(mean_over_alpha=means, CLEAR=dict(IDSW=3), Identity=dict(IDF1=0.7))
    return (
        dict(
            summary=dict(sentence='AP is 1.'),
            options=dict(min_score=0.5),
            hota=dict(COMBINED_SEQ=dict(cls_comb_det_av=tracking)),
            oracles=dict(alone={}),
            errors=dict(wrong_tracks={}, missed_objects=0),
            groups={},
            worst=[],
            confusion=dict(most_frequent=[]),
        )
        | numbers
    )


def test_what_is_empty_is_left_out():
    assert track_tables(report_of({})).splitlines() == [
        'AP is 1.',
        'HOTA is 50.0 (DetA 40.0, AssA 60.0), IDF1 70.0, with 3 id switches.',
    ]


def test_hota_says_if_every_result_counts():
    text = track_tables(report_of(dict(options=dict(min_score=None))))
    assert text.endswith('with 3 id switches; without --min-score every result counts in full.')


def test_the_worst_errors_come_with_their_place():
    error = dict(video='\x1b[1mv', frame=3, track=None, reason='no track is right about this cat')
    text = track_tables(report_of(dict(worst=[error, *[error | dict(track=5)] * 20])))
    assert f'worst errors ({SHOWN_ERRORS})' in text
    assert text.count(r'\x1b[1mv') == SHOWN_ERRORS
    assert r'| \x1b[1mv | 3     | -     | no track is right about this cat |' in text


def test_groups_of_one_kind_only_are_no_comparison():
    video = analyze(['aaaa', 'bb..'], ['aaaa', 'bb..'])
    groups = GroupAP(records(content(entries(['aaaa', 'bb..']), [4])))
    groups.add(video)
    found = occurring_groups(groups.numbers())
    assert 'size' not in found  # all are small
    several = dict(x=dict(measure='m', groups=dict(a=dict(AP=0.5), b=dict(AP=1.0), c=dict(AP=-1))))
    assert occurring_groups(several)['x']['groups'].keys() == {'a', 'b'}
