# SPDX-License-Identifier: MIT
"""On the page: all forty hostile names as files and folders, and in the mouths of trackers and peers."""
import base64
import hashlib
import re

from daemons import daemons  # noqa: F401, a fixture
from hostile import NAMES, Peer, Tracker, album
from page_test import ask, small
from peers import wait_for

MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Neither escaped nor filled in: these are shown as they are.
PARTS = ("<img src=x onerror=window.ran=1>", "{{constructor.constructor", "${window.ran=1}", "%3Cscript%3E",
         "&lt;script&gt;", "__proto__", "constructor", "toString", "null")


def shown_as_told(shown, told):
    """Every word of it, but for the marks that turn the writing direction."""
    assert sorted(shown) == sorted(MARKS.sub("", text) for text in told)
    assert len(set(shown)) == len(NAMES)
    assert not any(MARKS.search(text) for text in shown)
    for part in PARTS:
        assert any(part in text for text in shown), (part, shown)


def started(daemon, tmp_path, trackers):
    """A torrent that nobody has, its number and info-hash."""
    data = small(1, "target")
    (tmp_path / "t.torrent").write_bytes(data)
    number = daemon.add(tmp_path / "t.torrent", paused=True)["id"]
    ask(daemon, "PATCH", f"/torrents/{number}", {"trackers": trackers})
    ask(daemon, "POST", f"/torrents/{number}/start")
    return number, hashlib.sha1(data[data.index(b"4:info") + 6:-1]).digest()


def test_forty_hostile_files_and_folders_run_nothing(daemons, browse, tmp_path):
    daemon = daemons()
    path = tmp_path / "forty.torrent"
    path.write_bytes(album("forty", NAMES))
    number = daemon.add(path, paused=True)["id"]
    told = [file["path"].split("/") for file in ask(daemon, "GET", f"/torrents/{number}/files")["files"]]
    assert {len(parts) for parts in told} == {3}
    looked = browse("hostileFiles", daemon, timeout=500, torrentName="forty", count=len(NAMES),
                    data=base64.b64encode(album("other", NAMES)).decode())
    for shown in (looked["desktop"], looked["phone"], looked["adding"]):
        shown_as_told(shown["folders"], [folder for _, folder, _ in told])
        shown_as_told(shown["files"], [file for _, _, file in told])


def test_forty_hostile_trackers_run_nothing(daemons, browse, tmp_path):
    daemon = daemons()
    tracker = Tracker(NAMES)
    try:
        number, _ = started(daemon, tmp_path, [[f"{tracker.url}/{each}"] for each in range(len(NAMES))])

        def told():
            trackers = ask(daemon, "GET", f"/torrents/{number}/trackers")["trackers"]
            return [one["message"] for one in trackers if one["message"]]
        wait_for(lambda: len(told()) == len(NAMES), told)
        shown_as_told(browse("hostileTrackers", daemon, torrentName="target", count=len(NAMES))["shown"], told())
    finally:
        tracker.stop()


def test_forty_hostile_peers_run_nothing(daemons, browse, tmp_path):
    daemon = daemons()
    tracker = Tracker("no")
    peers = []
    try:
        number, info_hash = started(daemon, tmp_path, [[tracker.url]])
        # It is announced, so the engine has it: peers that came before would be sent away.
        wait_for(lambda: "tracker-error" in daemon.log(), daemon.torrents)
        for each, name in enumerate(NAMES):
            peers.append(Peer(daemon.endpoint, info_hash, f"{each} {name}", each + 1))

        def told():
            return [peer["client"] for peer in ask(daemon, "GET", f"/torrents/{number}/peers")["peers"] if peer["client"]]
        wait_for(lambda: len(told()) == len(NAMES), told)
        shown_as_told(browse("hostilePeers", daemon, torrentName="target", count=len(NAMES))["shown"], told())
    finally:
        tracker.stop()
        for peer in peers:
            peer.stop()
