# SPDX-License-Identifier: MIT
"""The commands that drive a daemon: add, ls, info, files, set, limit, mv, rm, web, top ..."""
import http.client
import json
import os
import shlex
import signal
import subprocess
import time

from conftest import PROGRAM
from daemons import album, daemons, drive  # noqa: F401, fixtures
from peers import wait_for, write


def rows(drive):
    return json.loads(drive("ls", "--json"))


def with_peer(freshet, torrent, seed):
    magnet = freshet("show", torrent, "--magnet").stdout.strip()
    return f"{magnet}&x.pe={seed.events('ready')[0]['listen']}"


def wait_done(drive):
    wait_for(lambda: all(row["percent_done"] == 1 and row["metadata_percent_complete"] == 1
                         for row in rows(drive)), lambda: rows(drive))


def test_without_a_daemon_commands_say_so(freshet, tmp_path):
    result = freshet("ls", "--state", tmp_path)
    assert result.returncode == 4
    assert f"no daemon listens on {tmp_path}/freshet.sock" in result.stderr


def test_a_magnet_link_is_added_watched_and_complete(drive, album, freshet, tmp_path):
    torrent, content, seed = album
    drive("limit", "-l", "100K")
    assert drive("add", with_peer(freshet, torrent, seed), "-o", tmp_path / "there", "--label",
                 "music") == "1  album\n"
    wait_for(lambda: f"{seed.address}:" in drive("peers", "1"), "no peer is listed")
    peer = json.loads(drive("peers", "1", "--json"))[0]["peers"][0]
    assert peer["client_name"] != ""
    assert peer["progress"] == 1
    drive("limit", "-l", "0")
    wait_done(drive)
    for file in content.iterdir():
        assert (tmp_path / "there/album" / file.name).read_bytes() == file.read_bytes()
    table = drive("ls").splitlines()
    assert table[0].split() == ["ID", "done", "size", "down", "up", "left", "ratio", "state",
                                "name"]
    assert table[1].split()[:2] == ["1", "100%"]
    assert table[1].endswith("seeding  album")
    assert len(drive("ls", "--label", "film").splitlines()) == 1
    assert len(drive("ls", "--state-of", "seeding").splitlines()) == 2
    info = drive("info", "alb")
    assert "\nlabel       music\n" in info
    assert "\nhave        2.3 MiB of 2.3 MiB wanted, 2.3 MiB in all\n" in info
    assert f"\nfolder      {tmp_path}/there\n" in info


def test_a_file_is_added_stopped_with_chosen_files(drive, album):
    torrent, _, _ = album
    assert drive("add", torrent, "--stopped", "--only", "2.flac") == "1  album\n"
    assert drive("add", torrent) == "1  album (was there already)\n"
    assert rows(drive)[0]["status"] == 0
    assert rows(drive)[0]["size_when_done"] == 800_000
    listed = [line.split() for line in drive("files", "1").splitlines()[1:]]
    assert [(line[2], line[-1]) for line in listed] == [
        ("skip", "album/1.flac"), ("normal", "album/2.flac"), ("skip", "album/3.flac")]
    listed = [line.split() for line in drive("files", "1", "--want", "1", "--high", "1-2")
              .splitlines()[1:]]
    assert [line[2] for line in listed] == ["high", "high", "skip"]
    assert "no file has such a number" in drive("files", "1", "--skip", "9", code=2)


def test_files_of_a_hybrid_are_numbered_without_its_padding(drive, freshet, tmp_path):
    for number in range(1, 4):
        write(tmp_path / f"here/album/{number}.flac", 100_000, number)
    freshet("create", tmp_path / "here/album", "-o", tmp_path / "album.torrent", "-l", "64K")
    drive("add", tmp_path / "album.torrent", "--stopped", "--only", "2.flac")
    listed = [line.split() for line in drive("files", "1", "--want", "3").splitlines()[1:]]
    assert [(line[0], line[2], line[-1]) for line in listed] == [
        ("1", "skip", "album/1.flac"), ("2", "normal", "album/2.flac"),
        ("3", "normal", "album/3.flac")]


