# SPDX-License-Identifier: MIT
"""Web seeds (BEP 19): a download from web servers alone, and one that lies beside an honest peer."""
import random

import network
import payload
import pytest
from freshet_client import run
from waiting import wait_for
from web_server import WebServer

PIECE = 256 << 10


def create(source, path, version, *urls):
    words = [word for url in urls for word in ("-w", url)]
    run("create", source / payload.NAME, "-o", path, f"--{version}", "--no-date", "-l", "256K", *words)
    return path


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_freshet_downloads_from_a_web_seed_alone(clients, source, tmp_path, version):
    web = clients.keep(WebServer(network.new_address(), source))
    torrent = create(source, tmp_path / "t.torrent", version, web.url)
    get = clients.freshet("get", "-o", tmp_path / "here", torrent)
    get.wait_event("done")
    payload.check(tmp_path / "here")
    assert get.wait() == 0
    total = sum(payload.FILES.values())
    assert web.sent == total, "each byte was fetched once"
    assert web.requests < total / 262144 * 2, "in long ranges"


@pytest.mark.parametrize("version", ["v1", "v2", "hybrid"])
def test_freshet_downloads_from_a_web_seed_without_ranges(clients, source, tmp_path, version):
    web = clients.keep(WebServer(network.new_address(), source, ranges=False))
    torrent = create(source, tmp_path / "t.torrent", version, web.url)
    get = clients.freshet("get", "-o", tmp_path / "here", torrent)
    get.wait_event("done")
    payload.check(tmp_path / "here")
    assert get.wait() == 0
    stats = get.wait_event("stats")
    assert stats["downloaded"] - stats["wasted"] == sum(payload.FILES.values())


def test_freshet_drops_a_web_seed_at_the_first_proof_that_it_lies(clients, tmp_path):
    """One piece is all that it sends: what it was asked for besides is asked of others."""
    source = tmp_path / "from/f.bin"
    source.parent.mkdir()
    source.write_bytes(random.Random(7).randbytes(32 * PIECE + 5))
    liar = clients.keep(WebServer(network.new_address(), source.parent, lies=True, answers=1))
    torrent = tmp_path / "t.torrent"
    run("create", source, "-o", torrent, "--v1", "-l", "256K", "-w", f"{liar.url}f.bin")
    get = clients.freshet("get", "-o", tmp_path / "here", torrent)
    wait_for(lambda: (get.event("progress") or {"wasted": 0})["wasted"], "the piece was hashed")
    seed = clients.freshet("seed", torrent, "-o", source.parent, "--peer", get.endpoint)
    get.wait_event("done")
    assert (tmp_path / "here/f.bin").read_bytes() == source.read_bytes()
    assert get.wait() == 0
    assert liar.sent == PIECE, "a first run is of one piece, and that one was false"
    # Three connections, and the one that was answered may have asked again before the piece was
    # hashed; nothing after that.
    assert liar.requests <= 4
    assert get.event("stats")["wasted"] == PIECE
    assert seed.stats()["uploaded"] == source.stat().st_size


def test_freshet_completes_beside_a_web_seed_that_lies(clients, source, tmp_path):
    liar = clients.keep(WebServer(network.new_address(), source, lies=True))
    torrent = create(source, tmp_path / "t.torrent", "v1", liar.url)
    seed = clients.freshet("seed", torrent, "-o", source)
    get = clients.freshet("get", "-o", tmp_path / "here", torrent, "--peer", seed.endpoint)
    get.wait_event("done")
    payload.check(tmp_path / "here")
    assert get.wait() == 0
