/* SPDX-License-Identifier: MIT */
#include "host/port_gateway.h"

#include "host/socket_address.h"

#include <string.h>
#include <unistd.h>

#define ROUTES        "/proc/net/route"
#define ROUTES_MAX    4096
#define ROUTE_UP      0x1u
#define ROUTE_GATEWAY 0x2u
#define PORT_DISCARD  9 /* nothing is sent there */

bool port_gateway_read(FILE *routes, struct address *ret_gateway)
{
    char line[256];
    unsigned best = 0;
    bool found = false;

    for (int i = 0; i < ROUTES_MAX && fgets(line, sizeof line, routes); i++) {
        unsigned to, gateway, flags, metric, mask;
        uint8_t ip[4];
        if (sscanf(line, "%*31s %x %x %x %*d %*u %u %x", &to, &gateway, &flags, &metric, &mask) !=
                5 ||
            to != 0 || mask != 0 || gateway == 0 ||
            (flags & (ROUTE_UP | ROUTE_GATEWAY)) != (ROUTE_UP | ROUTE_GATEWAY) ||
            (found && metric >= best))
            continue;
        memcpy(ip, &gateway, sizeof ip); /* printed as a number, though it is in network order */
        *ret_gateway = address_ipv4(ip, 0);
        best = metric;
        found = true;
    }
    return found;
}

/* A UDP socket that is connected has an address, and has sent nothing. */
static bool own_address(const struct address *gateway, struct address *ret_own)
{
    struct address to = *gateway, own;
    struct sockaddr_storage socket_to;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok;

    to.port = PORT_DISCARD;
    socklen_t length = socket_address_to(&to, false, &socket_to);
    ok = fd >= 0 && connect(fd, (struct sockaddr *)&socket_to, length) == 0 &&
         socket_address_of_local(fd, &own) && own.family == ADDRESS_IPV4;
    if (fd >= 0)
        close(fd);
    if (!ok)
        return false;
    own.port = 0;
    *ret_own = own;
    return true;
}

bool port_gateway_find(struct address *ret_gateway, struct address *ret_own)
{
    FILE *routes = fopen(ROUTES, "re");
    struct address gateway;
    bool found = routes && port_gateway_read(routes, &gateway);

    if (routes)
        fclose(routes);
    if (!found || !own_address(&gateway, ret_own))
        return false;
    *ret_gateway = gateway;
    return true;
}
