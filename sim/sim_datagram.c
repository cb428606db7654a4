/* SPDX-License-Identifier: MIT */
#include "sim/sim_datagram.h"

#include "core/base/memory.h"
#include "sim/sim_nat.h"
#include "sim/sim_network_state.h"

#include <string.h>

struct sim_datagram {
    struct sim_network *network; /* which outlives the ports */
    struct sim_port *from, *to;
    struct address source, remote; /* as those outside see them */
    int64_t queue_ns;
    bool is_at_door; /* it has crossed the link down, or waits there */
    struct sim_timer timer;
    struct list_node node;
    uint32_t length;
    uint8_t payload[];
};

static void datagram_free(struct sim_datagram *datagram)
{
    struct sim_network *network = datagram->network;
    sim_timer_stop(network->clock, &datagram->timer);
    list_remove(&network->datagrams, &datagram->node);
    memory_free(datagram);
}

static void drop_all(struct sim_network *network)
{
    while (!list_is_empty(&network->datagrams))
        datagram_free(LIST_ELEMENT(list_first(&network->datagrams), struct sim_datagram, node));
}

/* Through one link: when it is out at the other side; -1: the queue is full. */
static int64_t through_link(int64_t now, int64_t *free_at, uint32_t length, uint64_t rate,
                            int64_t queue_ns)
{
    if (*free_at < now)
        *free_at = now;
    if (rate && *free_at - now > queue_ns)
        return -1;
    *free_at += sim_clock_transfer_ns(length + SIM_DATAGRAM_HEADERS, rate);
    return *free_at;
}

/* Does it get to the program? Behind a NAT only through it. */
static bool has_reader(const struct sim_datagram *datagram)
{
    struct sim_port *to = datagram->to;
    struct address inner;
    if (!to->alive || to->utp == NULL || !sim_port_can_hear(datagram->from, to))
        return false;
    if (to->nat == NULL)
        return datagram->remote.port == SIM_LISTEN_PORT;
    return sim_nat_in(to->nat, to->network->clock->now, datagram->remote.port, &datagram->source,
                      &inner);
}

static void on_timer(void *context)
{
    struct sim_datagram *datagram = context;
    struct sim_port *to = datagram->to;
    struct sim_clock *clock = to->network->clock;
    if (!datagram->is_at_door) {
        datagram->is_at_door = true;
        int64_t out_at = has_reader(datagram)
                             ? through_link(clock->now, &to->down_free_at, datagram->length,
                                            to->link.down_bytes_per_s, datagram->queue_ns)
                             : -1;
        if (out_at < 0) {
            datagram_free(datagram);
            return;
        }
        to->bytes_down += datagram->length;
        sim_timer_set(clock, &datagram->timer, out_at);
        return;
    }
    if (to->utp)
        to->carrier->input(to->utp, &datagram->source,
                           (struct bytes){datagram->payload, datagram->length});
    datagram_free(datagram);
}

static void fly(struct sim_port *port, const struct sim_air *air, struct sim_port *to,
                const struct address *source, const struct address *remote, struct bytes payload,
                int64_t left_at)
{
    struct sim_network *network = port->network;
    struct sim_datagram *datagram = memory_new(sizeof *datagram + payload.length);
    *datagram = (struct sim_datagram){.network = network,
                                      .from = port,
                                      .to = to,
                                      .source = *source,
                                      .remote = *remote,
                                      .queue_ns = air->queue_ns,
                                      .length = (uint32_t)payload.length};
    memcpy(datagram->payload, payload.data, payload.length);
    int64_t jitter_ns = 0;
    if (air->jitter_ns > 0)
        jitter_ns = air->jitter_ns / 1024 * rng_below(&network->rng, 1024);
    sim_timer_init(&datagram->timer, on_timer, datagram);
    network->drop_datagrams = drop_all;
    list_append(&network->datagrams, &datagram->node);
    sim_timer_set(network->clock, &datagram->timer,
                  left_at + port->link.delay_ns + to->link.delay_ns + jitter_ns);
}

void sim_datagram_send(struct sim_port *port, const struct sim_air *air,
                       const struct address *remote, struct bytes payload, bool no_fragments)
{
    struct sim_network *network = port->network;
    int64_t now = network->clock->now;
    struct address source = sim_network_address(port->index, SIM_LISTEN_PORT);
    struct address inner = sim_network_lan_address(port->index, SIM_LISTEN_PORT);
    if (port->nat)
        source = sim_nat_out(port->nat, now, &inner, remote);
    int64_t left_at = through_link(now, &port->up_free_at, (uint32_t)payload.length,
                                   port->link.up_bytes_per_s, air->queue_ns);
    if (left_at < 0)
        return;
    port->bytes_up += payload.length;
    struct sim_port *to = sim_network_at(network, remote);
    if (to == NULL || address_is_private(remote) || (no_fragments && payload.length > air->mtu))
        return;
    if (rng_below(&network->rng, 1000) >= air->lost_per_mille)
        fly(port, air, to, &source, remote, payload, left_at);
    if (rng_below(&network->rng, 1000) < air->doubled_per_mille)
        fly(port, air, to, &source, remote, payload, left_at);
}
