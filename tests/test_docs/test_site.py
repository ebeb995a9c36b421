"""The site of the documentation: it builds without a warning, and its links lead somewhere."""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from helpers import REPOSITORY

from mmvseg.model_index import load_model_index

pytest.importorskip('sphinx', reason='the site is built with Python 3.11 or newer')

DOCS = REPOSITORY / 'docs'
#: Attributes whose files a browser loads by itself.
LOADED = {'src', 'srcset', 'poster', 'data'}
#: Relations of a ``link`` that nothing is loaded for before a click.
KEPT = {'canonical', 'index', 'search', 'next', 'prev', 'author', 'copyright'}


class Page(HTMLParser):
    """Ids, links, loaded files and rows of tables of a page."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loaded, self.rows = set(), [], [], 0
        self.feed(path.read_text(encoding='utf-8'))

    def handle_starttag(self, tag, attrs):
        attrs = {name: value or '' for name, value in attrs}
        self.ids.update(attrs[name] for name in ('id', 'name') if attrs.get(name))
        self.rows += tag == 'tr'
        if tag == 'link' and not KEPT & set(attrs.get('rel', '').split()):
            self.loaded.append(attrs['href'])
        elif 'href' in attrs:
            self.links.append(attrs['href'])
        self.loaded += [attrs[name] for name in LOADED if attrs.get(name)]


def build(source, out):
    command = [sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q', '-c', DOCS, source, out]
    env = dict(os.environ, PYTHONPATH=str(REPOSITORY))
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, env=env
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp('site')
    status, messages = build(DOCS, out)
    assert status == 0, messages
    assert 'WARNING' not in messages
    return out


@pytest.fixture(scope='module')
def pages(site):
    return {path.relative_to(site).as_posix(): Page(path) for path in site.rglob('*.html')}


def sources():
    found = [path for end in ('md', 'ipynb') for path in DOCS.rglob(f'*.{end}')]
    left_out = {'_build', '_static', '_ext', '_templates', '.ipynb_checkpoints'}
    return [path for path in found if not left_out & set(path.relative_to(DOCS).parts)]


def test_every_source_is_a_page_that_a_table_of_contents_names(pages):
    names = [path.relative_to(DOCS).with_suffix('.html').as_posix() for path in sources()]
    assert len(names) > 25
    assert not set(names) - set(pages)
    # what Sphinx takes as a reason not to say that no toctree has a page
    assert not [path for path in sources() if re.search('^orphan:', path.read_text(), re.MULTILINE)]


def test_links_and_anchors_lead_somewhere(pages, site):
    lost = []
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                assert parts.scheme in ('https', 'http', 'mailto'), (name, link)
                continue
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            target = Path(os.path.normpath(target))
            key = target.relative_to(site).as_posix()
            anchor = unquote(parts.fragment)
            is_there = target.is_file() and (not anchor or anchor in pages[key].ids)
            if not is_there:
                lost.append((name, link))
    assert not lost


def test_nothing_is_loaded_from_elsewhere(pages, site):
    for name, page in pages.items():
        for address in page.loaded:
            parts = urlsplit(address)
            assert parts.scheme in ('', 'data'), (name, address)
            assert not parts.netloc, (name, address)
            if not parts.scheme:
                assert ((site / name).parent / unquote(parts.path)).is_file(), (name, address)
    for style in site.rglob('*.css'):
        assert not re.search(r'(@import|url\()\s*["\']?(https?:)?//', style.read_text()), style


def test_the_search_knows_words(site):
    text = (site / 'searchindex.js').read_text(encoding='utf-8')
    index = json.loads(text.removeprefix('Search.setIndex(').rstrip(');\n'))
    for word, page in {'messeng': 'models', 'cvat': 'data', 'tracker': 'dvis'}.items():
        found = index['terms'][word]
        found = found if isinstance(found, list) else [found]
        assert page in [index['docnames'][number] for number in found]


def test_the_zoo_has_all_configs(pages):
    models = load_model_index(REPOSITORY / 'model-index.yml')
    zoo = pages['find_a_model.html']
    assert zoo.rows == len(models) + 1
    for model in models:
        config = Path(model.config)
        page = f'_repository/{config.parent.as_posix()}.html'
        assert f'{page}#{config.stem}-py' in zoo.links


def small_site(folder, text):
    (folder / 'folder').mkdir()
    (folder / 'docs').mkdir()
    (folder / 'code.py').write_text('answer = 42\n')
    (folder / 'READ.md').write_text('# Top\n')
    (folder / 'docs/index.md').write_text(f'# Index\n\n{text}\n\n```{{toctree}}\npage\n```\n')
    (folder / 'docs/page.md').write_text('# Page\n\n## There\n')
    return build(folder / 'docs', folder / 'out')


def test_a_broken_link_fails_the_build(tmp_path):
    broken = ['page.md#nowhere', '#lost', 'gone.md', '../gone.py', '../GONE.md', '../folder']
    status, messages = small_site(tmp_path, ' '.join(f'[a]({link})' for link in broken))
    assert status
    assert messages.count('index.md:3: WARNING') == len(broken)
    assert not [link for link in broken if link.partition('#')[2] not in messages]


def test_a_linked_file_of_the_repository_is_shown(tmp_path):
    links = ['page.md#there', 'page.md', '../code.py', '../READ.md#top']
    status, messages = small_site(tmp_path, ' '.join(f'[a]({link})' for link in links))
    assert not status, messages
    files = '_repository/files.html'
    expected = ['page.html#there', 'page.html', f'{files}#code-py', f'{files}#read-md']
    assert set(expected) < set(Page(tmp_path / 'out/index.html').links)
    shown = re.sub('<[^>]+>', '', (tmp_path / 'out' / files).read_text())
    assert shown.count('answer = 42') == 1
