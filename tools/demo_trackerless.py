#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A real network without a tracker, on loopback: twenty freshet nodes on 127.0.0.2 to .21 and one of
libtorrent are a DHT. A magnet link is fetched through it. Then a second torrent, whose tracker is
killed half-way, is finished by one latecomer through the DHT, by another through what peers tell.
Usage: demo_trackerless.py PROGRAM WORK_FOLDER"""
import json
import shutil
import signal
import socket
import sys
import time

from demo import MIB, Demo, Failure, contents, make_source, play, same_bytes


def free_port():
    """One that is free at the first address is free at the others, as good as surely."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", 0))
        return probe.getsockname()[1]


PORT = free_port()
SOURCES = ("user", "tracker", "dht", "exchange", "inbound")


def small_source(folder):
    make_source(folder)
    for name in ("film/part 1.bin", "film/part 2.bin"):
        (folder / name).unlink()
    (folder / "film").rmdir()


class Libtorrent:
    """Debian's, as one more node and peer, with an address of its own."""

    def __init__(self, address):
        import libtorrent
        self.endpoint = f"{address}:{PORT}"
        self.module = libtorrent
        self.session = libtorrent.session({
            "listen_interfaces": self.endpoint, "outgoing_interfaces": address,
            "enable_dht": True, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
            "enable_outgoing_utp": False, "enable_incoming_utp": False,
            "alert_mask": libtorrent.alert.category_t.storage_notification,
            "dht_bootstrap_nodes": "", "dht_restrict_routing_ips": False,
            "dht_restrict_search_ips": False, "dht_ignore_dark_internet": False,
            "allow_multiple_connections_per_ip": True})

    def join(self, endpoint):
        address, port = endpoint.rsplit(":", 1)
        for _ in range(100):
            self.session.add_dht_node((address, int(port)))
            time.sleep(0.3)
            self.session.post_dht_stats()
            stats = self.wait_alert("dht_stats")
            if any(bucket["num_nodes"] for bucket in stats.routing_table):
                return
        raise Failure("libtorrent found no node of the DHT")

    def wait_alert(self, name):
        for _ in range(100):
            for alert in self.session.pop_alerts():
                if alert.what() == name:
                    return alert
            time.sleep(0.1)
        raise Failure(f"libtorrent did not say {name}")

    def add(self, link, folder):
        parameters = self.module.parse_magnet_uri(link)
        parameters.save_path = str(folder)
        parameters.flags &= ~self.module.torrent_flags.auto_managed
        parameters.flags &= ~self.module.torrent_flags.paused
        return self.session.add_torrent(parameters)

    def wait_done(self, handle, seconds=240):
        """It looks for peers when it is given a torrent, which may be before anybody has announced
        it, and then once in a quarter of an hour; so it is told to look again."""
        for turn in range(seconds * 5):
            status = handle.status()
            if status.is_seeding:
                handle.flush_cache()
                self.wait_alert("cache_flushed")
                return
            if status.errc.value():
                raise Failure(f"libtorrent stopped: {status.errc.message()}")
            if turn % 25 == 24:
                handle.force_dht_announce()
            time.sleep(0.2)
        raise Failure(f"libtorrent did not finish: {status.progress:.0%}, "
                      f"{status.num_peers} of {status.list_peers} peers")


