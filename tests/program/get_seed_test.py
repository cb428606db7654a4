# SPDX-License-Identifier: MIT
"""freshet get and seed: where torrents come from, what is refused, what the numbers say."""
import functools
import http.server
import signal
import threading
import urllib.parse

import pytest
from peers import peers, wait_for, write

MIB = 1 << 20


@pytest.fixture
def web(tmp_path):
    """A web server of the test's folder; gives its URL."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_path_is_seeded_and_fetched_from_a_url(peers, tmp_path, web):
    source = write(tmp_path / "from/some file.bin", 3 * MIB + 5)
    torrent = tmp_path / "out.torrent"
    seed = peers("seed", source, "--torrent-out", torrent, "--magnet")
    assert seed.wait_event("magnet")["link"].startswith("magnet:?xt=urn:btih:")
    get = peers("get", f"{web}/out.torrent", "-o", tmp_path / "to", "--peer", seed.endpoint)
    assert get.wait() == 0, get.log()
    assert (tmp_path / "to/some file.bin").read_bytes() == source.read_bytes()


@pytest.fixture
def plain_tracker():
    """A tracker whose announces tell no counts, and whose scrapes do; gives its URL."""
    class Tracker(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"d8:intervali1800e5:peers0:e"
            if self.path.startswith("/scrape?"):
                query = self.path.partition("info_hash=")[2].partition("&")[0]
                body = (b"d5:filesd20:" + urllib.parse.unquote_to_bytes(query) +
                        b"d8:completei7e10:downloadedi9e10:incompletei2eeee")
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tracker)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/announce"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_size_of_the_swarm_is_told(peers, tmp_path, plain_tracker):
    source = write(tmp_path / "from/f.bin", MIB)
    seed = peers("seed", source, "--tracker", plain_tracker)
    wait_for(lambda: seed.events("progress") and seed.last("swarm")["seeders"] is not None,
             lambda: f"no counts: {seed.log()[-2000:]}")
    assert seed.last("swarm") == {"seeders": 7, "leechers": 2, "downloaded": 9}
    seed.kill(signal.SIGTERM)
    alone = peers("seed", source)
    wait_for(lambda: alone.events("progress"), "no progress")
    assert alone.last("swarm") == {"seeders": None, "leechers": None, "downloaded": None}


def test_what_peers_gave_one_another_adds_up(peers, tmp_path):
    source = write(tmp_path / "from/f.bin", 3 * MIB + 5)
    torrent = tmp_path / "f.torrent"
    seed = peers("seed", source, "--torrent-out", torrent)
    seed.wait_event("ready")
    gets = [peers("get", torrent, "-o", tmp_path / f"to{i}", "--peer", seed.endpoint)
            for i in range(2)]
    for get in gets:
        assert get.wait() == 0, get.log()
        stats = get.wait_event("stats")
        assert stats["downloaded"] - stats["wasted"] == 3 * MIB + 5
        assert sum(peer["downloaded"] for peer in stats["peers"]) == stats["downloaded"]
        assert sum(peer["uploaded"] for peer in stats["peers"]) == stats["uploaded"]
    assert seed.kill(signal.SIGTERM) == 0
    stats = seed.wait_event("stats")
    assert sum(peer["uploaded"] for peer in stats["peers"]) == stats["uploaded"]


def test_a_known_torrent_is_found_by_its_hash(peers, tmp_path):
    source = write(tmp_path / "from/f.bin", MIB)
    torrent = tmp_path / "f.torrent"
    seed = peers("seed", source, "--torrent-out", torrent)
    seed.wait_event("ready")
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint)
    assert get.wait() == 0, get.log()
    key = get.wait_event("done")["info_hash"]
    again = peers("get", key, "-o", tmp_path / "to2", "--peer", seed.endpoint, state=get.state)
    assert again.wait() == 0, again.log()
    assert (tmp_path / "to2/f.bin").read_bytes() == source.read_bytes()
    strange = peers("get", key, "-o", tmp_path / "to", "--no-dht", "--timeout", "1s")
    assert strange.wait() == 4


def test_forget_starts_anew_where_the_root_was_removed(peers, tmp_path):
    source = write(tmp_path / "from/f.bin", MIB)
    torrent = tmp_path / "f.torrent"
    seed = peers("seed", source, "--torrent-out", torrent)
    seed.wait_event("ready")
    words = [torrent, "-o", tmp_path / "to", "--peer", seed.endpoint]
    get = peers("get", *words)
    assert get.wait() == 0, get.log()
    (tmp_path / "to/f.bin").unlink()
    (tmp_path / "to").rmdir()
    again = peers("get", *words, "--timeout", "1s", state=get.state)
    assert again.wait() == 4
    assert "is not there" in again.log()
    anew = peers("get", *words, "--forget", state=get.state)
    assert anew.wait() == 0, anew.log()
    assert (tmp_path / "to/f.bin").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("words", [
    ["x.torrent", "--transport", "pigeon"],
    ["x.torrent", "--utp-congestion", "reno"],
    ["x.torrent", "--encryption", "sometimes"],
    ["x.torrent", "--listen", "nowhere"],
    ["x.torrent", "--peer", "192.0.2.1"],
    ["x.torrent", "--no-seed", "--seed-time", "1h"],
    ["x.torrent", "-l", "fast"],
])
def test_what_is_not_built_or_makes_no_sense_is_a_usage_error(freshet, tmp_path, words):
    result = freshet("get", *words, cwd=tmp_path, env={"HOME": str(tmp_path)})
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert not any(tmp_path.iterdir())


def test_options_that_ask_for_what_is_the_case_are_accepted(freshet, tmp_path):
    source = write(tmp_path / "f.bin", 1000)
    torrent = tmp_path / "f.torrent"
    assert freshet("create", source, "-o", torrent).returncode == 0
    result = freshet("get", torrent, "--list", "--no-dht", "--no-lsd", "--no-pex", "--no-portmap",
                     "--transport", "both", "--utp-congestion", "ledbat", "--encryption", "off")
    assert result.returncode == 0
    assert "f.bin" in result.stdout


def test_a_web_seed_that_has_nothing_is_told_of(freshet, peers, tmp_path, web):
    source = write(tmp_path / "from/f.bin", MIB)
    torrent = tmp_path / "f.torrent"
    assert freshet("create", source, "-o", torrent, "-w", f"{web}/none/").returncode == 0
    get = peers("get", torrent, "-o", tmp_path / "to", "--no-dht")
    wait_for(lambda: "nobody left to fetch from" in get.log(), get.log)
    assert f"web seed {web}/none/: HTTP 404; not asked again" in get.log()
    assert get.kill(signal.SIGTERM) == 7


def test_missing_urls_and_servers_are_network_errors(freshet, tmp_path, web):
    for url in (f"{web}/none.torrent", "http://127.0.0.1:1/x.torrent",
                "http://169.254.169.254/x.torrent"):
        result = freshet("get", url, cwd=tmp_path, env={"HOME": str(tmp_path)})
        assert result.returncode == 4, url
        assert result.stderr.startswith(f"freshet get: {url}: ")


@pytest.mark.parametrize("tail", [["-a", "http://t/announce"], ["-c", "words"], ["-w", "http://w/"],
                                  []])
def test_a_torn_torrent_is_not_seeded_as_content(freshet, peers, tmp_path, tail):
    torrent = tmp_path / "whole.torrent"
    assert freshet("create", write(tmp_path / "from/f.bin", MIB), "-o", torrent,
                   *tail).returncode == 0
    torn = tmp_path / "torn"
    torn.write_bytes(torrent.read_bytes()[:-7])
    seed = peers("seed", torn, "--torrent-out", tmp_path / "never.torrent")
    assert seed.wait() == 8
    said = seed.log()
    assert said.count("\n") == 1 and said.startswith(f"freshet seed: {torn}: no torrent: ")
    assert said.endswith(" (--content seeds the file itself)\n")
    assert not (tmp_path / "never.torrent").exists()
    forced = peers("seed", "--content", torn, "--torrent-out", tmp_path / "torn.torrent")
    forced.wait_event("checked")
    shown = freshet("show", "--files", tmp_path / "torn.torrent").stdout
    assert shown.split()[-1] == "torn"
    # A whole one without its name is what it says.
    plain = tmp_path / "plain"
    plain.write_bytes(torrent.read_bytes())
    named = peers("seed", plain, "-o", tmp_path / "from")
    assert named.wait_event("checked")["name"] == "f.bin"


def test_a_seed_with_bad_data_says_so(peers, tmp_path):
    source = write(tmp_path / "from/f.bin", MIB)
    torrent = tmp_path / "f.torrent"
    first = peers("seed", source, "--torrent-out", torrent, "--seed-time", "0s")
    assert first.wait() == 0, first.log()
    with source.open("r+b") as file:
        file.seek(500000)
        file.write(b"!")
    second = peers("seed", torrent, "-o", tmp_path / "from")
    assert second.wait() == 5
    assert "1 of 64 pieces" in second.log()


def test_the_second_interrupt_ends_at_once(peers, tmp_path):
    source = write(tmp_path / "from/f.bin", MIB)
    torrent = tmp_path / "f.torrent"
    assert peers("seed", source, "--torrent-out", torrent, "--seed-time", "0s").wait() == 0
    get = peers("get", torrent, "-o", tmp_path / "to")
    get.wait_event("checked")
    get.process.send_signal(signal.SIGINT)
    get.process.send_signal(signal.SIGINT)
    assert get.wait() == 7
