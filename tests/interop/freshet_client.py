# SPDX-License-Identifier: MIT
"""freshet, run as a person runs it."""
import json
import os
import subprocess
from pathlib import Path

from process import Process
from waiting import wait_for

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("FRESHET", ROOT / "build/release/freshet"))


def call(*words):
    """One call that ends by itself."""
    return subprocess.run([PROGRAM, *map(str, words)], stdin=subprocess.DEVNULL, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def run(*words, code=0):
    """Its output."""
    done = call(*words)
    assert done.returncode == code, done.stdout
    return done.stdout


def events(log):
    """The JSON lines of a log."""
    found = []
    for line in log.splitlines():
        if line.startswith("{") and line.endswith("}"):
            found.append(json.loads(line))
    return found


class Freshet(Process):
    """`freshet get`, `seed` or `tracker`, with its state in the test's folder.

    It looks for peers in the local network only when told, or all tests would meet there."""

    def __init__(self, folder, address, command, *words, lsd=False):
        self.address = address
        options = []
        if command in ("get", "seed"):
            options = ["--listen", f"{address}:0", "--progress=json", "--state", folder / "state"]
            options += [] if lsd else ["--no-lsd"]
        elif command == "tracker":
            options = ["--progress=json"]
        super().__init__([PROGRAM, command, *options, *words], folder, f"freshet-{command}",
                         {"XDG_STATE_HOME": str(folder / "xdg"), "XDG_CONFIG_HOME": str(folder)})

    def event(self, name):
        """The last event of that name, None when there is none yet."""
        return next((e for e in reversed(events(self.log())) if e.get("event") == name), None)

    def wait_event(self, name, seconds=45):
        def there():
            return self.event(name) or not self.is_running()

        wait_for(there, lambda: f"freshet says {name}:\n{self.log()[-3000:]}", seconds)
        event = self.event(name)
        assert event, f"freshet ended without {name}:\n{self.log()[-3000:]}"
        return event

    def wait_phase(self, phase, seconds=45):
        """Until its only torrent is there: checking, downloading, seeding."""
        wait_for(lambda: (self.event("progress") or {}).get("phase") == phase
                 or not self.is_running(), lambda: f"freshet is {phase}:\n{self.log()[-3000:]}",
                 seconds)
        assert self.is_running(), self.log()[-3000:]

    @property
    def port(self):
        return int(self.wait_event("ready")["listen"].rsplit(":", 1)[1])

    @property
    def endpoint(self):
        return f"{self.address}:{self.port}"

    def stats(self):
        """Counters at the end; ends the program first."""
        self.stop()
        return self.wait_event("stats")
