# SPDX-License-Identifier: MIT
"""The clients that are measured: how each is told to seed, get, verify and create."""
import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request

from bench_process import BenchError, Process, free_port, run_measured

HERE = os.path.dirname(os.path.abspath(__file__))


class Client:
    name = ""
    program = ""

    def __init__(self, folder, address):
        self.folder = folder  # for state and logs
        self.address = address
        os.makedirs(folder, exist_ok=True)

    def missing(self):
        return None if shutil.which(self.program) else f"{self.program} is not installed"

    def log(self):
        return os.path.join(self.folder, f"{self.name}.log")

    def fresh(self, name):
        path = os.path.join(self.folder, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    # seed: returns (process, port) once it answers. get: returns a process and a function that
    # says whether all has come. verify: a process and the same function. create: (s, CPU s).
    def seed(self, torrent, data):
        raise BenchError("cannot seed here")

    def get(self, torrent, data):
        raise BenchError("cannot get here")

    def verify(self, torrent, data):
        raise BenchError("cannot verify here")

    def create(self, path, output, piece_length, version, timeout):
        raise BenchError("cannot create that")

    def ended(self, process):
        """Done is when it ends by itself, with success."""
        def is_done():
            status = process.poll()
            if status:
                raise BenchError(f"{self.name} ended with {status}: {process.last_words()}")
            return status == 0
        return process, is_done


class Freshet(Client):
    name = "freshet"
    words = []

    def __init__(self, folder, address, program, transport="tcp"):
        super().__init__(folder, address)
        self.program = program
        self.transport = transport

    def missing(self):
        return None if os.access(self.program, os.X_OK) else "build/release/freshet is not built"

    def seed(self, torrent, data):
        port = free_port()
        state = self.fresh("seed-state")
        log = os.path.join(state, "log")
        process = Process([self.program, "seed", torrent, "-o", data, "--unchecked", "--listen",
                           f"{self.address}:{port}", "--no-lsd", "--transport", self.transport,
                           "--progress=json", "--state", state, *self.words], log)
        # A peer that comes before the torrent is open is sent away, and waits a minute.
        process.wait(30, lambda: '"checked"' in open(log, encoding="utf-8").read())
        return process, port

    def get(self, torrent, data):
        process = Process([self.program, "get", torrent, "-o", data, "--listen",
                           f"{self.address}:0", "--no-lsd", "--transport", self.transport,
                           "--progress=none", "--state", self.fresh("get-state"),
                           *self.words], self.log())
        return self.ended(process)

    def verify(self, torrent, data):
        return self.ended(Process([self.program, "verify", torrent, data], self.log()))

    def create(self, path, output, piece_length, version, timeout):
        return run_measured([self.program, "create", path, "-o", output, "-l", piece_length,
                             f"--{version}", "--no-date"], self.log(), timeout)


class FreshetRc4(Freshet):
    name = "freshet rc4"
    words = ["--encryption", "require"]


class Libtorrent(Client):
    name = "libtorrent"
    program = "python3"
    script = [sys.executable, os.path.join(HERE, "bench_libtorrent.py")]

    def __init__(self, folder, address, utp=False):
        super().__init__(folder, address)
        if utp:
            self.script = self.script + ["--utp"]

    def missing(self):
        try:
            run_measured([sys.executable, "-c", "import libtorrent"], self.log(), 20)
            return None
        except BenchError:
            return "python3-libtorrent is not installed"

    def seed(self, torrent, data):
        port = free_port()
        log = os.path.join(self.fresh("seed-state"), "log")
        process = Process(self.script + ["seed", torrent, data, port], log)
        process.wait(30, lambda: "ready" in open(log, encoding="utf-8").read())
        return process, port

    def get(self, torrent, data):
        return self.ended(Process(self.script + ["get", torrent, data, free_port()], self.log()))

    def verify(self, torrent, data):
        return self.ended(Process(self.script + ["verify", torrent, data, free_port()],
                                  self.log()))

    def create(self, path, output, piece_length, version, timeout):
        return run_measured(self.script + ["create", path, output, piece_length, version],
                            self.log(), timeout)



class LibtorrentRc4(Libtorrent):
    name = "libtorrent rc4"
    script = Libtorrent.script + ["--rc4"]


class Transmission(Client):
    name = "transmission"
    program = "transmission-daemon"

    def call(self, method, **arguments):
        body = json.dumps({"method": method, "arguments": arguments}).encode()
        for _ in range(3):
            request = urllib.request.Request(f"http://127.0.0.1:{self.rpc}/transmission/rpc", body,
                                             {"X-Transmission-Session-Id": self.session})
            try:
                with urllib.request.urlopen(request, timeout=10) as reply:
                    return json.load(reply)["arguments"]
            except urllib.error.HTTPError as error:
                if error.code != 409:
                    raise
                self.session = error.headers["X-Transmission-Session-Id"]
        raise BenchError("transmission refused the session")

    def answers(self):
        try:
            self.call("session-get")
            return True
        except OSError:
            return False

    def start(self, torrent, data, state):
        self.rpc, self.session, port = free_port(), "", free_port()
        state = self.fresh(state)
        settings = {
            "rpc-port": self.rpc, "rpc-bind-address": "127.0.0.1", "rpc-whitelist-enabled": False,
            "peer-port": port, "download-dir": data, "dht-enabled": False, "lpd-enabled": False,
            "pex-enabled": False, "utp-enabled": False, "port-forwarding-enabled": False,
            "encryption": 0, "preallocation": 0, "ratio-limit-enabled": False,
            "speed-limit-down-enabled": False, "speed-limit-up-enabled": False,
            "rename-partial-files": False,
        }
        with open(os.path.join(state, "settings.json"), "w", encoding="utf-8") as file:
            json.dump(settings, file)
        process = Process(["transmission-daemon", "-f", "-g", state], self.log())
        try:
            process.wait(30, self.answers)
            self.call("torrent-add", filename=torrent)
        except BaseException:
            process.stop()
            raise
        return process, port

    def facts(self):
        return self.call("torrent-get", fields=["percentDone", "status"])["torrents"][0]

    def is_seeding(self):
        facts = self.facts()
        return facts["percentDone"] == 1 and facts["status"] == 6

    def paced(self, question):
        """Asked at most a hundred times a second, so that asking costs the client little."""
        last = [0.0]

        def ask():
            if time.monotonic() - last[0] < 0.01:
                return False
            last[0] = time.monotonic()
            return question()
        return ask

    def seed(self, torrent, data):
        process, port = self.start(torrent, data, "seed-state")
        try:
            process.wait(300, self.paced(self.is_seeding))
        except BaseException:
            process.stop()
            raise
        return process, port

    def get(self, torrent, data):
        process, _ = self.start(torrent, data, "get-state")
        return process, self.paced(lambda: self.facts()["percentDone"] == 1)

    def verify(self, torrent, data):
        process, _ = self.seed(torrent, data)
        self.call("torrent-verify", ids=[1])
        seen = [False]

        def is_done():
            checking = self.facts()["status"] in (1, 2)
            seen[0] = seen[0] or checking
            return seen[0] and not checking
        return process, self.paced(is_done)

    def create(self, path, output, piece_length, version, timeout):
        if version != "v1":
            raise BenchError("transmission knows v1 only")
        return run_measured(["transmission-create", "-s", int(piece_length) // 1024, "-o", output,
                             path], self.log(), timeout)


class Aria2(Client):
    name = "aria2"
    program = "aria2c"
    quiet = ["aria2c", "--no-conf", "--enable-dht=false", "--bt-enable-lpd=false",
             "--enable-peer-exchange=false", "--file-allocation=none", "--summary-interval=0",
             "--console-log-level=error", "--allow-overwrite=true", "--bt-save-metadata=false"]

    def seed(self, torrent, data):
        port = free_port()
        process = Process(self.quiet + [f"--listen-port={port}", f"--dir={data}",
                                        "--bt-seed-unverified=true", "--seed-ratio=0.0", torrent],
                          self.log())
        time.sleep(1)  # it does not say when it listens
        return process, port

    def get(self, torrent, data):
        return self.ended(Process(self.quiet + [f"--listen-port={free_port()}", f"--dir={data}",
                                                "--seed-time=0", torrent], self.log()))

    def verify(self, torrent, data):
        return self.ended(Process(self.quiet + [f"--listen-port={free_port()}", f"--dir={data}",
                                                "--check-integrity=true", "--seed-time=0",
                                                "--bt-hash-check-seed=true", torrent], self.log()))


class Rtorrent(Client):
    name = "rtorrent"
    program = "rtorrent"

    def start(self, torrent, data, state, event):
        state, port = self.fresh(state), free_port()
        done = os.path.join(state, "done")
        settings = os.path.join(state, "rtorrent.rc")
        with open(settings, "w", encoding="utf-8") as file:
            file.write(f"""system.daemon.set = true
directory.default.set = "{data}"
session.path.set = "{state}"
network.port_range.set = {port}-{port}
network.port_random.set = no
dht.mode.set = disable
protocol.pex.set = no
protocol.encryption.set = none
pieces.hash.on_completion.set = no
method.set_key = event.download.{event},bench,"execute2={{touch,{done}}}"
load.start = "{torrent}"
""")
        process = Process(["rtorrent", "-n", "-o", f"import={settings}"], self.log(), cwd=state)
        return process, port, lambda: os.path.exists(done)

    def seed(self, torrent, data):
        process, port, is_done = self.start(torrent, data, "seed-state", "hash_done")
        try:
            process.wait(300, is_done)
        except BaseException:
            process.stop()
            raise
        return process, port

    def get(self, torrent, data):
        process, _, is_done = self.start(torrent, data, "get-state", "finished")
        return process, is_done

    def verify(self, torrent, data):
        process, _, is_done = self.start(torrent, data, "verify-state", "hash_done")
        return process, is_done


class Mktorrent(Client):
    name = "mktorrent"
    program = "mktorrent"

    def create(self, path, output, piece_length, version, timeout):
        if version != "v1":
            raise BenchError("mktorrent knows v1 only")
        power = int(piece_length).bit_length() - 1
        return run_measured(["mktorrent", "-l", power, "-d", "-o", output, path], self.log(),
                            timeout)
