"""Addresses of files: short forms, mirrors, and what of them may be shown."""

import base64
import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from mmvseg.errors import UserError

HUGGING_FACE = 'https://huggingface.co'
#: Where an address begins with the first of a pair, the second takes its place.
MIRROR_VARIABLE = 'MMVSEG_MIRROR'
_ADDRESS = re.compile(r'(https?://|hf:)', re.IGNORECASE)
_HF = re.compile(r'hf:(?://)?([^/@\s]+/[^/@\s]+)(?:@([^/\s]+))?/(.+)', re.IGNORECASE)
#: A page of the hub about a file, whose address is often copied in place of the file's.
_HF_PAGE = re.compile(rf'({re.escape(HUGGING_FACE)}/[^/]+/[^/]+)/blob/')
_PAIR = re.compile(r'(https?://[^\s=]+)=(https?://\S+)')
#: Shares that answer programs with pages.
_BROWSER_HOSTS = re.compile(
    r'(pan\.baidu\.com|drive\.google\.com|1drv\.ms|onedrive\.live\.com'
    r'|.+\.(feishu\.cn|larksuite\.com|sharepoint\.com))'
)
#: Parameters of an address whose values let others in.
_SECRET = re.compile(
    r'(?i)(token|secret|pass|pwd|auth|credential|sig|api_?key|access_?key|key.pair|policy|amz)'
)
_IN_TEXT = re.compile(r'https?://[^\s\'"<>]*[@?][^\s\'"<>]*', re.IGNORECASE)
_HIDDEN = '***'


def is_address(source: str | Path) -> bool:
    """Whether a checkpoint is named by an address that :func:`to_url` takes."""
    return _ADDRESS.match(str(source)) is not None


def to_url(source: str) -> str:
    """The address of a file, ``hf:USER/REPO/FILE`` and ``hf:USER/REPO@REVISION/FILE`` spelt out.

    Raises:
        UserError: the short form is incomplete.

    Example:
        >>> to_url('hf:me/models/tevit.pth')
        'https://huggingface.co/me/models/resolve/main/tevit.pth'
    """
    if not source.lower().startswith('hf:'):
        return _HF_PAGE.sub(r'\1/resolve/', source)
    match = _HF.fullmatch(source)
    if not match:
        raise UserError(
            f'checkpoint {source}: hf: is followed by USER/REPO/FILE, e.g. hf:me/models/tevit.pth'
        )
    repository, revision, file = match.groups()
    return f'{HUGGING_FACE}/{repository}/resolve/{quote(revision or "main")}/{quote(file)}'


def needs_browser(url: str) -> bool:
    """Whether an address is a share that only a browser can open."""
    try:
        host = urlsplit(url).hostname or ''
    except ValueError:
        return False
    return _BROWSER_HOSTS.fullmatch(host) is not None


def mirrored(url: str) -> str:
    """The address to ask: that of a mirror, if the environment names one.

    ``$MMVSEG_MIRROR`` has pairs ``FROM=TO`` with spaces between them; of those that an address
    begins with, the longest counts. ``$HF_ENDPOINT`` is a mirror of the hub.

    Raises:
        UserError: the variable is malformed.
    """
    pairs = {}
    if endpoint := os.environ.get('HF_ENDPOINT'):
        pairs[HUGGING_FACE] = endpoint.rstrip('/')
    for text in os.environ.get(MIRROR_VARIABLE, '').split():
        match = _PAIR.fullmatch(text)
        if not match:
            raise UserError(
                f'{MIRROR_VARIABLE}: pairs FROM=TO of addresses expected, with spaces between '
                f'them, e.g. {HUGGING_FACE}=https://mirror.example; got {shown(text)}'
            )
        pairs[match[1].rstrip('/')] = match[2].rstrip('/')
    fitting = [start for start in pairs if url == start or url.startswith(f'{start}/')]
    if not fitting:
        return url
    start = max(fitting, key=len)
    return pairs[start] + url.removeprefix(start)


def split_credentials(url: str) -> tuple[str, str | None]:
    """An address without ``USER:PASSWORD@``, and the header that says the same.

    Raises:
        ValueError: the address cannot be taken apart.
    """
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition('@')
    if not at:
        return url, None
    encoded = base64.b64encode(unquote(login).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), f'Basic {encoded}'


def shown(url: str) -> str:
    """An address as messages and files may have it: without what lets others in."""
    try:
        parts = urlsplit(url)
        _, at, host = parts.netloc.rpartition('@')
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:  # take no chances
        return re.sub('//[^/]*@', f'//{_HIDDEN}@', url.partition('?')[0])
    if at:
        parts = parts._replace(netloc=f'{_HIDDEN}@{host}')
    if any(_SECRET.search(name) for name, _ in query):
        visible = [(name, _HIDDEN if _SECRET.search(name) else value) for name, value in query]
        parts = parts._replace(query=urlencode(visible, safe='*/:'))
    return urlunsplit(parts)


def shown_in(text: str) -> str:
    """A text with all addresses in it as :func:`shown` has them."""
    return _IN_TEXT.sub(lambda match: shown(match[0]), text)


def without_secrets(text: str, url: str) -> str:
    """A message of a library about an address, without what :func:`shown` leaves out of it."""
    try:
        parts = urlsplit(url)
        pairs = parts.query.split('&')
    except ValueError:
        return text.replace(url, shown(url))
    login = parts.netloc.rpartition('@')[0]
    secrets = [login, *login.split(':')]
    for pair in pairs:
        name, _, value = pair.partition('=')
        secrets += [value] if _SECRET.search(name) else []
    for secret in sorted({*secrets, *map(unquote, secrets)} - {''}, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return text
