# SPDX-License-Identifier: MIT
"""--transport and the setting of a daemon: who speaks uTP, and who is told of it."""
import select
import socket

import pytest
from daemons import daemons  # noqa: F401, a fixture
from peers import peers, wait_for, write  # noqa: F401

MIB = 1 << 20


@pytest.fixture
def made(freshet, tmp_path):
    """A torrent and its content."""
    source = write(tmp_path / "from/f.bin", 3 * MIB + 5)
    torrent = tmp_path / "f.torrent"
    assert freshet("create", source, "-o", torrent).returncode == 0
    return torrent, source


@pytest.mark.parametrize("theirs, ours, meet", [
    ("utp", "utp", True), ("both", "utp", True), ("both", "tcp", True), ("utp", "both", True),
    ("tcp", "both", True), ("both", "both", True), ("tcp", "utp", False), ("utp", "tcp", False)])
def test_two_meet_where_they_have_a_transport_in_common(made, peers, tmp_path, theirs, ours, meet):
    torrent, source = made
    seed = peers("seed", torrent, "-o", source.parent, "--transport", theirs)
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint, "--transport", ours,
                "--timeout", "60s" if meet else "2s")
    assert get.wait(90) == (0 if meet else 4), get.log()
    assert (tmp_path / "to/f.bin").exists() == meet


def silent_listener(endpoint):
    """Its queue is full, so that a SYN gets no answer at all. Keep what is returned."""
    host, port = endpoint.rsplit(":", 1)
    listener = socket.socket()
    listener.bind((host, int(port)))
    listener.listen(0)
    sockets = [listener]
    for _ in range(16):
        waiting = socket.socket()
        waiting.setblocking(False)
        waiting.connect_ex((host, int(port)))
        sockets.append(waiting)
        if not select.select([], [waiting], [], 0)[1]:
            return sockets
    raise AssertionError("the queue takes everybody")


def test_where_tcp_is_silent_utp_is_had(made, peers, tmp_path):
    torrent, source = made
    seed = peers("seed", torrent, "-o", source.parent, "--transport", "utp")
    sockets = silent_listener(seed.endpoint)
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint, "--timeout", "60s")
    assert get.wait(90) == 0, get.log()
    assert (tmp_path / "to/f.bin").read_bytes() == source.read_bytes()
    for each in sockets:
        each.close()


def test_a_daemon_takes_and_leaves_utp_as_it_is_told(daemons, made, peers, tmp_path):
    torrent, source = made
    seed = peers("seed", torrent, "-o", source.parent, "--transport", "utp", "-u", "1M")
    daemon = daemons("--peer", seed.endpoint)
    assert daemon.rpc("session-get", fields=["utp-enabled"])["utp-enabled"]
    daemon.add(torrent)

    def of_peers(field):
        return [peer[field] for peer in daemon.torrents("peers")[0]["peers"]]

    wait_for(lambda: of_peers("isUTP") == [True], lambda: f"a peer over uTP: {daemon.log()}")
    daemon.wait_complete()
    daemon.rpc("session-set", **{"utp-enabled": False})
    refused = peers("get", torrent, "-o", tmp_path / "refused", "--peer", daemon.endpoint,
                    "--transport", "utp", "--timeout", "2s")
    assert refused.wait() == 4, refused.log()
    daemon.rpc("session-set", **{"utp-enabled": True})
    taken = peers("get", torrent, "-o", tmp_path / "taken", "--peer", daemon.endpoint,
                  "--transport", "utp")
    assert taken.wait() == 0, taken.log()
    assert (tmp_path / "taken/f.bin").read_bytes() == source.read_bytes()
