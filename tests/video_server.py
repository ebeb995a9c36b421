"""A web server of one video, as servers are on good days and on bad ones."""

import http.server
import threading
from contextlib import contextmanager

from file_server import serving


@contextmanager
def serve(data: bytes, *, sent: int | None = None, says_length: bool = True, hang_s: float = 0.0):
    """The address of ``data`` as ``clip.mp4``.

    Args:
        data: the file.
        sent: bytes after which the server breaks off; None for none.
        says_length: whether the answer states how long the file is.
        hang_s: silence before the end.
    """
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if not self.path.startswith('/clip.mp4'):
                self.send_error(404)
                return
            self.send_response(200)
            if says_length:
                self.send_header('Content-Length', str(len(data)))
            self.end_headers()
            try:
                self.wfile.write(data[:sent])
                self.wfile.flush()
            except OSError:  # the client has seen enough
                return
            over.wait(hang_s)

        def log_message(self, *args):
            pass

    with serving(Handler) as address:
        try:
            yield f'{address}/clip.mp4'
        finally:
            over.set()
