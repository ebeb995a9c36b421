"""The files of a data set's page: what they hold, and that names stay names."""

from html.parser import HTMLParser

import pytest
from browse_scenes import item, video, videos, write
from page_scenes import EVIL, QUOTES, read_data

from mmvseg.pages.dataset import BrowsedProblem


class Page(HTMLParser):
    """Elements with their attributes, and all text."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.text = [], ''
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, text):
        self.text += text


@pytest.mark.parametrize('name', [EVIL, QUOTES])
def test_names_from_files_stay_text(tmp_path, name):
    problem = BrowsedProblem(name, name)
    shown = [video(name, [item(1, 0)], [problem], page='x')]
    write(tmp_path, shown, [name], [problem], name, name)
    page = Page(tmp_path / 'index.html')
    assert page.text.count(name) == 5  # title, file, frames; place and rule of the problem
    for tag, attributes in page.elements:
        assert not any(key.startswith('on') for key in attributes)
        assert tag != 'img'
        if tag == 'script':
            assert '<' not in attributes['src']
    assert not set('<>&\u2028') & set((tmp_path / 'dataset.js').read_text())
    _, site = read_data(tmp_path / 'dataset.js')
    assert site['classes'] == [site['videos'][0]['name']] == [name]
    assert site['videos'][0]['problems'] == [[0, name, name]]


def test_nothing_comes_from_elsewhere(tmp_path):
    write(tmp_path, videos())
    for path in tmp_path.rglob('*'):
        if path.suffix in ('.html', '.js', '.css'):
            text = path.read_text().replace('http://www.w3.org/2000/svg', '')
            assert '//' not in text.replace('// ', '').replace('\n//', '')
    for _, attributes in Page(tmp_path / 'index.html').elements:
        for link in (attributes.get('src'), attributes.get('href')):
            assert not link or link.startswith('data:') or (tmp_path / link).is_file()


def test_numbers_of_the_whole(tmp_path):
    write(tmp_path, videos())
    text = Page(tmp_path / 'index.html').text
    assert '3 videos' in text
    assert '60 frames, 4 objects, 34 masks' in text
    assert 'Problems in 1 video, listed with each. Nothing on the file as a whole.' in text
    write(tmp_path, [video()], root=None)
    text = Page(tmp_path / 'index.html').text
    assert '1 video' in text
    assert 'No problems in videos.' in text
    assert 'none given: the objects are drawn on grey' in text


def test_data_of_videos(tmp_path):
    crowd = item(7, 2, [(0, 1), (4, 4)], 12.34, occlusion=0.12345, is_crowd=True)
    notes = [BrowsedProblem('', 'worth knowing', is_note=True), BrowsedProblem('a', 'b')]
    write(tmp_path, [video('v', [item(-3, 0, [], 0.0), crowd], notes)])
    function, site = read_data(tmp_path / 'dataset.js')
    assert function == 'registerDataset'
    assert site['colors'][0] == '#fa2828'
    assert site['sheets'] == 'sheets'
    (data,) = site['videos']
    assert data['sheet'] == ['v.gif', 80, 60]
    assert (data['size'], data['length'], data['faults']) == ([72, 128], 10, 1)
    assert data['objects'] == [[-3, 0, 0.0, None, 0], [7, 2, 12.3, 0.123, 1, 0, 1, 4, 4]]
    assert data['problems'] == [[1, '', 'worth knowing'], [0, 'a', 'b']]


def test_problems_without_end_are_cut(tmp_path):
    many = [BrowsedProblem(f'frame {n}', 'missing file') for n in range(1000)]
    write(tmp_path, [video('v', problems=many)], problems=many)
    text = Page(tmp_path / 'index.html').text
    assert 'frame 199:' in text
    assert 'frame 200:' not in text
    assert 'and 800 more' in text
    assert '1,000 lines on the file as a whole' in text
    (data,) = read_data(tmp_path / 'dataset.js')[1]['videos']
    assert (len(data['problems']), data['more'], data['faults']) == (200, 800, 1000)
