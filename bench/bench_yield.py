# SPDX-License-Identifier: MIT
"""Does uTP yield? One slow link (bench_link.py), uploads of BitTorrent over it, TCP beside them.

Prints a table with what is wanted and whether it is so; keeps each tenth of a second (rates and
delay) in a result file, from which draw_yield.py makes pictures. Rates are those that leave the
queue, frames and all. TCP's share is what it gets beside an upload, of what it gets alone in the
same time of the same run: once from its first second on, once after its slow start (START_S)."""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import bench_link
from bench_link import RECEIVER, SENDER, Link, Watch, rate
from bench_process import BenchError

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
IPERF_PORT = 5201
FIRST_PORT = 7001
LATE_S = 10    # TCP, and the second of two, come when the first has settled
START_S = 3    # TCP's slow start is over after that
SHARE_WANTED, USE_LEDBAT, USE_PLUS, FAIR_WANTED = 95, 95, 88, 60
DELAY_NEAR_MS = 20
DELAY_MS = {"ledbat": 100, "ledbat++": 60}
TCPS = ("cubic", "reno", "bbr")


class Case:
    """One run: who uploads, and from when a TCP flow is beside it."""

    def __init__(self, name, uploads=(), tcp=None, times=1):
        self.name, self.uploads, self.tcp = name, uploads, tcp
        self.times = times  # so many times as long as the others


CASES = [Case("LEDBAT++ alone", ("ledbat++",)), Case("LEDBAT alone", ("ledbat",)),
         Case("libtorrent alone", ("libtorrent",)),
         *(Case(f"TCP {tcp} alone", tcp=tcp) for tcp in TCPS),
         *(Case(f"TCP {tcp} beside LEDBAT++", ("ledbat++",), tcp) for tcp in TCPS),
         Case("TCP cubic beside LEDBAT", ("ledbat",), "cubic"),
         Case("TCP cubic beside libtorrent", ("libtorrent",), "cubic"),
         Case("TCP cubic beside freshet over TCP reno", ("tcp",), "cubic"),
         # A round trip of nothing but queue lets each grow by a sixteenth of a packet in it.
         Case("two LEDBAT++", ("ledbat++", "ledbat++"), times=3)]


class Upload:
    """A seed on one side, a freshet that fetches on the other."""

    def __init__(self, bench, kind, number):
        self.processes = []
        folder = os.path.join(bench.work, f"{bench.runs}-{number}")
        data = os.path.join(folder, "from")  # a folder is locked by who works on it
        os.makedirs(data)
        os.link(bench.payload, os.path.join(data, "payload"))
        port = FIRST_PORT + number
        words = ["--no-lsd", "--no-dht", "--no-pex", "--transport",
                 "tcp" if kind == "tcp" else "utp"]
        log = os.path.join(folder, "seed.log")
        if kind == "libtorrent":
            command = [sys.executable, os.path.join(HERE, "bench_libtorrent.py"), "--utp", "seed",
                       bench.torrent, data, port]
            sign = "ready"
        else:
            command = [bench.freshet, "seed", bench.torrent, "-o", data, "--unchecked",
                       "--listen", f"{SENDER}:{port}", "--state", os.path.join(folder, "seed"),
                       "--progress=json", *words]
            if kind != "tcp":
                command += ["--utp-congestion", kind]
            sign = '"checked"'
        try:
            seed = bench.link.sender.start(log, *command)
            self.processes.append(seed)
            seed.wait(30, lambda: sign in open(log, encoding="utf-8").read())
            self.processes.append(bench.link.receiver.start(
                os.path.join(folder, "get.log"), bench.freshet, "get", bench.torrent, "-o",
                os.path.join(folder, "to"), "--peer", f"{SENDER}:{port}", "--listen",
                f"{RECEIVER}:0", "--state", os.path.join(folder, "get"), "--progress=none", *words))
        except BaseException:
            self.stop()
            raise

    def stop(self):
        for process in reversed(self.processes):
            process.stop()


class Tcp:
    def __init__(self, bench, kind, seconds):
        self.processes = []
        log = os.path.join(bench.work, f"{bench.runs}-iperf.log")
        try:
            server = bench.link.receiver.start(log, "iperf3", "-s", "-1", "--forceflush")
            self.processes.append(server)
            server.wait(20, lambda: "listening" in open(log, encoding="utf-8").read())
            self.processes.append(bench.link.sender.start(
                log + ".client", "iperf3", "-c", RECEIVER, "-t", int(seconds) + 1, "-C", kind))
        except BaseException:
            self.stop()
            raise

    def stop(self):
        for process in reversed(self.processes):
            process.stop()


