"""What README and the docs say of commands, options, files and configs is so."""

import re

import pytest
from helpers import REPOSITORY
from page_blocks import SHELL, blocks_of, pages, prose, read_page
from page_commands import Commands
from page_shell import run_shell

from mmvseg.commands.main import COMMANDS, GROUPS, _command
from mmvseg.commands.parser import Parser
from mmvseg.engine.config import load_config
from mmvseg.shipped import shipped_configs

#: Options of other programs that the pages speak of.
FOREIGN = {
    '--backend-store-uri',
    '--help',
    '--logdir',
    '--mode',
    '--no-build-isolation',
    '--no-deps',
    '--nproc-per-node',
    '--signal',
    '--standalone',
}
#: Files that are there in an installed package alone, or that a page lets the reader write.
NOT_HERE = {'mmvseg/.mim/', 'configs/tevit/my_experiment.py'}
_CONFIG_NAME = re.compile(
    r'(?:tevit|queryinst|minvis|dvis|mask2former|eomt|videomt|pmt)_(?:[\w-]*_)?'
    r'(?:r50|swin-[tl]|vit-[sbl]|msgshift|shapes)(?:[\w-]*)'
)


def inline_codes(page):
    """What stands between single backticks, with its line."""
    for number, line in enumerate(prose(page).split('\n'), 1):
        for code in re.findall(r'(?<!`)`([^`]+)`(?!`)', line):
            yield f'{page}:{number}', code


def parser_of(name):
    parser = Parser()
    _command(name).add_arguments(parser)
    return parser


def options_of(name):
    return {option for action in parser_of(name)._actions for option in action.option_strings}


@pytest.fixture(scope='module')
def options():
    """All that commands and scripts take."""
    found = set(FOREIGN).union(*map(options_of, COMMANDS))
    for path in [*REPOSITORY.glob('tools/**/*.py'), *REPOSITORY.glob('tools/*.sh')]:
        found |= set(re.findall(r'--[a-z][\w-]*', path.read_text(encoding='utf-8')))
    return found


@pytest.mark.parametrize('page', pages())
def test_options_exist(page, options):
    said = {
        option: where
        for where, code in inline_codes(page)
        for option in re.findall(r'(?<![\w-])--[a-z][\w-]*', code)
    }
    unknown = {option: where for option, where in said.items() if option not in options}
    assert not unknown, f'no command has these options: {unknown}'


@pytest.mark.parametrize('page', pages())
def test_commands_exist_and_take_their_options(page):
    for where, code in inline_codes(page):
        match = re.match(r'mmvseg ((?:data )?[a-z0-9]+)\b(.*)', code)
        if not match or match[1] in GROUPS:
            continue
        assert match[1] in COMMANDS, f'{where}: there is no command {code}'
        said = set(re.findall(r'(?<![\w-])--[a-z][\w-]*', match[2]))
        unknown = said - options_of(match[1])
        assert not unknown, f'{where}: mmvseg {match[1]} has no {unknown}'


@pytest.mark.parametrize('page', pages())
def test_files_of_the_repository_exist(page):
    for where, code in inline_codes(page):
        if re.fullmatch(r'(tools|configs|tests|requirements|resources|mmvseg)/[\w./-]+', code):
            assert code in NOT_HERE or (REPOSITORY / code).exists(), f'{where}: there is no {code}'


@pytest.mark.parametrize('page', pages())
def test_configs_exist(page):
    known = shipped_configs()
    for where, code in inline_codes(page):
        for name in _CONFIG_NAME.findall(code) if re.fullmatch(r'[\w/.-]+', code) else ():
            stem = code.removesuffix('.py').rpartition('/')[2]
            if stem.startswith('_') or not _CONFIG_NAME.fullmatch(stem):
                continue
            is_base = [*REPOSITORY.glob(f'configs/_base_/*/{name}.py')]
            family = any(config.startswith(f'{stem}_') for config in known)
            assert stem in known or is_base or family, f'{where}: there is no config {code}'


