/* SPDX-License-Identifier: MIT */
#include "host/socket_address.h"

#include <netinet/in.h>
#include <string.h>

bool socket_address_from(const struct sockaddr *from, struct address *ret_address)
{
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        *ret_address = address_ipv4((const uint8_t *)&in.sin_addr, ntohs(in.sin_port));
        return true;
    }
    if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, from, sizeof in);
        *ret_address = address_ipv6(in.sin6_addr.s6_addr, ntohs(in.sin6_port));
        return true;
    }
    return false;
}

socklen_t socket_address_to(const struct address *address, bool mapped,
                            struct sockaddr_storage *ret_to)
{
    memset(ret_to, 0, sizeof *ret_to);
    if (address->family == ADDRESS_IPV4 && !mapped) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&in.sin_addr, address->ip, 4);
        memcpy(ret_to, &in, sizeof in);
        return sizeof in;
    }
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
    if (address->family == ADDRESS_IPV4) {
        in.sin6_addr.s6_addr[10] = in.sin6_addr.s6_addr[11] = 0xff;
        memcpy(in.sin6_addr.s6_addr + 12, address->ip, 4);
    } else {
        memcpy(in.sin6_addr.s6_addr, address->ip, 16);
    }
    memcpy(ret_to, &in, sizeof in);
    return sizeof in;
}

bool socket_address_bind_like(int descriptor, const struct address *source,
                              const struct address *remote)
{
    struct address from = *source;
    struct sockaddr_storage local;

    if (source->family != remote->family || address_is_unspecified(source) ||
        address_is_loopback(source) != address_is_loopback(remote))
        return false;
    from.port = 0;
    socklen_t length = socket_address_to(&from, false, &local);
    return bind(descriptor, (struct sockaddr *)&local, length) == 0;
}

bool socket_address_of_local(int descriptor, struct address *ret_address)
{
    struct sockaddr_storage local;
    socklen_t length = sizeof local;

    if (getsockname(descriptor, (struct sockaddr *)&local, &length) != 0)
        return false;
    return socket_address_from((const struct sockaddr *)&local, ret_address);
}
