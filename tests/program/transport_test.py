# SPDX-License-Identifier: MIT
"""freshet set --transport: torrents of one daemon that go their own ways to their peers."""
from collections import Counter

import pytest
from daemons import daemons  # noqa: F401, a fixture
from daemon_network_test import ip
from interop.tcp_witness import TcpWitness
from peers import peers, wait_for, write  # noqa: F401

MIB = 1 << 20


@pytest.fixture
def own_network():
    """This process is alone in its network, and sees every TCP packet."""
    ip("link", "set", "lo", "up")
    witness = TcpWitness()
    yield witness
    witness.close()


@pytest.fixture
def make(freshet, tmp_path):
    """A torrent of that name, and where its content is."""

    def new(name, size=3 * MIB + 5):
        source = write(tmp_path / f"from-{name}/{name}.bin", size, len(name))
        torrent = tmp_path / f"{name}.torrent"
        assert freshet("create", source, "-o", torrent).returncode == 0
        return torrent, source

    return new


@pytest.fixture
def drive(freshet):
    def run(daemon, *words):
        result = freshet(*words, "--socket", daemon.socket)
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run


def link_to(freshet, torrent, seed):
    return f"{freshet('show', torrent, '--magnet').stdout.strip()}&x.pe={seed.endpoint}"


def by_utp(daemon, number):
    return [peer["isUTP"] for peer in daemon.torrents("peers", ids=[number])[0]["peers"]]


def test_two_torrents_of_one_daemon_go_their_own_ways(daemons, peers, make, drive, freshet, own_network):
    """From the hash alone: metadata come by the same way. Both seeds take both transports."""
    daemon = daemons()
    made = {word: make(word) for word in ("tcp", "utp")}
    seeds = {}
    for number, (word, (torrent, source)) in enumerate(made.items(), 1):
        # No faster than the witness reads.
        seeds[word] = peers("seed", torrent, "-o", source.parent, "-u", "1M")
        drive(daemon, "add", "--stopped", link_to(freshet, torrent, seeds[word]))
        drive(daemon, "set", number, "--transport", word)
        assert f"\ntransport   {word}\n" in drive(daemon, "info", number)
    drive(daemon, "start", 1, 2)
    carried = Counter()

    def complete():
        for addresses, count in own_network.packets():
            carried.update({address: count for address in set(addresses)})
        rows = daemon.torrents("percentDone", "metadataPercentComplete")
        return all(value == 1 for row in rows for value in row.values())

    wait_for(complete, lambda: f"{daemon.torrents()}\n{daemon.log()[-2000:]}")
    complete()
    assert own_network.missed() == 0
    for _, source in made.values():
        assert (daemon.folder / "downloads" / source.name).read_bytes() == source.read_bytes()
    assert carried[seeds["tcp"].address] > 3 * MIB
    assert carried[seeds["utp"].address] == 0


def test_a_change_moves_connections_over(daemons, peers, make, drive):
    torrent, source = make("moved")
    seed = peers("seed", torrent, "-o", source.parent)
    daemon = daemons("--peer", seed.endpoint)
    daemon.add(torrent, paused=True)
    drive(daemon, "set", 1, "-l", "20K")
    drive(daemon, "start", 1)
    for word in ("utp", "tcp", "utp"):
        drive(daemon, "set", 1, "--transport", word)
        wait_for(lambda word=word: by_utp(daemon, 1) == [word == "utp"],
                 lambda: f"{by_utp(daemon, 1)}\n{daemon.log()[-2000:]}")
    assert daemon.torrents()[0]["percentDone"] < 1
    drive(daemon, "set", 1, "-l", "0")
    daemon.wait_complete()
    assert (daemon.folder / "downloads" / source.name).read_bytes() == source.read_bytes()


@pytest.mark.parametrize("word, other", [("tcp", "utp"), ("utp", "tcp")])
def test_who_comes_by_the_other_transport_is_refused(daemons, peers, make, drive, tmp_path, word, other):
    torrent, source = make("held")
    daemon = daemons()
    daemon.add(torrent, download_dir=str(source.parent))
    daemon.wait_complete()
    drive(daemon, "set", 1, "--transport", word)
    refused = peers("get", torrent, "-o", tmp_path / "refused", "--peer", daemon.endpoint,
                    "--transport", other, "--timeout", "3s")
    assert refused.wait() == 4, refused.log()
    assert not (tmp_path / "refused" / source.name).exists()
    # Its address is as good as before.
    taken = peers("get", torrent, "-o", tmp_path / "taken", "--peer", daemon.endpoint,
                  "--transport", word, address=refused.address)
    assert taken.wait() == 0, taken.log()
    assert (tmp_path / "taken" / source.name).read_bytes() == source.read_bytes()


@pytest.mark.parametrize("all_by, word, name", [("tcp", "utp", "uTP"), ("utp", "tcp", "TCP")])
def test_where_its_transport_is_missing_it_says_so(daemons, peers, make, drive, all_by, word, name):
    torrent, source = make("lost")
    seed = peers("seed", torrent, "-o", source.parent)
    daemon = daemons("--peer", seed.endpoint, "--transport", all_by)
    daemon.add(torrent, paused=True)
    drive(daemon, "set", 1, "--transport", word)
    drive(daemon, "start", 1)
    why = f"\nwhy         it is to use {name} alone, and the daemon uses none\n"
    wait_for(lambda: why in drive(daemon, "info", 1), lambda: drive(daemon, "info", 1))
    # It is kept; and once it is content with what there is, it goes on.
    daemon.kill()
    daemon.start()
    wait_for(lambda: why in drive(daemon, "info", 1), lambda: drive(daemon, "info", 1))
    assert daemon.torrents()[0]["percentDone"] == 0
    drive(daemon, "set", 1, "--transport", "any")
    daemon.wait_complete()


def test_a_daemon_that_is_told_to_leave_utp_says_so_of_its_torrents(daemons, peers, make, drive):
    torrent, source = make("off")
    seed = peers("seed", torrent, "-o", source.parent)
    daemon = daemons("--peer", seed.endpoint)
    daemon.rpc("session-set", **{"utp-enabled": False})
    daemon.add(torrent, paused=True)
    drive(daemon, "set", 1, "--transport", "utp")
    drive(daemon, "start", 1)
    wait_for(lambda: "it is to use uTP alone" in drive(daemon, "info", 1),
             lambda: drive(daemon, "info", 1))
    daemon.rpc("session-set", **{"utp-enabled": True})
    daemon.wait_complete()
