# SPDX-License-Identifier: MIT
"""Magnet links and info-hashes: who has nothing else gets everything from peers."""
import base64
import json
import signal
import subprocess

import pytest
from conftest import PROGRAM
from peers import peers, wait_for, write

MIB = 1 << 20


@pytest.fixture
def album(tmp_path):
    """A folder of several pieces and files."""
    write(tmp_path / "from/album/a song.bin", 3 * MIB + 5, 1)
    write(tmp_path / "from/album/b.bin", MIB, 2)
    write(tmp_path / "from/album/ü.txt", 11, 3)
    return tmp_path / "from/album"


def link_of(seed):
    return seed.wait_event("magnet")["link"]


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_link_is_enough_where_there_is_no_tracker(peers, album, tmp_path):
    """The seed is the way into the DHT; the other learns of it there, and of all else from it."""
    seed = peers("seed", album)
    link = link_of(seed)
    assert "tr=" not in link and "x.pe" not in link
    get = peers("get", link, "-o", tmp_path / "to", "--bootstrap", seed.endpoint)
    assert get.wait() == 0, get.log()
    assert files_of(tmp_path / "to/album") == files_of(album)
    assert "album: 3 files" in get.log()


def test_one_after_another_finds_a_lone_seed(peers, album, freshet, tmp_path):
    """Whoever heard the seed's announce is gone when the next one comes: only the seed can tell.
    It may be the first to hear of the other, and call."""
    torrent = tmp_path / "album.torrent"
    assert freshet("create", album, "-o", torrent).returncode == 0
    info_hash = json.loads(freshet("show", "--json", torrent).stdout)["info_hash_v1"]
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    for name in ("one", "two", "three"):
        get = peers("get", info_hash, "-o", tmp_path / name, "--bootstrap", seed.endpoint)
        assert get.wait(240) == 0, get.log()
        assert files_of(tmp_path / name / "album") == files_of(album)


def test_where_the_dht_is_entered_is_remembered(peers, album, tmp_path):
    seed = peers("seed", album)
    first = peers("get", "0" * 40, "-o", tmp_path / "no", "--bootstrap", seed.endpoint,
                  "--timeout", "1s")
    assert first.wait() == 4, first.log()
    get = peers("get", link_of(seed), "-o", tmp_path / "to", state=first.state)
    assert get.wait() == 0, get.log()
    assert files_of(tmp_path / "to/album") == files_of(album)


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_metadata_of_every_version_comes_from_peers(peers, album, freshet, tmp_path, version):
    torrent = tmp_path / "album.torrent"
    assert freshet("create", album, "-o", torrent, f"--{version}", "-l", "16K", "-a",
                   "http://127.0.0.1:9/announce").returncode == 0
    facts = json.loads(freshet("show", "--json", torrent).stdout)
    seed = peers("seed", torrent, "-o", tmp_path / "from", "--no-dht")
    hashes = [facts[key] for key in ("info_hash_v1", "info_hash_v2") if facts.get(key)]
    if facts.get("info_hash_v1"):
        hashes.append(base64.b32encode(bytes.fromhex(facts["info_hash_v1"])).decode())
    for number, word in enumerate([facts["magnet"], *hashes]):
        out = tmp_path / f"{number}.torrent"
        reply = freshet("show", word, "--torrent-out", out, "--peer", seed.endpoint, "--no-dht",
                        "--state", tmp_path / f"show-{number}", "--listen", "127.5.0.1:0",
                        "--timeout", "50s")
        assert reply.returncode == 0, reply.stderr
        made = json.loads(freshet("show", "--json", out).stdout)
        for key in ("info_hash_v1", "info_hash_v2", "name", "files", "pieces", "layers_missing"):
            assert made.get(key) == facts.get(key), key
    get = peers("get", tmp_path / "0.torrent", "-o", tmp_path / "to", "--peer", seed.endpoint,
                "--no-dht")
    assert get.wait() == 0, get.log()
    assert files_of(tmp_path / "to/album") == files_of(album)


