# SPDX-License-Identifier: MIT
"""URLs hold passkeys: who may change things sees them whole, who may only read does not."""
import json

import pytest
from daemon_test import Client
from daemons import daemons  # noqa: F401  a fixture
from feed_test import Web, enclosure
from openapi_test import Caller
from peers import wait_for, write

KEY = "0123456789abcdef0123456789abcdef"
TRACKER = f"http://127.0.0.1:9/{KEY}/announce"


@pytest.fixture
def web():
    server = Web()
    yield server
    server.stop()


@pytest.fixture
def daemon(daemons, web, freshet, tmp_path):  # noqa: F811
    """Has a torrent that runs, one that does not and a magnet link, a feed, and settings: each with
    the key in its URLs."""
    one = daemons()
    for name in ("runs", "rests"):
        torrent = tmp_path / f"{name}.torrent"
        freshet("create", write(tmp_path / "content" / name, 100_000), "-o", torrent, "--v1", "-a",
                TRACKER)
        one.add(torrent, paused=name == "rests")
    link = f"magnet:?xt=urn:btih:{'17' * 20}&amp;dn=linked&amp;tr=http%3A%2F%2F127.0.0.1%3A9%2F{KEY}"
    one.rpc("torrent-add", filename=link.replace("&amp;", "&"), paused=True)
    one.rpc("session-set", blocklist_url=f"{web.url}/list?pin={KEY}", default_trackers=TRACKER)
    url = web.feed(f"/rss?key={KEY}", enclosure(f"{web.url}/get?key={KEY}", "an enclosure"),
                   f"<item><title>a link</title><link>{link}</link></item>")
    caller = Caller(one)
    caller("POST", "/feeds", {"url": url, "include": ["nothing"]}, status=201)
    wait_for(lambda: caller("GET", "/feeds/{id}", number=1)["items"], one.log)
    return one


def test_the_api_shows_passkeys_only_to_who_may_change_things(daemon, web):
    api = Caller(daemon)
    asked = [("/feeds", None), ("/feeds/{id}", 1), ("/settings", None)]
    for row in api("GET", "/torrents", query="sort=name")["rows"]:
        asked += [("/torrents/{id}", row["id"])]
        if row["name"] != "linked":  # of a link at rest the trackers are in the link
            asked += [("/torrents/{id}/trackers", row["id"])]
    assert len(asked) == 8
    shown = {}
    for route, number in asked:
        assert KEY in json.dumps(api("GET", route, number=number)), route
        answer = api("GET", route, number=number, token=daemon.read_token)
        assert KEY not in json.dumps(answer), (route, answer)
        shown[route] = answer
    assert shown["/feeds"]["rules"][0]["rule"]["url"] == f"{web.url}/..."
    links = [item["link"] for item in shown["/feeds/{id}"]["items"]]
    assert links == [f"{web.url}/...", f"magnet:?xt=urn:btih:{'17' * 20}&dn=linked"]
    assert shown["/settings"]["blocklist_url"] == f"{web.url}/..."
    assert shown["/settings"]["default_trackers"] == ["http://127.0.0.1:9/..."]
    assert shown["/torrents/{id}/trackers"]["trackers"][0]["url"] == "http://127.0.0.1:9/..."
    assert shown["/torrents/{id}"]["magnet"].startswith("magnet:?xt=urn:btih:")


def test_transmissions_rpc_shows_them_to_the_same(daemon):
    client = Client(daemon)
    for method, fields in (("torrent-get", ["id", "magnetLink", "trackers", "trackerStats",
                                            "trackerList", "webseeds"]),
                           ("session-get", ["blocklist-url", "default-trackers"])):
        whole = client.rpc(daemon.token, method, fields=fields).body
        shown = client.rpc(daemon.read_token, method, fields=fields).body
        assert json.loads(whole)["result"] == json.loads(shown)["result"] == "success"
        for text, is_there in ((whole, True), (shown, False)):
            assert (KEY in (text if isinstance(text, str) else text.decode())) == is_there, text