def check_all_run(actors):
    for actor in actors:
        for process in actor.processes:
            if process.poll() is not None:
                raise BenchError(f"{process.args[2]} ended: {process.last_words()}")


class Bench:
    def __init__(self, link, work, freshet, seconds, cases):
        self.link, self.work, self.freshet, self.seconds = link, work, freshet, seconds
        self.runs = 0
        # freshet over TCP has the system's, and that may be any. Reno may be set everywhere.
        bench_link.run(*link.sender.words(
            "sh", "-c", "echo reno >/proc/sys/net/ipv4/tcp_congestion_control"))
        self.payload = os.path.join(work, "payload")
        # More than passes the link in the longest case, so that nobody is done before its end.
        longest = seconds * max(case.times for case in cases) + LATE_S + 5
        size = bench_link.RATE_BITS_PER_S // 8 * longest
        with open(self.payload, "wb") as file:
            for _ in range(size >> 20):
                file.write(os.urandom(1 << 20))
        self.torrent = os.path.join(work, "payload.torrent")
        subprocess.run([freshet, "create", self.payload, "-o", self.torrent], check=True, timeout=120,
                       stdout=subprocess.DEVNULL)

    def run(self, case):
        """What was seen: samples from the moment when all flows are there, and those before."""
        self.runs += 1
        flows = {("tcp", IPERF_PORT): "tcp"}
        for number in range(len(case.uploads)):
            port = FIRST_PORT + number
            flows[("udp", port)] = flows[("tcp", port)] = f"upload {number + 1}"
        actors = []
        watch = Watch(flows)
        try:
            for number, kind in enumerate(case.uploads):
                if number:
                    time.sleep(LATE_S)
                actors.append(Upload(self, kind, number))
            if case.tcp:
                if case.uploads:
                    time.sleep(LATE_S)
                actors.append(Tcp(self, case.tcp, self.seconds * case.times))
            # The last one began when its first bytes passed.
            name = "tcp" if case.tcp else f"upload {len(case.uploads)}"
            began = self.wait_for_flow(watch, name, actors)
            end = began + self.seconds * case.times
            while watch.now() < end:
                time.sleep(0.05)
                check_all_run(actors)
        finally:
            watch.close()
            for actor in reversed(actors):
                actor.stop()
            # What lies in the queue is not to be the next one's.
            time.sleep(3 * bench_link.QUEUE_MS / 1000)
        return {"name": case.name, "uploads": list(case.uploads), "tcp": case.tcp,
                "joined_s": round(began, 2), "seconds": self.seconds * case.times, "samples": watch.samples(end)}

    @staticmethod
    def wait_for_flow(watch, name, actors):
        """When data of it passed first: its handshake is not meant."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for step, count in sorted(watch.bytes.get(name, {}).copy().items()):
                if count > 10_000:
                    return step * bench_link.STEP_S
            time.sleep(0.02)
            check_all_run(actors)
        raise BenchError(f"no data of {name} came in 30 s")


# ---- what it means

def delays(run, since):
    return [sample["delay_ms"] for sample in run["samples"]
            if sample["s"] >= since and sample["delay_ms"] is not None]


def numbers(run):
    """The means of one run."""
    began, samples, seconds = run["joined_s"], run["samples"], run["seconds"]
    end = began + seconds
    settled = began + min(5, seconds / 3)
    waits = sorted(delays(run, settled)) or [0]
    facts = {"delay_median_ms": round(statistics.median(waits), 1),
             "delay_95_ms": round(waits[int(len(waits) * 0.95)], 1),
             "upload_mbit_per_s": round(rate(samples, "upload 1", settled, end), 2),
             "use_percent": round(100e6 * rate(samples, "upload 1", settled, end)
                                  / bench_link.RATE_BITS_PER_S, 1)}
    if run["tcp"]:
        facts["tcp_mbit_per_s"] = round(rate(samples, "tcp", began, end), 2)
        facts["tcp_after_start_mbit_per_s"] = round(rate(samples, "tcp", began + START_S, end), 2)
    if len(run["uploads"]) > 1:
        # The last third: they have had time to find one another.
        both = [rate(samples, f"upload {n}", began + seconds * 2 / 3, end) for n in (1, 2)]
        facts["shares_percent"] = [round(100 * one / max(sum(both), 0.001), 1) for one in both]
    return facts


def judge(run, facts, alone):
    """[(what, value, wanted, is it so)]; wanted is None for what is only told."""
    if run["tcp"] and run["uploads"]:
        base = alone.get(run["tcp"])
        if not base:
            return [("TCP's share of what it gets alone", "not measured alone", None, None)]
        wanted = SHARE_WANTED if run["uploads"][0] in DELAY_MS else None
        found = []
        for what, key in (("TCP's share, whole time", "tcp_mbit_per_s"),
                          ("TCP's share, after slow start", "tcp_after_start_mbit_per_s")):
            share = 100 * facts[key] / base[key]
            found.append((what, f"{share:.1f} %", wanted and f">= {wanted} %",
                          wanted and share >= wanted))
        return found
    if len(run["uploads"]) > 1:
        most = max(facts["shares_percent"])
        return [("first : late, last third", " : ".join(f"{share:.0f}" for share in facts["shares_percent"]),
                 f"{FAIR_WANTED}:{100 - FAIR_WANTED}", most <= FAIR_WANTED)]
    if run["tcp"]:
        return [("rate", f"{facts['tcp_mbit_per_s']:.1f} Mbit/s", None, None),
                ("delay", f"{facts['delay_median_ms']:.0f} ms", None, None)]
    kind = run["uploads"][0]
    use, delay = facts["use_percent"], facts["delay_median_ms"]
    if kind not in DELAY_MS:
        return [("use of the link", f"{use:.1f} %", None, None),
                ("delay", f"{delay:.0f} ms", None, None)]
    use_wanted = USE_LEDBAT if kind == "ledbat" else USE_PLUS
    return [("use of the link", f"{use:.1f} %", f">= {use_wanted} %", use >= use_wanted),
            ("delay", f"{delay:.0f} ms", f"{DELAY_MS[kind]} ± {DELAY_NEAR_MS} ms",
             abs(delay - DELAY_MS[kind]) <= DELAY_NEAR_MS)]


def print_rows(name, rows):
    for what, value, wanted, so in rows:
        verdict = "" if so is None else "yes" if so else "NO"
        print(f"{name:38} {what:30} {value:>12}  {wanted or '':14} {verdict}", flush=True)
        name = ""


def table(samples):
    """The samples as columns and rows, a quarter as long."""
    names = sorted({name for sample in samples for name in sample["mbit_per_s"]} - {"other"})
    return {"columns": ["s", *names, "delay_ms"],
            "rows": [[sample["s"], *(round(sample["mbit_per_s"].get(name, 0), 2) for name in names),
                      sample["delay_ms"]] for sample in samples]}


def version_of(freshet):
    return subprocess.run([freshet, "--version"], capture_output=True, text=True, check=False,
                          timeout=20).stdout.split("\n")[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="of each case")
    parser.add_argument("--only", help="cases whose name has this in it; several with commas")
    parser.add_argument("--freshet", default=os.path.join(TOP, "build/release/freshet"))
    parser.add_argument("--results", default=os.path.join(HERE, "results"))
    options = parser.parse_args()
    words = options.only.split(",") if options.only else [""]
    cases = [case for case in CASES if any(word in case.name for word in words)]
    freshet, folder = os.path.abspath(options.freshet), os.path.abspath(options.results)
    started = time.strftime("%Y%m%d-%H%M%S")
    version = version_of(freshet)
    link = Link()
    print(f"A link of {bench_link.RATE_BITS_PER_S / 1e6:.0f} Mbit/s with a queue of "
          f"{bench_link.QUEUE_MS} ms, {options.seconds} s each\n")
    print(f"{'':38} {'':30} {'':>12}  {'wanted':14} so?")
    runs, alone, failed = [], {}, 0
    try:
        with tempfile.TemporaryDirectory(prefix="freshet-yield-") as work:
            bench = Bench(link, work, freshet, options.seconds, cases)
            for case in cases:
                try:
                    run = bench.run(case)
                    facts = numbers(run)
                except (BenchError, OSError) as error:
                    failed += 1
                    text = str(error).replace(work, "")
                    runs.append({"name": case.name, "failed": text})
                    print(f"{case.name:38} did not run: {text}", flush=True)
                    continue
                if case.tcp and not case.uploads:
                    alone[case.tcp] = facts
                rows = judge(run, facts, alone)
                run["numbers"] = facts
                run["verdicts"] = [dict(zip(("what", "value", "wanted", "so"), row))
                                   for row in rows]
                run["samples"] = table(run["samples"])
                runs.append(run)
                print_rows(case.name, rows)
    finally:
        link.close()
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"yield-{started}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"version": version, "system": f"{platform.system()} {platform.release()}",
                   "rate_bits_per_s": bench_link.RATE_BITS_PER_S, "queue_ms": bench_link.QUEUE_MS,
                   "seconds": options.seconds, "step_s": bench_link.STEP_S, "runs": runs}, file)
        file.write("\n")
    print(f"\nSamples: {os.path.relpath(path)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
