# SPDX-License-Identifier: MIT
"""Folders that a daemon watches: watch add, ls, rm; what is taken, left alone and remembered."""
import json
import os
import subprocess
import time

import pytest
from conftest import PROGRAM
from daemons import daemons, drive  # noqa: F401, fixtures
from peers import wait_for, write

HASH = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def torrents(tmp_path, freshet):
    """Makes .torrent files, each of another file."""
    def make(name):
        content = write(tmp_path / "content" / name, 100_000, name)
        made = freshet("create", content, "-o", tmp_path / f"{name}.torrent", "--v1")
        assert made.returncode == 0, made.stderr
        return (tmp_path / f"{name}.torrent").read_bytes()
    return make


def rows(drive):
    return {row["name"]: row for row in json.loads(drive("ls", "--json"))}


def status(drive, number=1):
    return next(entry["status"] for entry in json.loads(drive("watch", "ls", "--json"))
                if entry["rule"]["id"] == number)


def wait_added(drive, *names):
    wait_for(lambda: set(rows(drive)) == set(names),
             lambda: f"{list(rows(drive))}\n{drive.daemon.log()[-2000:]}")


def test_each_folder_has_its_own_options(drive, torrents, tmp_path):
    kept, renamed, deleted = (tmp_path / name for name in ("kept", "renamed", "deleted"))
    for folder in (kept, renamed, deleted):
        folder.mkdir()
    (kept / "one.torrent").write_bytes(torrents("one"))  # is there before
    assert drive("watch", "add", kept, "--stopped", "--label", "a", "--label", "b") == "1\n"
    assert drive("watch", "add", renamed, "--after", "rename", "-o", tmp_path / "else") == "2\n"
    assert drive("watch", "add", deleted, "--after", "delete") == "3\n"
    (renamed / "two.torrent").write_bytes(torrents("two"))
    (renamed / "two.torrent.added").write_text("another's")
    (deleted / "THREE.TORRENT").write_bytes(torrents("three"))
    (deleted / "four.magnet").write_text(f"\n magnet:?xt=urn:btih:{HASH}&dn=four \n")
    wait_added(drive, "one", "two", "three", "four")
    wait_for(lambda: not list(deleted.iterdir()), lambda: list(deleted.iterdir()))
    wait_for(lambda: {file.name for file in renamed.iterdir()} ==
             {"two.torrent.added", "two.torrent.added.1"}, lambda: list(renamed.iterdir()))
    assert (renamed / "two.torrent.added").read_text() == "another's"
    assert [file.name for file in kept.iterdir()] == ["one.torrent"]
    found = {row["name"]: row for row in drive.daemon.torrents("name", "labels", "status",
                                                               "downloadDir")}
    one, two = found["one"], found["two"]
    assert one["labels"] == ["a", "b"] and one["status"] == 0
    assert two["labels"] == [] and two["downloadDir"] == str(tmp_path / "else")
    assert status(drive, 3)["taken"] == 2
    table = drive("watch", "ls").splitlines()
    assert "rename" in table[2] and str(renamed) in table[2]


