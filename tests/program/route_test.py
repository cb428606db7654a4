# SPDX-License-Identifier: MIT
"""--proxy and --interface: everything goes that way, and not one packet another.

This process's network has two cables. `way` leads to the proxy's address; `other` is the default
route, by which everybody could be reached as well: what leaks arrives, and is seen.
"""
import os
import signal
import socket
import struct
import subprocess
import sys
import threading

import pytest
from conftest import PROGRAM
from daemons import Daemon
from peers import Peer, wait_for, write

MIB = 1 << 20
HERE, PROXY = "10.81.0.1", "10.81.0.2"
OTHER, GATE = "10.82.0.1", "10.82.0.2"
# All of these are on the far side, and everything is said to be there.
EXIT, SEED, TRACKER, NODE, FILES = (f"10.83.0.{last}" for last in range(2, 7))
PROXY_PORT = 1080
NAMES = f"{TRACKER} tracker.test\n{FILES} files.test\n"
DANTE = f"""logoutput: {{log}}
internal: {PROXY} port = {PROXY_PORT}
external: {EXIT}
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: root
client pass {{{{ from: {HERE}/32 to: 0.0.0.0/0 }}}}
socks pass {{{{ from: 0.0.0.0/0 to: 0.0.0.0/0 command: connect udpassociate }}}}
socks pass {{{{ from: 0.0.0.0/0 to: 0.0.0.0/0 command: bindreply udpreply }}}}
"""
PATH = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}


def ip(*words, inside=()):
    subprocess.run([*inside, "ip", *words], check=True, env=PATH)


def plug_in(name, near, address, far):
    ip("link", "add", name, "type", "veth", "peer", "name", f"far-{name}")
    ip("link", "set", f"far-{name}", "netns", far[1].split("/")[2])
    ip("address", "add", f"{near}/24", "dev", name)
    ip("link", "set", name, "up")
    ip("address", "add", f"{address}/24", "dev", f"far-{name}", inside=far)
    ip("link", "set", f"far-{name}", "up", inside=far)


@pytest.fixture
def own_network(tmp_path):
    """Two cables to a far side; gives the words that run a program there. Only there the names of
    NAMES are known."""
    hosts = tmp_path / "hosts"
    hosts.write_text(NAMES)
    with subprocess.Popen(["unshare", "--net", "--mount", "sh", "-c",
                           'mount --bind "$0" /etc/hosts && echo && exec sleep 600', hosts],
                          stdout=subprocess.PIPE) as holder:
        far = ["nsenter", f"--net=/proc/{holder.pid}/ns/net", f"--mount=/proc/{holder.pid}/ns/mnt",
               f"--wd={tmp_path}"]
        try:
            assert holder.stdout.readline()
            ip("link", "set", "lo", "up")
            ip("link", "set", "lo", "up", inside=far)
            plug_in("way", HERE, PROXY, far)
            plug_in("other", OTHER, GATE, far)
            for address in (EXIT, SEED, TRACKER, NODE, FILES):
                ip("address", "add", f"{address}/32", "dev", "lo", inside=far)
            ip("route", "add", "default", "via", GATE)
            ip("route", "add", "default", "via", PROXY, "metric", "1000")
            yield far
        finally:
            holder.kill()


class Sniffer:
    """Every packet of every interface of this network, from now on."""

    def __init__(self):
        self.packets = []  # interface, source, destination, protocol, ports, is_kernels
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * MIB)
        self.socket.settimeout(0.2)
        self.stopping = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping:
            try:
                frame, (interface, *_) = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            packet = read_packet(frame)
            if packet:
                self.packets.append((interface, *packet))

    def stop(self):
        """What went by. Fails if the kernel could not keep up: then it proves nothing."""
        if not self.stopping:
            self.stopping = True
            self.thread.join()
            seen, lost = struct.unpack("II", self.socket.getsockopt(263, 6, 8))
            self.socket.close()
            assert lost == 0 and seen > 0
        return self.packets


