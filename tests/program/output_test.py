# SPDX-License-Identifier: MIT
"""Those who read what the program prints, and do not, or late."""
import fcntl
import json
import os
import select
import signal
import subprocess

import pytest
from conftest import PROGRAM
from peers import peers, wait_for, write

MIB = 1 << 20


class Slow:
    """A running program whose output goes to a small pipe that is read when the test says so."""

    def __init__(self, folder, *words):
        self.reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        self.process = subprocess.Popen(
            [PROGRAM, *map(str, words)], stdin=subprocess.DEVNULL, stdout=writer,
            stderr=subprocess.STDOUT, cwd=folder, env={**os.environ, "HOME": str(folder)})
        self.writer = writer  # to see whether the pipe is full
        self.text = b""

    def is_full(self):
        return not select.select([], [self.writer], [], 0)[1]

    def read_line(self):
        """The next line, which may come late."""
        while b"\n" not in self.text:
            assert select.select([self.reader], [], [], 60)[0], self.text
            self.text += os.read(self.reader, 1 << 16)
        line, _, self.text = self.text.partition(b"\n")
        return line.decode()

    def read_rest(self):
        os.close(self.writer)
        self.writer = None
        while data := os.read(self.reader, 1 << 16):
            self.text += data
        assert self.text.endswith(b"\n"), self.text[-200:]
        return self.text.decode().splitlines()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.reader)
        if self.writer is not None:
            os.close(self.writer)


@pytest.fixture
def slow(tmp_path):
    """Starts programs whose output is read slowly; all end with the test."""
    running = []

    def start(*words):
        running.append(Slow(tmp_path, *words))
        return running[-1]

    yield start
    for program in running:
        program.close()


@pytest.fixture
def stalled_seed(slow, tmp_path):
    """A seed that has filled its pipe, and where it listens."""
    sources = [write(tmp_path / f"from/{number}.bin", MIB, number) for number in range(8)]
    seed = slow("seed", *sources, "--torrent-out", tmp_path / "last.torrent", "--progress=json",
                "--state", tmp_path / "seed-state", "--listen", "127.0.0.1:0", "--no-dht")
    events = [json.loads(seed.read_line())]
    while events[-1]["event"] != "ready":
        events.append(json.loads(seed.read_line()))
    wait_for(seed.is_full, "the pipe never filled")
    return seed, events[-1]["listen"]


def test_a_seed_that_nobody_reads_serves_and_ends(stalled_seed, peers, tmp_path):
    seed, listen = stalled_seed
    get = peers("get", tmp_path / "last.torrent", "-o", tmp_path / "to", "--peer", listen)
    assert get.wait() == 0, get.log()
    assert (tmp_path / "to/7.bin").read_bytes() == (tmp_path / "from/7.bin").read_bytes()
    assert seed.is_full()
    seed.process.send_signal(signal.SIGTERM)
    assert seed.process.wait(60) == 0


def test_a_reader_that_wakes_up_gets_whole_lines(stalled_seed):
    seed, _ = stalled_seed
    lines = [json.loads(seed.read_line()) for _ in range(40)]
    assert sum(line["event"] == "checked" for line in lines) == 8
    assert any(line["event"] == "progress" for line in lines)
    wait_for(seed.is_full, "the pipe never filled again")
    seed.process.send_signal(signal.SIGTERM)
    events = [json.loads(line) for line in seed.read_rest()]
    assert events[-1]["event"] == "stats" and len(events[-1]["torrents"]) == 8
    assert seed.process.wait(60) == 0


@pytest.mark.parametrize("words", [
    ["daemon", "--rpc", "127.0.0.1:0", "--state", "state", "--socket", "socket", "--listen",
     "127.0.0.1:0", "--no-dht"],
    ["tracker", "--http", "127.0.0.1:0"],
    ["dht", "node", "--listen", "127.0.0.1:0", "--bootstrap", "127.0.0.1:1", "--state", "state"]])
def test_others_that_nobody_reads_end_as_well(slow, words):
    server = slow(*words, "--progress=json")
    assert json.loads(server.read_line())["event"] == "ready"
    os.set_blocking(server.writer, False)
    while not server.is_full():
        os.write(server.writer, b"\n" * 4096)
    os.set_blocking(server.writer, True)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
