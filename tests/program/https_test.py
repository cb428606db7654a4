# SPDX-License-Identifier: MIT
"""Trackers and web seeds behind HTTPS: whose certificate is not trusted is not spoken to."""
import http.client
import json
import signal
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import PROGRAM
from peers import peers, wait_for, write

MIB = 1 << 20


@pytest.fixture
def certificate(tmp_path):
    """A certificate that vouches for itself, of 127.0.0.1 alone, and its key."""
    paths = tmp_path / "server.pem", tmp_path / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0],
                    "-keyout", paths[1]], check=True, capture_output=True, timeout=60)
    return paths


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def reply(self, status, body, **headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def https(certificate):
    """Starts servers that speak TLS; gives each one's address, and what was asked of it."""
    started = []

    def start(answer, address="127.0.0.1"):
        class Handler(Quiet):
            def do_GET(self):  # pylint: disable=invalid-name
                server.asked.append(self.path)
                answer(self)

        server = ThreadingHTTPServer((address, 0), Handler)
        server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        # The handshake is done in the thread of the connection, with the first read.
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        server.asked = []
        server.url = f"https://{address}:{server.server_address[1]}"
        server.thread = threading.Thread(target=server.serve_forever, daemon=True)
        server.handle_error = lambda *_: None  # who does not trust us hangs up
        server.thread.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.shutdown()
        server.server_close()
        server.thread.join()


@pytest.fixture
def tracker():
    """A tracker that believes a proxy on 127.0.0.1."""
    process = subprocess.Popen([PROGRAM, "tracker", "--progress=json", "--http", "127.0.0.1:0",
                                "--trusted-proxy", "127.0.0.1"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True)
    process.listen = json.loads(process.stdout.readline())["listen"]
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=10)


def hand_on_to(listen):
    """What a TLS proxy in front of a tracker does: it adds who asks."""
    def answer(request):
        upstream = http.client.HTTPConnection(listen, timeout=30)
        upstream.request("GET", f"{request.path}&ip={request.client_address[0]}")
        response = upstream.getresponse()
        request.reply(response.status, response.read())
        upstream.close()

    return answer


def serve_file(path):
    def answer(request):
        first, last = request.headers["Range"].removeprefix("bytes=").split("-")
        body = path.read_bytes()[int(first):int(last) + 1]
        request.reply(206, body,
                      Content_Range=f"bytes {first}-{int(first) + len(body) - 1}/{path.stat().st_size}")

    return answer


def create(freshet, source, torrent, *words):
    result = freshet("create", source, "-o", torrent, *words)
    assert result.returncode == 0, result.stderr
    return torrent


def test_a_tracker_behind_https_is_asked_when_its_certificate_is_trusted(
        freshet, peers, tmp_path, https, tracker, certificate):
    server = https(hand_on_to(tracker.listen))
    source = write(tmp_path / "from/f.bin", 2 * MIB + 5)
    torrent = create(freshet, source, tmp_path / "f.torrent", "-a", f"{server.url}/announce")
    words = [torrent, "-o", tmp_path / "to", "--no-dht"]
    refused = peers("get", *words)
    wait_for(lambda: "certificate is not trusted" in refused.log(), refused.log)
    assert f"{server.url}/announce" in refused.log()
    assert refused.kill(signal.SIGINT) == 7
    assert server.asked == [], "nothing was said to a server that is not trusted"
    trust = {"SSL_CERT_FILE": str(certificate[0])}
    seed = peers("seed", torrent, "-o", tmp_path / "from", "--no-dht", env=trust)
    seed.wait_event("ready")
    wait_for(lambda: server.asked, seed.log)
    get = peers("get", *words, state=refused.state, env=trust)
    assert get.wait() == 0, get.log()
    assert (tmp_path / "to/f.bin").read_bytes() == source.read_bytes()
    assert seed.kill(signal.SIGTERM) == 0
    assert any("event=completed" in path for path in server.asked)
    tracker.send_signal(signal.SIGTERM)
    stats = json.loads(tracker.communicate(timeout=20)[0])
    assert stats["announces"] == len(server.asked) and stats["peers"] == 0, "both said goodbye"


def test_a_certificate_of_another_address_is_not_trusted(freshet, peers, tmp_path, https,
                                                         certificate):
    server = https(lambda request: request.reply(200, b"d8:intervali60ee"), "127.0.0.2")
    source = write(tmp_path / "from/f.bin", MIB)
    torrent = create(freshet, source, tmp_path / "f.torrent", "-a", f"{server.url}/announce")
    seed = peers("seed", torrent, "-o", tmp_path / "from", "--no-dht",
                 env={"SSL_CERT_FILE": str(certificate[0])})
    wait_for(lambda: "certificate is not trusted" in seed.log(), seed.log)
    assert server.asked == []


def test_a_web_seed_behind_https_is_asked_when_its_certificate_is_trusted(
        freshet, peers, tmp_path, https, certificate):
    source = write(tmp_path / "from/f.bin", 2 * MIB + 5)
    server = https(serve_file(source))
    torrent = create(freshet, source, tmp_path / "f.torrent", "-w", f"{server.url}/f.bin")
    words = [torrent, "-o", tmp_path / "to", "--no-dht"]
    refused = peers("get", *words, "--timeout", "2s")
    assert refused.wait() == 4, refused.log()
    assert server.asked == []
    get = peers("get", *words, state=refused.state, env={"SSL_CERT_FILE": str(certificate[0])})
    assert get.wait() == 0, get.log()
    assert (tmp_path / "to/f.bin").read_bytes() == source.read_bytes()


def test_a_torrent_behind_https_is_read_when_its_certificate_is_trusted(
        freshet, tmp_path, https, certificate):
    torrent = create(freshet, write(tmp_path / "f.bin", MIB), tmp_path / "f.torrent")
    server = https(lambda request: request.reply(200, torrent.read_bytes()))
    refused = freshet("get", f"{server.url}/f.torrent", "--list")
    assert refused.returncode == 4
    assert "certificate is not trusted" in refused.stderr and refused.stderr.count("\n") == 1
    trusted = freshet("get", f"{server.url}/f.torrent", "--list",
                      env={"SSL_CERT_FILE": str(certificate[0])})
    assert trusted.returncode == 0, trusted.stderr
    assert "f.bin" in trusted.stdout
