/* SPDX-License-Identifier: MIT */
/* freshet dht: the DHT as a person can use it; each verb has a file of its own. */
#include "cli/command.h"

extern const struct command dht_node_command, dht_get_peers_command, dht_announce_command,
    dht_get_command, dht_put_command, dht_ping_command, dht_lookup_command, dht_stats_command;

static const struct command *const verbs[] = {
    &dht_node_command,   &dht_get_peers_command, &dht_announce_command,
    &dht_get_command,    &dht_put_command,       &dht_ping_command,
    &dht_lookup_command, &dht_stats_command,     NULL,
};

extern const struct command dht_command;
const struct command dht_command = {
    .name = "dht",
    .summary = "ask the DHT, or be a node of it",
    .operands = "VERB [OPTION]... [OPERAND]...",
    .description =
        "The distributed hash table of BitTorrent (BEP 5, 32, 33, 42 to 45, 51): who has a torrent "
        "is kept by the nodes whose ids are nearest to its info-hash, and small items (BEP 44) by "
        "those nearest to theirs.\n"
        "\n"
        "'dht node' is a node that stands, for a network of one's own or to take part in the "
        "public "
        "one. Every other verb is one errand: it begins at the nodes that the state knows from "
        "earlier runs, else at the public ones, or at a named one and at no other, so that a lone "
        "'freshet dht node' on 127.0.0.1 is enough to try all of them. Who listens on a loopback "
        "address never asks the public ones.\n"
        "\n"
        "Ends with 4 when nobody answers, or nothing is found, in time.",
    .examples = {"freshet dht node --listen 127.0.0.1:6881",
                 "freshet dht announce 0123456789abcdef0123456789abcdef01234567 --port 6881 "
                 "--bootstrap 127.0.0.1:6881",
                 "freshet dht get-peers 0123456789abcdef0123456789abcdef01234567"},
    .verbs = verbs,
};
