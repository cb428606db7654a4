# SPDX-License-Identifier: MIT
"""A web server that knows ranges, as web seeds need it (BEP 19); may lie about its bytes."""
import re
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def do_GET(self):  # pylint: disable=invalid-name
        server = self.server.web
        path = server.folder / urllib.parse.unquote(self.path).lstrip("/")
        if path.is_file() and not server.ranges:
            self.send_whole(server, path.read_bytes())
            return
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if not path.is_file() or not wanted:
            self.send_error(404)
            return
        first, last = int(wanted[1]), int(wanted[2])
        size = path.stat().st_size
        if first >= size:
            self.send_error(416)
            return
        with path.open("rb") as file:
            file.seek(first)
            body = bytearray(file.read(last + 1 - first))
        if server.lies:
            body[len(body) // 2] ^= 1
        with server.lock:
            server.requests += 1
            server.sent += len(body)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{size}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


    def send_whole(self, server, body):
        with server.lock:
            server.requests += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # who has what it wants hangs up


class WebServer:
    def __init__(self, address, folder, lies=False, ranges=True):
        self.folder, self.lies, self.ranges = Path(folder), lies, ranges
        self.requests = self.sent = 0
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        self.server.web = self
        self.url = f"http://{address}:{self.server.server_address[1]}/"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
