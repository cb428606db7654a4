# SPDX-License-Identifier: MIT
"""What becomes of a daemon's state and settings."""
import json
import os
import pty
import signal
import sqlite3
import subprocess

import pytest
from conftest import PROGRAM
from daemons import daemons  # noqa: F401, a fixture
from peers import peers, wait_for, write  # noqa: F401


def add_stopped(daemon, freshet, tmp_path, count):
    for number in range(count):
        source = write(tmp_path / f"from/{number}.bin", 40_000, number)
        torrent = tmp_path / f"{number}.torrent"
        assert freshet("create", source, "-o", torrent).returncode == 0
        daemon.add(torrent, paused=True)


@pytest.mark.parametrize("damage", [b"", b"\0" * 5000, b"no database at all" * 400])
def test_a_damaged_state_is_set_aside_and_the_last_copy_used(daemons, freshet, tmp_path, damage):
    daemon = daemons()
    add_stopped(daemon, freshet, tmp_path, 3)
    assert daemon.kill(signal.SIGTERM) == 0
    assert (daemon.state / "state.db.good").stat().st_size > 0
    for name in ("state.db-wal", "state.db-shm"):
        (daemon.state / name).unlink(missing_ok=True)
    (daemon.state / "state.db").write_bytes(damage)
    daemon.start()
    assert sorted(row["name"] for row in daemon.torrents()) == ["0.bin", "1.bin", "2.bin"]
    assert "state.db" in daemon.log() and "copy" in daemon.log()
    if damage:
        kept = [path for path in daemon.state.iterdir() if "damaged" in path.name]
        assert [path.read_bytes() for path in kept] == [damage]


def damage_state(state, damage=b"damaged" * 1000):
    for name in ("state.db-wal", "state.db-shm"):
        (state / name).unlink(missing_ok=True)
    (state / "state.db").write_bytes(damage)


def names_in_copy(daemon):
    good = daemon.state / "state.db.good"
    if not good.exists():
        return []
    database = sqlite3.connect(f"file:{good}?mode=ro&immutable=1", uri=True)
    names = sorted(name for name, in database.execute("SELECT name FROM catalog"))
    database.close()
    return names


def test_a_new_daemon_has_a_good_copy_soon(daemons, freshet, tmp_path):
    daemon = daemons()
    add_stopped(daemon, freshet, tmp_path, 2)
    wait_for(lambda: names_in_copy(daemon) == ["0.bin", "1.bin"], "no copy was made")
    daemon.kill()
    damage_state(daemon.state)
    daemon.start()
    assert sorted(row["name"] for row in daemon.torrents()) == ["0.bin", "1.bin"]


def test_a_start_that_lost_the_state_is_told_wherever_somebody_looks(daemons, freshet, tmp_path):
    daemon = daemons()
    at = ("--socket", daemon.socket)
    add_stopped(daemon, freshet, tmp_path, 1)
    assert freshet("ls", *at).stderr == ""
    assert json.loads(daemon.get("/api/v1/stats")[1])["state_trouble"] is None
    daemon.kill(signal.SIGTERM)
    damage_state(daemon.state)
    daemon.start()
    aside = next(path for path in daemon.state.iterdir() if "state.db.damaged-" in path.name)
    trouble = json.loads(daemon.get("/api/v1/stats")[1])["state_trouble"]
    assert str(aside) in trouble and "the last good copy" in trouble
    lines = freshet("log", *at).stdout.splitlines()
    assert [line for line in lines if "state-replaced" in line and str(aside) in line], lines
    for words in (("ls",), ("ls", "--json"), ("info", "0.bin")):
        result = freshet(*words, *at)
        assert result.returncode == 0
        assert f"when the daemon started, {trouble}" in result.stderr
    found = {one["check"]: one for one in json.loads(freshet(
        "doctor", "--json", "-o", tmp_path, *at).stdout)}
    assert found["recovery"]["level"] == "warn" and str(aside) in found["recovery"]["fact"]
    assert "freshet ls" in found["recovery"]["advice"]
    daemon.kill(signal.SIGTERM)
    daemon.start()
    assert freshet("ls", *at).stderr == ""


def test_a_daemon_that_add_starts_does_not_lose_the_state_in_silence(freshet, tmp_path):
    """On a terminal, where the daemon's own words are shown to nobody."""
    source = write(tmp_path / "one.bin", 40_000, 1)
    freshet("create", source, "-o", tmp_path / "one.torrent")
    state = tmp_path / "state"
    state.mkdir()
    (state / "locks").mkdir()
    (state / "state.db").write_bytes(b"damaged" * 1000)
    master, slave = pty.openpty()
    environment = {**os.environ, "HOME": str(tmp_path), "FRESHET_NO_DHT": "1"}
    added = subprocess.run([PROGRAM, "add", tmp_path / "one.torrent", "--start-daemon", "--stopped",
                            "--state", state], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=slave, env=environment, check=False, timeout=60)
    os.close(slave)
    said = os.read(master, 65536).decode()
    os.close(master)
    freshet("shutdown", "--state", state)
    assert added.returncode == 0, said
    assert "damaged-" in said and "NO GOOD COPY" in said


def test_no_empty_start_is_silent(daemons, freshet, tmp_path):
    daemon = daemons()
    add_stopped(daemon, freshet, tmp_path, 1)
    daemon.kill(signal.SIGTERM)
    for path in daemon.state.glob("state.db*"):
        path.write_bytes(b"damaged" * 1000)
    before = len(daemon.log())
    daemon.start()
    assert daemon.torrents() == []
    assert "damaged" in daemon.log()[before:]


def test_the_session_tells_the_port_and_keeps_what_was_set(daemons):
    daemon = daemons()
    session = daemon.rpc("session-get")
    assert session["peer-port"] == int(daemon.endpoint.rsplit(":", 1)[1])
    daemon.rpc("session-set", pex_enabled=False, peer_limit_per_torrent=33,
               speed_limit_up=44, speed_limit_up_enabled=True)
    daemon.kill()
    daemon.start()
    session = daemon.rpc("session-get")
    assert (session["pex-enabled"], session["peer-limit-per-torrent"]) == (False, 33)
    assert (session["speed-limit-up"], session["speed-limit-up-enabled"]) == (44, True)
