# SPDX-License-Identifier: MIT
"""`freshet dht`: a network of real nodes on loopback, each with an address of its own."""
import base64
import hashlib
import itertools
import json
import os
import pty
import re
import signal
import socket
import subprocess
import time

import pytest
from conftest import PROGRAM
from peers import wait_for

NODES = 10
HASH = "0123456789abcdef0123456789abcdef01234567"

numbers = itertools.count(1)


def new_address():
    """Nobody else's: a source is answered five times a second, and a table has one node of it."""
    number = next(numbers)
    return f"127.2.{number // 250}.{number % 250 + 1}"


class Node:
    """A `freshet dht node`, told apart by its JSON lines."""

    def __init__(self, folder, *words, state=None, address=None):
        self.address = address or new_address()
        self.state = state or folder / f"state-{self.address}"
        self.log_path = folder / f"node-{self.address}-{next(numbers)}.log"
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "dht", "node", "--progress=json", "--listen", f"{self.address}:0",
                 "--state", self.state, *map(str, words)], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, env={**os.environ, "HOME": str(folder)})

    def event(self, name):
        lines = self.log_path.read_text().splitlines(keepends=True)
        events = [json.loads(line) for line in lines if line.startswith("{") and line[-1] == "\n"]
        return next((event for event in events if event["event"] == name), None)

    @property
    def ready(self):
        wait_for(lambda: self.event("ready") or self.process.poll() is not None, "a node is ready")
        assert self.event("ready"), self.log_path.read_text()
        return self.event("ready")

    @property
    def endpoint(self):
        return self.ready["listen"]

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        return code, self.event("stats")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)


@pytest.fixture
def dht(freshet, tmp_path):
    """Runs a verb from an address of its own, with a home of its own."""

    def run(*words, begin=None, listen=True, **options):
        words = [*words]
        if begin:
            # A node has 8,000 bytes a second for all who pass by; who asks beyond that waits.
            time.sleep(0.25)
            words += ["--bootstrap", begin]
        if listen:
            words += ["--listen", f"{new_address()}:0"]
        return freshet("dht", *words, env={"HOME": str(tmp_path), "XDG_STATE_HOME": ""}, **options)

    return run


@pytest.fixture
def node(tmp_path):
    """Starts nodes and ends them by their own process ids."""
    running = []

    def start(*words, **options):
        running.append(Node(tmp_path, *words, **options))
        return running[-1]

    yield start
    for one in running:
        one.kill()