def test_torrents_are_called_by_number_name_or_hash(drive, album, freshet):
    torrent, _, _ = album
    drive("add", torrent, "--stopped")
    info_hash = json.loads(freshet("show", torrent, "--json").stdout)["info_hash_v1"]
    for name in ("1", "album", "al", info_hash, info_hash[:6].upper()):
        assert drive("info", name).startswith("ID          1\n")
    for name in ("2", "bum", info_hash[:5], "0"):
        assert "no torrent" in drive("info", name, code=3)


def test_settings_of_one_and_of_all(drive, album):
    torrent, _, _ = album
    drive("add", torrent, "--stopped")
    drive("set", "1", "-u", "500KB", "-l", "2MB", "--seed-ratio", "1.5", "--seed-idle", "90m",
          "--priority", "high", "--sequential", "on", "--label", "a", "--label", "b",
          "--transport", "utp", "--tracker-add", "http://127.0.0.1:1/announce")
    assert "\ntransport   utp\n" in drive("info", "1")
    assert json.loads(drive("info", "1", "--json"))[0]["transport"] == "utp"
    row = drive.daemon.torrents("uploadLimit", "uploadLimited", "downloadLimit", "seedRatioLimit",
                                "seedRatioMode", "seedIdleLimit", "seedIdleMode", "labels",
                                "bandwidthPriority", "trackers", "sequential_download")[0]
    assert (row["uploadLimit"], row["uploadLimited"], row["downloadLimit"]) == (500, True, 2000)
    assert (row["seedRatioLimit"], row["seedRatioMode"]) == (1.5, 1)
    assert (row["seedIdleLimit"], row["seedIdleMode"]) == (90, 1)
    assert (row["labels"], row["bandwidthPriority"]) == (["a", "b"], 1)
    assert [tracker["announce"] for tracker in row["trackers"]] == ["http://127.0.0.1:1/announce"]
    drive("set", "1", "--tracker-remove", "http://127.0.0.1:1/announce", "--label", "",
          "--seed-ratio", "never", "--transport", "any")
    assert "\ntransport" not in drive("info", "1")
    assert "pigeon" in drive("set", "1", "--transport", "pigeon", code=2)
    row = drive.daemon.torrents("labels", "trackers", "seedRatioMode")[0]
    assert row == {"labels": [], "trackers": [], "seedRatioMode": 2}
    assert drive("limit").splitlines()[0] == "down         no limit"
    assert "976.6 KiB/s" in drive("limit", "-l", "1MB").splitlines()[0]
    assert drive("limit", "--alternative", "on").splitlines()[2] == "alternative  on"


def test_a_torrent_has_its_own_slots_and_may_be_super_seeded(drive, album):
    drive("add", album[0], "--stopped")

    def detail():
        return json.loads(drive.daemon.get("/api/v1/torrents/1")[1])
    assert (detail()["super_seed"], detail()["upload_slots"]) == (False, 0)
    drive("set", "1", "--super-seeding", "on", "--upload-slots", "7", "--transport", "tcp")
    assert (detail()["super_seed"], detail()["upload_slots"], detail()["transport"]) == (
        True, 7, "tcp")
    drive("set", "1", "--upload-slots", "0")
    assert (detail()["super_seed"], detail()["upload_slots"]) == (True, 0)
    assert "1001" in drive("set", "1", "--upload-slots", "1001", code=2)
    assert "--super-seeding" in drive("set", "1", "--super-seeding", "yes", code=2)


