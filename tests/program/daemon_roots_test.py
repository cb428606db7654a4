# SPDX-License-Identifier: MIT
"""Which folders may be used by who comes over TCP: the roots, which the command line alone gives."""
import json
import subprocess

import pytest
from daemon_test import Client
from daemons import UnixConnection, daemons  # noqa: F401, a fixture
from peers import write


class Folders:
    """The ways in which a folder is named over TCP."""

    def __init__(self, daemon):
        self.client, self.token = Client(daemon), daemon.token

    def api(self, method, path, body=None, token=None):
        answer = self.client.ask(method, "/api/v1" + path, body and json.dumps(body),
                                 token or self.token, X_Requested_With="test",
                                 Content_Type="application/json")
        return answer.status, json.loads(answer.body)

    def patch(self, folder, name="download_folder"):
        status, answer = self.api("PATCH", "/settings", {name: str(folder)})
        assert status in (200, 403), answer
        return status == 200

    def set(self, folder):
        answer = self.client.rpc(self.token, "session-set", **{"download-dir": str(folder)})
        return json.loads(answer.body)["result"] == "success"

    def fits(self, folder):
        said = self.patch(folder)
        assert self.set(folder) == said
        return said


def test_the_download_folder_can_be_left_and_come_back_to(daemons):
    daemon = daemons()
    folders, downloads = Folders(daemon), daemon.folder / "downloads"
    assert folders.patch(downloads / "films")
    assert folders.fits(downloads)
    assert folders.fits(downloads / "films/new")
    assert not folders.fits(daemon.folder)
    assert not folders.fits(f"{downloads}-too")
    # And over restarts.
    daemon.kill(15)
    daemon.start()
    folders = Folders(daemon)
    assert folders.fits(downloads)


def test_the_incomplete_folder_can_be_left_and_come_back_to(daemons):
    daemon = daemons()
    daemon.rpc("session-set", incomplete_dir=str(daemon.folder / "half"))
    daemon.kill(15)
    daemon.start()
    folders = Folders(daemon)
    assert folders.patch(daemon.folder / "half/new", "incomplete_folder")
    assert folders.patch(daemon.folder / "half", "incomplete_folder")
    assert not folders.patch(daemon.folder, "incomplete_folder")


def test_a_root_may_be_used_by_all_clients(daemons, freshet, tmp_path):
    other, link = tmp_path / "other", tmp_path / "link"
    (tmp_path / "elsewhere").mkdir()
    link.symlink_to(tmp_path / "elsewhere")
    daemon = daemons("--root", f"{other}/", "--root", link)
    folders = Folders(daemon)
    for folder in (other, f"{other}//tv", f"{other}/", link / "x", tmp_path / "elsewhere/y"):
        assert folders.fits(folder), folder
    for folder in (tmp_path, f"{other}s", f"{other}/../from", f"{other}//..//from", f"{other}/./x",
                   "/", "//", "/etc", "", "other"):
        if folder:
            assert not folders.fits(folder), folder
    # Moving, adding, looking how much room there is, watching.
    source = write(tmp_path / "from/f.bin", 100_000)
    assert freshet("create", source, "-o", tmp_path / "f.torrent").returncode == 0
    number = daemon.add(tmp_path / "f.torrent", paused=True)["id"]
    assert folders.api("POST", f"/torrents/{number}/move", {"folder": f"{other}/tv"})[0] == 200
    assert folders.api("POST", f"/torrents/{number}/move", {"folder": str(tmp_path)})[0] == 403
    other.mkdir(exist_ok=True)
    assert folders.api("GET", f"/free-space?folder={other}")[0] == 200
    assert folders.api("GET", f"/free-space?folder={tmp_path}")[0] == 403
    said = json.loads(folders.client.rpc(folders.token, "free-space", path=str(tmp_path)).body)
    assert str(other) in said["result"] and "--root" in said["result"], said


def test_the_refusal_says_which_roots_there_are_to_who_may_change(daemons, tmp_path):
    daemon = daemons("--root", tmp_path / "other")
    folders = Folders(daemon)
    status, said = folders.api("PATCH", "/settings", {"download_folder": "/etc"})
    assert status == 403
    assert str(tmp_path / "other") in said["error"] and "freshet daemon --root" in said["error"]
    assert str(daemon.folder / "downloads") in said["error"]
    status, said = folders.api("GET", "/free-space?folder=/etc", token=daemon.read_token)
    assert status == 403
    assert str(tmp_path) not in said["error"] and "freshet daemon --root" in said["error"]


def test_no_request_makes_a_root(daemons, tmp_path):
    daemon = daemons()
    folders = Folders(daemon)
    for name in ("roots", "root", "root_count"):
        assert folders.api("PATCH", "/settings", {name: [str(tmp_path)]})[0] == 400
        folders.client.rpc(folders.token, "session-set", **{name: [str(tmp_path)]})
    assert not folders.fits(tmp_path)
    daemon.kill(15)
    daemon.start()
    assert not Folders(daemon).fits(tmp_path)


def test_a_root_that_is_gone_from_the_command_line_is_none(daemons, tmp_path):
    daemon = daemons("--root", tmp_path / "other")
    assert Folders(daemon).fits(tmp_path / "other")
    assert Folders(daemon).fits(daemon.folder / "downloads")
    daemon.kill(15)
    del daemon.words[-2:]
    daemon.start()
    assert not Folders(daemon).fits(tmp_path / "other")


@pytest.mark.parametrize("way", ["environment", "file"])
def test_roots_come_from_the_environment_and_the_file_too(daemons, tmp_path, way):
    env = {"FRESHET_ROOT": str(tmp_path / "one")}
    if way == "file":
        path = tmp_path / "config/freshet/config.ini"
        path.parent.mkdir(parents=True)
        path.write_text(f"[daemon]\nroot = {tmp_path}/one\nroot = {tmp_path}/two\n")
        env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    folders = Folders(daemons(env=env))
    assert folders.fits(tmp_path / "one/x")
    assert folders.fits(tmp_path / "two/x") == (way == "file")


def test_a_local_user_goes_anywhere_and_what_he_sets_may_be_used(daemons, tmp_path):
    daemon = daemons()
    daemon.rpc("session-set", download_dir=str(tmp_path / "mine"))
    folders = Folders(daemon)
    assert folders.fits(tmp_path / "mine/x")
    assert not folders.fits(tmp_path)
    connection = UnixConnection(daemon.socket)
    connection.request("GET", "/local")
    roots = json.loads(connection.getresponse().read())["roots"]
    connection.close()
    assert roots == [str(daemon.folder / "downloads")]


def test_doctor_tells_the_roots(daemons, freshet, tmp_path):
    daemon = daemons("--root", tmp_path / "other")
    found = freshet("doctor", "--json", "--socket", daemon.socket)
    roots = next(one for one in json.loads(found.stdout) if one["check"] == "roots")
    assert str(tmp_path / "other") in roots["fact"] and roots["level"] == "ok"
    assert "--root" in roots["advice"]


def test_a_root_that_cannot_be_is_refused(daemons, tmp_path):
    daemon = daemons("--root", f"{tmp_path}/not/there/../x", begin=False)
    ended = subprocess.run(daemon.words, capture_output=True, text=True, env=daemon.env, timeout=60,
                           check=False)
    assert ended.returncode == 2 and "not/there" in ended.stderr, ended.stderr
