# SPDX-License-Identifier: MIT
"""Other people's pages in the browser of who uses the daemon: names that were bent to it, other
origins, and nobody's token. Nothing is changed, nothing is read."""
import http.server
import json
import threading

import pytest
from daemons import daemons  # noqa: F401, a fixture
from page_test import add_small, ask

NAME = "nobody elses business"


@pytest.fixture
def daemon(daemons, tmp_path):
    one = daemons()
    add_small(one, tmp_path, [NAME])
    return one


@pytest.fixture
def other_port():
    """A page of another origin."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"<!doctype html><title>other</title><body><p>other"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def state(daemon):
    return (ask(daemon, "GET", "/settings"),
            [(row["name"], row["running"], row["labels"]) for row in ask(daemon, "GET", "/torrents")["rows"]])


def test_a_name_that_was_bent_to_the_daemon_is_refused(daemon, browse):
    before = state(daemon)
    assert not before[0]["alt_enabled"]
    browse("rebinding", daemon, torrentName=NAME)
    # What was done is what the page of our own address did, to show that it could.
    assert state(daemon) == ({**before[0], "alt_enabled": True}, [])


def forms(number):
    """Path, and what a text/plain form makes JSON of: its name, '=', its value."""
    for path, wish in (
            ("/transmission/rpc", {"method": "session-set", "arguments": {"alt-speed-enabled": True}}),
            ("/transmission/rpc", {"method": "torrent-remove", "arguments": {"ids": [number]}}),
            ("/api/v1/torrents", {"magnet": "magnet:?xt=urn:btih:" + "2" * 40}),
            ("/api/v1/torrents/remove", {"ids": [number]}),
            (f"/api/v1/torrents/{number}/start", {})):
        text = json.dumps(wish)[:-1]
        yield path, text + (", " if wish else "") + '"x": "', '"}'


def test_pages_of_others_change_and_read_nothing(daemon, browse, other_port):
    before = state(daemon)
    number = daemon.torrents()[0]["id"]
    browse("others", daemon, timeout=500, torrentName=NAME, other=other_port, forms=list(forms(number)))
    assert state(daemon) == before


def test_without_a_token_nothing_is_shown(daemon, browse):
    before = state(daemon)
    browse("stranger", daemon, torrentName=NAME)
    assert state(daemon) == before
