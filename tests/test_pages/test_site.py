"""The files of a site: what they hold, and that names stay names."""

from html.parser import HTMLParser

import numpy as np
import pytest
from page_scenes import EVIL, KINDS, LENGTH, QUOTES, read_data, scene, write_site
from pycocotools import mask as coco_mask

from mmvseg.pages.names import page_names
from mmvseg.pages.records import ShownRun
from mmvseg.pages.rendering import TEMPLATES
from mmvseg.pages.script_data import script_json


class Page(HTMLParser):
    """Elements with their attributes and texts, as a browser sees them."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.text, self.inside = [], '', []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, text):
        assert not text.strip() or self.inside[-1] not in ('script', 'style')
        self.text += text

    def all(self, tag, **wanted):
        wanted = {name.rstrip('_').replace('_', '-'): value for name, value in wanted.items()}
        found = [attributes for name, attributes in self.elements if name == tag]
        return [item for item in found if wanted.items() <= item.items()]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / 'page'


def pages(folder):
    return [*folder.rglob('*.html')]


@pytest.mark.parametrize('name', [EVIL, QUOTES])
def test_names_from_files_stay_text(folder, name):
    video = scene(name, page_names([name])[0], category=name)
    write_site(folder, [video], runs=(name,))
    for path in pages(folder):
        page = Page(path)
        assert name in page.text
        for tag, attributes in page.elements:
            assert not any(key.startswith('on') for key in attributes)
            assert tag != 'img'
            if tag == 'script':
                assert attributes['src'].endswith('.js')
                assert '<' not in attributes['src']
    boxes = Page(folder / f'videos/{video.page}.html').all('input', class_='shows')
    assert f'Masks of {name} #0 0.90' in [box['aria-label'] for box in boxes]
    for path in folder.glob('**/*.js'):
        if path.parent.name != 'assets':
            assert not set('<>&\u2028') & set(path.read_text())
    assert read_data(folder / 'videos.js')[1]['videos'][0]['name'] == name


def test_names_of_files_are_harmless():
    names = [EVIL, '../../etc/passwd', 'a/b', 'A b', 'a-b', '', '.', 'con', 'ü' * 300, 'x' * 300]
    made = page_names(names)
    assert made[1:8] == ['etc-passwd', 'a-b', 'A-b_2', 'a-b_3', 'video', 'video_2', 'video-con']
    assert len({name.casefold() for name in made}) == len(names)
    assert all(name.isascii() and name.replace('-', '').replace('_', '').isalnum() for name in made)
    assert max(map(len, made)) < 80


def test_script_data_cannot_end_a_script():
    text = script_json(dict(a=f'{EVIL}\u2028\u2029 & \ud800'))
    assert not set('<>&\u2028\u2029') & set(text)
    text.encode()
    with pytest.raises(ValueError, match='not JSON compliant'):
        script_json([float('nan')])


def test_nothing_comes_from_other_hosts(folder):
    write_site(folder, [scene()])
    for path in folder.rglob('*'):
        if path.suffix in ('.html', '.js', '.css'):
            text = path.read_text().replace('http://www.w3.org/2000/svg', '')
            assert '//' not in text.replace('// ', '').replace('\n//', '')
    for path in pages(folder):
        (policy,) = Page(path).all('meta', http_equiv='Content-Security-Policy')
        assert policy['content'].startswith("default-src 'none'; script-src 'self' file:;")


def test_all_links_lead_to_files(folder):
    write_site(folder, [scene(), scene('yard', 'yard')])
    for path in pages(folder):
        for tag, attributes in Page(path).elements:
            for link in (attributes.get('src'), attributes.get('href')):
                if link and tag != 'link' and not link.startswith('data:'):
                    assert (path.parent / link).is_file(), link
    assert (folder / 'assets/style.css').is_file()
    assert {path.name for path in (folder / 'assets').iterdir()} == {
        path.name for path in (TEMPLATES / 'assets').iterdir()
    }


def test_data_of_a_video(folder):
    video = scene(runs=2)
    write_site(folder, [video], runs=('a.json', 'b.json'))
    function, data = read_data(folder / 'videos/street.js')
    assert function == 'registerVideo'
    assert (data['size'], data['length'], data['fps']) == ([48, 63], LENGTH, 6)
    assert [tube['id'] for tube in data['runs'][1]] == [0, 4, 2]
    assert [tube['hidden'] for tube in data['runs'][0]] == [False, False, True]
    assert data['runs'][0][0]['label'] == 'cat #0 0.90'
    assert data['objects'][0]['label'] == 'cat #17'
    for shown, tube in zip(data['runs'][0], video.runs[0].tracks, strict=True):
        for counts, code in zip(shown['masks'], tube.masks, strict=True):
            if code is None:
                assert counts == 0
            else:
                decoded = coco_mask.decode(dict(size=data['size'], counts=counts.encode()))
                np.testing.assert_array_equal(decoded, coco_mask.decode(code))


def test_page_of_a_video(folder):
    write_site(folder, [scene()])
    page = Page(folder / 'videos/street.html')
    assert [item['data-panel'] for item in page.all('figure')] == ['input', 'truth', '0']
    (video,) = page.all('video')
    assert video['src'] == 'street.mp4'
    rows = page.all('div', class_='row tube')
    assert [(row['data-group'], row['data-index']) for row in rows] == [
        *[('truth', '0'), ('0', '0'), ('0', '1'), ('0', '2')]
    ]
    boxes = page.all('input', class_='shows')
    assert ['checked' in box for box in boxes] == [True, True, True, False]
    assert [box['aria-label'] for box in boxes][1] == 'Masks of cat #0 0.90'
    errors = page.all('button', class_='error')
    assert [item['data-frame'] for item in errors] == ['7', '3', '3']  # by cost
    assert [item.get('data-object') for item in errors] == ['0', None, '0']
    marks = [item for item in page.all('button') if item.get('class', '').startswith('marker')]
    assert [(item['data-at'], item['data-errors']) for item in marks] == [('3', '1 2'), ('7', '0')]


def test_two_files_beside_each_other(folder):
    write_site(folder, [scene(runs=2)], runs=('a.json', 'b.json'))
    page = Page(folder / 'videos/street.html')
    assert [item['data-panel'] for item in page.all('figure')] == ['input', 'truth', '0', '1']
    assert {item['data-run'] for item in page.all('button', class_='error')} == {'0', '1'}
    assert {item['value'] for item in page.all('option')} >= {'0.25', '4'}
    assert 'Errors 6, cost A 1.40 · B 1.40' in page.text
    orders = {item['value'] for item in Page(folder / 'index.html').all('option')}
    assert {'worse', 'better'} <= orders


def test_without_truth_there_are_no_errors(folder):
    video = scene()
    video.objects, video.runs = None, [ShownRun(video.runs[0].tracks)]
    write_site(folder, [video], kinds=())
    page = Page(folder / 'videos/street.html')
    assert [item['data-panel'] for item in page.all('figure')] == ['input', '0']
    assert 'Errors' not in page.text
    index = Page(folder / 'index.html')
    assert not index.all('input', name='kind')
    assert {item['value'] for item in index.all('option')} == {'', 'cat', 'dog', 'file', 'name'}
    assert read_data(folder / 'videos.js')[1]['videos'][0]['objects'] is None


def test_videos_without_anything_say_so(folder):
    video = scene()
    video.objects, video.runs = [], [ShownRun([], np.zeros((0, LENGTH), int))]
    write_site(folder, [video])
    text = Page(folder / 'videos/street.html').text
    assert 'Nothing is annotated in this video.' in text
    assert 'No tracks in this video.' in text


def test_list_of_videos(folder):
    write_site(folder, [scene(), scene('yard', 'yard', 'fox')])
    function, site = read_data(folder / 'videos.js')
    assert function == 'registerVideos'
    assert site['kinds'] == list(KINDS)
    first = site['videos'][0]
    assert first['tracks'] == [2]  # without those that are hidden at first
    assert (first['objects'], first['length']) == (1, LENGTH)
    assert first['categories'] == ['cat', 'dog']
    assert sorted(first['errors']) == [
        [0, 'association', 'cat', 1, 0.9],
        [0, 'false', 'dog', 1, 0.3],
        [0, 'mask', 'cat', 1, 0.2],
    ]
    options = [item['value'] for item in Page(folder / 'index.html').all('option')]
    assert options[:4] == ['', 'cat', 'dog', 'fox']
