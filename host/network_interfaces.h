/* SPDX-License-Identifier: MIT */
/*
 * The machine's interfaces that local discovery may use. Who listens at every address uses all that
 * are up and fit for multicast, and loopback, where other programs of this machine are. Who listens
 * at one address uses the interface that has it and no other: on a loopback address nothing leaves
 * the machine.
 */
#ifndef FRESHET_HOST_NETWORK_INTERFACES_H
#define FRESHET_HOST_NETWORK_INTERFACES_H

#include "core/base/address.h"

#define NETWORK_INTERFACES_MAX 32u

struct network_interface {
    uint32_t index; /* as the system numbers them */
    uint8_t family; /* enum address_family: it has an address of it */
    /* What to send from; ADDRESS_NONE: the system knows best, and may have several. */
    struct address source;
};

struct network_interfaces {
    uint32_t count;
    struct network_interface list[NETWORK_INTERFACES_MAX];
};

/* One entry an interface and family, in the system's order. None is no error. */
void network_interfaces_find(const struct address *listen, struct network_interfaces *ret_found);
bool network_interfaces_equal(const struct network_interfaces *a,
                              const struct network_interfaces *b);

#endif
