"""Files for those who take part: whole, and of one mind with the package."""

import re
from fnmatch import fnmatch

import pytest
import yaml
from helpers import REPOSITORY

import mmvseg

try:
    import tomllib
except ImportError:  # Python 3.10, where pytest brings this one
    import tomli as tomllib

FORMS = sorted((REPOSITORY / '.github/ISSUE_TEMPLATE').glob('*.yml'))
PROJECT = tomllib.loads((REPOSITORY / 'pyproject.toml').read_text())['project']
#: What a part of a form holds, by its type.
PARTS = {'textarea', 'input', 'dropdown', 'checkboxes', 'markdown'}
LINK = re.compile(r'\]\((?!https?:|#|mailto:)([^)#\s]+)')


def read(name):
    return (REPOSITORY / name).read_text()


def pinned(name, file='requirements/tested.txt'):
    return re.search(rf'^{name}==([\w.]+)', read(file), re.MULTILINE)[1]


def in_range(version, name):
    """Whether the range of ``requirements/runtime.txt`` has a version."""
    first, end = re.search(
        rf'^{name}>=([\d.]+),<([\d.]+)$', read('requirements/runtime.txt'), re.MULTILINE
    ).groups()
    numbers = [[*map(int, text.split('.'))] for text in (first, version, end)]
    return numbers[0] <= numbers[1] < numbers[2]


def test_one_version_everywhere():
    citation = yaml.safe_load(read('CITATION.cff'))
    newest = re.search(r'^## \[(.+)\] - (\d{4}-\d\d-\d\d)$', read('CHANGELOG.md'), re.MULTILINE)
    assert citation['version'] == newest[1] == mmvseg.__version__
    assert str(citation['date-released']) == newest[2]
    wheels = {*re.findall(r'mmvseg-([\d.]+)-py3', read('docs/install.md'))}
    assert wheels == {mmvseg.__version__}
    supported = re.search(r'^\| ([\d.]+) \| yes \|$', read('SECURITY.md'), re.MULTILINE)[1]
    assert mmvseg.__version__.startswith(f'{supported}.')


def test_changelog_has_versions_in_order_and_known_headings():
    text = read('CHANGELOG.md')
    dates = re.findall(r'^## \[\d+\.\d+\.\d+\] - (.+)$', text, re.MULTILINE)
    assert dates == sorted(dates, reverse=True)
    others = re.findall(r'^## (?!\[\d)(.+)', text, re.MULTILINE)
    assert others in ([], ['[Unreleased]'])
    assert text.index('## ') == text.index('## [Unreleased]' if others else '## [')
    kinds = {'Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'}
    assert {*re.findall(r'^### (.+)$', text, re.MULTILINE)} <= kinds


def test_citation_names_the_papers_of_the_readme():
    citation = yaml.safe_load(read('CITATION.cff'))
    assert citation['cff-version'] == '1.2.0'
    assert {'message', 'title', 'authors'} <= citation.keys()
    assert citation['license'] == PROJECT['license']
    assert citation['authors'] == PROJECT['authors']
    section = re.search(r'^- N\. Norouzi.*?\n\n', read('README.md'), re.MULTILINE | re.DOTALL)[0]
    named = [' '.join(title.split()) for title in re.findall(r'\*(.+?)\*', section, re.DOTALL)]
    assert [reference['title'] for reference in citation['references']] == named
    for reference in citation['references']:
        assert reference['authors']
        assert reference['type'] in ('article', 'conference-paper')


def test_bibtex_of_the_readme_is_that_of_the_citation():
    citation = yaml.safe_load(read('CITATION.cff'))
    entry = re.search(r'```bibtex\n@software{mmvseg,\n(.*?)^}$', read('README.md'), re.M | re.S)[1]
    fields = dict(re.findall(r'^\s*(\w+)\s*= {(.*)},?$', entry, re.MULTILINE))
    assert fields['title'].replace('{mmvseg}', 'mmvseg') == citation['title']
    assert fields['version'] == citation['version']
    assert fields['url'] == citation['repository-code']


@pytest.mark.parametrize('path', FORMS, ids=lambda path: path.stem)
def test_issue_forms(path):
    form = yaml.safe_load(path.read_text())
    if path.stem == 'config':
        assert form['contact_links']
        assert all({'name', 'url', 'about'} == link.keys() for link in form['contact_links'])
        return
    assert {'name', 'description', 'labels', 'body'} == form.keys()
    ids = [part['id'] for part in form['body']]
    assert len(ids) == len(set(ids))
    for part in form['body']:
        assert part['type'] in PARTS
        assert part['attributes']['label']
        required = part.get('validations', {}).get('required', True)
        assert isinstance(required, bool)


