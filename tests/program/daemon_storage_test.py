# SPDX-License-Identifier: MIT
"""A daemon whose disks fill up, go away and come back, and what it deletes."""
import os
import shutil
import signal

import namespaces
import pytest
from daemons import daemons  # noqa: F401, a fixture
from peers import peers, wait_for, write  # noqa: F401, fixtures

KIB, MIB = 1 << 10, 1 << 20
FIELDS = ("id", "name", "status", "percentDone", "error", "errorString", "downloadDir", "haveValid",
          "recheckProgress", "why")


def row(daemon, *fields):
    rows = daemon.torrents(*(fields or FIELDS))
    assert len(rows) == 1, rows
    return rows[0]


def is_complete(daemon):
    return row(daemon)["percentDone"] == 1


def wait_row(daemon, condition):
    wait_for(lambda: condition(row(daemon)), lambda: f"{row(daemon)}\n{daemon.log()[-2000:]}")
    return row(daemon)


def tree(folder):
    """Every file below it, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def seeded(freshet, peers, tmp_path):
    """Makes a torrent of what lies below from/NAME, and a peer that has it."""

    def make(files, name="set"):
        source = tmp_path / "from" / name
        for number, (path, size) in enumerate(files.items(), 1):
            write(source / path, size, number)
        torrent = tmp_path / f"{name}.torrent"
        result = freshet("create", source, "-o", torrent, "-l", "64K")
        assert result.returncode == 0, result.stderr
        return torrent, source, peers("seed", torrent, "-o", source.parent)

    return make


def freshet_to(daemon, freshet, *words):
    return freshet(*words, "--socket", daemon.socket)


# ---- a full disk ----


def test_a_full_disk_holds_it_and_room_lets_it_go_on(daemons, seeded, small_disk):
    torrent, source, seed = seeded({"a.bin": 2 * MIB, "sub/b.bin": 2 * MIB + 7})
    ballast = write(small_disk / "ballast", 4 * MIB)
    daemon = daemons("--peer", seed.endpoint, "--download-dir", small_disk / "to")
    daemon.add(torrent)
    held = wait_row(daemon, lambda row: row["error"] == 3)
    assert "space" in held["errorString"] and "space" in held["why"], held
    assert held["percentDone"] < 1
    assert " disk-full " in daemon.log()
    # Whoever asks and changes things meanwhile is answered: the state is on another disk.
    daemon.rpc("torrent-set", ids=[held["id"]], labels=["held"])
    # Nor does a start anew forget what was there.
    assert daemon.kill(signal.SIGKILL) == -signal.SIGKILL
    daemon.start()
    wait_row(daemon, lambda row: row["error"] == 3 and row["status"] == 4)
    ballast.unlink()
    wait_row(daemon, lambda row: row["percentDone"] == 1 and row["status"] == 6)
    assert row(daemon)["error"] == 0 and row(daemon, "labels")["labels"] == ["held"]
    assert tree(small_disk / "to/set") == tree(source)


def test_a_full_disk_stops_nobody_else(daemons, seeded, small_disk, peers, tmp_path):
    """One torrent waits for room, the one beside it on the same disk goes on being served."""
    torrent, source, seed = seeded({"a.bin": MIB}, "there")
    other, _, other_seed = seeded({"b.bin": 4 * MIB}, "waits")
    daemon = daemons("--peer", seed.endpoint, "--peer", other_seed.endpoint, "--download-dir",
                     small_disk / "to")
    daemon.add(torrent)
    daemon.wait_complete()
    write(small_disk / "ballast", 4 * MIB)
    daemon.add(other)
    wait_for(lambda: any(row["error"] == 3 for row in daemon.torrents()),
             lambda: daemon.torrents())
    seed.stop()
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", daemon.endpoint)
    assert get.wait() == 0, get.log()
    assert get.wait_event("stats")["wasted"] == 0
    assert tree(tmp_path / "to/there") == tree(source)


# ---- a disk that is not there ----


@pytest.fixture
def drive(small_disk, tmp_path):
    """A drive that is plugged in at `where`, and keeps its files while it is not."""

    class Drive:
        where = tmp_path / "mnt"

        def plug(self):
            namespaces.mount_call(str(small_disk), str(self.where), None, namespaces.MS_BIND, None)

        def pull(self):
            namespaces.unmount(self.where)

    drive = Drive()
    drive.where.mkdir()
    drive.plug()
    yield drive
    while os.path.ismount(drive.where):
        drive.pull()


def test_a_drive_that_is_pulled_is_waited_for(daemons, seeded, drive, small_disk, peers, tmp_path):
    below = "downloads/here"  # which is not made anew on the disk below the drive
    torrent, source, seed = seeded({"a.bin": 2 * MIB, "b.bin": MIB + 7})
    daemon = daemons("--peer", seed.endpoint, "--download-dir", drive.where / below)
    daemon.add(torrent)
    wait_row(daemon, lambda row: row["status"] == 6)
    seed.stop()
    # While it runs.
    drive.pull()
    absent = wait_row(daemon, lambda row: row["error"] == 3)
    assert "storage is not there" in absent["errorString"], absent
    assert "storage is not there" in absent["why"], absent
    assert absent["percentDone"] == 1 and absent["haveValid"] == 3 * MIB + 7
    assert not any(drive.where.iterdir())
    drive.plug()
    wait_row(daemon, lambda row: row["error"] == 0 and row["status"] == 6)
    # And at the start.
    daemon.kill()
    drive.pull()
    daemon.start()
    absent = wait_row(daemon, lambda row: row["error"] == 3)
    assert absent["percentDone"] == 1, absent
    assert not any(drive.where.iterdir())
    drive.plug()
    wait_row(daemon, lambda row: row["error"] == 0 and row["status"] == 6)
    assert tree(small_disk / below / "set") == tree(source)
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", daemon.endpoint)
    assert get.wait() == 0, get.log()
    assert get.wait_event("stats")["wasted"] == 0
    assert tree(tmp_path / "to/set") == tree(source)


@pytest.mark.parametrize("running", [True, False])
def test_a_download_goes_on_where_it_was_when_the_drive_is_back(daemons, seeded, drive, small_disk,
                                                                running):
    torrent, source, seed = seeded({"a.bin": 2 * MIB, "b.bin": MIB + 7})
    daemon = daemons("--peer", seed.endpoint, "--download-dir", drive.where)
    number = daemon.add(torrent, paused=True)["id"]
    daemon.rpc("torrent-set", ids=[number], downloadLimit=500, downloadLimited=True)
    daemon.rpc("torrent-start", ids=[number])
    wait_row(daemon, lambda row: row["haveValid"] > 500 * KIB)
    if not running:
        assert daemon.kill(signal.SIGTERM) == 0
    drive.pull()
    if not running:
        daemon.start()
    absent = wait_row(daemon, lambda row: row["error"] == 3)
    assert "storage is not there" in absent["errorString"], absent
    assert not any(drive.where.iterdir()), "written below the mount point"
    daemon.rpc("torrent-set", ids=[number], downloadLimited=False)
    drive.plug()
    wait_row(daemon, lambda row: row["status"] == 6 and row["percentDone"] == 1)
    done = row(daemon, "downloadedEver", "error")
    assert done["error"] == 0
    # What was durable was not fetched again.
    if not running:
        assert done["downloadedEver"] < 3 * MIB + 7 + 256 * KIB, done
    assert tree(small_disk / "set") == tree(source)
    drive.pull()
    assert not any(drive.where.iterdir()), "written below the mount point"


# ---- a move that finds no room ----


@pytest.mark.parametrize("by", ["freshet mv", "torrent-set-location"])
def test_a_move_without_room_leaves_everything_where_it_is(daemons, seeded, small_disk, freshet, by,
                                                           peers, tmp_path):
    torrent, source, seed = seeded({"a.bin": 2 * MIB, "sub/b.bin": 2 * MIB + 7})
    ballast = write(small_disk / "ballast", 3 * MIB)
    daemon = daemons("--peer", seed.endpoint)
    number = daemon.add(torrent)["id"]
    wait_row(daemon, lambda row: row["status"] == 6)
    seed.stop()

    def move():
        if by == "freshet mv":
            return freshet_to(daemon, freshet, "mv", str(number), small_disk)
        return daemon.rpc("torrent-set-location", ids=[number], move=True, location=str(small_disk))

    move()
    failed = wait_row(daemon, lambda row: row["error"] == 3)
    assert "could not be moved" in failed["errorString"], failed
    assert "space" in failed["errorString"], failed
    assert failed["downloadDir"] == str(daemon.folder / "downloads")
    assert tree(daemon.folder / "downloads/set") == tree(source)
    assert [path.name for path in small_disk.iterdir()] == ["ballast"], "litter"
    # It is served still, and checked it is whole.
    wait_row(daemon, lambda row: row["status"] == 6)
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", daemon.endpoint)
    assert get.wait() == 0, get.log()
    # With room it goes.
    ballast.unlink()
    move()
    wait_row(daemon, lambda row: row["downloadDir"] == str(small_disk) and row["status"] == 6)
    assert row(daemon)["error"] == 0
    assert tree(small_disk / "set") == tree(source)
    assert not (daemon.folder / "downloads/set").exists()


# ---- what is removed ----


def test_removing_with_data_takes_only_files_that_freshet_made(daemons, seeded, freshet):
    torrent, _, seed = seeded({"a.bin": 200 * KIB, "sub/b.bin": 300 * KIB, "sub/deep/c.bin": 7})
    daemon = daemons("--peer", seed.endpoint)
    daemon.add(torrent)
    wait_row(daemon, lambda row: row["status"] == 6)
    top = daemon.folder / "downloads/set"
    write(top / "sub/notes.txt", 10)
    write(top / "sub/deep/a.bin", 11)
    (daemon.folder / "downloads/beside").write_text("mine")
    # Links of somebody's are not followed, and not taken.
    outside = write(daemon.folder / "outside/precious", 12)
    (top / "link").symlink_to(outside.parent)
    before = outside.read_bytes()
    result = freshet_to(daemon, freshet, "rm", "--data", "--yes", "set")
    assert result.returncode == 0, result.stderr
    # It is not shown while it goes, and a row goes last.
    kept = {"set/sub/notes.txt", "set/sub/deep/a.bin", "set/link", "beside"}

    def left():
        return {str(path.relative_to(top.parent)) for path in top.parent.rglob("*")
                if path.is_symlink() or path.is_file()}
    wait_for(lambda: left() <= kept, left)
    assert daemon.kill(signal.SIGTERM) == 0
    assert left() == kept
    assert outside.read_bytes() == before


def test_what_never_came_is_removed_though_its_folder_is_gone(daemons, seeded):
    torrent, _, seed = seeded({"a.bin": 200 * KIB})
    seed.stop()
    daemon = daemons()
    daemon.add(torrent)
    wait_for(lambda: (daemon.folder / "downloads").exists(), lambda: daemon.log()[-2000:])
    wait_row(daemon, lambda row: row["status"] == 4)
    daemon.rpc("torrent-stop")
    wait_row(daemon, lambda row: row["status"] == 0)
    daemon.kill()
    shutil.rmtree(daemon.folder / "downloads")
    daemon.start()
    daemon.rpc("torrent-remove", delete_local_data=True)
    wait_for(lambda: not daemon.torrents(), lambda: daemon.torrents())
    assert daemon.kill(signal.SIGTERM) == 0
    daemon.start()
    assert not daemon.torrents()


def test_a_file_that_somebody_put_there_first_stays(daemons, seeded, freshet):
    """Data that a person had already, and had the daemon take over."""
    torrent, source, seed = seeded({"a.bin": 200 * KIB, "sub/b.bin": 300 * KIB})
    daemon = daemons("--peer", seed.endpoint)
    mine = daemon.folder / "downloads/set/a.bin"
    mine.parent.mkdir(parents=True)
    mine.write_bytes((source / "a.bin").read_bytes())
    daemon.add(torrent)
    wait_row(daemon, lambda row: row["status"] == 6)
    daemon.kill()
    daemon.start()
    wait_row(daemon, lambda row: row["status"] == 6)
    result = freshet_to(daemon, freshet, "rm", "--data", "--yes", "set")
    assert result.returncode == 0, result.stderr
    wait_for(lambda: not (mine.parent / "sub").exists(), lambda: daemon.log()[-2000:])
    assert daemon.kill(signal.SIGTERM) == 0
    assert tree(daemon.folder / "downloads") == {"set/a.bin": (source / "a.bin").read_bytes()}


def test_removing_takes_nothing_without_the_word(daemons, seeded, freshet):
    torrent, source, seed = seeded({"a.bin": 200 * KIB})
    daemon = daemons("--peer", seed.endpoint)
    daemon.add(torrent)
    wait_row(daemon, lambda row: row["status"] == 6)
    refused = freshet_to(daemon, freshet, "rm", "--data", "set")  # no terminal to ask on
    assert refused.returncode != 0 and "--yes" in refused.stderr
    assert len(daemon.torrents()) == 1
    assert freshet_to(daemon, freshet, "rm", "set").returncode == 0
    wait_for(lambda: not daemon.torrents(), lambda: daemon.torrents())
    assert daemon.kill(signal.SIGTERM) == 0
    assert tree(daemon.folder / "downloads/set") == tree(source)
