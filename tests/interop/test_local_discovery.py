# SPDX-License-Identifier: MIT
"""Peers of one network find each other (BEP 14): no tracker, no DHT, nobody is named."""
import re
import shutil
import socket
import struct

import freshet_client
import network
import payload
import pytest
import torrents
from waiting import wait_for

GROUP = "239.192.152.143"
PORT = 6771


@pytest.fixture
def torrent(source, tmp_path):
    return torrents.make(source, tmp_path / "a.torrent", "hybrid")


def finish(get, folder):
    assert get.wait() == 0, get.log()[-3000:]
    payload.check(folder)


class Listener:
    """Somebody in the network who hears what is said to the group."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((GROUP, PORT))
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack(
            "4s4s", socket.inet_aton(GROUP), socket.inet_aton(network.new_lan_address())))
        self.socket.settimeout(60)

    def hear_from(self, address):
        """(port, info-hashes) of the next packet from there."""
        while True:
            packet, source = self.socket.recvfrom(4096)
            if source[0] == address:
                text = packet.decode("ascii")
                assert text.startswith("BT-SEARCH * HTTP/1.1\r\n") and text.endswith("\r\n\r\n\r\n")
                return (int(re.search("\r\nPort: ([0-9]+)\r\n", text)[1]),
                        set(re.findall("\nInfohash: ([0-9a-f]{40})\r", text)))

    def say(self, source, port, info_hash):
        """As the BEP writes it."""
        text = (f"BT-SEARCH * HTTP/1.1\r\nHost: {GROUP}:{PORT}\r\nPort: {port}\r\n"
                f"Infohash: {info_hash}\r\ncookie: somebody\r\n\r\n\r\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
            speaker.bind((source, 0))
            speaker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                               socket.inet_aton(source))
            speaker.sendto(text.encode("ascii"), (GROUP, PORT))

    def stop(self):
        self.socket.close()


@pytest.fixture
def listener():
    opened = Listener()
    yield opened
    opened.stop()


def test_freshet_finds_freshet(clients, torrent, source, tmp_path):
    seed = clients.neighbour("seed", torrent, "-o", source)
    seed.wait_phase("seeding")
    get = clients.neighbour("get", torrent, "-o", tmp_path / "copy")
    finish(get, tmp_path / "copy")


def test_freshet_finds_freshet_by_a_magnet_link(clients, torrent, source, tmp_path):
    seed = clients.neighbour("seed", torrent, "-o", source)
    seed.wait_phase("seeding")
    v1, _ = torrents.info_hashes(torrent)
    get = clients.neighbour("get", f"magnet:?xt=urn:btih:{v1}", "-o", tmp_path / "copy")
    finish(get, tmp_path / "copy")


def test_freshet_hears_libtorrent(clients, torrent, source, tmp_path):
    """freshet has spoken when libtorrent comes, so that only libtorrent's word can lead it there."""
    get = clients.neighbour("get", torrent, "-o", tmp_path / "copy")
    get.wait_phase("downloading")
    other = clients.libtorrent_neighbour()
    seed = other.add(torrent, source, seed=True)
    finish(get, tmp_path / "copy")
    assert seed.status().total_payload_upload > 0


def test_libtorrent_hears_freshet(clients, torrent, source, tmp_path, listener):
    """The same the other way round: libtorrent says something once in five minutes."""
    other = clients.libtorrent_neighbour()
    get = other.add(torrent, tmp_path / "copy")
    listener.hear_from(other.address)
    seed = clients.neighbour("seed", torrent, "-o", source)
    other.wait_complete(get, 90)
    payload.check(tmp_path / "copy")
    assert "lsd_peer: " in other.news(), other.news()
    assert seed.stats()["uploaded"] > 0


def test_freshet_tells_of_public_torrents_only(clients, source, tmp_path, listener):
    """Both hashes of a hybrid, and where it listens; nothing of a private torrent (BEP 27)."""
    public, private = tmp_path / "public.torrent", tmp_path / "private.torrent"
    freshet_client.run("create", "--hybrid", "-o", public, source / payload.NAME)
    freshet_client.run("create", "--hybrid", "--private", "-l", "1M", "-o", private,
                       source / payload.NAME)
    seed = clients.neighbour("seed", private, public, "-o", source)
    port, heard = listener.hear_from(seed.address)
    v1, v2 = torrents.info_hashes(public)
    assert heard == {v1, v2[:40]}
    assert port == seed.port
    seed.wait_phase("seeding")


def test_freshet_with_no_lsd_says_nothing(clients, torrent, source, tmp_path, listener):
    silent = clients.freshet("seed", torrent, "-o", source)
    silent.wait_phase("seeding")
    # One process a torrent and folder.
    shutil.copytree(source, tmp_path / "copy")
    loud = clients.neighbour("seed", torrent, "-o", tmp_path / "copy")
    loud.wait_phase("seeding")
    port, heard = listener.hear_from(loud.address)
    assert port == loud.port and len(heard) == 2
    listener.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.hear_from(silent.address)


def test_freshet_calls_whom_the_network_names_and_nobody_else(clients, torrent, tmp_path,
                                                              listener):
    v1, _ = torrents.info_hashes(torrent)
    peer, stranger = network.new_lan_address(), network.new_lan_address()
    with socket.create_server((peer, 0)) as server, socket.create_server((stranger, 0)) as other:
        get = clients.neighbour("get", torrent, "-o", tmp_path / "copy")
        get.wait_phase("downloading")
        listener.say(stranger, other.getsockname()[1], "00" * 20)
        listener.say(peer, server.getsockname()[1], v1.upper())
        server.settimeout(60)
        connection, source = server.accept()
        assert source[0] == get.address
        assert connection.recv(20) == b"\x13BitTorrent protocol"
        connection.close()
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()
