"""The page of a data set in Chromium, from disk; skipped without playwright or Chromium."""

from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from browse_scenes import item, video, videos, write
from page_scenes import EVIL, QUOTES

from mmvseg.pages.dataset import BrowsedProblem


def open_page(page, folder, hash_=''):
    page.goto('about:blank')
    page.goto(f'file://{folder}/index.html{hash_}')
    page.wait_for_function("() => document.getElementById('found').textContent !== ''")


def names(page):
    return page.locator('.card .name').all_text_contents()


def state(page):
    return {key: value[0] for key, value in parse_qs(page.evaluate('location.hash')[1:]).items()}


def chart(page, title):
    """Labels and counts of a chart."""
    rows = page.locator('.chart').filter(has=page.locator('b', has_text=title)).locator('li')
    texts = [row.inner_text().split('\n') for row in rows.all()]
    return {parts[0]: int(parts[-1].replace(',', '')) for parts in texts}


def bar(page, title, label):
    figure = page.locator('.chart').filter(has=page.locator('b', has_text=title))
    return figure.locator(f'button[title="{label}"]')


@pytest.fixture
def site(tmp_path):
    return write(tmp_path / 'page', videos())


def test_list_and_filters(page, site):
    open_page(page, site)
    assert names(page) == ['street', 'yard', 'empty']
    assert page.inner_text('#found') == '3 of 3'
    assert page.locator('.card').nth(1).locator('.fault').inner_text() == '1 problem'
    fault = page.locator('.fault').get_attribute('title')
    assert fault == 'frame 3: missing file'
    page.select_option('#of-class', label='dog')
    page.select_option('#of-side', label='128 to 256')
    assert names(page) == ['yard']
    assert state(page) == {'class': 'dog', 'side': '128 to 256'}
    page.select_option('#of-problems', label='no problems')
    assert page.is_visible('#nothing')
    page.click('#all')
    assert names(page) == ['street', 'yard', 'empty']
    assert state(page) == {}
    page.fill('#search', 'TREE')
    assert names(page) == ['street']


def test_objects_that_do_not_fit_are_faint(page, site):
    open_page(page, site, '#class=dog')
    assert names(page) == ['street', 'yard']
    chips = page.locator('.card').first.locator('.chip')
    assert ['faint' in chip.get_attribute('class') for chip in chips.all()] == [True, True, False]


def test_a_bar_filters_and_lets_go(page, site):
    open_page(page, site)
    assert chart(page, 'Class') == dict(cat=2, dog=2, fox=0)
    assert chart(page, 'Objects a video') == {'0': 1, '1': 1, '2': 0, '3': 1}
    bar(page, 'Class', 'dog').click()
    assert names(page) == ['street', 'yard']
    assert page.input_value('#of-class') == '1'
    assert chart(page, 'Objects a video') == {'0': 0, '1': 1, '2': 0, '3': 1}
    assert bar(page, 'Class', 'dog').get_attribute('aria-pressed') == 'true'
    bar(page, 'Class', 'dog').click()
    assert names(page) == ['street', 'yard', 'empty']


def test_long_charts_are_cut_until_asked_for(page, tmp_path):
    classes = [f'class {n}' for n in range(30)]
    objects = [item(n, n) for n in range(30)]
    write(tmp_path, [video('a', objects[:4])], classes)
    open_page(page, tmp_path)
    assert len(chart(page, 'Class')) == 11
    page.click('text=19 more')
    assert len(chart(page, 'Class')) == 30
    page.click('text=less')
    assert len(chart(page, 'Class')) == 11


def test_orders(page, site):
    open_page(page, site)
    for order, expected in (
        ('name', ['empty', 'street', 'yard']),
        ('problems', ['yard', 'street', 'empty']),
        ('objects', ['street', 'yard', 'empty']),
        ('long', ['empty', 'street', 'yard']),
    ):
        page.select_option('#order', order)
        assert names(page) == expected
        assert state(page) == dict(order=order)


