# SPDX-License-Identifier: MIT
"""A full disk that holds the state too is no dead end: some of it is kept for the state."""
import os
import signal

import pytest
from daemon_storage_test import MIB, seeded, tree, wait_row  # noqa: F401
from daemons import daemons  # noqa: F401, a fixture
from peers import peers, wait_for, write  # noqa: F401, fixtures

RESERVE = 6 * MIB // 16
SOON = 30  # seconds; without an answer there would be none ever


def top_up(path):
    """Not a byte is left."""
    with path.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


def free(folder):
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


@pytest.fixture
def full(daemons, seeded, small_disk):
    """A daemon on a disk that its download has filled; and what would fit instead."""
    big, _, big_seed = seeded({"a.bin": 8 * MIB}, "big")
    fits, source, seed = seeded({"b.bin": 2 * MIB}, "fits")
    daemon = daemons("--peer", big_seed.endpoint, "--peer", seed.endpoint,
                     name=small_disk / "daemon")
    reserve = daemon.state / "reserve"
    assert reserve.stat().st_size == RESERVE and reserve.stat().st_mode & 0o777 == 0o600
    daemon.add(big)
    wait_row(daemon, lambda row: row["error"] == 3 and row["haveValid"] > 4 * MIB)
    top_up(small_disk / "ballast")
    daemon.fits, daemon.source, daemon.reserve = fits, source, reserve
    return daemon


def test_a_full_disk_with_the_state_is_freed_by_a_removal(full, small_disk, freshet):
    def run(*words):
        result = freshet(*words, "--socket", full.socket, timeout=SOON)
        assert result.returncode == 0, result.stderr

    for number in range(150):  # more than any log of the database has room for
        full.rpc("torrent-set", SOON, ids=[1], labels=[f"{number} " + "x" * 200])
    for words in ("stop", "1"), ("start", "1"), ("set", "1", "--label", "kept"):
        run(*words)
        top_up(small_disk / "ballast")
    full.rpc("session-set", SOON, speed_limit_up=77)
    had = full.torrents("haveValid")[0]["haveValid"]
    assert full.kill(signal.SIGKILL) == -signal.SIGKILL
    top_up(small_disk / "ballast")
    full.start()
    wait_row(full, lambda row: row["error"] == 3 and row["haveValid"] == had)
    assert full.torrents("labels") == [{"labels": ["kept"]}]
    assert full.rpc("session-get")["speed-limit-up"] == 77
    run("rm", "--data", "--yes", "1")
    wait_for(lambda: not full.torrents() and free(small_disk) > 3 * MIB, lambda: free(small_disk))
    wait_for(lambda: full.reserve.stat().st_size == RESERVE, "no reserve again")
    full.add(full.fits)
    wait_row(full, lambda row: row["percentDone"] == 1)
    assert tree(full.folder / "downloads/fits") == tree(full.source)


def test_a_daemon_that_was_stopped_in_order_starts_on_a_full_disk(full, small_disk, tmp_path):
    assert full.kill(signal.SIGTERM) == 0
    top_up(small_disk / "ballast")
    told = full.log().count(" disk-full ")
    full.start()
    wait_for(lambda: full.log().count(" disk-full ") > told, full.log)
    other = tmp_path / "elsewhere"
    full.rpc("torrent-set-location", SOON, ids=[1], move=True, location=str(other))
    wait_row(full, lambda row: row["percentDone"] == 1)
    assert full.reserve.stat().st_size == RESERVE
    assert (other / "big/a.bin").stat().st_size == 8 * MIB


def test_payload_leaves_the_reserve_to_the_state(full, small_disk):
    """What was given of it is made whole before the download goes on."""
    ballast = small_disk / "ballast"
    with full.reserve.open("r+b") as file:
        file.truncate(0)
    top_up(ballast)
    # Too little for both: the download waits still, though it would have room.
    os.truncate(ballast, max(0, ballast.stat().st_size - RESERVE))
    full.rpc("torrent-stop", SOON, ids=[1])
    wait_row(full, lambda row: row["status"] == 0)
    told = full.log().count(" disk-full ")
    full.rpc("torrent-start-now", SOON, ids=[1])
    wait_for(lambda: full.log().count(" disk-full ") > told, full.log)
    assert free(small_disk) > RESERVE / 2
    full.rpc("torrent-remove", SOON, ids=[1], delete_local_data=True)
    wait_for(lambda: not full.torrents(), "it stays")
    wait_for(lambda: full.reserve.stat().st_size == RESERVE, "no reserve again")


def test_a_move_leaves_the_reserve_to_the_state(daemons, seeded, small_disk, tmp_path, freshet):
    torrent, source, seed = seeded({"a.bin": 64 << 10})
    daemon = daemons("--peer", seed.endpoint, "--download-dir", tmp_path / "from here",
                     name=small_disk / "daemon")
    daemon.add(torrent)
    wait_row(daemon, lambda row: row["status"] == 6)
    reserve, ballast = daemon.state / "reserve", small_disk / "ballast"
    with reserve.open("r+b") as file:
        file.truncate(0)
    top_up(ballast)
    os.truncate(ballast, max(0, ballast.stat().st_size - RESERVE))
    moved = freshet("mv", "1", small_disk / "here", "--socket", daemon.socket, timeout=SOON)
    assert moved.returncode == 0, moved.stderr
    row = wait_row(daemon, lambda row: row["error"] == 3)
    assert "could not be moved" in row["errorString"] and "space" in row["errorString"], row
    assert free(small_disk) > RESERVE / 2
    assert tree(tmp_path / "from here/set") == tree(source)
    ballast.unlink()
    freshet("mv", "1", small_disk / "here", "--socket", daemon.socket, timeout=SOON)
    wait_row(daemon, lambda row: row["downloadDir"] == str(small_disk / "here"))
    assert tree(small_disk / "here/set") == tree(source)


def test_get_with_its_state_on_the_full_disk_goes_on_later(peers, seeded, small_disk):
    torrent, source, seed = seeded({"a.bin": 4 * MIB})
    ballast = write(small_disk / "ballast", 3 * MIB)
    words = [torrent, "-o", small_disk / "to", "--peer", seed.endpoint]
    state = small_disk / "state"
    for _ in range(3):
        get = peers("get", *words, state=state)
        assert get.wait() == 6, get.log()
        assert "space" in get.log()
        top_up(small_disk / "rest")
    ballast.unlink()
    again = peers("get", *words, state=state)
    assert again.wait() == 0, again.log()
    assert 0 < again.wait_event("stats")["downloaded"] < 3 * MIB, again.log()
    assert tree(small_disk / "to/set") == tree(source)
