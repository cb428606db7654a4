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


def check(folder, source, way, witness, began):
    print(f"{way}: {SIZE / MIB / (time.monotonic() - began):.1f} MiB/s")
    assert digest(folder / NAME) == digest(source / NAME)
    (folder / NAME).unlink()
    tcp = witness.payload_bytes()
    assert tcp == 0 if way.startswith("utp") else tcp > 0


@pytest.mark.parametrize("way", WAYS)
def test_from_libtorrent(clients, source, tmp_path, witness, way):
    words, settings, _ = WAYS[way]
    seed = clients.libtorrent(**settings)
    seed.add(source / "made.torrent", source, seed=True)
    began = time.monotonic()
    get = clients.freshet("get", source / "made.torrent", "-o", tmp_path / "copy", "--no-dht",
                          *words, "--peer", seed.endpoint)
    assert get.wait(LIMIT) == 0, get.log()[-3000:]
    check(tmp_path / "copy", source, way, witness, began)


@pytest.mark.parametrize("way", WAYS)
def test_to_libtorrent(clients, source, tmp_path, witness, way):
    words, settings, _ = WAYS[way]
    seed = clients.seeding(source / "made.torrent", source, "--no-dht", *words)
    leech = clients.libtorrent(**settings)
    began = time.monotonic()
    handle = leech.add(source / "made.torrent", tmp_path / "copy")
    leech.connect(handle, seed.endpoint)
    leech.wait_complete(handle, LIMIT)
    check(tmp_path / "copy", source, way, witness, began)


@pytest.mark.parametrize("way", WAYS)
def test_from_transmission(clients, source, tmp_path, witness, way):
    words, _, options = WAYS[way]
    seed = clients.transmission(**options)
    seed.add(source / "made.torrent", source, seed=True)
    began = time.monotonic()
    get = clients.freshet("get", source / "made.torrent", "-o", tmp_path / "copy", "--no-dht",
                          *words, "--peer", seed.endpoint)
    assert get.wait(LIMIT) == 0, get.log()[-3000:]
    check(tmp_path / "copy", source, way, witness, began)


@pytest.mark.parametrize("way", WAYS)
def test_to_transmission(clients, source, tmp_path, witness, way):
    words, _, options = WAYS[way]
    leech = clients.transmission(**options)
    began = time.monotonic()
    number = leech.add(source / "made.torrent", tmp_path / "copy")
    clients.seeding(source / "made.torrent", source, "--no-dht", *words, "--peer", leech.endpoint)
    leech.wait_complete(number, LIMIT)
    check(tmp_path / "copy", source, way, witness, began)
