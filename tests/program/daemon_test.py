# SPDX-License-Identifier: MIT
"""freshet daemon: torrents kept and driven over its sockets; who may drive it."""
import base64
import errno
import http.client
import json
import os
import signal
import socket
import stat
import subprocess

import pytest
from conftest import PROGRAM
from daemons import daemons  # noqa: F401, a fixture
from peers import peers, wait_for, write  # noqa: F401

MIB = 1 << 20


@pytest.fixture
def seeded(freshet, peers, tmp_path):
    """A torrent, its content and a peer that has it."""
    source = write(tmp_path / "from/f.bin", 3 * MIB + 5)
    torrent = tmp_path / "f.torrent"
    assert freshet("create", source, "-o", torrent).returncode == 0
    return torrent, source, peers("seed", torrent, "-o", source.parent)


class Client:
    """Plain HTTP over TCP, so that every header can be a lie."""

    def __init__(self, daemon):
        self.daemon = daemon
        host, port = daemon.ready["rpc"].rsplit(":", 1)
        self.address = (host, int(port))

    def ask(self, method="GET", path="/transmission/rpc", body=None, token=None, **headers):
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.body = answer.read()
        connection.close()
        return answer

    def session(self, token):
        return self.ask(token=token).headers["X-Transmission-Session-Id"]

    def rpc(self, token, method, session=None, **arguments):
        return self.ask("POST", token=token, body=json.dumps(
            {"method": method, "arguments": arguments}),
            X_Transmission_Session_Id=session or self.session(token))


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


# ---- torrents ----


def test_a_torrent_is_fetched_and_seeded_and_kept(daemons, peers, seeded, tmp_path):
    torrent, source, seed = seeded
    daemon = daemons("--peer", seed.endpoint)
    added = daemon.add(torrent)
    daemon.wait_complete()
    assert (daemon.folder / "downloads/f.bin").read_bytes() == source.read_bytes()
    seed.stop()
    assert daemon.kill(signal.SIGTERM) == 0
    daemon.start()
    daemon.wait_complete()
    assert daemon.torrents()[0]["hashString"] == added["hashString"]
    get = peers("get", torrent, "-o", tmp_path / "to", "--peer", daemon.endpoint)
    assert get.wait() == 0, get.log()
    assert (tmp_path / "to/f.bin").read_bytes() == source.read_bytes()


def test_a_magnet_link_becomes_a_torrent_and_stays_one(daemons, peers, freshet, seeded):
    torrent, source, seed = seeded
    link = freshet("show", torrent, "--magnet").stdout.strip()
    daemon = daemons("--peer", seed.endpoint)
    daemon.rpc("torrent-add", filename=link)
    daemon.wait_complete()
    seed.stop()
    daemon.kill()
    daemon.start()
    daemon.wait_complete()
    assert (daemon.folder / "downloads/f.bin").read_bytes() == source.read_bytes()


def test_what_was_stopped_and_removed_stays_so(daemons, seeded):
    torrent, _, _ = seeded
    daemon = daemons()
    number = daemon.add(torrent)["id"]
    daemon.rpc("torrent-stop", ids=[number])
    daemon.kill()
    daemon.start()
    assert [row["status"] for row in daemon.torrents()] == [0]
    daemon.rpc("torrent-remove", ids=[number])
    daemon.kill()
    daemon.start()
    assert daemon.torrents() == []


def test_totals_go_on_over_restarts(daemons, seeded):
    torrent, source, seed = seeded
    daemon = daemons("--peer", seed.endpoint)
    daemon.add(torrent)
    daemon.wait_complete()
    wait_for(lambda: daemon.rpc("session-stats")["current-stats"]["downloadedBytes"]
             == source.stat().st_size, lambda: daemon.rpc("session-stats"))
    assert daemon.kill(signal.SIGTERM) == 0
    daemon.start()
    stats = daemon.rpc("session-stats")
    assert stats["cumulative-stats"]["downloadedBytes"] == source.stat().st_size
    assert stats["cumulative-stats"]["sessionCount"] == 2
    assert stats["current-stats"]["downloadedBytes"] == 0


def test_the_rpc_ends_the_daemon_after_its_answer(daemons):
    daemon = daemons()
    daemon.rpc("session-close")
    assert daemon.process.wait(60) == 0
    assert not daemon.socket.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_in_order(daemons, number):
    daemon = daemons()
    assert daemon.kill(number) == 0
    assert not daemon.socket.exists()
    assert " info stopped" in daemon.log()


# ---- one daemon ----


