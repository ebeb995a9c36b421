"""Pages in Chromium, opened from disk; skipped where playwright or Chromium is not installed."""

import io
import shutil
from dataclasses import replace

import numpy as np
import pytest
from page_scenes import COLORS, EVIL, FPS, LENGTH, QUOTES, grey_of, scene, write_site
from PIL import Image

from mmvseg.pages.names import page_names

#: The videos of the site, and the names of their files.
NAMES = ('street', EVIL, QUOTES)
PAGES = page_names(NAMES)


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp('site') / 'page'
    videos = [
        replace(scene(name, page, category=name), runs=scene(category=name, runs=2).runs)
        for name, page in zip(NAMES, PAGES, strict=True)
    ]
    write_site(folder, videos, runs=('a.json', EVIL))
    return folder


def open_video(page, site, name='street', hash_=''):
    page.goto('about:blank')
    page.goto(f'file://{site}/videos/{name}.html{hash_}')
    page.wait_for_function("() => document.getElementById('time').textContent !== ''")


def frame_of(page):
    return int(page.inner_text('#time').split()[1])


def wait_for_frame(page, frame):
    start = f'frame {frame} /'
    page.wait_for_function(
        'start => document.getElementById("time").textContent.startsWith(start)', arg=start
    )


def shots(page):
    """What each panel shows at one moment, as (H, W, 3)."""
    boxes = [canvas.bounding_box() for canvas in page.locator('.panels canvas').all()]
    whole = np.array(Image.open(io.BytesIO(page.screenshot())).convert('RGB'))
    corners = [[round(box[key]) for key in ('x', 'y', 'width', 'height')] for box in boxes]
    return [whole[y : y + height, x : x + width] for x, y, width, height in corners]


def shown_frames(page):
    """The frame on each panel by its brightness at the bottom, where no mask is."""
    greys = [np.median(shot[-30:-10, 20:-20]) for shot in shots(page)]
    return [round(float(grey - grey_of(0)) / (grey_of(1) - grey_of(0)), 1) for grey in greys]


def hash_of(page):
    text = page.evaluate('location.hash')[1:]
    return dict(part.split('=') for part in text.split('&') if part)


def test_panels_are_in_step_at_every_frame(page, site):
    open_video(page, site)
    assert page.locator('.panels canvas').count() == 4
    for frame in [*range(LENGTH), 5, 0, 11, 4]:
        page.evaluate('frame => { location.hash = `frame=${frame}`; }', frame)
        wait_for_frame(page, frame)
        assert shown_frames(page) == pytest.approx([frame] * 4, abs=0.25)


def test_it_plays_and_stops_at_what_it_shows(page, site):
    open_video(page, site)
    page.select_option('#speed', '0.5')
    page.keyboard.press('Space')
    wait_for_frame(page, 3)
    assert page.get_attribute('#play', 'aria-label') == 'Pause'
    page.keyboard.press('Space')
    page.wait_for_function("() => document.getElementById('play').ariaLabel === 'Play'")
    page.wait_for_timeout(2000 / FPS)
    frame = frame_of(page)
    assert 3 <= frame < LENGTH
    assert shown_frames(page) == pytest.approx([frame] * 4, abs=0.25)
    assert hash_of(page)['frame'] == str(frame)
    page.select_option('#speed', '4')
    page.click('#play')
    page.wait_for_function("() => document.getElementById('video').ended")
    wait_for_frame(page, LENGTH - 1)


def test_panels_are_in_step_while_it_plays(page, site):
    open_video(page, site)
    page.select_option('#speed', '0.25')
    page.keyboard.press('Space')
    page.wait_for_function("() => document.getElementById('play').ariaLabel === 'Pause'")
    seen = []
    while page.get_attribute('#play', 'aria-label') == 'Pause':
        seen.append(shown_frames(page))
    assert all(frames == pytest.approx([frames[0]] * 4, abs=0.25) for frames in seen)
    assert len({round(frames[0]) for frames in seen}) > 3


