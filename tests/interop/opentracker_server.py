# SPDX-License-Identifier: MIT
"""opentracker as Debian builds it: HTTP and UDP, serving only the info-hashes of a list."""
import network
from process import Process
from waiting import is_listening, wait_for

PORT = 6969


class Opentracker(Process):
    """Knows the torrents whose hexadecimal info-hashes it is given."""

    def __init__(self, folder, address, info_hashes):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        (folder / "allowed").write_text("".join(text.upper() + "\n" for text in info_hashes))
        self.http = f"http://{address}:{PORT}/announce"
        self.udp = f"udp://{address}:{PORT}/announce"
        # It refuses to run as root, who it becomes nobody from; a person is root in here only.
        words = [] if network.IS_ROOT else ["unshare", "--user", "--map-user=65534"]
        super().__init__([*words, "opentracker", "-i", address, "-p", PORT, "-P", PORT, "-d",
                          folder, "-w", "allowed"], folder, "opentracker")
        wait_for(lambda: is_listening(address, PORT), lambda: "opentracker listens: " + self.log())
