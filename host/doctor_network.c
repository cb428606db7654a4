/* SPDX-License-Identifier: MIT */
#include "host/doctor.h"

#include "host/socket_address.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS    3000
#define BUFFER_WANTED (1024 * 1024) /* as datagram_socket asks for */
#define FAR_IPV4                                                                                   \
    {                                                                                              \
        192, 0, 2, 1                                                                               \
    } /* documentation: nothing is sent there */
#define FAR_IPV4_PORT 9
#define PORT_DEFAULT  6881

/* Of no machine: documentation (RFC 5737, 3849) and benchmarks (RFC 2544). */
static bool is_for_papers(const struct address *address)
{
    static const uint8_t papers[][3] = {{192, 0, 2}, {198, 51, 100}, {203, 0, 113}};
    static const uint8_t papers6[4] = {0x20, 0x01, 0x0d, 0xb8};

    if (address->family == ADDRESS_IPV6)
        return memcmp(address->ip, papers6, sizeof papers6) == 0;
    for (size_t i = 0; i < sizeof papers / sizeof *papers; i++)
        if (memcmp(address->ip, papers[i], sizeof papers[i]) == 0)
            return true;
    return address->ip[0] == 198 && (address->ip[1] & 0xfe) == 18;
}

bool doctor_is_public(const struct address *address)
{
    return address->family != ADDRESS_NONE && !address_is_private(address) &&
           !address_is_loopback(address) && !address_is_multicast(address) &&
           !address_is_unspecified(address) && !is_for_papers(address);
}

/* By which address this machine would speak to the world; ADDRESS_NONE: by none. A UDP socket that
 * is connected has an address, and has sent nothing. */
static struct address own_address(enum address_family family)
{
    static const uint8_t far4[4] = FAR_IPV4;
    static const uint8_t far6[16] = {0x20, 0x01, 0x48, 0x60, 0x48, 0x60, 0,    0,
                                     0,    0,    0,    0,    0,    0,    0x88, 0x88};
    struct address far = family == ADDRESS_IPV4 ? address_ipv4(far4, FAR_IPV4_PORT)
                                                : address_ipv6(far6, FAR_IPV4_PORT);
    struct address own = {0};
    struct sockaddr_storage to;
    socklen_t length = socket_address_to(&far, false, &to);
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, length) == 0)
        (void)socket_address_of_local(fd, &own);
    if (fd >= 0)
        close(fd);
    own.port = 0;
    return own;
}

/* 0, or errno. */
static int try_connect(const struct address *address)
{
    struct sockaddr_storage to;
    socklen_t length = socket_address_to(address, false, &to), size = sizeof(int);
    struct pollfd wait = {.fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                          .events = POLLOUT};
    int error = 0;

    if (wait.fd < 0)
        return errno;
    if (connect(wait.fd, (struct sockaddr *)&to, length) != 0) {
        error = errno;
        if (error == EINPROGRESS && poll(&wait, 1, CONNECT_MS) != 1)
            error = ETIMEDOUT;
        else if (error == EINPROGRESS && getsockopt(wait.fd, SOL_SOCKET, SO_ERROR, &error, &size))
            error = errno;
    }
    close(wait.fd);
    return error;
}

/* Where it listens on every address: the one that others of the network would use. */
static struct address reachable_at(const struct address *listen)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    struct address own;

    if (!address_is_unspecified(listen))
        return *listen;
    own = own_address(ADDRESS_IPV4);
    if (own.family == ADDRESS_NONE)
        own = own_address(ADDRESS_IPV6);
    if (own.family == ADDRESS_NONE)
        own = address_ipv4(loopback, 0);
    own.port = listen->port;
    return own;
}

void doctor_check_port(const struct address *listen, struct doctor_finding *ret_finding)
{
    struct address at = reachable_at(listen);
    char text[ADDRESS_TEXT_SIZE];
    int error = try_connect(&at);

    *ret_finding = (struct doctor_finding){.check = "port"};
    address_to_text(&at, text);
    if (error == 0) {
        doctor_find(ret_finding, DOCTOR_OK, "%s takes connections from this machine", text);
        return;
    }
    doctor_find(ret_finding, DOCTOR_BAD, "%s takes no connection, not even from here: %s", text,
                strerror(error));
    doctor_advise(ret_finding,
                  "a firewall of this machine may be in the way: let TCP and UDP of "
                  "port %u in",
                  at.port);
}

