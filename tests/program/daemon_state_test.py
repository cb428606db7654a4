# SPDX-License-Identifier: MIT
"""What becomes of a daemon's state and settings."""
import signal

import pytest
from daemons import daemons  # noqa: F401, a fixture
from peers import peers, write  # noqa: F401


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