class Trackerless(Demo):
    def peer(self, number, command, *words):
        """Node `number` of the twenty, at an address of its own; it enters by the first."""
        name = f"node{number:02}"
        entry = () if number == 0 else ("--bootstrap", self.entry)
        return self.start(name, command, *words, "--listen", f"127.0.0.{number + 2}:{PORT}",
                          "--state", self.work / f"state.{name}", "--progress=json", "--no-lsd",
                          *entry)

    def wait_done(self, child, seconds=240):
        child.wait_for("done", seconds)

    def same(self, copy):
        files = contents(self.source)
        if contents(copy) != files:
            raise Failure(f"{copy} has other files")
        for file in files:
            if not same_bytes(self.source / file, copy / file):
                raise Failure(f"{copy}: {file} is different")

    def prepare(self):
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.source = self.work / "source" / "A Folder"
        small_source(self.source)
        self.total = sum(contents(self.source).values())
        print(f"{self.source.name}: {self.total / MIB:.1f} MiB. No tracker is started.\n")

    def network(self):
        """Eighteen nodes that stand, a seed that knows one of them, and libtorrent."""
        self.nodes = []
        self.entry = f"127.0.0.2:{PORT}"
        show, self.show = self.show, lambda words: None
        for number in range(18):
            entry = () if number == 0 else ("--bootstrap", self.entry)
            node = self.start(f"node{number:02}", "dht", "node", "--listen",
                              f"127.0.0.{number + 2}:{PORT}", "--state",
                              self.work / f"state.node{number:02}", "--progress=json", *entry)
            node.wait_for("ready", 20)
            self.nodes.append(node)
        self.show = show
        print(f"$ freshet dht node --listen 127.0.0.N:{PORT} --bootstrap {self.entry}"
              "      (eighteen of them)")
        self.foreign = Libtorrent("127.0.0.30")
        self.foreign.join(self.entry)
        print("libtorrent, with its DHT on, has joined at 127.0.0.30.\n")

    def magnet(self):
        """Of v1: given a hybrid by magnet, libtorrent 2.0.8 now and then stops with "v1 and v2
        hashes do not describe the same data" when a file's hashes come after some of its pieces,
        though the pieces matched their SHA-1 and the hashes had their proof."""
        torrent = self.work / "first.torrent"
        self.run("create", "--v1", self.source, "-o", torrent)
        self.seed = self.peer(18, "seed", "--magnet", torrent, "-o", self.source.parent)
        link = self.seed.wait_for("magnet", 60)["link"]
        print(f"  {link}\n")
        began = time.monotonic()
        get = self.peer(19, "get", link, "-o", self.work / "copy of freshet", "--seed-time", "1h")
        handle = self.foreign.add(link, self.work / "copy of libtorrent")
        self.wait_done(get)
        print(f"freshet has everything after {time.monotonic() - began:.1f} s; "
              f"it heard of peers {json.dumps(get.events['done']['known_from'])}.")
        self.same(self.work / "copy of freshet" / self.source.name)
        self.foreign.wait_done(handle)
        print(f"libtorrent has everything after {time.monotonic() - began:.1f} s.")
        self.foreign.session.pause()
        self.same(self.work / "copy of libtorrent" / self.source.name)
        print("Checked byte by byte: the copies are the same.\n", flush=True)
        for child in (self.seed, get):
            child.end()

    def latecomer(self, name, last, torrent, *words):
        return self.start(name, "get", torrent, "-o", self.work / name, "--listen",
                          f"127.0.0.{last}:{PORT}", *words, "--seed-time", "1h", "--progress=json",
                          "--no-lsd")

    @staticmethod
    def known(child):
        """How many peers it knows, {source: count}; of two sources the surer one counts."""
        return child.events.get("progress", {}).get("known_from", {})

    def wait_known(self, child, source, seconds=180):
        for _ in range(seconds * 5):
            if self.known(child).get(source):
                return
            if child.process.poll() is not None:
                raise Failure(f"{child.name} ended:\n{child.errors()}")
            time.sleep(0.2)
        raise Failure(f"{child.name} heard of nobody by {source}: {json.dumps(self.known(child))}")

    def show_sources(self, swarm):
        print("\nOf how many peers each knows in which way:\n")
        print("  " + " " * 8 + "".join(f"{source:>10}" for source in SOURCES))
        for name, child in swarm.items():
            known = self.known(child)
            print(f"  {name:8}" + "".join(f"{known.get(source, 0) or '-':>10}"
                                          for source in SOURCES), flush=True)

    def tracker_dies(self):
        """The peers know the seed by the tracker; of two latecomers one can know them by the DHT
        alone, the other, which is without it, by what the one peer that it knows tells it."""
        tracker = self.start("tracker", "tracker", "--http", "127.0.0.1:0", "--progress=json")
        url = f"http://{tracker.wait_for('ready', 20)['listen']}/announce"
        torrent = self.work / "second.torrent"
        self.run("create", self.source, "-o", torrent, "-a", url, "-c", "the second", "--source",
                 "demo")
        self.seed = self.peer(18, "seed", torrent, "-o", self.source.parent, "-u", 4 * MIB)
        self.seed.wait_for("ready", 60)
        first = self.peer(19, "get", torrent, "-o", self.work / "first", "--seed-time", "1h")
        while first.events.get("progress", {}).get("verified", 0) < self.total // 2:
            if first.process.poll() is not None:
                raise Failure(f"node19 ended:\n{first.errors()}")
            time.sleep(0.1)
        tracker.process.send_signal(signal.SIGKILL)
        print("The tracker is killed; the first peer has "
              f"{first.events['progress']['verified'] / self.total:.0%}.", flush=True)
        late = self.latecomer("late", 29, torrent, "--state", self.work / "state.late",
                              "--bootstrap", self.entry)
        self.wait_known(late, "dht")
        # It is given one peer, and may hear of others from that one alone.
        told = self.latecomer("told", 28, torrent, "--state", self.work / "state.told", "--no-dht",
                              "--peer", self.seed.events["ready"]["listen"])
        self.wait_known(told, "exchange")
        swarm = {"first": first, "late": late, "told": told}
        for name, child in swarm.items():
            self.wait_done(child)
            self.same(self.work / name / self.source.name)
            print(f"The {name} peer has everything.", flush=True)
        self.show_sources(swarm)
        if {"dht", "lan", "tracker"} & set(self.known(told)):
            raise Failure("who is without DHT heard of peers from elsewhere than from a peer")
        print("\nWith no tracker, and with a tracker that died, everybody has everything.")


def main():
    demo = Trackerless(sys.argv[1], sys.argv[2], "")
    return play(demo, demo.prepare, demo.network, demo.magnet, demo.tracker_dies)


if __name__ == "__main__":
    sys.exit(main())
