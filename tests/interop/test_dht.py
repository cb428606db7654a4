# SPDX-License-Identifier: MIT
"""The DHT with others in it: a network of freshet's nodes, joined by each client."""
import hashlib
import itertools
import json
import socket

import dht_network
import freshet_client
import libtorrent
import network
import payload
import pytest
import torrents
from dht_network import errand, wait_peer
from waiting import wait_for

HASH = "89abcdef" * 5


@pytest.fixture(scope="module")
def dht(tmp_path_factory):
    nodes = dht_network.start(tmp_path_factory.mktemp("dht"))
    yield nodes
    for node in nodes:
        node.stop()


class Session:
    """libtorrent as a node of the DHT."""

    def __init__(self, clients, begin, **settings):
        self.client = clients.libtorrent(enable_dht=True, dht_bootstrap_nodes=begin or "",
                                         dht_ignore_dark_internet=False, **settings)
        self.session = self.client.session
        self.endpoint = self.client.endpoint
        if begin:
            self.wait_alert("dht_bootstrap")

    def wait_alert(self, name, accept=lambda alert: True, again=lambda: None, seconds=45):
        """What `accept` makes of the first alert of that name that it likes; asks `again` now and
        then."""
        found = []
        turns = itertools.count()

        def there():
            if next(turns) % 40 == 0:
                again()
            alerts = self.session.pop_alerts()
            found.extend(filter(None, (accept(alert) for alert in alerts if alert.what() == name)))
            return found

        wait_for(there, f"libtorrent tells {name}", seconds)
        return found[0]


# --- libtorrent ---


def test_libtorrent_finds_what_freshet_announced(clients, dht):
    source = network.new_address()
    errand("announce", HASH, "--port", 7000, source=source, begin=dht[0].endpoint)
    session = Session(clients, dht[1].endpoint)
    info_hash = libtorrent.sha1_hash(bytes.fromhex(HASH))
    peers = session.wait_alert("dht_get_peers_reply",
                               lambda alert: alert.info_hash == info_hash and alert.peers(),
                               lambda: session.session.dht_get_peers(info_hash))
    assert (source, 7000) in peers


def test_freshet_finds_what_libtorrent_announced(clients, dht, source, torrent):
    session = Session(clients, dht[2].endpoint)
    session.client.add(torrent, source, seed=True)
    wait_peer(torrents.info_hashes(torrent)[0], session.endpoint, dht[3].endpoint)


def test_libtorrent_alone_is_a_beginning(clients):
    """Everything goes to libtorrent, which answers for the whole network."""
    session = Session(clients, None)
    wait_for(lambda: session.session.is_dht_running(), "libtorrent's DHT runs")
    pong = json.loads(errand("ping", session.endpoint, "--json", begin=session.endpoint))
    assert pong["client"].startswith("libtorrent (LT) 2.")
    source = network.new_address()
    assert errand("announce", HASH, "--port", 7200, "--seed", source=source,
                  begin=session.endpoint).endswith("to 1 nodes\n")
    lines = errand("get-peers", HASH, "--scrape", begin=session.endpoint).splitlines()
    assert lines == [f"{source}:7200", "seeds       about 1", "downloaders about 0"]
    told = json.loads(errand("stats", session.endpoint, "--json", begin=session.endpoint))
    assert (told["torrents"], told["samples"]) == (1, [HASH])
    target, _ = errand("put", "kept by libtorrent", begin=session.endpoint).splitlines()
    assert errand("get", target, begin=session.endpoint) == "kept by libtorrent"


def test_immutable_items_go_both_ways(clients, dht):
    target = errand("put", "from freshet", begin=dht[0].endpoint).splitlines()[0]
    session = Session(clients, dht[4].endpoint)
    wanted = libtorrent.sha1_hash(bytes.fromhex(target))
    item = session.wait_alert("dht_immutable_item",
                              lambda alert: alert.target == wanted and alert.item,
                              lambda: session.session.dht_get_immutable_item(wanted))
    assert item["value"] == b"from freshet"
    target = session.session.dht_put_immutable_item({"a": 1, "b": ["x", "y"]})
    session.wait_alert("dht_put", lambda alert: alert.target == target and alert.num_success)
    assert str(target) == hashlib.sha1(b"d1:ai1e1:bl1:x1:yee").hexdigest()
    assert errand("get", target, begin=dht[5].endpoint) == "d1:ai1e1:bl1:x1:yee"