def count_of(begin):
    done = subprocess.run([PROGRAM, "dht", "stats", "--json", "--bootstrap", begin, "--listen",
                           f"{new_address()}:0"], capture_output=True, text=True, check=False)
    return json.loads(done.stdout)["nodes"] if done.returncode == 0 else 0


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Ten nodes that know one another; what one test leaves in them harms no other."""
    folder = tmp_path_factory.mktemp("network")
    nodes = [Node(folder)]
    try:
        nodes += [Node(folder, "--bootstrap", nodes[0].endpoint) for _ in range(NODES - 1)]
        for one in nodes:
            wait_for(lambda one=one: count_of(one.endpoint) == NODES, "the network has formed")
        # Strangers get so many bytes a second from a node: what the counting took is over.
        time.sleep(2)
        yield nodes
    finally:
        for one in nodes:
            one.kill()


# --- Peers ---


def test_what_one_announces_another_finds(dht, network):
    source = f"{new_address()}"
    done = dht("announce", HASH, "--port", 7000, "--listen", f"{source}:0",
               begin=network[0].endpoint, listen=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"announced {HASH}, port 7000, to 8 nodes\n", done.stdout)
    done = dht("get-peers", HASH, begin=network[-1].endpoint)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{source}:7000\n")


def test_the_hash_may_be_written_in_every_way(dht, network):
    v1 = "89" * 20
    v2 = "abcdef12" * 8
    for info_hash, port in ((v1, 7001), (v2, 7002)):
        assert dht("announce", info_hash, "--port", port,
                   begin=network[1].endpoint).returncode == 0
    base32 = base64.b32encode(bytes.fromhex(v1)).decode()
    for text in (v1, v1.upper(), base32, f"magnet:?xt=urn:btih:{v1}&dn=x"):
        assert dht("get-peers", text, begin=network[2].endpoint).stdout.endswith(":7001\n"), text
    for text in (v2, v2[:40], f"magnet:?xt=urn:btmh:1220{v2}"):
        assert dht("get-peers", text, begin=network[3].endpoint).stdout.endswith(":7002\n"), text


def test_scrape_tells_seeds_from_downloaders(dht, network):
    info_hash = "5c" * 20
    for number in range(6):
        words = ("--seed",) if number < 2 else ()
        assert dht("announce", info_hash, "--port", 7100 + number, *words,
                   begin=network[number].endpoint).returncode == 0
    done = dht("get-peers", info_hash, "--scrape", "--json", begin=network[0].endpoint)
    *peers, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert {peer["peer"].rsplit(":", 1)[1] for peer in peers} == {str(7100 + n) for n in range(6)}
    assert all(peer["event"] == "peer" and peer["from"] for peer in peers)
    assert (last["event"], last["info_hash"], last["peers"]) == ("done", info_hash, 6)
    assert (last["seeds"], last["downloaders"]) == (2, 4)
    assert 2 * NODES >= last["asked"] >= last["answered"] >= 12  # peers, then estimates
    plain = dht("get-peers", info_hash, "--scrape", begin=network[0].endpoint).stdout
    assert plain.splitlines()[-2:] == ["seeds       about 2", "downloaders about 4"]
    done = dht("get-peers", info_hash, "--no-seeds", begin=network[0].endpoint)
    assert len(done.stdout.splitlines()) == 4


def test_a_torrent_that_nobody_has_is_exit_4(dht, network):
    done = dht("get-peers", "ee" * 20, begin=network[0].endpoint)
    assert (done.returncode, done.stdout) == (4, "")
    assert re.fullmatch(r"freshet dht get-peers: no peer: \d+ nodes answered, and nobody knows "
                        r"one\n", done.stderr)


def test_announce_tells_json(dht, network):
    done = dht("announce", "77" * 20, "--port", 1, "--seed", "--json", begin=network[0].endpoint)
    told = json.loads(done.stdout)
    assert NODES >= told.pop("asked") >= told.pop("answered") >= 8
    assert told == {"event": "done", "info_hash": "77" * 20, "port": 1, "seed": True, "stored": 8}


# --- Items ---


def test_an_immutable_item_is_its_hash(dht, network):
    done = dht("put", "Hello World!", begin=network[0].endpoint)
    assert (done.returncode, done.stdout) == (0, "e5f96f6f38320f0f33959cb4d3d656452117aadb\n")
    assert done.stderr == "freshet dht put: stored on 8 nodes\n"
    got = dht("get", done.stdout.strip(), begin=network[5].endpoint)
    assert (got.returncode, got.stdout, got.stderr) == (0, "Hello World!", "")
    told = json.loads(dht("get", done.stdout.strip(), "--json", begin=network[5].endpoint).stdout)
    assert told["value"] == "Hello World!"
    assert bytes.fromhex(told["bencoded"]) == b"12:Hello World!"
    assert "key" not in told


def test_a_file_comes_back_byte_by_byte(dht, network, tmp_path):
    content = bytes(range(256)) * 3
    (tmp_path / "item").write_bytes(content)
    done = dht("put", "--file", tmp_path / "item", begin=network[0].endpoint)
    encoded = b"%d:" % len(content) + content
    assert done.stdout.strip() == hashlib.sha1(encoded).hexdigest()
    got = subprocess.run([PROGRAM, "dht", "get", done.stdout.strip(), "--bootstrap",
                          network[4].endpoint, "--listen", f"{new_address()}:0"],
                         capture_output=True, check=True)
    assert got.stdout == content
    told = json.loads(dht("get", done.stdout.strip(), "--json", begin=network[4].endpoint).stdout)
    assert bytes.fromhex(told["bencoded"]) == encoded and "value" not in told


def test_bencode_is_put_as_it_is(dht, network):
    done = dht("put", "--bencoded", "d1:ai1e1:bl3:xyzee", begin=network[0].endpoint)
    assert done.stdout.strip() == hashlib.sha1(b"d1:ai1e1:bl3:xyzee").hexdigest()
    assert dht("get", done.stdout.strip(), begin=network[1].endpoint).stdout == "d1:ai1e1:bl3:xyzee"


def test_a_mutable_item_is_replaced_by_whoever_has_the_key(dht, network, tmp_path):
    key = tmp_path / "key"

    def put(text, *words):
        return dht("put", text, "--key-file", key, *words, begin=network[0].endpoint)

    first = put("one", "--salt", "s")
    assert first.returncode == 0, first.stderr
    target, public = first.stdout.split()
    assert key.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"[0-9a-f]{64}\n", key.read_text())
    assert target == hashlib.sha1(bytes.fromhex(public) + b"s").hexdigest()
    second = put("two", "--salt", "s")
    assert second.stdout == first.stdout
    assert second.stderr.endswith("as number 2\n")
    # The same key, another salt: another item.
    other = put("else")
    assert other.stdout.split()[1] == public and other.stdout.split()[0] != target
    got = dht("get", "--key", public, "--salt", "s", begin=network[6].endpoint)
    assert (got.returncode, got.stdout) == (0, "two")
    assert dht("get", target, "--salt", "s", begin=network[6].endpoint).stdout == "two"
    assert dht("get", "--key", public, begin=network[6].endpoint).stdout == "else"
    told = json.loads(dht("get", "--key", public, "--salt", "s", "--json",
                          begin=network[6].endpoint).stdout)
    assert (told["value"], told["seq"], told["key"], told["salt"]) == ("two", 2, public, "73")


def test_a_version_is_refused_where_a_newer_one_or_another_is(dht, node, tmp_path):
    lone = node()

    def put(text, *words):
        return dht("put", text, "--key-file", tmp_path / "key", "--salt", "s", *words,
                   begin=lone.endpoint)

    target, public = put("two", "--seq", 2).stdout.split()
    # An older number, another value under the same number, and a wrong --cas.
    for words in (("--seq", 1), ("--seq", 2), ("--cas", 1)):
        refused = put("three", *words)
        assert (refused.returncode, refused.stdout) == (9, ""), words
        assert refused.stderr.startswith("freshet dht put: refused: ")
    assert put("three", "--cas", 2).returncode == 0
    assert put("nine", "--seq", 9).stderr.endswith("stored on 1 nodes, as number 9\n")
    told = json.loads(put("ten", "--json").stdout)
    assert told == {"event": "done", "target": target, "stored": 1, "key": public, "seq": 10}
    assert dht("get", "--key", public, "--salt", "s", begin=lone.endpoint).stdout == "ten"


def test_a_key_file_that_is_none_is_left_alone(dht, tmp_path):
    bad = tmp_path / "bad"
    bad.write_text("this is no key\n")
    done = dht("put", "x", "--key-file", bad)
    assert (done.returncode, bad.read_text()) == (8, "this is no key\n")
    assert dht("put", "x", "--key-file", tmp_path / "absent" / "key").returncode == 6


def test_an_item_that_nobody_has_is_exit_4(dht, network):
    done = dht("get", "12" * 20, begin=network[0].endpoint)
    assert (done.returncode, done.stdout) == (4, "")
    assert "nobody has it" in done.stderr


# --- Looking at the network ---


def test_ping_tells_who_is_there(dht, network):
    done = dht("ping", network[3].endpoint)
    assert done.returncode == 0
    assert re.fullmatch(rf"{re.escape(network[3].endpoint)}  \d+ ms  {network[3].ready['id']}  "
                        r"freshet \(FR\) 0\.1\n", done.stdout)
    told = json.loads(dht("ping", network[3].endpoint, "--json").stdout)
    assert (told["address"], told["id"]) == (network[3].endpoint, network[3].ready["id"])
    assert told["version"] == "46520001"


def test_a_ping_that_nobody_answers_is_exit_4(dht):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((new_address(), 0))
        done = dht("ping", "%s:%d" % silent.getsockname())
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == "freshet dht ping: nobody answered\n"


def test_a_trace_tells_every_question_and_its_end(dht, network):
    done = dht("lookup", HASH, "--trace", "--json", begin=network[0].endpoint)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    asked = [event for event in events if event["event"] == "ask"]
    answered = [event for event in events if event["event"] == "answer"]
    nearest = [event for event in events if event["event"] == "nearest"]
    ids = {node.ready["id"]: node.endpoint for node in network}
    assert len(asked) == events[-1]["asked"] and len(answered) == events[-1]["answered"] >= 8
    assert {event["id"]: event["node"] for event in asked}.items() <= ids.items()
    assert {event["id"] for event in answered} <= {event["id"] for event in asked}
    assert all(event["nodes"] == 8 and event["rtt_ms"] >= 0 for event in answered)
    assert [event["seconds"] for event in asked] == sorted(event["seconds"] for event in asked)
    by_distance = sorted(ids, key=lambda text: int(text, 16) ^ int(HASH, 16))
    assert [event["id"] for event in nearest] == by_distance[:8]
    for event in nearest:
        assert event["distance_bits"] == (int(event["id"], 16) ^ int(HASH, 16)).bit_length()
    assert events[-1]["event"] == "done"


def test_a_lookup_prints_the_nearest_for_people(dht, network):
    done = dht("lookup", HASH, begin=network[0].endpoint)
    lines = done.stdout.splitlines()
    assert len(lines) == 9 and re.match(r"\d+ asked, \d+ answered, \d+ peers told$", lines[-1])
    assert all(re.match(r"2\^\d+ +[0-9a-f]{40}  127\.", line) for line in lines[:-1])
    traced = dht("lookup", HASH, "--trace", begin=network[1].endpoint).stdout
    assert NODES >= len(re.findall(r"^ +\d+\.\d{3} s  ask ", traced, re.M)) >= 8
    assert len(re.findall(r"^ +\d+\.\d{3} s  answer .* ms, 8 nodes, \d+ peers$", traced,
                          re.M)) >= 8


def test_stats_counts_a_small_network_and_asks_one_node(dht, network):
    done = dht("stats", begin=network[0].endpoint)
    assert (done.returncode, done.stdout) == (0, f"IPv4  {NODES} nodes (all that answered)\n")
    info_hash = "3a" * 20
    assert dht("announce", info_hash, "--port", 1, begin=network[0].endpoint).returncode == 0
    nearest = min(network, key=lambda node: int(node.ready["id"], 16) ^ int(info_hash, 16))
    told = json.loads(dht("stats", nearest.endpoint, "--json").stdout)
    assert (told["node"], told["id"]) == (nearest.endpoint, nearest.ready["id"])
    assert info_hash in told["samples"] and told["torrents"] == len(told["samples"])
    assert f"torrent     {info_hash}\n" in dht("stats", nearest.endpoint).stdout


# --- A node's life ---


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_node_with_0_and_stats(dht, node, number):
    one = node()
    assert re.fullmatch(r"[0-9a-f]{40}", one.ready["id"])
    assert dht("put", "x", begin=one.endpoint).stderr.endswith("stored on 1 nodes\n")
    code, stats = one.stop(number)
    assert code == 0
    assert stats["items"] == 1 and stats["queries_in"] >= 2
    assert stats["id"] == one.ready["id"]


def test_a_node_knows_its_id_and_its_nodes_again(dht, node):
    first = node()
    second = node("--bootstrap", first.endpoint)
    wait_for(lambda: count_of(second.endpoint) == 2, "two know one another")
    before = second.ready
    assert second.stop()[0] == 0
    again = node(state=second.state, address=second.address)
    assert again.ready["id"] == before["id"]
    # It begins at the nodes that it knew: nobody is named, and on loopback nobody else is asked.
    wait_for(lambda: count_of(again.endpoint) == 2, "it knows the other again")
    # An errand with that state begins there, too, and leaves the record alone.
    again.stop()
    done = dht("put", "x", "--state", again.state)
    assert done.returncode == 0 and done.stderr.endswith("stored on 1 nodes\n")
    last = node(state=second.state, address=second.address)
    assert last.ready["id"] == before["id"]


def test_a_node_keeps_the_names_that_it_was_given(node):
    late_address = new_address()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((late_address, 0))
        port = sock.getsockname()[1]
    one = node("--bootstrap", f"{late_address}:{port}")
    assert one.ready and one.stop()[0] == 0
    late = node("--listen", f"{late_address}:{port}")
    assert late.endpoint == f"{late_address}:{port}"
    again = node(state=one.state, address=one.address)
    wait_for(lambda: count_of(again.endpoint) == 2, "it has begun at the name of last time")


def test_one_state_is_one_nodes(freshet, node):
    one = node()
    assert one.ready
    done = freshet("dht", "node", "--listen", f"{new_address()}:0", "--state", one.state)
    assert done.returncode == 9
    assert str(one.process.pid) in done.stderr and done.stderr.count("\n") == 1


def test_a_taken_address_is_named(freshet, node, tmp_path):
    one = node()
    done = freshet("dht", "node", "--listen", one.endpoint, "--state", tmp_path / "other")
    assert done.returncode == 4
    assert one.endpoint in done.stderr and done.stderr.count("\n") == 1
    assert freshet("dht", "put", "x", "--listen", one.endpoint, "--bootstrap",
                   one.endpoint).returncode == 4


def test_a_read_only_node_answers_nobody(dht, node):
    one = node("--read-only")
    assert dht("ping", one.endpoint).returncode == 4


def test_a_terminal_sees_one_line_that_is_redrawn(node, tmp_path):
    parent, child = pty.openpty()
    process = subprocess.Popen([PROGRAM, "dht", "node", "--listen", f"{new_address()}:0", "--state",
                                tmp_path / "state"], stdin=subprocess.DEVNULL, stdout=child,
                               stderr=child, env={**os.environ, "TERM": "xterm", "COLUMNS": "80"})
    os.close(child)
    text = b""
    try:
        while text.count(b"queries a second") < 2:
            text += os.read(parent, 4096)
    finally:
        process.terminate()
        assert process.wait(30) == 0
        os.close(parent)
    assert text.startswith(b"listening on 127.2.")
    assert b"\r\x1b[K0 nodes, 0 torrents, 0 items, 0 queries a second" in text


# --- Mistakes ---


def test_nobody_to_begin_with_is_said_and_no_public_node_is_asked(dht):
    done = dht("get-peers", HASH)
    assert done.returncode == 4
    assert done.stderr == ("freshet dht get-peers: no node is known to begin with (give "
                           "--bootstrap HOST:PORT)\n")


def test_a_silent_beginning_is_named(dht):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((new_address(), 0))
        name = "%s:%d" % silent.getsockname()
        done = dht("put", "x", "--timeout", "500ms", begin=name)
    assert done.returncode == 4
    assert done.stderr == (f"freshet dht put: {name} did not answer in 500ms, and nobody else is "
                           "known\n")


def test_errands_one_after_another_from_one_address_all_come_to_their_end(freshet, node):
    """A node answers an address five times a second: who is not heard at first tries again."""
    lone, source = node(), new_address()
    for number in range(2):
        words = ("--bootstrap", lone.endpoint, "--listen", f"{source}:0")
        info_hash = f"{number:040x}"
        done = freshet("dht", "announce", info_hash, "--port", 7000 + number, *words)
        assert done.returncode == 0, done.stderr
        done = freshet("dht", "get-peers", info_hash, *words)
        assert done.stdout == f"{source}:{7000 + number}\n", done.stderr


@pytest.mark.parametrize("code, words", [
    (8, ("get-peers", "xyz")), (8, ("announce", "magnet:?dn=x", "--port", 1)), (8, ("lookup", "")),
    (2, ("get-peers",)), (2, ("get-peers", HASH, HASH)), (2, ("announce", HASH)),
    (2, ("announce", HASH, "--port", 0)), (2, ("announce", HASH, "--port", 65536)),
    (2, ("announce", HASH, "--port", "x")), (2, ("get",)), (2, ("get", "xyz")),
    (2, ("get", HASH, "--key", "12" * 32)), (2, ("get", "--key", "xyz")),
    (2, ("get", HASH, "--salt", "x" * 65)), (2, ("put",)), (2, ("put", "x", "--file", "y")),
    (2, ("put", "x", "--salt", "y")), (2, ("put", "x", "--seq", 1)), (2, ("put", "x", "--cas", 1)),
    (8, ("put", "x" * 997)), (8, ("put", "--bencoded", "x")), (8, ("put", "--bencoded", "i1ei2e")),
    (6, ("put", "--file", "/nowhere/at/all")), (2, ("ping",)), (2, ("ping", "127.0.0.1")),
    (2, ("ping", "localhost:1")), (2, ("ping", "127.0.0.1:0")), (2, ("stats", "x")),
    (2, ("get-peers", HASH, "--bootstrap", "nonsense")), (2, ("node", "--listen", "nonsense")),
    (2, ("node", "--bootstrap", "host")), (2, ("node", "--progress", "loud")), (2, ("node", "x")),
    (2, ("lookup", HASH, "--timeout", "soon")),
])
def test_nonsense_is_one_line_with_its_code(dht, code, words):
    done = dht(*words, listen="--listen" not in words)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith(f"freshet dht {words[0]}: ")
    assert done.stderr.count("\n") == 1 and done.stdout == ""


def test_a_value_of_the_longest_length_is_taken(dht, network):
    done = dht("put", "x" * 996, begin=network[0].endpoint)
    assert done.returncode == 0, done.stderr
    assert dht("get", done.stdout.strip(), begin=network[9].endpoint).stdout == "x" * 996
