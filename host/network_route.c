/* SPDX-License-Identifier: MIT */
#include "host/network_route.h"

#include "host/socket_address.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROXY_PORT 1080

/* From 1 to 255 bytes, as RFC 1929 wants them. */
static bool read_word(const char *text, size_t length, char ret_word[SOCKS_WORD_MAX + 1])
{
    size_t at = 0;

    for (size_t i = 0; i < length; i++) {
        int byte = (unsigned char)text[i];
        if (byte == '%') {
            int high = i + 2 < length ? bytes_hex_digit((uint8_t)text[i + 1]) : -1;
            int low = high >= 0 ? bytes_hex_digit((uint8_t)text[i + 2]) : -1;
            if (low < 0)
                return false;
            byte = high << 4 | low;
            i += 2;
        }
        if (byte == 0 || at == SOCKS_WORD_MAX)
            return false;
        ret_word[at++] = (char)byte;
    }
    ret_word[at] = '\0';
    return at > 0;
}

static bool read_login(const char *text, size_t length, struct socks_login *ret_login)
{
    const char *colon = memchr(text, ':', length);
    size_t user = colon ? (size_t)(colon - text) : 0;

    return colon && read_word(text, user, ret_login->user) &&
           read_word(colon + 1, length - user - 1, ret_login->password);
}

static bool read_port(const char *text, uint16_t *ret_port)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || port == 0 || port > UINT16_MAX)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

/* "HOST", "HOST:PORT", "[V6]", "[V6]:PORT". */
static bool read_host(const char *text, struct network_route *route)
{
    const char *end = *text == '[' ? strchr(text, ']') : text + strcspn(text, ":");
    const char *start = *text == '[' ? text + 1 : text;

    if (!end || end == start || (size_t)(end - start) > LIMIT_HOST_LENGTH)
        return false;
    memcpy(route->proxy_host, start, (size_t)(end - start));
    route->proxy_host[end - start] = '\0';
    if (strpbrk(route->proxy_host, " \t\r\n?#@%"))
        return false;
    end += *end == ']';
    route->proxy.port = PROXY_PORT;
    return *end == '\0' || (*end == ':' && read_port(end + 1, &route->proxy.port));
}

bool network_route_read_proxy(const char *text, struct network_route *route)
{
    struct network_route found = *route;
    char host[LIMIT_HOST_LENGTH + 16];
    const char *start = strstr(text, "://");
    size_t scheme = start ? (size_t)(start - text) : 0;

    if (!(scheme == 6 && strncmp(text, "socks5", 6) == 0) &&
        !(scheme == 7 && strncmp(text, "socks5h", 7) == 0))
        return false;
    start += 3;
    const char *at = strrchr(start, '@');
    if (at && !read_login(start, (size_t)(at - start), &found.login))
        return false;
    snprintf(host, sizeof host, "%s", at ? at + 1 : start);
    size_t length = strlen(host);
    if (length > 0 && host[length - 1] == '/')
        host[length - 1] = '\0';
    if (length + 1 >= sizeof host || strchr(host, '/') || !read_host(host, &found))
        return false;
    *route = found;
    return true;
}

bool network_route_read_interface(const char *text, struct network_route *route)
{
    struct address source;

    if (address_from_text(text, true, &source)) {
        if (source.port != 0 || address_is_unspecified(&source))
            return false;
        route->source = source;
        return true;
    }
    if (text[0] == '\0' || strlen(text) >= sizeof route->interface || strpbrk(text, "/: \t"))
        return false;
    strcpy(route->interface, text);
    return true;
}

bool network_route_has_proxy(const struct network_route *route)
{
    return route && route->proxy_host[0] != '\0';
}

bool network_route_has_interface(const struct network_route *route)
{
    return route && (route->interface[0] != '\0' || route->source.family != ADDRESS_NONE);
}

struct address network_route_first_hop(const struct network_route *route,
                                       const struct address *remote)
{
    return network_route_has_proxy(route) ? route->proxy : *remote;
}

/* The interface that has the address now; interfaces and addresses come and go. */
static bool find_interface(const struct address *source, char ret_name[IFNAMSIZ])
{
    struct ifaddrs *all, *one;
    struct address address;

    if (getifaddrs(&all) != 0)
        return false;
    for (one = all; one; one = one->ifa_next)
        if (one->ifa_addr && socket_address_from(one->ifa_addr, &address) &&
            address_same_ip(&address, source) && strlen(one->ifa_name) < IFNAMSIZ)
            break;
    if (one)
        strcpy(ret_name, one->ifa_name);
    freeifaddrs(all);
    return one != NULL;
}

int network_route_tie(const struct network_route *route, int fd, bool connects)
{
    struct sockaddr_storage from;
    char name[IFNAMSIZ];
    int family = AF_UNSPEC;
    socklen_t length = sizeof family;

    if (!network_route_has_interface(route))
        return 0;
    strcpy(name, route->interface);
    if (name[0] == '\0' && !find_interface(&route->source, name))
        return EADDRNOTAVAIL;
    /* Binding to an address alone would leave the way to the routing table. */
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name) + 1) != 0)
        return errno;
    if (!connects || route->source.family == ADDRESS_NONE)
        return 0;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) != 0)
        return errno;
    if (family != (route->source.family == ADDRESS_IPV6 ? AF_INET6 : AF_INET))
        return EAFNOSUPPORT;
    length = socket_address_to(&route->source, false, &from);
    return bind(fd, (struct sockaddr *)&from, length) == 0 ? 0 : errno;
}

uint32_t network_route_interface_index(const struct network_route *route)
{
    char name[IFNAMSIZ];

    strcpy(name, route->interface);
    if (name[0] == '\0' && !find_interface(&route->source, name))
        return 0;
    return if_nametoindex(name);
}

static enum freshet_error find_proxy(struct network_route *route)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    uint16_t port = route->proxy.port;
    enum freshet_error error = FRESHET_ERROR_RESOLVE;

    if (getaddrinfo(route->proxy_host, NULL, &hints, &found) != 0)
        return error;
    for (const struct addrinfo *one = found; one && error; one = one->ai_next)
        if (socket_address_from(one->ai_addr, &route->proxy))
            error = FRESHET_OK;
    route->proxy.port = port;
    freeaddrinfo(found);
    return error;
}

/* Whether a socket can be tied at all, before anything is begun. */
static int try_to_tie(const struct network_route *route)
{
    int fd = socket(route->source.family == ADDRESS_IPV6 ? AF_INET6 : AF_INET,
                    SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int number = fd < 0 ? errno : network_route_tie(route, fd, true);

    if (fd >= 0)
        close(fd);
    return number;
}

enum freshet_error network_route_open(struct network_route *route,
                                      char ret_text[NETWORK_ROUTE_TEXT])
{
    int number = try_to_tie(route);

    if (number) {
        char address[ADDRESS_TEXT_SIZE];
        address_ip_to_text(&route->source, address);
        snprintf(ret_text, NETWORK_ROUTE_TEXT, "nothing goes out by the interface %s: %s",
                 route->interface[0] ? route->interface : address, strerror(number));
        return FRESHET_ERROR_CONNECTION;
    }
    if (network_route_has_proxy(route) && find_proxy(route)) {
        snprintf(ret_text, NETWORK_ROUTE_TEXT, "the proxy %.200s has no address",
                 route->proxy_host);
        return FRESHET_ERROR_CONNECTION;
    }
    return FRESHET_OK;
}
