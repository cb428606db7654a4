# SPDX-License-Identifier: MIT
"""One GiB by uTP and by encrypted streams, to and from each foreign client: too long for every test
run, since libtorrent's uTP takes minutes. Run by tools/soak.sh gigabyte."""
import hashlib
import random
import time

import freshet_client
import pytest
from tcp_witness import TcpWitness

MIB = 1 << 20
SIZE = 1024 * MIB
NAME = "gigabyte.bin"
LIMIT = 1800  # seconds: a hang ends
RPC_PORT = 9091
UTP = {"enable_incoming_utp": True, "enable_outgoing_utp": True}
UTP_ONLY = {**UTP, "enable_incoming_tcp": False, "enable_outgoing_tcp": False}
FORCED = {"in_enc_policy": 0, "out_enc_policy": 0, "allowed_enc_level": 2}
WAYS = {  # our words, libtorrent's settings, transmission's
    "utp": (["--transport", "utp"], UTP_ONLY, {"utp": True}),
    "rc4": (["--transport", "tcp", "--encryption", "require"], FORCED, {"encryption": "required"}),
    "utp-rc4": (["--transport", "utp", "--encryption", "require"], {**UTP_ONLY, **FORCED},
                {"utp": True, "encryption": "required"}),
}


def digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gigabyte")
    generator = random.Random(30)
    with (folder / NAME).open("wb") as file:
        for _ in range(SIZE // MIB):
            file.write(generator.randbytes(MIB))
    freshet_client.run("create", "--v1", "--no-date", "-l", "1M", "-o", folder / "made.torrent",
                       folder / NAME)
    return folder


@pytest.fixture
def witness():
    watching = TcpWitness(RPC_PORT)
    yield watching
    watching.close()


@pytest.fixture(params=WAYS)
def transfer(request, clients, source, tmp_path, witness):
    return Transfer(request.param, clients, source, tmp_path / "copy", witness)


class Transfer:
    """One way of one test: who seeds and who fetches is the test's."""

    def __init__(self, way, clients, source, copy, witness):
        self.way, self.clients, self.source, self.copy = way, clients, source, copy
        self.words, self.libtorrent, self.transmission = WAYS[way]
        self.torrent = source / "made.torrent"
        self._witness = witness
        self._began = None

    def begin(self):
        self._began = time.monotonic()

    def fetch_from(self, seed):
        """By us, from a foreign client."""
        seed.add(self.torrent, self.source, seed=True)
        self.begin()
        get = self.clients.freshet("get", self.torrent, "-o", self.copy, "--no-dht", *self.words,
                                   "--peer", seed.endpoint)
        assert get.wait(LIMIT) == 0, get.log()[-3000:]

    def seed(self, *peer):
        """By us, to a foreign client."""
        return self.clients.seeding(self.torrent, self.source, "--no-dht", *self.words, *peer)

    def check(self):
        print(f"{self.way}: {SIZE / MIB / (time.monotonic() - self._began):.1f} MiB/s")
        assert digest(self.copy / NAME) == digest(self.source / NAME)
        (self.copy / NAME).unlink()
        tcp = self._witness.payload_bytes()
        assert tcp == 0 if self.way.startswith("utp") else tcp > 0


def test_from_libtorrent(clients, transfer):
    transfer.fetch_from(clients.libtorrent(**transfer.libtorrent))
    transfer.check()


def test_to_libtorrent(clients, transfer):
    seed = transfer.seed()
    leech = clients.libtorrent(**transfer.libtorrent)
    transfer.begin()
    handle = leech.add(transfer.torrent, transfer.copy)
    leech.connect(handle, seed.endpoint)
    leech.wait_complete(handle, LIMIT)
    transfer.check()


def test_from_transmission(clients, transfer):
    transfer.fetch_from(clients.transmission(**transfer.transmission))
    transfer.check()


def test_to_transmission(clients, transfer):
    leech = clients.transmission(**transfer.transmission)
    transfer.begin()
    number = leech.add(transfer.torrent, transfer.copy)
    transfer.seed("--peer", leech.endpoint)
    leech.wait_complete(number, LIMIT)
    transfer.check()
