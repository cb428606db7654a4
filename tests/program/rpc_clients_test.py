# SPDX-License-Identifier: MIT
"""Programs that people drive Transmission with, each against a daemon that really transfers."""
import base64
import http.client
import json
import re
import socket
import subprocess
import warnings

import pytest
from conftest import PROGRAM, ROOT
from daemons import daemons  # noqa: F401  a fixture
from peers import Peer, wait_for, write

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import transmissionrpc

WEB = ROOT / "web"


@pytest.fixture
def swarm(daemons, tmp_path, freshet):  # noqa: F811
    """A daemon that downloads from a seed: the torrent is added by the test, the peer is known."""
    content = tmp_path / "here/album"
    for number in range(1, 4):
        write(content / f"{number}.flac", number * 300_000, number)
    torrent = tmp_path / "album.torrent"
    freshet("create", content, "-o", torrent, "-l", "64K", "--v1")
    seed = Peer(tmp_path, "seed", torrent, "-o", content.parent, "--no-dht")
    seed.wait_event("ready")
    daemon = daemons("--peer", seed.events("ready")[0]["listen"])
    daemon.content, daemon.torrent = content, torrent
    yield daemon
    seed.process.terminate()
    seed.process.wait(30)


def same(daemon, folder):
    for file in daemon.content.iterdir():
        assert (folder / "album" / file.name).read_bytes() == file.read_bytes()


def settled(daemon):
    """Complete and at work: neither checked nor moved."""
    row = daemon.torrents()[0]
    return row["percentDone"] == 1 and row["status"] == 6


@pytest.fixture
def remote(swarm):
    def run(*words):
        result = subprocess.run(["transmission-remote", swarm.ready["rpc"],
                                 "-n", f"anyone:{swarm.token}", *map(str, words)],
                                capture_output=True, text=True, check=False, timeout=60)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout
    return run


def test_transmission_remote_drives_a_transfer(swarm, remote, tmp_path):
    assert "success" in remote("-a", swarm.torrent)
    wait_for(lambda: settled(swarm), lambda: swarm.torrents())
    same(swarm, swarm.folder / "downloads")
    listed = remote("-l")
    assert re.search(r"^\s+1\s+100%\s.*\s(Idle|Seeding)\s+album$", listed, re.M), listed
    files = remote("-t", "1", "-f")
    assert "album (3 files):" in files
    assert re.search(r"2: 100% Normal +Yes +900\.0 kB +album/3\.flac", files), files
    info = remote("-t", "1", "-i")
    assert "  Name: album\n" in info and "  Percent Done: 100%\n" in info
    assert "  Piece Size: 64.00 KiB\n" in info
    remote("-t", "1", "-u", "123", "-sr", "2.5", "-Bh")
    info = remote("-t", "1", "-i")
    assert "  Upload Limit: 123 kB/s\n" in info and "  Ratio Limit: 2.5\n" in info
    assert "  Bandwidth Priority: High\n" in info
    remote("-t", "1", "-g", "0,1", "-ph", "0")
    assert "High" in remote("-t", "1", "-f")
    assert "success" in remote("-t", "1", "-v")
    wait_for(lambda: settled(swarm), lambda: swarm.torrents())
    assert "success" in remote("-t", "1", "--move", tmp_path / "daemon-0/downloads/moved")
    wait_for(lambda: (swarm.folder / "downloads/moved/album/3.flac").exists() and settled(swarm),
             lambda: swarm.torrents())
    same(swarm, swarm.folder / "downloads/moved")
    remote("-t", "1", "-S")
    wait_for(lambda: swarm.torrents()[0]["status"] == 0, "it runs on")
    remote("-t", "1", "-s")
    wait_for(lambda: settled(swarm), "it does not start")
    assert "success" in remote("-t", "1", "-rad")
    wait_for(lambda: not swarm.torrents(), "it stays")
    wait_for(lambda: not (swarm.folder / "downloads/moved/album").exists(), "its data stay")


def test_transmission_remote_sees_and_sets_the_session(swarm, remote):
    remote("-d", "321", "-u", "100", "-asd", "40")
    remote("--alt-speed")
    session = remote("-si")
    assert f"  Download directory: {swarm.folder}/downloads\n" in session
    assert ("  Download speed limit: 40 kB/s (Enabled limit: 321 kB/s; Enabled turtle limit: "
            "40 kB/s)\n") in session
    remote("--no-alt-speed")
    assert "  Download speed limit: 321 kB/s (Enabled limit: 321 kB/s;" in remote("-si")
    assert "CURRENT SESSION" in remote("-st")
    assert "Port is open" in remote("-pt")


