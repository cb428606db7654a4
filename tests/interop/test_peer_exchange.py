# SPDX-License-Identifier: MIT
"""Peer exchange (BEP 11) with libtorrent: nobody but the peer in the middle says who else is there."""
import libtorrent
import payload
import pytest
from freshet_client import run
from waiting import wait_for

# So slow that nobody completes, and leaves, before the others have met.
SLOW = ["-u", "50K", "-l", "50K", "--no-dht"]


@pytest.fixture(scope="session")
def torrent(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("exchange") / "t.torrent"
    run("create", "--hybrid", "--no-date", "-l", "256K", "-o", path, source / payload.NAME)
    return path


def wait_peers(freshet, count):
    """Until it is connected to so many."""
    wait_for(lambda: (freshet.event("progress") or {}).get("peers", 0) >= count,
             lambda: f"freshet has {count} peers:\n{freshet.log()[-3000:]}", 90)


def find_peer(handle, client):
    """What libtorrent says of its connection with the client; None when there is none."""
    return next((peer for peer in handle.get_peer_info() if peer.ip[0] == client.address), None)


def is_from_exchange(handle, client):
    peer = find_peer(handle, client)
    return peer is not None and peer.source & libtorrent.peer_info.pex


def test_freshet_tells_a_newcomer_that_is_freshet(clients, torrent, source, tmp_path):
    seed = clients.seeding(torrent, source, *SLOW)
    other = clients.libtorrent(plugins=False)
    handle = other.add(torrent, tmp_path / "other")
    handle.set_download_limit(50_000)
    other.connect(handle, seed.endpoint)
    wait_peers(seed, 1)
    get = clients.freshet("get", torrent, "-o", tmp_path / "copy", *SLOW, "--peer", seed.endpoint)
    wait_peers(get, 2)
    # It went out, since libtorrent does not know the port where it listens.
    wait_for(lambda: find_peer(handle, get), "libtorrent is connected to the other one")
    assert find_peer(handle, get).ip[1] != get.port


def test_freshet_tells_a_newcomer_that_is_libtorrent(clients, torrent, source, tmp_path):
    seed = clients.seeding(torrent, source, *SLOW)
    get = clients.freshet("get", torrent, "-o", tmp_path / "copy", *SLOW, "--peer", seed.endpoint)
    wait_peers(seed, 1)
    other = clients.libtorrent()
    handle = other.add(torrent, tmp_path / "other")
    handle.set_download_limit(50_000)
    other.connect(handle, seed.endpoint)
    wait_for(lambda: is_from_exchange(handle, get), "libtorrent heard of the other one", 90)
    wait_peers(get, 2)


def test_freshet_hears_libtorrent(clients, torrent, source, tmp_path):
    middle = clients.libtorrent()
    handle = middle.add(torrent, source, seed=True)
    handle.set_upload_limit(50_000)
    first, second = (clients.freshet("get", torrent, "-o", tmp_path / name, *SLOW, "--peer",
                                     middle.endpoint) for name in ("first", "second"))
    wait_peers(first, 2)
    wait_peers(second, 2)
    assert len(handle.get_peer_info()) == 2
