"""The page of trainings in Chromium, opened from disk."""

import math

import pytest
from training_scenes import EVIL, curve, run, write


@pytest.fixture
def opened(page, tmp_path):
    """Write the page of some runs and open it."""

    def show(*runs, hash_=''):
        write(tmp_path, *runs)
        page.goto('about:blank')
        page.goto(f'file://{tmp_path}/index.html{hash_}')
        page.wait_for_selector('figure.chart svg > .axis')
        return page

    return show


def chart(page, title):
    return page.locator('figure.chart').filter(has=page.get_by_text(title, exact=True))


def lines(page, title='loss'):
    return chart(page, title).locator('svg[tabindex] > path.line')


def heights(page, title='loss'):
    """Heights of the points of a chart's last line, in pixels."""
    path = lines(page, title).last.get_attribute('d')
    return [float(point.split()[1]) for point in path[1:].split('L')]


def tip(page, title='loss'):
    return chart(page, title).locator('.tip').inner_text().split('\n')


def test_a_line_for_each_run(opened):
    page = opened(run(), run('second', loss_mask=None))
    assert lines(page).count() == 2
    assert lines(page, 'loss_mask').count() == 1
    page.get_by_label('second').uncheck()
    assert lines(page).count() == 1
    page.get_by_label('first').uncheck()
    assert chart(page, 'loss').get_by_text('No run shows.').count() == 1


def test_lines_of_two_runs_differ(opened):
    page = opened(*(run(str(number)) for number in range(9)))
    strokes = lines(page).evaluate_all(
        'paths => paths.map(p => getComputedStyle(p).stroke + getComputedStyle(p).strokeDasharray)'
    )
    assert len(set(strokes)) == 9


def test_pointing_shows_the_values_of_all_runs(opened):
    page = opened(run(), run('second', loss=curve(6, 4, steps=[10, 30])))
    box = chart(page, 'loss').locator('svg[tabindex]').bounding_box()
    page.mouse.move(box['x'] + 54 + (box['width'] - 66) * 20.4 / 40, box['y'] + 90)
    assert tip(page) == ['iteration 20', 'first', '5', 'second', '6 at 10']
    page.mouse.move(5, 5)
    assert not chart(page, 'loss').locator('.tip').is_visible()


def test_keys_move_the_cursor(opened):
    page = opened(run())
    svg = chart(page, 'loss').locator('svg[tabindex]')
    svg.focus()
    keys = ('ArrowRight', 'ArrowRight', 'End', 'ArrowRight', 'ArrowLeft', 'Shift+ArrowLeft')
    steps = []
    for key in keys:
        page.keyboard.press(key)
        steps.append(int(tip(page)[0].split()[1]))
    assert steps == [10, 20, 40, 40, 30, 10]
    page.keyboard.press('Escape')
    assert not chart(page, 'loss').locator('.tip').is_visible()


def test_smoothing_is_a_mean_that_does_not_start_at_zero(opened):
    page = opened(run(loss=curve(8, 4, 4, 4)))
    page.locator('#smoothing').fill('0.5')
    assert lines(page).count() == 2  # what was logged stays, thin
    svg = chart(page, 'loss').locator('svg[tabindex]')
    svg.focus()
    for expected in ('8 (8)', '5.3333 (4)', '4.5714 (4)'):
        page.keyboard.press('ArrowRight')
        assert tip(page)[-1] == expected
    for title in ('lr', 'vis/AP'):
        assert lines(page, title).count() == 1


def test_log_scale_of_losses(opened):
    page = opened(run(loss=curve(1000, 100, 10, 1), grad_norm=curve(1000, 100, 10, 1)))
    linear = heights(page)
    page.get_by_label('Log scale').check()
    a, b, c, d = heights(page)
    assert heights(page, 'grad_norm') == linear
    assert b - a == pytest.approx(c - b, abs=0.2)
    assert c - b == pytest.approx(d - c, abs=0.2)
    assert linear[1] - linear[0] > 5 * (linear[2] - linear[1])


def test_a_diverged_run_has_a_gap_and_a_cross(opened):
    page = opened(run(loss=curve(3, math.nan, 2, 1)))
    assert lines(page).get_attribute('d').count('M') == 2
    assert chart(page, 'loss').locator('path.bad').count() == 1
    chart(page, 'loss').locator('svg[tabindex]').focus()
    page.keyboard.press('ArrowRight')
    page.keyboard.press('ArrowRight')
    assert tip(page) == ['iteration 20', 'first', 'not finite']


@pytest.mark.parametrize('values', [(0, 0), (-1, -2), (math.nan,), (5,)])
def test_values_that_some_scales_cannot_show(opened, values):
    page = opened(run(loss=curve(*values)))
    for is_log in (False, True):
        page.get_by_label('Log scale').set_checked(is_log)
        assert 'NaN' not in chart(page, 'loss').inner_html()


def test_the_link_keeps_what_shows(opened):
    page = opened(run(), run('second'))
    page.locator('#smoothing').fill('0.5')
    page.get_by_label('Log scale').check()
    page.get_by_label('first').uncheck()
    hash_ = page.url.partition('#')[2]
    page = opened(run(), run('second'), hash_=f'#{hash_}')
    assert lines(page).count() == 2  # smoothed and raw of the second
    assert page.locator('#smoothing').input_value() == '0.5'
    assert page.get_by_label('Log scale').is_checked()
    assert not page.get_by_label('first').is_checked()


def test_folded_charts_are_drawn_once_they_open(opened):
    page = opened(run())
    assert lines(page, 'd0.loss_mask').count() == 0
    page.get_by_text('Losses of d0').click()
    lines(page, 'd0.loss_mask').wait_for(state='attached')


def test_both_themes(opened, page):
    colors = set()
    for scheme in ('light', 'dark'):
        page.emulate_media(color_scheme=scheme)
        opened(run())
        colors.add(lines(page).evaluate('path => getComputedStyle(path).stroke'))
    assert len(colors) == 2


def test_a_key_and_a_button_switch_the_theme(opened):
    page = opened(run())
    seen = [page.evaluate('isDark()')]
    for switch in (lambda: page.keyboard.press('t'), page.locator('#theme').click):
        switch()
        seen.append(page.evaluate('isDark()'))
    assert seen == [False, True, False]


def test_names_stay_text(opened):
    page = opened(run(EVIL, **{EVIL: curve(1, 2)}))
    assert page.locator('img').count() == 0
    chart(page, 'loss').locator('svg[tabindex]').focus()
    page.keyboard.press('Home')
    assert EVIL.rstrip('\u2028') in chart(page, 'loss').locator('.tip .name').text_content()