def read_packet(frame):
    """None: it is the kernel's own talk of neighbours and groups, which no program makes. The last
    of what is given: what it also says by itself, that nobody is there: resets, unreachable."""
    kind, = struct.unpack("!H", frame[12:14])
    if kind == 0x0800:
        head = (frame[14] & 15) * 4
        source, destination = (socket.inet_ntop(socket.AF_INET, frame[at:at + 4])
                               for at in (26, 30))
        protocol, rest = frame[23], frame[14 + head:]
    elif kind == 0x86dd:
        source, destination = (socket.inet_ntop(socket.AF_INET6, frame[at:at + 16])
                               for at in (22, 38))
        protocol, rest = frame[20], frame[54:]
        if protocol in (0, 58):
            return None
    else:
        return None
    ports = struct.unpack("!HH", rest[:4]) if protocol in (6, 17) else None
    is_kernels = (protocol == 6 and rest[13] & 4 != 0) or (protocol == 1 and rest[0] == 3)
    return source, destination, protocol, ports, is_kernels


@pytest.fixture
def sniffer(own_network):  # pylint: disable=unused-argument
    sniffer = Sniffer()
    yield sniffer
    sniffer.stopping = True
    sniffer.thread.join()


def to_proxy(packet):
    interface, source, destination, protocol, ports, _ = packet
    if interface != "way" or {source, destination} != {HERE, PROXY}:
        return False
    # The relay of UDP is on a port of the proxy's choice.
    if protocol == 1:  # what kernels say of UDP that nobody waits for any more
        return True
    proxy_port = ports[1 if destination == PROXY else 0]
    return protocol == 17 or proxy_port == PROXY_PORT


