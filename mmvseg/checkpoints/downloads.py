"""Weights from addresses, kept in torch's cache."""

import hashlib
import http.client
import os
import re
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from mmvseg.errors import UserError
from mmvseg.files import file_errors

from .files import digits_of

#: How long a server may be silent.
TIMEOUT_S = 30.0
_CHUNK_BYTES = 2**20
_STRANGE = re.compile(r'[^\w.+-]')


def cached_path(url: str) -> Path:
    """Where the file of an address is kept; files of other addresses lie elsewhere.

    A file with digits of its SHA-256 in its name may also lie where torch itself keeps it.
    """
    folder = Path(torch.hub.get_dir()) / 'checkpoints'
    name = _STRANGE.sub('_', re.split('[?#]', url)[0].rpartition('/')[2])[-100:] or 'weights'
    if digits_of(name) and (folder / name).is_file():
        return folder / name
    return folder / hashlib.sha256(url.encode()).hexdigest()[:16] / name


def download(url: str, path: Path) -> None:
    """Fetch a file; it appears whole or not at all, however many processes fetch it.

    Args:
        url: ``http://`` or ``https://``.
        path: where to keep it.

    Raises:
        UserError: it cannot be fetched or written, is a page, or ends too early.
    """
    part = path.with_name(f'.{path.name}.{uuid.uuid4().hex}.part')
    with file_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _fetch(url, path, part)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)


def _fetch(url: str, path: Path, part: Path) -> None:
    advice = f'try again later, or fetch it by other means and save it as {path}'
    with _network_errors(url, advice):
        request = urllib.request.Request(url, headers={'User-Agent': 'mmvseg'})
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    with answer, open(part, 'wb') as file:
        if answer.headers.get_content_type() == 'text/html':
            raise UserError(
                f'checkpoint {url}: the server sends a page, not a file, e.g. to log in; {advice}'
            )
        while True:
            with _network_errors(url, advice):
                chunk = answer.read(_CHUNK_BYTES)
            if not chunk:
                break
            file.write(chunk)
        # what is left of the length that the server stated
        if answer.length:
            raise UserError(
                f'checkpoint {url}: download failed ({answer.length} bytes are missing at its '
                f'end); {advice}'
            )


@contextmanager
def _network_errors(url: str, advice: str) -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        with error:
            reason = f'the server answers {error.code} {error.reason}'
    except urllib.error.URLError as error:
        reason = str(error.reason)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = str(error) or type(error).__name__
    else:
        return
    raise UserError(f'checkpoint {url}: download failed ({reason}); {advice}')
