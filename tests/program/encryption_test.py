# SPDX-License-Identifier: MIT
"""What a person sees of encryption: --encryption, the setting of a daemon, the flag of a peer."""
import pytest
from daemons import daemons  # noqa: F401
from openapi_test import Caller
from peers import peers, wait_for, write  # noqa: F401

MIB = 1 << 20


@pytest.fixture
def torrent(freshet, tmp_path):
    source = write(tmp_path / "from/f.bin", 3 * MIB + 5)
    path = tmp_path / "f.torrent"
    assert freshet("create", source, "-o", path).returncode == 0
    return path


def seed_of(daemon, torrent, tmp_path):
    """The daemon has it all."""
    daemon.add(torrent, download_dir=str(tmp_path / "from"))
    daemon.wait_complete()


def peers_of(daemon):
    return [peer for row in daemon.torrents("peers") for peer in row["peers"]]


def test_a_required_encryption_is_seen_in_the_lists_of_peers(daemons, peers, freshet, torrent,
                                                             tmp_path):
    daemon = daemons("--encryption", "require")
    seed_of(daemon, torrent, tmp_path)
    assert daemon.rpc("session-get")["encryption"] == "required"
    slow = ["-l", "100K", "--peer", daemon.endpoint, "--no-dht", "--no-lsd"]
    get = peers("get", torrent, "-o", tmp_path / "to", *slow, "--encryption", "prefer")
    wait_for(lambda: peers_of(daemon), get.log)
    peer, = peers_of(daemon)
    assert peer["isEncrypted"] and "E" in peer["flagStr"], peer
    number = daemon.torrents("id")[0]["id"]
    peer, = Caller(daemon)("GET", "/torrents/{id}/peers", number=number)["peers"]
    assert peer["encrypted"], peer
    shown = freshet("peers", "1", "--socket", daemon.socket)
    assert shown.returncode == 0, shown.stderr
    line = shown.stdout.splitlines()[1].split()
    assert any("E" in word and "I" in word for word in line), shown.stdout


def test_the_setting_holds_for_the_next_connection_and_is_kept(daemons, peers, torrent, tmp_path):
    daemon = daemons()
    seed_of(daemon, torrent, tmp_path)
    assert daemon.rpc("session-get")["encryption"] == "tolerated"
    daemon.rpc("session-set", encryption="required")
    clear = peers("get", torrent, "-o", tmp_path / "clear", "--peer", daemon.endpoint, "--no-dht",
                  "--no-lsd", "--encryption", "off", "--timeout", "5s")
    assert clear.wait() == 4, clear.log()
    hidden = peers("get", torrent, "-o", tmp_path / "hidden", "--peer", daemon.endpoint, "--no-dht",
                   "--no-lsd", "--encryption", "require")
    assert hidden.wait() == 0, hidden.log()
    turned = peers("get", torrent, "-o", tmp_path / "turned", "--peer", daemon.endpoint, "--no-dht",
                   "--no-lsd")
    assert turned.wait() == 0, turned.log()
    daemon.kill()
    daemon.start()
    assert daemon.rpc("session-get")["encryption"] == "required"
    daemon.rpc("session-set", encryption="tolerated")
    again = peers("get", torrent, "-o", tmp_path / "again", "--peer", daemon.endpoint, "--no-dht",
                  "--no-lsd")
    assert again.wait() == 0, again.log()


def test_the_command_line_is_stronger_than_what_was_kept(daemons):
    daemon = daemons()
    daemon.rpc("session-set", encryption="required")
    daemon.kill()
    daemon.words += ["--encryption", "prefer"]
    daemon.start()
    assert daemon.rpc("session-get")["encryption"] == "preferred"


def test_where_it_is_off_a_client_that_sends_its_settings_back_changes_nothing(daemons):
    daemon = daemons("--encryption", "off")
    settings = daemon.rpc("session-get")
    assert settings["encryption"] == "tolerated"
    daemon.rpc("session-set", encryption=settings["encryption"])
    refused = daemon.try_rpc("session-set", encryption="sometimes")
    assert "encryption" in refused["result"]
    daemon.kill()
    daemon.words = [word for word in daemon.words if word not in ("--encryption", "off")]
    daemon.start()
    assert daemon.rpc("session-get")["encryption"] == "tolerated"


def test_a_configuration_file_asks_for_it(freshet, tmp_path):
    folder = tmp_path / "config/freshet"
    folder.mkdir(parents=True)
    (folder / "config.ini").write_text("[get]\nencryption = require\n")
    shown = freshet("config", "show", "get", env={"XDG_CONFIG_HOME": str(tmp_path / "config"),
                                                  "HOME": str(tmp_path)})
    assert "get --encryption = require" in shown.stdout, shown.stdout + shown.stderr
