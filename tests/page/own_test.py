# SPDX-License-Identifier: MIT
"""On the page: what the daemon does by itself, its log, encryption and who is blocked."""
import html

import pytest
from daemons import daemons  # noqa: F401, a fixture
from feed_test import Web, magnet
from hostile import NAMES, Tracker
from page_test import add_small, ask, small
from peers import peers, wait_for, write  # noqa: F401, fixtures

MIB = 1 << 20


@pytest.fixture
def web():
    server = Web()
    yield server
    server.stop()


def things(web):
    return web.feed("/rss", magnet(0, "Ubuntu 24.04 amd64"), magnet(1, "ubuntu amd64 BETA"),
                    magnet(2, "Debian 12 amd64"))


def test_a_folder_is_watched_and_then_no_longer(daemons, browse):
    daemon = daemons()
    watched = daemon.folder / "downloads/drop & more"
    watched.mkdir(parents=True)
    (watched / "one.torrent").write_bytes(small(1, "dropped"))
    browse("folders", daemon, watched=watched, torrentName="dropped")
    row, = ask(daemon, "GET", "/torrents")["rows"]
    assert (row["running"], row["labels"]) == (False, ["one", "and, two"])
    assert (watched / "one.torrent.added").exists()
    assert ask(daemon, "GET", "/watch")["rules"] == []


def test_a_feed_is_read_its_items_seen_and_then_no_longer(daemons, browse, web):
    daemon = daemons()
    items = browse("feeds", daemon, feed=things(web))["items"]
    assert items == [["Ubuntu 24.04 amd64", "Taken"], ["ubuntu amd64 BETA", "No filter fits"],
                     ["Debian 12 amd64", "No filter fits"]]
    row, = ask(daemon, "GET", "/torrents")["rows"]
    assert (row["name"], row["running"]) == ("m0", False)
    assert ask(daemon, "GET", "/feeds")["rules"] == []


def test_the_log_is_followed(daemons, browse):
    daemon = daemons()
    browse("log", daemon, root=daemon.folder / "downloads")


def test_encryption_utp_and_the_blocklist_are_set(daemons, browse, web):
    web.pages["/list"] = b"some name:127.4.4.4-127.4.4.5\nother:2001:db8::-2001:db8::ff\n"
    daemon = daemons()
    browse("network", daemon, list=web.url)
    settings = ask(daemon, "GET", "/settings")
    assert (settings["encryption"], settings["utp"]) == ("require", False)
    assert (settings["blocklist_url"], settings["blocklist_enabled"]) == (web.url + "/list", True)


def test_a_torrent_has_goals_and_slots_of_its_own(daemons, browse, tmp_path):
    daemon = daemons()
    add_small(daemon, tmp_path, ["one", "two"])
    number, other = (next(row["id"] for row in ask(daemon, "GET", "/torrents")["rows"]
                          if row["name"] == name) for name in ("one", "two"))

    def wishes(number=number):
        detail = ask(daemon, "GET", f"/torrents/{number}")
        return [detail[name] for name in ("ratio_mode", "ratio_goal", "idle_mode", "idle_minutes", "seed_time",
                                          "upload_slots")]

    def transport():
        return ask(daemon, "GET", f"/torrents/{number}")["transport"]
    assert wishes()[0::2] == ["global", "global", None]
    browse("goals", daemon, torrentName="one")
    assert wishes() == ["own", 1.25, "own", 90, 1800, 7]
    assert transport() == "utp"
    others = wishes(other)
    browse("goalsOfMany", daemon, torrentName="one")
    assert [ask(daemon, "GET", f"/torrents/{each}")["peers_max"] for each in (number, other)] == [33, 33]
    assert wishes() == ["own", 1.25, "own", 90, 1800, 7]
    assert wishes(other) == others
    assert (transport(), ask(daemon, "GET", f"/torrents/{other}")["transport"]) == ("utp", "any")
    ask(daemon, "PATCH", f"/torrents/{number}", {"seed_time": 100})
    browse("noGoals", daemon, torrentName="one", number=number)
    assert wishes()[0::2] == ["unlimited", "unlimited", None]
    assert transport() == "any"


def test_peers_have_flags_of_encryption_and_utp(daemons, peers, freshet, browse, tmp_path):
    source = write(tmp_path / "from/f.bin", 3 * MIB)
    made = tmp_path / "f.torrent"
    assert freshet("create", source, "-o", made).returncode == 0
    daemon = daemons()
    daemon.add(made, download_dir=str(tmp_path / "from"))
    daemon.wait_complete()
    daemon.rpc("session-set", speed_limit_up=40, speed_limit_up_enabled=True)
    peers("get", made, "-o", tmp_path / "to", "--peer", daemon.endpoint, "--no-dht", "--no-lsd",
          "--encryption", "require", "--transport", "utp")
    wait_for(lambda: daemon.torrents("peers")[0]["peers"], daemon.log)
    browse("flags", daemon, torrentName="f.bin")


def test_hostile_feeds_folders_and_log_lines_run_nothing(daemons, browse, web, tmp_path):
    daemon = daemons()
    words = "<img src=x onerror=window.ran=1>"
    web.pages["/rss"] = ("<rss version='2.0'><channel><title>" + html.escape(NAMES[0]) + "</title>" + "".join(
        f"<item><title>{html.escape(name)}</title><guid>{number}</guid><link>magnet:?xt=urn:btih:"
        f"{number + 1:040x}</link></item>" for number, name in enumerate(NAMES)) + "</channel></rss>").encode()
    ask(daemon, "POST", "/feeds", {"url": web.url + "/rss", "include": ["no title has this"],
                                   "labels": [NAMES[1]]})
    folders = [name for name in NAMES if len(name.encode()) < 200][:24]
    for name in folders:
        ask(daemon, "POST", "/watch", {"path": f"{daemon.folder}/downloads/{name}", "labels": [name]})
    add_small(daemon, tmp_path, ["target"])
    tracker = Tracker(words + "\u202e told")
    try:
        number = ask(daemon, "GET", "/torrents")["rows"][0]["id"]
        ask(daemon, "PATCH", f"/torrents/{number}", {"trackers": [[tracker.url]]})
        ask(daemon, "POST", f"/torrents/{number}/start")
        wait_for(lambda: "tracker-error" in daemon.log(), daemon.torrents)
        shown = browse("hostileOwn", daemon, folders=len(folders), words=words)
    finally:
        tracker.stop()
    assert len(shown["items"]) == len(NAMES)
    for name in (NAMES[0], NAMES[1], NAMES[19]):
        assert name in shown["items"], shown["items"]
        assert any(folder.endswith(name) for folder in shown["folders"]), shown["folders"]


def test_all_of_it_on_a_phone(daemons, browse, web):
    daemon = daemons()
    ask(daemon, "POST", "/watch", {"path": f"{daemon.folder}/downloads/in", "labels": ["x"]})
    ask(daemon, "POST", "/feeds", {"url": things(web), "include": ["ubuntu"], "exclude": ["beta"]})
    browse("ownOnAPhone", daemon)
