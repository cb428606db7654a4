# SPDX-License-Identifier: MIT
"""Fixtures: the network, the payload, and clients that end with their test."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import network  # noqa: E402  pylint: disable=wrong-import-position

network.enter()  # before libtorrent starts threads

# pylint: disable=wrong-import-position
import freshet_client  # noqa: E402
import payload  # noqa: E402
from aria2_client import Aria2  # noqa: E402
from freshet_client import Freshet  # noqa: E402
from libtorrent_client import FEW_ALERTS, Libtorrent  # noqa: E402
from opentracker_server import Opentracker  # noqa: E402
from transmission_client import Transmission  # noqa: E402


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """The folder that holds the payload; nobody writes there."""
    folder = tmp_path_factory.mktemp("source")
    payload.make(folder)
    return folder


@pytest.fixture(scope="session")
def made(source, tmp_path_factory):
    """Torrents of the payload by version, made by freshet."""
    folder = tmp_path_factory.mktemp("made")
    paths = {}
    for version in payload.VERSIONS:
        paths[version] = folder / f"{version}.torrent"
        freshet_client.run("create", f"--{version}", "--no-date", "-l", "256K", "-o",
                           paths[version], source / payload.NAME)
    return paths


class Clients:
    """Starts clients, each with its own address and folder, and ends them all."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def new_folder(self, name):
        folder = self.folder / f"{len(self.running)}-{name}"
        folder.mkdir(parents=True)
        return folder

    def keep(self, client):
        self.running.append(client)
        return client

    def freshet(self, command, *words, family=4):
        return self.keep(Freshet(self.new_folder("freshet"), network.new_address(family), command,
                                 *words))

    def seeding(self, torrent, source, *words):
        """A freshet that has the payload and says so."""
        seed = self.freshet("seed", torrent, "-o", source, *words)
        seed.wait_phase("seeding")
        return seed

    def neighbour(self, command, *words):
        """A freshet that looks for peers in the local network."""
        return self.keep(Freshet(self.new_folder("freshet"), network.new_lan_address(), command,
                                 *words, lsd=True))

    def tracker(self, *words):
        """freshet tracker with HTTP and UDP on port 6969 of an address of its own."""
        address = network.new_address()
        server = self.keep(Freshet(self.new_folder("tracker"), address, "tracker", "--http",
                                   f"{address}:6969", "--udp", f"{address}:6969", *words))
        server.wait_event("ready")
        server.http = f"http://{address}:6969/announce"
        server.udp = f"udp://{address}:6969/announce"
        return server

    def libtorrent(self, family=4, **settings):
        return self.keep(Libtorrent(network.new_address(family), **settings))

    def libtorrent_neighbour(self):
        return self.keep(Libtorrent(network.new_lan_address(), enable_lsd=True,
                                    alert_mask=FEW_ALERTS))

    def transmission(self, **options):
        return self.keep(Transmission(self.new_folder("transmission"), network.new_address(),
                                      **options))

    def aria2(self, torrent, files, seed=False, **options):
        return self.keep(Aria2(self.new_folder("aria2"), network.new_address(), torrent, files,
                               seed, **options))

    def opentracker(self, *info_hashes):
        return self.keep(Opentracker(self.new_folder("opentracker"), network.new_address(),
                                     info_hashes))

    def stop(self):
        for client in reversed(self.running):
            client.stop()


@pytest.fixture
def clients(tmp_path):
    started = Clients(tmp_path)
    yield started
    started.stop()
