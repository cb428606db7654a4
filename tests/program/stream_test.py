# SPDX-License-Identifier: MIT
"""GET /stream/ID/FILE: a file read over HTTP while it comes from a peer."""
import hashlib
import http.client
import json
import time

import pytest
from daemons import daemons  # noqa: F401, a fixture
from peers import peers, wait_for, write  # noqa: F401, fixtures

KIB, MIB = 1 << 10, 1 << 20


def ask(daemon, path, method="GET", read=True, **headers):
    """The answer, and its body when it is read; as a player does, without a token."""
    connection = http.client.HTTPConnection(*daemon.ready["rpc"].rsplit(":", 1), timeout=60)
    connection.request(method, path, headers={name.replace("_", "-"): value
                                              for name, value in headers.items()})
    answer = connection.getresponse()
    if not read:
        return connection, answer
    body = answer.read()
    connection.close()
    return answer, body


def files_of(daemon, number):
    status, body = daemon.get(f"/api/v1/torrents/{number}/files")
    assert status == 200, body
    return json.loads(body)


def key_of(daemon, number):
    return files_of(daemon, number)["stream_key"]


def index_of(daemon, number, name):
    return next(file["index"] for file in files_of(daemon, number)["files"]
                if file["path"].endswith("/" + name))


def path_of(daemon, number, name=None):
    file = 0 if name is None else index_of(daemon, number, name)
    return f"/stream/{number}/{file}?key={key_of(daemon, number)}"


def done(daemon, number):
    return daemon.torrents("percentDone", ids=[number])[0]["percentDone"]


def patiently(daemon, path):
    """An answer that has begun; while it is being opened, or too many read, that is said."""
    while True:
        connection, answer = ask(daemon, path, read=False)
        if answer.status == 200:
            return connection, answer
        assert answer.status == 503 and answer.headers["Retry-After"] == "1", answer.status
        connection.close()
        time.sleep(0.1)


def add(daemon, torrent):
    """Its number, once it runs."""
    number = daemon.add(torrent)["id"]
    wait_for(lambda: daemon.torrents("status", ids=[number])[0]["status"] in (4, 6),
             lambda: daemon.torrents())
    return number


@pytest.fixture
def film(freshet, peers, tmp_path):
    """24 MiB that come with 2 MiB a second."""
    source = write(tmp_path / "from/film.webm", 24 * MIB)
    torrent = tmp_path / "film.torrent"
    assert freshet("create", source, "-o", torrent, "-l", "64K", "--no-date").returncode == 0
    return torrent, source.read_bytes(), peers("seed", torrent, "-o", source.parent, "-u", "2M")


@pytest.fixture
def folder(freshet, peers, tmp_path):
    """A torrent of small files, seeded."""
    content = tmp_path / "from/things"
    write(content / "a.mp3", 300_000, 1)
    write(content / "page.html", 70_000, 2)
    write(content / "ünï \"x\".mp4", 5, 3)
    write(content / "z empty.txt", 0)
    torrent = tmp_path / "things.torrent"
    assert freshet("create", content, "-o", torrent, "-l", "32K", "--no-date").returncode == 0
    return torrent, content, peers("seed", torrent, "-o", content.parent)


def test_a_file_is_read_while_it_comes(daemons, film):
    torrent, content, seed = film
    daemon = daemons("--peer", seed.endpoint)
    number = add(daemon, torrent)
    connection, answer = patiently(daemon, path_of(daemon, number))
    assert int(answer.headers["Content-Length"]) == len(content)
    first = answer.read(MIB)
    assert first == content[:MIB]
    assert done(daemon, number) < 1, "it was read while it came"
    rest = answer.read()
    assert hashlib.sha256(first + rest).digest() == hashlib.sha256(content).digest()
    connection.close()


def test_who_jumps_gets_that_part_first(daemons, film):
    torrent, content, seed = film
    daemon = daemons("--peer", seed.endpoint)
    number = add(daemon, torrent)
    path = path_of(daemon, number)
    reading, answer = patiently(daemon, path)
    assert answer.read(64 * KIB) == content[:64 * KIB]
    begin = 15 * MIB
    _, part = ask(daemon, path, Range=f"bytes={begin}-{begin + MIB - 1}")
    assert part == content[begin:begin + MIB]
    share = done(daemon, number)
    # In order it would have come behind 15 of 24 MiB: 0.63 of all.
    assert share < 0.5, share
    reading.close()
    wait_for(lambda: done(daemon, number) == 1, lambda: daemon.torrents())


def test_its_ends_come_first(daemons, film):
    torrent, content, seed = film
    daemon = daemons("--peer", seed.endpoint)
    number = add(daemon, torrent)
    path = path_of(daemon, number)
    reading, answer = patiently(daemon, path)
    assert answer.read(KIB) == content[:KIB]
    _, tail = ask(daemon, path, Range="bytes=-65536")
    assert tail == content[-65536:]
    assert done(daemon, number) < 0.45, "5 MiB at the front and 1 MiB at the end"
    reading.close()


