# SPDX-License-Identifier: MIT
"""Torrents of Transmission and qBittorrent, as the programs themselves leave them behind, are shown
and taken over; nothing of theirs changes."""
import base64
import contextlib
import http.client
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import urllib.parse
import uuid
from pathlib import Path

import pytest
from daemons import daemons  # noqa: F401  pylint: disable=unused-import
from peers import numbers, peers, wait_for, write  # noqa: F401  pylint: disable=unused-import

HASH = "0123456789abcdef0123456789abcdef01234567"
MAGNET = f"magnet:?xt=urn:btih:{HASH}&dn=some&tr=http%3A%2F%2F127.0.0.1%3A3%2Fa"
FILES = {"a.bin": 200000, "sub/b.bin": 150000, "sub/c.bin": 90000}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """Another program with an HTTP interface; ended by stop()."""

    def __init__(self, folder, words, port):
        self.log = Path(folder) / "log"
        self.port = port
        self.headers = {}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT,
                                            env={**os.environ, "HOME": str(folder)})

    def ask(self, method, path, body=None, headers=None):
        """None while it does not listen yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except ConnectionRefusedError:
            return None
        finally:
            connection.close()

    def wait_ready(self, path):
        wait_for(lambda: self.ask("GET", path), lambda: self.log.read_text(errors="replace"))

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


class Transmission(Program):
    def __init__(self, folder):
        self.config = Path(folder) / "config"
        self.config.mkdir(parents=True)
        number = next(numbers)
        port = free_port()
        super().__init__(folder, [
            "transmission-daemon", "--foreground", "--config-dir", self.config, "--port", port,
            "--no-auth", "--rpc-bind-address", "127.0.0.1", "--bind-address-ipv4",
            f"127.6.{number // 250}.{number % 250 + 1}", "--peerport", free_port(), "--no-dht",
            "--no-lpd", "--no-portmap", "--no-utp", "--download-dir", Path(folder) / "own"], port)
        self.wait_ready("/transmission/rpc")

    def call(self, method, **arguments):
        body = json.dumps({"method": method, "arguments": {key.replace("_", "-"): value
                                                           for key, value in arguments.items()}})
        status, headers, answer = self.ask("POST", "/transmission/rpc", body)
        if status == 409:
            self.headers["X-Transmission-Session-Id"] = headers["X-Transmission-Session-Id"]
            return self.call(method, **arguments)
        result = json.loads(answer)
        assert result["result"] == "success", result
        return result["arguments"]

    def add(self, torrent, folder, **arguments):
        arguments["metainfo"] = base64.b64encode(torrent.read_bytes()).decode()
        return self.call("torrent-add", download_dir=str(folder), **arguments)["torrent-added"]["id"]

    def torrents(self, *fields):
        return self.call("torrent-get", fields=["id", "name", *fields])["torrents"]


class Qbittorrent(Program):
    """`storage`: what its settings call it, Legacy (files) or SQLite."""

    def __init__(self, folder, storage="Legacy"):
        port = free_port()
        config = Path(folder) / "profile/qBittorrent/config"
        config.mkdir(parents=True)
        (config / "qBittorrent.conf").write_text(
            "[LegalNotice]\nAccepted=true\n[Preferences]\n"
            f"WebUI\\Port={port}\nWebUI\\Address=127.0.0.1\nWebUI\\LocalHostAuth=false\n"
            "WebUI\\CSRFProtection=false\n[BitTorrent]\nSession\\DHTEnabled=false\n"
            "Session\\LSDEnabled=false\nSession\\PeXEnabled=false\nSession\\Interface=lo\n"
            f"Session\\Port={free_port()}\nSession\\ResumeDataStorageType={storage}\n")
        self.data = Path(folder) / "profile/qBittorrent/data"
        self.kept = self.data / ("torrents.db" if storage == "SQLite" else "BT_backup")
        super().__init__(folder, ["qbittorrent-nox", f"--profile={folder}/profile"], port)
        self.wait_ready("/api/v2/app/version")

    def call(self, path, **fields):
        body = urllib.parse.urlencode(fields) if fields else None
        status, _headers, answer = self.ask(
            "POST" if body else "GET", f"/api/v2/{path}", body,
            {"Content-Type": "application/x-www-form-urlencoded"} if body else None)
        assert status == 200, (path, status, answer)
        return answer

    def add(self, torrent, **fields):
        mark = uuid.uuid4().hex
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                 .encode() for name, value in fields.items()]
        if torrent:
            parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="torrents"; filename="a"'
                         "\r\nContent-Type: application/x-bittorrent\r\n\r\n".encode() +
                         torrent.read_bytes() + b"\r\n")
        parts.append(f"--{mark}--\r\n".encode())
        status, _headers, answer = self.ask(
            "POST", "/api/v2/torrents/add", b"".join(parts),
            {"Content-Type": f"multipart/form-data; boundary={mark}"})
        assert (status, answer) == (200, b"Ok.")

    def torrents(self):
        return {row["name"]: row for row in json.loads(self.call("torrents/info"))}


@pytest.fixture
def programs():
    running = []

    def start(kind, folder, *words):
        folder.mkdir(exist_ok=True)
        running.append(kind(folder, *words))
        return running[-1]

    yield start
    for program in running:
        program.stop()


@pytest.fixture
def make(freshet, tmp_path):
    """An album or a lone file and its torrent."""

    def create(name, files=None, *words):
        path = tmp_path / "data" / name
        for number, (file, size) in enumerate((files or {"": 300000}).items()):
            write(path / file if file else path, size, len(name) + number)
        torrent = tmp_path / f"{name}.torrent"
        result = freshet("create", path, "-o", torrent, "--no-date", "-l", "32K", "-a",
                         "http://127.0.0.1:1/announce", *words)
        assert result.returncode == 0, result.stderr
        return torrent

    return create


def snapshot(folder):
    """Everything in it, with times."""
    return {path.relative_to(folder): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()}


def shown(freshet, *words):
    result = freshet("import", *words, "--dry-run", "--json")
    assert result.returncode == 0, result.stderr
    return {row["name"]: row for row in json.loads(result.stdout)}


FIELDS = ("id", "name", "downloadDir", "labels", "percentDone", "status", "uploadLimit",
          "uploadLimited", "downloadLimited", "seedRatioLimit", "seedRatioMode", "seedIdleLimit",
          "seedIdleMode", "bandwidthPriority", "addedDate", "uploadedEver", "downloadedEver",
          "files", "fileStats", "trackers", "secondsSeeding", "error", "errorString",
          "magnetLink", "metadataPercentComplete", "sequentialDownload", "leftUntilDone")


def rows_of(daemon):
    return {row["name"]: row for row in daemon.torrents(*FIELDS)}


def wait_checked(daemon, names):
    wait_for(lambda: all(rows_of(daemon)[name]["status"] not in (1, 2) for name in names),
             lambda: f"{daemon.torrents()}\n{daemon.log()[-2000:]}")


def tree(base):
    return sorted(str(path.relative_to(base)) for path in base.rglob("*") if path.is_file())


@pytest.fixture
def transmission(programs, make, tmp_path):
    """Three torrents and a link, as Transmission left them."""
    album, half, old = (make(name, files, "--v1") for name, files in (
        ("album", FILES), ("half.bin", None), ("old.bin", None)))
    other = tmp_path / "other"
    other.mkdir()
    program = programs(Transmission, tmp_path / "transmission")
    data = tmp_path / "data"
    first = program.add(album, data)
    # Half of it lies elsewhere.
    content = (data / "half.bin").read_bytes()
    (other / "half.bin").write_bytes(content[:150000])
    second = program.add(half, other, paused=True)
    third = program.add(old, data)
    program.call("torrent-add", filename=MAGNET, paused=True)
    wait_for(lambda: [row["percentDone"] == 1 for row in sorted(
        program.torrents("percentDone"), key=lambda row: row["id"])][:3] == [True, False, True],
             lambda: str(program.torrents("percentDone")))
    program.call("torrent-verify", ids=[second])
    wait_for(lambda: program.torrents("percentDone", "status")[1]["percentDone"] > 0.4,
             lambda: str(program.torrents("percentDone", "status")))
    program.call("torrent-set", ids=[first], labels=["music", "live"], uploadLimit=50,
                 uploadLimited=True, downloadLimit=70, seedRatioLimit=2.5, seedRatioMode=1,
                 seedIdleLimit=33, seedIdleMode=1, priority_high=[0], files_unwanted=[2],
                 bandwidthPriority=1, trackerAdd=["http://127.0.0.1:2/announce"])
    program.call("torrent-rename-path", ids=[first], path="album/sub/b.bin", name="renamed.bin")
    program.call("torrent-rename-path", ids=[first], path="album", name="record")
    program.call("torrent-set", ids=[third], downloadLimited=True, seedRatioMode=2)
    program.stop()
    # What it sent and received in a long life.
    for resume in (program.config / "resume").iterdir():
        text = resume.read_bytes()
        if b"album" in text or b"record" in text:
            assert text.count(b"8:uploadedi0e") == 1 and text.count(b"10:downloadedi0e") == 1
            text = text.replace(b"8:uploadedi0e", b"8:uploadedi123456e")
            text = text.replace(b"10:downloadedi0e", b"10:downloadedi987654e")
            assert b"10:added-datei" in text
            start = text.index(b"10:added-datei") + len(b"10:added-datei")
            end = text.index(b"e", start)
            resume.write_bytes(text[:start] + b"1500000000" + text[end:])
    return program


def test_a_dry_run_shows_what_transmission_has(freshet, transmission, tmp_path):
    before = snapshot(tmp_path)
    rows = shown(freshet, "transmission", transmission.config)
    assert set(rows) == {"record", "half.bin", "old.bin", "some"}
    record = rows["record"]
    assert record["folder"] == str(tmp_path / "data")
    assert (record["state"], record["done"]) == ("running", 1)
    assert (record["files"], record["files_there"], record["files_unwanted"]) == (2, 2, 1)
    assert record["labels"] == ["music", "live"]
    assert (record["uploaded"], record["downloaded"]) == (123456, 987654)
    assert record["added_date"] == 1500000000
    assert record["limits"] == "up 48.8 KiB/s, ratio 2.50, idle 33 min"
    assert record["renamed"] == 2
    assert record["not_kept"] == [] and record["refusal"] is None
    half = rows["half.bin"]
    assert (half["state"], half["folder"]) == ("stopped", str(tmp_path / "other"))
    assert 0.4 < half["done"] < 0.6
    assert rows["some"]["files"] == 0 and rows["some"]["state"] == "stopped"
    result = freshet("import", "transmission", transmission.config, "-n")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["name", "size", "done", "files", "ratio", "state", "labels",
                                "limits", "folder"]
    assert any(line.startswith("record ") and "music, live" in line for line in lines)
    assert snapshot(tmp_path) == before


def test_transmissions_torrents_are_taken_over(freshet, daemons, transmission, tmp_path):
    theirs = snapshot(transmission.config)
    daemon = daemons()
    # Where nobody can be asked, nothing happens without --yes.
    words = ("import", "transmission", transmission.config, "--socket", daemon.socket)
    assert freshet(*words).returncode == 2 and daemon.torrents() == []
    result = freshet(*words, "--yes")
    assert result.returncode == 0, result.stderr
    assert "4 taken over, 0 there already, 0 failed" in result.stdout
    wait_checked(daemon, ["record", "half.bin", "old.bin"])
    wait_for(lambda: rows_of(daemon)["record"]["status"] == 6, daemon.log)
    rows = rows_of(daemon)
    record = rows["record"]
    assert record["downloadDir"] == str(tmp_path / "data")
    assert record["percentDone"] == 1 and record["error"] in (0, 2)
    assert [file["name"] for file in record["files"]] == [
        "record/a.bin", "record/sub/renamed.bin", "record/sub/c.bin"]
    assert [(file["wanted"], file["priority"]) for file in record["fileStats"]] == [
        (True, 1), (True, 0), (False, 0)]
    assert sorted(record["labels"]) == ["live", "music"]
    assert (record["uploadLimit"], record["uploadLimited"]) == (50, True)
    assert not record["downloadLimited"]
    assert (record["seedRatioMode"], record["seedRatioLimit"]) == (1, 2.5)
    assert (record["seedIdleMode"], record["seedIdleLimit"]) == (1, 33)
    assert record["bandwidthPriority"] == 1
    assert record["addedDate"] == 1500000000
    assert (record["uploadedEver"], record["downloadedEver"]) == (123456, 987654)
    assert [tracker["announce"] for tracker in record["trackers"]] == [
        "http://127.0.0.1:1/announce", "http://127.0.0.1:2/announce"]
    half = rows["half.bin"]
    assert (half["status"], half["downloadDir"]) == (0, str(tmp_path / "other"))
    # Hashed, though it is stopped: four whole pieces of 32 KiB are there.
    assert half["leftUntilDone"] == 300000 - 4 * 32768
    assert (rows["old.bin"]["seedRatioMode"], rows["old.bin"]["downloadLimited"]) == (2, True)
    assert rows["some"]["magnetLink"].startswith(f"magnet:?xt=urn:btih:{HASH}")
    assert rows["some"]["status"] == 0
    # What it did elsewhere was not done by this daemon.
    stats = daemon.rpc("session-stats")
    assert stats["cumulative-stats"]["uploadedBytes"] < 123456
    # Once more: everything is there already, and stays as it is.
    daemon.rpc("torrent-set", ids=[record["id"]], labels=["mine"])
    result = freshet(*words, "--yes", "--json")
    assert result.returncode == 0, result.stderr
    assert {row["result"] for row in json.loads(result.stdout)} == {"exists"}
    assert rows_of(daemon)["record"]["labels"] == ["mine"]
    assert snapshot(transmission.config) == theirs
    assert tree(tmp_path / "data") == ["half.bin", "old.bin", "record/a.bin", "record/sub/c.bin",
                                       "record/sub/renamed.bin"]
    # It outlives the daemon.
    daemon.kill()
    daemon.start()
    wait_for(lambda: rows_of(daemon)["record"]["status"] == 6, daemon.log)
    again = rows_of(daemon)["record"]
    assert again["files"] == record["files"] and again["uploadedEver"] == 123456


def test_what_was_taken_over_is_served_and_fetched(freshet, daemons, peers, transmission, tmp_path):
    daemon = daemons()
    result = freshet("import", "transmission", transmission.config, "--socket", daemon.socket, "-y")
    assert result.returncode == 0, result.stderr
    wait_for(lambda: rows_of(daemon)["record"]["status"] == 6, daemon.log)
    get = peers("get", tmp_path / "album.torrent", "-o", tmp_path / "got", "-s", "1-2", "--peer",
                daemon.endpoint)
    assert get.wait() == 0, get.log()
    assert (tmp_path / "got/album/sub/b.bin").read_bytes() == (
        tmp_path / "data/record/sub/renamed.bin").read_bytes()


@pytest.fixture(params=["Legacy", "SQLite"])
def qbittorrent(request, programs, make, tmp_path):
    album, lone, loose = make("album", FILES), make("lone.bin"), make("loose", FILES)
    data = tmp_path / "data"
    shutil.move(data / "loose", tmp_path / "loose place")
    program = programs(Qbittorrent, tmp_path / "qbittorrent", request.param)
    program.add(album, savepath=data, category="music", tags="live,1999", upLimit="51200",
                dlLimit="71680", ratioLimit="2.5", seedingTimeLimit="60",
                sequentialDownload="true", rename="My Album", paused="false")
    program.add(loose, savepath=tmp_path / "loose place", contentLayout="NoSubfolder",
                paused="false")
    (tmp_path / "wrapped/lone").mkdir(parents=True)
    shutil.copy(data / "lone.bin", tmp_path / "wrapped/lone/lone.bin")
    program.add(lone, savepath=tmp_path / "wrapped", contentLayout="Subfolder", paused="true")
    program.add(None, urls=MAGNET, paused="true")
    wait_for(lambda: len(program.torrents()) == 4, lambda: str(program.torrents()))
    number = program.torrents()["My Album"]["hash"]
    wait_for(lambda: all(program.torrents()[name]["state"] in ("uploading", "stalledUP")
                         for name in ("My Album", "loose")), lambda: str(program.torrents()))

    def has_file(path):
        return path in [file["name"] for file in
                        json.loads(program.call(f"torrents/files?hash={number}"))]

    program.call("torrents/filePrio", hash=number, id="2", priority="0")
    program.call("torrents/filePrio", hash=number, id="0", priority="7")
    program.call("torrents/addTrackers", hash=number, urls="http://127.0.0.1:2/announce")
    program.call("torrents/renameFile", hash=number, oldPath="album/sub/b.bin",
                 newPath="album/sub/renamed.bin")
    wait_for(lambda: has_file("album/sub/renamed.bin"), program.log.read_text)
    program.call("torrents/renameFolder", hash=number, oldPath="album", newPath="record")
    wait_for(lambda: has_file("record/sub/renamed.bin") and has_file("record/a.bin"),
             program.log.read_text)
    program.stop()
    return program


def test_qbittorrents_torrents_are_taken_over(freshet, daemons, qbittorrent, tmp_path):
    theirs = snapshot(qbittorrent.data)
    assert qbittorrent.kept.exists()
    rows = shown(freshet, "qbittorrent", qbittorrent.kept)
    assert rows == shown(freshet, "qbittorrent", tmp_path / "qbittorrent/profile")
    assert set(rows) == {"record", "loose place", "lone.bin", "some"}
    assert sorted(rows["record"]["labels"]) == ["1999", "live", "music"]
    assert rows["record"]["limits"] == ("down 70.0 KiB/s, up 50.0 KiB/s, ratio 2.50, seed 60 min")
    assert rows["record"]["not_kept"] == ["the name that it was shown by (My Album)"]
    assert rows["loose place"]["folder"] == str(tmp_path)
    assert rows["lone.bin"]["folder"] == str(tmp_path / "wrapped/lone")
    daemon = daemons()
    result = freshet("import", "qbittorrent", qbittorrent.kept, "--socket", daemon.socket, "-y")
    assert result.returncode == 0, result.stderr
    names = ["record", "loose place", "lone.bin"]
    wait_checked(daemon, names)
    wait_for(lambda: all(rows_of(daemon)[name]["percentDone"] == 1 for name in names),
             lambda: f"{daemon.torrents()}\n{daemon.log()[-2000:]}")
    rows = rows_of(daemon)
    record = rows["record"]
    # The torrent is a hybrid: there is padding between its files, which both count.
    files = [(file["name"], stats["wanted"], stats["priority"])
             for file, stats in zip(record["files"], record["fileStats"])
             if "/.pad/" not in file["name"]]
    assert files == [("record/a.bin", True, 1), ("record/sub/renamed.bin", True, 0),
                     ("record/sub/c.bin", False, 0)]
    assert sorted(record["labels"]) == ["1999", "live", "music"]
    assert (record["uploadLimit"], record["uploadLimited"]) == (51, True)
    assert (record["seedRatioMode"], record["seedRatioLimit"]) == (1, 2.5)
    assert sorted(tracker["announce"] for tracker in record["trackers"]) == [
        "http://127.0.0.1:1/announce", "http://127.0.0.1:2/announce"]
    assert rows["lone.bin"]["status"] == 0
    assert rows["loose place"]["downloadDir"] == str(tmp_path)
    assert rows["some"]["magnetLink"].startswith(f"magnet:?xt=urn:btih:{HASH}")
    assert snapshot(qbittorrent.data) == theirs


def info(name):
    return b"d4:infod6:lengthi9e4:name%d:%s12:piece lengthi16384e6:pieces20:%see" % (
        len(name), name.encode(), b"a" * 20)


def database(path, columns, rows):
    """As qBittorrent would make it, with the columns that matter to a test."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute(f"CREATE TABLE torrents(id INTEGER PRIMARY KEY, {columns})")
        marks = ", ".join("?" * (columns.count(",") + 2))
        made.executemany(f"INSERT INTO torrents VALUES({marks})", rows)
        made.commit()