def test_frames_while_it_plays_are_those_of_the_pictures(page, site):
    """Each number is noted with the time of the picture that the browser has just shown."""
    open_video(page, site)
    page.evaluate("""() => {
      window.seen = [];
      const video = document.getElementById('video');
      const next = (now, picture) => {
        const text = () => document.getElementById('time').textContent;
        setTimeout(() => seen.push([picture.mediaTime, text()]));
        video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
    }""")
    page.keyboard.press('Space')
    page.wait_for_function("() => document.getElementById('video').ended")
    seen = [(seconds, int(text.split()[1])) for seconds, text in page.evaluate('seen')]
    assert len({frame for _, frame in seen}) > LENGTH / 2
    assert all(frame == pytest.approx(seconds * FPS, abs=0.01) for seconds, frame in seen)


def test_keys(page, site):
    open_video(page, site)
    for key, frame in (('ArrowRight', 1), ('ArrowRight', 2), ('ArrowLeft', 1), ('End', 11)):
        page.keyboard.press(key)
        wait_for_frame(page, frame)
    for key, frame in (('Shift+ArrowLeft', 1), ('Shift+ArrowRight', 11), ('Home', 0)):
        page.keyboard.press(key)
        wait_for_frame(page, frame)
    boxes = page.locator('[data-group="0"] .shows')
    page.keyboard.press('1')
    assert [box.is_checked() for box in boxes.all()] == [False, True, False]
    page.keyboard.press('a')
    assert [box.is_checked() for box in boxes.all()] == [False, False, False]
    page.keyboard.press('a')
    assert [box.is_checked() for box in boxes.all()] == [True, True, True]
    page.keyboard.press('l')
    assert not page.is_checked('#labels')
    page.keyboard.press('m')
    assert page.input_value('#opacity') == '0'
    page.keyboard.press(']')
    assert page.input_value('#speed') == '2'
    assert page.evaluate("document.getElementById('video').playbackRate") == 2
    page.focus('#seek')
    page.keyboard.press('ArrowRight')
    wait_for_frame(page, 1)


def near(shot, color):
    """Pixels of about a colour."""
    return int((np.abs(shot.astype(int) - color).max(2) < 60).sum())


def test_masks_of_tracks(page, site):
    open_video(page, site, hash_='#frame=2')
    page.uncheck('#labels')
    page.fill('#opacity', '100')
    empty, truth, first, second = shots(page)
    assert [near(shot, COLORS[0]) > 500 for shot in (empty, truth, first, second)] == [
        *[False, True, True, True]
    ]
    assert near(first, COLORS[2]) == 0  # hidden at first
    page.locator('[data-group="0"] .shows').nth(2).check()
    page.locator('[data-group="1"] .shows').nth(0).uncheck()
    _, _, first, second = shots(page)
    assert near(first, COLORS[2]) > 500
    assert near(second, COLORS[0]) == 0
    height, width = first.shape[
        :2
    ]  # the object's square: columns 8 to 22 of 63, rows 8 to 22 of 48
    rows, columns = np.nonzero(np.abs(first.astype(int) - COLORS[0]).max(2) < 60)
    assert columns.min() / width == pytest.approx(8 / 63, abs=0.01)
    assert (columns.max() + 1) / width == pytest.approx(22 / 63, abs=0.01)
    assert rows.min() / height == pytest.approx(8 / 48, abs=0.01)
    assert (rows.max() + 1) / height == pytest.approx(22 / 48, abs=0.01)


def test_errors_lead_to_their_place(page, site):
    open_video(page, site)
    page.keyboard.press('n')
    wait_for_frame(page, 7)
    assert hash_of(page) == dict(frame='7', track='0', object='17', error='0')
    assert page.locator('.tube.selected').count() == 2
    marker = page.locator('.marker[data-at="3"]')
    marker.click()
    wait_for_frame(page, 3)
    first = hash_of(page)['error']
    marker.click()
    page.wait_for_function('old => !location.hash.endsWith(old)', arg=f'error={first}')
    page.locator('.error').nth(1).click()
    wait_for_frame(page, 7)
    assert hash_of(page)['b'] == '0'
    page.keyboard.press('Escape')
    assert hash_of(page) == dict(frame='7')


def test_links_say_where_to_look(page, site):
    open_video(page, site, hash_='#frame=9&track=4')
    wait_for_frame(page, 9)
    (row,) = page.locator('.tube.selected').all()
    assert (row.get_attribute('data-group'), row.get_attribute('data-index')) == ('0', '1')
    for wrong in ('#frame=999', '#frame=x&track=y&error=77', '#frame=-3'):
        open_video(page, site, hash_=wrong)
        assert page.locator('.tube.selected').count() == 0
        assert frame_of(page) == (LENGTH - 1 if wrong == '#frame=999' else 0)


