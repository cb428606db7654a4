# SPDX-License-Identifier: MIT
"""services/api/openapi.json held against the server: its routes, and every answer's shape."""
import base64
import http.client
import json
import re

import pytest
from conftest import ROOT
from daemons import daemons  # noqa: F401  a fixture
from ip_filter_test import serve
from peers import Peer, wait_for, write

API = json.loads((ROOT / "services/api/openapi.json").read_text())
SCHEMAS = API["components"]["schemas"]
ROUTES = {(method.upper(), path) for path, item in API["paths"].items()
          for method in item if method != "parameters"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
         "number": (int, float), "null": type(None)}
WORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "minimum",
         "maximum", "description", "$ref"}


def is_type(value, name):
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def faults(value, schema, where="$"):
    """What of the value is not as the schema says."""
    assert set(schema) <= WORDS, f"this validator does not know {set(schema) - WORDS}"
    if "$ref" in schema:
        return faults(value, SCHEMAS[schema["$ref"].removeprefix("#/components/schemas/")], where)
    names = schema.get("type", [])
    names = [names] if isinstance(names, str) else names
    if names and not any(is_type(value, name) for name in names):
        return [f"{where}: {value!r} is no {' or '.join(names)}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is none of {schema['enum']}")
    if is_type(value, "number"):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            found.append(f"{where}: {value} is out of its range")
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            found += faults(item, schema["items"], f"{where}[{number}]")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{where}: {name} is missing" for name in schema.get("required", [])
                  if name not in value]
        for name, item in value.items():
            if name in properties:
                found += faults(item, properties[name], f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                found.append(f"{where}: {name} is not in the schema")
    return found


def test_the_validator_sees_what_is_wrong():
    schema = {"type": "object", "required": ["a"], "additionalProperties": False, "properties": {
        "a": {"type": "integer", "minimum": 1, "maximum": 3}, "b": {"type": ["string", "null"]},
        "c": {"type": "array", "items": {"type": "string", "enum": ["x"]}}}}
    assert faults({"a": 1, "b": None, "c": ["x"]}, schema) == []
    for wrong in ({}, {"a": 0}, {"a": 4}, {"a": True}, {"a": 1.5}, {"a": 1, "b": 2},
                  {"a": 1, "c": ["y"]}, {"a": 1, "c": "x"}, {"a": 1, "d": 1}, []):
        assert len(faults(wrong, schema)) == 1, wrong


def served():
    """The routes of the table in services/api/api.c, its macros resolved."""
    text = (ROOT / "services/api/api.c").read_text()
    table = re.search(r"static const struct api_route routes\[\] = \{\n(.*?)\n\};", text, re.S)[1]
    found = set()
    for line in re.split(r"\n(?=    [A-Z{])", table):
        words = re.findall(r'"([^"]*)"', line)
        if re.match(r"\s*ONE\(", line):
            found.add(("GET", "/torrents/{id}" + words[0]))
        elif action := re.match(r"\s*ACTION\((.*)\)", line):
            name = action[1].strip('"')
            found |= {("POST", f"/torrents/{{id}}/{name}"), ("POST", f"/torrents/{name}")}
        else:
            found.add((words[0], words[1]))
    return found


def test_the_file_and_the_server_have_the_same_routes():
    assert served() == ROUTES


class Caller:
    """Calls a route, and looks whether the answer is as the file says."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.called = set()

    def send(self, method, path, body=None, token=None):
        connection = http.client.HTTPConnection(self.daemon.ready["rpc"], timeout=60)
        token = self.daemon.token if token is None else token
        connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), {
            **({"Authorization": f"Bearer {token}"} if token else {}),
            "X-Requested-With": "test", "Content-Type": "application/json"})
        return connection, connection.getresponse()

    def fits(self, method, route, status, kind, content):
        responses = API["paths"][route][method.lower()]["responses"]
        described = responses.get(str(status)) or responses["default"]
        assert kind in described["content"], (method, route, status, kind)
        if kind == "application/json":
            wrong = faults(json.loads(content), described["content"][kind]["schema"])
            assert wrong == [], f"{method} {route}: {wrong}"

    def __call__(self, method, route, body=None, query="", status=200, number=None, token=None):
        described = API["paths"][route][method.lower()]
        asked = {name for name in re.findall(r"(\w+)=", query)}
        known = {one["name"] for one in described.get("parameters", []) if one["in"] == "query"}
        assert asked <= known, f"{method} {route}: {asked - known}"
        if body is not None and status < 400:
            schema = described["requestBody"]["content"]["application/json"]["schema"]
            assert faults(body, schema) == []
        path = route.replace("{id}", str(number)) + ("?" + query if query else "")
        connection, answer = self.send(method, path, body, token)
        kind = answer.headers["Content-Type"].split(";")[0]
        content = b"{}"
        if kind == "application/json":
            content = answer.read()
        assert answer.status == status, (method, path, answer.status, content)
        self.fits(method, route, answer.status, kind, content)
        if status < 400:
            self.called.add((method, route))
            assert str(status) in described["responses"], (method, route, status)
        if kind == "text/event-stream":
            return connection, answer
        connection.close()
        return json.loads(content)


@pytest.fixture
def api(daemons, tmp_path, freshet):  # noqa: F811
    content = tmp_path / "here/album"
    for number in range(1, 4):
        write(content / f"{number}.flac", number * 300_000, number)
    torrent = tmp_path / "album.torrent"
    made = freshet("create", content, "-o", torrent, "-l", "64K", "--v1", "-a", "http://127.0.0.1:9/announce",
                   "-c", "words")
    assert made.returncode == 0, made.stderr
    seed = Peer(tmp_path, "seed", torrent, "-o", content.parent, "--no-dht")
    seed.wait_event("ready")
    caller = Caller(daemons("--peer", seed.events("ready")[0]["listen"]))
    caller.torrent = base64.b64encode(torrent.read_bytes()).decode()
    yield caller
    seed.process.terminate()
    seed.process.wait(30)


def event_of(connection, answer):
    """The data of the first event."""
    for _ in range(100):
        line = answer.readline().decode()
        if line.startswith("data:"):
            connection.close()
            return json.loads(line[5:])
    raise AssertionError("no event in 100 lines")


def complete(api, number):  # noqa: F811
    detail = api("GET", "/torrents/{id}", number=number)
    return detail["complete"] and detail["phase"] == "seeding"


def what_comes_by_itself(api, folder):
    path, url = str(folder / "drop"), "http://127.0.0.1:9/feed"
    for route, name, rule in (("/watch", "path", {"path": path, "after": "rename"}),
                              ("/feeds", "url", {"url": url, "include": ["a b"], "once": True})):
        added = api("POST", route, {**rule, "labels": ["x"], "folder": str(folder)}, status=201)
        assert added["added"] and added["rule"]["id"] == 1
        assert not api("POST", route, {**rule, "stopped": True})["added"]
        (listed,) = api("GET", route)["rules"]
        assert listed["rule"][name] == rule[name] and listed["rule"]["stopped"]
        assert listed["rule"]["folder"] is None and listed["rule"]["labels"] == []
    assert api("GET", "/feeds/{id}", number=1)["items"] == []
    for route in ("/watch", "/feeds"):
        assert api("DELETE", f"{route}/{{id}}", number=1) == {"removed": 1}
        api("DELETE", f"{route}/{{id}}", number=1, status=404)
    first = api("GET", "/log")
    assert first["lines"][0]["number"] == 1 and first["next"] == first["lines"][-1]["number"] + 1
    assert api("GET", "/log", query="from=1&limit=1")["lines"] == first["lines"][:1]


def what_is_blocked(api):  # noqa: F811
    body = [b"some name:127.4.4.4-127.4.4.5\nother:2001:db8::-2001:db8::ff\n"]
    with serve(body) as url:
        assert api("PATCH", "/settings", {"blocklist_url": url, "encryption": "prefer"})[
            "encryption"] == "prefer"
        assert api("POST", "/blocklist") == {"rules": 2}
        body[0] = None
        assert "404" in api("POST", "/blocklist", status=502)["error"]
    assert api("GET", "/stats")["blocklist_rules"] == 2
    api("PATCH", "/settings", {"blocklist_url": ""})
    api("POST", "/blocklist", status=409)


def test_every_answer_is_as_the_file_says(api, tmp_path):
    magnet = "magnet:?xt=urn:btih:" + "17" * 20 + "&dn=second"
    found = api("POST", "/inspect", {"torrent": api.torrent})
    assert (found["name"], len(found["files"]), found["exists"]) == ("album", 3, None)
    api("POST", "/inspect", {"magnet": magnet})
    added = api("POST", "/torrents", {"torrent": api.torrent, "labels": ["music"], "wishes": {
        "sequential": True, "ratio_mode": "own", "ratio_goal": 2, "download_limited": True,
        "download_limit": 300_000}}, status=201)
    number = added["torrent"]["id"]
    assert added["added"] and not api("POST", "/torrents", {"torrent": api.torrent})["added"]
    second = api("POST", "/torrents", {"magnet": magnet, "stopped": True},
                 status=201)["torrent"]["id"]
    window = api("GET", "/torrents", query="sort=name&order=desc&limit=10&offset=0")
    assert [row["name"] for row in window["rows"]] == ["second", "album"]
    assert api("GET", "/torrents", query="fields=id&label=music")["ids"] == [number]
    delta = api("GET", "/delta", query=f"revision={window['revision']}&run={window['run']}")
    assert set(delta["ids"]) == {number, second} and not delta["everything"]
    stream = api("GET", "/events", query="filter=all&search=alb")
    event = event_of(*stream)
    assert faults(event, SCHEMAS["Delta"]) == [] and event["ids"] == [number]

    wait_for(lambda: api("GET", "/torrents/{id}/peers", number=number)["peers"], api.daemon.log)
    peer, = api("GET", "/torrents/{id}/peers", number=number)["peers"]
    assert (peer["encrypted"], peer["utp"]) == (False, False)
    wait_for(lambda: api("GET", "/torrents/{id}/pieces", number=number)["fetching"],
             api.daemon.log)
    api("PATCH", "/torrents/{id}", {"download_limited": False}, number=number)
    wait_for(lambda: complete(api, number), api.daemon.log)
    for part in ("files", "peers", "trackers", "pieces", "pipeline"):
        for one in (number, second):
            api("GET", f"/torrents/{{id}}/{part}", number=one)
    api("GET", "/torrents/{id}", number=second)
    files = api("GET", "/torrents/{id}/files", number=number, query="offset=1&limit=1")
    assert (files["total"], [file["done"] for file in files["files"]]) == (3, [600_000])
    assert api("GET", "/torrents/{id}/trackers", number=number)["trackers"][0]["tier"] == 0

    api("PATCH", "/torrents/{id}", {"upload_limit": 50000, "upload_limited": True, "trackers": [
        ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"], ["udp://127.0.0.1:9"]]}, number=number)
    wait_for(lambda: [one["tier"] for one in api(
        "GET", "/torrents/{id}/trackers", number=number)["trackers"]] == [0, 0, 1], "no trackers")
    assert api("GET", "/torrents/{id}", number=number)["upload_limit"] == 50000
    changed = api("PATCH", "/torrents", {"ids": [number, second, 77], "labels": ["a", "b"]})
    assert changed == {"changed": 2, "missing": [77]}
    api("PATCH", "/torrents/{id}", {"add_labels": ["c"], "remove_labels": ["a"]}, number=second)
    assert api("POST", "/torrents/labels", {"ids": [number, second, 77]}) == {
        "labels": [{"name": "a", "count": 1}, {"name": "b", "count": 2}, {"name": "c", "count": 1}],
        "counted": 2, "missing": [77]}
    api("POST", "/torrents/{id}/queue", {"move": "bottom"}, number=number)
    api("POST", "/torrents/queue", {"ids": [number], "move": "top"})
    api("POST", "/torrents/{id}/recheck", number=number)
    wait_for(lambda: complete(api, number), api.daemon.log)
    api("POST", "/torrents/recheck", {"ids": [number]})
    wait_for(lambda: complete(api, number), api.daemon.log)
    api("POST", "/torrents/{id}/reannounce", number=number)
    api("POST", "/torrents/reannounce", {"ids": [number, second]})
    folder = api.daemon.folder / "downloads"
    for name, route, body in (("one", "/torrents/{id}/move", {}),
                              ("two", "/torrents/move", {"ids": [number]})):
        api("POST", route, {"folder": str(folder / name), "move_data": True, **body},
            number=number)
        wait_for(lambda name=name: (folder / name / "album/3.flac").exists() and
                 complete(api, number), api.daemon.log)
    api("POST", "/torrents/{id}/rename", {"path": "album", "name": "record"}, number=number)
    wait_for(lambda: (folder / "two/record/1.flac").exists() and complete(api, number),
             api.daemon.log)
    for action in ("stop", "start"):
        api("POST", f"/torrents/{{id}}/{action}", number=number)
        api("POST", f"/torrents/{action}", {"ids": [number]})

    settings = api("GET", "/settings")
    assert settings["download_folder"] == str(folder)
    assert api("PATCH", "/settings", {"download_limit": 99, "ratio": 1.5})["download_limit"] == 99
    assert api("GET", "/free-space", query=f"folder={folder}")["free"] > 0
    api("GET", "/stats")
    assert api("GET", "/pipeline")["hashing"]["bytes"] >= 600_000
    api("GET", "/dht")
    what_is_blocked(api)
    what_comes_by_itself(api, folder)
    api("DELETE", "/torrents/{id}", number=second)
    api("POST", "/torrents/remove", {"ids": [number], "data": True})
    wait_for(lambda: api("GET", "/torrents")["matching"] == 0, api.daemon.log)
    assert api.called == ROUTES


def test_every_refusal_is_as_the_file_says(api):
    for method, route in sorted(ROUTES):
        body = None if method == "GET" else {}
        api(method, route, body, number=5, token="", status=401)
        if method != "GET":
            api(method, route, body, number=5, token=api.daemon.read_token, status=403)
    for route in ("/torrents/{id}", "/torrents/{id}/files", "/torrents/{id}/peers",
                  "/torrents/{id}/trackers", "/torrents/{id}/pieces"):
        api("GET", route, number=5, status=404)
    api("PATCH", "/torrents/{id}", {"upload_limit": 1}, number=5, status=404)
    api("PATCH", "/torrents/{id}", {"no such": 1}, number=5, status=400)
    api("PATCH", "/torrents/{id}", {"labels": [], "add_labels": ["a"]}, number=5, status=400)
    api("POST", "/torrents", {"magnet": "nonsense"}, status=422)
    api("POST", "/inspect", {"torrent": "bm9uc2Vuc2U="}, status=422)
    api("GET", "/stats", token="wrong", status=401)
    for route, name, good in (("/watch", "path", str(api.daemon.folder / "downloads/in")),
                              ("/feeds", "url", "http://127.0.0.1:9/")):
        for wrong in ({}, {name: good, "id": 1}, {name: good, "no such": 1}, {name: "relative"},
                      {name: good, "labels": "x"}, {name: good, "include": ["/(/"], "after": "eat"}):
            api("POST", route, wrong, status=400)
        api("POST", route, {name: good, "folder": "/etc"}, status=403)
    api("POST", "/watch", {"path": "/etc"}, status=403)
    api("GET", "/feeds/{id}", number=5, status=404)