def test_an_older_database_and_what_is_odd_in_it(freshet, tmp_path):
    """Columns that are not there are not missed; the queue's order is kept; one row that is damaged
    is told, and the rest goes on."""
    path = tmp_path / "with ?#% in it/data/torrents.db"
    good = b"d9:save_path4:/tmp6:pausedi0ee"
    database(path, "torrent_id TEXT, queue_position INTEGER, tags TEXT, "
             "libtorrent_resume_data BLOB, metadata BLOB", [
                 (1, "aa", -1, None, good, info("not queued")),
                 (2, "bb", 1, "one,two", good, info("second")),
                 (3, "cc", 0, "", good, info("first")),
                 (4, "dd", 2, None, b"le", info("no dictionary")),
                 (5, "ee", 3, None, b"", info("empty")),
                 (6, "ff", 4, None, good, b"d1:a"),
                 (7, "gg", 5, 12, 7, 9),
                 (8, "hh", 6, None, good, None)])
    before = snapshot(tmp_path)
    result = freshet("import", "qbittorrent", path.parent.parent, "-n", "--json")
    assert result.returncode == 0, result.stderr
    rows = json.loads(result.stdout)
    assert [row["name"] for row in rows] == ["first", "second", "no dictionary", "empty", "ff", "gg",
                                             "hh", "not queued"]
    assert [row["name"] for row in rows if row["refusal"] is None] == ["first", "second",
                                                                       "not queued"]
    assert rows[1]["labels"] == ["one", "two"] and rows[0]["labels"] == []
    assert "neither its torrent nor its hash" in rows[6]["refusal"]
    assert snapshot(tmp_path) == before