@pytest.mark.parametrize('name', ['bug', 'wrong_number'])
def test_bugs_come_with_what_is_needed_to_repeat_them(name):
    body = yaml.safe_load(read(f'.github/ISSUE_TEMPLATE/{name}.yml'))['body']
    required = {part['id'] for part in body if part.get('validations', {}).get('required')}
    assert {'command', 'doctor'} <= required
    assert any('mmvseg doctor' in part['attributes']['label'] for part in body)
    assert 'file' in {part['id'] for part in body}


def test_workflow_runs_what_the_package_supports():
    workflow = yaml.safe_load(read('.github/workflows/ci.yml'))
    jobs = workflow['jobs']
    matrix = jobs['ranges']['strategy']['matrix']
    versions = {c.split()[-1] for c in PROJECT['classifiers'] if re.search(r':: 3\.\d+$', c)}
    assert {*matrix['python']} == versions
    assert {entry['python'] for entry in matrix['include']} <= versions
    torch = [*matrix['torch'], *(entry['torch'] for entry in matrix['include'])]
    assert all(in_range(version, 'torch') for version in torch)
    assert matrix['torch'] == [pinned('torch')]
    lowest = re.search(r'^torch>=([\d.]+)', read('requirements/runtime.txt'), re.MULTILINE)[1]
    assert any(version.startswith(f'{lowest}.') for version in torch)
    for name in ('tested', 'ranges'):
        assert 'bash .ci/run' in [step.get('run') for step in jobs[name]['steps']]
    for job in jobs.values():
        for step in job['steps']:
            # scripts that are called are there
            for script in re.findall(r'bash (\S+)', step.get('run', '')):
                assert (REPOSITORY / script).is_file()
    assert {*jobs['pages']['needs']} == {'tested', 'docs'}
    assert "refs/heads/main'" in jobs['pages']['if']


def test_pre_commit_has_the_ruff_of_the_tests():
    config = yaml.safe_load(read('.pre-commit-config.yaml'))
    hooks = {repo['repo'].rsplit('/', 1)[-1]: repo for repo in config['repos']}
    ruff = hooks['ruff-pre-commit']
    assert ruff['rev'] == f'v{pinned("ruff")}'
    assert [hook['id'] for hook in ruff['hooks']] == ['ruff-check', 'ruff-format']


def kept_by_docker(path):
    """Whether ``.dockerignore`` leaves a file of the repository to the build."""
    kept = True
    for line in read('.dockerignore').splitlines():
        pattern = line.removeprefix('!')
        if not line or line.startswith('#'):
            continue
        parts = path.split('/')
        ends = ['/'.join(parts[:n]) for n in range(1, len(parts) + 1)]
        if any(fnmatch(end, pattern.removeprefix('**/')) for end in (*ends, *parts)):
            kept = line.startswith('!')
    return kept


def test_image_is_made_of_what_there_is():
    lines = read('docker/Dockerfile').replace('\\\n', ' ').splitlines()
    copied = [
        name
        for line in lines
        if line.startswith('COPY ') and '--from' not in line
        for name in line.split()[1:-1]
        if name != '.'
    ]
    assert {'requirements/tested.txt', 'requirements/runtime.txt'} <= {*copied}
    assert all((REPOSITORY / name).is_file() and kept_by_docker(name) for name in copied)
    installed = {*re.findall(r'(?:-r|-c) /tmp/(requirements/\w+\.txt)', '\n'.join(lines))}
    assert installed == {*copied}
    assert 'USER 1000' in lines
    assert 'ENTRYPOINT ["mmvseg"]' in lines


def test_image_has_what_the_wheel_is_made_of():
    needed = ('setup.py', 'pyproject.toml', 'MANIFEST.in', 'README.md', 'LICENSE')
    assert all(map(kept_by_docker, (*needed, 'mmvseg/__init__.py', 'configs/dvis/metafile.yml')))
    assert not any(map(kept_by_docker, ('tests/helpers.py', 'data/x', 'mmvseg/__pycache__/a.pyc')))


@pytest.mark.parametrize(
    'name',
    ['CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'CODE_OF_CONDUCT.md', 'docs/deprecation.md'],
)
def test_links_lead_somewhere(name):
    path = REPOSITORY / name
    absent = [link for link in LINK.findall(path.read_text()) if not (path.parent / link).exists()]
    assert not absent


def test_floors_of_the_guide_are_those_of_the_house():
    """The table in words has the rooms of ``test_floors``, from the top."""
    source = read('tests/test_floors.py')
    floors = re.search(r'^FLOORS = (\[.*?^\])', source, re.MULTILINE | re.DOTALL)[1]
    rooms = [{*re.findall(r"'(\w+)'", line)} for line in floors.splitlines()[1:-1]]
    table = re.findall(r'^\| \d \| (.+?) \|', read('CONTRIBUTING.md'), re.MULTILINE)
    assert [{*re.findall(r'`(\w+)`', line)} for line in table] == rooms