def test_each_command_has_its_page():
    """The table of docs/commands.md leads to a page that speaks of the command."""
    rows = re.findall(
        r'^\| `([\w ]+)` \|[^|]*\|([^|]*)\| \[[^]]*\]\(([\w.]+)(?:#[\w-]+)?\) \|$',
        read_page('docs/commands.md'),
        re.MULTILINE,
    )
    assert [name for name, _, _ in rows] == [*COMMANDS]
    for name, script, page in rows:
        text = read_page(f'docs/{page}')
        scripts = re.findall(r'`(.*?)`', script)
        said = f'mmvseg {name}' in text or any(path.rpartition('/')[2] in text for path in scripts)
        assert said, f'docs/{page} does not speak of mmvseg {name}'
        for path in scripts:
            assert f"run_tool('{name}')" in (REPOSITORY / path).read_text(), f'{path}: not {name}'


@pytest.mark.parametrize('name', COMMANDS)
def test_examples_in_the_help_of_a_command_are_commands(name, tmp_path, monkeypatch):
    found = re.search(r'Examples?:\n+((?:    .*\n?)+)', _command(name).__doc__, re.MULTILINE)
    if not found:
        assert name == 'doctor' or 'mmvseg' not in _command(name).__doc__
        return
    for part in ('configs', 'tools'):
        (tmp_path / part).symlink_to(REPOSITORY / part)
    commands = Commands(is_run=False)
    run_shell(re.sub('^    ', '', found[1], flags=re.MULTILINE), tmp_path, commands, {}, ())
    assert commands.asked
    assert not commands.failures, commands.failures[0]


def test_all_shell_blocks_are_said_to_be_bash():
    """So that readers, highlighting and these tests agree on what they are."""
    for page in pages():
        for block in blocks_of(read_page(page), page):
            if block.language in SHELL:
                assert block.language == 'bash', block.where
            is_command = re.match(r'(mmvseg|python|pip|bash|\./tools) ', block.text)
            assert block.language == 'bash' or not is_command, f'{block.where}: a bash block?'


#: Pages whose tables of options are of these commands.
TABLES = {
    'docs/analysis.md': ('analyze',),
    'docs/browse.md': ('data browse',),
    'docs/data.md': ('shapes', 'data subset', 'check', 'evaluate'),
    'docs/demo.md': ('predict',),
    'docs/labels.md': ('data import', 'data export'),
    'docs/metrics.md': ('evaluate',),
    'docs/show.md': ('show',),
    'docs/test.md': ('test', 'measure'),
    'docs/train.md': ('train',),
}


def option_rows(page):
    """Rows of tables that begin with options: where, the options, all of the row."""
    for number, line in enumerate(prose(page).split('\n'), 1):
        first = re.match(r'\| (`--[^|]*?) \|', line.replace('\\|', '/'))
        if first:
            yield f'{page}:{number}', re.findall(r'--[a-z][\w-]*', first[1]), line


@pytest.mark.parametrize('page', TABLES)
def test_tables_of_options(page):
    """Options are those of the page's commands, and have the defaults that are said."""
    rows = [*option_rows(page)]
    for where, options, line in rows:
        found = {
            option: action
            for name in TABLES[page]
            for action in parser_of(name)._actions
            for option in action.option_strings
        }
        for option in options:
            assert option in found, f'{where}: no command of {TABLES[page]} has {option}'
        if said := re.search(r'\(default (\d[\d.]*)', line):
            action = found[options[0]]
            is_default = str(action.default) == said[1]
            is_helped = re.search(rf'default:? {re.escape(said[1])}\b', action.help or '')
            assert is_default or is_helped, f'{where}: {said[0]}'
    assert rows


@pytest.mark.parametrize('page', pages())
def test_checkpoints_have_the_number_of_the_last_iteration(page):
    """``work_dirs/CONFIG/iter_N.pth`` is what a training with the config ends with."""
    text = read_page(page)
    for name, unit, number in re.findall(r'work_dirs/([\w-]+)/(iter|epoch)_(\d+)\.pth', text):
        if name not in shipped_configs() or f'max_{unit}s={number}' in text:
            continue
        loop = load_config(shipped_configs()[name]).train_cfg
        last = loop.get(f'max_{unit}s')
        assert last == int(number), f'{page}: work_dirs/{name}/{unit}_{number}.pth, but {loop}'
