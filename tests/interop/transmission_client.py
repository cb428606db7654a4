# SPDX-License-Identifier: MIT
"""Transmission (Debian's transmission-daemon), driven by its RPC."""
import base64
import json
import os
import socket
import urllib.error
import urllib.request

from process import Process
from waiting import is_listening, wait_for

PORT = 51413


class Transmission(Process):
    """A daemon with its own address and folder."""

    def __init__(self, folder, address, encryption="tolerated", dht=None, utp=False):
        """`dht`: nodes that it knows from an earlier run, "address:port"; without it has none."""
        self.address = address
        self.port = PORT
        self.url = f"http://{address}:9091/transmission/rpc"
        self.session_id = ""
        if dht:
            (folder / "config").mkdir()
            nodes = b"".join(socket.inet_aton(host) + int(port).to_bytes(2, "big")
                             for host, port in (node.split(":") for node in dht))
            (folder / "config" / "dht.dat").write_bytes(
                b"d2:id20:" + os.urandom(20) + b"5:nodes%d:" % len(nodes) + nodes + b"e")
        super().__init__(["transmission-daemon", "--foreground", "--config-dir", folder / "config",
                          "--download-dir", folder, "--bind-address-ipv4", address,
                          "--bind-address-ipv6", "::1", "--rpc-bind-address", address,
                          "--allowed", "*.*.*.*", "--peerport", PORT, "--no-auth", "--dht" if dht else "--no-dht",
                          "--no-lpd", "--utp" if utp else "--no-utp", "--no-portmap", f"--encryption-{encryption}",
                          "--log-debug"], folder, "transmission")
        wait_for(lambda: is_listening(address, 9091), "transmission answers")

    @property
    def endpoint(self):
        return f"{self.address}:{self.port}"

    def call(self, method, again=True, **arguments):
        body = json.dumps({"method": method, "arguments": arguments}).encode()
        request = urllib.request.Request(self.url, body,
                                         {"X-Transmission-Session-Id": self.session_id})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                reply = json.load(answer)
        except urllib.error.HTTPError as error:
            assert error.code == 409 and again, error
            self.session_id = error.headers["X-Transmission-Session-Id"]
            return self.call(method, again=False, **arguments)
        assert reply["result"] == "success", reply
        return reply["arguments"]

    def add(self, torrent, folder, seed=False):
        """Starts a torrent; the answer is its number."""
        metainfo = base64.b64encode(torrent.read_bytes()).decode()
        answer = self.call("torrent-add", metainfo=metainfo, **{"download-dir": str(folder)})
        number = answer["torrent-added"]["id"]
        if seed:
            self.wait_complete(number)
        return number

    def status(self, number, *fields):
        return self.call("torrent-get", ids=[number], fields=list(fields))["torrents"][0]

    def wait_complete(self, number, seconds=45):
        def complete():
            status = self.status(number, "percentDone", "status", "leftUntilDone")
            return status["percentDone"] == 1 and status["status"] == 6

        wait_for(complete, lambda: "transmission has everything: "
                 f"{self.status(number, 'percentDone', 'status', 'peers', 'errorString')}\n"
                 + self.log()[-3000:], seconds)
