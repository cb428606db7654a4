# SPDX-License-Identifier: MIT
"""A `freshet daemon` as a running program, and ways to speak to it."""
import base64
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import PROGRAM
from peers import Peer, numbers, wait_for, write


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Daemon:
    """Ends with the test. `state` and `socket` stay for the next one."""

    def __init__(self, folder, *words, env=None, preexec=None, pass_fds=()):
        number = next(numbers)
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = self.folder / "state"
        # A Unix socket's path must be short.
        self.short = tempfile.mkdtemp(prefix="fd")
        self.socket = Path(self.short) / "s"
        self.words = [PROGRAM, "daemon", "--progress=json", "--state", self.state, "--socket",
                      self.socket, "--listen", f"127.2.{number // 250}.{number % 250 + 1}:0",
                      "--no-dht", "--rpc", "127.0.0.1:0", "--download-dir",
                      self.folder / "downloads", *map(str, words)]
        self.env = {**os.environ, "HOME": str(folder), **(env or {})}
        self.process = self.ready = None

    def start(self, **options):
        with (self.folder / "daemon.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env=self.env, **options)
        line = self.process.stdout.readline()
        assert line, f"ended with {self.process.wait()}:\n{self.log()[-2000:]}"
        self.ready = json.loads(line)
        return self

    def log(self):
        return (self.folder / "daemon.log").read_text(errors="replace")

    @property
    def endpoint(self):
        return self.ready["listen"]

    @property
    def token(self):
        return (self.state / "rpc-token").read_text().strip()

    @property
    def read_token(self):
        return (self.state / "rpc-token-read").read_text().strip()

    def get(self, path, timeout=60):
        connection = UnixConnection(self.socket, timeout)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    def try_rpc(self, method, timeout=60, **arguments):
        """Over the Unix socket; the whole answer."""
        connection = UnixConnection(self.socket, timeout)
        connection.request("POST", "/transmission/rpc", json.dumps(
            {"method": method, "arguments": {key.replace("_", "-"): value
                                             for key, value in arguments.items()}}))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200, (answer.status, body)
        return json.loads(body)

    def rpc(self, method, timeout=60, **arguments):
        answer = self.try_rpc(method, timeout, **arguments)
        assert answer["result"] == "success", answer
        return answer["arguments"]

    def try_add(self, torrent, **arguments):
        return self.try_rpc("torrent-add", metainfo=base64.b64encode(
            Path(torrent).read_bytes()).decode(), **arguments)

    def add(self, torrent, **arguments):
        answer = self.try_add(torrent, **arguments)
        assert answer["result"] == "success", answer
        return next(iter(answer["arguments"].values()))

    def torrents(self, *fields, **arguments):
        fields = fields or ("id", "hashString", "name", "status", "percentDone", "error",
                            "errorString", "downloadDir")
        return self.rpc("torrent-get", fields=list(fields), **arguments)["torrents"]

    def wait_complete(self, count=1):
        def done():
            rows = self.torrents()
            return len(rows) == count and all(row["percentDone"] == 1 for row in rows)
        wait_for(done, lambda: f"{self.torrents()}\n{self.log()[-2000:]}")

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        shutil.rmtree(self.short, ignore_errors=True)


@pytest.fixture
def daemons(tmp_path):
    """Starts daemons, each in a folder of its own; all end with the test."""
    running = []

    def start(*words, name=None, begin=True, **options):
        daemon = Daemon(tmp_path / (name or f"daemon-{len(running)}"), *words, **options)
        running.append(daemon)
        return daemon.start() if begin else daemon

    yield start
    for daemon in running:
        daemon.stop()


@pytest.fixture
def drive(daemons, freshet):
    """A daemon, and `drive(words...)`, which runs a command against it."""
    daemon = daemons()

    def run(*words, code=0, **options):
        result = freshet(*words, "--socket", daemon.socket, **options)
        assert result.returncode == code, result.stdout + result.stderr
        return result.stderr if code else result.stdout

    run.daemon = daemon
    return run


@pytest.fixture
def album(tmp_path, freshet):
    """A folder of three files, its .torrent, and a seed of it."""
    content = tmp_path / "here/album"
    for number in range(1, 4):
        write(content / f"{number}.flac", number * 400_000, number)
    torrent = tmp_path / "album.torrent"
    made = freshet("create", content, "-o", torrent, "-l", "64K", "--v1")
    assert made.returncode == 0, made.stderr
    seed = Peer(tmp_path, "seed", torrent, "-o", content.parent, "--no-dht")
    seed.wait_event("ready")
    yield torrent, content, seed
    seed.process.terminate()
    seed.process.wait(30)
