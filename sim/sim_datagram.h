/* SPDX-License-Identifier: MIT */
/*
 * Datagrams over the links of the pretend network. They share a port's link up and down with the
 * chunks of streams, wait in a queue of bounded length at either, and are lost, doubled and
 * overtaken as the sender's `sim_air` says. A port behind a NAT sends and receives through it.
 */
#ifndef FRESHET_SIM_DATAGRAM_H
#define FRESHET_SIM_DATAGRAM_H

#include "sim/sim_network.h"

#define SIM_DATAGRAM_HEADERS 28u /* IPv4 and UDP: what the link carries beside the payload */

/* The way of what a port sends. */
struct sim_air {
    int64_t jitter_ns; /* delay at random below that is added to each: they overtake one another */
    uint32_t lost_per_mille, doubled_per_mille;
    int64_t queue_ns; /* what a link's queue holds; what comes to a full one is lost */
    uint32_t mtu; /* payload that passes in one piece; larger ones that may not be cut are lost */
};

/* From the program of a port, at `port->owner`'s inner address, to wherever that leads. */
void sim_datagram_send(struct sim_port *port, const struct sim_air *air,
                       const struct address *remote, struct bytes payload, bool no_fragments);

#endif