@pytest.fixture
def client(swarm):
    host, port = swarm.ready["rpc"].split(":")
    return transmissionrpc.Client(host, int(port), user="anyone", password=swarm.token, timeout=60)


def test_python_transmissionrpc_drives_a_transfer(swarm, client):
    added = client.add_torrent(base64.b64encode(swarm.torrent.read_bytes()).decode())
    assert (added.id, added.name) == (1, "album")
    wait_for(lambda: client.get_torrent(1).status == "seeding" and settled(swarm),
             lambda: client.get_torrent(1).status)
    torrent = client.get_torrent(1)
    assert (torrent.progress, torrent.totalSize, torrent.leftUntilDone) == (100.0, 1_800_000, 0)
    assert [(file["name"], file["size"], file["completed"], file["selected"], file["priority"])
            for file in client.get_files()[1].values()] == \
        [(f"album/{number}.flac", number * 300_000, number * 300_000, True, "normal")
         for number in (1, 2, 3)]
    client.set_files({1: {0: {"selected": True, "priority": "high"}}})
    assert client.get_files()[1][0]["priority"] == "high"
    client.change_torrent(1, uploadLimit=55, uploadLimited=True, seedRatioMode=1,
                          seedRatioLimit=3.0)
    torrent = client.get_torrent(1)
    assert (torrent.upload_limit, torrent.seed_ratio_limit) == (55, 3.0)
    client.move_torrent_data(1, str(swarm.folder / "downloads/moved"))
    wait_for(lambda: client.get_torrent(1).downloadDir == str(swarm.folder / "downloads/moved") and
             settled(swarm), "it does not move")
    same(swarm, swarm.folder / "downloads/moved")
    client.verify_torrent(1)
    wait_for(lambda: settled(swarm), "the check does not end")
    client.rename_torrent_path(1, "album", "record")
    wait_for(lambda: (swarm.folder / "downloads/moved/record/1.flac").exists(), "no new name")
    wait_for(lambda: client.get_torrent(1).name == "record" and settled(swarm), "no new name")
    client.stop_torrent(1)
    wait_for(lambda: client.get_torrent(1).status == "stopped", "it runs on")
    client.start_torrent(1)
    client.reannounce_torrent(1)
    client.remove_torrent(1, delete_data=True)
    wait_for(lambda: not client.get_torrents(), "it stays")
    wait_for(lambda: not (swarm.folder / "downloads/moved/record").exists(), "its data stay")


def test_python_transmissionrpc_orders_the_queue_and_sets_the_session(swarm, client, tmp_path,
                                                                      freshet):
    for number in range(3):
        path = write(tmp_path / f"here/{number}.bin", 50_000, 10 + number)
        freshet("create", path, "-o", tmp_path / f"{number}.torrent")
        client.add_torrent(base64.b64encode((tmp_path / f"{number}.torrent").read_bytes()).decode(),
                           paused=True)
    order = lambda: [torrent.name for torrent in sorted(  # noqa: E731
        client.get_torrents(), key=lambda torrent: torrent.queue_position)]
    assert order() == ["0.bin", "1.bin", "2.bin"]
    client.queue_top(3)
    assert order() == ["2.bin", "0.bin", "1.bin"]
    client.queue_down(3)
    assert order() == ["0.bin", "2.bin", "1.bin"]
    client.queue_bottom(1)
    assert order() == ["2.bin", "1.bin", "0.bin"]
    client.queue_up(1)
    assert order() == ["2.bin", "0.bin", "1.bin"]
    client.set_session(speed_limit_down=77, speed_limit_down_enabled=True, download_queue_size=2,
                       seedRatioLimit=1.25, seedRatioLimited=True)
    session = client.get_session()
    assert (session.speed_limit_down, session.download_queue_size) == (77, 2)
    assert (session.seedRatioLimit, session.seedRatioLimited) == (1.25, True)
    assert client.free_space(str(swarm.folder / "downloads")) > 0
    assert client.session_stats().torrentCount == 3
    assert client.port_test() is False # it listens on a loopback address
    with pytest.raises(transmissionrpc.TransmissionError):
        client.free_space("relative")