class Far:
    """What runs on the far side; all of it ends with the test."""

    def __init__(self, inside, folder):
        self.inside, self.folder, self.running = inside, folder, []

    def start(self, *words, stdout=subprocess.PIPE):
        process = subprocess.Popen([*self.inside, *map(str, words)], stdout=stdout, cwd=self.folder,
                                   stdin=subprocess.DEVNULL, start_new_session=True, env=PATH)
        self.running.append(process)
        return process

    def peer(self, address, *words):
        peer = Peer(self.folder, "seed", *words, "--no-pex", address=address,
                    program=[*self.inside, PROGRAM])
        self.running.append(peer.process)
        peer.wait_event("checked")
        return peer

    def tracker(self):
        process = self.start(PROGRAM, "tracker", "--progress=json", "--http", f"{TRACKER}:6969",
                             "--udp", f"{TRACKER}:6969")
        assert process.stdout.readline()

    def node(self):
        process = self.start(PROGRAM, "dht", "node", "--progress=json", "--listen", f"{NODE}:6881",
                             "--state", self.folder / "node")
        assert process.stdout.readline()

    def dante(self):
        config = self.folder / "dante.conf"
        config.write_text(DANTE.format(log=self.folder / "dante.log"))
        process = self.start("danted", "-f", config, "-N", "1")
        self.wait_open(process, PROXY, PROXY_PORT)
        return process

    def microsocks(self, *words):
        process = self.start("microsocks", "-i", PROXY, "-p", PROXY_PORT, *words)
        self.wait_open(process, PROXY, PROXY_PORT)
        return process

    def files(self, folder):
        process = self.start(sys.executable, "-m", "http.server", "--directory", folder, "--bind",
                             FILES, "8000", stdout=subprocess.DEVNULL)
        self.wait_open(process, FILES, 8000)

    def wait_open(self, process, address, port):
        """Somebody listens there; asked from the far side, so that nothing of it is sniffed."""
        try_it = [sys.executable, "-c", "import socket, sys; socket.create_connection((sys.argv[1], "
                  "int(sys.argv[2]))).close()", address, str(port)]

        def is_open():
            assert process.poll() is None
            return subprocess.run([*self.inside, *try_it], check=False,
                                  stderr=subprocess.DEVNULL).returncode == 0

        wait_for(is_open, f"nobody at {address}")

    def end(self, process):
        """With what it has started itself, its process group."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@pytest.fixture
def far(own_network, tmp_path):
    far = Far(own_network, tmp_path)
    yield far
    for process in far.running:
        if process.poll() is None and process.args[len(own_network)] == PROGRAM:
            process.kill()
            process.wait()
        elif process.poll() is None:
            far.end(process)


@pytest.fixture
def got(tmp_path):
    """Starts gets; they end with the test."""
    running = []

    def start(torrent, *words):
        running.append(Peer(tmp_path, "get", torrent, "-o", tmp_path / "to", *words, listens=False))
        return running[-1]

    yield start
    for peer in running:
        peer.stop()


def make(freshet, tmp_path, *words, size=3 * MIB + 7):
    source = write(tmp_path / "from/f.bin", size)
    torrent = tmp_path / "f.torrent"
    assert freshet("create", source, "-o", torrent, *words).returncode == 0
    return torrent, source


def arrange(way, freshet, far, tmp_path, named=True):
    """A torrent that is found and fetched in one way only; the torrent, its content, and what the
    get is told. `named`: servers of HTTP stand in it by names, which only the far side knows."""
    if way == "web-seed":
        host = "files.test" if named else FILES
        torrent, source = make(freshet, tmp_path, "-w", f"http://{host}:8000/f.bin")
        far.files(source.parent)
        return torrent, source, ["--no-dht"]
    if way == "dht":
        far.node()
        torrent, source = make(freshet, tmp_path)
        far.peer(SEED, torrent, "-o", source.parent, "--bootstrap", f"{NODE}:6881")
        return torrent, source, ["--bootstrap", f"{NODE}:6881"]
    far.tracker()
    scheme = way.split("-", maxsplit=1)[0]
    host = "tracker.test" if named and scheme == "http" else TRACKER
    torrent, source = make(freshet, tmp_path, "-a", f"{scheme}://{host}:6969/announce")
    here = f"{scheme}://{TRACKER}:6969/announce"
    of_seed = make_again(freshet, tmp_path, source, here)
    far.peer(SEED, of_seed, "-o", source.parent, "--no-dht")
    return torrent, source, ["--no-dht", "--transport", way.rsplit("-", 1)[1]]


def make_again(freshet, tmp_path, source, tracker):
    """The same torrent (the tracker is no part of its hash) by the tracker's address."""
    torrent = tmp_path / "of-seed.torrent"
    assert freshet("create", source, "-o", torrent, "-a", tracker).returncode == 0
    return torrent


WAYS = ["http-tracker-tcp", "udp-tracker-utp", "dht", "web-seed"]


@pytest.mark.parametrize("way", WAYS)
def test_not_one_packet_goes_past_the_proxy(freshet, far, sniffer, got, tmp_path, way):
    far.dante()
    torrent, source, words = arrange(way, freshet, far, tmp_path)
    get = got(torrent, "--proxy", f"socks5://{PROXY}:{PROXY_PORT}", *words)
    assert get.wait(120) == 0, get.log() + (tmp_path / "dante.log").read_text()
    assert (tmp_path / "to/f.bin").read_bytes() == source.read_bytes()
    assert get.events("ready")[0]["listen"] is None
    packets = sniffer.stop()
    assert sum(map(to_proxy, packets)) > 100
    assert [packet for packet in packets if not to_proxy(packet)] == []


@pytest.mark.parametrize("way", ["udp-tracker-utp", "dht", "http-tracker-tcp"])
def test_without_a_proxy_the_same_is_seen_to_go_elsewhere(freshet, far, sniffer, got, tmp_path,
                                                          way):
    """The sniffer sees what leaks; names are asked of whoever the machine asks."""
    torrent, _, words = arrange(way, freshet, far, tmp_path)
    get = got(torrent, "--timeout", "3s", *words)
    assert get.wait(120) == (4 if way == "http-tracker-tcp" else 0), get.log()
    packets = sniffer.stop()
    assert [packet for packet in packets if packet[0] == "other"]
    assert not any(map(to_proxy, packets))


