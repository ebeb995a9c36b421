import helpers

from mmvseg.evaluation.functional.table import ap_tables, percent_table
from mmvseg.evaluation.functional.youtube_vis_ap import evaluate_youtube_vis
from mmvseg.formats.youtube_vis_truth import load_json, parse_ground_truth

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


def test_classes_with_one_name_are_told_apart():
    content = load_json(CASE / 'gt.json')
    for category in content['categories']:
        category['name'] = 'thing' if category['id'] < 3 else f'name {category["id"]}'
    result = evaluate_youtube_vis(
        parse_ground_truth(content, 'gt'), load_json(CASE / 'results.json')
    )
    rows = {row[0]: row[1:] for row in cells(ap_tables(result)) if row}
    assert rows['thing (1)'][0] == '18.2'
    assert rows['thing (2)'][0] == '28.4'
    assert rows['name 3'][0] == '30.3'
    assert rows['AP'] == ['25.3']
    assert rows['AR_large'] == ['22.5']
