# SPDX-License-Identifier: MIT
"""libtorrent as a node of the DHT, and nothing else: bench_libtorrent_dht.py ADDRESS PORT LIMITS.

LIMITS: "kept" as it is out of the box, "raised" so that none of its limits is what is measured.
Prints the memory of the process before and after, in KiB, then runs until it is ended."""
import sys
import time

import libtorrent


def resident():
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def main():
    address, port, limits = sys.argv[1:]
    settings = {"enable_dht": True, "dht_bootstrap_nodes": "", "enable_lsd": False,
                "enable_upnp": False, "enable_natpmp": False, "alert_mask": 0,
                "listen_interfaces": f"{address}:{port}", "dht_ignore_dark_internet": False}
    if limits == "raised":
        settings.update(dht_upload_rate_limit=1_000_000_000, dht_block_ratelimit=1_000_000_000,
                        dht_block_timeout=0)
    before = resident()
    session = libtorrent.session(settings)
    while not session.is_dht_running():
        time.sleep(0.01)
    time.sleep(0.5)
    print(f"ready {before} {resident()}", flush=True)
    while True:
        time.sleep(60)


main()
