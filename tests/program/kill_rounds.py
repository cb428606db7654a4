#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 at random instants while torrents are added, removed, checked, moved and fetched.

Every other kill comes within moments of a wish of one kind, each kind in turn. Beside those that all
this happens to, the daemon keeps a thousand small seeds. What was acknowledged holds after every
kill: a torrent that was added is there, one that was removed is not. What is served is right: now and
then somebody fetches one of either kind from the daemon alone, and wastes nothing. At the end everything that is left is complete, in its folder, byte
for byte. Usage: kill_rounds.py ROUNDS [SEED]; fails also when a start took too long."""
import hashlib
import http.client
import itertools
import json
import random
import shutil
import socket
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
SEEDS = 1000
SEED_SIZE = 3000
FETCH_EVERY = 10     # rounds, one torrent
SEED_EVERY = 3       # fetches, one of the thousand seeds
SERVING_AGAIN_S = 2  # after a kill; asserted by the soak only
STRIKE_S = 0.04      # after a wish was sent
WISHES = 20          # that are granted in a round, at most, before the kill


class Known:
    """What must hold of one torrent: True there, False gone, None not known."""

    def __init__(self, torrent, plain, source):
        self.torrent, self.plain, self.source = torrent, plain, source  # plain: without a tracker
        self.there = False
        self.hash = None


class Rounds:
    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        self.folder = folder
        # Where moves copy; the other folders are of one file system, where they rename.
        self.far = Path(tempfile.mkdtemp(prefix="freshet-kills", dir="/dev/shm"))
        assert self.far.stat().st_dev != folder.stat().st_dev, "two file systems are wanted"
        # By name the source would be asked for the thousand seeds too.
        self.tracker = subprocess.Popen(
            [PROGRAM, "tracker", "--progress=json", "--http", "127.0.0.1:0", "--interval", "10s"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.announce = json.loads(self.tracker.stdout.readline())["listen"]
        self.known = [self.make(number) for number in range(TORRENTS)]
        self.source = Peer(folder, "seed", *[known.torrent for known in self.known], "-o",
                           folder / "from", "--no-dht")
        self.source.wait_event("checked")
        self.daemon = Daemon(folder / "daemon")
        self.counts = dict.fromkeys(("add", "remove", "remove-data", "check", "stop", "move"), 0)
        self.struck = dict.fromkeys(self.counts, 0)
        self.fetched = {"torrents": 0, "seeds": 0}
        self.strikes = itertools.cycle(self.counts)
        self.strike = None
        self.was_sent = threading.Event()
        self.slowest_answer = self.slowest_serving = 0
        self.places = [folder / "daemon/downloads", folder / "daemon/other", self.far]
        self.seeds = {}
        self.daemon.start()
        self.make_seeds()

    def make(self, number):
        base = self.folder / "from" / f"t{number}"
        if number % 2:
            for part in range(3):
                write(base / f"part-{part}", (40 + 37 * number) * KIB + part, seed=number * 10 + part)
        else:
            write(base, (200 + 130 * number) * KIB + 1, seed=number)
        torrent, plain = self.folder / f"t{number}.torrent", self.folder / f"plain{number}.torrent"
        for path, words in ((torrent, ("-a", f"http://{self.announce}/announce")), (plain, ())):
            subprocess.run([PROGRAM, "create", base, "-o", path, "-l", "32K", *words],
                           check=True, stdout=subprocess.DEVNULL)
        return Known(torrent, plain, base)

    def make_seeds(self):
        """Small ones that are there, complete, all the time."""
        place = self.folder / "daemon/seeds"
        torrent = self.folder / "seed.torrent"
        for number in range(SEEDS):
            data = self.random.randbytes(SEED_SIZE)
            name = f"seed-{number:04}"
            write_bytes(place / name, data)
            info = seed_info(name, data)
            torrent.write_bytes(b"d4:info" + info + b"e")
            self.daemon.add(torrent, download_dir=str(place))
            self.seeds[hashlib.sha1(info).hexdigest()] = (place / name, data)
        wait_for(lambda: all(row["status"] == 6 and row["percentDone"] == 1
                             for row in self.daemon.torrents()),
                 lambda: self.daemon.log()[-2000:], seconds=300)
        self.daemon.kill()

    def rows(self):
        """Those that things happen to."""
        return [row for row in self.daemon.torrents() if row["hashString"] not in self.seeds]

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
                action = self.strike or self.random.choices(list(weights), list(weights.values()))[0]
                # Few are removed without their files, which then are somebody's and stay.
                known = self.random.choice(self.known[::4] if action == "remove" else self.known)
                if self.strike and not known.there and action != "add":
                    action = "add"  # what is struck must be there first
                elif self.strike:
                    self.was_sent.set()
                self.counts[action] += self.act(action, known)
        except (OSError, http.client.HTTPException):
            pass

    def check(self):
        there = {row["hashString"] for row in self.daemon.torrents("hashString")}
        lost = self.seeds.keys() - there
        assert not lost, f"lost {len(lost)} seeds\n{self.daemon.log()[-3000:]}"
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
        self.slowest_answer = max(self.slowest_answer, time.monotonic() - begun)
        self.wait_serving(self.random.choice(list(self.seeds)))
        self.slowest_serving = max(self.slowest_serving, time.monotonic() - begun)

    def wait_serving(self, info_hash):
        """Until a peer that asks for the torrent is greeted."""
        host, port = self.daemon.endpoint.rsplit(":", 1)
        wanted = bytes.fromhex(info_hash)
        greeting = b"\x13BitTorrent protocol" + bytes(8) + wanted + b"-XX0000-" + bytes(12)

        def is_greeted():
            with socket.create_connection((host, int(port)), timeout=60) as peer:
                peer.sendall(greeting)
                answer = b""
                while len(answer) < len(greeting):
                    part = peer.recv(len(greeting) - len(answer))
                    if not part:
                        return False
                    answer += part
                return answer[28:48] == wanted
        wait_for(is_greeted, lambda: f"nobody is served\n{self.daemon.log()[-2000:]}")

    def round(self):
        self.start()
        self.check()
        self.strike = None
        self.was_sent.clear()
        failed = []

        def load(until):
            try:
                self.load(until)
            except BaseException as error: # told in the main thread
                failed.append(error)

        worker = threading.Thread(target=load, args=(time.monotonic() + 30,))
        worker.start()
        # After some wishes, however fast the machine is, and then at any instant.
        wishes = sum(self.counts.values()) + int(self.random.random() ** 2 * WISHES)
        end = time.monotonic() + 10
        while sum(self.counts.values()) < wishes and time.monotonic() < end and not failed:
            time.sleep(0.002)
        time.sleep(self.random.random() ** 2 * 0.1)
        if self.random.random() < 0.5:
            self.strike = next(self.strikes)
            if self.was_sent.wait(2):
                self.struck[self.strike] += 1
                time.sleep(self.random.random() * STRIKE_S)
        self.daemon.kill()
        worker.join()
        if failed:
            raise failed[0]

    # ---- what is served, and the end ----

    def complete(self):
        """Those of the changing ones that anybody may fetch now."""
        hashes = {row["hashString"] for row in self.rows()
                  if row["percentDone"] == 1 and row["status"] == 6}
        return [known for known in self.known if known.hash in hashes]

    def choose(self):
        """One of those at random; when there is none, one becomes complete."""
        found = self.complete()
        if not found:
            known = self.random.choice(self.known)
            if known.there is not True:
                wait_for(lambda: self.add(known), "it does not go")
            self.daemon.rpc("torrent-start", ids=[known.hash])
            wait_for(lambda: found.extend(self.complete()) or found,
                     lambda: f"{self.rows()}\n{self.daemon.log()[-2000:]}")
        return self.random.choice(found)

    def fetch(self):
        """Somebody fetches from the daemon alone: nothing of it is wrong."""
        self.start()
        self.check()
        if sum(self.fetched.values()) % SEED_EVERY == SEED_EVERY - 1:
            source, data = self.random.choice(list(self.seeds.values()))
            torrent = self.folder / "seed.torrent"
            torrent.write_bytes(b"d4:info" + seed_info(source.name, data) + b"e")
            kind = "seeds"
        else:
            known = self.choose()
            source, torrent, kind = known.source, known.plain, "torrents"
        to = Path(tempfile.mkdtemp(dir=self.folder))
        get = Peer(to, "get", torrent, "-o", to / "to", "--peer", self.daemon.endpoint, "--no-dht")
        code = get.wait()
        stats = get.wait_event("stats")
        assert code == 0 and stats["wasted"] == 0, get.log()
        assert_same(source, to / "to" / source.name)
        self.fetched[kind] += 1
        self.daemon.kill()

    def end(self):
        self.start()
        self.check()
        for known in self.known:
            if known.there is not True:
                wait_for(lambda known=known: self.add(known), "it does not go")
        self.daemon.rpc("torrent-start")
        wait_for(lambda: len(self.rows()) == len(self.known) and
                 all(row["percentDone"] == 1 and row["status"] == 6
                     for row in self.daemon.torrents()),
                 lambda: f"{self.rows()}\n{self.daemon.log()[-2000:]}")
        for path, data in self.seeds.values():
            assert path.read_bytes() == data
        for row in self.rows():
            known = next(known for known in self.known if known.hash == row["hashString"])
            assert_same(known.source, Path(row["downloadDir"]) / known.source.name)
        for known in self.known:
            self.remove(known, True)
        wait_for(lambda: not self.rows(), lambda: self.rows())
        wait_for(lambda: not self.left(), lambda: f"left behind: {self.left()}")

    def left(self):
        """Files that are freshet's own. Those of a torrent that was removed without them are not: it
        finds them there the next time."""
        kept = {known.source.name for known in self.known[::4]}
        return [path for place in self.places if place.exists()
                for path in place.rglob("*") if path.is_file()
                and path.relative_to(place).parts[0] not in kept]

    def told(self):
        """What a person may want to know of it."""
        return {**self.counts, "struck": self.struck, "fetched": self.fetched,
                "slowest_answer_s": round(self.slowest_answer, 3),
                "slowest_serving_s": round(self.slowest_serving, 3)}

    def stop(self):
        self.daemon.stop()
        self.source.stop()
        self.tracker.kill()
        self.tracker.communicate()
        shutil.rmtree(self.far, ignore_errors=True)


def write_bytes(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def seed_info(name, data):
    return (b"d6:lengthi%de4:name%d:%s12:piece lengthi16384e6:pieces20:%se" %
            (len(data), len(name), name.encode(), hashlib.sha1(data).digest()))


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
    print(json.dumps({"kills": count, "torrents": SEEDS + TORRENTS, **done.told()}))
    if done.slowest_serving > SERVING_AGAIN_S:
        sys.exit(f"serving again took {done.slowest_serving:.1f} s")
