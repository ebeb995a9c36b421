"""The fenced blocks of README.md and docs/, and the comments that say how they are tried.

A comment stands alone on the line before the fence:

    <!-- not run: takes minutes -->      why a block is only read, one of REASONS
    <!-- config: minvis_r50_ytvis19 -->  a part of a config that inherits from this one
    <!-- output -->                      text that the commands of the block before print
"""

import re
from dataclasses import dataclass
from pathlib import Path

from helpers import REPOSITORY

#: Why a block is not run.
REASONS = (
    'needs a camera',
    'needs a GPU',
    'needs several machines',
    'needs the network',
    'needs the full data set',
    'needs published weights',
    'takes minutes',
    'changes the environment',
    'changes the repository',
    'opens a window',
    'output only',
    'part of a file',
)
SHELL = ('bash', 'sh', 'shell', 'console')
PYTHON = ('python', 'py', 'pycon')
#: How to mend a block that fails; ends every message.
HOW = f"""
Mend the block so that it runs in the small world of tests/test_docs/page_world.py, let the world
have what it names (page_things.py, page_sets.py), or, where that cannot be, say why it is not run
in a comment on the line before its fence:
    <!-- not run: REASON -->    with one of: {', '.join(REASONS)}
    <!-- config: NAME -->       for a part of a config that inherits from the config NAME
    <!-- output -->             for text that the block before prints; … stands for anything"""

_FENCE = re.compile(r'^(?P<indent>\s*)(?P<fence>`{3,}|~{3,}|:{3,})(?P<info>.*)$')
_COMMENT = re.compile(r'^\s*<!--\s*(.*?)\s*-->\s*$')
_CODE_DIRECTIVE = re.compile(r'^\{(?:code-block|code|sourcecode)\}\s*(\S*)')


class PageError(AssertionError):
    """Something on a page is not as it should be; the message says where and how to mend it."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f'{where}: {what}')


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: path of the page from the repository's folder.
        line: number of the line of its fence.
        language: first word behind the fence.
        text: what it holds, without indentation.
        comment: what the comment before it says; empty if there is none.
    """

    page: str
    line: int
    language: str
    text: str
    comment: str = ''

    @property
    def where(self) -> str:
        return f'{self.page}:{self.line}'

    @property
    def reason(self) -> str | None:
        """Why it is not run."""
        return self._after('not run:')

    @property
    def config(self) -> str | None:
        """Name of the config that it is a part of."""
        return self._after('config:')

    @property
    def is_output(self) -> bool:
        return self.comment == 'output'

    @property
    def kind(self) -> str:
        """``shell``, ``python``, ``json`` or ``text``."""
        for kind, languages in dict(shell=SHELL, python=PYTHON, json=('json',)).items():
            if self.language in languages:
                return kind
        return 'text'

    def check_comment(self) -> None:
        """Refuse comments that say nothing known.

        Raises:
            PageError: of a comment with an unknown beginning or reason.
        """
        if self.comment.startswith('not run') and self.reason not in REASONS:
            raise PageError(self.where, f'unknown reason in <!-- {self.comment} -->')
        known = self.reason or self.config or self.is_output
        if self.comment and not known:
            raise PageError(self.where, f'unknown comment <!-- {self.comment} -->')

    def _after(self, word: str) -> str | None:
        return self.comment.removeprefix(word).strip() if self.comment.startswith(word) else None


def pages() -> list[str]:
    """README and all pages, as paths from the repository's folder."""
    found = [REPOSITORY / 'README.md', *sorted((REPOSITORY / 'docs').rglob('*.md'))]
    paths = [path.relative_to(REPOSITORY) for path in found]
    return [str(path) for path in paths if not {'_build', '_templates'} & {*path.parts}]


def read_page(page: str) -> str:
    return Path(REPOSITORY, page).read_text(encoding='utf-8')


def blocks(page: str) -> list[Block]:
    """The blocks of a page, checked."""
    found = blocks_of(read_page(page), page)
    for block in found:
        block.check_comment()
    return found


def blocks_of(text: str, page: str = 'page.md') -> list[Block]:
    """The blocks of a text; directives are looked into, but for those that hold code."""
    lines, found, directives = text.split('\n'), [], []
    number = 0
    while number < len(lines):
        match = _FENCE.match(lines[number])
        number += 1
        if not match:
            continue
        fence, info = match['fence'], match['info'].strip()
        code = _CODE_DIRECTIVE.match(info)
        if not info and directives and fence == directives[-1]:
            directives.pop()
        elif info.startswith('{') and not code:
            directives.append(fence)
        elif not fence.startswith(':'):
            start = number
            while number < len(lines) and not _closes(lines[number], fence):
                number += 1
            before = _COMMENT.match(lines[start - 2]) if start >= 2 else None
            language = code[1] if code else info.split(' ')[0]
            content = _dedented(lines[start:number], len(match['indent']), bool(code))
            comment = before[1] if before else ''
            found.append(Block(page, start, language, content, comment))
            number += 1
    return found


def prose(page: str) -> str:
    """A page without its fenced blocks, which keep their lines."""
    lines = read_page(page).split('\n')
    for block in blocks_of('\n'.join(lines), page):
        for number in range(block.line - 1, block.line + block.text.count('\n') + 1):
            lines[number] = ''
    return '\n'.join(lines)


def _closes(line: str, fence: str) -> bool:
    return line.strip().startswith(fence) and not line.strip().strip(fence[0])


def _dedented(lines: list[str], indent: int, is_directive: bool) -> str:
    if is_directive:  # its options
        while lines and re.match(r'\s*(:[\w-]+:.*)?$', lines[0]):
            lines = lines[1:]
    return ''.join(f'{line[indent:] if not line[:indent].strip() else line}\n' for line in lines)


def check_output(block: Block, printed: str) -> None:
    """Whether commands print the lines of a block, in their order.

    Args:
        block: the lines; ``…`` stands for anything.
        printed: what the commands of the block before print.

    Raises:
        PageError: a line is not printed.
    """
    rest = [' '.join(line.split()) for line in printed.splitlines()]
    for line in block.text.splitlines():
        pattern = re.escape(' '.join(line.split())).replace('…', '.*')
        while rest and not re.fullmatch(pattern, rest[0]):
            rest.pop(0)
        if not rest:
            raise PageError(block.where, f'this line is not printed: {line}\nprinted:\n{printed}')
        rest.pop(0)
