# SPDX-License-Identifier: MIT
"""Web seeds (BEP 19): a download from web servers alone, and one that lies beside an honest peer."""
import network
import payload
import pytest
from freshet_client import run
from web_server import WebServer


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


def test_freshet_drops_a_web_seed_that_lies(clients, source, tmp_path):
    liar = clients.keep(WebServer(network.new_address(), source, lies=True))
    torrent = create(source, tmp_path / "t.torrent", "v1", liar.url)
    seed = clients.freshet("seed", torrent, "-o", source)
    get = clients.freshet("get", "-o", tmp_path / "here", torrent, "--peer", seed.endpoint)
    get.wait_event("done")
    payload.check(tmp_path / "here")
    assert get.wait() == 0
    assert liar.sent < sum(payload.FILES.values()) * 2
