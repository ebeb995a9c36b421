"""Blocks are found and their comments understood; what is wrong in one is seen."""

import pytest
from helpers import REPOSITORY
from page_blocks import Block, PageError, blocks_of, check_output
from page_commands import Commands
from page_python import check_types, run_code, said_to_print
from page_shell import run_shell

PAGE = """# Title

<!-- not run: takes minutes -->
```bash
mmvseg train \\
    CONFIG
```

1. In a list:

   ```python
   print(1)  # 1
   ```

````{tab-item} A
<!-- output -->
```text
a…c
```
````

```{code-block} bash
:caption: x

mmvseg models
```

```{toctree}
install
```

```
plain
```
"""


def block(text, language='python', comment=''):
    return Block('page.md', 1, language, text, comment)


def read_only(text, folder):
    commands = Commands(is_run=False)
    run_shell(text, folder, commands, dict(CHECKPOINT='x.pth'), ())
    return commands


@pytest.fixture
def clone(tmp_path):
    for part in ('configs', 'tools'):
        (tmp_path / part).symlink_to(REPOSITORY / part)
    return tmp_path


def test_blocks_with_their_lines_and_comments():
    found = [(b.line, b.language, b.text, b.comment) for b in blocks_of(PAGE)]
    assert found == [
        (4, 'bash', 'mmvseg train \\\n    CONFIG\n', 'not run: takes minutes'),
        (11, 'python', 'print(1)  # 1\n', ''),
        (17, 'text', 'a…c\n', 'output'),
        (22, 'bash', 'mmvseg models\n', ''),
        (32, '', 'plain\n', ''),
    ]
    assert [b.kind for b in blocks_of(PAGE)] == ['shell', 'python', 'text', 'shell', 'text']


@pytest.mark.parametrize('comment', ['not run', 'not run: no time', 'outputs', 'todo'])
def test_unknown_comments_are_refused(comment):
    with pytest.raises(PageError, match='unknown'):
        block('', comment=comment).check_comment()


def test_known_comments():
    for comment in ('', 'not run: needs a GPU', 'config: minvis_r50_ytvis19', 'output'):
        block('', comment=comment).check_comment()
    assert block('', comment='config: a').config == 'a'
    assert block('', comment='not run: needs a GPU').reason == 'needs a GPU'


def test_output_of_commands():
    printed = 'first\na b  c\nlast\n'
    check_output(block('a b c\nla…\n'), printed)
    with pytest.raises(PageError, match='not printed: first'):
        check_output(block('a b c\nfirst\n'), printed)


def test_bash_reads_what_a_page_says(tmp_path):
    asked = []

    def answer(command, variables):
        asked.append((command, variables.get('TOOL')))
        return (1 if 'fail' in command else 0), 'said\n'

    (tmp_path / 'list.txt').write_text('a b')
    text = 'TOOL=x ./tools/dist_test.sh "1 2" \\\n  $(cat list.txt)\nmmvseg $(mmvseg inner)\n'
    printed = run_shell(f'{text}labelme fail\nmmvseg never\n', tmp_path, answer, {})
    assert asked == [
        (['./tools/dist_test.sh', '1 2', 'a', 'b'], 'x'),
        (['mmvseg', 'inner'], None),
        (['mmvseg', 'said'], None),
        (['labelme', 'fail'], None),
    ]
    assert printed == 'said\n' * 3


@pytest.mark.parametrize(
    'text',
    [
        'mmvseg predict street.mp4 --model tevit_msgshift --out x.mp4',
        './tools/dist_train.sh configs/tevit/tevit_msgshift.py 8 --no-validate',
        'TOOL=test_vis tools/dist_test.sh configs/tevit/tevit_msgshift.py $CHECKPOINT 8 --no-zip',
        'for n in r50 msgshift; do mmvseg config configs/tevit/tevit_$n.py; done',
        'torchrun --nproc-per-node 8 -m mmvseg train tevit_msgshift --launcher pytorch',
        'pip install .\nbash tools/quickstart.sh vps --cfg-options train_cfg.max_iters=20',
    ],
)
def test_commands_that_are_right(clone, text):
    commands = read_only(text, clone)
    assert not commands.failures
    assert commands.asked


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('mmvseg predit street.mp4', 'there is no command mmvseg predit'),
        ('mmvseg predict street.mp4 --model tevit_msgshift --colour red', 'unrecognized arguments'),
        ('mmvseg predict street.mp4 --model tevit_msgshiftt', 'is no model of the index'),
        ('mmvseg train tevit_msgshiftt', 'there is no config tevit_msgshiftt'),
        ('mmvseg train configs/tevit/absent.py', 'there is no configs/tevit/absent.py'),
        ('mmvseg train tevit_msgshift --cfg-options train_cfgs.max_iters=3', 'train_cfgs'),
        ('python tools/absent.py', 'there is no tools/absent.py'),
        ('python tools/train.py', 'the following arguments are required: config'),
        ('tools/dist_train.sh configs/tevit/tevit_msgshift.py --no-validate', 'no number of GPUs'),
        ('bash tools/run_tests.sh && bash tools/setup_env.sh --nothing', 'knows no --nothing'),
        ('make all', 'not known to the tests of the pages'),
    ],
)
def test_commands_that_are_wrong(clone, text, message):
    (failure,) = read_only(text, clone).failures
    assert message in failure


def test_code_that_fails_or_prints_something_else(tmp_path):
    names = {}
    run_code(tmp_path, block('a = 1\nprint(a)  # 1\n'), names)
    run_code(tmp_path, block('for b in (a, 2):\n    print(b)\n    # 1\n    # 2\n'), names)
    with pytest.raises(PageError, match='prints\n1\nand not\n2'):
        run_code(tmp_path, block('print(a)  # 2\n'), names)
    with pytest.raises(PageError, match=r'ZeroDivisionError'):
        run_code(tmp_path, block('1 / 0\n'), names)
    assert said_to_print('x = 1  # one\n# two\n') == []


def test_types_of_configs():
    check_types(block("x = dict(type='LoadClip', value_range=(0, 4095))"))
    check_types(block("x = dict(type='LoadClip', ...)"))
    with pytest.raises(PageError, match="there is no type 'LoadClips'"):
        check_types(block("x = dict(type='LoadClips')"))
    with pytest.raises(PageError, match='LoadClip takes no values'):
        check_types(block("x = dict(type='LoadClip', values=3)"))
    with pytest.raises(PageError, match='no Python'):
        check_types(block('x = dict('))
