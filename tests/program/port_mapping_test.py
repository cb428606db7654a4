# SPDX-License-Identifier: MIT
"""The router lets peers in: by NAT-PMP and by UPnP, with a real miniupnpd that stands between."""
import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import PROGRAM
from daemons import daemons  # noqa: F401  pylint: disable=unused-import
from home_router import (HOME, OTHER, OUTSIDE, ROUTER,  # noqa: F401
                         home_router, run)  # pylint: disable=unused-import
from peers import Peer, peers, wait_for, write  # noqa: F401  pylint: disable=unused-import

MIB = 1 << 20


@pytest.fixture
def mapped_daemon(daemons):
    """A daemon that listens on every address and has its port mapped if it can be."""

    def start(*words, listen="0.0.0.0:0", begin=True, env=None):
        daemon = daemons("--listen", listen, *words, begin=False,
                         env={"FRESHET_NO_PORTMAP": "0", **(env or {})})
        return daemon.start() if begin else daemon

    return start


def port_of(daemon):
    return int(daemon.endpoint.rsplit(":", 1)[1])


def wait_log(daemon, words):
    wait_for(lambda: words in daemon.log(), daemon.log)


def mapping_of(daemon):
    return json.loads(daemon.get("/local")[1])["port_mapping"]


@pytest.mark.parametrize("protocol", ["NAT-PMP", "UPnP"])
def test_who_is_outside_gets_in(home_router, mapped_daemon, freshet, tmp_path, protocol):
    home_router.start(natpmp=protocol == "NAT-PMP", upnp=protocol == "UPnP")
    daemon = mapped_daemon()
    port = port_of(daemon)
    wait_log(daemon, " port-mapped ")
    inside = f"{HOME}:{port}"
    assert home_router.mappings() == {("tcp", port): inside, ("udp", port): inside}
    assert mapping_of(daemon) == {"state": "held", "method": protocol,
                                  "external": f"{OUTSIDE}:{port}", "text": ""}
    found = {one["check"]: one for one in json.loads(
        freshet("doctor", "--json", "--socket", daemon.socket, "-o", tmp_path).stdout)}
    assert (found["mapping"]["level"], found["nat"]["level"]) == ("ok", "ok")
    assert found["mapping"]["fact"] == f"the router forwards {OUTSIDE}:{port} ({protocol})"
    test = daemon.rpc("port-test")
    assert test == {"port-is-open": True, "ip_protocol": "ipv4"}
    assert not daemon.rpc("port-test", ip_protocol="ipv6")["port-is-open"]
    # Somebody in the world begins a connection, over TCP and over uTP.
    source = write(tmp_path / "from/f.bin", MIB)
    torrent = tmp_path / "f.torrent"
    assert freshet("create", source, "-o", torrent).returncode == 0
    daemon.add(torrent, download_dir=str(source.parent))
    daemon.wait_complete()
    for transport in ("tcp", "utp"):
        get = Peer(tmp_path, "get", torrent, "-o", tmp_path / transport, "--no-dht", "--peer",
                   f"{OUTSIDE}:{port}", "--transport", transport, address="11.22.33.9",
                   program=[*home_router.world, PROGRAM])
        assert get.wait() == 0, get.log()
        assert (tmp_path / transport / "f.bin").read_bytes() == source.read_bytes()
    # An orderly end leaves nothing behind.
    daemon.kill(signal.SIGTERM)
    assert home_router.mappings() == {}


def test_settings_hold_at_once(home_router, mapped_daemon):
    home_router.start()
    daemon = mapped_daemon()
    port = port_of(daemon)
    wait_log(daemon, " port-mapped ")
    daemon.rpc("session-set", port_forwarding_enabled=False)
    wait_for(lambda: home_router.mappings() == {}, home_router.log)
    assert mapping_of(daemon)["state"] == "off"
    daemon.rpc("session-set", port_forwarding_enabled=True)
    wait_for(lambda: len(home_router.mappings()) == 2, home_router.log)
    # Another port: its mapping comes, and that of the one before goes.
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        other = probe.getsockname()[1]
    daemon.rpc("session-set", peer_port=other)
    wait_for(lambda: set(home_router.mappings()) == {("tcp", other), ("udp", other)},
             home_router.log)
    assert other != port


def test_a_router_that_comes_later_is_asked_then(home_router, mapped_daemon):
    daemon = mapped_daemon()
    wait_log(daemon, " port-not-mapped ")
    assert mapping_of(daemon)["state"] == "failed"
    home_router.start()
    # The network changes: it is not waited for the next try.
    run("ip", "address", "add", "10.81.0.3/24", "dev", "home")
    wait_log(daemon, " port-mapped ")
    assert len(home_router.mappings()) == 2


def test_a_port_that_another_has_is_mapped_beside_it(home_router, mapped_daemon):
    """Where the router gives another port, that is the one that is announced."""
    home_router.start(natpmp=False)
    with socket.socket() as probe:
        probe.bind((HOME, 0))
        port = probe.getsockname()[1]
    first = mapped_daemon(listen=f"{HOME}:{port}")
    wait_log(first, " port-mapped ")
    first.kill(signal.SIGKILL)
    assert home_router.mappings()["tcp", port] == f"{HOME}:{port}"
    # Another machine of the home, with an address of its own.
    run("ip", "address", "del", f"{HOME}/24", "dev", "home")
    run("ip", "address", "add", f"{OTHER}/24", "dev", "home")
    run("ip", "route", "add", "default", "via", ROUTER)
    second = mapped_daemon(listen=f"{OTHER}:{port}")
    wait_log(second, " port-mapped ")
    mapped = home_router.mappings()
    assert mapped["tcp", port + 1] == f"{OTHER}:{port}"
    assert mapped["udp", port + 1] == f"{OTHER}:{port}"
    assert mapping_of(second)["external"] == f"{OUTSIDE}:{port + 1}"


