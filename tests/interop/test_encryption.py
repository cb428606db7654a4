# SPDX-License-Identifier: MIT
"""Message stream encryption between freshet and each client that speaks it, both ways."""
import network
import freshet_client
import payload
import pytest
from waiting import wait_for
from wire_tap import WireTap

HANDSHAKE = b"\x13BitTorrent protocol"

FORCED, ENABLED, DISABLED = 0, 1, 2  # libtorrent's policies
PLAINTEXT, RC4, BOTH = 1, 2, 3       # and what may be agreed


def policy(value, level, **more):
    return {"in_enc_policy": value, "out_enc_policy": value, "allowed_enc_level": level, **more}


def finish(get, folder):
    assert get.wait() == 0, get.log()[-3000:]
    payload.check(folder)


@pytest.fixture
def tap(clients):
    """Makes taps that end with the test, before the clients."""
    def make(endpoint):
        return clients.keep(WireTap(network.new_address(), endpoint))
    return make


def sample(source):
    """Bytes of the payload that no cipher makes by chance."""
    return (source / payload.NAME / "gross.bin").read_bytes()[1_000_000:1_000_064]


# ---- among ourselves, with somebody looking ----

@pytest.mark.parametrize("version", payload.VERSIONS)
def test_nothing_of_bittorrent_is_on_the_wire_where_encryption_is_required(clients, made, source,
                                                                           tmp_path, tap, version):
    seed = clients.seeding(made[version], source, "--encryption", "require")
    wire = tap(seed.endpoint)
    get = clients.freshet("get", made[version], "-o", tmp_path / "copy", "--peer", wire.endpoint,
                          "--encryption", "require")
    finish(get, tmp_path / "copy")
    assert wire.total > sum(payload.FILES.values())
    assert not wire.saw(HANDSHAKE[1:])
    assert not wire.saw(sample(source))


def test_the_tap_sees_what_is_not_hidden(clients, made, source, tmp_path, tap):
    """What the test above would fail with."""
    seed = clients.seeding(made["v1"], source)
    wire = tap(seed.endpoint)
    get = clients.freshet("get", made["v1"], "-o", tmp_path / "copy", "--peer", wire.endpoint)
    finish(get, tmp_path / "copy")
    assert wire.saw(HANDSHAKE)
    assert wire.saw(sample(source)[:16])


def test_who_prefers_it_and_meets_one_who_allows_it_hides_the_handshake_alone(
        clients, made, source, tmp_path, tap):
    seed = clients.seeding(made["v1"], source, "--encryption", "allow")
    wire = tap(seed.endpoint)
    get = clients.freshet("get", made["v1"], "-o", tmp_path / "copy", "--peer", wire.endpoint,
                          "--encryption", "prefer")
    finish(get, tmp_path / "copy")
    assert not any(kept.startswith(HANDSHAKE) for kept in wire.seen)
    assert wire.saw(sample(source)[:16])


def test_who_requires_it_does_not_talk_to_who_does_without(clients, made, source, tmp_path, tap):
    seed = clients.seeding(made["v1"], source, "--encryption", "off")
    wire = tap(seed.endpoint)
    get = clients.freshet("get", made["v1"], "-o", tmp_path / "copy", "--peer", wire.endpoint,
                          "--encryption", "require", "--no-dht", "--timeout", "5s")
    assert get.wait() == 4, get.log()[-3000:]
    assert len(wire.seen) >= 2
    assert not wire.saw(HANDSHAKE[1:])
    other = clients.freshet("get", made["v1"], "-o", tmp_path / "other", "--peer", seed.endpoint,
                            "--encryption", "prefer")
    finish(other, tmp_path / "other")


def test_metadata_comes_over_an_encrypted_connection(clients, made, source, tmp_path, tap):
    seed = clients.seeding(made["hybrid"], source, "--encryption", "require")
    wire = tap(seed.endpoint)
    link = freshet_client.run("show", made["hybrid"], "--magnet").strip()
    get = clients.freshet("get", link, "-o", tmp_path / "copy", "--peer", wire.endpoint,
                          "--encryption", "require")
    finish(get, tmp_path / "copy")
    assert not wire.saw(HANDSHAKE[1:])


