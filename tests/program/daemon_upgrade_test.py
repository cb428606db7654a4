# SPDX-License-Identifier: MIT
"""The state of every earlier schema opens in the daemon, and nothing in it is lost."""
import json
import re
import sqlite3
import subprocess

import pytest
from conftest import ROOT
from daemons import daemons  # noqa: F401, a fixture
from peers import wait_for, write

STATES = ROOT / "tests/program/states"
SOURCE = (ROOT / "host/state_store_recovery.c").read_text(encoding="utf-8")
VERSION = int(re.search(r"SCHEMA_VERSION +(\d+)", SOURCE).group(1))


def contents(path):
    """Rows of every table, as far as columns have names."""
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    found = {table: [dict(row) for row in database.execute(f"SELECT * FROM {table}")]
             for table in tables}
    version = database.execute("PRAGMA user_version").fetchone()[0]
    database.close()
    return version, found


@pytest.fixture
def old(daemons, tmp_path):
    """A daemon, not started, whose state is of that version."""

    def make(version):
        daemon = daemons(begin=False)
        daemon.words.remove("--download-dir")
        daemon.words.remove(daemon.folder / "downloads")
        daemon.state.mkdir(mode=0o700)
        text = (STATES / f"version-{version}.sql").read_text(encoding="utf-8")
        database = sqlite3.connect(daemon.state / "state.db")
        database.executescript(text.replace("@ROOT@", str(daemon.folder)))
        database.close()
        return daemon

    return make


def test_every_older_schema_has_its_state_here():
    assert [int(path.stem.removeprefix("version-")) for path in sorted(STATES.glob("*.sql"))] == list(
        range(1, VERSION))


@pytest.mark.parametrize("version", range(1, VERSION))
def test_an_old_state_is_brought_up_and_keeps_every_row(old, version):
    daemon = old(version)
    path = daemon.state / "state.db"
    was, before = contents(path)
    assert was == version
    daemon.start()
    assert daemon.kill(15) == 0
    now, after = contents(path)
    assert now == VERSION
    for table in ("torrents", "records"):
        keys = [row["info_hash"] for row in before[table]]
        assert keys == [row["info_hash"] for row in after[table]], table
    assert [row["id"] for row in before.get("catalog", [])] == [row["id"] for row in after["catalog"]]


def test_torrents_of_version_3_are_there_as_they_were(old):
    daemon = old(3)
    write(daemon.folder / "downloads/whole.bin", 100000, 1)
    daemon.start()
    rows = {row["name"]: row for row in daemon.torrents(
        "id", "name", "status", "percentDone", "labels", "downloadLimit", "downloadLimited", "wanted",
        "queuePosition", "seedRatioMode", "seedRatioLimit", "downloadDir", "magnetLink", "comment")}
    assert set(rows) == {"whole.bin", "part", "linked"}
    part = rows["part"]
    assert part["labels"] == ["Zwei", "two"] and part["queuePosition"] == 0
    assert part["downloadLimit"] == 77 and part["downloadLimited"]
    assert part["wanted"][1] == 0 and part["status"] == 0
    assert part["seedRatioMode"] == 1 and part["seedRatioLimit"] == 1.5
    assert rows["linked"]["magnetLink"].startswith("magnet:?xt=urn:btih:abab")
    assert rows["whole.bin"]["comment"] == "kept"
    wait_for(lambda: [row["percentDone"] for row in daemon.torrents() if row["name"] == "whole.bin"]
             == [1], lambda: daemon.torrents())
    session = daemon.rpc("session-get")
    assert session["speed-limit-up"] == 321 and session["speed-limit-up-enabled"]
    assert session["alt-speed-down"] == 55
    # What is new since can be used.
    daemon.rpc("group-set", name="slow", speed_limit_down=10, speed_limit_down_enabled=True)
    daemon.rpc("torrent-set", ids=[part["id"]], group="slow")
    daemon.kill()
    daemon.start()
    assert daemon.torrents("group", ids=[part["id"]]) == [{"group": "slow"}]


def test_torrents_of_version_4_use_any_transport(old, freshet):
    daemon = old(4)
    write(daemon.folder / "downloads/whole.bin", 100000, 1)
    daemon.start()
    rows = daemon.torrents("id", "name", "group", "sequential_download", "labels", "wanted")
    part = next(row for row in rows if row["name"] == "part")
    assert part["group"] == "slow" and part["sequential_download"]
    assert part["labels"] == ["Zwei", "two"] and part["wanted"] == [1, 0, 1]

    def transports():
        info = freshet("info", *(row["id"] for row in rows), "--json", "--socket", daemon.socket)
        return {row["name"]: row["transport"] for row in json.loads(info.stdout)}

    assert transports() == {"whole.bin": "any", "part": "any", "linked": "any"}
    # What is new since can be used.
    for name, word in (("part", "utp"), ("linked", "tcp")):
        assert freshet("set", name, "--transport", word, "--socket",
                       daemon.socket).returncode == 0
    daemon.kill()
    daemon.start()
    assert transports() == {"whole.bin": "any", "part": "utp", "linked": "tcp"}


@pytest.mark.parametrize("version", [1, 2])
def test_what_get_recorded_serves_the_daemon(old, version, freshet):
    daemon = old(version)
    write(daemon.folder / "downloads/whole.bin", 100000, 1)
    torrent = daemon.folder / "whole.torrent"
    database = sqlite3.connect(daemon.state / "state.db")
    torrent.write_bytes(database.execute("SELECT torrent FROM torrents").fetchone()[0])
    database.close()
    daemon.start()
    daemon.add(torrent, download_dir=str(daemon.folder / "downloads"))
    daemon.wait_complete()


def test_a_state_of_a_newer_schema_is_not_touched(old):
    daemon = old(VERSION - 1)
    database = sqlite3.connect(daemon.state / "state.db")
    database.execute(f"PRAGMA user_version={VERSION + 1}")
    database.close()
    before = contents(daemon.state / "state.db")
    ended = subprocess.run(daemon.words, capture_output=True, text=True, env=daemon.env, timeout=60,
                           check=False)
    assert ended.returncode != 0 and "newer" in ended.stderr
    assert contents(daemon.state / "state.db") == before
