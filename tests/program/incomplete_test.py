# SPDX-License-Identifier: MIT
"""A folder for what is not complete: data lies there until it is done, then moves; both folders are
looked in when a torrent is added."""
import random
import shutil
import time

from daemons import album, daemons  # noqa: F401, fixtures
from peers import Peer, wait_for, write


def paths(folder):
    """Files below it by name; None: it changed while it was read."""
    try:
        return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*"))
                if path.is_file()} if folder.exists() else {}
    except FileNotFoundError:
        return None


def contents(folder):
    try:
        return {name: path.read_bytes() for name, path in paths(folder).items()}
    except (AttributeError, FileNotFoundError):  # paths() said None, or one went
        return None


def start(daemons, seed):  # noqa: F811
    daemon = daemons("--peer", seed.events("ready")[0]["listen"])
    half, done = daemon.folder / "half", daemon.folder / "downloads"
    daemon.rpc("session-set", incomplete_dir=str(half), incomplete_dir_enabled=True)
    return daemon, half, done


def row(daemon):
    return daemon.torrents("percentDone", "downloadDir", "status", "errorString")[0]


def wait_seeding(daemon):
    wait_for(lambda: row(daemon)["status"] == 6, lambda: f"{row(daemon)}\n{daemon.log()[-2000:]}")


def test_data_lies_among_the_incomplete_until_it_is_done(daemons, album):  # noqa: F811
    torrent, content, seed = album
    daemon, half, done = start(daemons, seed)
    daemon.rpc("session-set", speed_limit_down=200, speed_limit_down_enabled=True)
    daemon.add(torrent)
    wait_for(lambda: 0 < row(daemon)["percentDone"] < 1, daemon.log)
    assert (half / "album").is_dir() and not (done / "album").exists()
    daemon.rpc("session-set", speed_limit_down_enabled=False)
    wait_for(lambda: row(daemon)["downloadDir"] == str(done) and row(daemon)["status"] == 6,
             daemon.log)
    assert contents(done / "album") == contents(content)
    assert contents(half) == {}


def test_what_is_in_the_final_folder_is_found_there(daemons, album):  # noqa: F811
    torrent, content, seed = album
    daemon, half, done = start(daemons, seed)
    shutil.copytree(content, done / "album")
    seed.kill()
    daemon.add(torrent)
    wait_seeding(daemon)
    assert row(daemon)["downloadDir"] == str(done)
    assert not half.exists() or contents(half) == {}
    assert contents(done / "album") == contents(content)


def test_a_part_in_the_final_folder_is_completed_there(daemons, album):  # noqa: F811
    torrent, content, seed = album
    daemon, half, done = start(daemons, seed)
    (done / "album").mkdir(parents=True)
    shutil.copy(content / "2.flac", done / "album")
    daemon.add(torrent)
    wait_seeding(daemon)
    assert row(daemon)["downloadDir"] == str(done)
    assert contents(done / "album") == contents(content) and contents(half) == {}
    # It is not ours: it was there before.
    daemon.rpc("torrent-remove", ids=[1], delete_local_data=True)
    wait_for(lambda: names(done) == ["album/2.flac"], lambda: names(done))


def test_a_part_among_the_incomplete_goes_before_the_final_folder(daemons, album):  # noqa: F811
    torrent, content, seed = album
    daemon, half, done = start(daemons, seed)
    (half / "album").mkdir(parents=True)
    shutil.copy(content / "3.flac", half / "album")
    daemon.add(torrent)
    wait_seeding(daemon)
    wait_for(lambda: row(daemon)["downloadDir"] == str(done), daemon.log)
    assert contents(done / "album") == contents(content) and contents(half) == {}


def test_kills_on_the_way_lose_nothing(daemons, album):  # noqa: F811
    torrent, content, seed = album
    daemon, half, done = start(daemons, seed)
    daemon.add(torrent)
    chance = random.Random(5)
    for _ in range(12):
        time.sleep(chance.uniform(0.02, 0.5))
        daemon.kill()
        daemon.start()
    wait_seeding(daemon)
    wait_for(lambda: row(daemon)["downloadDir"] == str(done) and row(daemon)["status"] == 6,
             daemon.log)
    assert contents(done / "album") == contents(content) and contents(half) == {}


def names(folder):
    found = paths(folder)
    return ["it is changing"] if found is None else list(found)


def payload(folder):
    """Without the part store, which has a name of its own."""
    return [name for name in names(folder) if "/" in name]


