# SPDX-License-Identifier: MIT
"""Magnet links: metadata (BEP 9) and piece layers (BEP 52) both ways with each client."""
import freshet_client
import libtorrent
import payload
import pytest
from waiting import wait_for

SIZE = sum(payload.FILES.values())
# With 16 KiB a piece layer is the leaves' layer, and longer than one request.
CONFUSED = "v1 and v2 hashes do not describe the same data"
CASES = [("v1", "256K"), ("v2", "16K"), ("v2", "64K"), ("hybrid", "16K"), ("hybrid", "256K")]


@pytest.fixture(scope="session")
def made(source, tmp_path_factory):
    """Torrents of the payload, made by freshet, by version and length of a piece."""
    folder = tmp_path_factory.mktemp("made")
    paths = {}
    for version, length in CASES:
        paths[version, length] = folder / f"{version}-{length}.torrent"
        freshet_client.run("create", f"--{version}", "--no-date", "-l", length, "-o",
                           paths[version, length], source / payload.NAME)
    return paths


def link_of(torrent):
    return freshet_client.run("show", "--magnet", torrent).strip()


def add_link(client, link, folder):
    parameters = libtorrent.parse_magnet_uri(link)
    parameters.save_path = str(folder)
    parameters.flags &= ~libtorrent.torrent_flags.auto_managed
    parameters.flags &= ~libtorrent.torrent_flags.paused
    return client.session.add_torrent(parameters)


def complete(clients, add, seed, tmp_path):
    """A libtorrent gets what `add` adds from the seed, whole. One that is told the layers of a hybrid
    while it hashes stops at times, with a seed of its own kind as well: another begins anew."""
    for attempt in range(4):
        folder = tmp_path / f"copy-{attempt}"
        client = clients.libtorrent()
        handle = add(client, folder)
        client.connect(handle, seed.endpoint)
        wait_for(lambda: handle.status().is_seeding or handle.status().errc.value(), client.news)
        if handle.status().errc.message() != CONFUSED:
            client.wait_complete(handle)
            payload.check(folder)
            return
    raise AssertionError(f"four libtorrents have stopped: {CONFUSED}")


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_freshet_has_metadata_from_libtorrent(clients, made, source, tmp_path, case):
    seed = clients.libtorrent()
    seed.add(made[case], source, seed=True)
    get = clients.freshet("get", link_of(made[case]), "-o", tmp_path / "copy", "--peer",
                          seed.endpoint, "--no-dht")
    assert get.wait() == 0, get.log()[-3000:] + seed.news()
    payload.check(tmp_path / "copy")
    stats = get.event("stats")
    assert stats["downloaded"] - stats["wasted"] == SIZE, stats


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_libtorrent_has_metadata_from_freshet(clients, made, source, tmp_path, case):
    seed = clients.seeding(made[case], source, "--no-dht")
    link = link_of(made[case])
    complete(clients, lambda client, folder: add_link(client, link, folder), seed, tmp_path)


@pytest.mark.parametrize("case", CASES[1:], ids="-".join)
def test_libtorrent_asks_for_layers_that_its_torrent_lacks(clients, made, source, tmp_path, case):
    torrent = libtorrent.bdecode(made[case].read_bytes())
    torrent[b"piece layers"] = {}
    bare = tmp_path / "bare.torrent"
    bare.write_bytes(libtorrent.bencode(torrent))
    seed = clients.seeding(made[case], source, "--no-dht")
    complete(clients, lambda client, folder: client.add(bare, folder), seed, tmp_path)


@pytest.mark.parametrize("case", CASES[1:], ids="-".join)
def test_freshet_asks_for_layers_that_its_torrent_lacks(clients, made, source, tmp_path, case):
    torrent = libtorrent.bdecode(made[case].read_bytes())
    torrent[b"piece layers"] = {}
    bare = tmp_path / "bare.torrent"
    bare.write_bytes(libtorrent.bencode(torrent))
    seed = clients.libtorrent()
    seed.add(made[case], source, seed=True)
    get = clients.freshet("get", bare, "-o", tmp_path / "copy", "--peer", seed.endpoint, "--no-dht")
    assert get.wait() == 0, get.log()[-3000:] + seed.news()
    payload.check(tmp_path / "copy")


def test_a_hybrid_known_by_its_v1_hash_gets_its_layers_all_the_same(clients, made, source,
                                                                    tmp_path):
    torrent = made["hybrid", "16K"]
    seed = clients.libtorrent()
    seed.add(torrent, source, seed=True)
    v1 = str(libtorrent.torrent_info(str(torrent)).info_hashes().v1)
    out = tmp_path / "out.torrent"
    folder = clients.new_folder("show")
    freshet_client.run("show", v1, "--torrent-out", out, "--peer", seed.endpoint, "--no-dht",
                       "--state", folder, "--listen", f"{seed.address}:0", "--timeout", "50s")
    assert libtorrent.bdecode(out.read_bytes())[b"piece layers"] == \
        libtorrent.bdecode(torrent.read_bytes())[b"piece layers"]


def test_transmission_has_metadata_from_freshet(clients, made, source, tmp_path):
    tracker = clients.tracker()
    torrent = tmp_path / "edited.torrent"
    freshet_client.run("edit", made["v1", "256K"], "-a", tracker.http, "-o", torrent)
    clients.seeding(torrent, source, "--no-dht")
    client = clients.transmission()
    answer = client.call("torrent-add", filename=link_of(torrent),
                         **{"download-dir": str(tmp_path / "copy")})
    client.wait_complete(answer["torrent-added"]["id"])
    payload.check(tmp_path / "copy", empty=False)


def test_freshet_has_metadata_from_transmission(clients, made, source, tmp_path):
    seed = clients.transmission()
    seed.add(made["v1", "256K"], source, seed=True)
    get = clients.freshet("get", link_of(made["v1", "256K"]), "-o", tmp_path / "copy", "--peer",
                          seed.endpoint, "--no-dht")
    assert get.wait(80) == 0, get.log()[-3000:]
    payload.check(tmp_path / "copy")


def test_freshet_has_metadata_from_aria2(clients, made, source, tmp_path):
    seed = clients.aria2(made["v1", "256K"], source, seed=True)
    get = clients.freshet("get", link_of(made["v1", "256K"]), "-o", tmp_path / "copy", "--peer",
                          seed.endpoint, "--no-dht")
    assert get.wait() == 0, get.log()[-3000:]
    payload.check(tmp_path / "copy")


def test_aria2_has_metadata_from_freshet(clients, made, source, tmp_path):
    """To a tracker aria2 says that it lacks nothing while it knows nothing: it asks the DHT, where
    somebody else has heard of the seed."""
    entry = clients.freshet("seed", made["v2", "64K"], "-o", source)
    entry.wait_phase("seeding")
    seed = clients.freshet("seed", made["v1", "256K"], "-o", source, "--bootstrap", entry.endpoint)
    seed.wait_phase("seeding")
    client = clients.aria2(link_of(made["v1", "256K"]), tmp_path / "copy", dht=entry.endpoint)
    client.wait_complete()
    payload.check(tmp_path / "copy")
    assert seed.stats()["uploaded"] == SIZE