def test_alternative_limits_come_by_the_week_and_queues_have_sizes(drive):
    lines = drive("limit", "--alternative-down", "2MB", "--alternative-up", "300KB", "--schedule",
                  "mon-fri,sun 8:00-17:30", "--downloads", "3", "--seeds", "20").splitlines()
    assert lines[3:] == ["  down       1.9 MiB/s", "  up         293.0 KiB/s",
                         "  schedule   mon-fri,sun 8:00-17:30", "downloads    3 at once",
                         "seeds        20 at once"]
    session = drive.daemon.rpc("session-get")
    assert {key: session[key] for key in session if key.startswith("alt-speed")} == {
        "alt-speed-down": 2000, "alt-speed-up": 300, "alt-speed-enabled":
        session["alt-speed-enabled"], "alt-speed-time-enabled": True, "alt-speed-time-day": 0x3f,
        "alt-speed-time-begin": 480, "alt-speed-time-end": 1050}
    assert (session["download-queue-size"], session["seed-queue-size"]) == (3, 20)
    lines = drive("limit", "--schedule", "off", "--downloads", "0", "--seeds", "0").splitlines()
    assert lines[5:] == ["  schedule   off", "downloads    no limit", "seeds        no limit"]
    for words in (("--schedule", "monday 8-9"), ("--alternative-up", "none"), ("--seeds", "-1")):
        assert words[0] in drive("limit", *words, code=2)


def test_folders_of_the_daemon_are_set_and_shown(drive, album, freshet, tmp_path):
    torrent, content, seed = album
    downloads = drive.daemon.folder / "downloads"
    assert drive("folders").splitlines() == [
        f"complete     {downloads}", "incomplete   where it goes in the end", "part suffix  off"]
    shown = drive("folders", "--incomplete", "half", "--complete", tmp_path / "done",
                  "--part-suffix", "on", cwd=tmp_path)
    assert shown.splitlines() == [f"complete     {tmp_path}/done", f"incomplete   {tmp_path}/half",
                                  "part suffix  on"]
    drive("add", with_peer(freshet, torrent, seed))
    there = tmp_path / "done/album/3.flac"
    wait_for(lambda: there.exists() and there.read_bytes() == (content / "3.flac").read_bytes(),
             lambda: drive("info", "1"))
    assert (tmp_path / "half").is_dir()
    told = json.loads(drive("folders", "--incomplete", "", "--part-suffix", "off", "--json"))
    assert (told["incomplete_dir_enabled"], told["rename_partial_files"]) == (False, False)
    assert told["download_dir"] == f"{tmp_path}/done"
    assert "off" in drive("folders").splitlines()[2]


def test_what_was_done_is_printed_as_json(drive, album, tmp_path):
    torrent, _, _ = album
    drive("add", torrent, "--stopped")
    row = rows(drive)[0]
    names = {key: row[key] for key in ("id", "name", "hash_string")}
    for words in (("start", "1"), ("stop", "album"), ("recheck", "1"), ("set", "1", "-u", "1M")):
        assert drive(*words) == ""
        assert json.loads(drive(*words, "--json")) == {"done": words[0], "torrents": [names]}
    named = {**names, "name": "record"}
    told = json.loads(drive("set", "1", "--name", "record", "--json"))
    assert told == {"done": "set", "torrents": [named]}
    wait_for(lambda: rows(drive)[0]["name"] == "record", "it keeps its name")
    told = json.loads(drive("mv", "1", tmp_path / "else", "--json"))
    assert told == {"done": "mv", "torrents": [named], "folder": str(tmp_path / "else"),
                    "moves_data": True}
    told = json.loads(drive("rm", "1", "--data", "--yes", "--json"))
    assert told == {"done": "rm", "torrents": [named], "deletes_data": True}
    assert json.loads(drive("shutdown", "--json")) == {"done": "shutdown", "torrents": []}
    assert "--json" in drive("top", "--json", code=2)


