# SPDX-License-Identifier: MIT
"""Opened by a desktop: the installed entry is taken for torrents and magnet links, adds them to the
daemon that runs or to one that it starts, and shows the page."""
import json
import os
import socket
import subprocess
import time

import pytest
from conftest import ROOT
from daemons import daemons  # noqa: F401  pylint: disable=unused-import
from peers import wait_for, write

TYPES = ["application/x-bittorrent", "x-scheme-handler/magnet"]
MAGNET = "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=some%20name"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    # All that is installed, though nothing but the program was built before.
    subprocess.run(["cmake", "--build", ROOT / "build/release", "--", "freshet", "libfreshet",
                    "generated"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([ROOT / "tools/install_files.sh", folder, "/usr"], check=True, timeout=300,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["update-desktop-database", folder / "usr/share/applications"], check=True)
    return folder / "usr"


@pytest.fixture
def torrent(freshet, tmp_path):
    write(tmp_path / "from/f.bin", 100000)
    path = tmp_path / "a name with spaces & signs.torrent"
    result = freshet("create", tmp_path / "from/f.bin", "-o", path, "--no-date")
    assert result.returncode == 0, result.stderr
    return path


class Desktop:
    """A session of nobody's: its own folders, and a browser that only notes what it is to show."""

    def __init__(self, installed, folder):
        tools = folder / "tools"
        tools.mkdir()
        self.shown = folder / "shown"
        (tools / "xdg-open").write_text(f'#!/bin/sh\necho "$1" >>"{self.shown}"\n')
        (tools / "xdg-open").chmod(0o755)
        self.entry = installed / "share/applications/freshet.desktop"
        self.run_folder = folder / "r"
        self.run_folder.mkdir(mode=0o700)
        self.env = {**os.environ, "HOME": str(folder), "PATH":
                    f"{installed}/bin:{tools}:{os.environ['PATH']}",
                    "XDG_DATA_DIRS": f"{installed}/share:/usr/share",
                    "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config"),
                    "XDG_STATE_HOME": str(folder / "state"),
                    "XDG_RUNTIME_DIR": str(self.run_folder), "FRESHET_RPC": "127.0.0.1:0",
                    "FRESHET_LISTEN": "127.5.5.5:0", "FRESHET_NO_DHT": "1",
                    "FRESHET_DOWNLOAD_DIR": str(folder / "downloads")}
        self.errors = folder / "errors"

    def run(self, *words, check=True):
        """What it prints. Errors go to a file, which a daemon that it starts keeps open."""
        with self.errors.open("ab") as errors:
            result = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True,
                                    stderr=errors, stdin=subprocess.DEVNULL, env=self.env,
                                    timeout=60, check=False)
        assert not check or result.returncode == 0, self.errors.read_text()
        return result.stdout

    def pages(self):
        return self.shown.read_text().splitlines() if self.shown.exists() else []

    def torrents(self):
        return json.loads(self.run("freshet", "ls", "--json"))

    def launch(self, *what):
        """As a click in a file manager; it does not wait for what it starts."""
        before = len(self.pages())
        self.run("gio", "launch", self.entry, *what)
        wait_for(lambda: len(self.pages()) > before, self.errors.read_text)


@pytest.fixture
def desktop(installed, tmp_path):
    made = Desktop(installed, tmp_path)
    yield made
    made.run("freshet", "shutdown", check=False)
    lock = tmp_path / "state/freshet/daemon.lock"
    end = time.monotonic() + 30
    while lock.exists() and subprocess.run(["flock", "-n", lock, "true"], check=False).returncode:
        assert time.monotonic() < end, "the daemon goes on"
        time.sleep(0.05)


@pytest.mark.parametrize("mime", TYPES)
def test_the_entry_is_taken_for_its_types(desktop, mime):
    assert "freshet.desktop" in desktop.run("gio", "mime", mime)
    desktop.run("xdg-mime", "default", "freshet.desktop", mime)
    assert desktop.run("xdg-mime", "query", "default", mime).strip() == "freshet.desktop"


def test_a_torrent_file_is_of_that_type(desktop, torrent):
    assert TYPES[0] in desktop.run("gio", "info", "-a", "standard::content-type", torrent)


def test_opening_starts_a_daemon_once_and_shows_its_page(desktop, torrent):
    desktop.launch(torrent)
    assert [row["name"] for row in desktop.torrents()] == ["f.bin"]
    where = json.loads(desktop.run("freshet", "web", "--json"))
    page = f"http://{where['rpc']}/#token={where['token']}"
    assert desktop.pages() == [page]
    # The second time it is there: the same daemon takes it, the same page is shown.
    desktop.launch(MAGNET)
    assert sorted(row["name"] for row in desktop.torrents()) == ["f.bin", "some name"]
    assert desktop.pages() == [page, page]
    # From the menu, nothing is added.
    desktop.launch()
    assert len(desktop.torrents()) == 2
    assert desktop.pages() == [page, page, page]


def test_a_daemon_is_started_though_the_usual_port_is_taken(desktop, torrent):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        desktop.env["FRESHET_RPC"] = f"127.0.0.1:{other.getsockname()[1]}"
        desktop.run("freshet", "add", "--start-daemon", torrent)
        where = json.loads(desktop.run("freshet", "web", "--json"))
        assert where["rpc"].startswith("127.0.0.1:") and where["rpc"] != desktop.env["FRESHET_RPC"]
    assert [row["name"] for row in desktop.torrents()] == ["f.bin"]


def test_a_daemon_that_cannot_start_is_said(freshet, tmp_path, torrent):
    (tmp_path / "state").write_text("in the way")
    result = freshet("add", "--start-daemon", "--state", tmp_path / "state", torrent)
    assert result.returncode == 6
    assert "no daemon could be started" in result.stderr


def test_a_running_daemon_is_used(freshet, daemons, torrent, tmp_path):
    daemon = daemons()
    for operand in (torrent, f"file://{torrent}".replace(" ", "%20").replace("&", "%26"),
                    f"file://localhost{torrent}".replace(" ", "%20")):
        result = freshet("add", "--start-daemon", "--socket", daemon.socket, operand)
        assert result.returncode == 0, result.stderr
    assert len(daemon.torrents()) == 1
    assert freshet("add", "--socket", daemon.socket).returncode == 2
    for wrong in (f"file://elsewhere{torrent}", f"file://{tmp_path}/%zz", f"file://{tmp_path}/%0",
                  f"file://{tmp_path}/%00"):
        assert freshet("add", "--socket", daemon.socket, wrong).returncode == 3, wrong
