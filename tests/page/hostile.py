# SPDX-License-Identifier: MIT
"""Names that want to be more than names, and a peer and a tracker that speak in such words."""
import http.server
import socket
import struct
import threading

RUN = "window.ran=1"
NAMES = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"\"><img src=x onerror=\"{RUN}\">",
    f"'><svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<iframe srcdoc='<script>parent.ran=1</script>'>",
    f"javascript:{RUN}",
    f"<a href=javascript:{RUN}>click</a>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<math><mtext><img src=x onerror={RUN}>",
    f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"<!--><script>{RUN}</script>-->",
    f"<style>*{{display:none}}</style>",
    f"<link rel=stylesheet href=data:text/css,*{{display:none}}>",
    f"<base href=http://192.0.2.1/>",
    f"<meta http-equiv=refresh content=0;url=http://192.0.2.1/>",
    f"<form action=http://192.0.2.1/><input>",
    "{{constructor.constructor('window.ran=1')()}}",
    "${window.ran=1}",
    "%3Cscript%3Ewindow.ran=1%3C%2Fscript%3E",
    "&lt;script&gt;window.ran=1&lt;/script&gt;",
    "\\u003cscript\\u003ewindow.ran=1",
    "`-window.ran=1-`",
    "';window.ran=1;//",
    "__proto__",
    "constructor",
    "toString",
    "null",
    "safe\u202egnp.exe",
    "\u2066left\u2069 \u200fright",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 and English",
    "a\u0301\u0302\u0303" * 20,
    "\u200b\u200b\u200b",
    "W" * 200,
    "no break " * 20 + "x" * 40,
    "\U0001f469\u200d\U0001f680" * 12,
    "--help",
    "name\u2028with\u2029lines",
]
assert len(NAMES) == 40 == len(set(NAMES))


def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(bencode, value)) + b"e"
    return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"


def torrent(name, tracker):
    """A torrent all of whose texts are hostile."""
    info = {"name": name, "piece length": 16384, "pieces": bytes(20) * 2,
            "files": [{"length": 16384, "path": [name, name]}, {"length": 100, "path": ["x" + name]}]}
    return bencode({"announce": f"{tracker}/announce/{name}", "info": info, "comment": name,
                    "created by": name, "creation date": 1700000000})


def album(name, names):
    """A torrent of files that are called so, each in a folder that is called so too."""
    info = {"name": name, "piece length": 1 << 20, "pieces": bytes(20),
            "files": [{"length": 1000 + number, "path": [one, "x" + one]} for number, one in enumerate(names)]}
    return bencode({"info": info})


class Tracker:
    """Refuses every announce with the words given; of a list, with those that its URL ends in."""

    def __init__(self, words):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                number = self.path.partition("?")[0].rpartition("/")[2]
                body = bencode({"failure reason": words if isinstance(words, str) else words[int(number)]})
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/announce"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Peer:
    """Shakes hands with a client name of its own and then stays; `number` tells several apart."""

    def __init__(self, endpoint, info_hash, client, number=1):
        host, port = endpoint.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), 20, (f"127.3.0.{number}", 0))
        reserved = bytes([0, 0, 0, 0, 0, 0x10, 0, 0])
        self.socket.sendall(b"\x13BitTorrent protocol" + reserved + info_hash +
                            b"-XX0001-%012d" % number)
        payload = b"\x14\x00" + bencode({"m": {}, "v": client})
        self.socket.sendall(struct.pack(">I", len(payload)) + payload)

    def stop(self):
        self.socket.close()
