# SPDX-License-Identifier: MIT
"""Two homes behind routers that hide them (nftables masquerade) and take nothing unasked; a third
place is in the world. This process is in the first home's network, a namespace (see conftest.py);
each of the others has one of its own, and so has what lies between them. Public addresses here are
those of the namespaces; nothing leaves them."""
import contextlib

import pytest
from home_router import other_network, run

HOMES = ("10.81.0.2", "10.82.0.2")
OUTSIDES = ("11.22.1.2", "11.22.2.2")
WORLD, WORLD_ROUTER = "11.22.33.9", "11.22.33.1"

RULES = """
table inet home {{
    chain input {{
        type filter hook input priority 0; policy drop;
        iifname "lan" accept
        ct state established,related accept
    }}
    chain forward {{
        type filter hook forward priority 0; policy drop;
        {closed}
        iifname "lan" accept
        ct state established,related accept
    }}
    chain postrouting {{
        type nat hook postrouting priority 100; policy accept;
        oifname "wan" masquerade
    }}
}}
"""
CLOSED = f'iifname "wan" ip saddr != {WORLD} meta l4proto udp drop'


def link(one, name, other, pid, other_name, addresses):
    """A veth from the namespace of `one` to that of `other`, whose process is `pid`."""
    run(*one, "ip", "link", "add", name, "type", "veth", "peer", "name", other_name, "netns", pid)
    for words, end, address in ((one, name, addresses[0]), (other, other_name, addresses[1])):
        run(*words, "ip", "address", "add", f"{address}/24", "dev", end)
        run(*words, "ip", "link", "set", end, "up")


class TwoHomes:
    def __init__(self, second, world, routers):
        self.second, self.world, self.routers = second, world, routers

    def close_second(self):
        """From now on the second home's router lets UDP in from WORLD alone, asked for or not."""
        words = self.routers[1]
        run(*words, "nft", "-f", "-", text="flush ruleset" + RULES.format(closed=CLOSED))


@pytest.fixture
def two_homes():
    with contextlib.ExitStack() as stack:
        second, second_pid = stack.enter_context(other_network())
        world, _ = stack.enter_context(other_network())
        middle, middle_pid = stack.enter_context(other_network())
        routers = [stack.enter_context(other_network()) for _ in HOMES]
        for words in ([], second, world, middle, routers[0][0], routers[1][0]):
            run(*words, "ip", "link", "set", "lo", "up")
        link(world, "net", middle, middle_pid, "world", (WORLD, WORLD_ROUTER))
        run(*world, "ip", "route", "add", "default", "via", WORLD_ROUTER)
        homes = (([], None), (second, second_pid))
        for number, ((home, _), (router, pid)) in enumerate(zip(homes, routers)):
            lan, wan = f"10.8{number + 1}.0.1", f"11.22.{number + 1}.1"
            link(home, "home", router, pid, "lan", (HOMES[number], lan))
            link(router, "wan", middle, middle_pid, f"net{number}", (OUTSIDES[number], wan))
            run(*home, "ip", "route", "add", "default", "via", lan)
            run(*router, "ip", "route", "add", "default", "via", wan)
            run(*router, "nft", "-f", "-", text=RULES.format(closed=""))
        for words in (middle, routers[0][0], routers[1][0]):
            run(*words, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        yield TwoHomes(second, world, [words for words, _ in routers])
