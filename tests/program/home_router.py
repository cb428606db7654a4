# SPDX-License-Identifier: MIT
"""A home behind a router: this process is in the home's network (a namespace, see conftest.py), the
router is miniupnpd over nftables in one of its own, and the world lies behind it in a third. Public
addresses here are those of the namespaces; nothing leaves them."""
import contextlib
import os
import signal
import subprocess
import time

import pytest

HOME, ROUTER, OTHER = "10.81.0.2", "10.81.0.1", "10.81.0.77"
OUTSIDE, WORLD = "11.22.33.1", "11.22.33.9"

ENVIRONMENT = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}

RULES = """
table inet filter {
    chain forward {
        type filter hook forward priority 0; policy drop;
        iifname "lan" accept
        ct state established,related accept
        jump miniupnpd
    }
    chain miniupnpd { }
    chain prerouting {
        type nat hook prerouting priority -100; policy accept;
        jump prerouting_miniupnpd
    }
    chain postrouting {
        type nat hook postrouting priority 100; policy accept;
        oifname "wan" masquerade
        jump postrouting_miniupnpd
    }
    chain prerouting_miniupnpd { }
    chain postrouting_miniupnpd { }
}
"""

CONFIGURATION = """
ext_ifname=wan
listening_ip=lan
port={port}
enable_natpmp={natpmp}
enable_upnp={upnp}
secure_mode=yes
notify_interval=60
uuid=d7f1fd42-20a7-4d1b-a8df-55c5ea15fcac
upnp_table_name=filter
upnp_nat_table_name=filter
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
lease_file={leases}
allow 1024-65535 10.81.0.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""


def run(*words, text=None):
    return subprocess.run([str(word) for word in words], check=True, env=ENVIRONMENT, input=text,
                          text=True, capture_output=True).stdout


@contextlib.contextmanager
def other_network():
    """A namespace that lives as long as this does: the words that run a program in it, its pid."""
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 600"],
                          stdout=subprocess.PIPE) as holder:
        try:
            holder.stdout.readline()
            yield ["nsenter", f"--net=/proc/{holder.pid}/ns/net"], holder.pid
        finally:
            holder.kill()


class HomeRouter:
    def __init__(self, folder, inside, world):
        self.folder, self.inside, self.world = folder, inside, world
        self.process = None

    def start(self, natpmp=True, upnp=True):
        (self.folder / "miniupnpd.conf").write_text(CONFIGURATION.format(
            natpmp="yes" if natpmp else "no", upnp="yes" if upnp else "no", port=5555,
            leases=self.folder / "leases"))
        with (self.folder / "miniupnpd.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.inside, "miniupnpd", "-d", "-f", str(self.folder / "miniupnpd.conf"), "-P",
                 str(self.folder / "miniupnpd.pid")], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=ENVIRONMENT)
        signs = ["Listening for NAT-PMP"] * natpmp + ["HTTP listening"] * upnp
        end = time.monotonic() + 30
        while not all(sign in self.log() for sign in signs):
            assert self.process.poll() is None and time.monotonic() < end, self.log()
            time.sleep(0.02)
        return self

    def stop(self):
        """miniupnpd notes the signal between two selects: one that comes just before it sleeps is seen
        a minute later unless another wakes it."""
        end = time.monotonic() + 30
        while self.process:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.5)
                self.process = None
            assert self.process is None or time.monotonic() < end, self.log()

    def log(self):
        return (self.folder / "miniupnpd.log").read_text(errors="replace")

    def mappings(self):
        """What the kernel forwards: {(protocol, port outside): "address:port" inside}."""
        found = {}
        for line in run(*self.inside, "nft", "list", "chain", "inet", "filter",
                        "prerouting_miniupnpd").splitlines():
            words = line.split()
            if "dnat" not in words:
                continue
            port = int(words[words.index("dport") + 1])
            # nft shows miniupnpd's rule as it was given: a byte of the IP header.
            protocol = {"0x6": "tcp", "0x11": "udp"}[words[words.index("th") - 1]]
            found[protocol, port] = words[words.index("to") + 1]
        return found


@pytest.fixture
def home_router(tmp_path):
    folder = tmp_path / "router"
    folder.mkdir()
    with other_network() as (inside, router), other_network() as (world, outside):
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "home", "type", "veth", "peer", "name", "lan")
        run("ip", "link", "set", "lan", "netns", router)
        run("ip", "address", "add", f"{HOME}/24", "dev", "home")
        run("ip", "link", "set", "home", "up")
        run(*inside, "ip", "link", "add", "wan", "type", "veth", "peer", "name", "net")
        run(*inside, "ip", "link", "set", "net", "netns", outside)
        for words, name, address in ((inside, "lan", ROUTER), (inside, "wan", OUTSIDE),
                                     (world, "net", WORLD)):
            run(*words, "ip", "link", "set", "lo", "up")
            run(*words, "ip", "address", "add", f"{address}/24", "dev", name)
            run(*words, "ip", "link", "set", name, "up")
        run("ip", "route", "add", "default", "via", ROUTER)
        run(*inside, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        run(*inside, "nft", "-f", "-", text=RULES)
        made = HomeRouter(folder, inside, world)
        yield made
        made.stop()
