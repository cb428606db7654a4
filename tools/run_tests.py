#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and runs every kind of test, counts them one by one, and says "N passed, N failed".

A test that is skipped, a tool that is absent, a build that breaks and a test program that ends
before its plan is done all count as failed: nothing is left out in silence.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
WORKERS = max(1, min(4, os.cpu_count() or 1))
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


class Tally:
    """Counts of one section, with what failed and why."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.failures = []

    def ok(self, count=1):
        self.passed += count

    def fail(self, name, output=""):
        self.failures.append((name, output))


def run(command, timeout, env=None, cwd=ROOT):
    """(exit code, output); the code is None on a time-out, and then everything started is dead."""
    try:
        process = subprocess.Popen([str(word) for word in command], cwd=cwd, text=True,
                                   errors="replace", stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env={**os.environ, **(env or {})}, start_new_session=True)
    except OSError as error:
        return 127, str(error)
    try:
        output, _ = process.communicate(timeout=timeout)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return None, output + f"\n(ended after {timeout} s)"


def build(tally, preset, targets=()):
    code, output = run([ROOT / "tools/build.sh", preset, *targets], 3600)
    if code != 0:
        tally.fail(f"the {preset} build", output)
        return False
    warnings = re.findall(r"^.*warning:.*$", output, re.M)
    for line in warnings[:10]:
        print("  " + line)
    return True


def count_tap(tally, name, code, output):
    """Counts "ok" and "not ok" lines against the plans "1..N" that announce them."""
    planned = sum(int(count) for count in re.findall(r"^1\.\.(\d+)\s*$", output, re.M))
    good = bad = 0
    for line in output.splitlines():
        match = re.match(r"(not )?ok\b[ \d]*-? ?(.*)", line)
        if not match:
            continue
        if match.group(1) or "# SKIP" in line:
            bad += 1
            tally.fail(f"{name}: {match.group(2)}", output)
            output = ""
        else:
            good += 1
    tally.ok(good)
    missing = planned - good - bad
    if missing > 0 or planned == 0:
        tally.fail(f"{name}: ended before its plan was done", output)
        for _ in range(missing - 1):
            tally.fail(f"{name}: a test that did not run")
    elif code != 0 and bad == 0:
        tally.fail(f"{name}: exit code {code}", output)


def unit(tally, preset, timeout):
    if not build(tally, preset):
        return
    programs = sorted((BUILD / preset / "tests").glob("*_test"))
    wanted = sorted((ROOT / "tests").glob("*/*_test.c"))
    for source in wanted:
        if source.stem not in {program.name for program in programs}:
            tally.fail(f"{source.stem} was not built")
    env = {**SANITIZERS, "CMOCKA_MESSAGE_OUTPUT": "TAP"}

    seconds = {}

    def one(program):
        start = time.monotonic()
        result = run([program], timeout, env)
        seconds[program.name] = time.monotonic() - start
        return program, result

    with ThreadPoolExecutor(WORKERS) as pool:
        for program, (code, output) in pool.map(one, programs):
            count_tap(tally, f"{program.name} ({preset})", code, output)
    slowest = sorted(seconds.items(), key=lambda item: -item[1])[:4]
    print("  slowest: " + ", ".join(f"{name} {spent:.0f} s" for name, spent in slowest))


def section_debug(tally):
    """unit tests with AddressSanitizer and UBSan"""
    unit(tally, "debug", 600)


def section_release(tally):
    """unit tests as released"""
    unit(tally, "release", 300)


def section_policy(tally):
    """rules of the tree: includes, symbols, names, format"""
    if not build(tally, "release"):
        return
    code, output = run([sys.executable, ROOT / "tools/check_policies.py"], 600)
    count_tap(tally, "policies", code, output)


def section_fuzz(tally):
    """every input of the fuzz corpora, with sanitizers"""
    targets = [source.stem for source in sorted((ROOT / "fuzz").glob("*_fuzz.c"))]
    if not targets:
        tally.fail("there is no fuzz target")
        return
    if not build(tally, "fuzz", targets):
        return

    def one(target):
        corpus = ROOT / "fuzz/corpus" / target.removesuffix("_fuzz")
        inputs = sorted(path for path in corpus.glob("*") if path.is_file())
        if not inputs:
            return target, (1, f"{corpus} holds no input")
        program = BUILD / "fuzz/fuzz" / target
        artifacts = BUILD / "fuzz/artifacts"
        artifacts.mkdir(exist_ok=True)
        return target, run([program, "-runs=0", f"-artifact_prefix={artifacts}/{target}-", corpus],
                           600, SANITIZERS)

    with ThreadPoolExecutor(WORKERS) as pool:
        for target, (code, output) in pool.map(one, targets):
            if code == 0:
                tally.ok()
            else:
                tally.fail(f"{target} on its corpus", output)


def section_coverage(tally):
    """each fuzz target's corpus reaches 85 % of the lines of each of its files"""
    code, output = run([ROOT / "tools/fuzz.sh", "coverage"], 1800)
    targets = {source.stem for source in (ROOT / "fuzz").glob("*_fuzz.c")}
    for name, percent, file in re.findall(r"^(\w+_fuzz): ([\d.]+) % of the lines of (\S+)$", output,
                                          re.M):
        targets.discard(name)
        print(f"  {name}: {percent} % of {file}")
        if float(percent) >= 85:
            tally.ok()
        else:
            tally.fail(f"{name} reaches {percent} % of {file}", output)
    for name in sorted(targets):
        tally.fail(f"{name}: no coverage (exit code {code})", output)


