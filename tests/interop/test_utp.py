# SPDX-License-Identifier: MIT
"""uTP with other clients both ways; not one byte goes by TCP."""
import random

import freshet_client
import network
import payload
import pytest
from lossy_relay import LossyRelay
from tcp_witness import TcpWitness
from waiting import wait_for

RPC_PORT = 9091
UTP_ONLY = {"enable_incoming_utp": True, "enable_outgoing_utp": True,
            "enable_incoming_tcp": False, "enable_outgoing_tcp": False}


@pytest.fixture(scope="module")
def torrent(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "v1.torrent"
    freshet_client.run("create", "--v1", "--no-date", "-l", "256K", "-o", path,
                       source / payload.NAME)
    return path


@pytest.fixture
def witness():
    """Sees whether TCP was spoken; transmission is asked by HTTP."""
    watching = TcpWitness(RPC_PORT)
    yield watching
    watching.close()


def seed_by_utp(clients, torrent, source, *words):
    seed = clients.freshet("seed", torrent, "-o", source, "--transport", "utp", "--no-dht", *words)
    seed.wait_phase("seeding")
    return seed


def get_by_utp(clients, torrent, folder, *words):
    return clients.freshet("get", torrent, "-o", folder, "--transport", "utp", "--no-dht", *words)


def finish(get, folder):
    assert get.wait() == 0, get.log()[-3000:]
    payload.check(folder)


def test_the_witness_sees_tcp(clients, torrent, source, tmp_path, witness):
    """Else what it does not see would prove nothing."""
    seed = clients.freshet("seed", torrent, "-o", source, "--transport", "tcp")
    seed.wait_phase("seeding")
    get = clients.freshet("get", torrent, "-o", tmp_path / "copy", "--transport", "tcp", "--peer",
                          seed.endpoint)
    finish(get, tmp_path / "copy")
    assert witness.payload_bytes() > 0


def test_freshet_downloads_from_freshet(clients, torrent, source, tmp_path, witness):
    seed = seed_by_utp(clients, torrent, source)
    finish(get_by_utp(clients, torrent, tmp_path / "copy", "--peer", seed.endpoint),
           tmp_path / "copy")
    assert witness.payload_bytes() == 0


def test_freshet_downloads_from_libtorrent(clients, torrent, source, tmp_path, witness):
    seed = clients.libtorrent(**UTP_ONLY)
    seed.add(torrent, source, seed=True)
    finish(get_by_utp(clients, torrent, tmp_path / "copy", "--peer", seed.endpoint),
           tmp_path / "copy")
    assert witness.payload_bytes() == 0


def test_libtorrent_comes_in_to_seed(clients, torrent, source, tmp_path, witness):
    seed = clients.libtorrent(**UTP_ONLY)
    handle = seed.add(torrent, source, seed=True)
    get = get_by_utp(clients, torrent, tmp_path / "copy")
    seed.connect(handle, get.endpoint)
    finish(get, tmp_path / "copy")
    assert witness.payload_bytes() == 0


def test_libtorrent_downloads_from_freshet(clients, torrent, source, tmp_path, witness):
    seed = seed_by_utp(clients, torrent, source)
    leech = clients.libtorrent(**UTP_ONLY)
    handle = leech.add(torrent, tmp_path / "copy")
    leech.connect(handle, seed.endpoint)
    leech.wait_complete(handle)
    payload.check(tmp_path / "copy")
    assert witness.payload_bytes() == 0


def test_freshet_goes_out_to_libtorrent_to_seed(clients, torrent, source, tmp_path, witness):
    leech = clients.libtorrent(**UTP_ONLY)
    handle = leech.add(torrent, tmp_path / "copy")
    seed_by_utp(clients, torrent, source, "--peer", leech.endpoint)
    leech.wait_complete(handle)
    payload.check(tmp_path / "copy")
    assert witness.payload_bytes() == 0


def test_freshet_downloads_from_transmission(clients, torrent, source, tmp_path, witness):
    seed = clients.transmission(utp=True)
    seed.add(torrent, source, seed=True)
    finish(get_by_utp(clients, torrent, tmp_path / "copy", "--peer", seed.endpoint),
           tmp_path / "copy")
    assert witness.payload_bytes() == 0


def test_transmission_downloads_from_freshet(clients, torrent, source, tmp_path, witness):
    leech = clients.transmission(utp=True)
    number = leech.add(torrent, tmp_path / "copy")
    seed_by_utp(clients, torrent, source, "--peer", leech.endpoint)
    leech.wait_complete(number)
    payload.check(tmp_path / "copy", empty=False)
    assert witness.payload_bytes() == 0


def test_transmission_comes_to_freshet(clients, source, tmp_path, witness):
    """It dials whom a tracker names, by uTP first; the seed never dials out of itself."""
    tracker = clients.tracker()
    torrent = tmp_path / "tracked.torrent"
    freshet_client.run("create", "--v1", "-l", "256K", "-a", tracker.udp, "-o", torrent,
                       source / payload.NAME)
    seed = seed_by_utp(clients, torrent, source)
    leech = clients.transmission(utp=True)
    number = leech.add(torrent, tmp_path / "copy")
    seen = []

    def has_peer():
        seen.extend(leech.status(number, "peers")["peers"])
        return seen
    wait_for(has_peer, leech.log)
    leech.wait_complete(number)
    payload.check(tmp_path / "copy", empty=False)
    assert seen and all(peer["isUTP"] and not peer["isIncoming"] for peer in seen), seen
    assert seed.stats()["uploaded"] > 0
    assert witness.payload_bytes() == 0


def test_both_turns_to_utp_where_tcp_is_refused(clients, torrent, source, tmp_path, witness):
    seed = seed_by_utp(clients, torrent, source)
    get = clients.freshet("get", torrent, "-o", tmp_path / "copy", "--transport", "both", "--peer",
                          seed.endpoint)
    finish(get, tmp_path / "copy")
    assert witness.payload_bytes() == 0


@pytest.mark.parametrize("family", [4, 6])
def test_libtorrent_both_ways_over_either_family(clients, torrent, source, tmp_path, family):
    first = clients.libtorrent(family=family, **UTP_ONLY)
    first.add(torrent, source, seed=True)
    get = clients.freshet("get", torrent, "-o", tmp_path / "copy", "--transport", "utp", "--no-dht",
                          "--seed-time", "60s", "--peer", first.endpoint, family=family)
    get.wait_event("done")
    last = clients.libtorrent(family=family, **UTP_ONLY)
    handle = last.add(torrent, tmp_path / "last")
    last.connect(handle, get.endpoint)
    last.wait_complete(handle)
    payload.check(tmp_path / "copy")
    payload.check(tmp_path / "last")


FORCED = {"in_enc_policy": 0, "out_enc_policy": 0, "allowed_enc_level": 2}  # RC4 and nothing else


def test_encrypted_from_libtorrent_and_to_it(clients, torrent, source, tmp_path, witness):
    """The same stream carries what hides it."""
    first = clients.libtorrent(**UTP_ONLY, **FORCED)
    first.add(torrent, source, seed=True)
    get = get_by_utp(clients, torrent, tmp_path / "copy", "--encryption", "require", "--seed-time",
                     "60s", "--peer", first.endpoint)
    get.wait_event("done")
    last = clients.libtorrent(**UTP_ONLY, **FORCED)
    handle = last.add(torrent, tmp_path / "last")
    last.connect(handle, get.endpoint)
    last.wait_complete(handle)
    payload.check(tmp_path / "copy")
    payload.check(tmp_path / "last")
    assert witness.payload_bytes() == 0


# ---- a bad way ----

SMALL = 3_000_000

# Without a word libtorrent drops a connection of which one packet was lost three times: here that
# is one run in fifteen.
PATIENT = {**UTP_ONLY, "utp_num_resends": 10}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A folder with one file, and its torrent."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.bin").write_bytes(random.Random(3).randbytes(SMALL))
    freshet_client.run("create", "--v1", "--no-date", "-l", "64K", "-o", folder / "small.torrent",
                       folder / "small.bin")
    return folder


