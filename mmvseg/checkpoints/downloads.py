"""Files from addresses, fetched once into the cache, by one process of all that ask."""

import os
import sys
import time
from pathlib import Path

from mmvseg.errors import UserError, say
from mmvseg.files import partial_path, sync
from mmvseg.locks import turn

from .addresses import needs_browser, shown, to_url
from .cache import cache_errors, cache_folder, cached_path, forget, note_file, note_path, noted
from .digests import Known
from .transfer import BrokenOffError, PartialFile, transfer

#: Pauses between attempts none of which got further than the one before.
PAUSES_S = (1.0, 4.0, 15.0)


def fetch(source: str, known: Known | None = None, advice: str = '') -> Path:
    """The file of an address: out of the cache, or fetched into it.

    It appears whole or not at all, however many processes ask for it. Where it breaks off it is
    continued, now or the next time, if the server has the same file still. Its size and hash are
    compared with what is known, else with what was noted when it was fetched first.

    Args:
        source: ``http://``, ``https://`` or ``hf:USER/REPO/FILE``.
        known: size and hash, from elsewhere than its name.
        advice: what to do where it cannot be fetched.

    Raises:
        UserError: it cannot be fetched or written, is a page, or another file than it should be.
    """
    url = to_url(source)
    path = cached_path(url)
    advice = advice or f'try again later, or fetch it by other means and save it as {path}'
    if needs_browser(url) and not path.is_file():
        raise UserError(
            f'checkpoint {shown(url)}: only a browser can open this address; fetch it there and '
            f'save it as {path}'
        )
    name = f'checkpoint {shown(url)}'
    known = known or Known()
    # a copy that is there is used though nothing may be written
    if not path.is_file():
        with cache_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with turn(path.parent / '.lock', lambda: _say_waiting(name)):
                if not path.is_file():
                    _download(url, path, known.of_name(path.name), advice)
        return path
    if not path.is_relative_to(cache_folder()):  # torch's, of a name that tells its content
        return path
    before = noted(path)
    gone = 'its copy is removed from the cache: try again'
    try:
        # what was put there by hand has no note yet
        (known if before == Known() else before).check(path, name, gone)
    except UserError:
        forget(path)
        raise
    if before == Known() and os.access(path.parent, os.W_OK):
        # the process that fetched it may be about to write the note
        with cache_errors(path), turn(path.parent / '.lock', lambda: _say_waiting(name)):
            if noted(path) == Known():
                note_file(path, url)
    return path


def _download(url: str, path: Path, known: Known, advice: str) -> None:
    source = f'checkpoint {shown(url)}'
    part = PartialFile(partial_path(path), is_checked=known.sha256 is not None)
    with part.removed_on_errors():
        _fetch_persistently(url, part, known, advice)
        known.check(part.path, source, f'nothing is kept; {advice}')
        before = noted(path)
        before.check(
            part.path,
            source,
            f'it has changed since it was fetched first; if that is intended, remove '
            f'{note_path(path)}',
        )
        sync(part.path)
        os.replace(part.path, path)
    part.remove()
    note_file(path, url)


def _fetch_persistently(url: str, part: 'PartialFile', known: Known, advice: str) -> None:
    """Try again what may go better then, as long as it gets further or the pauses last."""
    furthest, failures = part.size, 0
    while True:
        try:
            return transfer(url, part, known, advice)
        except BrokenOffError as error:
            failures = 0 if part.size > furthest else failures + 1
            furthest = max(furthest, part.size)
            if failures > len(PAUSES_S):
                raise UserError(
                    f'checkpoint {shown(url)}: download failed ({error}); {advice}'
                ) from error
            pause_s = PAUSES_S[max(failures - 1, 0)]
            say(f'{shown(url)}: {error}; trying again in {pause_s:g} s', sys.stderr)
            time.sleep(pause_s)


def _say_waiting(name: str) -> None:
    say(f'{name}: another process is fetching it; waiting for that', sys.stderr)