def pytest(tally, folder, timeout):
    report = BUILD / f"{folder.name}.xml"
    report.unlink(missing_ok=True)
    env = {"FRESHET": str(BUILD / "release/freshet"), "PYTHONDONTWRITEBYTECODE": "1"}
    code, output = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                        f"--junitxml={report}", folder], timeout, env)
    if not report.exists():
        tally.fail(f"pytest {folder.name} (exit code {code})", output)
        return
    count = 0
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        count += 1
        bad = [child for child in case if child.tag in ("failure", "error", "skipped")]
        if bad:
            text = "\n".join(f"{child.tag}: {child.get('message') or ''}\n{child.text or ''}"
                             for child in bad)
            tally.fail(f"{case.get('classname')}.{case.get('name')}", text)
        else:
            tally.ok()
    if count == 0 or (code != 0 and not tally.failures):
        tally.fail(f"pytest {folder.name}: exit code {code}, {count} tests", output)


def section_interop(tally):
    """real clients and trackers on loopback"""
    if build(tally, "release"):
        pytest(tally, ROOT / "tests/interop", 1500)


def section_program(tally):
    """the program as people meet it: command line, files it installs, package"""
    if build(tally, "release"):
        pytest(tally, ROOT / "tests/program", 2400)


def section_page(tally):
    """the page in Chromium, against a real daemon"""
    if build(tally, "release"):
        pytest(tally, ROOT / "tests/page", 900)


def scenarios():
    """Names that `freshet sim --list` gives, the first word of each line."""
    code, output = run([BUILD / "release/freshet", "sim", "--list"], 60)
    return [line.split()[0] for line in output.splitlines() if line.strip()] if code == 0 else []


def digest_of(preset, name, seed):
    """(exit code, digest, output) of one run."""
    code, output = run([BUILD / preset / "freshet", "sim", name, "--seed", str(seed)], 900,
                       SANITIZERS)
    match = re.search(r"digest\W+([0-9a-f]{8,})", output)
    return code, match.group(1) if match else None, output


# Seeds of a run; a scenario that is not named here is slow, and has one. (free_riders runs 20 of its
# own in each run.)
SEEDS = {"flash_crowd": 2, "two_peers": 5, "seed_leaves": 5, "poisoner": 5, "crash_restart": 5,
         "tracker_loss": 5, "storm": 5, "trackerless": 5, "peer_exchange": 5, "local_discovery": 5,
         "utp": 5, "utp_loss": 3, "utp_reorder": 5, "utp_far": 5, "utp_mixed": 5, "nat": 5,
         "holepunch": 5, "reader": 20}


def section_sim(tally):
    """scenarios: each ends well, and one seed gives one digest: twice, on gcc and on clang"""
    if not build(tally, "release") or not build(tally, "clang", ["freshet"]):
        return
    names = scenarios()
    if not names:
        tally.fail("freshet sim --list names no scenario")
        return
    for name in sorted(set(SEEDS) - set(names)):
        tally.fail(f"{name} has seeds, but is no scenario")

    def one(run_of):
        name, seed = run_of
        presets = ("release", "release", "clang") if seed == 1 else ("release", "clang")
        return name, seed, [digest_of(preset, name, seed) for preset in presets]

    runs = [(name, seed) for name in names for seed in range(1, SEEDS.get(name, 1) + 1)]
    with ThreadPoolExecutor(WORKERS) as pool:
        for name, seed, (first, *others) in pool.map(one, runs):
            code, digest, output = first
            if code == 0 and digest:
                tally.ok()
            else:
                tally.fail(f"{name} with seed {seed} (exit code {code})", output)
            for other, what in zip(reversed(others), ("a clang build", "a second run")):
                if digest and other[1] == digest:
                    tally.ok()
                else:
                    tally.fail(f"{name} with seed {seed}: {what} gives {other[1]}, not {digest}",
                               other[2])


SECTIONS = {
    "debug": section_debug,
    "release": section_release,
    "policy": section_policy,
    "fuzz": section_fuzz,
    "coverage": section_coverage,
    "sim": section_sim,
    "program": section_program,
    "page": section_page,
    "interop": section_interop,
}


def absent_tools():
    tools = ["cmake", "ninja", "gcc", "clang", "clang-format", "nm", "objdump", "git", "man",
             "aria2c", "transmission-daemon", "transmission-show", "openssl", "opentracker",
             "dpkg-deb", "node", "npm", "chromium", "promtool"]
    return [tool for tool in tools if not shutil.which(tool, path=os.environ["PATH"] +
                                                       ":/usr/sbin:/sbin")]


def report(tally, seconds):
    print(f"{tally.name}: {tally.passed} passed, {len(tally.failures)} failed ({seconds:.0f} s)")
    for name, output in tally.failures:
        print(f"  FAILED {name}")
        for line in output.strip().splitlines()[-60:]:
            print(f"    {line}")
    sys.stdout.flush()


def main():
    wanted = sys.argv[1:] or list(SECTIONS)
    unknown = [name for name in wanted if name not in SECTIONS]
    if unknown:
        sys.exit(f"no section {unknown[0]}; there are: {' '.join(SECTIONS)}")
    BUILD.mkdir(exist_ok=True)
    tallies = []
    tools = Tally("tools")
    for tool in absent_tools():
        tools.fail(f"the tool {tool} is absent")
    if tools.failures:
        report(tools, 0)
        tallies.append(tools)
    for name in wanted:
        print(f"== {name}: {SECTIONS[name].__doc__}", flush=True)
        tally = Tally(name)
        start = time.monotonic()
        SECTIONS[name](tally)
        report(tally, time.monotonic() - start)
        tallies.append(tally)
    passed = sum(tally.passed for tally in tallies)
    failed = sum(len(tally.failures) for tally in tallies)
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