def start_with_suffix(daemons, seed, **settings):  # noqa: F811
    daemon = daemons("--peer", seed.events("ready")[0]["listen"])
    daemon.rpc("session-set", rename_partial_files=True, **settings)
    return daemon, daemon.folder / "downloads"


def test_a_file_gets_its_name_when_it_is_complete(daemons, album):  # noqa: F811
    torrent, content, seed = album
    daemon, done = start_with_suffix(daemons, seed, speed_limit_down=20,
                                     speed_limit_down_enabled=True)
    daemon.add(torrent, paused=True)
    daemon.rpc("torrent-set", ids=[1], priority_high=[0], priority_low=[1, 2])
    daemon.rpc("torrent-start", ids=[1])
    wait_for(lambda: payload(done) == ["album/1.flac.part", "album/2.flac.part",
                                       "album/3.flac.part"], lambda: names(done))
    daemon.rpc("session-set", speed_limit_down=100)
    wait_for(lambda: "album/1.flac" in payload(done), lambda: names(done))
    assert "album/3.flac.part" in payload(done)
    assert (done / "album/1.flac").read_bytes() == (content / "1.flac").read_bytes()
    daemon.rpc("session-set", speed_limit_down_enabled=False)
    wait_seeding(daemon)
    assert contents(done / "album") == contents(content)


def test_kills_and_moves_on_the_way_lose_no_part(daemons, album):  # noqa: F811
    torrent, content, seed = album
    daemon, done = start_with_suffix(daemons, seed, speed_limit_down=700,
                                     speed_limit_down_enabled=True)
    daemon.add(torrent)
    chance = random.Random(7)
    folders = [done, daemon.folder / "else"]
    for turn in range(8):
        time.sleep(chance.uniform(0.1, 0.9))
        daemon.rpc("torrent-set-location", ids=[1], location=str(folders[turn % 2]), move=True)
        time.sleep(chance.uniform(0, 0.05))
        daemon.kill()
        daemon.start()
    daemon.rpc("session-set", speed_limit_down_enabled=False)
    wait_seeding(daemon)
    there = daemon.folder / row(daemon)["downloadDir"]
    wait_for(lambda: contents(there / "album") == contents(content), lambda: names(daemon.folder))
    other = folders[1] if there == folders[0] else folders[0]
    assert contents(other) == {}


def test_what_is_removed_leaves_no_part(daemons, album):  # noqa: F811
    torrent, _, seed = album
    daemon, done = start_with_suffix(daemons, seed, speed_limit_down=200,
                                     speed_limit_down_enabled=True)
    daemon.add(torrent)
    wait_for(lambda: done.exists() and payload(done) and 0 < row(daemon)["percentDone"] < 1,
             daemon.log)
    daemon.rpc("torrent-remove", ids=[1], delete_local_data=True)
    wait_for(lambda: not daemon.torrents() and names(done) == [], lambda: names(done))


def test_a_part_that_is_complete_is_named_at_the_next_start(daemons, album):  # noqa: F811
    """As a kill between a record and the name leaves it; and a name that another file has."""
    torrent, content, seed = album
    daemon, done = start_with_suffix(daemons, seed)
    daemon.add(torrent)
    wait_seeding(daemon)
    daemon.kill(15)
    seed.kill()
    for number in (1, 2):
        (done / f"album/{number}.flac").rename(done / f"album/{number}.flac.part")
    daemon.start()
    wait_seeding(daemon)
    wait_for(lambda: contents(done / "album") == contents(content), lambda: names(done))
    daemon.rpc("session-set", rename_partial_files=False)  # looked for all the same
    daemon.kill(15)
    (done / "album/3.flac").rename(done / "album/3.flac.part")
    daemon.start()
    wait_seeding(daemon)
    wait_for(lambda: contents(done / "album") == contents(content), lambda: names(done))


def test_a_torrent_with_files_of_such_names_goes_without(daemons, tmp_path, freshet):  # noqa: F811
    content = tmp_path / "here/twins"
    write(content / "a", 300_000, 1)
    write(content / "a.part", 500_000, 2)
    torrent = tmp_path / "twins.torrent"
    freshet("create", content, "-o", torrent, "-l", "64K", "--v1")
    seed = Peer(tmp_path, "seed", torrent, "-o", content.parent, "--no-dht")
    try:
        seed.wait_event("ready")
        daemon, done = start_with_suffix(daemons, seed)
        daemon.add(torrent)
        wait_seeding(daemon)
        assert contents(done / "twins") == contents(content)
    finally:
        seed.stop()
