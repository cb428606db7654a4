# SPDX-License-Identifier: MIT
"""Two peers behind NATs reach each other through a third (BEP 55), with nftables as the NATs.

The one that has it is behind the second router and takes no part in peer exchange, so it hears of
nobody and goes out to nobody but the relay unless the relay has it do so. The relay, ours or
libtorrent, sends no payload."""
import json
import subprocess
import sys
import time
from urllib.parse import quote

import pytest
from conftest import PROGRAM
from daemons import daemons  # noqa: F401  pylint: disable=unused-import
from peers import Peer, wait_for, write
from two_homes import (HOMES, OUTSIDES, WORLD,  # noqa: F401
                       two_homes)  # pylint: disable=unused-import

KIB = 1 << 10

# libtorrent in the middle: it wants nothing, and says where it listens.
FOREIGN_RELAY = """
import sys, time
import libtorrent
session = libtorrent.session({
    "listen_interfaces": sys.argv[1], "enable_dht": False, "enable_lsd": False,
    "enable_upnp": False, "enable_natpmp": False, "in_enc_policy": 2, "out_enc_policy": 2,
    "close_redundant_connections": False})
wanted = libtorrent.add_torrent_params()
wanted.ti = libtorrent.torrent_info(sys.argv[2])
wanted.save_path = sys.argv[3]
wanted.flags &= ~(libtorrent.torrent_flags.auto_managed | libtorrent.torrent_flags.paused)
wanted.file_priorities = [0] * wanted.ti.num_files()
handle = session.add_torrent(wanted)
while True:
    print(len(handle.get_peer_info()), handle.status().total_payload_upload, flush=True)
    time.sleep(0.2)
"""
ALONE = ("--no-dht", "--no-lsd", "--no-portmap")


class ForeignRelay:
    def __init__(self, homes, torrent, folder):
        self.endpoint, self.log_path = f"{WORLD}:6881", folder / "relay.log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*homes.world, sys.executable, "-c", FOREIGN_RELAY, self.endpoint, str(torrent),
                 str(folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    def log(self):
        return self.log_path.read_text()

    def last(self, key):
        lines = self.log().splitlines()
        return int(lines[-1].split()[{"peers": 0, "uploaded": 1}[key]]) if lines else 0

    def kill(self):
        self.process.kill()
        self.process.wait()


class Swarm:
    """The relay in the world, who has it all in the second home, who wants it in the first."""

    def __init__(self, homes, daemons, freshet, folder, relay_words=(), foreign=False):
        self.freshet = freshet
        self.source = write(folder / "from/f.bin", 1536 * KIB)
        torrent = folder / "f.torrent"
        assert freshet("create", self.source, "-o", torrent).returncode == 0
        self.peers = []
        transport = ("--transport", "utp") if foreign else ()
        if foreign:
            self.relay = ForeignRelay(homes, torrent, folder)
            self.peers.append(self.relay)
            wait_for(self.relay.log, "libtorrent says nothing")
        else:
            self.relay = self.begin(folder, "get", torrent, "-o", folder / "relay", *ALONE,
                                    "--upload-slots", "0", "--down-limit", "1K", *relay_words,
                                    address=WORLD, program=[*homes.world, PROGRAM])
        self.owner = self.begin(folder, "seed", torrent, "-o", folder / "from", *ALONE,
                                "--no-pex", "--up-limit", "256K", "--peer", self.relay.endpoint,
                                *transport, address=HOMES[1], program=[*homes.second, PROGRAM])
        port = self.owner.endpoint.rsplit(":", 1)[1]
        self.owner_outside = f"{OUTSIDES[1]}:{port}"
        wait_for(lambda: self.relay.last("peers") == 1, self.relay.log)
        shown = json.loads(freshet("show", "--json", torrent).stdout)
        self.daemon = daemons("--listen", f"{HOMES[0]}:0", "--no-lsd", *transport)
        self.daemon.rpc("torrent-add", filename=f"magnet:?xt=urn:btih:{shown['info_hash_v1']}"
                        f"&x.pe={quote(self.relay.endpoint)}")

    def begin(self, *words, **options):
        self.peers.append(Peer(*words, **options))
        return self.peers[-1]

    def end(self):
        for peer in self.peers:
            peer.kill()

    def connected(self):
        number = self.daemon.torrents("id")[0]["id"]
        found = self.freshet("peers", "--json", "--socket", self.daemon.socket, number)
        assert found.returncode == 0, found.stderr
        return {f"{peer['address']}:{peer['port']}": peer
                for row in json.loads(found.stdout) for peer in row["peers"]}

    def told(self):
        return f"{self.connected()}\n{self.relay.log()[-800:]}\n{self.owner.log()[-800:]}"


@pytest.fixture
def swarm(two_homes, daemons, freshet, tmp_path):
    made = []

    def make(*relay_words, foreign=False):
        made.append(Swarm(two_homes, daemons, freshet, tmp_path, relay_words, foreign))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.mark.parametrize("relay", ["freshet", "libtorrent"])
def test_two_behind_nats_meet_through_a_third(swarm, relay):
    # libtorrent speaks of others once a minute, and knows who is there over uTP alone.
    both = swarm(foreign=relay == "libtorrent")
    seen = {}

    def is_sent_by_the_owner():
        seen.update(both.connected())
        return seen.get(both.owner_outside, {"bytes_to_client": 0})["bytes_to_client"] > 0

    wait_for(is_sent_by_the_owner, both.told, seconds=150)
    assert seen[both.owner_outside]["is_utp"] and seen[both.relay.endpoint]["supports_holepunch"]
    both.daemon.wait_complete()
    got = both.daemon.folder / "downloads" / "f.bin"
    assert got.read_bytes() == both.source.read_bytes()
    assert both.relay.last("uploaded") == 0


@pytest.mark.parametrize("way", ["no relay knows how", "a router lets nobody in"])
def test_where_it_cannot_be_they_do_not_meet(swarm, two_homes, way):
    if way == "a router lets nobody in":
        two_homes.close_second()
    both = swarm(*(["--transport", "tcp"] if way == "no relay knows how" else []))
    # Long enough for the dial, its failure, and all that would follow it.
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert set(both.connected()) <= {both.relay.endpoint}
        time.sleep(0.5)
    assert set(both.connected()) == {both.relay.endpoint}
    assert both.daemon.torrents("percentDone")[0]["percentDone"] == 0
