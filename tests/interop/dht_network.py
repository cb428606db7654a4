# SPDX-License-Identifier: MIT
"""A DHT of `freshet dht node`s inside the network of the test run, and errands in it."""
import json

import freshet_client
import network
from freshet_client import Freshet
from waiting import wait_for

PORT = 6881
NODES = 12  # Transmission looks for peers only when it knows more than eight nodes


class DhtNode(Freshet):
    """A node that stands."""

    def __init__(self, folder, *words):
        address = network.new_address()
        super().__init__(folder, address, "dht", "node", "--listen", f"{address}:{PORT}",
                         "--state", folder / "state", "--progress=json", *words)

    @property
    def id(self):
        return self.wait_event("ready")["id"]


def errand(verb, *words, begin, source=None, code=0):
    """Output of one `freshet dht VERB`, from an address of its own unless one is given."""
    return freshet_client.run("dht", verb, *words, "--bootstrap", begin, "--listen",
                              f"{source or network.new_address()}:0", code=code)


def count(begin):
    return json.loads(errand("stats", "--json", begin=begin))["nodes"]


def start(folder, nodes=NODES):
    """Nodes that know one another, from a lone first one on."""
    running = [DhtNode(folder / "dht-0")]
    running[0].wait_event("ready")
    for number in range(1, nodes):
        running.append(DhtNode(folder / f"dht-{number}", "--bootstrap", running[0].endpoint))
    for node in running:
        wait_for(lambda node=node: count(node.endpoint) >= nodes, "the DHT has formed")
    return running


def wait_peer(info_hash, peer, begin):
    """Until `freshet dht get-peers` finds that peer."""
    def found():
        done = freshet_client.call("dht", "get-peers", info_hash, "--bootstrap", begin, "--listen",
                                   f"{network.new_address()}:0")
        return peer in done.stdout.splitlines()

    wait_for(found, f"freshet finds {peer}", 60)