def test_ctrl_transmission_of_npm_drives_a_transfer(swarm):
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=WEB, check=True,
                   timeout=300, capture_output=True)
    result = subprocess.run(["node", ROOT / "tests/program/rpc_client.mjs"], capture_output=True,
                            text=True, check=False, timeout=180, input=json.dumps({
                                "url": f"http://{swarm.ready['rpc']}/", "token": swarm.token,
                                "torrent": str(swarm.torrent),
                                "folder": str(swarm.folder / "downloads")}))
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1] == "all is well"


class Flood:
    """Flood's own server, set up for a daemon as its manual says, asked as its page asks it."""

    def __init__(self, daemon, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.cookie, self.log = "", folder / "flood.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["node", WEB / "node_modules/flood/dist/index.js", "--auth", "none",
                 "--rundir", folder / "flood", "--host", "127.0.0.1", "--port", str(self.port),
                 "--trurl", f"http://{daemon.ready['rpc']}/transmission/rpc", "--truser", "anyone",
                 "--trpass", daemon.token], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def answers(self):
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        try:
            return self.ask("GET", "/auth/verify") and \
                self.ask("GET", "/client/connection-test")["isConnected"]
        except ConnectionError:
            return False

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, "/api" + path, body and json.dumps(body),
                           {"Content-Type": "application/json", "Cookie": self.cookie})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        self.cookie = answer.headers.get("Set-Cookie", self.cookie).split(";")[0]
        assert answer.status == 200, (method, path, answer.status, text[:500])
        return json.loads(text) if text else True

    def torrent(self):
        """The only one."""
        torrents = self.ask("GET", "/torrents")["torrents"]
        return next(iter(torrents.values()), None)

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def flood(swarm, tmp_path):
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=WEB, check=True,
                   timeout=300, capture_output=True)
    server = Flood(swarm, tmp_path)
    try:
        wait_for(server.answers, lambda: server.log.read_text()[-2000:])
        yield server
    finally:
        server.stop()


def test_flood_drives_a_transfer(swarm, flood):
    downloads = str(swarm.folder / "downloads")
    number, = flood.ask("POST", "/torrents/add-files", {
        "files": [base64.b64encode(swarm.torrent.read_bytes()).decode()], "destination": downloads,
        "tags": ["one"], "start": True, "isBasePath": False, "isCompleted": False,
        "isSequential": False, "isInitialSeeding": False})
    one = {"hashes": [number]}

    def shows(condition):
        wait_for(lambda: flood.torrent() and condition(flood.torrent()), lambda: flood.torrent())

    shows(lambda row: "complete" in row["status"] and "seeding" in row["status"])
    same(swarm, swarm.folder / "downloads")
    row = flood.torrent()
    assert (row["name"], row["tags"], row["percentComplete"]) == ("album", ["one"], 100)
    assert row["sizeBytes"] == row["bytesDone"] == 1_800_000 and row["directory"] == downloads
    contents = flood.ask("GET", f"/torrents/{number}/contents")
    assert [(file["path"], file["sizeBytes"], file["percentComplete"]) for file in contents] == \
        [(f"album/{name}.flac", name * 300_000, 100) for name in (1, 2, 3)]
    details = flood.ask("GET", f"/torrents/{number}/details")
    assert len(details["contents"]) == 3 and details["peers"] == [], details # two seeds part
    flood.ask("PATCH", f"/torrents/{number}/contents", {"indices": [1], "priority": 2})
    flood.ask("PATCH", "/torrents/tags", {**one, "tags": ["a", "b"]})
    flood.ask("PATCH", "/torrents/trackers", {**one, "trackers": ["http://127.0.0.1:9/announce"]})
    shows(lambda row: row["tags"] == ["a", "b"])
    assert flood.ask("GET", f"/torrents/{number}/trackers")[0]["url"] == "http://127.0.0.1:9/announce"
    assert swarm.torrents("priorities")[0]["priorities"] == [0, 1, 0]
    flood.ask("POST", "/torrents/stop", one)
    shows(lambda row: "stopped" in row["status"])
    flood.ask("POST", "/torrents/start", one)
    flood.ask("POST", "/torrents/check-hash", one)
    flood.ask("POST", "/torrents/reannounce", one)
    wait_for(lambda: settled(swarm), lambda: swarm.torrents())
    flood.ask("PATCH", "/client/settings", {"throttleGlobalDownSpeed": 512000, "protocolPex": False})
    session = swarm.rpc("session-get")
    assert (session["speed-limit-down"], session["speed-limit-down-enabled"]) == (500, True)
    assert session["pex-enabled"] is False
    flood.ask("POST", "/torrents/move", {**one, "destination": downloads + "/sub", "moveFiles": True,
                                         "isBasePath": False, "isCheckHash": False})
    wait_for(lambda: swarm.torrents()[0]["downloadDir"] == downloads + "/sub" and settled(swarm),
             lambda: swarm.torrents())
    same(swarm, swarm.folder / "downloads/sub")
    flood.ask("POST", "/torrents/delete", {**one, "deleteData": True})
    wait_for(lambda: flood.torrent() is None and not swarm.torrents(), lambda: swarm.torrents())
    wait_for(lambda: not list((swarm.folder / "downloads").rglob("*.flac")), "its files are left")