def test_files_of_a_magnet_link_are_chosen_before_any_comes(drive, album, freshet):
    torrent, content, seed = album
    link = with_peer(freshet, torrent, seed)
    assert "--choose" in drive("add", link, "-s", "1", code=2)
    assert "--choose" in drive("add", link, "--choose", "--stopped", code=2)
    drive("add", link, "--choose", "--label", "a")
    wait_for(lambda: rows(drive)[0]["status"] == 0 and rows(drive)[0]["size_when_done"] > 0,
             lambda: drive("info", "1"))
    assert (rows(drive)[0]["have_valid"], rows(drive)[0]["labels"]) == (0, ["a"])
    drive("files", "1", "--skip", "1-", "--want", "2")
    drive("start", "1")
    wait_done(drive)
    # Whole pieces come, with the ends of the others' files.
    assert 800_000 <= rows(drive)[0]["have_valid"] < 900_000
    there = drive.daemon.folder / "downloads/album"
    assert (there / "2.flac").read_bytes() == (content / "2.flac").read_bytes()
    assert not (there / "3.flac").exists()


def test_a_ratio_of_nothing_is_said_in_words(drive):
    drive("add", "magnet:?xt=urn:btih:" + "ab" * 20)
    assert "ratio none yet" in drive("info", "1")


def test_stop_start_recheck_move_and_remove(drive, album, freshet, tmp_path):
    torrent, content, seed = album
    drive("add", with_peer(freshet, torrent, seed))
    wait_done(drive)
    drive("stop", "1")
    wait_for(lambda: rows(drive)[0]["status"] == 0, "it runs on")
    drive("start", "1")
    wait_for(lambda: rows(drive)[0]["status"] == 6, "it does not seed")
    drive("recheck", "1")
    wait_for(lambda: rows(drive)[0]["status"] == 6 and rows(drive)[0]["percent_done"] == 1,
             "the check does not end")
    drive("mv", "1", tmp_path / "elsewhere")
    wait_for(lambda: (tmp_path / "elsewhere/album/3.flac").exists() and
             rows(drive)[0]["status"] == 6, "it does not move")
    assert (tmp_path / "elsewhere/album/3.flac").read_bytes() == \
        (content / "3.flac").read_bytes()
    (tmp_path / "elsewhere/album/mine.txt").write_text("not freshet's")
    assert "say --yes" in drive("rm", "1", "--data", code=2)
    assert len(rows(drive)) == 1
    drive("rm", "1", "--data", "--yes")
    wait_for(lambda: not rows(drive), "it stays")
    wait_for(lambda: sorted(path.name for path in (tmp_path / "elsewhere/album").iterdir()) ==
             ["mine.txt"], "files stay")


def test_rm_asks_on_a_terminal(drive, album, tmp_path):
    torrent, _, _ = album
    drive("add", torrent, "--stopped")
    for answer, left in (("n", 1), ("y", 0)):
        words = shlex.join([PROGRAM, "rm", "--socket", str(drive.daemon.socket), "1", "--data"])
        subprocess.run(["script", "-qec", words, "/dev/null"], input=f"{answer}\n", text=True,
                       capture_output=True, check=False, timeout=60)
        wait_for(lambda: len(rows(drive)) == left, lambda: rows(drive))


def test_web_prints_the_address_with_the_token(drive):
    address = drive("web", "--print").strip()
    assert address == f"http://{drive.daemon.ready['rpc']}/#token={drive.daemon.token}"


def test_where_the_page_is_is_told_on_the_unix_socket_only(drive):
    connection = http.client.HTTPConnection(drive.daemon.ready["rpc"], timeout=60)
    connection.request("GET", "/local",
                       headers={"Authorization": f"Bearer {drive.daemon.token}"})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (403, b"{}")
    connection.close()


def test_shutdown_ends_the_daemon_in_order(drive, album):
    drive("add", album[0], "--stopped")
    drive("shutdown")
    assert drive.daemon.process.wait(60) == 0
    drive.daemon.start()
    assert [row["name"] for row in rows(drive)] == ["album"]