/* A listener on every address, IPv6 if there is one; or -errno. */
static int listen_everywhere(uint16_t port)
{
    static const uint8_t none[16] = {0};
    int on = 1, number = 0;

    for (int family = 0; family < 2; family++) {
        struct address any = family == 0 ? address_ipv6(none, port) : address_ipv4(none, port);
        struct sockaddr_storage at;
        socklen_t length = socket_address_to(&any, false, &at);
        int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0)
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (fd >= 0 && bind(fd, (struct sockaddr *)&at, length) == 0 && listen(fd, 4) == 0)
            return fd;
        number = errno;
        if (fd >= 0)
            close(fd);
    }
    return -number;
}

void doctor_check_free_port(uint16_t port, struct doctor_finding *ret_finding)
{
    static const uint8_t none[4] = {0};
    uint16_t wanted = port ? port : PORT_DEFAULT;
    struct address any = address_ipv4(none, wanted);
    int fd = listen_everywhere(wanted);

    *ret_finding = (struct doctor_finding){.check = "port"};
    if (fd < 0) {
        doctor_find(ret_finding, DOCTOR_WARN, "port %u cannot be had: %s", wanted, strerror(-fd));
        doctor_advise(ret_finding, "another program has it; freshet takes the next free one, and "
                                   "a router has to be told of that");
        return;
    }
    doctor_check_port(&any, ret_finding);
    if (ret_finding->level == DOCTOR_OK)
        doctor_find(ret_finding, DOCTOR_OK,
                    "no daemon runs; port %u is free and takes connections from this machine",
                    wanted);
    close(fd);
}

void doctor_check_nat(uint16_t port, struct doctor_finding *ret_finding)
{
    struct address v4 = own_address(ADDRESS_IPV4), v6 = own_address(ADDRESS_IPV6);
    char text4[ADDRESS_TEXT_SIZE] = "no IPv4", text6[ADDRESS_TEXT_SIZE] = "no IPv6";
    uint16_t shown = port ? port : PORT_DEFAULT;

    *ret_finding = (struct doctor_finding){.check = "nat"};
    if (v4.family)
        address_ip_to_text(&v4, text4);
    if (v6.family)
        address_ip_to_text(&v6, text6);
    if (doctor_is_public(&v4)) {
        doctor_find(ret_finding, DOCTOR_OK, "this machine has a public address (%s, %s)", text4,
                    text6);
    } else if (!v4.family && !v6.family) {
        doctor_find(ret_finding, DOCTOR_WARN, "this machine has no way to the internet");
        doctor_advise(ret_finding, "peers of the local network only can be reached");
    } else {
        doctor_find(ret_finding, DOCTOR_WARN,
                    "its own address is not one of the internet's (%s, %s): a router stands "
                    "between%s",
                    text4, text6, doctor_is_public(&v6) ? ", for IPv4" : "");
        doctor_advise(ret_finding,
                      "forward TCP and UDP port %u in the router to this machine, else nobody "
                      "outside can begin a connection",
                      shown);
    }
}

void doctor_check_udp(struct doctor_finding *ret_finding)
{
    int wanted = BUFFER_WANTED, got = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof got;

    *ret_finding = (struct doctor_finding){.check = "udp"};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &length) != 0) {
        doctor_find(ret_finding, DOCTOR_BAD, "no UDP socket: %s", strerror(errno));
    } else if (got / 2 < wanted) { /* the kernel counts its own costs too, and doubles it */
        doctor_find(ret_finding, DOCTOR_WARN, "the kernel gives UDP sockets %d KiB for %d KiB",
                    got / 2048, wanted / 1024);
        doctor_advise(ret_finding,
                      "sysctl -w net.core.rmem_max=%d (and in /etc/sysctl.d), else "
                      "bursts of trackers' and DHT answers are lost",
                      wanted);
    } else {
        doctor_find(ret_finding, DOCTOR_OK, "UDP sockets get the %d KiB that are asked for",
                    wanted / 1024);
    }
    if (fd >= 0)
        close(fd);
}
