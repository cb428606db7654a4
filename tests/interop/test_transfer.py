# SPDX-License-Identifier: MIT
"""The payload both ways between freshet and each client, with torrents that freshet made."""
import payload
import pytest
import torrents


def finish(get, folder, total):
    """`freshet get` ends by itself, with a whole copy and true counters."""
    assert get.wait() == 0, get.log()[-3000:]
    payload.check(folder)
    stats = get.event("stats")
    assert stats["downloaded"] - stats["wasted"] == total, stats
    return stats


SIZE = sum(payload.FILES.values())


@pytest.mark.parametrize("version", payload.VERSIONS)
def test_freshet_downloads_from_freshet(clients, made, source, tmp_path, version):
    seed = clients.seeding(made[version], source)
    get = clients.freshet("get", made[version], "-o", tmp_path / "copy", "--peer", seed.endpoint)
    finish(get, tmp_path / "copy", SIZE)
    assert seed.stats()["uploaded"] == SIZE


def test_freshet_waits_for_a_peer_that_is_hashing_still(clients, made, source, tmp_path):
    """The first connections are refused; a peer that a person named is tried again soon."""
    seed = clients.freshet("seed", made["hybrid"], "-o", source)
    get = clients.freshet("get", made["hybrid"], "-o", tmp_path / "copy", "--peer", seed.endpoint)
    finish(get, tmp_path / "copy", SIZE)


@pytest.mark.parametrize("version", payload.VERSIONS)
def test_freshet_downloads_from_libtorrent(clients, made, source, tmp_path, version):
    seed = clients.libtorrent()
    seed.add(made[version], source, seed=True)
    get = clients.freshet("get", made[version], "-o", tmp_path / "copy", "--peer", seed.endpoint)
    finish(get, tmp_path / "copy", SIZE)


@pytest.mark.parametrize("version", payload.VERSIONS)
def test_libtorrent_downloads_from_freshet(clients, made, source, tmp_path, version):
    seed = clients.seeding(made[version], source)
    leech = clients.libtorrent()
    handle = leech.add(made[version], tmp_path / "copy")
    leech.connect(handle, seed.endpoint)
    leech.wait_complete(handle)
    payload.check(tmp_path / "copy")
    assert seed.stats()["uploaded"] >= SIZE


@pytest.mark.parametrize("version", payload.VERSIONS)
def test_freshet_goes_out_to_libtorrent_to_seed(clients, made, source, tmp_path, version):
    leech = clients.libtorrent()
    handle = leech.add(made[version], tmp_path / "copy")
    clients.seeding(made[version], source, "--peer", leech.endpoint)
    leech.wait_complete(handle)
    payload.check(tmp_path / "copy")


@pytest.mark.parametrize("version", payload.VERSIONS)
def test_libtorrent_comes_in_to_seed(clients, made, source, tmp_path, version):
    seed = clients.libtorrent()
    handle = seed.add(made[version], source, seed=True)
    get = clients.freshet("get", made[version], "-o", tmp_path / "copy")
    seed.connect(handle, get.endpoint)
    finish(get, tmp_path / "copy", SIZE)


def test_transfers_over_ipv6(clients, made, source, tmp_path):
    """From libtorrent to freshet, and from there to another libtorrent that comes in."""
    first, last = clients.libtorrent(family=6), clients.libtorrent(family=6)
    first.add(made["hybrid"], source, seed=True)
    get = clients.freshet("get", made["hybrid"], "-o", tmp_path / "copy", "--seed-time", "60s",
                          "--peer", first.endpoint, family=6)
    handle = last.add(made["hybrid"], tmp_path / "last")
    last.connect(handle, get.endpoint)
    get.wait_event("done")
    last.wait_complete(handle)
    payload.check(tmp_path / "copy")
    payload.check(tmp_path / "last")


@pytest.mark.parametrize("version", payload.VERSIONS)
def test_freshet_completes_beside_a_libtorrent_that_sends_rubbish(clients, made, source, tmp_path,
                                                                  version):
    payload.make(tmp_path / "bad")
    liar, honest = clients.libtorrent(), clients.libtorrent(upload_rate_limit=8_000_000)
    liar.add(made[version], tmp_path / "bad", seed=True)
    honest.add(made[version], source, seed=True)
    with open(tmp_path / "bad" / payload.NAME / "gross.bin", "r+b") as file:
        for offset in range(0, payload.FILES["gross.bin"] - 16384, 16384):
            file.seek(offset)
            file.write(b"rubbish!")
    get = clients.freshet("get", made[version], "-o", tmp_path / "copy", "--peer", liar.endpoint,
                          "--peer", honest.endpoint)
    stats = finish(get, tmp_path / "copy", SIZE)
    assert stats["wasted"] > 0, stats


