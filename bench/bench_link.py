# SPDX-License-Identifier: MIT
"""A slow link of our own, and what passes it: three network namespaces, sender, router, receiver.

The router is this process, after `Link()`: its side to the receiver has a token bucket and a queue
(tbf), the way back is free. The queue must not be the sender's own: a kernel holds back its TCP
(small queues) and its UDP (the socket's buffer) as long as what they sent still lies in a queue of
the same machine, and a home router's queue does nothing of the kind.

Each packet that leaves the queue is counted with its flow, and an echo passes it each 20 ms."""
import os
import select
import socket
import struct
import subprocess
import sys
import threading
import time

from bench_process import Process

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests"))

import namespaces  # noqa: E402  pylint: disable=wrong-import-position

SENDER, RECEIVER = "10.71.1.2", "10.71.2.2"
RATE_BITS_PER_S = 16_000_000
QUEUE_MS = 300
BURST_BYTES = 4000  # larger frames (GSO) are cut before they count
STEP_S = 0.1
ECHO_S = 0.02
ETHERNET_BYTES = 14  # tbf counts them
ECHO_REQUEST, ECHO_REPLY = 8, 0
PACKET_OUTGOING = 4
PROTOCOLS = {6: "tcp", 17: "udp"}


def run(*words):
    environment = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    subprocess.run([str(word) for word in words], check=True, timeout=20, env=environment,
                   stdout=subprocess.DEVNULL)


class Side:
    """A namespace that lives as long as the process that holds it."""

    def __init__(self):
        self.holder = subprocess.Popen(  # pylint: disable=consider-using-with
            ["unshare", "--net", "sh", "-c", "echo in; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.holder.stdout.readline() != b"in\n":
            raise OSError("no network namespace for a side of the link")

    def words(self, *command):
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *map(str, command)]

    def start(self, log, *command):
        return Process(self.words(*command), log)

    def close(self):
        self.holder.stdin.close()
        self.holder.wait(10)


class Link:
    """Made once in a process, before its first thread."""

    def __init__(self):
        namespaces.enter(namespaces.CLONE_NEWNET, "network", become_root=True)
        self.sender, self.receiver = Side(), Side()
        for side, name, ours, theirs in ((self.sender, "to-sender", "10.71.1.1", SENDER),
                                         (self.receiver, "to-receiver", "10.71.2.1", RECEIVER)):
            run("ip", "link", "add", name, "type", "veth", "peer", "name", "link0",
                "netns", side.holder.pid)
            run("ip", "address", "add", f"{ours}/24", "dev", name)
            run("ip", "link", "set", name, "up")
            run(*side.words("ip", "link", "set", "lo", "up"))
            run(*side.words("ip", "address", "add", f"{theirs}/24", "dev", "link0"))
            run(*side.words("ip", "link", "set", "link0", "up"))
            run(*side.words("ip", "route", "add", "default", "via", ours))
        with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
            file.write("1")
        run("tc", "qdisc", "add", "dev", "to-receiver", "root", "tbf", "rate", f"{RATE_BITS_PER_S}bit",
            "burst", BURST_BYTES, "latency", f"{QUEUE_MS}ms")

    def close(self):
        self.sender.close()
        self.receiver.close()


class Watch:
    """Counts and measures until it is closed. `flows` names them: {("udp", port): name}, the port
    being that of either end."""

    def __init__(self, flows):
        self.flows = dict(flows)
        self.began = time.monotonic()
        self.bytes = {}   # name: {step: bytes}
        self.delays = []  # (second, milliseconds); None where no echo came back
        self.ended = False
        self.sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        self.sniffer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sniffer.bind(("to-receiver", 3))
        self.echo = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.threads = [threading.Thread(target=work) for work in (self.count, self.probe)]
        for thread in self.threads:
            thread.start()

    def now(self):
        return time.monotonic() - self.began

    def close(self):
        self.ended = True
        for thread in self.threads:
            thread.join(10)
        self.sniffer.close()
        self.echo.close()
        return self

    def count(self):
        while not self.ended:
            if not select.select([self.sniffer], [], [], 0.1)[0]:
                continue
            packet, origin = self.sniffer.recvfrom(64, socket.MSG_TRUNC)
            if origin[2] != PACKET_OUTGOING or len(packet) < 28:
                continue
            length, protocol = int.from_bytes(packet[2:4], "big"), PROTOCOLS.get(packet[9])
            header = (packet[0] & 15) * 4
            name = "other"
            if protocol and len(packet) >= header + 4:
                for port in struct.unpack_from(">HH", packet, header):
                    name = self.flows.get((protocol, port), name)
            steps = self.bytes.setdefault(name, {})
            step = int(self.now() / STEP_S)
            steps[step] = steps.get(step, 0) + length + ETHERNET_BYTES

    def probe(self):
        number, sent, due = 0, {}, self.now()
        while not self.ended:
            if select.select([self.echo], [], [], max(0, due - self.now()))[0]:
                reply = self.echo.recv(200)[20:]
                if reply[0] == ECHO_REPLY:
                    at = sent.pop(int.from_bytes(reply[6:8], "big"), None)
                    if at is not None:
                        self.delays.append((at, (self.now() - at) * 1000))
                continue
            due = max(due + ECHO_S, self.now())
            number = (number + 1) & 0xFFFF
            sent[number] = self.now()
            self.echo.sendto(echo_request(number), (RECEIVER, 0))
            for old in [key for key, at in sent.items() if self.now() - at > 2]:
                self.delays.append((sent.pop(old), None))

    # ---- what came of it

    def samples(self, until):
        """One a step: time, rate of each flow in Mbit/s, mean delay in ms."""
        delays = {}
        for at, delay in list(self.delays):
            if delay is not None:
                delays.setdefault(int(at / STEP_S), []).append(delay)
        result = []
        for step in range(int(until / STEP_S)):
            rates = {name: round(steps.get(step, 0) * 8 / STEP_S / 1e6, 3)
                     for name, steps in list(self.bytes.items())}
            here = delays.get(step)
            result.append({"s": round(step * STEP_S, 3), "mbit_per_s": rates,
                           "delay_ms": round(sum(here) / len(here), 2) if here else None})
        return result


def echo_request(number):
    words = [ECHO_REQUEST << 8, 0, os.getpid() & 0xFFFF, number]
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    words[1] = ~total & 0xFFFF
    return struct.pack(">4H", *words)


def rate(samples, name, since, until):
    """Mbit/s of a flow between two seconds."""
    part = [sample["mbit_per_s"].get(name, 0) for sample in samples if since <= sample["s"] < until]
    return sum(part) / len(part) if part else 0.0