def test_a_second_daemon_is_refused_and_names_the_first(daemons, freshet, tmp_path):
    daemon = daemons()
    words = ["daemon", "--no-dht", "--listen", "127.0.0.1:0", "--rpc", "none"]
    same_state = freshet(*words, "--state", daemon.state, "--socket", tmp_path / "other")
    assert same_state.returncode == 9
    assert str(daemon.process.pid) in same_state.stderr
    same_socket = freshet(*words, "--state", tmp_path / "other-state", "--socket", daemon.socket)
    assert same_socket.returncode == 9
    assert str(daemon.process.pid) in same_socket.stderr
    assert daemon.get("/metrics")[0] == 200


def test_the_socket_of_a_dead_daemon_is_replaced(daemons):
    daemon = daemons()
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()
    assert daemon.get("/metrics")[0] == 200
    assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o600


def test_a_file_in_the_sockets_place_stays(daemons, freshet, tmp_path):
    (tmp_path / "file").write_text("precious")
    ended = freshet("daemon", "--no-dht", "--listen", "127.0.0.1:0", "--rpc", "none", "--state",
                    tmp_path / "state", "--socket", tmp_path / "file")
    assert ended.returncode == 6, ended.stderr
    assert (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("words", [["--rpc", "here"], ["--rpc-user", "nobody"],
                                   ["--rpc-user", ":x"], ["--transport", "pigeon"]])
def test_wrong_options_are_refused(freshet, words, tmp_path):
    ended = freshet("daemon", "--state", tmp_path / "state", *words)
    assert ended.returncode == 2, ended.stderr
    assert not (tmp_path / "state").exists()


# ---- who may speak ----


def test_tokens_are_made_once_and_are_private(daemons):
    daemon = daemons()
    for name in ("rpc-token", "rpc-token-read"):
        assert stat.S_IMODE((daemon.state / name).stat().st_mode) == 0o600
    assert len(daemon.token) == 48 and daemon.token != daemon.read_token
    before = daemon.token
    daemon.kill()
    daemon.start()
    assert daemon.token == before
    daemon.kill()
    (daemon.state / "rpc-token").chmod(0o644)
    ended = subprocess.run(daemon.words, capture_output=True, text=True, env=daemon.env, timeout=60,
                           check=False)
    assert ended.returncode == 6 and "rpc-token" in ended.stderr


def test_the_session_id_is_danced_for(daemons):
    daemon = daemons()
    client = Client(daemon)
    first = client.ask("POST", body="{}", token=daemon.token)
    assert first.status == 409
    session = first.headers["X-Transmission-Session-Id"]
    assert client.ask(token=daemon.token).status == 409
    assert client.rpc(daemon.token, "session-get", "wrong").status == 409
    answer = client.rpc(daemon.token, "session-get", session)
    assert answer.status == 200 and json.loads(answer.body)["result"] == "success"
    daemon.kill()
    daemon.start()
    assert Client(daemon).rpc(daemon.token, "session-get", session).status == 409


def test_tcp_needs_the_token(daemons):
    daemon = daemons()
    client = Client(daemon)
    for path in ("/transmission/rpc", "/metrics"):
        assert client.ask(path=path).status == 401
        assert client.ask("POST", path=path, body="{}").status == 401
    assert client.ask().headers["WWW-Authenticate"].startswith("Basic")
    assert client.ask(Authorization=basic("anybody", daemon.token)).status == 409
    assert client.ask(Authorization="Bearer " + daemon.token[:-1]).status == 401
    assert client.ask(Authorization="Basic !!!").status == 401
    assert client.ask(path="/metrics", token=daemon.token).status == 200


def test_the_read_token_changes_nothing(daemons, seeded):
    torrent, _, _ = seeded
    daemon = daemons()
    number = daemon.add(torrent)["id"]
    client = Client(daemon)
    answer = client.rpc(daemon.read_token, "torrent-get", fields=["id"])
    assert json.loads(answer.body)["arguments"]["torrents"] == [{"id": number}]
    answer = client.rpc(daemon.read_token, "torrent-remove", ids=[number])
    assert answer.status != 200 or json.loads(answer.body)["result"] != "success"
    assert len(daemon.torrents()) == 1


def test_a_chosen_token_and_login_are_taken(daemons):
    daemon = daemons("--rpc-user", "me:my password",
                     env={"FRESHET_RPC_TOKEN": "a token that somebody chose"})
    client = Client(daemon)
    assert client.ask(Authorization=basic("me", "my password")).status == 409
    assert client.ask(token="a token that somebody chose").status == 409
    assert client.ask(Authorization=basic("you", "my password")).status == 401
    assert client.ask(token=daemon.token).status == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9091", "localhost.evil.example",
                                  "127.0.0.1.evil.example", "127.0.0", "[::g]"])
