/* SPDX-License-Identifier: MIT */
#include "sim/sim_nat.h"

#include "core/base/memory.h"

void sim_nat_init(struct sim_nat *nat, const struct address *outer)
{
    *nat = (struct sim_nat){.outer = *outer, .port_next = SIM_NAT_FIRST_PORT};
}

void sim_nat_deinit(struct sim_nat *nat)
{
    memory_free(nat->mappings);
    memory_free(nat->holes);
    *nat = (struct sim_nat){0};
}

static bool is_fresh(int64_t used_at, int64_t now)
{
    return now - used_at < SIM_NAT_IDLE_NS;
}

/* What was not used for long is forgotten; the order of the others stays. */
static void forget_idle(struct sim_nat *nat, int64_t now)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < nat->mapping_count; i++)
        if (is_fresh(nat->mappings[i].used_at, now))
            nat->mappings[kept++] = nat->mappings[i];
    nat->mapping_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < nat->hole_count; i++)
        if (is_fresh(nat->holes[i].used_at, now))
            nat->holes[kept++] = nat->holes[i];
    nat->hole_count = kept;
}

static struct sim_nat_mapping *mapping_of(struct sim_nat *nat, const struct address *inner)
{
    for (uint32_t i = 0; i < nat->mapping_count; i++)
        if (address_equal(&nat->mappings[i].inner, inner))
            return &nat->mappings[i];
    nat->mappings =
        memory_resize_array(nat->mappings, nat->mapping_count + 1, sizeof *nat->mappings);
    struct sim_nat_mapping *mapping = &nat->mappings[nat->mapping_count++];
    *mapping = (struct sim_nat_mapping){.inner = *inner, .port = nat->port_next};
    if (++nat->port_next == 0)
        nat->port_next = SIM_NAT_FIRST_PORT;
    return mapping;
}

static struct sim_nat_hole *find_hole(struct sim_nat *nat, uint16_t port,
                                      const struct address *remote)
{
    for (uint32_t i = 0; i < nat->hole_count; i++)
        if (nat->holes[i].port == port && address_equal(&nat->holes[i].remote, remote))
            return &nat->holes[i];
    return NULL;
}

struct address sim_nat_out(struct sim_nat *nat, int64_t now, const struct address *inner,
                           const struct address *remote)
{
    forget_idle(nat, now);
    struct sim_nat_mapping *mapping = mapping_of(nat, inner);
    struct sim_nat_hole *hole = find_hole(nat, mapping->port, remote);
    if (hole == NULL) {
        nat->holes = memory_resize_array(nat->holes, nat->hole_count + 1, sizeof *nat->holes);
        hole = &nat->holes[nat->hole_count++];
        *hole = (struct sim_nat_hole){.port = mapping->port, .remote = *remote};
    }
    mapping->used_at = hole->used_at = now;
    struct address outer = nat->outer;
    outer.port = mapping->port;
    return outer;
}

/* What comes in keeps neither mapping nor hole open: nobody outside can hold a port (RFC 4787). */
bool sim_nat_in(struct sim_nat *nat, int64_t now, uint16_t port, const struct address *remote,
                struct address *ret_inner)
{
    forget_idle(nat, now);
    for (uint32_t i = 0; i < nat->mapping_count; i++) {
        if (nat->mappings[i].port != port || find_hole(nat, port, remote) == NULL)
            continue;
        *ret_inner = nat->mappings[i].inner;
        return true;
    }
    nat->dropped++;
    return false;
}