def test_a_half_written_torrent_is_read_when_it_stands_still(drive, torrents, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    drive("watch", "add", folder, "--after", "rename")
    whole = torrents("slow")
    longest, last = 0, time.monotonic()
    with (folder / "slow.torrent").open("wb") as file:
        for at in range(0, len(whole), len(whole) // 8 + 1):  # some seconds in all
            file.write(whole[at:at + len(whole) // 8 + 1])
            file.flush()
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
            time.sleep(0.7)
            assert rows(drive) == {}
    longest = max(longest, time.monotonic() - last)
    wait_added(drive, "slow")
    # On a machine that held this test up it did stand still for two seconds.
    assert longest > 1.5 or "not-added" not in drive.daemon.log()


def test_what_a_torrent_brings_is_not_read(drive, torrents, tmp_path, freshet):
    """A stranger's file in a folder of downloads that is watched."""
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "evil.torrent").write_bytes(torrents("inner"))
    (folder / "in").mkdir()
    (folder / "in/evil.torrent").write_bytes(torrents("deeper"))
    for name in ("evil.torrent", "in"):
        made = freshet("create", folder / name, "-o", tmp_path / "outer.torrent", "--no-date")
        assert made.returncode == 0, made.stderr
        drive("add", tmp_path / "outer.torrent", "-o", folder)
        (tmp_path / "outer.torrent").unlink()
    drive("watch", "add", folder)
    drive("watch", "add", folder / "in")
    wait_for(lambda: drive.daemon.log().count("is what a torrent brought") == 2, drive.daemon.log)
    (folder / "good.torrent").write_bytes(torrents("good"))
    wait_added(drive, "evil.torrent", "in", "good")


def test_a_bad_file_is_left_alone_and_told_once_until_it_changes(drive, torrents, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    drive("watch", "add", folder, "--after", "delete")
    (folder / "bad.torrent").write_bytes(b"d8:announce")
    (folder / "bad.magnet").write_text("http://not/a/link")
    (folder / ".hidden.torrent").write_bytes(torrents("hidden"))
    (folder / "other.txt").write_bytes(torrents("other"))
    os.mkfifo(folder / "pipe.torrent")
    wait_for(lambda: drive.daemon.log().count("not-added") == 2, drive.daemon.log)
    assert "bad." in status(drive)["trouble"]
    (folder / "good.torrent").write_bytes(torrents("good"))  # looks go on meanwhile
    wait_added(drive, "good")
    (folder / "bad.torrent").write_bytes(torrents("mended"))
    wait_added(drive, "good", "mended")
    assert drive.daemon.log().count("not-added") == 2
    wait_for(lambda: {file.name for file in folder.iterdir()} ==
             {"bad.magnet", ".hidden.torrent", "other.txt", "pipe.torrent"},
             lambda: list(folder.iterdir()))
    (line,) = [json.loads(line) for line in drive("log", "--json").splitlines()
               if '"bad.magnet"' in line]
    assert line["event"] == "not-added" and line["fields"]["folder"].endswith("/drop")


def test_a_kept_file_is_remembered_over_a_kill(drive, torrents, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    drive("watch", "add", folder)
    (folder / "one.torrent").write_bytes(torrents("one"))
    wait_added(drive, "one")
    drive("rm", "1")
    wait_added(drive)
    # Once this is durable, so is what was remembered before it.
    (folder / "two.torrent").write_bytes(torrents("two"))
    wait_added(drive, "two")
    drive.daemon.kill(15)
    drive.daemon.start()
    wait_for(lambda: status(drive)["looked"] > 0, "no look")
    (folder / "three.torrent").write_bytes(torrents("three"))
    wait_added(drive, "two", "three")
    drive.daemon.kill()
    drive.daemon.start()
    os.utime(folder / "one.torrent")  # it has changed, as far as anybody can see
    wait_added(drive, "one", "two", "three")


def test_a_folder_may_come_go_and_come_again(drive, torrents, tmp_path):
    folder = tmp_path / "drop"
    drive("watch", "add", folder)
    wait_for(lambda: "No such file" in status(drive)["trouble"], lambda: status(drive))
    folder.mkdir()
    (folder / "one.torrent").write_bytes(torrents("one"))
    wait_added(drive, "one")
    assert status(drive)["trouble"] == ""
    folder.rename(tmp_path / "away")
    folder.mkdir()
    (folder / "two.torrent").write_bytes(torrents("two"))
    wait_added(drive, "one", "two")
    assert drive.daemon.log().count("folder-not-watched") == 1


def test_rules_change_while_it_runs_and_stay_over_a_restart(drive, torrents, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        drive("watch", "add", folder)
    assert drive("watch", "add", first, "--after", "delete") == "1  (in place of what it had)\n"
    drive("watch", "rm", second)
    assert f"there is no '{second}'" in drive("watch", "rm", second, code=2)
    drive.daemon.kill()
    drive.daemon.start()
    (rule,) = [entry["rule"] for entry in json.loads(drive("watch", "ls", "--json"))]
    assert rule == {"id": 1, "path": str(first), "after": "delete", "folder": None,
                    "stopped": False, "labels": []}
    (second / "no.torrent").write_bytes(torrents("no"))
    (first / "one.torrent").write_bytes(torrents("one"))
    wait_added(drive, "one")
    wait_for(lambda: not list(first.iterdir()), "the file stays")
    assert [file.name for file in second.iterdir()] == ["no.torrent"]
    drive("watch", "rm", "1")
    assert json.loads(drive("watch", "ls", "--json")) == []


def test_the_setting_of_transmission_holds_where_a_rule_says_nothing(drive, torrents, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    drive.daemon.rpc("session-set", trash_original_torrent_files=True)
    drive("watch", "add", folder)
    (folder / "one.torrent").write_bytes(torrents("one"))
    wait_added(drive, "one")
    wait_for(lambda: not list(folder.iterdir()), "the file stays")
    drive("watch", "add", folder, "--after", "keep")
    assert json.loads(drive("watch", "ls", "--json"))[0]["rule"]["after"] == "keep"


def test_a_file_that_cannot_be_renamed_is_not_added_again(drive, torrents, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    name = "n" * 246 + ".torrent"  # no room for ".added"
    (folder / name).write_bytes(torrents("one"))
    drive("watch", "add", folder, "--after", "rename")
    wait_added(drive, "one")
    wait_for(lambda: "could not be renamed" in status(drive)["trouble"], lambda: status(drive))
    drive("rm", "1")
    wait_added(drive)
    (folder / "two.torrent").write_bytes(torrents("two"))
    wait_added(drive, "two")
    assert (folder / name).exists()


def test_the_log_is_kept_and_followed(drive, torrents, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    drive("watch", "add", folder)
    (folder / "one.torrent").write_bytes(torrents("one"))
    wait_added(drive, "one")
    lines = [json.loads(line) for line in drive("log", "--json").splitlines()]
    assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[0]["event"] == "ready"
    (added,) = [line for line in lines if line["event"] == "added"]
    assert added["fields"]["name"] == "one" and added["fields"]["hash"] == rows(
        drive)["one"]["hash_string"]
    text = drive("log", "-n", "1").splitlines()
    assert len(text) == 1 and text[0] == drive.daemon.log().splitlines()[-1]
    with subprocess.Popen([PROGRAM, "log", "-f", "-n", "1", "--json", "--socket",
                           drive.daemon.socket], stdout=subprocess.PIPE, text=True) as follower:
        assert json.loads(follower.stdout.readline())["number"] == lines[-1]["number"]
        (folder / "bad.torrent").write_bytes(b"x")
        line = json.loads(follower.stdout.readline())
        assert line["event"] == "not-added" and line["fields"]["file"] == "bad.torrent"
        drive.daemon.kill()
        assert follower.stdout.read() == "" and follower.wait(60) == 0


def test_an_empty_name_is_no_folder(drive):
    assert "the name of the folder is empty" in drive("watch", "add", "", code=2)


def test_who_waits_for_a_full_state_disk_is_told(daemons, small_disk, tmp_path):
    daemon = daemons(name=small_disk / "daemon", begin=False)
    daemon.words[daemon.words.index("--download-dir") + 1] = tmp_path / "to"
    daemon.start()
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    told = tmp_path / "told"
    for number in range(30):  # until the room that the database has of its own is used up
        filters = [word for one in range(32) for word in ("-i", f"{number} {one} " + "x" * 200)]
        with told.open("wb") as errors, subprocess.Popen(
                [PROGRAM, "feed", "add", f"http://127.0.0.1:9/{number}", *filters, "--socket",
                 daemon.socket], stdout=subprocess.PIPE, stderr=errors) as adding:
            wait_for(lambda adding=adding: told.stat().st_size > 0 or adding.poll() is not None,
                     "neither a word nor an answer")
            has_waited = adding.poll() is None
            if has_waited:
                assert "cannot write its state" in told.read_text()
                ballast.unlink()
            assert adding.wait(60) == 0
        if has_waited:
            return
    raise AssertionError("the disk is never full")
