import json
import math
import re

import pytest
from training_scenes import EVIL, curve, run, write

NONE = '\N{EN DASH}'


def data_of(folder):
    text = (folder / 'training.js').read_text(encoding='utf-8')
    return json.loads(re.fullmatch(r'registerTraining\((.*)\);\n', text)[1])


def titles(folder):
    return [chart['title'] for chart in data_of(folder)['charts']]


def sections(text):
    return re.findall(r'<details class="section"( open)?>\n<summary><h2>(.*?)</h2>', text)


def test_order_of_sections_and_charts(tmp_path):
    text = write(tmp_path, run())
    assert sections(text) == [
        (' open', 'Losses'),
        (' open', 'Validation'),
        (' open', 'Learning rate'),
        (' open', 'Gradients and others'),
        ('', 'Losses of d0'),
        ('', 'Speed'),
    ]
    losses, val, rate = ['loss', 'loss_mask'], ['vis/AP'], ['lr']
    rest = ['grad_norm', 'd0.loss_mask', 'time', 'time of validation']
    assert titles(tmp_path) == losses + val + rate + rest
    assert re.findall('<figcaption>(.*?)</figcaption>', text) == titles(tmp_path)


def test_losses_of_stages_are_open_where_there_are_no_others(tmp_path):
    given = {'d0.loss_mask': None, 'loss_mask': None, 'stage1_loss_cls': curve(1, 2)}
    text = write(tmp_path, run(**given))
    assert (' open', 'Losses of stage1') in sections(text)


def test_what_the_controls_change(tmp_path):
    write(tmp_path, run())
    charts = {chart['title']: chart for chart in data_of(tmp_path)['charts']}
    assert {t for t, c in charts.items() if c['isLoss']} == {'loss', 'loss_mask', 'd0.loss_mask'}
    assert {t for t, c in charts.items() if c['isVal']} == {'vis/AP'}
    assert {t for t, c in charts.items() if not c['isNoisy']} == {'vis/AP', 'lr'}


def test_runs_with_different_numbers(tmp_path):
    write(tmp_path, run(), run('second', loss_mask=None, loss_other=curve(1)))
    charts = {chart['title']: chart['curves'] for chart in data_of(tmp_path)['charts']}
    assert charts['loss_mask'] == [[[10, 20, 30, 40], [3, 2, 1, 0.5]], None]
    assert charts['loss_other'] == [None, [[10], [1]]]


def test_values_that_are_not_finite_are_null(tmp_path):
    write(tmp_path, run(loss=curve(1, math.nan, math.inf, 1 / 3)))
    assert data_of(tmp_path)['charts'][0]['curves'] == [
        [[10, 20, 30, 40], [1, None, None, 0.333333]]
    ]


def text_of(html):
    return ' '.join(re.sub('<.*?>', '', html).split())


def cells(text, title):
    """Texts of the row of a table that has a title."""
    rows = re.findall('<tr><th scope="row">(.*?)</th>(.*?)</tr>', text, re.S)
    (found,) = (rest for head, rest in rows if text_of(head) == title)
    return [text_of(cell) for cell in re.findall('<td.*?</td>', found, re.S)]


def test_tables(tmp_path):
    text = write(tmp_path, run(starts=('a', 'b')), run('second', **{'vis/AP': None}))
    assert cells(text, 'first') == ['40', '1.5', '2', '/runs/first']
    assert cells(text, 'vis/AP') == ['0.6 at 30', '0.5 at 40', NONE, NONE]


@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_the_highest_value_is_finite(tmp_path, value):
    text = write(tmp_path, run(**{'vis/AP': curve(0.1, value)}))
    assert cells(text, 'vis/AP') == ['0.1 at 10', '0.1 at 10']
    text = write(tmp_path, run(**{'vis/AP': curve(value)}))
    assert cells(text, 'vis/AP') == [NONE, NONE]


def test_without_validation_there_is_no_table_of_it(tmp_path):
    text = write(tmp_path, run(**{'vis/AP': None}))
    assert text.count('<table>') == 1
    assert 'Validation' not in text.replace('Validation: ', '')


def test_every_run_has_lines_of_its_own(tmp_path):
    write(tmp_path, *(run(str(number)) for number in range(20)))
    styles = [run['style'] for run in data_of(tmp_path)['runs']]
    assert len(set(styles)) == 20
    assert styles[:2] == ['run-0 dash-0', 'run-1 dash-0']
    css = (tmp_path / 'assets/training.css').read_text()
    for style in styles:
        color, dash = style.split()
        assert f'.{color} {{ --run:' in css
        assert css.count(f'--{color}: #') == 3  # light, dark, and dark by the system
        assert dash == 'dash-0' or f'.{dash} {{' in css


def test_names_stay_text(tmp_path):
    text = write(tmp_path, run(EVIL, **{EVIL: curve(1), f'AP{EVIL}': curve(1)}))
    assert '<img' not in text
    script = (tmp_path / 'training.js').read_text(encoding='utf-8')
    assert not re.search('[<>&\u2028]', script)
    assert data_of(tmp_path)['runs'][0]['name'] == EVIL
    assert {EVIL, f'AP{EVIL}'} <= set(titles(tmp_path))


def test_nothing_comes_from_elsewhere(tmp_path):
    text = write(tmp_path, run())
    needed = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert 'training.js' in needed
    for name in needed:
        assert name == 'data:,' or (tmp_path / name).is_file()
    for path in tmp_path.glob('assets/*'):
        outside = path.read_text().replace('http://www.w3.org/2000/svg', '')
        assert 'http' not in outside
        assert '@import' not in outside