def test_many_read_at_once(daemons, film):
    torrent, content, seed = film
    daemon = daemons("--peer", seed.endpoint)
    number = add(daemon, torrent)
    path = path_of(daemon, number)
    open_ones = []
    for place in range(8):
        begin = place * 3 * MIB
        open_ones.append((begin, *ask(daemon, path, read=False, Range=f"bytes={begin}-")))
    refused, words = ask(daemon, path)
    assert refused.status == 503 and b"too many" in words
    for begin, connection, answer in open_ones:
        assert answer.status == 206
        assert answer.read(MIB) == content[begin:begin + MIB]
        connection.close()

    def has_room():
        connection, answer = ask(daemon, path, read=False)
        connection.close()
        return answer.status == 200
    wait_for(has_room, "those that went make room")


def test_who_goes_while_nothing_comes_makes_room(daemons, freshet, tmp_path):
    """Nobody has the torrent: every reader waits, and none of those that left may hold a place."""
    source = write(tmp_path / "from/alone.mp4", MIB)
    torrent = tmp_path / "alone.torrent"
    assert freshet("create", source, "-o", torrent, "-l", "32K").returncode == 0
    daemon = daemons()
    number = add(daemon, torrent)
    path = path_of(daemon, number)
    for _ in range(12):
        connection, answer = patiently(daemon, path)
        connection.close()
    # And one that still waits does not keep the daemon from ending, nor outlives the torrent.
    connection, answer = patiently(daemon, path)
    daemon.rpc("torrent-stop", ids=[number])
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()
    daemon.rpc("torrent-start", ids=[number])
    wait_for(lambda: daemon.torrents("status", ids=[number])[0]["status"] == 4,
             lambda: daemon.torrents())
    connection, answer = patiently(daemon, path)
    daemon.rpc("session-close")
    assert daemon.process.wait(30) == 0
    connection.close()


def test_headers_and_ranges(daemons, folder):
    torrent, content, seed = folder
    daemon = daemons("--peer", seed.endpoint)
    number = add(daemon, torrent)
    daemon.wait_complete()
    music = (content / "a.mp3").read_bytes()
    path = path_of(daemon, number)
    head, body = ask(daemon, path, "HEAD")
    assert head.status == 200 and body == b""
    assert head.headers["Content-Length"] == "300000"
    assert head.headers["Content-Type"] == "audio/mpeg"
    assert head.headers["Accept-Ranges"] == "bytes"
    tag = head.headers["ETag"]
    for wish, first, last in (("bytes=0-9", 0, 9), ("bytes=299990-", 299990, 299999),
                              ("bytes=-10", 299990, 299999), ("bytes=5-999999", 5, 299999)):
        answer, body = ask(daemon, path, Range=wish)
        assert answer.status == 206, wish
        assert body == music[first:last + 1], wish
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/300000"
    answer, body = ask(daemon, path, Range="bytes=300000-")
    assert answer.status == 416 and answer.headers["Content-Range"] == "bytes */300000"
    for wish in ("bytes=0-1,5-6", "bytes=9-0", "chars=0-1", "bytes=x-", "bytes="):
        answer, body = ask(daemon, path, Range=wish)
        assert (answer.status, body) == (200, music), wish
    answer, body = ask(daemon, path, Range="bytes=0-9", If_Range=tag)
    assert answer.status == 206 and body == music[:10]
    answer, body = ask(daemon, path, Range="bytes=0-9", If_Range='"other"')
    assert answer.status == 200 and body == music
    answer, body = ask(daemon, path_of(daemon, number, "z empty.txt"))
    assert (answer.status, body) == (200, b"")


def test_nothing_of_a_torrent_runs_in_our_origin(daemons, folder):
    torrent, content, seed = folder
    daemon = daemons("--peer", seed.endpoint)
    number = add(daemon, torrent)
    daemon.wait_complete()
    answer, body = ask(daemon, path_of(daemon, number, "page.html"))
    assert body == (content / "page.html").read_bytes()
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    answer, _ = ask(daemon, path_of(daemon, number, 'ünï "x".mp4'))
    assert answer.headers["Content-Disposition"] == \
        "inline; filename*=UTF-8''%C3%BCn%C3%AF%20%22x%22.mp4"


