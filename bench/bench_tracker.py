# SPDX-License-Identifier: MIT
"""A tracker that knows one seed and tells everybody else of it at once: all clients find each other
in the same way, and nobody waits for a swarm."""
import http.server
import socket
import threading
import urllib.parse


class SeedTracker:
    def __init__(self, address):
        self.seed = (address, 0)
        tracker = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query,
                                              encoding="latin-1")
                port = int(query.get("port", ["0"])[0])
                peers = b"" if port == tracker.seed[1] or not tracker.seed[1] else tracker.peer()
                body = (b"d8:completei1e10:incompletei1e8:intervali5e12:min intervali5e5:peers%d:"
                        % len(peers)) + peers + b"e"
                try:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # a client that is done does not wait for the answer

            def log_message(self, format, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/announce"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def peer(self):
        return socket.inet_aton(self.seed[0]) + self.seed[1].to_bytes(2, "big")

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
