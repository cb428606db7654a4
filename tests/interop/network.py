# SPDX-License-Identifier: MIT
"""A network of the test run's own: a namespace that holds only loopback and addresses enough.

Nothing here reaches the world or meets what else runs on the machine, any port is free, and each
client has an address of its own: Transmission refuses peers in 127/8, and libtorrent keeps one
connection to an address.
"""
import itertools
import os
import subprocess

import namespaces

ADDRESSES = 500
LAN_ADDRESSES = 20

IS_ROOT = namespaces.IS_ROOT

numbers = itertools.count(1)
lan_numbers = itertools.count(1)


def ipv4(number):
    return f"10.77.{number // 250}.{number % 250 + 1}"


def enter():
    """Moves this process and all that it starts from now on into the namespace."""
    namespaces.enter(namespaces.CLONE_NEWNET, "network", become_root=True)
    commands = ["link set lo up"]
    for number in range(1, ADDRESSES + 1):
        commands += [f"address add {ipv4(number)}/32 dev lo",
                     f"address add fd77::{number}/128 dev lo nodad"]
    # A LAN: libtorrent hears only those of its own network.
    commands += [f"address add 10.78.0.{number}/24 dev lo"
                 for number in range(1, LAN_ADDRESSES + 1)]
    commands += ["link set lo multicast on", "route add 224.0.0.0/4 dev lo"]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True,
                   env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"})


def new_address(family=4):
    """An address that nobody else has; an IPv6 one in brackets."""
    number = next(numbers)
    assert number <= ADDRESSES
    return ipv4(number) if family == 4 else f"[fd77::{number}]"


def new_lan_address():
    """An address of the LAN that nobody else has."""
    number = next(lan_numbers)
    assert number <= LAN_ADDRESSES
    return f"10.78.0.{number}"
