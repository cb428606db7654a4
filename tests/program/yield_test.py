# SPDX-License-Identifier: MIT
"""uTP beside TCP on a slow link: that it steps aside, and does not fill the queue when alone.

Sender, router with the queue and receiver are three networks (bench/bench_link.py), since a kernel
keeps its own TCP from filling a queue of its own."""
import statistics
import sys
import time
from types import SimpleNamespace

import pytest
from conftest import PROGRAM, ROOT

sys.path.insert(0, str(ROOT / "bench"))

import bench_link  # noqa: E402  pylint: disable=wrong-import-position
import bench_yield  # noqa: E402  pylint: disable=wrong-import-position

ALONE_S, BESIDE_S, TCP_ALONE_S = 8, 15, 8
QUEUE_LIMIT_MS = 160
SHARE_LEAST = 0.8
PORT = 7100

# Reno: every Linux has it, and lets everybody choose it.
SINK = """
import socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2]))) as server:
    print("listening", flush=True)
    with server.accept()[0] as peer:
        while peer.recv(1 << 16):
            pass
"""
SOURCE = """
import socket, sys
with socket.socket() as sock:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
    sock.connect((sys.argv[1], int(sys.argv[2])))
    while True:
        sock.sendall(bytes(1 << 16))
"""


@pytest.fixture
def own_network():
    link = bench_link.Link()
    yield link
    link.close()


@pytest.fixture
def upload(own_network, tmp_path, freshet):
    """Starts a seed on one side and a freshet that fetches on the other."""
    payload, torrent = tmp_path / "payload", tmp_path / "payload.torrent"
    with open(payload, "wb") as file:
        file.truncate((ALONE_S + BESIDE_S + 15) * bench_link.RATE_BITS_PER_S // 8)
    assert freshet("create", payload, "-o", torrent).returncode == 0
    running = []

    def start():
        bench = SimpleNamespace(link=own_network, work=str(tmp_path), runs=1, torrent=str(torrent),
                                payload=str(payload), freshet=PROGRAM)
        running.append(bench_yield.Upload(bench, "ledbat++", 0))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def tcp(own_network, tmp_path):
    """Starts a flow of TCP; ends it, or the test's end does."""
    running = []

    def start(name, port):
        log = tmp_path / f"{name}.log"
        words = [sys.executable, "-c", SINK, bench_link.RECEIVER, port]
        sink = own_network.receiver.start(log, *words)
        running.append(sink)
        sink.wait(20, lambda: "listening" in log.read_text(encoding="utf-8"))
        words = [sys.executable, "-c", SOURCE, bench_link.RECEIVER, port]
        running.append(own_network.sender.start(tmp_path / f"{name}-source.log", *words))
        return running[-1]

    yield start
    for process in reversed(running):
        process.stop()


@pytest.fixture
def watch(own_network):  # pylint: disable=unused-argument
    watching = bench_link.Watch({("udp", bench_yield.FIRST_PORT): "utp", ("tcp", PORT): "beside",
                                 ("tcp", PORT + 1): "alone"})
    yield watching
    watching.close()


def last_third(watching, name, seconds):
    now = watching.now()
    return bench_link.rate(watching.samples(now), name, now - seconds / 3, now)


def test_utp_alone_keeps_the_queue_short_and_beside_tcp_yields(upload, tcp, watch):
    seed = upload()
    time.sleep(ALONE_S)
    utp = last_third(watch, "utp", ALONE_S)
    delays = [sample["delay_ms"] for sample in watch.samples(watch.now())
              if sample["s"] >= ALONE_S / 2 and sample["delay_ms"] is not None]
    source = tcp("beside", PORT)
    time.sleep(BESIDE_S)
    beside, yielding = (last_third(watch, name, BESIDE_S) for name in ("beside", "utp"))
    assert all(process.poll() is None for process in seed.processes)
    source.stop()
    seed.stop()
    tcp("alone", PORT + 1)
    time.sleep(TCP_ALONE_S)
    alone = last_third(watch, "alone", TCP_ALONE_S)
    told = (f"uTP alone {utp:.1f} Mbit/s, queue {statistics.median(delays):.0f} ms; TCP beside it "
            f"{beside:.1f}, alone {alone:.1f} Mbit/s, uTP meanwhile {yielding:.1f}")
    # Else there is nothing to yield.
    assert utp > 0.5 * bench_link.RATE_BITS_PER_S / 1e6, told
    assert statistics.median(delays) < QUEUE_LIMIT_MS, told
    assert yielding > 0, told
    assert beside >= SHARE_LEAST * alone, told
