# SPDX-License-Identifier: MIT
"""Lists of addresses to have nothing to do with: from a file, and fetched as Transmission's RPC has
it."""
import contextlib
import gzip
import http.server
import json
import threading

import pytest
from daemons import daemons  # noqa: F401  pylint: disable=unused-import
from peers import peers, wait_for, write  # noqa: F401  pylint: disable=unused-import

MIB = 1 << 20
FORMATS = {
    "peerguardian": "Some Company, Inc:{0}-{0}\n",
    "emule": "{0} - {0} , 000 , Some Company\n",
    "plain": "# one\n{0}/32\n",
}


@contextlib.contextmanager
def serve(body):
    """A server on loopback that answers every GET with body[0]; gives its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            self.send_response(200 if body[0] is not None else 404)
            self.end_headers()
            self.wfile.write(body[0] or b"")

        def log_message(self, *_words):  # pylint: disable=arguments-differ
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/list.gz"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def torrent(freshet, tmp_path):
    write(tmp_path / "from/f.bin", 3 * MIB)
    path = tmp_path / "f.torrent"
    result = freshet("create", tmp_path / "from/f.bin", "-o", path, "--no-date", "-l", "64K", "--v1")
    assert result.returncode == 0, result.stderr
    return path


@pytest.mark.parametrize("form", FORMATS)
def test_get_has_nothing_to_do_with_who_is_in_the_list(peers, torrent, tmp_path, form):
    seed = peers("seed", torrent, "-o", tmp_path / "from")
    seed.wait_event("checked")
    bad = tmp_path / "bad.txt"
    bad.write_text(FORMATS[form].format(seed.address))
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint, "--ip-filter", bad,
                "--timeout", "3s")
    assert get.wait() == 4, get.log()
    assert get.wait_event("stats")["downloaded"] == 0
    good = tmp_path / "good.gz"
    good.write_bytes(gzip.compress(FORMATS[form].format("192.0.2.1").encode()))
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint, "--ip-filter", good)
    assert get.wait() == 0, get.log()


def test_seed_lets_nobody_in_who_is_in_the_list(peers, torrent, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_text("127.3.3.3\n")
    seed = peers("seed", torrent, "-o", tmp_path / "from", "--ip-filter", bad)
    seed.wait_event("checked")
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint, "--timeout", "3s",
                address="127.3.3.3")
    assert get.wait() == 4, get.log()
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", seed.endpoint)
    assert get.wait() == 0, get.log()


@pytest.mark.parametrize("command", ["get", "seed", "daemon"])
def test_a_list_that_cannot_be_read_is_said(freshet, torrent, tmp_path, command):
    words = [] if command == "daemon" else [torrent, "-o", tmp_path / "from"]
    for name, content, said in (("absent", None, "No such file"),
                                ("page", "<html>\n", "no list of IP addresses")):
        path = tmp_path / name
        if content:
            path.write_text(content)
        result = freshet(command, *words, "--ip-filter", path, "--listen", "127.0.0.1:0", "--state",
                         tmp_path / "state", "--no-dht")
        assert result.returncode == (6 if content is None else 2), result.stderr
        assert said in result.stderr and name in result.stderr


def uploaded(daemon):
    return daemon.torrents("uploadedEver")[0]["uploadedEver"]


def test_a_list_that_is_fetched_drops_and_refuses(daemons, peers, torrent, tmp_path):
    body = [gzip.compress(b"some name:127.4.4.4-127.4.4.5\nother:2001:db8::-2001:db8::ff\n")]
    daemon = daemons()
    daemon.add(torrent, download_dir=str(tmp_path / "from"))
    daemon.wait_complete()
    daemon.rpc("session-set", speed_limit_up=200, speed_limit_up_enabled=True)
    assert daemon.rpc("session-get")["blocklist-size"] == 0
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", daemon.endpoint,
                address="127.4.4.4")
    wait_for(lambda: get.last("downloaded") > 0, get.log)
    with serve(body) as url:
        daemon.rpc("session-set", blocklist_url=url, blocklist_enabled=True)
        assert daemon.rpc("blocklist-update") == {"blocklist-size": 2}
        assert daemon.rpc("session-get")["blocklist-size"] == 2
        # Who was there is gone, and does not come back: nothing is sent to him any more.
        wait_for(lambda: daemon.torrents("peers")[0]["peers"] == [], daemon.log)
        other = peers("get", torrent, "-o", tmp_path / "other", "--peer", daemon.endpoint,
                      "--timeout", "3s", address="127.4.4.5")
        assert other.wait() == 4, other.log()
        assert other.wait_event("stats")["downloaded"] == 0
        assert get.process.poll() is None
        # What is no list, or is not there, changes nothing.
        for wrong in (b"<html>", b"\x1f\x8b\x08nonsense", b"", None):
            body[0] = wrong
            answer = daemon.try_rpc("blocklist-update")
            assert answer["result"] != "success", answer
            assert daemon.rpc("session-get")["blocklist-size"] == 2
    # Switched off, everybody may come; the list stays.
    daemon.rpc("session-set", blocklist_enabled=False, speed_limit_up_enabled=False)
    assert daemon.rpc("session-get")["blocklist-size"] == 2
    other = peers("get", torrent, "-o", tmp_path / "other", "--peer", daemon.endpoint,
                  address="127.4.4.5")
    assert other.wait() == 0, other.log()


def test_a_list_is_kept_across_a_restart_beside_that_of_the_line(daemons, peers, torrent, freshet,
                                                                 tmp_path):
    line = tmp_path / "line.txt"
    line.write_text("127.4.4.7\n")
    daemon = daemons("--ip-filter", line)
    daemon.add(torrent, download_dir=str(tmp_path / "from"))
    daemon.wait_complete()
    many = b"".join(b"%d.%d.%d.0/25\n" % (i >> 16, i >> 8 & 255, i & 255) for i in range(100000))
    with serve([gzip.compress(many + b"127.4.4.6\n")]) as url:
        daemon.rpc("session-set", blocklist_url=url, blocklist_enabled=True)
        assert daemon.rpc("blocklist-update") == {"blocklist-size": 100001}

    def is_refused(address):
        get = peers("get", torrent, "-o", tmp_path / address, "--peer", daemon.endpoint,
                    "--timeout", "3s", address=address)
        code = get.wait()
        assert code in (0, 4), get.log()
        return code == 4

    assert is_refused("127.4.4.6") and is_refused("127.4.4.7")
    for _ in range(2):
        daemon.kill()
        daemon.start()
        wait_for(lambda: daemon.rpc("session-get")["blocklist-size"] == 100001, daemon.log)
        assert is_refused("127.4.4.6") and is_refused("127.4.4.7")
    assert not is_refused("127.4.4.8")
    daemon.rpc("session-set", blocklist_enabled=False)
    assert not is_refused("127.4.4.6")
    assert is_refused("127.4.4.7")
    # A kept list that went bad keeps everybody out until there is another or it is switched off.
    daemon.rpc("session-set", blocklist_enabled=True)
    daemon.kill()
    (daemon.state / "blocklist").write_bytes(b"\x1f\x8b\x08nonsense")
    daemon.start()
    wait_for(lambda: "blocklist error=" in daemon.log(), daemon.log)
    assert is_refused("127.4.4.9") and is_refused("127.4.4.7")
    assert "the block list cannot be read" in freshet("info", "1", "--socket", daemon.socket).stdout
    doctor = freshet("doctor", "--json", "--socket", daemon.socket)
    assert doctor.returncode != 0
    found = {one["check"]: one for one in json.loads(doctor.stdout)}["blocklist"]
    assert found["level"] == "bad" and "cannot be read" in found["fact"]
    daemon.rpc("session-set", blocklist_enabled=False)
    assert not is_refused("127.4.4.9") and is_refused("127.4.4.7")
    daemon.rpc("session-set", blocklist_enabled=True)
    assert is_refused("127.4.4.10")
    with serve([b"127.4.4.6\n"]) as url:
        daemon.rpc("session-set", blocklist_url=url)
        assert daemon.rpc("blocklist-update") == {"blocklist-size": 1}
    assert not is_refused("127.4.4.10")
    assert "block list" not in freshet("info", "1", "--socket", daemon.socket).stdout
    # So does one that lost all that was in it.
    daemon.kill()
    (daemon.state / "blocklist").write_bytes(b"")
    daemon.start()
    wait_for(lambda: "blocklist error=" in daemon.log(), daemon.log)
    assert is_refused("127.4.4.11")
