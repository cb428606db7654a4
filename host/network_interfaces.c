/* SPDX-License-Identifier: MIT */
#include "host/network_interfaces.h"

#include "host/socket_address.h"

#include <ifaddrs.h>
#include <net/if.h>

static bool is_fit(const struct ifaddrs *interface)
{
    return (interface->ifa_flags & IFF_UP) &&
           (interface->ifa_flags & (IFF_MULTICAST | IFF_LOOPBACK));
}

/* May who listens at `listen` speak from the interface's address? */
static bool is_of(const struct ifaddrs *interface, const struct address *own,
                  const struct address *listen)
{
    if (address_is_unspecified(listen))
        return own->family == listen->family || listen->family == ADDRESS_IPV6;
    if (own->family != listen->family)
        return false;
    /* All of 127/8 is the loopback's, though it has only one of them. */
    if (address_is_loopback(listen))
        return (interface->ifa_flags & IFF_LOOPBACK) != 0;
    return address_same_ip(own, listen);
}

static void add(struct network_interfaces *found, const struct ifaddrs *interface,
                const struct address *own, const struct address *listen)
{
    struct network_interface *next = &found->list[found->count];
    uint32_t index = if_nametoindex(interface->ifa_name);

    for (uint32_t i = 0; i < found->count; i++)
        if (found->list[i].index == index && found->list[i].family == own->family)
            return;
    if (index == 0 || found->count == NETWORK_INTERFACES_MAX)
        return;
    *next = (struct network_interface){.index = index, .family = own->family};
    /* Peers connect to the source of a packet, so it must be where we listen. And loopback's
     * address is of so narrow a scope that the system would send from 0.0.0.0. */
    if (!address_is_unspecified(listen))
        next->source = *listen;
    else if (interface->ifa_flags & IFF_LOOPBACK)
        next->source = *own;
    found->count++;
}

void network_interfaces_find(const struct address *listen, struct network_interfaces *ret_found)
{
    struct ifaddrs *all = NULL;

    *ret_found = (struct network_interfaces){0};
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
        struct address own;
        if (at->ifa_addr && is_fit(at) && socket_address_from(at->ifa_addr, &own) &&
            is_of(at, &own, listen))
            add(ret_found, at, &own, listen);
    }
    freeifaddrs(all);
}

bool network_interfaces_equal(const struct network_interfaces *a,
                              const struct network_interfaces *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->list[i].index != b->list[i].index || a->list[i].family != b->list[i].family)
            return false;
    return true;
}