def test_it_goes_over_utp_as_over_tcp(clients, made, source, tmp_path):
    words = ["--encryption", "require", "--transport", "utp"]
    seed = clients.seeding(made["hybrid"], source, *words)
    get = clients.freshet("get", made["hybrid"], "-o", tmp_path / "copy", "--peer", seed.endpoint,
                          *words)
    finish(get, tmp_path / "copy")


@pytest.mark.parametrize("theirs,level", [(FORCED, RC4), (ENABLED, BOTH)])
def test_a_libtorrent_that_speaks_utp_alone_downloads_encrypted(clients, made, source, tmp_path,
                                                                theirs, level):
    seed = clients.seeding(made["hybrid"], source, "--encryption", "require",
                           "--transport", "utp")
    leech = clients.libtorrent(enable_outgoing_utp=True, enable_incoming_utp=True,
                               enable_outgoing_tcp=False, enable_incoming_tcp=False,
                               **policy(theirs, level))
    handle = leech.add(made["hybrid"], tmp_path / "copy")
    leech.connect(handle, seed.endpoint)
    leech.wait_complete(handle, 90)
    payload.check(tmp_path / "copy")


# ---- libtorrent ----

@pytest.mark.parametrize("version", payload.VERSIONS)
def test_freshet_downloads_from_a_libtorrent_that_forces_rc4(clients, made, source, tmp_path, tap,
                                                             version):
    seed = clients.libtorrent(**policy(FORCED, RC4))
    seed.add(made[version], source, seed=True)
    wire = tap(seed.endpoint)
    get = clients.freshet("get", made[version], "-o", tmp_path / "copy", "--peer", wire.endpoint,
                          "--encryption", "require")
    finish(get, tmp_path / "copy")
    assert not wire.saw(HANDSHAKE[1:])
    assert not wire.saw(sample(source)[:16])


@pytest.mark.parametrize("version", payload.VERSIONS)
def test_a_libtorrent_that_forces_rc4_downloads_from_freshet(clients, made, source, tmp_path, tap,
                                                             version):
    seed = clients.seeding(made[version], source, "--encryption", "require")
    wire = tap(seed.endpoint)
    leech = clients.libtorrent(**policy(FORCED, RC4))
    handle = leech.add(made[version], tmp_path / "copy")
    leech.connect(handle, wire.endpoint)
    leech.wait_complete(handle)
    payload.check(tmp_path / "copy")
    assert not wire.saw(HANDSHAKE[1:])
    assert not wire.saw(sample(source)[:16])


LEVELS = [("prefer", FORCED, PLAINTEXT), ("prefer", FORCED, BOTH), ("prefer", ENABLED, BOTH),
          ("prefer", ENABLED, RC4), ("prefer", DISABLED, BOTH), ("require", ENABLED, BOTH),
          ("require", ENABLED, RC4)]


@pytest.mark.parametrize("ours,theirs,level", LEVELS)
def test_freshet_dials_libtorrent_with_each_policy(clients, made, source, tmp_path, ours, theirs,
                                                   level):
    seed = clients.libtorrent(**policy(theirs, level))
    seed.add(made["hybrid"], source, seed=True)
    get = clients.freshet("get", made["hybrid"], "-o", tmp_path / "copy", "--peer", seed.endpoint,
                          "--encryption", ours)
    finish(get, tmp_path / "copy")


@pytest.mark.parametrize("ours,theirs,level,rc4_first", [
    ("allow", FORCED, PLAINTEXT, False), ("allow", FORCED, RC4, False), ("allow", FORCED, BOTH, True),
    ("allow", ENABLED, BOTH, False), ("prefer", FORCED, PLAINTEXT, False),
    ("prefer", ENABLED, BOTH, True), ("require", ENABLED, BOTH, False), ("off", ENABLED, BOTH, True),
])
def test_libtorrent_with_each_policy_dials_freshet(clients, made, source, tmp_path, ours, theirs,
                                                   level, rc4_first):
    seed = clients.seeding(made["hybrid"], source, "--encryption", ours)
    leech = clients.libtorrent(**policy(theirs, level, prefer_rc4=rc4_first))
    handle = leech.add(made["hybrid"], tmp_path / "copy")
    leech.connect(handle, seed.endpoint)
    leech.wait_complete(handle)
    payload.check(tmp_path / "copy")


