/* SPDX-License-Identifier: MIT */
#include "sim/sim_node_utp.h"

#include "core/base/check.h"

void sim_node_utp_init(struct sim_node *node)
{
    const struct sim_node_options *options = &node->options;
    CHECK(options->uses_utp || (!options->no_tcp && !options->has_nat));
    node->port.no_tcp = options->no_tcp;
    struct address outer = sim_network_address(node->index, 0);
    if (options->has_nat) {
        sim_nat_init(&node->nat, &outer);
        node->port.nat = &node->nat;
        node->port.link.unreachable = true;
    }
}

static void on_datagram(void *owner, const struct address *source, struct bytes payload)
{
    struct event event = {.type = EVENT_DATAGRAM, .remote = *source, .bytes = payload};
    sim_node_input(owner, &event);
}

static void on_wrong(void *owner, const char *what, int64_t detail)
{
    struct sim_node *node = owner;
    sim_world_violation(node->world, node->index, what, detail);
}

void sim_node_utp_start(struct sim_node *node)
{
    struct sim_utp_options options = {
        .seed = rng_u64(&node->disk.rng),
        .policy = node->options.utp_policy,
        .air = node->options.air,
        .torrent = node->world->torrent,
        .datagram = on_datagram,
        .wrong = on_wrong,
        .owner = node,
    };
    sim_utp_new(&node->port, &options);
}

struct sim_utp_facts sim_node_utp_facts(const struct sim_node *node)
{
    struct sim_utp_facts all = node->utp;
    if (node->port.utp == NULL)
        return all;
    const struct sim_utp_facts *now = sim_utp_facts(node->port.utp);
    all.datagrams_out += now->datagrams_out;
    all.datagrams_in += now->datagrams_in;
    all.bytes_out += now->bytes_out;
    all.bytes_read += now->bytes_read;
    all.accepted += now->accepted;
    all.connected += now->connected;
    all.strays += now->strays;
    return all;
}

void sim_node_utp_stop(struct sim_node *node)
{
    node->utp = sim_node_utp_facts(node);
    sim_utp_free(node->port.utp);
}
