"""CVAT's xml, read element by element: safely, and without holding the file."""

import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError
from zipfile import BadZipFile

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from mmvseg.errors import UserError

from .sources import SourceFile

#: So many bytes tell what an xml is.
_HEAD = 4096
#: What hangs below the root and is read at once; shapes are read one by one.
_BLOCKS = ('meta', 'track', 'image')


def is_cvat_xml(file: SourceFile) -> bool:
    """Whether a file is an xml of CVAT, by its first lines."""
    with file.open() as stream:
        head = stream.read(_HEAD)
    return b'<annotations>' in head or b'<annotations ' in head


#: ``meta``, a track or an image; and a shape in it, or None where it ends.
Part = tuple[Element, Element | None]


def read_parts(file: SourceFile) -> Iterator[Part]:
    """The parts of a file, in its order.

    Yields:
        Of a ``track`` or an ``image``, pairs of it and each of its shapes, whose attributes are in
        it; and, when it ends, of it and None. Then it is empty, but for its own attributes. Of
        ``meta`` the last alone, with all that is in it.

    Raises:
        UserError: it is no sound xml, or has what should not be in a file of data.
    """
    try:
        with file.open() as stream:
            events = iterparse(stream, events=('start', 'end'), forbid_dtd=True)
            path: list[Element] = []
            for event, element in events:
                if event == 'start':
                    path.append(element)
                    continue
                path.pop()
                yield from _ended(element, path)
    except DefusedXmlException as error:
        raise UserError(
            f'{file}: declares entities or a document type, which CVAT never writes; do not trust '
            'the file'
        ) from error
    except (OSError, EOFError, zlib.error, BadZipFile) as error:
        raise UserError(f'{file}: cannot be read ({error}); check the file') from error
    except (ParseError, LookupError, ValueError) as error:  # the latter two: of its encoding
        raise UserError(f'{file}: no sound xml ({error}); export it again') from error


def _ended(element: Element, path: list[Element]) -> Iterator[Part]:
    """What is complete with the end of an element, whose parents are given."""
    if len(path) == 1 and element.tag in _BLOCKS:
        yield element, None
        path[0].clear()
    elif len(path) == 2 and path[1].tag in ('track', 'image'):
        yield path[1], element
        del path[1][:]