def test_who_takes_no_udp_and_wants_a_password_is_told_of(freshet, far, sniffer, got, tmp_path):
    far.microsocks("-u", "ann", "-P", "se:cret@")
    torrent, source, words = arrange("http-tracker-tcp", freshet, far, tmp_path)
    wrong = got(torrent, "--proxy", f"socks5://ann:other@{PROXY}", *words, "--timeout", "2s")
    assert wrong.wait() == 4, wrong.log()
    assert not wrong.events("done")
    # TCP alone carries it; the DHT is wanted and cannot be had.
    get = got(torrent, "--proxy", f"socks5://ann:se%3acret%40@{PROXY}", "--bootstrap",
              f"{NODE}:6881", "--bootstrap", "node.test:6881")
    assert get.wait(120) == 0, get.log()
    assert (tmp_path / "to/f.bin").read_bytes() == source.read_bytes()
    assert "no UDP through the proxy (it cannot)" in get.log()
    assert "node.test and other names are not looked up for UDP: a proxy is set" in get.log()
    assert [packet for packet in sniffer.stop() if not to_proxy(packet)] == []


@pytest.mark.parametrize("transport", ["tcp", "utp"])
def test_while_the_proxy_is_away_everything_waits(freshet, far, sniffer, got, tmp_path, transport):
    dante = far.dante()
    torrent, source = make(freshet, tmp_path)
    seed = far.peer(SEED, torrent, "-o", source.parent, "--no-dht", "-u", "700K")
    far.node()
    get = got(torrent, "--proxy", f"socks5://{PROXY}:{PROXY_PORT}", "--peer", seed.endpoint,
              "--transport", transport, "--bootstrap", f"{NODE}:6881")
    wait_for(lambda: get.last("downloaded") > 0, get.log)
    far.end(dante)
    wait_for(lambda: "no UDP through the proxy" in get.log(), get.log)
    assert not get.events("done")
    far.dante()
    assert get.wait(180) == 0, get.log()
    assert (tmp_path / "to/f.bin").read_bytes() == source.read_bytes()
    assert "UDP goes through the proxy again" in get.log()
    assert [packet for packet in sniffer.stop() if not to_proxy(packet)] == []



def sockets_of(kind):
    """(local, remote, state) of this network's sockets, of IPv4 and IPv6."""
    found = []
    for name in (kind, kind + "6"):
        with open(f"/proc/net/{name}", encoding="ascii") as file:
            found += [tuple(line.split()[1:4]) for line in file.read().splitlines()[1:]]
    return found


def test_behind_a_proxy_nothing_listens(freshet, far, sniffer, tmp_path):
    far.dante()
    torrent, source = make(freshet, tmp_path)
    seed = Peer(tmp_path, "seed", torrent, "-o", source.parent, "--proxy",
                f"socks5://{PROXY}:{PROXY_PORT}", "--bootstrap", f"{NODE}:6881", listens=False,
                env={"FRESHET_NO_LSD": "", "FRESHET_NO_PORTMAP": ""})
    try:
        seed.wait_event("checked")
        wait_for(lambda: sockets_of("udp"), seed.log)
        assert not [one for one in sockets_of("tcp") if one[2] == "0A"]  # LISTEN
        proxy = socket.inet_aton(PROXY)[::-1].hex().upper()
        assert {one[1].split(":")[0] for one in sockets_of("udp")} == {proxy}
    finally:
        seed.stop()
    assert [packet for packet in sniffer.stop() if not to_proxy(packet)] == []