class Screen:
    """A tmux session of its own server, which ends with the test."""

    def __init__(self, folder, words):
        self.tmux = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]
        subprocess.run([*self.tmux, "new-session", "-d", "-x", "100", "-y", "30",
                        shlex.join(map(str, words)) + "; echo ended with $?; sleep 60"],
                       check=True, timeout=30,
                       env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"})

    def text(self):
        return subprocess.run([*self.tmux, "capture-pane", "-p"], check=True, capture_output=True,
                              text=True, timeout=30).stdout

    def keys(self, *keys):
        subprocess.run([*self.tmux, "send-keys", *keys], check=True, timeout=30)

    def wait(self, words):
        wait_for(lambda: words in self.text(), lambda: f"no '{words}' in:\n{self.text()}")

    def end(self):
        subprocess.run([*self.tmux, "kill-server"], check=False, timeout=30)


def test_top_shows_torrents_and_takes_keys(drive, album, freshet, tmp_path):
    torrent, _, seed = album
    other = write(tmp_path / "here/other.bin", 100_000)
    freshet("create", other, "-o", tmp_path / "other.torrent")
    drive("add", with_peer(freshet, torrent, seed))
    drive("add", tmp_path / "other.torrent", "--stopped")
    wait_for(lambda: rows(drive)[0]["percent_done"] == 1, "no transfer")
    screen = Screen(tmp_path, [PROGRAM, "top", "--socket", drive.daemon.socket])
    try:
        screen.wait("2 torrents")
        screen.wait("100%")
        screen.wait("stopped        other.bin")
        screen.keys("Enter")
        screen.wait("pieces")
        screen.wait("█" * 90)
        screen.keys("s")
        wait_for(lambda: rows(drive)[0]["status"] == 0, "it runs on")
        screen.wait("stopped, 100%")
        screen.keys("Escape")
        screen.wait("arrows choose")
        screen.keys("Down", "x")
        screen.wait("remove other.bin?")
        screen.keys("n")
        time.sleep(0.5)
        assert len(rows(drive)) == 2
        screen.keys("x")
        screen.wait("remove other.bin?")
        screen.keys("y")
        screen.wait("1 torrent ")
        assert len(rows(drive)) == 1
        drive.daemon.kill(signal.SIGTERM)
        screen.wait("no daemon listens on")
        screen.wait("ended with 4")
    finally:
        screen.end()


def test_top_needs_a_terminal(drive):
    assert "needs a terminal" in drive("top", code=2)


def test_what_a_command_changes_is_said_each_time(drive, album, tmp_path):
    """A limit in the file or the environment is meant for `get`; asking for limits changes none."""
    torrent, _, _ = album
    drive("add", torrent, "--stopped")
    files = tmp_path / "config/freshet/config.ini"
    files.parent.mkdir(parents=True)
    files.write_text("down-limit = 1M\nup-limit = 2M\nyes = yes\ndata = yes\n")
    env = {"XDG_CONFIG_HOME": str(files.parents[1]), "FRESHET_UPLOAD_SLOTS": "3",
           "FRESHET_ALTERNATIVE_DOWN": "5K", "FRESHET_SEED_RATIO": "9"}
    before = drive.daemon.rpc("session-get")
    drive("limit", env=env)
    drive("set", "1", "--label", "x", env=env)
    after = drive.daemon.rpc("session-get")
    same = [key for key in before if "limit" in key or "alt" in key]
    assert len(same) > 6 and {key: before[key] for key in same} == {key: after[key] for key in same}
    row, = drive.daemon.torrents("labels", "downloadLimited", "uploadLimited", "seedRatioMode")
    assert row == {"labels": ["x"], "downloadLimited": False, "uploadLimited": False,
                   "seedRatioMode": 0}
    files.write_text("[rm]\ndata = yes\n")
    assert "is for the command line alone" in drive("rm", "1", env=env, code=2)
    files.write_text("data = yes\nyes = yes\n")
    kept = drive.daemon.folder / "downloads/album/1.flac"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(b"somebody's")
    drive("rm", "1", env=env)
    assert kept.read_bytes() == b"somebody's"
