# SPDX-License-Identifier: MIT
"""freshet beside libtorrent, transmission, aria2, rtorrent and mktorrent, and beside the raw limit
of the machine, all in one run. Prints tables with ratios and keeps the numbers in bench/results/.

Every measurement is done --runs times after one that does not count; the clients take turns, so
that a machine which gets slower or faster is so for all. Payload lies in memory (tmpfs) if there is
room. Told are medians. A transfer is timed from the connection to the moment when the client
says that all is there."""
import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import bench_clients
import bench_utp
from bench_process import BenchError, bytes_in, is_connected, own_address
from bench_tracker import SeedTracker

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
GIB = 1 << 30
TIMEOUT = 600
SLOW = 60  # seconds: what takes longer is measured once, after its warm-up


def parse_size(text):
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    return int(float(text[:-1]) * units[text[-1].upper()]) if text[-1].upper() in units else int(text)


def choose_folder(size):
    """Memory if five copies fit, else the temporary folder."""
    try:
        if shutil.disk_usage("/dev/shm").free > 5 * size:
            return "/dev/shm"
    except OSError:
        pass
    return None


def make_payload(path, size):
    with open(path, "wb") as file:
        left = size
        while left:
            part = min(left, 8 << 20)
            file.write(os.urandom(part))
            left -= part