@pytest.fixture
def relay():
    """A bad way to an endpoint; told how."""
    relays = []

    def make(target, **options):
        relays.append(LossyRelay(network.new_address(), target, **options))
        return relays[-1]

    yield make
    for one in relays:
        one.stop()


def same(folder, small):
    return (folder / "small.bin").read_bytes() == (small / "small.bin").read_bytes()


@pytest.mark.parametrize("policy", ["ledbat", "ledbat++"])
def test_freshet_to_freshet_over_a_bad_way(clients, small, tmp_path, relay, witness, policy):
    seed = seed_by_utp(clients, small / "small.torrent", small, "--utp-congestion", policy)
    way = relay(seed.endpoint)
    get = get_by_utp(clients, small / "small.torrent", tmp_path / "copy", "--peer", way.endpoint)
    assert get.wait(90) == 0, get.log()[-3000:]
    assert same(tmp_path / "copy", small)
    assert way.lost > 10
    assert witness.payload_bytes() == 0


HIDDEN = pytest.mark.parametrize("words,forced", [([], {}), (["--encryption", "require"], FORCED)],
                                 ids=["plain", "rc4"])


@HIDDEN
def test_libtorrent_to_freshet_over_a_bad_way(clients, small, tmp_path, relay, words, forced):
    seed = clients.libtorrent(**PATIENT, **forced)
    seed.add(small / "small.torrent", small, seed=True)
    way = relay(seed.endpoint)
    get = get_by_utp(clients, small / "small.torrent", tmp_path / "copy", "--peer", way.endpoint,
                     *words)
    assert get.wait(90) == 0, get.log()[-3000:]
    assert same(tmp_path / "copy", small)
    assert way.lost > 10


@HIDDEN
def test_freshet_to_libtorrent_over_a_bad_way(clients, small, tmp_path, relay, words, forced):
    seed = seed_by_utp(clients, small / "small.torrent", small, *words)
    way = relay(seed.endpoint)
    leech = clients.libtorrent(**PATIENT, **forced)
    handle = leech.add(small / "small.torrent", tmp_path / "copy")
    leech.connect(handle, way.endpoint)
    leech.wait_complete(handle, 90)
    assert same(tmp_path / "copy", small)
    assert way.lost > 10


@pytest.mark.parametrize("encryption", ["tolerated", "required"])
def test_transmission_to_freshet_over_a_bad_way(clients, small, tmp_path, relay, encryption):
    seed = clients.transmission(utp=True, encryption=encryption)
    seed.add(small / "small.torrent", small, seed=True)
    way = relay(seed.endpoint)
    words = ["--encryption", "require"] if encryption == "required" else []
    get = get_by_utp(clients, small / "small.torrent", tmp_path / "copy", "--peer", way.endpoint,
                     *words)
    assert get.wait(90) == 0, get.log()[-3000:]
    assert same(tmp_path / "copy", small)
    assert way.lost > 10