def test_a_crowd_of_libtorrents_that_force_rc4_completes(clients, made, source, tmp_path):
    seed = clients.seeding(made["hybrid"], source)
    crowd = []
    for number in range(4):
        leech = clients.libtorrent(**policy(FORCED, RC4))
        handle = leech.add(made["hybrid"], tmp_path / str(number))
        leech.connect(handle, seed.endpoint)
        for other, _ in crowd:
            leech.connect(handle, other.endpoint)
        crowd.append((leech, handle))
    for number, (leech, handle) in enumerate(crowd):
        leech.wait_complete(handle)
        payload.check(tmp_path / str(number))


# ---- transmission and aria2 ----

def test_freshet_downloads_from_a_transmission_that_requires_it(clients, made, source, tmp_path,
                                                                tap):
    seed = clients.transmission(encryption="required")
    seed.add(made["v1"], source, seed=True)
    wire = tap(seed.endpoint)
    get = clients.freshet("get", made["v1"], "-o", tmp_path / "copy", "--peer", wire.endpoint,
                          "--encryption", "require")
    finish(get, tmp_path / "copy")
    assert not wire.saw(HANDSHAKE[1:])
    assert not wire.saw(sample(source)[:16])


def test_a_transmission_that_requires_it_downloads_from_freshet(clients, made, source, tmp_path):
    leech = clients.transmission(encryption="required")
    number = leech.add(made["v1"], tmp_path / "copy")
    clients.seeding(made["v1"], source, "--peer", leech.endpoint, "--encryption",
                    "require")
    leech.wait_complete(number)
    payload.check(tmp_path / "copy", empty=False)


def test_a_transmission_that_requires_it_comes_to_freshet(clients, source, tmp_path):
    """It dials whom a tracker names; the seed, which never dials out of itself, is such a one."""
    tracker = clients.tracker()
    torrent = tmp_path / "tracked.torrent"
    freshet_client.run("create", "--v1", "-l", "256K", "-a", tracker.http, "-o", torrent,
                       source / payload.NAME)
    seed = clients.seeding(torrent, source, "--encryption", "require")
    leech = clients.transmission(encryption="required")
    number = leech.add(torrent, tmp_path / "copy")
    seen = []

    def has_peer():
        seen.extend(leech.status(number, "peers")["peers"])
        return seen
    wait_for(has_peer, leech.log)
    leech.wait_complete(number)
    payload.check(tmp_path / "copy", empty=False)
    assert all(peer["isEncrypted"] for peer in seen), seen
    assert seed.stats()["uploaded"] > 0


@pytest.mark.parametrize("level", ["plain", "arc4"])
def test_freshet_downloads_from_an_aria2_that_requires_it(clients, made, source, tmp_path, level):
    seed = clients.aria2(made["v1"], source, seed=True, crypto=level)
    get = clients.freshet("get", made["v1"], "-o", tmp_path / "copy", "--peer", seed.endpoint,
                          "--encryption", "prefer")
    finish(get, tmp_path / "copy")


@pytest.mark.parametrize("level,ours", [("plain", "prefer"), ("arc4", "require")])
def test_an_aria2_that_requires_it_downloads_from_freshet(clients, source, tmp_path, level, ours):
    tracker = clients.tracker()
    torrent = tmp_path / "tracked.torrent"
    freshet_client.run("create", "--v1", "-l", "256K", "-a", tracker.http, "-o", torrent,
                       source / payload.NAME)
    clients.seeding(torrent, source, "--encryption", ours)
    leech = clients.aria2(torrent, tmp_path / "copy", crypto=level)
    leech.wait_complete()
    payload.check(tmp_path / "copy")
