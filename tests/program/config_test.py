# SPDX-License-Identifier: MIT
"""What holds when nothing is typed: files, environment, and their order."""
import json

import pytest
from peers import Peer, write


@pytest.fixture
def config(tmp_path, freshet):
    """Runs freshet with these two files."""

    def run(*words, system=None, user=None, **env):
        for name, text in (("system", system), ("user", user)):
            if text is not None:
                path = tmp_path / name / "freshet/config.ini"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return freshet(*words, env={"XDG_CONFIG_DIRS": f"{tmp_path}/system:/nowhere",
                                    "XDG_CONFIG_HOME": str(tmp_path / "user"),
                                    "HOME": str(tmp_path), **env})

    return run


def lines(result):
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_nearer_goes_before_farther(config, tmp_path):
    shown = lines(config(
        "config", "show", "get", "--origin",
        system="down-limit = 1M\nup-limit = 1M\nno-pex = yes\n[get]\ntimeout = 5s\n",
        user="# mine\nup-limit = 2M\nno-pex = no\n[get]\ndown-limit = 3M\n[seed]\nup-limit = 9M\n",
        FRESHET_TIMEOUT="7s", FRESHET_NO_LSD="1", FRESHET_NO_PORTMAP="1"))
    assert shown == [
        f"get --up-limit = 2M  (user's file, {tmp_path}/user/freshet/config.ini:2)",
        f"get --no-pex = no  (user's file, {tmp_path}/user/freshet/config.ini:3)",
        f"get --down-limit = 3M  (user's file, {tmp_path}/user/freshet/config.ini:5)",
        "get --timeout = 7s  (environment, FRESHET_TIMEOUT)",
        "get --no-lsd = yes  (environment, FRESHET_NO_LSD)",
        "get --no-portmap = yes  (environment, FRESHET_NO_PORTMAP)",
    ]
    as_json = json.loads(config("config", "show", "seed", "--json").stdout)
    assert [row["value"] for row in as_json if row["option"] == "up-limit"] == ["9M"]


def test_repeatable_options_of_the_nearest_place_hold(config):
    user = "[create]\nannounce = http://a.example/announce\nannounce = http://b.example/announce\n"
    system = "[create]\nannounce = http://c.example/announce\n"
    shown = lines(config("config", "show", "create", system=system, user=user))
    assert shown == ["create --announce = http://a.example/announce",
                     "create --announce = http://b.example/announce"]


def test_files_act_and_the_command_line_has_the_last_word(config, tmp_path):
    content = write(tmp_path / "a.bin", 50_000)
    assert config("create", content, "-o", tmp_path / "a.torrent",
                  user="[create]\nv1 = yes\ncomment = from the file\n").returncode == 0
    told = json.loads(config("show", tmp_path / "a.torrent", "--json").stdout)
    assert told["comment"] == "from the file"
    assert "info_hash_v2" not in told
    config("create", content, "-o", tmp_path / "b.torrent", "-c", "typed", "--v2")
    told = json.loads(config("show", tmp_path / "b.torrent", "--json").stdout)
    assert (told["comment"], "info_hash_v1" in told) == ("typed", False)


@pytest.mark.parametrize("text, line, words", [
    ("[get]\nno-such = 1\n", 2, "get has no option 'no-such'"),
    ("[get\n", 1, "not understood"),
    ("just words\n", 1, "not understood"),
])
def test_what_is_wrong_is_said_with_its_line(config, tmp_path, text, line, words):
    result = config("get", "x.torrent", user=text)
    assert result.returncode == 2
    assert f"{tmp_path}/user/freshet/config.ini:{line}: {words}" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_value_that_makes_no_sense_is_refused(config):
    result = config("get", "x.torrent", user="[get]\ndown-limit = fast\n")
    assert result.returncode == 2
    assert "--down-limit wants a rate" in result.stderr


def test_keys_for_other_commands_are_no_error(config):
    assert config("version", user="comment = x\n[seed]\nup-limit = 1M\n").returncode == 0
    assert config("config", "show", "nothing").returncode == 2


def test_on_done_runs_without_a_shell(tmp_path, freshet):
    name = "a $(touch bad); b"
    content = write(tmp_path / "from" / name, 300_000)
    freshet("create", content, "-o", tmp_path / "t.torrent")
    seed = Peer(tmp_path, "seed", tmp_path / "t.torrent", "-o", content.parent, "--no-dht")
    script = tmp_path / "script"
    script.write_text('#!/bin/sh\nprintf "%s|%s|%s|%s" "$1" "$2" "$FRESHET_NAME" "$FRESHET_FOLDER"'
                      f' > "{tmp_path}/told"\n')
    script.chmod(0o755)
    try:
        seed.wait_event("ready")
        result = freshet("get", tmp_path / "t.torrent", "-o", tmp_path / "to", "--no-dht",
                         "--state", tmp_path / "s", "--listen", "127.0.0.1:0", "--peer",
                         seed.events("ready")[0]["listen"], "--on-done", f"{script} one")
        assert result.returncode == 0, result.stderr
        assert (tmp_path / "told").read_text() == \
            f"one|{tmp_path}/to/{name}|{name}|{tmp_path}/to"
        assert not list(tmp_path.rglob("bad"))
        result = freshet("get", tmp_path / "t.torrent", "-o", tmp_path / "to", "--no-dht",
                         "--state", tmp_path / "s", "--listen", "127.0.0.1:0", "--on-done",
                         "/bin/false")
        assert result.returncode == 1
        assert "--on-done /bin/false: ended with 1" in result.stderr
    finally:
        seed.process.terminate()
        seed.process.wait(30)


def test_a_strip_of_pieces_stands_below_the_bar(tmp_path, freshet):
    content = write(tmp_path / "from/film.bin", 20 * 65536)
    freshet("create", content, "-o", tmp_path / "t.torrent", "-l", "64K")
    env = {"LC_ALL": "C.UTF-8", "COLUMNS": "100"}
    result = freshet("seed", tmp_path / "t.torrent", "-o", content.parent, "--no-dht", "--state",
                     tmp_path / "s", "--listen", "127.0.0.1:0", "--seed-time", "1s", "--progress",
                     "bar", "-v", env=env)
    assert result.returncode == 0
    assert "\u2588" * 20 + "\n" in result.stdout
    result = freshet("seed", tmp_path / "t.torrent", "-o", content.parent, "--no-dht", "--state",
                     tmp_path / "s", "--listen", "127.0.0.1:0", "--seed-time", "1s", "--progress",
                     "plain", "-v", env=env)
    assert "\u2588" not in result.stdout