def expand(seed):
    """The private key as libtorrent wants it (RFC 8032, 5.1.5)."""
    key = bytearray(hashlib.sha512(seed).digest())
    key[0] &= 248
    key[31] = key[31] & 63 | 64
    return bytes(key)


def test_mutable_items_go_both_ways(clients, dht, tmp_path):
    key_file = tmp_path / "key"
    words = ("--key-file", key_file, "--salt", "salted")
    target, public, _ = errand("put", "first", *words, begin=dht[0].endpoint).splitlines()
    key = bytes.fromhex(public)
    session = Session(clients, dht[6].endpoint)

    def newest(alert):
        return alert.key == key and alert.item and (alert.seq, alert.item["value"])

    def ask():
        session.session.dht_get_mutable_item(key, b"salted")

    seq, item = session.wait_alert("dht_mutable_item", newest, ask)
    assert (seq, item) == (1, b"first")
    # libtorrent replaces it, with the key that freshet made.
    private = expand(bytes.fromhex(key_file.read_text()))
    session.session.dht_put_mutable_item(private, key, b"second", b"salted")
    session.wait_alert("dht_put", lambda alert: alert.num_success)
    told = json.loads(errand("get", "--key", public, "--salt", "salted", "--json",
                             begin=dht[7].endpoint))
    assert (told["target"], told["value"], told["seq"]) == (target, "second", 2)
    # And freshet after that; an old number is refused by all.
    assert errand("put", "third", *words, begin=dht[8].endpoint).endswith("as number 3\n")
    errand("put", "old", *words, "--seq", 1, begin=dht[8].endpoint, code=9)
    assert session.wait_alert("dht_mutable_item", lambda alert: newest(alert) and alert.seq == 3
                              and newest(alert), ask) == (3, b"third")


# --- Clients that look for peers by themselves ---


class Listener:
    """A port where a client is expected."""

    def __init__(self):
        self.address = network.new_address()
        self.socket = socket.socket()
        self.socket.bind((self.address, 0))
        self.socket.listen()
        self.socket.settimeout(0)
        self.port = self.socket.getsockname()[1]

    def was_called(self, by):
        try:
            connection, address = self.socket.accept()
        except BlockingIOError:
            return False
        connection.close()
        return address[0] == by


@pytest.fixture
def torrent(source, tmp_path):
    """One whose hash no other test has: what they announced stays in the nodes."""
    path = tmp_path / "a.torrent"
    freshet_client.run("create", "--v1", "--source", tmp_path.name, "-o", path,
                       source / payload.NAME)
    return path


def announce_listener(listener, info_hash, begin):
    errand("announce", info_hash, "--port", listener.port, "--seed", source=listener.address,
           begin=begin)


def test_transmission_finds_and_is_found(clients, dht, torrent, tmp_path):
    info_hash = torrents.info_hashes(torrent)[0]
    listener = Listener()
    announce_listener(listener, info_hash, dht[9].endpoint)
    client = clients.transmission(dht=[node.endpoint for node in dht])
    client.add(torrent, tmp_path / "copy")
    wait_for(lambda: listener.was_called(client.address), lambda: "transmission calls:\n"
             + client.log()[-4000:], 180)
    wait_peer(info_hash, client.endpoint, dht[10].endpoint)


def test_aria2_finds_and_is_found(clients, dht, torrent, tmp_path):
    info_hash = torrents.info_hashes(torrent)[0]
    listener = Listener()
    announce_listener(listener, info_hash, dht[9].endpoint)
    client = clients.aria2(torrent, tmp_path / "copy", dht=dht[1].endpoint)
    wait_for(lambda: listener.was_called(client.address), lambda: "aria2 calls:\n"
             + client.log()[-4000:], 120)
    wait_peer(info_hash, client.endpoint, dht[11].endpoint)
