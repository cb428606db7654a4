# SPDX-License-Identifier: MIT
"""Two peers behind NATs reach each other through a third (BEP 55), with nftables as the NATs.

The one that has it is behind the second router and takes no part in peer exchange, so it hears of
nobody and goes out to nobody but the relay unless the relay has it do so. The relay sends no payload."""
import json
import time
from urllib.parse import quote

import pytest
from conftest import PROGRAM
from daemons import daemons  # noqa: F401  pylint: disable=unused-import
from peers import Peer, wait_for, write
from two_homes import (HOMES, OUTSIDES, WORLD,  # noqa: F401
                       two_homes)  # pylint: disable=unused-import

KIB = 1 << 10
ALONE = ("--no-dht", "--no-lsd", "--no-portmap")


class Swarm:
    """The relay in the world, who has it all in the second home, who wants it in the first."""

    def __init__(self, homes, daemons, freshet, folder, relay_words=()):
        self.freshet = freshet
        self.source = write(folder / "from/f.bin", 1536 * KIB)
        torrent = folder / "f.torrent"
        assert freshet("create", self.source, "-o", torrent).returncode == 0
        self.peers = []
        self.relay = self.begin(folder, "get", torrent, "-o", folder / "relay", *ALONE,
                                "--upload-slots", "0", "--down-limit", "1K", *relay_words,
                                address=WORLD, program=[*homes.world, PROGRAM])
        self.owner = self.begin(folder, "seed", torrent, "-o", folder / "from", *ALONE,
                                "--no-pex", "--up-limit", "256K", "--peer", self.relay.endpoint,
                                address=HOMES[1], program=[*homes.second, PROGRAM])
        port = self.owner.endpoint.rsplit(":", 1)[1]
        self.owner_outside = f"{OUTSIDES[1]}:{port}"
        wait_for(lambda: self.relay.last("peers") == 1, self.relay.log)
        shown = json.loads(freshet("show", "--json", torrent).stdout)
        self.daemon = daemons("--listen", f"{HOMES[0]}:0", "--no-lsd")
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

    def make(*relay_words):
        made.append(Swarm(two_homes, daemons, freshet, tmp_path, relay_words))
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_two_behind_nats_meet_through_a_third(swarm):
    both = swarm()
    seen = {}

    def is_sent_by_the_owner():
        seen.update(both.connected())
        return seen.get(both.owner_outside, {"bytes_to_client": 0})["bytes_to_client"] > 0

    wait_for(is_sent_by_the_owner, both.told)
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
