# SPDX-License-Identifier: MIT
"""What a person does on the page, in Chromium, while bytes really move."""
import base64
import hashlib
import json
import os
import tempfile
import threading
import urllib.request
from pathlib import Path

import pytest
from daemons import daemons  # noqa: F401, a fixture
from hostile import NAMES, Peer, Tracker, bencode, torrent
from peers import peers, wait_for, write  # noqa: F401, fixtures

MIB = 1 << 20
NAME = "Three films"


@pytest.fixture
def films(freshet, peers, tmp_path):
    """A torrent of several files and a peer that has it."""
    source = tmp_path / "from" / NAME
    write(source / "one.mkv", 3 * MIB, 1)
    write(source / "extras/two.mkv", 2 * MIB, 2)
    write(source / "readme.txt", 2000, 3)
    made = tmp_path / "films.torrent"
    assert freshet("create", source, "-o", made, "-l", "64K").returncode == 0
    return made, source, peers("seed", made, "-o", source.parent)


def same(one, other):
    return one.read_bytes() == other.read_bytes()


def ask(daemon, method, path, body=None, token=None):
    """Over TCP, as the page asks."""
    request = urllib.request.Request(
        f"http://{daemon.ready['rpc']}/api/v1{path}", method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token or daemon.token}", "X-Requested-With": "test",
                 "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def small(number, name):
    """A torrent that nobody has."""
    info = {"name": name, "piece length": 16384, "length": 10000 + number,
            "pieces": hashlib.sha1(name.encode()).digest()}
    return bencode({"info": info})


def add_small(daemon, tmp_path, names):
    for number, name in enumerate(names):
        path = tmp_path / f"small-{number}.torrent"
        path.write_bytes(small(number, name))
        daemon.add(path, paused=True)


def test_the_token_opens_the_page(daemons, browse, tmp_path):
    daemon = daemons()
    add_small(daemon, tmp_path, ["alone"])
    browse("login", daemon, torrentName="alone", readToken=daemon.read_token)
    assert len(daemon.torrents()) == 1


def test_a_magnet_link_is_added_its_files_chosen_and_it_finishes(daemons, films, freshet, browse):
    made, source, seed = films
    daemon = daemons("--peer", seed.endpoint)
    browse("magnet", daemon, magnet=freshet("show", made, "--magnet").stdout.strip(),
           torrentName=NAME, skipped="two.mkv")
    got = daemon.folder / "downloads" / NAME
    assert same(got / "one.mkv", source / "one.mkv")
    assert same(got / "readme.txt", source / "readme.txt")
    assert not (got / "extras/two.mkv").exists()


def test_a_file_is_added_and_finishes(daemons, films, browse):
    made, source, seed = films
    daemon = daemons("--peer", seed.endpoint)
    browse("file", daemon, torrent=made, torrentName=NAME, skipped="one.mkv")
    got = daemon.folder / "downloads" / NAME
    assert same(got / "extras/two.mkv", source / "extras/two.mkv")
    assert not (got / "one.mkv").exists()


def test_a_transfer_is_watched_and_its_limit_lifted(daemons, films, browse):
    made, source, seed = films
    daemon = daemons("--peer", seed.endpoint)
    tracker = Tracker("the tracker's own words")
    try:
        number = daemon.add(made, paused=True)["id"]
        ask(daemon, "PATCH", f"/torrents/{number}",
            {"download_limited": True, "download_limit": 40000, "trackers": [[tracker.url]]})
        ask(daemon, "POST", f"/torrents/{number}/start")
        browse("watch", daemon, torrentName=NAME, peer=seed.endpoint.rsplit(":", 1)[0],
               trackerWords="the tracker's own words")
    finally:
        tracker.stop()
    assert same(daemon.folder / "downloads" / NAME / "one.mkv", source / "one.mkv")


def test_labels_search_and_order(daemons, browse, tmp_path):
    daemon = daemons()
    names = ["beta", "Alpha one", "gamma 10", "gamma 9", "alpha two"]
    add_small(daemon, tmp_path, names)
    browse("labels", daemon, names=names, sorted=sorted(names, key=str.lower))
    rows = ask(daemon, "GET", "/torrents?label=first+letters&sort=name")["rows"]
    assert [row["name"] for row in rows] == ["Alpha one", "alpha two"]


def test_everything_goes_by_keys(daemons, browse, tmp_path):
    daemon = daemons()
    names = ["one", "two", "three", "four"]
    add_small(daemon, tmp_path, names)
    removed = browse("keyboard", daemon, names=names)["removed"]
    assert {row["name"] for row in daemon.torrents()} == set(names) - {removed}


