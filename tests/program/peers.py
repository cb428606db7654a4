# SPDX-License-Identifier: MIT
"""freshet get and seed as running programs on loopback, told apart by their JSON lines."""
import itertools
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import PROGRAM

numbers = itertools.count(1)


def write(path, size, seed=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random.Random(seed).randbytes(size))
    return path


def wait_for(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what() if callable(what) else what
        time.sleep(0.02)


class Peer:
    """A `freshet get` or `freshet seed`; ends with the test."""

    def __init__(self, folder, command, *words, state=None, address=None, env=None,
                 program=(PROGRAM,), listens=True):
        number = next(numbers)
        self.address = address or f"127.1.{number // 250}.{number % 250 + 1}"
        self.state = Path(state or folder / f"state-{number}")
        self.log_path = Path(folder) / f"{command}-{number}.log"
        listen = ["--listen", f"{self.address}:0"] if listens else []
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*program, command, "--progress=json", "--state", self.state, *listen,
                 *map(str, words)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=folder,
                env={**os.environ, "HOME": str(folder), **(env or {})})

    def log(self):
        return self.log_path.read_text(errors="replace")

    def events(self, name):
        found = []
        for line in self.log().splitlines():
            if line.startswith("{") and line.endswith("}"):
                event = json.loads(line)
                if event.get("event") == name:
                    found.append(event)
        return found

    def wait_event(self, name):
        wait_for(lambda: self.events(name) or self.process.poll() is not None,
                 lambda: f"no {name} in:\n{self.log()[-2000:]}")
        assert self.events(name), f"ended without {name}:\n{self.log()[-2000:]}"
        return self.events(name)[-1]

    def last(self, key):
        events = self.events("progress")
        return events[-1][key] if events else 0

    @property
    def endpoint(self):
        return self.wait_event("ready")["listen"]

    def wait(self, seconds=60):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"still running:\n{self.log()[-2000:]}") from error

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def peers(tmp_path):
    """Starts peers; all end with the test."""
    running = []

    def start(command, *words, **options):
        running.append(Peer(tmp_path, command, *words, **options))
        return running[-1]

    yield start
    for peer in running:
        peer.stop()
