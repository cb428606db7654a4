# SPDX-License-Identifier: MIT
"""A daemon whose machine gets another address, as a laptop does that is carried elsewhere."""
import os
import subprocess

import pytest
from conftest import PROGRAM
from daemons import daemons  # noqa: F401, a fixture
from peers import Peer, wait_for, write

MIB = 1 << 20
TRACKER = "10.79.0.9"


def ip(*words, pid=None):
    inside = ["nsenter", f"--net=/proc/{pid}/ns/net"] if pid else []
    subprocess.run([*inside, "ip", *words], check=True,
                   env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"})


@pytest.fixture
def own_network():
    """This process is in a network of its own, `home`; a cable leads to `world`, another one. Gives
    the words that run a program there."""
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 600"],
                          stdout=subprocess.PIPE) as holder:
        try:
            holder.stdout.readline()
            ip("link", "set", "lo", "up")
            ip("link", "add", "home", "type", "veth", "peer", "name", "world")
            ip("link", "set", "world", "netns", str(holder.pid))
            ip("address", "add", "10.79.0.1/24", "dev", "home")
            ip("link", "set", "home", "up")
            ip("link", "set", "lo", "up", pid=holder.pid)
            for last in range(2, 10):
                ip("address", "add", f"10.79.0.{last}/24", "dev", "world", pid=holder.pid)
            ip("link", "set", "world", "up", pid=holder.pid)
            yield ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
        finally:
            holder.kill()


@pytest.fixture
def world(own_network, tmp_path):
    """Starts peers there."""
    running = []

    def start(address, command, *words):
        peer = Peer(tmp_path, command, *words, "--no-dht", "--no-pex", address=address,
                    program=[*own_network, PROGRAM])
        running.append(peer)
        return peer

    yield start
    for peer in running:
        peer.stop()


@pytest.fixture
def tracker(own_network, tmp_path):
    # It wants to be asked once an hour.
    with subprocess.Popen([*own_network, PROGRAM, "tracker", "--progress=json", "--http",
                           f"{TRACKER}:6969", "--interval", "1h"], stdout=subprocess.PIPE,
                          cwd=tmp_path) as server:
        try:
            assert server.stdout.readline()
            yield f"http://{TRACKER}:6969/announce"
        finally:
            server.kill()


@pytest.mark.parametrize("transport", ["tcp", "utp"])
def test_peers_are_found_again_under_another_address(daemons, world, tracker, freshet, tmp_path,
                                                     transport):
    source = write(tmp_path / "from/f.bin", 3 * MIB)
    torrent = tmp_path / "f.torrent"
    assert freshet("create", source, "-o", torrent, "-l", "64K", "-a", tracker).returncode == 0
    seed = world("10.79.0.2", "seed", torrent, "-o", source.parent)
    seed.wait_event("checked")
    daemon = daemons("--listen", "0.0.0.0:0", "--transport", transport)
    number = daemon.add(torrent, paused=True)["id"]
    daemon.rpc("torrent-set", ids=[number], downloadLimit=300, downloadLimited=True)
    daemon.rpc("torrent-start", ids=[number])

    def row():
        return daemon.torrents("percentDone", "peersConnected", "peersSendingToUs", "status")[0]
    wait_for(lambda: row()["percentDone"] > 0.1, lambda: f"{row()}\n{daemon.log()}")
    # The old address goes and another comes: connections are dead, and nobody says so.
    ip("address", "del", "10.79.0.1/24", "dev", "home")
    ip("address", "add", "10.79.0.200/24", "dev", "home")
    wait_for(lambda: " network-changed" in daemon.log(), daemon.log)
    daemon.rpc("torrent-set", ids=[number], downloadLimited=False)
    # The seed never calls: it was the daemon that knew it. Left to itself the dead connection would
    # be waited for until its time-out, two minutes.
    wait_for(lambda: row()["percentDone"] == 1, lambda: f"{row()}\n{daemon.log()}", seconds=60)
    assert (daemon.folder / "downloads/f.bin").read_bytes() == source.read_bytes()
    # And the tracker leads others to the new address, an hour before it would have been asked again.
    seed.stop()
    get = world("10.79.0.3", "get", torrent, "-o", tmp_path / "to")
    assert get.wait() == 0, get.log()
    assert (tmp_path / "to/f.bin").read_bytes() == source.read_bytes()