class Bench:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.address = own_address()
        self.data = os.path.join(work, "data")
        os.makedirs(self.data)
        self.payload = os.path.join(self.data, "payload")
        make_payload(self.payload, options.size)
        self.tracker = SeedTracker(self.address)
        self.torrent = os.path.join(work, "payload.torrent")
        self.piece_length = 1 << 20
        self.rows = []
        self.clients = {}
        for kind in (bench_clients.Libtorrent, bench_clients.Transmission, bench_clients.Aria2,
                     bench_clients.Rtorrent, bench_clients.Mktorrent):
            self.clients[kind.name] = kind(os.path.join(work, kind.name), self.address)
        self.clients[bench_clients.LibtorrentRc4.name] = bench_clients.LibtorrentRc4(
            os.path.join(work, "libtorrent-rc4"), self.address)
        for kind in (bench_clients.Freshet, bench_clients.FreshetRc4):
            self.clients[kind.name] = kind(os.path.join(work, kind.name.replace(" ", "-")),
                                           self.address, options.freshet)

    def close(self):
        self.tracker.stop()

    def make_torrent(self, payload, torrent):
        """By none of those that are measured: whichever is absent, the others still run."""
        size = os.path.getsize(payload)
        with open(payload, "rb") as file:
            pieces = b"".join(hashlib.sha1(piece).digest()
                              for piece in iter(lambda: file.read(self.piece_length), b""))
        url, name = self.tracker.url.encode(), os.path.basename(payload).encode()
        with open(torrent, "wb") as file:
            file.write(b"d8:announce%d:%s4:infod6:lengthi%de4:name%d:%s12:piece lengthi%de6:pieces"
                       b"%d:%see" % (len(url), url, size, len(name), name,
                                     self.piece_length, len(pieces), pieces))

    def measure(self, section, contenders):
        """contenders: {name: function that returns a dict of numbers}. In turns; first one is a
        warm-up."""
        samples = {name: [] for name in contenders}
        failed = {}
        slow = set()
        for run in range(self.options.runs + 1):
            for name, function in contenders.items():
                if name in failed or name in slow and samples[name]:
                    continue
                try:
                    sample = function()
                except (BenchError, OSError, KeyError, ValueError) as error:
                    failed[name] = str(error)
                    continue
                if run > 0:
                    samples[name].append(sample)
                if sample["seconds"] > SLOW:
                    slow.add(name)
                print(f"  {section} {name}: " + ", ".join(
                    f"{key} {value:.3f}" for key, value in sample.items()) +
                    ("" if run else " (warm-up)"), file=sys.stderr, flush=True)
        for name in contenders:
            row = {"section": section, "name": name}
            if name in failed:
                row["failed"] = failed[name]
            else:
                row["samples"] = samples[name]
                row["median"] = {key: statistics.median(sample[key] for sample in samples[name])
                                 for key in samples[name][0]}
            self.rows.append(row)

    def contenders(self, names, method):
        result = {}
        for name in names:
            if self.options.only and name.split()[0] not in self.options.only + ["raw"]:
                continue
            reason = self.clients[name].missing()
            result[name] = (lambda n=name: method(self.clients[n])) if not reason else (
                lambda r=reason: self.refuse(r))
        return result

    @staticmethod
    def refuse(reason):
        raise BenchError(reason)

    # --- what is measured ---

    def raw(self):
        output = os.path.join(self.work, "raw.out")
        try:
            reply = subprocess.run([os.path.join(self.work, "raw_limit"), self.payload, output,
                                    str(self.piece_length)], capture_output=True, timeout=TIMEOUT,
                                   check=False)
            if reply.returncode:
                raise BenchError(reply.stderr.decode(errors="replace").strip())
            return json.loads(reply.stdout)
        finally:
            if os.path.exists(output):
                os.remove(output)

    def transfer(self, client, part=None, from_connection=True):
        """Of the payload, or of another one that has the same three names."""
        part = part or self
        output = client.fresh("out")
        seed, process = None, None
        try:
            seed, port = client.seed(part.torrent, part.data)
            self.tracker.seed = (self.address, port)
            launched = time.monotonic()
            process, is_done = client.get(part.torrent, output)
            process.wait(TIMEOUT, lambda: (is_connected(port) if from_connection
                                           else bytes_in(output) > 0) or is_done())
            start, seed_cpu, get_cpu = time.monotonic(), seed.cpu(), process.cpu()
            if process.poll() is not None:  # so little that it was over before we looked
                start, get_cpu = launched, 0.0
            process.wait(TIMEOUT, lambda: bytes_in(output) >= 16384 or is_done())
            written = time.monotonic()
            process.wait(TIMEOUT, is_done)
            end = time.monotonic()
            sample = {"seconds": end - start, "seed_cpu": seed.cpu() - seed_cpu,
                      "get_cpu": process.cpu() - get_cpu, "until_connected": start - launched,
                      "until_written": written - start}
            process.stop()
            self.compare(part.payload, output)
            return sample
        finally:
            self.tracker.seed = (self.address, 0)
            for one in (process, seed):
                if one:
                    one.stop()
            shutil.rmtree(output, ignore_errors=True)

    @staticmethod
    def compare(payload, output):
        status = subprocess.run(["cmp", "-s", payload, os.path.join(output, "payload")],
                                check=False).returncode
        if status:
            raise BenchError("the copy is not the original")

    def verify(self, client):
        process, is_done = client.verify(self.torrent, self.data)
        cpu = 0.0 if not isinstance(client, bench_clients.Transmission) else process.cpu()
        start = process.started if not cpu else time.monotonic()
        try:
            process.wait(TIMEOUT, is_done)
            return {"seconds": time.monotonic() - start, "cpu": process.cpu() - cpu}
        finally:
            process.stop()

    def create(self, client, version):
        output = os.path.join(self.work, "created.torrent")
        if os.path.exists(output):
            os.remove(output)
        seconds, cpu = client.create(self.payload, output, self.piece_length, version, TIMEOUT)
        if not os.path.exists(output):
            raise BenchError("it made no torrent")
        return {"seconds": seconds, "cpu": cpu}

    def run(self):
        wanted = self.options.sections
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o",
                        os.path.join(self.work, "raw_limit"), os.path.join(HERE, "raw_limit.c"),
                        "-lcrypto"], check=True)
        self.make_torrent(self.payload, self.torrent)
        peers = ["freshet", "libtorrent", "transmission", "aria2", "rtorrent"]
        if "transfer" in wanted:
            contenders = {"raw": self.raw}
            contenders.update(self.contenders(peers, self.transfer))
            self.measure("transfer", contenders)
        if "utp" in wanted:
            bench_utp.run(self)
        if "encryption" in wanted:
            self.measure("encryption", self.contenders(
                ["freshet", "freshet rc4", "libtorrent", "libtorrent rc4"], self.transfer))
        if "verify" in wanted:
            self.measure("verify", self.contenders(peers, self.verify))
        if "create" in wanted:
            makers = {"v1": ["freshet", "mktorrent", "libtorrent", "transmission"],
                      "v2": ["freshet", "libtorrent"], "hybrid": ["freshet", "libtorrent"]}
            for version, names in makers.items():
                self.measure(f"create {version}", self.contenders(
                    names, lambda client, v=version: self.create(client, v)))