def test_a_database_that_is_none_is_told(freshet, tmp_path):
    path = tmp_path / "BT_backup/../torrents.db"
    (tmp_path / "BT_backup").mkdir()

    def told(*words):
        result = freshet("import", "qbittorrent", tmp_path / "BT_backup", "-n")
        assert result.returncode == 2, result.stderr
        assert all(word in result.stderr for word in (str(tmp_path / "torrents.db"), *words))

    path.write_bytes(b"no database at all" * 500)
    told("damaged")
    path.unlink()
    database(path, "torrent_id TEXT, metadata BLOB", [(1, "aa", None)])
    told("damaged")
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("CREATE VIEW torrents AS SELECT 1 id, 'aa' torrent_id, 0 queue_position, "
                     "x'6465' libtorrent_resume_data, x'6465' metadata")
        made.commit()
    told("damaged")
    path.unlink()
    database(path, "torrent_id TEXT, queue_position INTEGER, libtorrent_resume_data BLOB, "
             "metadata BLOB", [(1, "aa", 0, b"d9:save_path4:/tmpe", info("a"))])
    assert set(shown(freshet, "qbittorrent", tmp_path)) == {"a"}
    whole = path.read_bytes()
    path.write_bytes(whole[:4096])
    told("damaged")
    path.write_bytes(whole[:5000])  # the row is there still, and empty
    rows = shown(freshet, "qbittorrent", tmp_path)
    assert ["resume data" in row["refusal"] for row in rows.values()] == [True]


