# SPDX-License-Identifier: MIT
"""Feeds that a daemon reads from a web server of the test's own."""
import http.server
import json
import threading
import time

import pytest
from daemons import daemons, drive  # noqa: F401, fixtures
from peers import wait_for, write

HASHES = [f"{number:040x}" for number in range(0xabcdef, 0xabcdef + 10)]


class Web:
    """Serves what is in `pages`; remembers what was asked for. What is in `held` waits for it, and
    `waiting` has those that do. `versions` has headers of pages, which are not sent to whom they
    are known; `known` is what clients said of those pages."""

    def __init__(self):
        web = self
        self.pages, self.asked, self.held, self.waiting = {}, [], {}, set()
        self.versions, self.known = {}, {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                web.asked.append(self.path)
                body = web.pages.get(self.path)
                if self.path in web.held:
                    web.waiting.add(self.path)
                    web.held[self.path].wait(50)
                    web.waiting.discard(self.path)
                version = web.versions.get(self.path, {})
                known = {name: self.headers[name] for name in ("If-None-Match", "If-Modified-Since")
                         if self.headers[name]}
                web.known.setdefault(self.path, []).append(known)
                is_known = known and set(known.values()) == set(version.values())
                self.send_response(404 if body is None else 304 if is_known else 200)
                for name, value in version.items():
                    self.send_header(name, value)
                if not is_known:
                    self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(b"" if is_known else body or b"")

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def feed(self, path, *items):
        self.pages[path] = ("<?xml version='1.0'?><rss version='2.0'><channel><title>Things</title>"
                            + "".join(items) + "</channel></rss>").encode()
        return self.url + path

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(30)


@pytest.fixture
def web():
    server = Web()
    yield server
    server.stop()


def magnet(number, title):
    return (f"<item><title>{title}</title><guid>g{number}</guid><link>"
            f"magnet:?xt=urn:btih:{HASHES[number]}&amp;dn=m{number}</link></item>")


def enclosure(url, title):
    return (f"<item><title>{title}</title><link>http://127.0.0.1:9/page</link><enclosure "
            f"url='{url}' type='application/x-bittorrent' length='100000'/></item>")


def names(drive):
    return {row["name"] for row in drive.daemon.torrents("name")}


def wait_added(drive, *wanted):
    wait_for(lambda: names(drive) == set(wanted),
             lambda: f"{names(drive)}\n{drive.daemon.log()[-2000:]}")


def show(drive, number="1"):
    return json.loads(drive("feed", "show", number, "--json"))


def wait_read(drive, looks=1, number="1"):
    wait_for(lambda: show(drive, number)["items"], lambda: drive.daemon.log()[-2000:])


def test_filters_choose_links_and_torrents(drive, web, tmp_path, freshet):
    content = write(tmp_path / "content/Ubuntu amd64 a", 100_000)
    freshet("create", content, "-o", tmp_path / "a.torrent", "--v1")
    web.pages["/get/a?key=1"] = (tmp_path / "a.torrent").read_bytes()
    url = web.feed("/rss", enclosure(f"{web.url}/get/a?key=1", "Ubuntu amd64 a"),
                   magnet(1, "UBUNTU 26.04 AMD64"), magnet(2, "ubuntu amd64 beta"),
                   magnet(3, "debian"), magnet(4, "Kubuntu amd64"),
                   "<item><title>ubuntu amd64 without a link</title></item>")
    assert drive("feed", "add", url, "-i", "ubuntu amd64", "-x", "beta", "-x", "/^k/", "--label",
                 "iso", "--stopped", "-o", tmp_path / "isos") == "1\n"
    wait_added(drive, "Ubuntu amd64 a", "m1")
    for row in drive.daemon.torrents("labels", "status", "downloadDir"):
        assert row == {"labels": ["iso"], "status": 0, "downloadDir": str(tmp_path / "isos")}
    found = show(drive)
    assert found["status"]["title"] == "Things" and found["status"]["taken"] == 2
    assert [(item["fits"], item["taken"]) for item in found["items"]] == [
        (True, True), (True, True), (False, False), (False, False), (False, False), (True, False)]
    text = drive("feed", "show", url).splitlines()
    assert text[0] == "Things" and text[-1].startswith("no link")
    assert "taken" in drive("feed", "show", "1", "--fitting")
    assert url in drive("feed", "ls")


def test_an_item_is_taken_once_also_after_it_was_removed(drive, web):
    url = web.feed("/rss", magnet(1, "one"), magnet(2, "two"))
    drive("feed", "add", url, "-i", "one")
    wait_added(drive, "m1")
    drive("rm", "1")
    wait_added(drive)
    drive("feed", "add", url, "-i", "one", "-i", "two")  # is read again
    wait_added(drive, "m2")
    drive.daemon.kill(15)
    drive.daemon.start()
    wait_read(drive)
    assert [item["taken"] for item in show(drive)["items"]] == [True, True]
    drive("feed", "rm", "1")
    web.feed("/rss", magnet(1, "one"), magnet(2, "two"), magnet(3, "three"))
    drive("feed", "add", url)
    wait_added(drive, "m2", "m3")


def test_kills_lose_no_item_and_take_none_twice(drive, web):
    wanted = set()
    for turn in range(1, 6):
        wanted.add(f"m{turn}")
        url = web.feed("/rss", *[magnet(number, f"item {number}")
                                 for number in range(1, turn + 1)])
        drive("feed", "add", url, "--interval", f"{turn + 60}s")  # it has changed: read at once
        wait_for(lambda turn=turn: f"m{turn}" in names(drive), lambda: names(drive))
        drive.daemon.kill()
        drive.daemon.start()
        wait_added(drive, *wanted)
    wait_read(drive)
    wait_for(lambda: [item["taken"] for item in show(drive)["items"]] == [True] * 5,
             lambda: show(drive))
    assert names(drive) == wanted


def test_what_all_feeds_fetch_at_once_is_bounded(drive, web, tmp_path, freshet):
    """A torrent may be 64 MiB: there is room for two, and for documents beside them."""
    paths = [f"/get/{number}" for number in range(5)]
    for number, path in enumerate(paths):
        content = write(tmp_path / f"content/c{number}", 10_000)
        freshet("create", content, "-o", tmp_path / f"{number}.torrent", "--v1")
        web.pages[path] = (tmp_path / f"{number}.torrent").read_bytes()
        web.held[path] = threading.Event()
        drive("feed", "add", web.feed(f"/rss{number}", enclosure(web.url + path, f"c{number}")))
    wait_for(lambda: len(web.waiting) == 2, lambda: web.asked)
    first = set(web.waiting)
    drive("feed", "add", web.feed("/links", magnet(1, "a link")))
    wait_added(drive, "m1")  # the others had their turn before it, and found no room
    assert web.waiting == first and sum(path in paths for path in web.asked) == 2
    done = first.pop()
    web.held[done].set()
    wait_for(lambda: len(web.waiting - {done}) == 2, lambda: web.asked)
    assert sum(path in paths for path in web.asked) == 3
    for event in web.held.values():
        event.set()
    wait_added(drive, "m1", *[f"c{number}" for number in range(5)])


def test_an_episode_counts_once_whatever_its_release(drive, web):
    url = web.feed("/rss", magnet(1, "Some Show S01E02 720p"), magnet(2, "some.show.1x02.1080p"),
                   magnet(3, "Some Show S01E03"), magnet(4, "Some Show S01E02 PROPER 720p"))
    drive("feed", "add", url, "--once", "-i", "some show", "-i", "some.show")
    wait_added(drive, "m1", "m3", "m4")
    web.feed("/rss", magnet(5, "Some Show S01E03 x265"), magnet(6, "Some Show S01E04"))
    drive("feed", "add", url, "--once", "-i", "some show")
    wait_added(drive, "m1", "m3", "m4", "m6")


def test_a_feed_that_has_not_changed_is_not_sent_again(drive, web, tmp_path, freshet):
    """Waits for the shortest interval."""
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    web.versions = {
        "/same": {"ETag": '"1"', "Last-Modified": date}, "/dated": {"Last-Modified": date},
        "/changes": {"ETag": 'W/"1"'}, "/hostile": {"ETag": '"' + "x" * 300 + '"', "Last-Modified":
                                                    "1\x01\u00e4"}, "/plain": {}}
    for number, path in enumerate(web.versions, 1):
        url = web.feed(path, magnet(number, path), enclosure(f"{web.url}/late", "late"))
        drive("feed", "add", url, "--interval", "1m", *(() if path == "/same" else ("-x", "late")))
    wait_added(drive, "m1", "m2", "m3", "m4", "m5")
    wait_for(lambda: "/late" in web.asked, lambda: web.asked)
    # What could not be had before is asked for again, though the feed is the same.
    content = write(tmp_path / "content/late", 10_000)
    freshet("create", content, "-o", tmp_path / "late.torrent", "--v1")
    web.pages["/late"] = (tmp_path / "late.torrent").read_bytes()
    web.feed("/changes", magnet(6, "new"))
    web.versions["/changes"] = {"ETag": 'W/"2"'}
    end = time.monotonic() + 90
    while len(names(drive)) < 7 or not all(len(web.known[path]) > 1 for path in web.versions):
        assert time.monotonic() < end, (names(drive), web.known, drive.daemon.log()[-2000:])
        time.sleep(0.5)
    assert names(drive) == {"m1", "m2", "m3", "m4", "m5", "m6", "late"}
    assert {path: web.known[path][:2] for path in web.versions} == {
        "/same": [{}, {"If-None-Match": '"1"', "If-Modified-Since": date}],
        "/dated": [{}, {"If-Modified-Since": date}], "/changes": [{}, {"If-None-Match": 'W/"1"'}],
        "/hostile": [{}, {}], "/plain": [{}, {}]}
    wait_for(lambda: not any(entry["status"]["trouble"] for entry in
                             json.loads(drive("feed", "ls", "--json"))),
             lambda: drive("feed", "ls", "--json"))
    assert [item["title"] for item in show(drive, "2")["items"]] == ["/dated", "late"]
    # Another rule may want other items: it is given all of them.
    drive("feed", "add", f"{web.url}/dated", "-i", "late")
    wait_for(lambda: web.known["/dated"][-1] == {}, lambda: web.known)


def test_what_goes_wrong_is_said(drive, web):
    web.pages["/html"] = b"<html>"
    web.pages["/bomb"] = (b"<!DOCTYPE r [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]>"
                          b"<rss><channel><title>&b;</title></channel></rss>")
    web.pages["/large"] = b"<rss>" + b" " * (4 << 20) + b"</rss>"
    web.pages["/no-torrent"] = b"<html>"
    url = web.feed("/bad-items", enclosure(f"{web.url}/no-torrent", "a"),
                   enclosure(f"{web.url}/missing", "b"), magnet(1, "c"))
    words = {"/html": "neither RSS", "/bomb": "document type", "/large": "limit",
             "/missing": "the server answered 404"}
    for number, path in enumerate(words, 1):
        assert drive("feed", "add", web.url + path) == f"{number}\n"
    drive("feed", "add", url)
    wait_added(drive, "m1")

    def troubles():
        return {entry["rule"]["url"].removeprefix(web.url): entry["status"]["trouble"]
                for entry in json.loads(drive("feed", "ls", "--json"))}
    wait_for(lambda: all(troubles().values()), troubles)
    for path, said in words.items():
        assert said in troubles()[path], troubles()
    wait_for(lambda: drive.daemon.log().count("feed-not-read") == len(words) and
             drive.daemon.log().count("not-added") == 2, drive.daemon.log)
    assert web.asked.count("/no-torrent") == 1
    # Of a URL, which may hold a key, the log has the host.
    assert "/bad-items" not in drive.daemon.log()


def test_a_strangers_link_does_not_reach_into_this_network(drive, web):
    """Another server's feed; its links lead to a third one, which is on a loopback address."""
    third = Web()
    try:
        url = web.feed("/rss", enclosure(f"{third.url}/reboot?now=1", "a"), magnet(1, "b"))
        drive("feed", "add", url)
        wait_added(drive, "m1")
        assert third.asked == []
        assert "not-added" in drive.daemon.log()
    finally:
        third.stop()


def test_wrong_feeds_are_refused(drive):
    assert "http or https" in drive("feed", "add", "file:///etc/passwd", code=9)
    assert "/(/" in drive("feed", "add", "http://127.0.0.1:9/", "-i", "/(/", code=9)
    assert "--interval" in drive("feed", "add", "http://127.0.0.1:9/", "--interval", "5s", code=2)
    assert "there is no '7'" in drive("feed", "show", "7", code=2)
