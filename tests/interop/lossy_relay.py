# SPDX-License-Identifier: MIT
"""A way for datagrams that loses, doubles, delays and reorders them. One seed, one behaviour for one
order of arrivals."""
import heapq
import itertools
import random
import select
import socket
import threading
import time


class LossyRelay:
    """Whoever sends to `endpoint` speaks with `target`, each from an own port of the relay."""

    def __init__(self, address, target, loss=0.02, double=0.01, delay=0.01, jitter=0.002):
        self.loss, self.double, self.delay, self.jitter = loss, double, delay, jitter
        host, port = target.rsplit(":", 1)
        self.target, self.address = (host, int(port)), address
        self.random = random.Random(7)
        self.front = self.open()
        self.endpoint = f"{address}:{self.front.getsockname()[1]}"
        self.backs, self.sources = {}, {}  # socket by source, and the other way round
        self.flying, self.numbers = [], itertools.count()
        self.carried = self.lost = 0
        self.stopping = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def open(self):
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        opened.bind((self.address, 0))
        opened.setblocking(False)
        return opened

    def take(self, packet, through, to):
        if self.random.random() < self.loss:
            self.lost += 1
            return
        copies = 2 if self.random.random() < self.double else 1
        for _ in range(copies):
            when = time.monotonic() + self.delay + self.random.random() * self.jitter
            heapq.heappush(self.flying, (when, next(self.numbers), packet, through, to))

    def receive(self, ready):
        try:
            packet, source = ready.recvfrom(65536)
        except OSError:
            return
        if ready is not self.front:
            self.take(packet, self.front, self.sources[ready])
            return
        if source not in self.backs:
            self.backs[source] = self.open()
            self.sources[self.backs[source]] = source
        self.take(packet, self.backs[source], self.target)

    def run(self):
        while not self.stopping:
            wait = min(0.1, max(0, self.flying[0][0] - time.monotonic())) if self.flying else 0.1
            for ready in select.select([self.front, *self.sources], [], [], wait)[0]:
                self.receive(ready)
            while self.flying and self.flying[0][0] <= time.monotonic():
                _, _, packet, through, to = heapq.heappop(self.flying)
                self.carried += 1
                try:
                    through.sendto(packet, to)
                except OSError:
                    pass

    def stop(self):
        self.stopping = True
        self.thread.join()
        for opened in [self.front, *self.sources]:
            opened.close()
