#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 at random instants while torrents are added, removed, checked, moved and fetched.

What was acknowledged holds after every kill: a torrent that was added is there, one that was removed
is not. What is served is right: fetches from the daemon waste nothing. At the end everything that is
left is complete, in its folder, byte for byte. Usage: kill_rounds.py ROUNDS [SEED]"""
import http.client
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from conftest import PROGRAM
from daemons import Daemon
from peers import Peer, wait_for, write

KIB = 1 << 10
TORRENTS = 8
FETCH_EVERY = 10


class Known:
    """What must hold of one torrent: True there, False gone, None not known."""

    def __init__(self, torrent, source):
        self.torrent, self.source = torrent, source
        self.there = False
        self.hash = None


class Rounds:
    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        self.folder = folder
        self.known = [self.make(number) for number in range(TORRENTS)]
        self.source = Peer(folder, "seed", *[known.torrent for known in self.known], "-o",
                           folder / "from", "--no-dht")
        self.daemon = Daemon(folder / "daemon", "--peer", self.source.endpoint)
        self.counts = dict.fromkeys(("add", "remove", "remove-data", "check", "stop", "move"), 0)
        self.slowest_start = 0
        self.places = [folder / "daemon/downloads", folder / "daemon/other"]

    def make(self, number):
        base = self.folder / "from" / f"t{number}"
        if number % 2:
            for part in range(3):
                write(base / f"part-{part}", (40 + 37 * number) * KIB + part, seed=number * 10 + part)
        else:
            write(base, (200 + 130 * number) * KIB + 1, seed=number)
        torrent = self.folder / f"t{number}.torrent"
        subprocess.run([PROGRAM, "create", base, "-o", torrent, "-l", "32K"],
                       check=True, stdout=subprocess.DEVNULL)
        return Known(torrent, base)

    # ---- one round ----

    def add(self, known):
        """False: the one before is on its way out still."""
        before, known.there = known.there, None
        answer = self.daemon.try_add(known.torrent)
        if "being removed" in answer["result"]:
            known.there = before
            return False
        assert answer["result"] == "success", answer
        known.hash = next(iter(answer["arguments"].values()))["hashString"]
        known.there = True
        return True

    def remove(self, known, data):
        known.there = None
        self.daemon.rpc("torrent-remove", ids=[known.hash], delete_local_data=data)
        known.there = False

    def act(self, action, known):
        """Whether the wish was granted."""
        ids = [known.hash]
        if action == "add":
            return self.add(known)
        if not known.there:
            return False
        if action in ("remove", "remove-data"):
            self.remove(known, action == "remove-data")
        elif action == "check":
            self.daemon.rpc("torrent-verify", ids=ids)
        elif action == "stop":
            self.daemon.rpc("torrent-stop", ids=ids)
            self.daemon.rpc("torrent-start", ids=ids)
        elif action == "move":
            answer = self.daemon.try_rpc("torrent-set-location", ids=ids, move=True,
                                         location=str(self.random.choice(self.places)))
            # One that is being moved is not moved elsewhere meanwhile.
            assert answer["result"] == "success" or "in use" in answer["result"], answer
            return answer["result"] == "success"
        return True

    def load(self, until):
        """Wishes, until the daemon is no more. One at a time: what holds is then known."""
        weights = {"add": 8, "remove": 2, "remove-data": 2, "check": 2, "stop": 2, "move": 3}
        try:
            while time.monotonic() < until:
                action = self.random.choices(list(weights), list(weights.values()))[0]
                # Few are removed without their files, which then are somebody's and stay.
                known = self.random.choice(self.known[::4] if action == "remove" else self.known)
                self.counts[action] += self.act(action, known)
        except (OSError, http.client.HTTPException):
            pass

    def check(self):
        rows = self.daemon.torrents("hashString", "status", "error", "errorString")
        there = {row["hashString"] for row in rows}
        for known in self.known:
            if known.there is True:
                assert known.hash in there, f"lost {known.torrent}\n{self.daemon.log()[-3000:]}"
            if known.there is False and known.hash:
                assert known.hash not in there, f"{known.torrent} came back"
            if known.there is None and known.hash:
                known.there = known.hash in there

    def start(self):
        begun = time.monotonic()
        self.daemon.start()
        self.daemon.torrents("id")
        self.slowest_start = max(self.slowest_start, time.monotonic() - begun)

    def round(self):
        self.start()
        self.check()
        failed = []

        def load(until):
            try:
                self.load(until)
            except BaseException as error: # told in the main thread
                failed.append(error)

        worker = threading.Thread(target=load, args=(time.monotonic() + 30,))
        worker.start()
        time.sleep(self.random.random() ** 2 * 0.3)
        self.daemon.kill()
        worker.join()
        if failed:
            raise failed[0]

    # ---- what is served, and the end ----

    def fetch(self):
        """Somebody fetches from the daemon alone: nothing of it is wrong."""
        self.start()
        self.check()
        complete = [row["hashString"] for row in self.daemon.torrents()
                    if row["percentDone"] == 1 and row["status"] == 6]
        for known in self.known:
            if known.hash not in complete:
                continue
            to = Path(tempfile.mkdtemp(dir=self.folder))
            get = Peer(to, "get", known.torrent, "-o", to / "to", "--peer", self.daemon.endpoint,
                       "--no-dht")
            code = get.wait()
            stats = get.wait_event("stats")
            assert code == 0 and stats["wasted"] == 0, get.log()
            assert_same(known.source, to / "to" / known.source.name)
            break
        self.daemon.kill()

    def end(self):
        self.start()
        self.check()
        for known in self.known:
            if known.there is not True:
                wait_for(lambda known=known: self.add(known), "it does not go")
        self.daemon.rpc("torrent-start")
        self.daemon.wait_complete(len(self.known))
        wait_for(lambda: all(row["status"] == 6 for row in self.daemon.torrents()),
                 lambda: self.daemon.torrents())
        for row in self.daemon.torrents():
            known = next(known for known in self.known if known.hash == row["hashString"])
            assert_same(known.source, Path(row["downloadDir"]) / known.source.name)
        for known in self.known:
            self.remove(known, True)
        wait_for(lambda: not self.daemon.torrents(), lambda: self.daemon.torrents())
        wait_for(lambda: not self.left(), lambda: f"left behind: {self.left()}")

    def left(self):
        """Files that are freshet's own. Those of a torrent that was removed without them are not: it
        finds them there the next time."""
        kept = {known.source.name for known in self.known[::4]}
        return [path for place in self.places if place.exists()
                for path in place.rglob("*") if path.is_file()
                and path.relative_to(place).parts[0] not in kept]

    def stop(self):
        self.daemon.stop()
        self.source.stop()


def assert_same(source, copy):
    files = [path for path in source.rglob("*") if path.is_file()] if source.is_dir() else [source]
    for path in files:
        other = copy / path.relative_to(source) if source.is_dir() else copy
        assert other.read_bytes() == path.read_bytes(), f"{other} differs"


def run(folder, rounds, seed):
    kills = Rounds(Path(folder), seed)
    try:
        for number in range(rounds):
            kills.round()
            if number % FETCH_EVERY == FETCH_EVERY - 1:
                kills.fetch()
        kills.end()
        return kills
    finally:
        kills.stop()


if __name__ == "__main__":
    count = int(sys.argv[1])
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    print(f"seed {chosen}", flush=True)
    with tempfile.TemporaryDirectory() as place:
        done = run(place, count, chosen)
    print(json.dumps({"kills": count, **done.counts,
                      "slowest_start_s": round(done.slowest_start, 3)}))
