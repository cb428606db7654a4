# SPDX-License-Identifier: MIT
"""Trackers over UDP and IPv6, what they count, and freshet's own announces."""
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import libtorrent
import network
import payload
import pytest
import torrents
from waiting import is_listening, wait_for

V6 = "::1"
PORT_V6 = 6969

# libtorrent keeps connection ids of UDP trackers for the whole process; a second client that is to
# be another address to the tracker is therefore another process.
ANNOUNCER = """
import sys, time
import libtorrent
address, torrent, folder, seconds = sys.argv[1:]
session = libtorrent.session({"listen_interfaces": address + ":6881", "enable_dht": False,
                              "outgoing_interfaces": address.strip("[]"), "enable_lsd": False,
                              "enable_upnp": False, "enable_natpmp": False,
                              "alert_mask": libtorrent.alert.category_t.all_categories})
parameters = libtorrent.add_torrent_params()
parameters.ti = libtorrent.torrent_info(torrent)
parameters.save_path = folder
handle = session.add_torrent(parameters)
end = time.monotonic() + float(seconds)
found = set()
while time.monotonic() < end and not {"scrape_reply", "scrape_failed"} & found:
    for alert in session.pop_alerts():
        if "tracker" in alert.what() or "scrape" in alert.what():
            print(alert.what(), alert.message(), flush=True)
            if alert.what() == "tracker_reply" and alert.what() not in found:
                handle.scrape_tracker()
            found.add(alert.what())
    time.sleep(0.05)
"""


def scrape(url, info_hash):
    """The counts that a tracker gives over HTTP."""
    url = url.replace("/announce", "/scrape?info_hash=")
    url += "".join(f"%{info_hash[i:i + 2]}" for i in range(0, 40, 2))
    with urllib.request.urlopen(url, timeout=10) as answer:
        files = libtorrent.bdecode(answer.read()).get(b"files", {})
    return files.get(bytes.fromhex(info_hash), {})


def wait_counts(url, info_hash, **wanted):
    def right():
        counts = scrape(url, info_hash)
        return all(counts.get(key.encode()) == value for key, value in wanted.items())

    wait_for(right, lambda: f"{url} counts {wanted}: {scrape(url, info_hash)}")


