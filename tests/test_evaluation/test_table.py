import helpers

from mmvseg.evaluation.functional.ground_truth import to_ground_truth
from mmvseg.evaluation.functional.table import ap_tables, percent_table
from mmvseg.evaluation.functional.youtube_vis_ap import evaluate_youtube_vis
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results

CASE = helpers.reference_dir() / 'eval' / 'ytvis_ap' / 'normal'


def cells(table):
    return [[cell.strip() for cell in line.split('|')[1:-1]] for line in table.splitlines()]


def test_fractions_become_percent_and_undefined_a_dash():
    rows = dict(cat=dict(AP=0.12345, AR=-1.0, other=2), dog=dict(AP=1.0, AR=0.0, other=2))
    table = cells(percent_table('title', rows, ['AR', 'AP']))
    assert [row for row in table if row] == [
        ['', 'AR', 'AP'],
        ['cat', '-', '12.3'],
        ['dog', '0.0', '100.0'],
    ]


def test_names_cannot_steer_the_terminal_or_break_the_table():
    table = percent_table('title', {'\x1b[31mred\n\u202e': dict(AP=0.5)}, ['AP'])
    assert r'| \x1b[31mred\n\u202e | 50.0 |' in table.splitlines()


def test_tables_of_a_recorded_case():
    truth = to_ground_truth(read_youtube_vis(CASE / 'gt.json'))
    result = evaluate_youtube_vis(truth, read_results(CASE / 'results.json'), 'results')
    names = list(truth.categories.values())
    rows = {row[0]: row[1:] for row in cells(ap_tables(result)) if row}
    assert rows[names[0]][0] == '18.2'
    assert rows[names[1]][0] == '28.4'
    assert rows[names[2]][0] == '30.3'
    assert rows['AP'] == ['25.3']
    assert rows['AR_large'] == ['22.5']