def test_bars_and_the_bar_of_time_seek(page, site):
    open_video(page, site)
    box = page.locator('#bar').bounding_box()
    for frame in (0, 6, 11):
        x = box['x'] + (frame + 0.5) / LENGTH * box['width']
        page.mouse.click(x, box['y'] + box['height'] / 2 + 4)
        wait_for_frame(page, frame)
        line = page.locator('#playhead').bounding_box()
        assert line['x'] + line['width'] / 2 == pytest.approx(x, abs=1.5)
    lane = page.locator('.tube[data-group="0"] .lane').nth(1)
    place = lane.bounding_box()
    lane.click(position=dict(x=(4 + 0.5) / LENGTH * place['width'], y=8))
    wait_for_frame(page, 4)
    assert hash_of(page) == dict(frame='4', track='4')


@pytest.mark.parametrize('number', [1, 2])
def test_names_never_run(page, site, number):
    name = NAMES[number]
    open_video(page, site, PAGES[number])
    assert page.text_content('h1') == name
    page.keyboard.press('n')
    page.goto(f'file://{site}/index.html')
    page.wait_for_selector('.card')
    assert name in page.locator('.card .name').all_text_contents()
    assert page.locator('img').count() == 3  # the pictures of the videos


def test_list_filters_and_its_links(page, site):
    page.goto(f'file://{site}/index.html')
    page.wait_for_selector('.card')
    assert page.locator('.card').count() == 3
    page.fill('#search', 'STREET')
    assert page.locator('.card').count() == 1
    page.check('input[value=missed]')
    assert page.locator('.card').count() == 0
    assert page.is_visible('#nothing')
    page.uncheck('input[value=missed]')
    page.check('input[value=false]')
    assert page.inner_text('.card .costs') == 'cost A 0.30 · B 0.30'
    assert hash_of(page) == dict(q='STREET', errors='false')
    page.goto('about:blank')
    page.goto(f'file://{site}/index.html#q=STREET&errors=false,mask&class=street&order=name')
    page.wait_for_selector('.card')
    assert page.inner_text('.card .costs') == 'cost A 0.20 · B 0.20'
    assert page.input_value('#order') == 'name'
    page.click('.card a')
    page.wait_for_function("() => document.getElementById('rank').textContent.startsWith('1 of 3')")
    page.click('#next')
    page.wait_for_function("() => document.getElementById('rank').textContent.startsWith('2 of 3')")


def test_many_videos_come_as_they_are_needed(page, tmp_path):
    folder = tmp_path / 'page'
    videos = [scene(f'video {n}', f'v{n}') for n in range(300)]
    write_site(folder, videos, pictures=False)
    for video in videos:  # their pictures may be as small as that
        (folder / f'videos/{video.page}.jpg').write_bytes(
            b'GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;'
        )
    page.goto(f'file://{folder}/index.html')
    page.wait_for_selector('.card')
    assert page.inner_text('#found') == '300 of 300'
    assert page.locator('.card').count() < 200
    for count in range(20, 301, 20):
        page.keyboard.press('End')
        enough = '(count) => document.querySelectorAll(".card").length >= count'
        page.wait_for_function(enough, arg=count)
    assert page.locator('.card').count() == 300


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_themes(browser, site, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    open_video(page, site)
    brightness = 'eval(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])'
    before = page.evaluate(brightness)
    assert (before > 128) == (scheme == 'light')
    page.click('#theme')
    assert (page.evaluate(brightness) > 128) != (scheme == 'light')
    page.goto(f'file://{site}/index.html')  # the choice is kept
    assert (page.evaluate(brightness) > 128) != (scheme == 'light')
    context.close()


def test_without_the_video_masks_are_drawn(browser, site, tmp_path):
    shutil.copytree(site, tmp_path / 'page')
    (tmp_path / 'page/videos/street.mp4').write_bytes(b'no video')
    page = browser.new_context().new_page()
    open_video(page, tmp_path / 'page', hash_='#frame=2')
    assert page.is_visible('#trouble')
    page.fill('#opacity', '100')
    assert near(shots(page)[1], COLORS[0]) > 500
    page.evaluate('document.activeElement.blur()')
    page.keyboard.press('ArrowRight')
    wait_for_frame(page, 3)
    page.context.close()