def announce_with_libtorrent(address, torrent, folder):
    """Another process announces, then scrapes; what it was told."""
    done = subprocess.run([sys.executable, "-c", ANNOUNCER, address, str(torrent), str(folder),
                           "30"], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("scheme", ["http", "udp"])
def test_libtorrent_announces_and_scrapes(clients, source, tmp_path, scheme):
    tracker = clients.tracker()
    torrent = torrents.make(source, tmp_path / "a.torrent", "v1", [getattr(tracker, scheme)])
    info_hash = torrents.info_hashes(torrent)[0]
    clients.libtorrent().add(torrent, source, seed=True)
    wait_counts(tracker.http, info_hash, complete=1)
    said = announce_with_libtorrent(network.new_address(), torrent, tmp_path / "copy")
    assert "tracker_reply" in said, said
    assert "received peers: 1" in said, said
    assert "scrape_reply" in said, said


def test_libtorrent_announces_a_v2_torrent_by_20_bytes_of_its_hash(clients, source, tmp_path):
    tracker = clients.tracker()
    torrent = torrents.make(source, tmp_path / "a.torrent", "v2", [tracker.http])
    clients.libtorrent().add(torrent, source, seed=True)
    wait_counts(tracker.http, torrents.info_hashes(torrent)[1][:40], complete=1)


def test_only_allowed_torrents_are_tracked(clients, source, tmp_path):
    plain = torrents.make(source, tmp_path / "plain.torrent", "v1")
    allowed = tmp_path / "allowed.txt"
    allowed.write_text(torrents.info_hashes(plain)[0] + "\n")
    tracker = clients.tracker("--allow", allowed)
    for version, event in (("v1", "tracker_reply"), ("v2", "tracker_error")):
        torrent = torrents.make(source, tmp_path / f"{version}.torrent", version, [tracker.http])
        seed = clients.libtorrent()
        seed.add(torrent, source, seed=True)
        wait_for(lambda: any(line.startswith(event) for line in seed.news().splitlines()),
                 f"libtorrent says {event} of {version}")


def test_libtorrent_announces_over_ipv6(clients, source, tmp_path):
    tracker = clients.freshet("tracker", "--http", f"[{V6}]:{PORT_V6}", "--udp",
                              f"[{V6}]:{PORT_V6}")
    tracker.wait_event("ready")
    for scheme in ("http", "udp"):
        torrent = torrents.make(source, tmp_path / f"{scheme}.torrent", "v1",
                                [f"{scheme}://[{V6}]:{PORT_V6}/announce"])
        said = announce_with_libtorrent(f"[{V6}]", torrent, tmp_path / scheme)
        assert "tracker_reply" in said, said  # its scrape over HTTP and IPv6 sends nothing


def test_aria2_finds_a_seed_over_udp(clients, source, tmp_path):
    tracker = clients.tracker()
    torrent = torrents.make(source, tmp_path / "a.torrent", "v1", [tracker.udp])
    clients.libtorrent().add(torrent, source, seed=True)
    wait_counts(tracker.http, torrents.info_hashes(torrent)[0], complete=1)
    # aria2 asks UDP trackers through the socket of its DHT only.
    address = network.new_address()
    done = subprocess.run(["aria2c", "--no-conf", f"--dir={tmp_path / 'copy'}", "--seed-time=0",
                           f"--interface={address}", "--listen-port=6881", "--enable-dht=true",
                           "--dht-listen-port=6881", f"--dht-file-path={tmp_path / 'dht.dat'}",
                           "--enable-dht6=false", "--bt-enable-lpd=false",
                           "--file-allocation=none", str(torrent)],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    payload.check(tmp_path / "copy")


def test_transmission_counts_as_completed_and_leaves(clients, source, tmp_path):
    tracker = clients.tracker()
    torrent = torrents.make(source, tmp_path / "a.torrent", "v1", [tracker.udp])
    info_hash = torrents.info_hashes(torrent)[0]
    clients.libtorrent().add(torrent, source, seed=True)
    wait_counts(tracker.http, info_hash, complete=1)
    leech = clients.transmission()
    number = leech.add(torrent, tmp_path / "copy")
    leech.wait_complete(number)
    wait_counts(tracker.http, info_hash, complete=2, downloaded=1, incomplete=0)
    leech.call("torrent-stop", ids=[number])
    wait_counts(tracker.http, info_hash, complete=1, downloaded=1)


@pytest.mark.parametrize("scheme", ["http", "udp"])
def test_freshet_meets_freshet_by_its_own_tracker(clients, source, tmp_path, scheme):
    tracker = clients.tracker()
    torrent = torrents.make(source, tmp_path / "a.torrent", "v1", [getattr(tracker, scheme)])
    info_hash = torrents.info_hashes(torrent)[0]
    seed = clients.freshet("seed", torrent, "-o", source)
    seed.wait_event("ready")
    wait_counts(tracker.http, info_hash, complete=1)
    get = clients.freshet("get", torrent, "-o", tmp_path / "copy", "--no-seed")
    assert get.wait() == 0, get.log()[-3000:]
    payload.check(tmp_path / "copy")
    wait_counts(tracker.http, info_hash, complete=1, downloaded=1, incomplete=0)
    seed.stop()
    wait_counts(tracker.http, info_hash, complete=0, downloaded=1)


@pytest.mark.parametrize("scheme", ["http", "udp"])
def test_freshet_meets_libtorrent_by_opentracker(clients, source, tmp_path, scheme):
    plain = torrents.make(source, tmp_path / "plain.torrent", "v1")
    tracker = clients.opentracker(torrents.info_hashes(plain)[0])
    torrent = torrents.make(source, tmp_path / "a.torrent", "v1", [getattr(tracker, scheme)])
    info_hash = torrents.info_hashes(torrent)[0]
    clients.libtorrent().add(torrent, source, seed=True)
    wait_counts(tracker.http, info_hash, complete=1)
    get = clients.freshet("get", torrent, "-o", tmp_path / "copy", "--no-seed")
    assert get.wait() == 0, get.log()[-3000:]
    payload.check(tmp_path / "copy")
    wait_counts(tracker.http, info_hash, downloaded=1)


def test_a_hybrid_is_announced_under_both_hashes(clients, source, tmp_path):
    tracker = clients.tracker()
    torrent = torrents.make(source, tmp_path / "a.torrent", "hybrid", [tracker.http])
    v1, v2 = torrents.info_hashes(torrent)
    seed = clients.freshet("seed", torrent, "-o", source)
    seed.wait_event("ready")
    wait_counts(tracker.http, v1, complete=1)
    wait_counts(tracker.http, v2[:40], complete=1)


def test_the_next_tracker_answers_when_the_first_is_dead(clients, source, tmp_path):
    tracker = clients.tracker()
    dead = socket.socket()
    dead.bind((network.new_address(), 0))  # bound and not listening: refuses
    dead_url = "http://%s:%d/announce" % dead.getsockname()
    torrent = torrents.make(source, tmp_path / "a.torrent", "v1", [dead_url, tracker.udp])
    seed = clients.freshet("seed", torrent, "-o", source)
    seed.wait_event("ready")
    wait_counts(tracker.http, torrents.info_hashes(torrent)[0], complete=1)
    dead.close()


def test_the_tracker_ends_with_0_and_frees_its_port(clients):
    tracker = clients.tracker()
    assert is_listening(tracker.address, 6969)
    assert tracker.stop() == 0
    assert not is_listening(tracker.address, 6969)
    stats = tracker.event("stats")
    assert stats["announces"] == 0 and stats["peers"] == 0, stats
    assert Path(tracker.log_path).read_text().count("\n") == 2
