# SPDX-License-Identifier: MIT
"""`make bench-dht`: nodes of the DHT, freshet's beside libtorrent's, asked by the same generator in
the same run. Prints tables and keeps the numbers in bench/results/.

What a node lets strangers have is bounded on purpose: freshet's answers five questions a second a
source and 8,000 bytes a second to all who have proven nothing; libtorrent's blocks who asks more
than five times a second. So there are two sections. `work`: as fast as they answer, with
libtorrent's limits raised, and freshet's core (bench/dht_bare.c) on a clock that runs ahead, so
that its bounds are kept and never reached. `flood`: each as it is out of the box, at one rate."""
import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from bench_process import BenchError, Process

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
ADDRESS = "127.3.255.1"
KINDS = ("ping", "find_node", "get_peers")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((ADDRESS, 0))
        return sock.getsockname()[1]


def drops(port):
    """Packets that the system threw away because nobody took them from the socket in time."""
    with open("/proc/net/udp", encoding="ascii") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    return sum(int(row[12]) for row in rows if int(row[1].split(":")[1], 16) == port)


class Target:
    """A node that runs; `port` is where it is asked."""

    def __init__(self, args, log, port=None):
        self.log = log
        self.process = Process(args, log)
        self.port = port
        try:
            self.process.wait(20, self.first_line)
        except BenchError:
            self.process.stop()
            raise
        if port is None:
            self.port = int(self.first_line())

    def first_line(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            line = file.readline()
        return line if line.endswith("\n") else None

    def resident(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii", errors="replace") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


class Bench:
    def __init__(self, options, work):
        self.options, self.work = options, work
        self.rows = []
        self.count = 0
        self.bare = os.path.join(work, "dht_bare")
        self.flood = os.path.join(work, "dht_flood")
        compiler = ["cc", "-O2", "-D_GNU_SOURCE", f"-I{TOP}"]
        build = os.path.dirname(options.freshet)
        subprocess.run([*compiler, "-o", self.bare, os.path.join(HERE, "dht_bare.c"),
                        os.path.join(build, "libfreshet_core.a"),
                        os.path.join(build, "libfreshet_panic.a"), "-lcrypto"], check=True)
        subprocess.run([*compiler, "-o", self.flood, os.path.join(HERE, "dht_flood.c")], check=True)

    def start(self, name):
        self.count += 1
        log = os.path.join(self.work, f"{self.count}.log")
        port = free_port()
        if name == "freshet core":
            return Target([self.bare, "serve", ADDRESS], log)
        if name == "freshet":
            return Target([self.options.freshet, "dht", "node", "--listen", f"{ADDRESS}:{port}",
                           "--state", os.path.join(self.work, f"{self.count}.state"),
                           "--progress=json"], log, port)
        limits = "raised" if name == "libtorrent, limits raised" else "kept"
        return Target([sys.executable, os.path.join(HERE, "bench_libtorrent_dht.py"), ADDRESS, port,
                       limits], log, port)

    def ask(self, name, kind, rate):
        """One run of the generator against a fresh node."""
        target = self.start(name)
        try:
            cpu, lost = target.process.cpu(), drops(target.port)
            reply = subprocess.run([self.flood, ADDRESS, str(target.port), kind,
                                    str(self.options.seconds), str(self.options.sources),
                                    str(rate)], capture_output=True, timeout=120, check=False)
            if reply.returncode:
                raise BenchError(reply.stderr.decode(errors="replace").strip())
            numbers = json.loads(reply.stdout)
            taken = numbers["sent"] - (drops(target.port) - lost)
            cpu = target.process.cpu() - cpu
            if taken <= 0 or target.process.poll() is not None:
                raise BenchError("it took no question: " + target.process.last_words())
            return {"seconds": numbers["seconds"], "taken_per_s": taken / numbers["seconds"],
                    "answered_per_s": numbers["replies"] / numbers["seconds"],
                    "answered": numbers["replies"] / taken, "cpu": cpu / numbers["seconds"],
                    "cpu_us_a_query": cpu * 1e6 / taken}
        finally:
            target.process.stop()

    def measure(self, section, names, rate):
        for kind in KINDS:
            samples = {name: [] for name in names}
            failed = {}
            for run in range(self.options.runs + 1):
                for name in names:
                    if name in failed:
                        continue
                    try:
                        sample = self.ask(name, kind, rate)
                    except (BenchError, OSError, ValueError) as error:
                        failed[name] = str(error)
                        continue
                    if run > 0:  # the first does not count
                        samples[name].append(sample)
            for name in names:
                row = {"section": section, "kind": kind, "name": name}
                if name in failed:
                    row["failed"] = failed[name]
                else:
                    row["samples"] = samples[name]
                    row["median"] = {key: statistics.median(sample[key] for sample in samples[name])
                                     for key in samples[name][0]}
                self.rows.append(row)

    def memory(self):
        row = {"section": "memory", "kind": "KiB of a process", "name": "freshet"}
        target = self.start("freshet")
        try:
            time.sleep(0.5)
            row["median"] = {"resident": target.resident()}
        finally:
            target.process.stop()
        self.rows.append(row)
        row = {"section": "memory", "kind": "KiB of a process", "name": "libtorrent"}
        target = self.start("libtorrent")
        try:
            _, before, after = target.first_line().split()
            row["median"] = {"resident": int(after), "grown": int(after) - int(before)}
        finally:
            target.process.stop()
        self.rows.append(row)

    def core(self):
        """Without a socket: what the state machine alone does in one thread."""
        runs = []
        for _ in range(self.options.runs):
            reply = subprocess.run([self.bare, "core"], capture_output=True, timeout=300,
                                   check=True)
            runs.append(json.loads(reply.stdout))
        return min(runs, key=lambda run: run["lookups"]["cpu_us"])

    def run(self):
        self.measure("work", ["freshet core", "libtorrent, limits raised"], 0)
        self.measure("flood", ["freshet", "libtorrent"], self.options.rate)
        self.memory()


def print_section(rows, section, title):
    print(f"\n{title}\n{'':40} {'taken/s':>10} {'answered/s':>11} {'CPU us/query':>13} {'x':>6}")
    base = {}
    for row in (row for row in rows if row["section"] == section):
        head = f"{row['kind']:12} {row['name']:27}"
        if "failed" in row:
            print(f"{head} failed: {row['failed']}")
            continue
        median = row["median"]
        first = base.setdefault(row["kind"], median["cpu_us_a_query"])
        times = f"{median['cpu_us_a_query'] / first:5.2f}x" if first else "-"
        print(f"{head} {median['taken_per_s']:10.0f} {median['answered_per_s']:11.0f} "
              f"{median['cpu_us_a_query']:13.2f} {times:>6}")


def print_core(core):
    print("\nfreshet's core alone, in process (CPU us)")
    for kind, numbers in core["queries"].items():
        print(f"{kind:20} {numbers['cpu_us']:8.2f}")
    lookups = core["lookups"]
    print(f"{'look-up':20} {lookups['cpu_us']:8.2f}   {1e6 / lookups['cpu_us']:.0f} a second among "
          f"{lookups['nodes']} nodes, {lookups['asked']:.1f} asked, {lookups['packets']:.1f} packets")
    print(f"memory of a node     {core['memory']['bytes_a_node']:8} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="that count, after one that does not")
    parser.add_argument("--seconds", type=float, default=3, help="of each run of the generator")
    parser.add_argument("--sources", type=int, default=64, help="addresses that ask")
    parser.add_argument("--rate", type=float, default=10000, help="queries a second of `flood`")
    parser.add_argument("--freshet", default=os.path.join(TOP, "build", "release", "freshet"))
    parser.add_argument("--results", default=os.path.join(HERE, "results"))
    options = parser.parse_args()
    before = os.getloadavg()[0]
    if before > 0.5:
        print(f"bench: the machine is busy (load {before:.1f}): trust CPU, not answers a second",
              file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="freshet-bench-") as work:
        bench = Bench(options, work)
        core = bench.core()
        bench.run()
    print_core(core)
    print_section(bench.rows, "work", f"As fast as it answers, {options.sources} sources")
    print_section(bench.rows, "flood", f"As it is, {options.rate:.0f} questions a second from "
                  f"{options.sources} sources")
    print("\nMemory of the process (KiB)")
    for row in (row for row in bench.rows if row["section"] == "memory"):
        print(f"{row['name']:12} " + ", ".join(f"{key} {value}"
                                              for key, value in row["median"].items()))
    os.makedirs(options.results, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    path = os.path.join(options.results, f"dht-{stamp}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"time": stamp, "load_before": before, "cores": os.cpu_count(),
                   "seconds": options.seconds, "sources": options.sources, "rate": options.rate,
                   "core": core, "rows": bench.rows}, file, indent=1)
        file.write("\n")
    print(f"\nKept in {os.path.relpath(path, TOP)}")
    return 1 if any("failed" in row for row in bench.rows) else 0


sys.exit(main())