def test_a_daemon_fetches_through_the_proxy(freshet, far, sniffer, tmp_path):
    far.dante()
    torrent, source, _ = arrange("web-seed", freshet, far, tmp_path)
    torrent.rename(source.parent / "f.torrent")
    daemon = Daemon(tmp_path / "daemon", "--proxy", f"socks5://{PROXY}:{PROXY_PORT}")
    at = daemon.words.index("--listen")
    del daemon.words[at:at + 2]
    try:
        daemon.start()
        assert daemon.endpoint is None
        assert not daemon.rpc("port-test")["port-is-open"]
        daemon.rpc("torrent-add", filename="http://files.test:8000/f.torrent")
        daemon.wait_complete()
    finally:
        daemon.stop()
    packets = sniffer.stop()
    assert sum(map(to_proxy, packets)) > 100
    assert [packet for packet in packets if not to_proxy(packet)] == []


def is_ours(packet):
    interface, source, destination, *_ = packet
    if interface == "lo" and source == destination == HERE:
        return True  # whom the DHT names may be ourselves; it does not leave the machine
    # One that is gone when its packet is read has no name any more; only that of ours goes.
    return interface in ("way", "") and HERE in (source, destination)


@pytest.mark.parametrize("interface", ["way", HERE])
@pytest.mark.parametrize("way", WAYS)
def test_not_one_packet_goes_by_another_interface(freshet, far, sniffer, got, tmp_path, way,
                                                  interface):
    torrent, source, words = arrange(way, freshet, far, tmp_path, named=False)
    get = got(torrent, "--interface", interface, *words)
    assert get.wait(120) == 0, get.log()
    assert (tmp_path / "to/f.bin").read_bytes() == source.read_bytes()
    packets = sniffer.stop()
    assert sum(map(is_ours, packets)) > 100
    # To what still comes for a socket that is closed, or for a program that has ended, the kernel
    # says that nobody is there; it goes by its table of routes then, and no program can stop it.
    assert [packet for packet in packets if not is_ours(packet) and not packet[5]] == []


@pytest.mark.parametrize("transport", ["tcp", "utp"])
def test_while_the_interface_is_away_everything_waits(freshet, far, sniffer, got, tmp_path,
                                                      transport):
    """But for what the kernel says by itself, by its table of routes: that no socket has any more
    what comes for those of the interface that was. No program can stop it."""
    torrent, source = make(freshet, tmp_path)
    far.node()
    seed = far.peer(SEED, torrent, "-o", source.parent, "--no-dht", "-u", "700K")
    get = got(torrent, "--interface", "way", "--peer", seed.endpoint, "--transport", transport,
              "--bootstrap", f"{NODE}:6881")
    wait_for(lambda: get.last("downloaded") > 0, get.log)
    ip("link", "delete", "way")
    before = get.last("downloaded")
    wait_for(lambda: len(get.events("progress")) > 3, get.log)
    assert not get.events("done")
    plug_in("way", HERE, PROXY, far.inside)
    ip("route", "add", "default", "via", PROXY, "metric", "1000")
    assert get.wait(200) == 0, get.log()
    assert get.last("downloaded") > before
    assert (tmp_path / "to/f.bin").read_bytes() == source.read_bytes()
    assert [packet for packet in sniffer.stop() if not is_ours(packet) and not packet[5]] == []


def test_an_interface_that_is_not_there_is_said(freshet, tmp_path):
    torrent, _ = make(freshet, tmp_path)
    for interface, words in (("no-such-wire", "No such device"),
                             ("192.0.2.77", "Cannot assign requested address")):
        done = freshet("get", torrent, "-o", tmp_path / "to", "--state", tmp_path / "state",
                       "--interface", interface)
        assert done.returncode == 4
        assert f"nothing goes out by the interface {interface}: {words}" in done.stderr


def test_proxies_that_make_no_sense_are_refused_without_being_shown(freshet, tmp_path):
    torrent, _ = make(freshet, tmp_path)
    for words in (["--proxy", "http://ann:secret@192.0.2.1"], ["--proxy", "socks5://ann@host"],
                  ["--proxy", "socks5://192.0.2.1", "--listen", "127.0.0.1:0"],
                  ["--interface", "a/b"]):
        done = freshet("get", torrent, "-o", tmp_path / "to", *words)
        assert done.returncode == 2
        assert "secret" not in done.stderr