def test_nobody_is_asked_who_need_not_be(home_router, mapped_daemon, daemons):
    home_router.start()
    line = mapped_daemon("--no-portmap")
    loopback = mapped_daemon(listen="127.0.0.1:0")
    for daemon in (line, loopback):
        wait_log(daemon, " ready ")
        assert mapping_of(daemon)["state"] == "off"
    assert line.rpc("session-get")["port-forwarding-enabled"] is False
    # One that asks comes after them: what they had sent would have been there before.
    last = mapped_daemon()
    wait_log(last, " port-mapped ")
    assert set(home_router.mappings()) == {("tcp", port_of(last)), ("udp", port_of(last))}


class Impostor(threading.Thread):
    """Another host of the home answers the search for a router, and points at itself."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.search = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.search.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.search.bind(("", 1900))
        self.search.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                               socket.inet_aton("239.255.255.250") + socket.inet_aton(HOME))
        self.web = socket.create_server((address, 0))
        self.web.settimeout(0.2)
        self.url = f"http://{address}:{self.web.getsockname()[1]}/rootDesc.xml"
        self.answered, self.visited = 0, 0
        self.is_over = False

    def run(self):
        self.search.settimeout(0.2)
        while not self.is_over:
            try:
                query, asker = self.search.recvfrom(2048)
                if query.startswith(b"M-SEARCH"):
                    kind = query.split(b"ST:")[1].split(b"\r\n")[0].strip()
                    self.search.sendto(b"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: "
                                       + kind + b"\r\nUSN: uuid:1::" + kind + b"\r\nLOCATION: "
                                       + self.url.encode() + b"\r\n\r\n", asker)
                    self.answered += 1
            except TimeoutError:
                pass
            self.search.setblocking(False)
            self.search.settimeout(0.2)


def test_another_host_is_not_taken_for_the_router(home_router, mapped_daemon):
    run("ip", "address", "add", f"{OTHER}/24", "dev", "home")
    impostor = Impostor(OTHER)
    impostor.start()
    daemon = mapped_daemon()
    wait_log(daemon, " port-not-mapped ")
    impostor.is_over = True
    impostor.join()
    assert impostor.answered > 0
    assert "none of the router" in mapping_of(daemon)["text"]
    with pytest.raises(TimeoutError):
        impostor.web.accept()


def test_a_get_lets_go_of_its_port(home_router, peers, freshet, tmp_path):
    home_router.start()
    source = write(tmp_path / "from/f.bin", MIB)
    torrent = tmp_path / "f.torrent"
    assert freshet("create", source, "-o", torrent).returncode == 0
    seed = peers("seed", torrent, "-o", source.parent, address="0.0.0.0",
                 env={"FRESHET_NO_PORTMAP": "0"})
    wait_for(lambda: len(home_router.mappings()) == 2, home_router.log)
    port = int(seed.endpoint.rsplit(":", 1)[1])
    assert set(home_router.mappings()) == {("tcp", port), ("udp", port)}
    seed.process.send_signal(signal.SIGINT)
    seed.wait()
    assert home_router.mappings() == {}


@pytest.fixture
def hostile_gateway(home_router):
    """Starts one in the place of the router."""
    running = []

    def start(*words):
        script = Path(__file__).parent / "hostile_gateway.py"
        gateway = subprocess.Popen([*home_router.inside, sys.executable, script, ROUTER, *words],
                                   stdout=subprocess.PIPE, text=True)
        running.append(gateway)
        assert gateway.stdout.readline() == "ready\n"
        return gateway

    yield start
    for gateway in running:
        gateway.kill()
        gateway.wait()
        gateway.stdout.close()


@pytest.mark.parametrize("how", ["drip", "flood"])
def test_a_router_that_never_ends_keeps_nobody(hostile_gateway, mapped_daemon, how):
    gateway = hostile_gateway(how)
    daemon = mapped_daemon()
    assert gateway.stdout.readline() == "visited\n"
    # It is given up, though it would go on for ever.
    wait_log(daemon, " port-not-mapped ")
    assert mapping_of(daemon)["state"] == "failed"
    # Nor does it hold up an orderly end, in the middle of an answer.
    run("ip", "address", "add", "10.81.0.3/24", "dev", "home")
    assert gateway.stdout.readline() == "visited\n"
    assert daemon.kill(signal.SIGTERM) == 0
    assert " stopped" in daemon.log()


def test_a_router_does_not_send_us_to_others(hostile_gateway, mapped_daemon):
    run("ip", "address", "add", f"{OTHER}/24", "dev", "home")
    with socket.create_server((OTHER, 0)) as web:
        web.settimeout(0.2)
        gateway = hostile_gateway(f"http://{OTHER}:{web.getsockname()[1]}/control")
        daemon = mapped_daemon()
        assert gateway.stdout.readline() == "visited\n"
        wait_log(daemon, " port-not-mapped ")
        assert "maps no ports" in mapping_of(daemon)["text"]
        with pytest.raises(TimeoutError):
            web.accept()