def test_files_are_listed_and_chosen(peers, album, freshet, tmp_path):
    seed = peers("seed", album, "--no-dht")
    link = link_of(seed)
    words = ["--peer", seed.endpoint, "--no-dht"]
    listed = freshet("get", link, "--list", *words, "--state", tmp_path / "l", "--listen",
                     "127.5.0.1:0")
    assert listed.returncode == 0, listed.stderr
    assert [line.split("  ")[-1] for line in listed.stdout.splitlines()] == [
        "album/a song.bin", "album/b.bin", "album/ü.txt"]
    # Listed once, it is known: nobody is asked again.
    assert freshet("get", link, "--list", "--no-dht", "--state", tmp_path / "l", "--timeout",
                   "1s").stdout == listed.stdout
    get = peers("get", link, "-o", tmp_path / "to", "-s", "2", *words)
    assert get.wait() == 0, get.log()
    assert set(files_of(tmp_path / "to/album")) == {"b.bin"}
    # BEP 53 counts every file from 0, padding included.
    get = peers("get", link + "&so=0", "-o", tmp_path / "so", *words)
    assert get.wait() == 0, get.log()
    assert set(files_of(tmp_path / "so/album")) == {"a song.bin"}


def test_a_link_may_name_peers(peers, album, tmp_path):
    seed = peers("seed", album, "--no-dht")
    get = peers("get", f"{link_of(seed)}&x.pe={seed.endpoint}", "-o", tmp_path / "to", "--no-dht")
    assert get.wait() == 0, get.log()
    assert files_of(tmp_path / "to/album") == files_of(album)


def test_a_link_may_name_a_tracker(peers, album, tmp_path):
    tracker = subprocess.Popen([PROGRAM, "tracker", "--progress=json", "--http", "127.0.0.1:0"],
                               stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://{json.loads(tracker.stdout.readline())['listen']}/announce"
        seed = peers("seed", album, "--tracker", url, "--no-dht")
        link = link_of(seed)
        assert "&tr=http" in link
        get = peers("get", link, "-o", tmp_path / "to", "--no-dht")
        assert get.wait() == 0, get.log()
        assert files_of(tmp_path / "to/album") == files_of(album)
    finally:
        tracker.terminate()
        stats = json.loads(tracker.communicate(timeout=20)[0].splitlines()[-1])
    assert stats["peers"] == 2  # the seed, under both hashes; the other has said goodbye


def test_metadata_spreads_from_peer_to_peer(peers, album, tmp_path):
    """The second knows only the first, which has nothing when it begins."""
    first = peers("get", "--seed-time", "1h", "-o", tmp_path / "one", "--no-dht",
                  link := link_of(seed := peers("seed", album, "--no-dht")))
    second = peers("get", link, "-o", tmp_path / "two", "--no-dht", "--peer", first.endpoint)
    third = peers("get", link, "-o", tmp_path / "three", "--no-dht", "--peer", seed.endpoint,
                  "--peer", first.endpoint, "--seed-time", "1h")
    assert second.wait() == 0, second.log()
    assert files_of(tmp_path / "two/album") == files_of(album)
    third.wait_event("done")


def test_nobody_there_ends_with_4_and_a_signal_with_7(peers, tmp_path):
    get = peers("get", "1" * 40, "-o", tmp_path / "to", "--no-dht", "--timeout", "1s")
    assert get.wait() == 4
    assert not (tmp_path / "to").exists()
    get = peers("get", "1" * 40, "-o", tmp_path / "to", "--no-dht")
    get.wait_event("ready")
    wait_for(lambda: get.events("progress"), get.log)
    assert get.events("progress")[-1]["phase"] == "metadata"
    assert get.kill(signal.SIGINT) == 7
    assert not (tmp_path / "to").exists()


def test_a_private_torrent_gives_its_metadata_to_nobody(peers, album, freshet, tmp_path):
    torrent = tmp_path / "p.torrent"
    assert freshet("create", album, "-o", torrent, "-p", "-a",
                   "http://127.0.0.1:9/announce").returncode == 0
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    link = freshet("show", "--magnet", torrent).stdout.strip()
    get = peers("get", link, "-o", tmp_path / "to", "--peer", seed.endpoint, "--bootstrap",
                seed.endpoint, "--timeout", "3s")
    assert get.wait() == 4, get.log()


def test_a_bad_link_is_one_line(freshet, tmp_path):
    for word in ("magnet:?dn=x", "magnet:?xt=urn:btih:12"):
        reply = freshet("get", word, "-o", tmp_path / "to")
        assert reply.returncode == 8
        assert reply.stderr.count("\n") == 1
    reply = freshet("seed", "2" * 40, "--state", tmp_path / "s")
    assert reply.returncode == 2
    assert "freshet get" in reply.stderr