# ---- a program that cannot be had here ----

# What Sonarr and its kin ask a torrent-get for, and how they judge the answer.
SEEN_BY_SONARR = ("id", "hashString", "name", "downloadDir", "totalSize", "leftUntilDone", "isFinished",
                  "eta", "status", "secondsDownloading", "secondsSeeding", "errorString",
                  "uploadedEver", "downloadedEver", "seedRatioLimit", "seedRatioMode",
                  "seedIdleLimit", "seedIdleMode", "fileCount", "file-count")


def judged(row):
    """Words first: any of them keep a download from being imported."""
    if row["errorString"].strip():
        return "warning"
    if row["totalSize"] == 0:
        return "queued"
    if row["leftUntilDone"] == 0 and row["status"] in (0, 5, 6):
        return "completed"
    return "downloading"


def test_what_is_complete_is_imported_though_trackers_are_dead(swarm, tmp_path, freshet):
    made = freshet("edit", swarm.torrent, "-o", tmp_path / "dead.torrent", "--announce",
                   "http://127.0.0.1:9/announce", "--announce", "udp://127.0.0.1:9")
    assert made.returncode == 0, made.stderr
    version = swarm.rpc("session-get")["version"]
    assert tuple(map(int, re.search(r"[0-9.]+", version)[0].split("."))) >= (2, 40), version
    folder = swarm.rpc("session-get")["download-dir"] + "/tv-sonarr"
    added = swarm.add(tmp_path / "dead.torrent", download_dir=folder, paused=False)
    number = added["hashString"]
    swarm.rpc("torrent-set", ids=[number], seedRatioLimit=1.5, seedRatioMode=1)
    swarm.rpc("queue-move-top", ids=[number])

    def row():
        return swarm.rpc("torrent-get", fields=SEEN_BY_SONARR)["torrents"][0]
    wait_for(lambda: judged(row()) == "completed", row)
    wait_for(lambda: swarm.torrents("trackerStats")[0]["trackerStats"][0]["hasAnnounced"], row)
    assert judged(row()) == "completed", row()
    assert row()["downloadDir"] == folder and (row()["seedRatioMode"], row()["seedRatioLimit"]) == (1, 1.5)
    same(swarm, tmp_path / folder)
    swarm.rpc("torrent-remove", ids=[number.lower()], delete_local_data=True)
    wait_for(lambda: not swarm.torrents(), lambda: swarm.torrents())


def test_what_the_only_tracker_says_is_told(swarm, tmp_path, freshet):
    (tmp_path / "allowed").write_text("00" * 20 + "\n")
    tracker = subprocess.Popen([PROGRAM, "tracker", "--progress=json", "--http", "127.0.0.1:0", "--allow",
                                tmp_path / "allowed"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        url = f"http://{json.loads(tracker.stdout.readline())['listen']}/announce"
        made = freshet("edit", swarm.torrent, "-o", tmp_path / "said.torrent", "--announce", url)
        assert made.returncode == 0, made.stderr
        swarm.add(tmp_path / "said.torrent")
        wait_for(lambda: swarm.torrents()[0]["error"] == 2, lambda: swarm.torrents())
        assert swarm.torrents()[0]["errorString"].startswith("127.0.0.1:"), swarm.torrents()
    finally:
        tracker.kill()
        tracker.communicate()