def test_a_video(page, site):
    open_page(page, site)
    page.locator('.card a').first.click()
    shown = page.locator('dialog')
    assert shown.locator('h2').inner_text() == 'street'
    assert shown.locator('img').get_attribute('src') == 'sheets/street.gif'
    rows = shown.locator('.objects li')
    assert [row.locator('.name').inner_text() for row in rows.all()] == ['cat', 'cat', 'dog']
    assert rows.nth(2).locator('.note').inner_text() == (
        '4 of 10 frames · gaps of 3 · 1,000 pixels (11 %)'
    )
    bars = rows.nth(2).locator('.bars rect')
    places = [(rect.get_attribute('x'), rect.get_attribute('width')) for rect in bars.all()]
    assert places == [('0', '2'), ('5', '2')]
    assert bars.first.get_attribute('fill') == '#28c828'
    assert state(page) == dict(video='street')
    page.keyboard.press('ArrowRight')
    assert shown.locator('h2').inner_text() == 'yard'
    assert shown.locator('.problems').inner_text() == 'frame 3: missing file'
    assert state(page) == dict(video='yard')
    page.keyboard.press('ArrowRight')
    assert 'No objects.' in shown.inner_text()
    assert shown.get_by_text('Next').is_disabled()
    page.keyboard.press('ArrowLeft')
    page.keyboard.press('Escape')
    page.wait_for_function("() => !document.getElementById('detail').open")
    assert state(page) == {}


def test_all_that_is_known_of_an_object(page, tmp_path):
    write(tmp_path, [video('a', [item(1, 0, occlusion=0.25, is_crowd=True), item(2, 1, [], 0.0)])])
    open_page(page, tmp_path, '#video=a')
    notes = page.locator('.objects .note').all_inner_texts()
    assert notes[0] == '10 of 10 frames · 1,000 pixels (11 %) · occlusion 0.25 · crowd'
    assert notes[1].startswith('0 of 10 frames · 0 pixels')
    labels = [one.get_attribute('aria-label') for one in page.locator('.objects .bars').all()]
    assert labels == ['seen in frames 0 to 9', 'never seen']


def test_links(page, site):
    open_page(page, site, '#class=dog&order=name&video=yard&side=nonsense')
    assert page.locator('dialog h2').inner_text() == 'yard'
    assert page.locator('dialog .note').first.inner_text() == '2 of 2'
    assert state(page) == {'class': 'dog', 'order': 'name', 'video': 'yard'}
    open_page(page, site, '#video=nothing&order=toString')
    assert not page.is_visible('dialog')
    assert page.input_value('#order') == 'file'
    assert names(page) == ['street', 'yard', 'empty']
    page.evaluate("location.hash = 'class=cat'")
    page.wait_for_function("() => document.getElementById('found').textContent === '1 of 3'")


@pytest.mark.parametrize('name', [EVIL, QUOTES])
def test_names_never_run(page, tmp_path, name):
    problem = BrowsedProblem(name, name)
    write(tmp_path, [video(name, [item(1, 0)], [problem], page='x')], [name, 'b'], [problem])
    open_page(page, tmp_path)
    assert names(page) == [name]
    page.select_option('#of-class', label=name)
    assert state(page)['class'] == name
    page.locator('.card a').click()
    assert page.locator('dialog h2').text_content() == name
    assert page.locator('.objects .name').text_content() == name
    assert page.locator('img').count() == 2  # of the list and of the video


def test_keys(page, site):
    open_page(page, site)
    page.keyboard.press('/')
    page.keyboard.type('yard')
    assert names(page) == ['yard']


def test_many_videos_come_as_they_are_needed(page, tmp_path):
    shown = [replace(video(f'video {n}', page='a'), objects=[item(n, n % 3)]) for n in range(300)]
    write(tmp_path, shown)
    open_page(page, tmp_path)
    assert page.inner_text('#found') == '300 of 300'
    assert page.locator('.card').count() < 200
    images = page.locator('.card img')
    assert {image.get_attribute('loading') for image in images.all()} == {'lazy'}
    for count in range(20, 301, 20):
        page.keyboard.press('End')
        enough = '(count) => document.querySelectorAll(".card").length >= count'
        page.wait_for_function(enough, arg=count)
    assert page.locator('.card').count() == 300


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_on_a_telephone_in_both_themes(browser, site, scheme):
    context = browser.new_context(color_scheme=scheme, viewport=dict(width=390, height=844))
    page = context.new_page()
    open_page(page, site)
    assert not page.is_visible('.chart')  # until asked for
    page.click('#statistics summary')
    assert page.is_visible('.chart')
    assert page.evaluate('document.documentElement.scrollWidth') <= 390
    page.locator('.card a').first.click()
    assert page.evaluate("document.getElementById('detail').scrollWidth") <= 390
    brightness = 'eval(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])'
    assert (page.evaluate(brightness) > 128) == (scheme == 'light')
    page.keyboard.press('t')
    assert (page.evaluate(brightness) > 128) != (scheme == 'light')
    context.close()
