# SPDX-License-Identifier: MIT
"""aria2 (Debian's aria2c); one process, one torrent."""
from process import Process
from waiting import is_listening, wait_for

PORT = 6881


class Aria2(Process):
    """Seeds for ever, or downloads and ends with 0. `dht`: an endpoint where it enters the DHT;
    `crypto`: "plain" or "arc4", what it requires at least."""

    def __init__(self, folder, address, torrent, files, seed=False, dht=None,
                 crypto=None):
        self.address = address
        self.port = PORT
        words = ["--seed-ratio=0", "--check-integrity=true"] if seed else ["--seed-time=0"]
        dht_words = ["--enable-dht=false"]
        if crypto:
            words += ["--bt-require-crypto=true", f"--bt-min-crypto-level={crypto}"]
        if dht:
            dht_words = ["--enable-dht=true", f"--dht-listen-port={PORT}",
                         f"--dht-entry-point={dht}", f"--dht-file-path={folder / 'dht.dat'}"]
        super().__init__(["aria2c", "--no-conf", f"--dir={files}", f"--interface={address}",
                          f"--listen-port={PORT}", "--enable-dht6=false",
                          "--bt-enable-lpd=false", "--enable-peer-exchange=false",
                          "--file-allocation=none", "--summary-interval=1",
                          "--console-log-level=info", "--follow-torrent=mem",
                          *words, *dht_words, torrent], folder, "aria2")
        wait_for(lambda: is_listening(address, PORT) or not self.is_running(), "aria2 listens")

    @property
    def endpoint(self):
        return f"{self.address}:{self.port}"

    def wait_complete(self, seconds=45):
        code = self.wait(seconds)
        assert code == 0, self.log()[-3000:]
