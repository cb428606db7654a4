# SPDX-License-Identifier: MIT
"""freshet doctor, with a daemon and without, on machines that are well and that are not."""
import json
import os
import resource
import subprocess
import time

import pytest
from conftest import PROGRAM
from daemons import daemons  # noqa: F401  pylint: disable=unused-import
from peers import numbers, peers, wait_for, write  # noqa: F401  pylint: disable=unused-import

CHECKS = ["daemon", "port", "nat", "mapping", "dht", "udp", "descriptors", "roots", "disk", "state",
          "clock"]
LEVELS = ["ok", "warn", "bad"]


@pytest.fixture
def doctor(freshet, tmp_path):
    """Its findings by check, and its exit code."""

    def look(*words, folder=tmp_path, **options):
        result = freshet("doctor", "--json", "-o", folder, *words, **options)
        found = json.loads(result.stdout)
        assert [one["check"] for one in found] == CHECKS, result.stderr
        assert all(one["level"] in LEVELS and one["fact"] for one in found)
        return {one["check"]: one for one in found}, result.returncode

    return look


def bad(found):
    return {name for name, one in found.items() if one["level"] == "bad"}


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_machine_without_a_daemon(freshet, doctor, tmp_path):
    found, code = doctor("--state", tmp_path / "state")
    assert bad(found) == set() and code == 0
    assert found["daemon"]["fact"].startswith("none runs")
    assert "MiB/s" in found["disk"]["fact"] and str(tmp_path) in found["disk"]["fact"]
    assert not (tmp_path / "state").exists()
    text = freshet("doctor", "-o", tmp_path, "--state", tmp_path / "state").stdout.splitlines()
    assert [line.split()[1] for line in text if not line.startswith(" ")] == CHECKS
    assert all(line.split()[0] in LEVELS for line in text if not line.startswith(" "))


@pytest.mark.parametrize("words, port", [
    (("--proxy", "socks5://127.0.0.1:1"), "nothing listens"),
    (("--interface", "lo"), "one interface alone")])
def test_what_goes_one_way_alone_is_not_ill(doctor, daemons, words, port):
    daemon = daemons(*words, begin=False)
    if words[0] == "--proxy":
        at = daemon.words.index("--listen")
        del daemon.words[at:at + 2]
    daemon.start()
    found, code = doctor("--socket", daemon.socket)
    assert (bad(found), code) == (set(), 0)
    assert port in found["port"]["fact"]
    assert "--proxy" in found["mapping"]["fact"]


def test_a_running_daemon_is_asked(doctor, daemons, peers, freshet, tmp_path):
    daemon = daemons()
    words = ("--socket", daemon.socket)
    found, code = doctor(*words)
    assert (bad(found), code) == (set(), 0)
    assert f"process {daemon.process.pid}" in found["daemon"]["fact"]
    assert daemon.endpoint in found["port"]["fact"] and found["port"]["level"] == "ok"
    assert (found["dht"]["level"], found["dht"]["fact"]) == ("warn", "the DHT is switched off")
    assert "has" in found["descriptors"]["fact"]
    assert str(daemon.state) in found["state"]["fact"]
    # Its own download folder, and who came to it.
    write(tmp_path / "from/f.bin", 3 << 20)
    torrent = tmp_path / "f.torrent"
    assert freshet("create", tmp_path / "from/f.bin", "-o", torrent, "--v1").returncode == 0
    daemon.add(torrent, download_dir=str(tmp_path / "from"))
    daemon.wait_complete()
    daemon.rpc("session-set", speed_limit_up=100, speed_limit_up_enabled=True)
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", daemon.endpoint)
    wait_for(lambda: get.last("downloaded") > 0, get.log)

    def fact(check):
        result = freshet("doctor", "--json", *words)
        return {one["check"]: one["fact"] for one in json.loads(result.stdout)}[check]

    wait_for(lambda: "1 peers have come to it" in fact("port"), daemon.log)
    assert str(daemon.folder) in fact("disk")


def test_a_state_is_looked_at_and_left_alone(doctor, daemons):
    daemon = daemons()
    daemon.kill(15)
    before = contents(daemon.state)
    found, code = doctor("--state", daemon.state)
    assert (found["state"]["level"], code) == ("ok", 0)
    assert contents(daemon.state) == before
    # It was written at a time that has not come yet.
    later = time.time() + 3600
    os.utime(daemon.state / "state.db", (later, later))
    found, code = doctor("--state", daemon.state)
    assert (found["clock"]["level"], code) == ("warn", 0)
    # Something else wrote over a part of it.
    data = bytearray((daemon.state / "state.db").read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    (daemon.state / "state.db").write_bytes(data)
    damaged = contents(daemon.state)
    found, code = doctor("--state", daemon.state)
    assert (found["state"]["level"], code) == ("bad", 6)
    assert "state.db.good" in found["state"]["advice"]
    assert contents(daemon.state) == damaged


def test_a_full_disk_is_bad(doctor, small_disk, tmp_path):
    found, code = doctor("--state", tmp_path / "state", folder=small_disk)
    assert (bad(found), code) == ({"disk"}, 6)
    assert "make room" in found["disk"]["advice"]


def test_few_descriptors_are_bad(doctor, tmp_path):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    found, code = doctor("--state", tmp_path / "state", preexec_fn=few)
    assert (bad(found), code) == ({"descriptors"}, 1)
    assert "256" in found["descriptors"]["fact"] and "LimitNOFILE" in found["descriptors"]["advice"]


@pytest.fixture
def dht_nodes(tmp_path):
    """A small network of its own: its endpoints."""
    running = []

    def start(count):
        for _ in range(count):
            number = next(numbers)
            words = [PROGRAM, "dht", "node", "--listen",
                     f"127.7.{number // 250}.{number % 250 + 1}:0", "--progress=json", "--state",
                     tmp_path / f"node-{number}"]
            if running:
                words += ["--bootstrap", running[0].endpoint]
            process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            process.endpoint = json.loads(process.stdout.readline())["listen"]
            running.append(process)
        return [process.endpoint for process in running]

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_dht_answers_or_does_not(doctor, daemons, dht_nodes, tmp_path):
    nodes = dht_nodes(10)

    def with_dht(way_in):
        daemon = daemons("--bootstrap", way_in, begin=False)
        daemon.words.remove("--no-dht")
        return daemon.start()

    daemon = with_dht(nodes[0])
    wait_for(lambda: doctor("--socket", daemon.socket)[0]["dht"]["level"] == "ok", daemon.log)
    found, code = doctor("--socket", daemon.socket)
    assert code == 0 and "of them answer" in found["dht"]["fact"]
    # A way in at which nobody is.
    daemon = with_dht("127.7.255.254:9")
    wait_for(lambda: doctor("--socket", daemon.socket)[0]["dht"]["level"] == "bad", daemon.log)
    found, code = doctor("--socket", daemon.socket)
    assert code == 4 and "UDP" in found["dht"]["advice"]


def test_what_cannot_be_is_said(freshet, tmp_path):
    assert freshet("doctor", "extra").returncode == 2
    assert freshet("doctor", "-o", "", "--state", tmp_path).returncode == 2