# --- what is told ---

def rate(size, seconds):
    return size / seconds / (1 << 20)


def print_table(rows, section, size):
    rows = [row for row in rows if row["section"] == section]
    base = next((row["median"] for row in rows if row["name"] == "freshet" and "median" in row), None)
    columns = [key for row in rows if "median" in row for key in row["median"] if key.endswith("cpu")]
    columns = list(dict.fromkeys(columns))
    head = f"{section:14} {'s':>8} {'MiB/s':>8} {'x freshet':>10}"
    for column in columns:
        head += f" {column.replace('_', ' ') + ' s/GiB':>15} {'x':>6}"
    print("\n" + head)
    for row in rows:
        if "failed" in row:
            print(f"{row['name']:14} failed: {row['failed']}")
            continue
        median = row["median"]
        line = f"{row['name']:14} {median['seconds']:8.3f} {rate(size, median['seconds']):8.0f}"
        line += f" {base['seconds'] / median['seconds']:9.2f}x" if base else f" {'-':>10}"
        for column in columns:
            value = median.get(column)
            line += f" {value * GIB / size:15.3f}"
            line += f" {value / base[column]:5.2f}x" if base and base.get(column) else f" {'-':>6}"
        print(line)
    if section != "encryption":  # where freshet stands in both ways
        print_verdict(rows, base, columns)


def print_verdict(rows, base, columns):
    """Beside the median of the others: at or below 1 is at least as good."""
    others = [row["median"] for row in rows if "median" in row
              and row["name"] not in ("freshet", "freshet tcp", "raw")]
    if not base or not others:
        return
    words = []
    for column in ["seconds"] + columns:
        middle = statistics.median(other[column] for other in others)
        words.append(f"{column.replace('_', ' ')} {base[column] / middle:.2f}" if middle else column)
    print("freshet / median of the others: " + ", ".join(words))


def versions():
    commands = {"aria2": ["aria2c", "--version"], "transmission": ["transmission-daemon", "--version"],
                "rtorrent": ["rtorrent", "-h"], "mktorrent": ["mktorrent", "-h"],
                "libtorrent": [sys.executable, "-c", "import libtorrent as l; print(l.__version__)"]}
    result = {}
    for name, command in commands.items():
        try:
            reply = subprocess.run(command, capture_output=True, timeout=20, check=False)
            lines = (reply.stdout + reply.stderr).decode(errors="replace").splitlines()
            result[name] = next((line.strip() for line in lines if any(c.isdigit() for c in line)), "")
        except (OSError, subprocess.TimeoutExpired):
            result[name] = ""
    return result


def machine():
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if "model name" in line), "")
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "machine": platform.machine(), "load": os.getloadavg()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=parse_size, default=parse_size("1G"), help="payload, 1G")
    parser.add_argument("--runs", type=int, default=3, help="that count, after one that does not")
    parser.add_argument("--sections", default="transfer,utp,encryption,verify,create",
                        type=lambda s: s.split(","))
    parser.add_argument("--only", type=lambda s: s.split(","), help="these clients, with commas")
    parser.add_argument("--dir", help="where the payload lies (default: memory, if it fits)")
    parser.add_argument("--freshet", default=os.path.join(TOP, "build", "release", "freshet"))
    parser.add_argument("--results", default=os.path.join(HERE, "results"))
    options = parser.parse_args()
    folder = options.dir or choose_folder(options.size)
    before = os.getloadavg()[0]
    if before > 0.5:
        print(f"bench: the machine is busy (load {before:.1f}): trust CPU seconds, not seconds",
              file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="freshet-bench-", dir=folder) as work:
        bench = Bench(options, work)
        try:
            bench.run()
        finally:
            bench.close()
    for section in dict.fromkeys(row["section"] for row in bench.rows):
        print_table(bench.rows, section, options.size)
    if bench_utp.verdict(bench.rows):
        print(bench_utp.verdict(bench.rows))
    os.makedirs(options.results, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    result = {"time": stamp, "size": options.size, "runs": options.runs, "machine": machine(),
              "load_before": before,
              "memory": folder == "/dev/shm", "versions": versions(), "rows": bench.rows}
    path = os.path.join(options.results, f"{stamp}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    print(f"\nKept in {os.path.relpath(path, TOP)}")
    return 1 if any("failed" in row for row in bench.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
