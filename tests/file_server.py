"""A web server of some files, which can also behave as badly as others do."""

import http.server
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@contextmanager
def serving(handler):
    """The address of a server in a thread."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs=dict(poll_interval=0.02))
    thread.start()
    try:
        yield f'http://127.0.0.1:{server.server_port}'
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serve_files(files, *, missing=0, kind='application/octet-stream', hang_s=0.0):
    """The address of a server, and how often each file was asked for.

    Args:
        files: contents by path, such as ``/a.pth``.
        missing: bytes that the server keeps back at the end of each, though it states the length.
        kind: what it says that the files are.
        hang_s: silence before the end.
    """
    with serve_hub(
        {
            path: Served(content, missing=missing, kind=kind, hang_s=hang_s)
            for path, content in files.items()
        }
    ) as hub:
        yield hub.address, hub.asked


@dataclass
class Served:
    """A file as a server of models has it.

    Attributes:
        content: its bytes.
        tag: its ETag, without which nothing can be continued.
        ranges: whether the server gives parts.
        heeds_condition: whether it does so only of the file that was asked for (If-Range).
        missing: bytes that are kept back at the end, though the length is stated.
        cuts: lengths after which one answer after the other breaks off; then they are whole.
        statuses: what is answered first, one after the other, in place of the file.
        location: address that is answered in place of the file.
        redirect: the status of that answer.
        kind: what the server says that it is.
        hang_s: silence before the end.
        chunk_s: time between two pieces of ``chunk`` bytes.
        chunk: see there; 0: all at once.
        login: the header without which the server refuses.
    """

    content: bytes = b''
    tag: str | None = None
    ranges: bool = True
    heeds_condition: bool = True
    missing: int = 0
    cuts: list = field(default_factory=list)
    statuses: list = field(default_factory=list)
    location: str | None = None
    redirect: int = 302
    kind: str = 'application/octet-stream'
    hang_s: float = 0.0
    chunk_s: float = 0.0
    chunk: int = 0
    login: str | None = None


@dataclass
class Hub:
    """A running server.

    Attributes:
        address: of the server.
        files: what it has by path; may change.
        asked: how often each path was asked for.
        requests: path with query and headers of each request.
    """

    address: str
    files: Mapping[str, Served]
    asked: Counter = field(default_factory=Counter)
    requests: list = field(default_factory=list)


@contextmanager
def serve_hub(files):
    """A server of :class:`Served` files by path."""
    over = threading.Event()
    hub = Hub('', files)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.partition('?')[0]
            hub.asked[path] += 1
            hub.requests.append((self.path, dict(self.headers)))
            file = hub.files.get(path)
            if file is None:
                self.send_error(404)
            elif file.login and self.headers.get('Authorization') != file.login:
                self.send_error(401)
            elif file.statuses:
                self.send_error(file.statuses.pop(0))
            elif file.location:
                self.send_response(file.redirect)
                self.send_header('Location', file.location)
                self.send_header('Content-Length', '0')
                self.end_headers()
            else:
                self.send_file(file)

        def send_file(self, file):
            start = self.start_of(file)
            rest = file.content[start:]
            self.send_response(206 if start else 200)
            if start:
                last, total = len(file.content) - 1, len(file.content)
                self.send_header('Content-Range', f'bytes {start}-{last}/{total}')
            if file.tag:
                self.send_header('ETag', file.tag)
            self.send_header('Content-Type', file.kind)
            self.send_header('Content-Length', str(len(rest)))
            self.end_headers()
            over.wait(file.hang_s)
            rest = rest[: len(rest) - file.missing]
            if file.cuts:
                rest = rest[: file.cuts.pop(0)]
            step = file.chunk or len(rest) or 1
            with suppress(ConnectionError):  # the other side has seen enough
                for index in range(0, len(rest), step):
                    self.wfile.write(rest[index : index + step])
                    time.sleep(file.chunk_s)

        def start_of(self, file):
            asked = self.headers.get('Range')
            if not (file.ranges and asked):
                return 0
            if file.heeds_condition and self.headers.get('If-Range') not in (None, file.tag):
                return 0
            return int(asked.removeprefix('bytes=').removesuffix('-'))

        def log_message(self, *args):
            pass

    with serving(Handler) as hub.address:
        try:
            yield hub
        finally:
            over.set()
