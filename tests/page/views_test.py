# SPDX-License-Identifier: MIT
"""On the page: pictures of what goes on inside, while bytes really move."""
import shutil

from daemons import daemons  # noqa: F401, a fixture
from dht_test import node  # noqa: F401, a fixture
from page_test import NAME, ask, films  # noqa: F401, a fixture
from peers import peers, wait_for  # noqa: F401, fixtures


def test_pieces_name_the_peers_that_they_are_asked_of(daemons, films, peers, browse, tmp_path):
    made, source, _ = films
    seeds = []
    for name in ("one", "two"):  # a folder of its own each: one process has a root
        shutil.copytree(source, tmp_path / name / NAME)
        seeds.append(peers("seed", made, "-o", tmp_path / name, "-u", "12K").endpoint)
    daemon = daemons("--peer", seeds[0], "--peer", seeds[1])
    number = daemon.add(made)["id"]

    def asked():
        fetching = ask(daemon, "GET", f"/torrents/{number}/pieces")["fetching"]
        return {peer["address"] for fetch in fetching for peer in fetch["peers"]}
    wait_for(lambda: asked() == set(seeds), lambda: f"{asked()}\n{daemon.log()}")
    browse("fetching", daemon, torrentName=NAME, peers=seeds)
    ask(daemon, "POST", f"/torrents/{number}/stop")
    wait_for(lambda: asked() == set(), daemon.log)


def test_the_dht_is_a_ring_without_addresses(daemons, node, browse):
    first = node()
    second = node("--bootstrap", first.endpoint)
    daemon = daemons("--bootstrap", first.endpoint, "--bootstrap", second.endpoint, begin=False)
    daemon.words.remove("--no-dht")
    daemon.start()

    def states():
        families = ask(daemon, "GET", "/dht", token=daemon.read_token)["families"]
        return [one["state"] for family in families for one in family["nodes"]]
    wait_for(lambda: states() == ["good", "good"], lambda: f"{states()}\n{daemon.log()}")
    (family,) = ask(daemon, "GET", "/dht")["families"]
    browse("ring", daemon, token=daemon.read_token, ids=[one["id"] for one in family["nodes"]],
           addresses=[first.address, second.address, daemon.endpoint.rsplit(":", 1)[0]])


def test_a_dht_that_is_off_is_said_to_be(daemons, browse):
    browse("ringless", daemons())


def test_pieces_pass_from_the_wire_to_the_disk(daemons, films, browse):
    made, source, seed = films
    daemon = daemons("--peer", seed.endpoint)
    number = daemon.add(made, paused=True)["id"]
    ask(daemon, "PATCH", f"/torrents/{number}", {"download_limited": True, "download_limit": 60000})
    ask(daemon, "POST", f"/torrents/{number}/start")
    wait_for(lambda: ask(daemon, "GET", f"/torrents/{number}/pipeline")["verified"], daemon.log)
    browse("pipeline", daemon, torrentName=NAME)
    ask(daemon, "PATCH", f"/torrents/{number}", {"download_limited": False})
    daemon.wait_complete(1)
    before = ask(daemon, "GET", "/pipeline")["hashing"]["bytes"]
    total = ask(daemon, "GET", f"/torrents/{number}/pipeline")["total"]
    assert before >= total
    ask(daemon, "POST", f"/torrents/{number}/recheck")
    wait_for(lambda: ask(daemon, "GET", "/pipeline")["hashing"]["bytes"] >= before + total, daemon.log)
    wait_for(lambda: (now := ask(daemon, "GET", f"/torrents/{number}/pipeline"))["verified"] == now["pieces"] ==
             now["durable"], daemon.log)
