# SPDX-License-Identifier: MIT
"""On the page: what is done to many torrents at once, by keys, by menus and dialogs."""
import json
import signal

import pytest
from daemons import daemons  # noqa: F401, a fixture
from page_test import NAME, add_small, ask, small
from peers import wait_for, write
from tracker_test import tracker  # noqa: F401, a fixture

MIB = 1 << 20


@pytest.fixture
def album(freshet, daemons, tmp_path):
    """A daemon that has the files already, and their torrent."""
    daemon = daemons()
    folder = daemon.folder / "downloads"
    write(folder / NAME / "one.mkv", 3 * MIB, 1)
    write(folder / NAME / "extras/two.mkv", MIB, 2)
    write(folder / NAME / "readme.txt", 2000, 3)
    made = tmp_path / "album.torrent"
    assert freshet("create", folder / NAME, "-o", made, "-l", "64K", "-a",
                   "http://127.0.0.1:9/announce").returncode == 0
    daemon.add(made)
    daemon.wait_complete()
    return daemon


def the_row(daemon):
    row, = ask(daemon, "GET", "/torrents")["rows"]
    return row


def test_labels_of_many_change_where_they_were_touched(daemons, browse, tmp_path):
    count = 260
    daemon = daemons()
    add_small(daemon, tmp_path, [f"torrent {number:04}" for number in range(count)])
    ids = sorted(ask(daemon, "GET", "/torrents?fields=id&limit=1000")["ids"])
    thirds = set(ids[::3])
    ask(daemon, "PATCH", "/torrents", {"ids": ids, "labels": ["everywhere"]})
    ask(daemon, "PATCH", "/torrents", {"ids": list(thirds), "labels": ["third", "everywhere"]})
    ask(daemon, "PATCH", f"/torrents/{ids[1]}", {"labels": ["everywhere", "a\u200fb"]})
    browse("labelsOfMany", daemon, count=count, thirds=len(thirds))
    rows = ask(daemon, "GET", "/torrents?limit=1000")["rows"]
    assert {row["id"]: row["labels"] for row in rows} == {
        number: ["third", "new"] if number in thirds else ["new"] for number in ids}


def test_a_range_is_all_that_lies_between(daemons, browse, tmp_path):
    daemon = daemons()
    names = [f"torrent {number:04}" for number in range(700)]
    add_small(daemon, tmp_path, names)
    browse("ranges", daemon, names=names)


def test_the_list_is_ordered_by_keys(daemons, browse, tmp_path):
    daemon = daemons()
    names = ["delta", "alpha", "charlie", "bravo"]
    add_small(daemon, tmp_path, names)
    browse("order", daemon, names=names)


def test_the_heads_of_the_list_sort_by_keys(daemons, browse, tmp_path):
    daemon = daemons()
    names = ["delta", "alpha", "charlie", "bravo"]
    add_small(daemon, tmp_path, names)
    browse("heads", daemon, names=names)


def test_places_in_the_queue_change(daemons, browse, tmp_path):
    daemon = daemons()
    add_small(daemon, tmp_path, "abcde")
    browse("queue", daemon, names=list("abcde"))
    rows = ask(daemon, "GET", "/torrents?sort=queue&order=asc")["rows"]
    assert [(row["queue"], row["name"]) for row in rows] == list(enumerate("ecbda"))


def test_files_have_priorities_by_keys(album, browse):
    number = the_row(album)["id"]
    browse("priorities", album, torrentName=NAME)

    def priorities():
        files = ask(album, "GET", f"/torrents/{number}/files")["files"]
        return {file["path"].rsplit("/", 1)[1]: file["priority"] for file in files}
    wait_for(lambda: priorities() == {"one.mkv": 7, "two.mkv": 0, "readme.txt": 4}, priorities)


def test_a_magnet_link_is_copied_without_a_clipboard(album, browse):
    browse("magnetCopied", album, torrentName=NAME, hash=the_row(album)["hash"])


def test_a_torrent_is_shared(album, browse):
    browse("shared", album, torrentName=NAME, hash=the_row(album)["hash"],
           tracker="http://127.0.0.1:9/announce")


def test_a_file_is_dropped(daemons, browse):
    daemon = daemons()
    browse("dropped", daemon, torrentName="dropped", bytes=list(small(1, "dropped")))
    assert the_row(daemon)["name"] == "dropped"


def links(names):
    return [f"magnet:?xt=urn:btih:{number + 1:040x}&dn={name}" for number, name in enumerate(names)]


def test_links_are_dropped(daemons, browse):
    daemon = daemons()
    names = ["alpha", "beta", "gamma"]
    browse("droppedWords", daemon, names=names, links=links(names))
    assert {row["name"] for row in ask(daemon, "GET", "/torrents")["rows"]} == set(names)


def test_links_are_pasted(daemons, browse):
    daemon = daemons()
    names = ["alpha", "beta", "gamma"]
    browse("pasted", daemon, names=names, links=links(names))
    assert {row["name"] for row in ask(daemon, "GET", "/torrents")["rows"]} == set(names)


def test_trackers_are_asked_at_once(daemons, tracker, browse, tmp_path):
    gone = tracker("--http", "127.0.0.1:0")
    listen = gone.ready["listen"]
    gone.kill()
    gone.wait()
    daemon = daemons()
    add_small(daemon, tmp_path, ["asked"])
    number = the_row(daemon)["id"]
    ask(daemon, "PATCH", f"/torrents/{number}", {"trackers": [[f"http://{listen}/announce"]]})
    ask(daemon, "POST", f"/torrents/{number}/start")
    browse("askedInVain", daemon, torrentName="asked", number=number)
    back = tracker("--http", listen)
    browse("askedAgain", daemon, torrentName="asked", number=number)
    back.send_signal(signal.SIGTERM)
    stats = json.loads(back.communicate(timeout=20)[0])
    assert (stats["announces"], stats["peers"]) == (1, 1)


def test_moved_renamed_and_checked_again(album, browse):
    folder = album.folder / "downloads"
    browse("moved", album, torrentName=NAME, to=folder / "else", renamed="Three others")
    got = folder / "else/Three others"
    wait_for((got / "one.mkv").exists, album.log)
    assert not (folder / NAME / "one.mkv").exists()
    wait_for(lambda: the_row(album)["complete"], album.log)
    with (got / "one.mkv").open("r+b") as file:
        file.write(bytes(2 * MIB))
    browse("checked", album, torrentName="Three others", share="50")
    assert not the_row(album)["complete"]


def test_stopped_and_started_by_key(daemons, browse, tmp_path):
    daemon = daemons()
    for name in ("one", "two"):
        path = tmp_path / f"{name}.torrent"
        path.write_bytes(small(1, name))
        daemon.add(path)
    browse("stopped", daemon, torrentName="one", other="two")
    rows = {row["name"]: row["running"] for row in ask(daemon, "GET", "/torrents")["rows"]}
    assert rows == {"one": False, "two": True}
