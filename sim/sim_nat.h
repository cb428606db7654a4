/* SPDX-License-Identifier: MIT */
/*
 * A pretend NAT before one node: endpoint-independent mapping, address-and-port-dependent filtering
 * (RFC 4787), as most home routers have it. An inner address and port keeps one public port as long
 * as it is used; what comes in to that port passes only from an address and port to which something
 * went out of it lately. Streams go out as they like, and none comes in (sim_link.unreachable).
 */
#ifndef FRESHET_SIM_NAT_H
#define FRESHET_SIM_NAT_H

#include "core/base/address.h"
#include "core/base/limits.h"

#define SIM_NAT_IDLE_NS    (120 * SECOND_NS) /* a mapping or a hole unused for so long is gone */
#define SIM_NAT_FIRST_PORT 40000

struct sim_nat_mapping {
    struct address inner;
    uint16_t port; /* the public one */
    int64_t used_at;
};

struct sim_nat_hole {
    uint16_t port;
    struct address remote;
    int64_t used_at;
};

struct sim_nat {
    struct address outer; /* its port is not used */
    uint16_t port_next;
    struct sim_nat_mapping *mappings;
    struct sim_nat_hole *holes;
    uint32_t mapping_count, hole_count;
    uint64_t dropped; /* that wanted in */
};

void sim_nat_init(struct sim_nat *nat, const struct address *outer);
void sim_nat_deinit(struct sim_nat *nat);
/* A datagram goes from inside to `remote`: the address that it then comes from. */
struct address sim_nat_out(struct sim_nat *nat, int64_t now, const struct address *inner,
                           const struct address *remote);
/* One comes to a public port: who inside gets it; false: nobody. */
bool sim_nat_in(struct sim_nat *nat, int64_t now, uint16_t port, const struct address *remote,
                struct address *ret_inner);

#endif