def test_foreign_hosts_are_refused(daemons, host):
    daemon = daemons()
    for path in ("/", "/transmission/rpc", "/metrics"):
        assert Client(daemon).ask(path=path, token=daemon.token, Host=host).status == 421


def test_hosts_may_be_allowed(daemons):
    daemon = daemons("--rpc-allow", "nas.example")
    client = Client(daemon)
    for host in ("nas.example", "NAS.example:80", "localhost", "[::1]:9091", "192.168.1.5",
                 "192.168.1.5:9091", "[2001:db8::5]:80"):
        assert client.ask(path="/metrics", token=daemon.token, Host=host).status == 200
    assert client.ask(path="/metrics", token=daemon.token, Host="nas.example.evil").status == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://localhost.evil",
                                    "file://localhost", "http://evil.example/http://localhost"])
def test_foreign_origins_are_refused(daemons, origin):
    daemon = daemons()
    client = Client(daemon)
    assert client.ask(path="/metrics", token=daemon.token, Origin=origin).status == 403
    assert client.ask(path="/metrics", token=daemon.token, Origin="http://localhost:1").status == 200


def test_wrong_tokens_wait_longer_each_time(daemons):
    daemon = daemons("--rpc-user", "me:password")
    client = Client(daemon)
    for _ in range(3):
        assert client.ask(token="wrong token").status == 401
    slowed = client.ask(token="wrong token")
    assert slowed.status == 429 and int(slowed.headers["Retry-After"]) >= 1
    assert client.ask(Authorization=basic("me", "password")).status == 429
    # The generated one cannot be guessed; its owner is not locked out by others.
    assert client.ask(path="/metrics", token=daemon.token).status == 200
    assert daemon.get("/metrics")[0] == 200
    wait_for(lambda: client.ask(Authorization=basic("me", "password")).status == 409, "still slowed")


def test_a_token_that_a_person_wrote_waits_too(daemons):
    daemon = daemons()
    daemon.kill(15)
    for name, text in (("rpc-token", "a long pass phrase"), ("rpc-token-read", "another pass phrase")):
        (daemon.state / name).write_text(text + "\n")
    daemon.start()
    client = Client(daemon)
    assert client.ask(path="/metrics", token="a long pass phrase").status == 200
    assert client.ask(path="/metrics", token="another pass phrase").status == 200
    for _ in range(5):
        client.ask(token="wrong token")
    # Who guesses right while he is to wait does not learn it.
    assert client.ask(path="/metrics", token="a long pass phrase").status == 429
    assert client.ask(path="/metrics", token="another pass phrase").status == 429
    wait_for(lambda: client.ask(path="/metrics", token="another pass phrase").status == 200, "still slowed")
    assert client.ask(path="/metrics", token="a long pass phrase").status == 200


def test_only_torrents_may_be_large(daemons):
    daemon = daemons()
    client = Client(daemon)
    session = client.session(daemon.token)
    call = json.dumps({"method": "session-get", "arguments": {}})
    assert client.ask("POST", body=call.ljust(MIB), token=daemon.token,
                      X_Transmission_Session_Id=session).status == 200
    assert client.ask("POST", body=call.ljust(MIB + 1), token=daemon.token,
                      X_Transmission_Session_Id=session).status == 413
    large = {"method": "torrent-add", "arguments": {
        "metainfo": base64.b64encode(bytes(4 * MIB)).decode()}}
    answer = client.ask("POST", body=json.dumps(large), token=daemon.token,
                        X_Transmission_Session_Id=session)
    assert answer.status == 200 and json.loads(answer.body)["result"] != "success"
    # The page's own call, with the metainfo of a torrent that is as large.
    torrent = (b"d4:infod6:lengthi68719476736e4:name1:f12:piece lengthi1048576e6:pieces1310720:"
               + bytes(1310720) + b"ee")
    body = json.dumps({"torrent": base64.b64encode(torrent).decode()})
    assert len(body) > MIB
    for path, status in (("inspect", 200), ("torrents", 201), ("feeds", 413)):
        answer = client.ask("POST", f"/api/v1/{path}", body, daemon.token, X_Requested_With="test")
        assert answer.status == status, answer.body[:200]
    # Without a token nothing of it is read.
    with socket.create_connection(client.address, 60) as line:
        line.sendall(b"POST /transmission/rpc HTTP/1.1\r\nHost: localhost\r\n"
                     b"Content-Length: 90000000\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 401")