def test_removed_with_and_without_data(daemons, films, freshet, peers, browse, tmp_path):
    made, source, seed = films
    other = write(tmp_path / "from/single.bin", MIB, 5)
    assert freshet("create", other, "-o", tmp_path / "single.torrent").returncode == 0
    second = peers("seed", tmp_path / "single.torrent", "-o", other.parent)
    daemon = daemons("--peer", seed.endpoint, "--peer", second.endpoint)
    daemon.add(made)
    daemon.add(tmp_path / "single.torrent")
    daemon.wait_complete(2)
    stranger = write(daemon.folder / "downloads" / NAME / "mine.txt", 10)
    browse("remove", daemon, kept="single.bin", deleted=NAME)
    got = daemon.folder / "downloads"
    assert same(got / "single.bin", other)
    wait_for(lambda: not (got / NAME / "one.mkv").exists(), "the files are still there")
    assert stranger.exists(), "a file that freshet did not make is gone"
    assert daemon.torrents() == []


def test_settings_are_changed(daemons, browse):
    daemon = daemons()
    browse("settings", daemon)
    settings = ask(daemon, "GET", "/settings")
    assert settings["upload_limited"] and settings["upload_limit"] == 2621440
    assert settings["download_queue"] == 3
    assert settings["alt_enabled"]


def add_hostile(daemon, tmp_path):
    for number, name in enumerate(NAMES):
        path = tmp_path / f"{number}.torrent"
        path.write_bytes(torrent(name, "http://127.0.0.1:1"))
        added = daemon.add(path, paused=True)
        ask(daemon, "PATCH", f"/torrents/{added['id']}", {"labels": [name.encode()[:60].decode(errors="ignore")]})
    assert len(daemon.torrents()) == 40


def test_dialogs_with_hostile_names_run_nothing(daemons, browse, tmp_path):
    daemon = daemons()
    add_hostile(daemon, tmp_path)
    # Of the list, which begins with the newest, and of those that are to be added.
    looked = [2, 17, 24, 29, 31, 37, 39]
    files = [{"name": name + ".torrent", "data": base64.b64encode(torrent("2" + name, "http://127.0.0.1:1")).decode()}
             for name in (NAMES[at] for at in (0, 1, 3, 5, 10, 26, 32))]
    browse("hostileDialogs", daemon, timeout=500, count=40, looked=looked, files=files,
           words="<img src=y onerror=window.ran=1> new")
    assert len(daemon.torrents()) == 40 + len(files)


def test_forty_hostile_names_run_nothing(daemons, browse, tmp_path):
    daemon = daemons()
    add_hostile(daemon, tmp_path)
    shown = browse("hostile", daemon, timeout=500, count=40, looked=[0, 5, 9, 20, 33, 38])["shown"]
    assert len(shown) == len({row["name"] for row in daemon.torrents()})
    joined = "\n".join(shown)
    # A slash is no part of a name; the rest is shown as it is, and turned around by nothing.
    for part in ("<script>window.ran=1<", "<img src=x onerror=window.ran=1>", "{{constructor.constructor"):
        assert part in joined, joined
    assert not any(mark in joined for mark in "\u202e\u2066\u2069\u200f")


def test_what_a_hostile_peer_and_tracker_say_runs_nothing(daemons, browse, tmp_path):
    words = "<img src=x onerror=window.ran=1>\u202e told"
    client = "<svg onload=window.ran=1>"
    daemon = daemons()
    tracker = Tracker(words)
    data = small(1, "target")
    info_hash = hashlib.sha1(data[data.index(b"4:info") + 6:-1]).digest()
    (tmp_path / "t.torrent").write_bytes(data)
    peer = None
    try:
        number = daemon.add(tmp_path / "t.torrent")["id"]
        ask(daemon, "PATCH", f"/torrents/{number}", {"trackers": [[tracker.url]]})
        # It is announced, so the engine has it: a peer that came before would be sent away.
        wait_for(lambda: "tracker-error" in daemon.log(), daemon.torrents)
        peer = Peer(daemon.endpoint, info_hash, client)
        browse("hostileWords", daemon, torrentName="target", client=client,
               words="<img src=x onerror=window.ran=1>")
    finally:
        tracker.stop()
        if peer:
            peer.stop()


def test_the_frame_is_drawn_first_and_then_taken_over(daemons, browse, tmp_path):
    daemon = daemons()
    add_small(daemon, tmp_path, ["one", "two"])
    browse("frame", daemon, names=["one", "two"])


def test_what_is_plotted_is_fetched_when_it_is_seen(daemons, browse, tmp_path):
    daemon = daemons()
    add_small(daemon, tmp_path, ["one"])
    browse("plot", daemon)


def test_only_what_is_in_sight_is_drawn(daemons, browse, tmp_path):
    daemon = daemons()
    add_small(daemon, tmp_path, [f"torrent {number:04}" for number in range(600)])
    browse("many", daemon, count=600)


