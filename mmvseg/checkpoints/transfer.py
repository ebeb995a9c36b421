"""One attempt to fetch a file, or what is missing of it, over HTTP."""

import http.client
import json
import math
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mmvseg.errors import UserError
from mmvseg.progress import ProgressReport

from .addresses import mirrored, shown, split_credentials, without_secrets
from .cache import check_space
from .digests import Known

#: How long a server may be silent.
TIMEOUT_S = 30.0
_CHUNK_BYTES = 2**20
_RANGE = re.compile(r'bytes (\d+)-\d+/(\d+|\*)')
_NO_URL = re.compile(r'[\x00-\x20\x7f]')
_PAGE = re.compile(rb'\s*<(!doctype html|html|head)', re.IGNORECASE)
#: Answers of servers that may be others a moment later.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_NO_ENTRY = frozenset({401, 403, 407})


class BrokenOffError(Exception):
    """A transfer has not reached its end; another attempt may."""


class PartialFile:
    """What is there of a file, and what tells whether the server's is the same still.

    Args:
        path: of the part.
        is_checked: whether a hash will tell if parts of two files were put together.
    """

    def __init__(self, path: Path, is_checked: bool) -> None:
        self.path, self._is_checked = path, is_checked
        self._note = path.with_name(f'{path.name}.json')
        self.validator: str | None = None
        self.total: int | None = None
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            note = json.loads(self._note.read_text())
            validator, total = note['validator'], note['total']
            if isinstance(validator, str | None) and isinstance(total, int | None):
                self.validator, self.total = validator, total

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def start(self) -> int:
        """From where the file can be continued."""
        return self.size if self.validator or self._is_checked else 0

    def begin(self, validator: str | None, total: int | None) -> None:
        """Start anew, with a file of which the server says this."""
        self.path.unlink(missing_ok=True)
        self.validator, self.total = validator, total
        self._note.write_text(json.dumps(dict(validator=validator, total=total)))

    def remove(self) -> None:
        """Leave nothing behind."""
        for path in (self.path, self._note):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    @contextmanager
    def removed_on_errors(self) -> Iterator[None]:
        """Keep what can be continued after a broken connection, and nothing after other errors."""
        try:
            yield
        except BaseException as error:
            broken = isinstance(error.__cause__, BrokenOffError) or not isinstance(error, Exception)
            if not (broken and self.start):
                self.remove()
            raise


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects of the web to the web, and none from a safe address to an unsafe one."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: Any,
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The next request."""
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new not in ('http', 'https') or (old, new) == ('https', 'http'):
            raise UserError(
                f'checkpoint {shown(req.full_url)}: the server leads to {shown(newurl)}, which is '
                'not followed; give that address itself if you trust it'
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def transfer(url: str, part: PartialFile, known: Known, advice: str) -> None:
    """Fetch a file, or the rest of it.

    Args:
        url: ``http://`` or ``https://``; a mirror is asked if there is one.
        part: where it goes.
        known: what is known of it.
        advice: what to do where it cannot be fetched.

    Raises:
        BrokenOffError: another attempt may do.
        UserError: none will.
        OSError: the part cannot be written.
    """
    if part.start and part.start == part.total:  # stopped between the last byte and the check
        return
    source = _Source(url, mirrored(url), advice)
    with source.network_errors():
        answer = _open(source.asked, part)
    with answer:
        _refuse_pages(answer, source)
        start = _agree_on_start(answer, part)
        total = None if answer.length is None else start + answer.length
        if known.num_bytes is not None and total not in (None, known.num_bytes):
            raise source.error(
                f'the file there has {total} bytes, the one that it should be has {known.num_bytes}'
            )
        check_space(part.path.parent, answer.length or 0)
        _receive(answer, part, source, start, total)
        # what is left of the length that the server stated
        if answer.length:
            raise BrokenOffError(f'{answer.length} bytes are missing at its end')


@dataclass(frozen=True)
class _Source:
    """What is asked for, and how messages speak of it.

    Attributes:
        url: the address.
        asked: that of the mirror, or the same.
        advice: what to do where it cannot be fetched.
    """

    url: str
    asked: str
    advice: str

    def error(self, reason: str) -> UserError:
        """The error for a reason."""
        mirror = '' if self.asked == self.url else f' (from {shown(self.asked)})'
        return UserError(f'checkpoint {shown(self.url)}{mirror}: {reason}; {self.advice}')

    def page_error(self, answer: http.client.HTTPResponse) -> UserError:
        """The error for an answer that is for people to read."""
        is_other = answer.url != split_credentials(self.asked)[0]
        led = f' ({shown(answer.url)})' if is_other else ''
        return self.error(f'the server sends a page{led}, not a file, e.g. to log in')

    @contextmanager
    def network_errors(self) -> Iterator[None]:
        """Tell what may pass from what will not."""
        try:
            yield
        except UserError:
            raise
        except urllib.error.HTTPError as error:
            with error:
                reason = f'the server answers {error.code} {error.reason}'
            reason = without_secrets(reason, self.asked)
            if error.code in _PASSING:
                raise BrokenOffError(reason) from error
            if error.code in _NO_ENTRY:
                reason += ': it may want a log-in, or its terms accepted'
            raise self.error(f'download failed ({reason})') from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            cause = error.reason if isinstance(error, urllib.error.URLError) else error
            reason = without_secrets(str(cause) or type(cause).__name__, self.asked)
            if _may_pass(cause):
                raise BrokenOffError(reason) from error
            raise self.error(f'download failed ({reason})') from error


def _open(url: str, part: PartialFile) -> http.client.HTTPResponse:
    if _NO_URL.search(url):  # whose message would repeat it in some other form
        raise ValueError('blanks and control characters are in no address')
    url, login = split_credentials(url)
    request = urllib.request.Request(url, headers={'User-Agent': 'mmvseg'})
    if login:  # and not to where the server may lead
        request.add_unredirected_header('Authorization', login)
    if start := part.start:
        request.add_header('Range', f'bytes={start}-')
        if part.validator:
            request.add_header('If-Range', part.validator)
    opener = urllib.request.build_opener(_Redirects)
    try:
        return opener.open(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        with error:
            part.remove()
        raise BrokenOffError('the server has another file than before') from error


def _refuse_pages(answer: http.client.HTTPResponse, source: _Source) -> None:
    """Stop at what is for people to read.

    Raises:
        UserError: the answer is a page, or no answer at all.
    """
    if answer.headers.get_content_type() == 'text/html':
        raise source.page_error(answer)
    if answer.status not in (200, 206):
        raise source.error(f'download failed (the server answers {answer.status} {answer.reason})')


def _agree_on_start(answer: http.client.HTTPResponse, part: PartialFile) -> int:
    """From where on the answer has the file; the part is made to end there.

    Raises:
        BrokenOffError: it is the rest of another file.
    """
    tag, date = answer.headers.get('ETag'), answer.headers.get('Last-Modified')
    validator = tag if tag and not tag.startswith('W/') else date
    if answer.status == 200:
        part.begin(validator, answer.length)
        return 0
    start = part.size
    match = _RANGE.fullmatch(answer.headers.get('Content-Range', ''))
    fits = match and int(match[1]) == start
    if fits and match[2] != '*' and part.total is not None:
        fits = int(match[2]) == part.total
    if fits and validator and part.validator:
        fits = validator == part.validator
    if not fits:
        part.remove()
        part.validator = part.total = None
        raise BrokenOffError('the server has another file than before')
    return start


def _receive(
    answer: http.client.HTTPResponse,
    part: PartialFile,
    source: _Source,
    start: int,
    total: int | None,
) -> None:
    """Append what comes to the part."""
    label = f'downloading {urlsplit(source.url).path.rpartition("/")[2]}'
    done, size = math.ceil(start / 1e6), None if total is None else math.ceil(total / 1e6)
    with (
        open(part.path, 'ab') as file,
        ProgressReport(label, size, 'MB', done=done, rate=True) as progress,
    ):
        while True:
            with source.network_errors():
                chunk = answer.read1(_CHUNK_BYTES)
            if not chunk:
                return
            if file.tell() == 0 and _PAGE.match(chunk):
                raise source.page_error(answer)
            file.write(chunk)
            progress.advance(math.ceil(file.tell() / 1e6) - progress.done)


def _may_pass(error: object) -> bool:
    if isinstance(error, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError):
        return False
    # InvalidURL is one of the errors of HTTP, too
    broken = (TimeoutError, ConnectionError, ssl.SSLEOFError, http.client.IncompleteRead)
    return isinstance(error, (*broken, http.client.BadStatusLine))
