# SPDX-License-Identifier: MIT
"""What is set over the RPC holds for bytes that really move: limits, groups, trackers, the port."""
import json
import signal
import socket
import subprocess
import time

import pytest
from conftest import PROGRAM
from daemons import daemons  # noqa: F401, a fixture
from peers import peers, wait_for, write  # noqa: F401, fixtures
from daemon_test import Client

MIB = 1 << 20
KIB = 1 << 10


@pytest.fixture
def seeded(freshet, peers, tmp_path):
    """A torrent of that size and a peer that has it."""

    def make(name, size, *words):
        source = write(tmp_path / "from" / name, size)
        torrent = tmp_path / f"{name}.torrent"
        assert freshet("create", source, "-o", torrent, "-l", "32K", "--no-date",
                       *words).returncode == 0
        return torrent, source, peers("seed", torrent, "-o", source.parent)

    return make


@pytest.fixture
def tracker():
    running = []

    def start():
        process = subprocess.Popen([PROGRAM, "tracker", "--progress=json", "--http", "127.0.0.1:0"],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        running.append(process)
        process.url = f"http://{json.loads(process.stdout.readline())['listen']}/announce"
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def fields(daemon, number, *names):
    return daemon.torrents(*names, ids=[number])[0]


# ---- limits ----


def test_a_torrent_may_stand_beside_the_limit_of_all(daemons, seeded):
    first, source, one = seeded("held", 2 * MIB)
    second, other, two = seeded("free", 2 * MIB)
    daemon = daemons("--peer", one.endpoint, "--peer", two.endpoint)
    daemon.rpc("session-set", speed_limit_down=20, speed_limit_down_enabled=True)
    held, free = daemon.add(first, paused=True)["id"], daemon.add(second, paused=True)["id"]
    daemon.rpc("torrent-set", ids=[free], honorsSessionLimits=False)
    daemon.rpc("torrent-start")
    wait_for(lambda: fields(daemon, free, "percentDone")["percentDone"] == 1,
             lambda: daemon.torrents())
    # At 20 kB/s the whole of the other one takes more than a minute and a half.
    assert fields(daemon, held, "percentDone")["percentDone"] < 1
    wait_for(lambda: "limit of all torrents" in fields(daemon, held, "why")["why"],
             lambda: fields(daemon, held, "why", "rateDownload"))
    assert fields(daemon, free, "honorsSessionLimits")["honorsSessionLimits"] is False
    # While it runs it can be let go too.
    daemon.rpc("torrent-set", ids=[held], honorsSessionLimits=False)
    wait_for(lambda: fields(daemon, held, "percentDone")["percentDone"] == 1,
             lambda: daemon.torrents())


def test_of_a_limit_who_has_priority_gets_more(daemons, seeded):
    torrents = [seeded(name, 3 * MIB) for name in ("low", "high")]
    daemon = daemons(*[word for _, _, seed in torrents for word in ("--peer", seed.endpoint)])
    daemon.rpc("session-set", speed_limit_down=400, speed_limit_down_enabled=True)
    low, high = [daemon.add(torrent, paused=True)["id"] for torrent, _, _ in torrents]
    daemon.rpc("torrent-set", ids=[low], bandwidthPriority=-1)
    daemon.rpc("torrent-set", ids=[high], bandwidthPriority=1)
    daemon.rpc("torrent-start")
    wait_for(lambda: fields(daemon, high, "percentDone")["percentDone"] == 1,
             lambda: daemon.torrents())
    # Sixteen to one; far less than that is asked, since one may begin before the other.
    assert fields(daemon, low, "haveValid")["haveValid"] < 3 * MIB / 2
    assert fields(daemon, low, "bandwidthPriority")["bandwidthPriority"] == -1


def test_a_group_shares_a_limit_and_is_kept(daemons, seeded):
    torrents = [seeded(name, 2 * MIB) for name in ("one", "two", "free")]
    daemon = daemons(*[word for _, _, seed in torrents for word in ("--peer", seed.endpoint)])
    one, two, free = [daemon.add(torrent, paused=True)["id"] for torrent, _, _ in torrents]
    daemon.rpc("group-set", name="slow ones", speed_limit_down=20, speed_limit_down_enabled=True)
    daemon.rpc("torrent-set", ids=[one, two], group="slow ones")
    begun = time.monotonic()
    daemon.rpc("torrent-start")
    wait_for(lambda: fields(daemon, free, "percentDone")["percentDone"] == 1,
             lambda: daemon.torrents())
    wait_for(lambda: all(fields(daemon, number, "haveValid")["haveValid"] for number in (one, two)),
             lambda: daemon.torrents())
    got = sum(row["downloadedEver"] for row in daemon.torrents("downloadedEver", ids=[one, two]))
    # No more than the limit gives in that time: a burst, and what was on its way, beside.
    assert got <= 20000 * (time.monotonic() - begun) + 5000 + 4 * 16448, got
    want = {"name": "slow ones", "speed-limit-down": 20, "speed-limit-down-enabled": True,
            "speed-limit-up": 0, "speed-limit-up-enabled": False, "honorsSessionLimits": True}
    assert daemon.rpc("group-get")["group"] == [want]
    assert daemon.rpc("group-get", group=["others"])["group"] == []
    assert fields(daemon, one, "group")["group"] == "slow ones"
    # It outlives the daemon, and still holds.
    assert daemon.kill(signal.SIGTERM) == 0
    daemon.start()
    assert daemon.rpc("group-get", group="slow ones")["group"] == [want]
    assert fields(daemon, two, "group", "percentDone")["group"] == "slow ones"
    assert fields(daemon, two, "percentDone")["percentDone"] < 1
    daemon.rpc("group-set", name="slow ones", speed_limit_down_enabled=False)
    wait_for(lambda: all(row["percentDone"] == 1 for row in daemon.torrents()),
             lambda: daemon.torrents())
    for name in ("", "two\nlines", "x" * 300):
        assert daemon.try_rpc("group-set", name=name)["result"] != "success"


# ---- trackers ----


def test_trackers_of_a_running_torrent_are_those_of_now(daemons, seeded, tracker):
    old, new = tracker(), tracker()
    torrent, _, seed = seeded("f.bin", MIB, "-a", old.url)
    daemon = daemons("--peer", seed.endpoint)
    number = daemon.add(torrent)["id"]

    def urls():
        return [entry["announce"] for entry in fields(daemon, number, "trackers")["trackers"]]
    wait_for(lambda: fields(daemon, number, "status")["status"] == 6, lambda: daemon.torrents())
    assert urls() == [old.url]
    wait_for(lambda: fields(daemon, number, "trackerStats")["trackerStats"][0][
        "lastAnnounceSucceeded"], lambda: fields(daemon, number, "trackerStats"))
    stats = fields(daemon, number, "trackerStats")["trackerStats"][0]
    assert abs(stats["lastAnnounceTime"] - time.time()) < 3600 and stats["hasAnnounced"]
    daemon.rpc("torrent-set", ids=[number], trackerAdd=[new.url])
    wait_for(lambda: urls() == [old.url, new.url], urls)
    daemon.rpc("torrent-set", ids=[number], trackerRemove=[0])
    wait_for(lambda: urls() == [new.url], urls)
    # Those of the next start too.
    daemon.kill()
    daemon.start()
    wait_for(lambda: fields(daemon, number, "status")["status"] == 6, lambda: daemon.torrents())
    assert urls() == [new.url]


def test_public_torrents_have_the_trackers_of_all_and_private_ones_not(daemons, seeded, tracker):
    everybodys, own = tracker(), tracker()
    torrent, _, seed = seeded("open.bin", MIB)
    hidden, _, hidden_seed = seeded("hidden.bin", MIB, "-p", "-a", own.url)
    daemon = daemons("--peer", seed.endpoint, "--peer", hidden_seed.endpoint)
    public, private = daemon.add(torrent)["id"], daemon.add(hidden)["id"]
    daemon.wait_complete(2)
    # Running ones get it at once.
    daemon.rpc("session-set", default_trackers=everybodys.url)

    def announced(number):
        return {entry["announce"] for entry in
                fields(daemon, number, "trackerStats")["trackerStats"]
                if entry["lastAnnounceSucceeded"]}
    wait_for(lambda: announced(public) == {everybodys.url},
             lambda: fields(daemon, public, "trackerStats"))
    wait_for(lambda: announced(private) == {own.url},
             lambda: fields(daemon, private, "trackerStats"))
    assert daemon.rpc("session-get")["default-trackers"] == everybodys.url
    # Started anew it has it from the start; it is no part of the torrent, and goes when it goes.
    daemon.kill()
    daemon.start()
    wait_for(lambda: announced(public) == {everybodys.url},
             lambda: fields(daemon, public, "trackerStats"))
    daemon.rpc("session-set", default_trackers="")
    wait_for(lambda: fields(daemon, public, "trackerStats")["trackerStats"] == [],
             lambda: fields(daemon, public, "trackerStats"))
    daemon.rpc("session-set", default_trackers=everybodys.url)
    wait_for(lambda: announced(public) == {everybodys.url},
             lambda: fields(daemon, public, "trackerStats"))
    daemon.rpc("torrent-set", ids=[public], trackerAdd=[own.url])
    daemon.rpc("torrent-stop")
    wait_for(lambda: [entry["announce"] for entry in fields(daemon, public, "trackers")["trackers"]]
             == [own.url], lambda: fields(daemon, public, "trackers", "status"))


# ---- the port ----


def free_port(address):
    """Free for TCP and UDP there."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind((address, 0))
        udp.bind(tcp.getsockname())
        return tcp.getsockname()[1]


@pytest.mark.parametrize("transport", ["tcp", "both", "utp"])
def test_the_port_changes_without_a_restart(daemons, seeded, peers, tmp_path, tracker, transport):
    announce = tracker()
    torrent, source, seed = seeded("f.bin", MIB, "-a", announce.url)
    daemon = daemons("--peer", seed.endpoint, "--transport", transport)
    number = daemon.add(torrent)["id"]
    daemon.wait_complete()
    seed.stop()
    address, port = daemon.endpoint.rsplit(":", 1)
    wanted = free_port(address)
    daemon.rpc("session-set", peer_port=wanted)
    wait_for(lambda: " peer-port " in daemon.log(), daemon.log)
    assert daemon.rpc("session-get")["peer-port"] == wanted
    assert not daemon.rpc("port-test")["port-is-open"] # not to the world: it is a loopback address
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", f"{address}:{wanted}")
    assert get.wait() == 0, get.log()
    if transport != "utp":
        with socket.socket() as old:
            assert old.connect_ex((address, int(port))) != 0
    # The tracker has been told: who asks it only finds the daemon there.
    wait_for(lambda: fields(daemon, number, "trackerStats")["trackerStats"][0][
        "lastAnnounceSucceeded"], lambda: fields(daemon, number, "trackerStats"))
    get = peers("get", torrent, "-o", tmp_path / "again")
    assert get.wait() == 0, get.log()
    # One that is taken is not had, and is not told as if it were.
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind((address, 0))
        daemon.rpc("session-set", peer_port=taken.getsockname()[1])
        wait_for(lambda: " warning peer-port " in daemon.log(), daemon.log)
        wait_for(lambda: daemon.rpc("session-get")["peer-port"] == wanted,
                 lambda: daemon.rpc("session-get")["peer-port"])
    get = peers("get", torrent, "-o", tmp_path / "third", "--peer", f"{address}:{wanted}",
                "--transport", transport)
    assert get.wait() == 0, get.log()


# ---- what is told, and to whom ----


def test_what_the_command_line_switched_off_is_told_as_off(daemons):
    daemon = daemons("--no-pex")
    session = daemon.rpc("session-get", fields=["dht-enabled", "lpd-enabled", "pex-enabled"])
    assert session == {"dht-enabled": False, "lpd-enabled": False, "pex-enabled": False}
    settings = json.loads(daemon.get("/api/v1/settings")[1])
    assert (settings["dht"], settings["lsd"], settings["pex"]) == (False, False, False)


def test_room_on_disks_is_told_of_allowed_folders_only(daemons, tmp_path):
    daemon = daemons()
    client = Client(daemon)

    def room(path):
        answer = json.loads(client.rpc(daemon.token, "free-space", path=str(path)).body)
        return answer["result"] == "success" and answer["arguments"]["size-bytes"] > 0
    assert room(daemon.folder / "downloads") and room(daemon.folder / "downloads/of mine")
    for path in ("/", "/etc", tmp_path, daemon.folder / "downloads/../..", "relative"):
        assert not room(path), path
    # The user of this machine may look anywhere.
    assert daemon.rpc("free-space", path="/")["total_size"] > 0


def test_the_file_that_was_added_goes_when_that_is_wanted(daemons, seeded):
    torrent, _, _ = seeded("f.bin", MIB)
    copy = torrent.with_name("copy.torrent")
    copy.write_bytes(torrent.read_bytes())
    no_torrent = write(torrent.with_name("letter.torrent"), 1000)
    daemon = daemons()
    daemon.rpc("torrent-add", filename=str(torrent), paused=True)
    assert torrent.exists()
    daemon.rpc("session-set", trash_original_torrent_files=True)
    # A duplicate is not taken over, and what is no torrent is no torrent's original.
    daemon.rpc("torrent-add", filename=str(copy))
    answer = daemon.try_rpc("torrent-add", filename=str(no_torrent))
    assert "invalid or corrupt" in answer["result"]
    assert copy.exists() and no_torrent.exists()
    daemon.rpc("torrent-remove", ids=[daemon.torrents()[0]["id"]])
    wait_for(lambda: "torrent-added" in daemon.rpc("torrent-add", filename=str(copy), paused=True)
             if copy.exists() else True, lambda: daemon.torrents())
    assert not copy.exists() and len(daemon.torrents()) == 1


def test_torrents_stay_stopped_when_new_ones_are_not_to_start(daemons, seeded):
    torrent, _, seed = seeded("f.bin", MIB)
    daemon = daemons("--peer", seed.endpoint)
    daemon.rpc("session-set", start_added_torrents=False)
    number = daemon.add(torrent)["id"]
    assert fields(daemon, number, "status")["status"] == 0
    daemon.rpc("torrent-start", ids=[number])
    daemon.wait_complete()


def test_a_download_says_why_nothing_comes(daemons, seeded, peers, tmp_path, freshet):
    torrent, source, _ = seeded("whole", 4 * MIB)
    # Somebody who has a part of it, and nobody who has the rest.
    half = tmp_path / "half"
    half.mkdir()
    (half / "whole").write_bytes(source.read_bytes()[:2 * MIB] + bytes(2 * MIB))
    partial = peers("get", torrent, "-o", half)
    partial.wait_event("ready")
    daemon = daemons("--peer", partial.endpoint)
    number = daemon.add(torrent)["id"]
    wait_for(lambda: fields(daemon, number, "haveValid")["haveValid"] >= 2 * MIB,
             lambda: daemon.torrents("haveValid", "why", "peersConnected"))
    wait_for(lambda: "has what is missing" in fields(daemon, number, "why")["why"],
             lambda: fields(daemon, number, "why", "rateDownload", "peersConnected"))
    # And who chokes everybody is named as that.
    write(tmp_path / "choking/whole", 4 * MIB)
    chokes = peers("seed", torrent, "-o", tmp_path / "choking", "--upload-slots", "0")
    chokes.wait_event("checked")
    lonely = daemons("--peer", chokes.endpoint)
    number = lonely.add(torrent)["id"]
    wait_for(lambda: "choke us" in fields(lonely, number, "why")["why"],
             lambda: fields(lonely, number, "why", "peersConnected"))
