# SPDX-License-Identifier: MIT
"""One seed and one peer over uTP: freshet, libtorrent, and freshet over TCP beside them.

A connection of uTP is in no table that could be looked at, so each is timed from its first bytes on
the disk, TCP too. libtorrent takes minutes for a GiB: it gets a smaller payload, and its numbers are
those of a whole one at the same speed."""
import os

import bench_clients

SMALL = 256 << 20


class Part:
    """Another payload of the same bench."""

    def __init__(self, bench, size):
        self.size = min(size, bench.options.size)
        self.data = os.path.join(bench.work, "part")
        self.payload = os.path.join(self.data, "payload")
        self.torrent = os.path.join(bench.work, "part.torrent")
        os.makedirs(self.data)
        with open(bench.payload, "rb") as whole, open(self.payload, "wb") as part:
            part.write(whole.read(self.size))


def run(bench):
    part = Part(bench, SMALL)
    bench.make_torrent(part.payload, part.torrent)
    folder = os.path.join(bench.work, "utp-{}").format
    freshet = bench.options.freshet
    ours = bench_clients.Freshet(folder("freshet"), bench.address, freshet, "utp")
    tcp = bench_clients.Freshet(folder("tcp"), bench.address, freshet, "tcp")
    theirs = bench_clients.Libtorrent(folder("libtorrent"), bench.address, utp=True)

    def whole(client):
        return lambda: bench.transfer(client, from_connection=False)

    def scaled():
        sample = bench.transfer(theirs, part, from_connection=False)
        return {key: value * bench.options.size / part.size for key, value in sample.items()}

    contenders = {}
    for name, client, measure in (("freshet", ours, whole(ours)), ("freshet tcp", tcp, whole(tcp)),
                                  ("libtorrent", theirs, scaled)):
        if bench.options.only and client.name not in bench.options.only:
            continue
        reason = client.missing()
        contenders[name] = (lambda r=reason: bench.refuse(r)) if reason else measure
    bench.measure("utp", contenders)


def verdict(rows):
    """What is wanted of it, in one line; None when one of them did not run."""
    median = {row["name"]: row["median"] for row in rows
              if row["section"] == "utp" and "median" in row}
    if not {"freshet", "freshet tcp", "libtorrent"} <= set(median):
        return None

    def cpu(name):
        return median[name]["seed_cpu"] + median[name]["get_cpu"]

    speed = median["freshet tcp"]["seconds"] / median["freshet"]["seconds"]
    return (f"freshet over uTP: {speed:.2f} of its speed over TCP (wanted: 0.5); "
            f"{cpu('freshet') / cpu('libtorrent'):.3f} of libtorrent's CPU over uTP (wanted: 0.2)")
