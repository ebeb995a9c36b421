"""Links to files of the repository that are no pages: the site has a page a folder with their text.

``[config](../configs/tevit/tevit_msgshift.py)`` leads to the file on a git host. In the site it
leads to the page of ``configs/tevit``, so that it can be read without a network. A page a file
would take long, since the navigation is made for each page.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform

#: Language of the highlighting by the end of a file's name; others are shown as they are.
LANGUAGES = {
    '.py': 'python',
    '.sh': 'bash',
    '.md': 'markdown',
    '.yml': 'yaml',
    '.toml': 'toml',
    '.json': 'json',
}


class FindRepositoryLinks(SphinxTransform):
    """Takes links out of the documentation from what MyST would copy into the site."""

    default_priority = 500

    def apply(self) -> None:
        """Mark the links that leave the documentation."""
        links = [
            *self.document.findall(addnodes.download_reference),
            *self.document.findall(addnodes.pending_xref),
        ]
        for link in links:
            if link.get('reftype') != 'myst':
                continue
            path = link['reftarget'].partition('#')[0]
            if link.get('refdomain') == 'doc':  # a Markdown file, named without its end
                target = Path(self.env.srcdir, f'{path}.md')
            else:
                target = Path(self.env.relfn2path(path, self.env.docname)[1])
            file = repository_path(Path(self.env.srcdir), target) if path else None
            if file is None:
                continue
            marked = addnodes.pending_xref(
                '',
                *link.children,
                reftype='repository',
                refdomain='',
                reftarget=file,
                refdoc=self.env.docname,
                refexplicit=True,
            )
            link.replace_self(marked)


def repository_path(docs: Path, path: Path) -> str | None:
    """Path from the repository's root, of a file outside the documentation; else None."""
    path = path.resolve()
    inside = path.is_relative_to(docs.parent) and not path.is_relative_to(docs)
    return path.relative_to(docs.parent).as_posix() if inside and path.is_file() else None


def resolve(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """The link that a marked one becomes."""
    if node['reftype'] != 'repository' or app.builder.format != 'html':
        return None
    file = Path(node['reftarget'])
    app.builder.repository_files.add(file)
    page = app.builder.get_relative_uri(node['refdoc'], page_of(file))
    return nodes.reference('', '', content, internal=True, refuri=f'{page}#{anchor_of(file)}')


def page_of(file: Path) -> str:
    """The page with the files of a folder."""
    return f'_repository/{file.parent.as_posix() if file.parent.name else "files"}'


def anchor_of(file: Path) -> str:
    """Where a file begins on its page."""
    return file.name.replace('.', '-').lower()


def begin(app: Sphinx) -> None:
    """Files that this build has links to are gathered with the builder."""
    app.builder.repository_files = set()


def collect_pages(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """The pages, each with the files that are linked."""
    root = Path(app.srcdir).parent
    files = sorted(app.builder.repository_files)
    for page, shown in groupby(sorted(files, key=page_of), key=page_of):
        shown = list(shown)
        title = shown[0].parent.as_posix() if shown[0].parent.name else 'Files'
        parts = [f'<h1>{title}</h1>']
        for file in shown:
            text = (root / file).read_text(encoding='utf-8')
            language = LANGUAGES.get(file.suffix, 'text')
            code = app.builder.highlighter.highlight_block(text, language, linenos=False)
            parts.append(f'<section id="{anchor_of(file)}"><h2>{file.name}</h2>{code}</section>')
        yield page, {'title': title, 'body': ''.join(parts)}, 'page.html'


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_transform(FindRepositoryLinks)
    app.connect('builder-inited', begin)
    app.connect('missing-reference', resolve)
    app.connect('html-collect-pages', collect_pages)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
