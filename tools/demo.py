#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A small real swarm on loopback: a tracker, a seed that has a folder, and three peers that begin
with nothing. Shows their progress side by side, checks the copies byte by byte, and prints how many
bytes each sent to each. Usage: demo.py PROGRAM WORK_FOLDER [SOURCE_FOLDER]
"""
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

PEERS = ("Ada", "Bea", "Cem")
MIB = 1 << 20
STALL_S = 120  # no progress for so long ends the demo: something is broken


class Failure(Exception):
    pass


def make_source(folder):
    """The same 221 MB on every machine: large files and small ones, one empty, one named in
    another script."""
    files = {"film/part 1.bin": 110 * MIB, "film/part 2.bin": 70 * MIB + 12345,
             "music/Dvořák – Rusalka.flac": 24 * MIB + 1, "empty.txt": 0,
             "read me first.txt": 777}
    files.update({f"photos/{number:03}.jpg": 40000 + 997 * number for number in range(100)})
    generator = random.Random(20260101)
    for name, size in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            while size > 0:
                part = min(size, MIB)
                file.write(generator.randbytes(part))
                size -= part


def contents(folder):
    """Every file below a folder: {relative name: size}."""
    return {str(path.relative_to(folder)): path.stat().st_size
            for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()}


def same_bytes(one, other):
    with open(one, "rb") as a, open(other, "rb") as b:
        while True:
            x, y = a.read(MIB), b.read(MIB)
            if x != y:
                return False
            if not x:
                return True


def size_text(size):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return ""


class Child:
    """One running freshet; its JSON lines are read by a thread of its own."""

    def __init__(self, name, words, log):
        self.name = name
        self.events = {}
        self.changed = threading.Condition()
        self.log = log
        self.asked = False
        with open(log, "w") as errors:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=errors, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            with self.changed:
                self.events[event.get("event")] = event
                self.changed.notify_all()

    def wait_for(self, kind, seconds):
        deadline = time.monotonic() + seconds
        with self.changed:
            while kind not in self.events:
                left = deadline - time.monotonic()
                if left <= 0 or (self.process.poll() is not None and not self.reader.is_alive()):
                    raise Failure(f"{self.name} did not say '{kind}':\n{self.errors()}")
                self.changed.wait(min(left, 0.2))
            return self.events[kind]

    def errors(self):
        return Path(self.log).read_text(errors="replace")[-2000:]

    def stop(self):
        """Asks it to end; once, for a second time would cut its farewell short."""
        if not self.asked and self.process.poll() is None:
            self.asked = True
            self.process.send_signal(signal.SIGTERM)

    def end(self):
        self.stop()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(5)


class Demo:
    def __init__(self, program, work, source):
        self.program = str(Path(program).resolve())
        self.work = Path(work).resolve()
        self.source = source
        self.children = []

    def show(self, words):
        folder = str(self.work) + "/"
        text = " ".join(shlex.quote(str(word).replace(folder, "")) for word in words[1:])
        print(f"$ freshet {text}", flush=True)

    def run(self, *words):
        words = [self.program, *map(str, words)]
        self.show(words)
        result = subprocess.run(words, stdin=subprocess.DEVNULL, check=False)
        if result.returncode != 0:
            raise Failure(f"it ended with {result.returncode}")

    def start(self, name, *words):
        words = [self.program, *map(str, words)]
        self.show(words)
        child = Child(name, words, self.work / f"{name}.log")
        self.children.append(child)
        return child

    def prepare(self):
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        if self.source:
            self.source = Path(self.source).resolve()
            if not self.source.is_dir():
                raise Failure(f"{self.source} is no folder")
        else:
            self.source = self.work / "source" / "A Folder"
            print("Making a folder of real size ...", flush=True)
            make_source(self.source)
        files = contents(self.source)
        self.total = sum(files.values())
        print(f"{self.source.name}: {len(files)} files, {size_text(self.total)}, "
              f"{sum(size == 0 for size in files.values())} of them empty\n", flush=True)
        if self.total == 0:
            raise Failure("there is nothing in it")

    def start_swarm(self):
        tracker = self.start("tracker", "tracker", "--http", "127.0.0.1:0", "--progress=json")
        listen = tracker.wait_for("ready", 20)["listen"]
        torrent = self.work / "demo.torrent"
        self.run("create", self.source, "-o", torrent, "-a", f"http://{listen}/announce")
        # Slow enough to watch, and to make the peers worth each other's while.
        rate = max(20 * MIB, self.total // 10)
        common = ("--listen", "127.0.0.1:0", "--progress=json", "--no-lsd")
        self.seed = self.start("Seed", "seed", torrent, "-o", self.source.parent, "-u", rate,
                               "--state", self.work / "state.Seed", *common)
        self.seed.wait_for("ready", 600)
        self.peers = []
        for name in PEERS:
            self.peers.append(self.start(name, "get", torrent, "-o", self.work / name,
                                         "--seed-time", "1h", "--state",
                                         self.work / f"state.{name}", *common))
        for peer in self.peers:
            peer.wait_for("ready", 60)

    def watch(self):
        """Three bars in one line until all have everything."""
        terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        started = moved = time.monotonic()
        shown, before = 0.0, None
        print(flush=True)
        while True:
            parts = []
            done = 0
            for peer in self.peers:
                if peer.process.poll() is not None:
                    raise Failure(f"{peer.name} ended with {peer.process.returncode}:\n"
                                  f"{peer.errors()}")
                finished = "done" in peer.events
                done += finished
                parts.append(1.0 if finished else self.fraction(peer))
            now = time.monotonic()
            if parts != before:
                moved, before = now, parts
            if now - moved > STALL_S:
                raise Failure(f"nothing moved for {STALL_S} s")
            last = done == len(self.peers)
            if terminal or last or now - shown >= 2:
                line = "  ".join(self.bar(peer.name, part) for peer, part in zip(self.peers, parts))
                print(("\r" if terminal else "") + line, end="" if terminal and not last else "\n",
                      flush=True)
                shown = now
            if last:
                break
            time.sleep(0.1)
        print(f"\nAll three have everything after {time.monotonic() - started:.1f} s.", flush=True)

    def fraction(self, peer):
        event = peer.events.get("progress", {})
        return min(1.0, event.get("verified", 0) / self.total)

    @staticmethod
    def bar(name, part):
        cells = 16
        eighths = int(part * cells * 8)
        utf8 = "UTF-8" in (sys.stdout.encoding or "").upper()
        if utf8:
            full, rest = divmod(eighths, 8)
            text = "█" * full + (" ▏▎▍▌▋▊▉"[rest] if full < cells else "")
            text = text.strip().ljust(cells, "░")
        else:
            text = ("#" * (eighths // 8)).ljust(cells, ".")
        return f"{name} {text} {part * 100:3.0f}%"

    def check(self):
        files = contents(self.source)
        for name in PEERS:
            copy = self.work / name / self.source.name
            if contents(copy) != files:
                raise Failure(f"{name} has other files")
            for file in files:
                if not same_bytes(self.source / file, copy / file):
                    raise Failure(f"{name}'s copy of {file} is different")
        print(f"Checked byte by byte: {len(PEERS)} copies of {len(files)} files are the same.\n")

    @staticmethod
    def who_sent_whom(swarm):
        """{name: {name: bytes}}. Whoever made a connection knows the other by the address that it
        listens on, and counts both directions; the other side knows only a passing port."""
        names = {child.events["ready"]["listen"]: child.name for child in swarm}
        sent = {child.name: {} for child in swarm}

        def note(source, target, size):
            sent[source][target] = max(sent[source].get(target, 0), size)

        for child in swarm:
            for peer in child.events["stats"]["peers"]:
                other = names.get(peer["address"])
                if other:
                    note(child.name, other, peer["uploaded"])
                    note(other, child.name, peer["downloaded"])
        return sent

    def matrix(self):
        swarm = [self.seed, *self.peers]
        for child in swarm:
            child.stop()
        for child in swarm:
            child.end()
            if child.process.returncode != 0 or "stats" not in child.events:
                raise Failure(f"{child.name} ended with {child.process.returncode}:\n"
                              f"{child.errors()}")
        sent = self.who_sent_whom(swarm)
        print("Who sent how much to whom (MiB):\n")
        print(f"  {'from':8}" + "".join(f"{'to ' + name:>10}" for name in PEERS) + f"{'in all':>10}")
        for child in swarm:
            row = [sent[child.name].get(name, 0) for name in PEERS]
            cells = "".join(f"{'-' if name == child.name else f'{size / MIB:.1f}':>10}"
                            for name, size in zip(PEERS, row))
            print(f"  {child.name:8}{cells}{sum(row) / MIB:>10.1f}")
        got = [sum(row.get(name, 0) for row in sent.values()) for name in PEERS]
        print("  " + "-" * 48)
        print(f"  {'got':8}" + "".join(f"{size / MIB:>10.1f}" for size in got) +
              f"{sum(got) / MIB:>10.1f}")
        seed = sum(sent[self.seed.name].values())
        print(f"\nThe seed sent {seed / self.total:.2f} copies, the peers gave one another "
              f"{(sum(got) - seed) / self.total:.2f}.", flush=True)
        if any(size < self.total for size in got):
            raise Failure("the matrix does not add up to whole copies")

    def end(self):
        for child in reversed(self.children):
            child.stop()
        for child in reversed(self.children):
            child.end()


def play(demo, *steps):
    """The steps one after another; whatever happens, no child outlives it. Returns the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        for step in steps:
            step()
    except Failure as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        demo.end()
    return 0


def main():
    demo = Demo(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
    return play(demo, demo.prepare, demo.start_swarm, demo.watch, demo.check, demo.matrix)


if __name__ == "__main__":
    sys.exit(main())
