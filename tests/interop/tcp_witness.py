# SPDX-License-Identifier: MIT
"""Who sees every TCP packet of the network that the tests live in."""
import ctypes
import socket
import struct

ETH_P_IP = 0x0800
SO_ATTACH_FILTER = 26
SOL_PACKET = 263
PACKET_STATISTICS = 6
# Load the protocol of the IPv4 header; TCP: take it, else: leave it.
FILTER = struct.pack("HBBI" * 4, 0x30, 0, 0, 9, 0x15, 0, 1, 6, 0x06, 0, 0, 0xffff, 0x06, 0, 0, 0)


class TcpWitness:
    """Remembers payload bytes of IPv4 TCP by ports; without those that a test speaks on itself."""

    def __init__(self, *ignored_ports):
        self.ignored = set(ignored_ports)
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        program = ctypes.create_string_buffer(FILTER, len(FILTER))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                               struct.pack("HP", 4, ctypes.addressof(program)))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("lo", ETH_P_IP))
        self.socket.setblocking(False)

    def packets(self):
        """Addresses and payload bytes of each that it saw since it was asked last."""
        while True:
            try:
                packet = self.socket.recv(65536)
            except BlockingIOError:
                return
            head = (packet[0] & 15) * 4
            ports = struct.unpack_from("!HH", packet, head)
            length = struct.unpack_from("!H", packet, 2)[0] or len(packet)
            if not self.ignored & set(ports):
                yield ([socket.inet_ntoa(packet[at:at + 4]) for at in (12, 16)],
                       max(0, length - head - (packet[head + 12] >> 4) * 4))

    def missed(self):
        """How many packets there was no room for, since it was asked last."""
        return struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]

    def payload_bytes(self):
        return sum(count for _, count in self.packets())

    def close(self):
        self.socket.close()
