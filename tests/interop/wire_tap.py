# SPDX-License-Identifier: MIT
"""A relay between two clients that keeps what passes, both ways: what somebody on the way sees."""
import select
import socket
import threading

KEPT = 64 << 20  # bytes of a direction, more than a test sends


class WireTap:
    """Listens at its own address; each connection goes on to `endpoint`."""

    def __init__(self, address, endpoint):
        self.target = endpoint.rsplit(":", 1)
        self.listener = socket.create_server((address, 0))
        self.endpoint = f"{address}:{self.listener.getsockname()[1]}"
        self.seen = []  # a bytearray a direction
        self.total = 0
        self.ending = threading.Event()
        self.threads = []
        self.start(self.accept)

    def start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def accept(self):
        self.listener.settimeout(0.1)
        while not self.ending.is_set():
            try:
                stream, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.start(self.relay, stream)

    def relay(self, stream):
        try:
            other = socket.create_connection((self.target[0], int(self.target[1])), timeout=10)
        except OSError:
            stream.close()
            return
        ways = {stream: (other, bytearray()), other: (stream, bytearray())}
        self.seen += [kept for _, kept in ways.values()]
        with stream, other:
            while not self.ending.is_set():
                for ready in select.select(list(ways), [], [], 0.1)[0]:
                    target, kept = ways[ready]
                    try:
                        got = ready.recv(1 << 16)
                        target.settimeout(10)
                        target.sendall(got)
                    except OSError:
                        return
                    if not got:
                        return
                    self.total += len(got)
                    kept += got[:max(0, KEPT - len(kept))]

    def saw(self, text):
        return any(text in kept for kept in self.seen)

    def stop(self):
        self.ending.set()
        self.listener.close()
        for thread in self.threads:
            thread.join(15)