def test_a_database_that_is_in_use_is_not_read(freshet, tmp_path):
    """What is only in its log of changes would be missed."""
    path = tmp_path / "torrents.db"
    database(path, "torrent_id TEXT, queue_position INTEGER, libtorrent_resume_data BLOB, "
             "metadata BLOB", [(1, "aa", 0, b"d9:save_path4:/tmpe", info("a"))])
    with contextlib.closing(sqlite3.connect(path)) as theirs:
        theirs.execute("PRAGMA journal_mode = WAL")
        theirs.execute("UPDATE torrents SET queue_position = 1")
        theirs.commit()
        before = snapshot(tmp_path)
        result = freshet("import", "qbittorrent", path, "-n")
        assert result.returncode != 0 and "torrents.db-wal" in result.stderr
        assert snapshot(tmp_path) == before
    assert set(shown(freshet, "qbittorrent", path)) == {"a"}


def test_a_folder_of_junk_harms_nobody(freshet, tmp_path):
    """What is damaged, huge, no file or a trap is told, and the rest goes on."""
    config = tmp_path / "config"
    for name in ("resume", "torrents"):
        (config / name).mkdir(parents=True)
    good = b"d4:infod6:lengthi9e4:name1:f12:piece lengthi16384e6:pieces20:" + b"a" * 20 + b"ee"
    cases = {
        "a": (good, b"d11:destination4:/tmpe"), "b": (good, b"d11:destination2:../e"),
        "c": (good, b"d" * 100000), "d": (b"d" * 100, b"de"), "e": (good, None),
        "f": (good, b"d11:destination4:/tmp5:filesl11:../../../etcee"), "g": (good, b"le"),
        "h": (good, b"d11:destination4:/tmp8:uploadedi-5e6:labelsl3:a,bee"),
    }
    for name, (torrent, resume) in cases.items():
        (config / "torrents" / f"{name}.torrent").write_bytes(torrent)
        if resume is not None:
            (config / "resume" / f"{name}.resume").write_bytes(resume)
    os.mkfifo(config / "torrents/pipe.torrent")
    (config / "torrents/folder.torrent").mkdir()
    (config / "torrents/gone.torrent").symlink_to("nowhere")
    result = freshet("import", "transmission", config, "-n", "--json")
    assert result.returncode == 0, result.stderr
    rows = json.loads(result.stdout)
    assert len(rows) == len(cases) + 3
    assert sum(row["refusal"] is None for row in rows) == 2
    assert [row["not_kept"] for row in rows if row["not_kept"]] == [["the label 'a,b'"]]


def test_no_folder_is_said(freshet, tmp_path):
    env = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    result = freshet("import", "qbittorrent", "-n", env=env)
    assert result.returncode == 2 and "name it" in result.stderr
    result = freshet("import", "transmission", tmp_path / "absent", "-n")
    assert result.returncode == 2 and "absent" in result.stderr
    (tmp_path / "transmission/torrents").mkdir(parents=True)
    result = freshet("import", "transmission", "-n", "--json", env=env)
    assert (result.returncode, json.loads(result.stdout)) == (0, [])
    result = freshet("import", "transmission", "-n", env=env)
    assert result.returncode == 2 and f"is in {tmp_path}" in result.stderr
    (tmp_path / "file").touch()
    result = freshet("import", "transmission", tmp_path / "file", "-n")
    assert result.returncode == 2 and "file" in result.stderr


def test_without_a_daemon_nothing_is_taken_over(freshet, transmission, tmp_path):
    result = freshet("import", "transmission", transmission.config, "-y", "--socket",
                     tmp_path / "none")
    assert result.returncode == 4 and "no daemon" in result.stderr