def test_on_a_phone(daemons, films, browse):
    made, _, seed = films
    daemon = daemons("--peer", seed.endpoint)
    number = daemon.add(made, paused=True)["id"]
    skipped, = (file["index"] for file in ask(daemon, "GET", f"/torrents/{number}/files")["files"]
                if file["path"].endswith("two.mkv"))
    ask(daemon, "PATCH", f"/torrents/{number}", {"priorities": [{"files": [skipped], "priority": 0}]})
    ask(daemon, "POST", f"/torrents/{number}/start")
    daemon.wait_complete()
    browse("phone", daemon, torrentName=NAME, partly=[NAME, "extras", "two.mkv"])


def test_a_daemon_that_goes_and_comes_back(daemons, browse, tmp_path):
    daemon = daemons("--rpc", "127.0.0.1:0")
    add_small(daemon, tmp_path, ["stays"])
    port = daemon.ready["rpc"]
    daemon.words[daemon.words.index("--rpc") + 1] = port
    daemon.words[len(daemon.words) - 1 - daemon.words[::-1].index("--rpc") + 1] = port

    def go_and_come_back():
        wait_for((tmp_path / "open").exists, "the page is not open")
        daemon.kill()
        wait_for((tmp_path / "offline").exists, "the page does not notice")
        daemon.start()
    goes = threading.Thread(target=go_and_come_back)
    goes.start()
    browse("lost", daemon, torrentName="stays")
    goes.join()


@pytest.fixture
def short_folder():
    """Its name fits into a picture."""
    with tempfile.TemporaryDirectory(prefix="films-") as folder:
        yield folder


def test_pictures(daemons, films, freshet, peers, browse, tmp_path, short_folder):
    """The page as a person sees it; with FRESHET_PICTURES=DIR they are kept there."""
    made, source, seed = films
    big = write(tmp_path / "from/Big Buck Bunny (2008)/bbb-1080p.mkv", 24 * MIB, 7)
    write(big.parent / "bbb-720p.mkv", 12 * MIB, 8)
    write(big.parent / "extras/making-of.mkv", 6 * MIB, 9)
    write(big.parent / "extras/poster.png", MIB, 10)
    write(big.parent / "readme.txt", 1500, 11)
    assert freshet("create", big.parent, "-o", tmp_path / "b.torrent", "-l", "64K", "-c",
                   "An open movie").returncode == 0
    others = [peers("seed", tmp_path / "b.torrent", "-o", big.parent.parent) for _ in range(3)]
    takers = [peers("get", tmp_path / "b.torrent", "-o", tmp_path / f"taker-{number}", "-l", "90K",
                    "--peer", others[0].endpoint) for number in range(2)]
    daemon = daemons("--download-dir", short_folder,
                     *(word for peer in (seed, *others, *takers) for word in ("--peer", peer.endpoint)))
    names = {"debian-12.8.0-amd64-netinst.iso": ["linux"], "Wikipedia 2026-10 (en, all)": ["books"],
             "ubuntu-24.04.1-desktop-amd64.iso": ["linux"], "Sintel (2010), Blender Foundation": ["films"],
             "archlinux-2026.11.01-x86_64.iso": ["linux"], "LibreVox: The Time Machine": ["books", "audio"],
             "Tears of Steel 4K": ["films"]}
    for number, (name, labels) in enumerate(names.items()):
        path = tmp_path / f"n{number}.torrent"
        info = {"name": name, "piece length": MIB, "length": (700 + 431 * number) * MIB,
                "pieces": bytes(20) * (700 + 431 * number)}
        path.write_bytes(bencode({"info": info}))
        added = daemon.add(path, paused=number % 3 == 0)
        ask(daemon, "PATCH", f"/torrents/{added['id']}", {"labels": labels})
    daemon.add(made)
    wait_for(lambda: any(row["percentDone"] == 1 for row in daemon.torrents()), daemon.torrents)
    daemon.rpc("session-set", speed_limit_down=400, speed_limit_down_enabled=True)
    number = daemon.add(tmp_path / "b.torrent", paused=True)["id"]
    ask(daemon, "PATCH", f"/torrents/{number}", {"labels": ["films"]})
    ask(daemon, "POST", f"/torrents/{number}/start", {"force": True})
    folder = os.environ.get("FRESHET_PICTURES")
    pictures = Path(folder) if folder else tmp_path / "pictures"
    pictures.mkdir(exist_ok=True)
    browse("pictures", daemon, timeout=500, count=9, torrentName="Big Buck Bunny (2008)", pictures=pictures)
    kinds = ("list", "details", "files", "peers", "trackers", "pieces", "swarm")
    for size in ("1280x800", "360x740"):
        for scheme in ("light", "dark"):
            for kind in kinds:
                assert (pictures / f"page-{kind}-{size}-{scheme}.png").stat().st_size > 10000