def test_a_crowd_of_libtorrents_completes_from_one_freshet(clients, made, source, tmp_path):
    seed = clients.seeding(made["hybrid"], source)
    crowd = []
    for number in range(6):
        leech = clients.libtorrent()
        handle = leech.add(made["hybrid"], tmp_path / str(number))
        leech.connect(handle, seed.endpoint)
        for other, _ in crowd:
            leech.connect(handle, other.endpoint)
        crowd.append((leech, handle))
    for number, (leech, handle) in enumerate(crowd):
        leech.wait_complete(handle)
        payload.check(tmp_path / str(number))


def test_libtorrent_that_tries_encryption_first_falls_back(clients, made, source, tmp_path):
    seed = clients.seeding(made["v1"], source, "--encryption", "off")
    leech = clients.libtorrent(out_enc_policy=1, in_enc_policy=1)
    handle = leech.add(made["v1"], tmp_path / "copy")
    leech.connect(handle, seed.endpoint)
    leech.wait_complete(handle)
    payload.check(tmp_path / "copy")


def test_freshet_downloads_what_libtorrent_made(clients, source, tmp_path):
    torrent = torrents.make(source, tmp_path / "a.torrent", "hybrid")
    seed = clients.libtorrent()
    seed.add(torrent, source, seed=True)
    get = clients.freshet("get", torrent, "-o", tmp_path / "copy", "--peer", seed.endpoint)
    finish(get, tmp_path / "copy", SIZE)


def test_freshet_and_libtorrent_complete_one_another(clients, made, source, tmp_path):
    """Each has another half of the payload; both end with all of it."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder, names in ((ours, ["gross.bin"]), (theirs, ["Füße/日本語.bin", "Füße/ένα"])):
        for name in names:
            path = folder / payload.NAME / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((source / payload.NAME / name).read_bytes())
    other = clients.libtorrent()
    handle = other.add(made["hybrid"], theirs)
    seed = clients.seeding(made["hybrid"], source, "--up-limit", "1M")
    get = clients.freshet("get", made["hybrid"], "-o", ours, "--peer", other.endpoint, "--peer",
                          seed.endpoint, "--seed-time", "60s")
    get.wait_event("done")
    other.wait_complete(handle)
    payload.check(ours)
    payload.check(theirs)
    assert get.stats()["uploaded"] > 0


def test_freshet_downloads_from_transmission(clients, made, source, tmp_path):
    seed = clients.transmission()
    seed.add(made["v1"], source, seed=True)
    get = clients.freshet("get", made["v1"], "-o", tmp_path / "copy", "--peer", seed.endpoint)
    finish(get, tmp_path / "copy", SIZE)


def test_transmission_downloads_from_freshet(clients, made, source, tmp_path):
    leech = clients.transmission()  # 3.00 takes no hybrid torrent, whoever made it
    number = leech.add(made["v1"], tmp_path / "copy")
    clients.seeding(made["v1"], source, "--peer", leech.endpoint)
    leech.wait_complete(number)
    payload.check(tmp_path / "copy", empty=False)


def test_freshet_downloads_from_aria2(clients, made, source, tmp_path):
    seed = clients.aria2(made["v1"], source, seed=True)
    get = clients.freshet("get", made["v1"], "-o", tmp_path / "copy", "--peer", seed.endpoint)
    finish(get, tmp_path / "copy", SIZE)


def test_aria2_downloads_from_freshet(clients, made, source, tmp_path):
    leech = clients.aria2(made["v1"], tmp_path / "copy")
    clients.seeding(made["v1"], source, "--peer", leech.endpoint)
    leech.wait_complete()
    payload.check(tmp_path / "copy")


def test_a_swarm_of_all_clients_completes_from_one_freshet(clients, source, tmp_path):
    tracker = clients.tracker()
    torrent = torrents.make(source, tmp_path / "a.torrent", "v1", [tracker.http])
    clients.seeding(torrent, source)
    other = clients.libtorrent()
    handle = other.add(torrent, tmp_path / "libtorrent")
    transmission = clients.transmission(encryption="preferred")  # as it is out of the box
    number = transmission.add(torrent, tmp_path / "transmission")
    aria2 = clients.aria2(torrent, tmp_path / "aria2")
    get = clients.freshet("get", torrent, "-o", tmp_path / "freshet")
    assert get.wait() == 0, get.log()[-3000:]
    other.wait_complete(handle)
    aria2.wait_complete()
    transmission.wait_complete(number)
    for name in ("libtorrent", "aria2", "freshet"):
        payload.check(tmp_path / name)
    payload.check(tmp_path / "transmission", empty=False)
