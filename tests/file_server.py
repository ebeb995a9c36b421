"""A web server of some files."""

import http.server
import threading
from collections import Counter
from contextlib import contextmanager


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
    over, asked = threading.Event(), Counter()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.partition('?')[0]
            asked[path] += 1
            if path not in files:
                self.send_error(404)
                return
            content = files[path]
            self.send_response(200)
            self.send_header('Content-Type', kind)
            self.send_header('Content-Length', str(len(content)))
            self.end_headers()
            over.wait(hang_s)
            self.wfile.write(content[: len(content) - missing])

        def log_message(self, *args):
            pass

    with serving(Handler) as address:
        try:
            yield address, asked
        finally:
            over.set()