def test_ten_strangers_at_a_time(daemons):
    daemon = daemons()
    client = Client(daemon)
    lines = [socket.create_connection(client.address, 60) for _ in range(10)]
    line = socket.create_connection(client.address, 60)
    line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    lines.pop(3).close() # now there is room
    assert line.recv(15) == b"HTTP/1.1 200 OK"
    # Those who say nothing are sent away for those who do.
    lines.append(socket.create_connection(client.address, 60))
    assert client.ask(path="/metrics", token=daemon.token).status == 200
    for other in [*lines, line]:
        other.close()


def test_every_answer_carries_its_policy(daemons):
    daemon = daemons()
    client = Client(daemon)
    answers = [client.ask(path="/"), client.ask(path="/none"), client.ask(path="/metrics"),
               client.ask(path="/metrics", token=daemon.token), client.ask(path="/", Host="evil"),
               client.ask(token=daemon.token)]
    assert [answer.status for answer in answers] == [200, 404, 401, 200, 421, 409]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/../etc/passwd", "/%2e%2e/state.db", "//etc/passwd",
                                  "/rpc-token", "/index.html/"])
def test_no_path_leads_to_a_file(daemons, path):
    assert Client(daemons()).ask(path=path).status == 404


def test_rubbish_on_the_line_hurts_nobody(daemons):
    daemon = daemons()
    client = Client(daemon)
    for rubbish in (b"\0" * 4000, b"GET " + b"/" * 100000 + b" HTTP/1.1\r\n\r\n",
                    b"POST /transmission/rpc HTTP/1.1\r\nHost: localhost\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
                    b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"):
        with socket.create_connection(client.address, 60) as line:
            try:
                line.sendall(rubbish)
                line.shutdown(socket.SHUT_WR)
                while line.recv(4096):
                    pass
            except OSError as error:  # it has hung up already
                assert error.errno in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN), error
    assert client.ask(path="/metrics", token=daemon.token).status == 200


def test_the_log_holds_no_secrets(daemons, freshet, tmp_path):
    source = write(tmp_path / "from/f.bin", MIB)
    torrent = tmp_path / "f.torrent"
    passkey = "0123456789abcdef0123456789abcdef"
    assert freshet("create", source, "-o", torrent, "--announce",
                   f"http://127.0.0.1:1/announce?passkey={passkey}").returncode == 0
    daemon = daemons()
    daemon.add(torrent)
    wait_for(lambda: "tracker-error" in daemon.log(), daemon.log)
    client = Client(daemon)
    client.ask(token="wrong-secret-0123456789")
    client.ask(token=daemon.token)
    assert daemon.kill(signal.SIGTERM) == 0
    for secret in (passkey, daemon.token, daemon.read_token, "wrong-secret"):
        assert secret not in daemon.log()


# ---- metrics ----


def test_metrics_count_torrents_and_turns(daemons, seeded):
    daemon = daemons()
    daemon.add(seeded[0], paused=True)
    status, body = daemon.get("/metrics")
    assert status == 200
    lines = dict(line.rsplit(" ", 1) for line in body.decode().splitlines()
                 if not line.startswith("#"))
    assert lines['freshet_torrents{phase="stopped"}'] == "1"
    assert int(lines["freshet_loop_turn_seconds_count"]) > 0
    assert lines['freshet_loop_turn_seconds_bucket{le="+Inf"}'] == \
        lines["freshet_loop_turn_seconds_count"]


# ---- systemd ----


def test_it_tells_systemd_when_it_is_ready(daemons, tmp_path):
    daemon = daemons(begin=False)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        path = daemon.short + "/notify"
        notify.bind(path)
        notify.settimeout(60)
        daemon.env["NOTIFY_SOCKET"] = path
        daemon.start()
        assert notify.recv(1000).startswith(b"READY=1\n")
        daemon.process.terminate()
        assert notify.recv(1000).startswith(b"STOPPING=1\n")
        assert daemon.process.wait(60) == 0


def test_it_takes_its_socket_from_systemd(daemons):
    daemon = daemons(begin=False)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(daemon.socket))
        listener.listen()
        os.set_inheritable(listener.fileno(), True)

        # What systemd does: descriptor 3, and whom it is for.
        script = ('import os,sys\nfd=int(sys.argv[1])\nos.dup2(fd,3)\n'
                  'os.environ["LISTEN_PID"]=str(os.getpid())\nos.environ["LISTEN_FDS"]="1"\n'
                  'os.execv(sys.argv[2],sys.argv[2:])')
        daemon.words = ["/usr/bin/python3", "-c", script, str(listener.fileno()),
                        *map(str, daemon.words)]
        daemon.start(pass_fds=[listener.fileno(), 3] if listener.fileno() != 3 else [3])
        assert daemon.get("/metrics")[0] == 200
        assert daemon.kill(signal.SIGTERM) == 0
        assert daemon.socket.exists() # it is systemd's