def test_who_may_read(daemons, folder, film):
    torrent, content, seed = folder
    daemon = daemons("--peer", seed.endpoint)
    number = add(daemon, torrent)
    other = daemon.add(film[0], paused=True)["id"]
    daemon.rpc("torrent-set", ids=[number], files_unwanted=[index_of(daemon, number, "page.html")])
    wait_for(lambda: done(daemon, number) == 1, lambda: daemon.torrents())
    key = key_of(daemon, number)
    bare = f"/stream/{number}/0"
    assert ask(daemon, f"{bare}?key={key}")[0].status == 200
    assert ask(daemon, bare, Authorization=f"Bearer {daemon.token}")[0].status == 200
    assert ask(daemon, bare)[0].status == 401
    assert ask(daemon, bare, Authorization=f"Bearer {daemon.read_token}")[0].status == 403
    for wrong in ("", key[:-1], key[:-1] + ("0" if key[-1] != "0" else "1"), key + "0",
                  key_of(daemon, other), daemon.token):
        assert ask(daemon, f"{bare}?key={wrong}")[0].status == 401, wrong
    # A key of one torrent is none of the rest of the RPC.
    assert ask(daemon, f"/api/v1/torrents?key={key}")[0].status == 401
    # Nor does a token that only reads bring one.
    answer, body = ask(daemon, f"/api/v1/torrents/{number}/files",
                       Authorization=f"Bearer {daemon.read_token}")
    assert json.loads(body)["stream_key"] is None
    assert ask(daemon, f"{bare}?key={key}", "POST")[0].status == 405
    assert ask(daemon, f"{bare}?key={key}", Host="evil.example")[0].status == 421
    assert ask(daemon, f"{bare}?key={key}", Sec_Fetch_Site="cross-site")[0].status == 403
    assert ask(daemon, f"/stream/{number}/99?key={key}")[0].status == 404
    answer, words = ask(daemon, path_of(daemon, number, "page.html"))
    assert answer.status == 409 and b"not chosen" in words
    answer, words = ask(daemon, path_of(daemon, other))
    assert answer.status == 409 and b"stopped" in words
    for path in ("/stream/", "/stream/1", "/stream/1/", "/stream/x/0", "/stream/1/0/x",
                 "/stream/99999999999/0", f"/stream/{number}/-1"):
        assert ask(daemon, path, Authorization=f"Bearer {daemon.token}")[0].status == 404, path
    assert ask(daemon, "/stream/4000/0", Authorization=f"Bearer {daemon.token}")[0].status == 404


def test_a_player_may_pause(daemons, film):
    torrent, content, seed = film
    daemon = daemons("--peer", seed.endpoint)
    number = add(daemon, torrent)
    connection, answer = patiently(daemon, path_of(daemon, number))
    first = answer.read(64 * KIB)
    time.sleep(13)  # longer than a connection that shows nothing may be idle
    assert first + answer.read() == content
    connection.close()


def test_who_waits_for_what_will_not_come_is_told(daemons, film):
    torrent, content, seed = film
    daemon = daemons("--peer", seed.endpoint)
    number = add(daemon, torrent)
    connection, answer = patiently(daemon, path_of(daemon, number))
    assert answer.read(KIB) == content[:KIB]
    daemon.rpc("torrent-set", ids=[number], files_unwanted=[0])
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()


def test_a_link_does_not_fill_the_server(daemons, folder):
    torrent, content, seed = folder
    daemon = daemons("--peer", seed.endpoint)
    number = add(daemon, torrent)
    daemon.wait_complete()
    path, held = path_of(daemon, number), []
    statuses = []
    for _ in range(90):
        connection, answer = ask(daemon, path, "HEAD", read=False)
        answer.read()
        statuses.append(answer.status)
        held.append(connection)
    assert statuses[:64] == [200] * 64 and 503 in statuses[64:], statuses
    assert daemon.get("/api/v1/stats", timeout=10)[0] == 200
    answer, _ = ask(daemon, "/api/v1/stats", Authorization=f"Bearer {daemon.token}")
    assert answer.status == 200
    # A key is good whatever else is shown.
    held[0].request("HEAD", path, headers={"Authorization": "Basic eDp5"})
    assert held[0].getresponse().status == 200
    for connection in held:
        connection.close()


def test_links_hold_over_restarts_and_are_no_reason_not_to_start(daemons, folder):
    torrent, content, seed = folder
    daemon = daemons("--peer", seed.endpoint)
    number = add(daemon, torrent)
    daemon.wait_complete()
    path, music = path_of(daemon, number), (content / "a.mp3").read_bytes()
    daemon.kill()
    daemon.start()
    connection, answer = patiently(daemon, path)
    assert answer.read() == music
    connection.close()
    daemon.kill()
    secret = daemon.state / "rpc-token-links"
    secret.unlink()
    secret.mkdir()  # it can neither be read nor made
    daemon.start()
    assert "links-for-this-run" in daemon.log()
    assert ask(daemon, path)[0].status == 401
    connection, answer = patiently(daemon, path_of(daemon, number))
    assert answer.read() == music
    connection.close()
