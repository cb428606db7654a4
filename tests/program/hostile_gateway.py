# SPDX-License-Identifier: MIT
"""A default gateway that means ill, as a program: it answers the search for a router, and then its
description never ends, a byte at a time or as fast as can be, or points at a URL, where another is to
be spoken to. Usage: hostile_gateway.py ADDRESS drip|flood|URL. Prints a line for each visit."""
import socket
import sys
import threading
import time


DESCRIPTION = """<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><device>
<deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType>
<serviceList><service>
<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType>
<controlURL>{control}</controlURL>
</service></serviceList></device></root>
"""


def point(connection, control):
    connection.recv(4096)
    body = DESCRIPTION.format(control=control).encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    connection.close()
    print("visited", flush=True)


def go_on(connection, piece, pause):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<root>")
    print("visited", flush=True)
    try:
        while True:
            connection.sendall(piece)
            time.sleep(pause)
    except OSError:
        pass


def serve(web, how):
    ways = {"drip": (go_on, b" ", 0.2), "flood": (go_on, b" " * 65536, 0)}
    while True:
        connection = web.accept()[0]
        act, *rest = ways.get(how, (point, how))
        threading.Thread(target=act, args=(connection, *rest), daemon=True).start()


def main():
    address = sys.argv[1]
    web = socket.create_server((address, 0))
    threading.Thread(target=serve, args=(web, sys.argv[2]), daemon=True).start()
    search = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    search.bind(("", 1900))
    search.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                      socket.inet_aton("239.255.255.250") + socket.inet_aton(address))
    print("ready", flush=True)
    while True:
        query, asker = search.recvfrom(2048)
        if not query.startswith(b"M-SEARCH"):
            continue
        kind = query.split(b"ST:")[1].split(b"\r\n")[0].strip()
        where = f"http://{address}:{web.getsockname()[1]}/rootDesc.xml".encode()
        search.sendto(b"HTTP/1.1 200 OK\r\nST: " + kind + b"\r\nUSN: uuid:1::" + kind
                      + b"\r\nLOCATION: " + where + b"\r\n\r\n", asker)


if __name__ == "__main__":
    main()
