/* SPDX-License-Identifier: MIT */
#include "host/local_socket.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/lsd/lsd_packet.h"
#include "host/network_interfaces.h"
#include "host/socket_address.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define FAMILIES       2
#define REFRESH_MS     (60 * 1000)
#define PACKETS_A_TURN 32
#define HOPS           1

/* One family's socket. */
struct local_group {
    uv_poll_t poll;
    int fd;
    bool closing;
    struct local_socket *socket;
    uint8_t buffer[LIMIT_LSD_PACKET_IN];
};

struct local_socket {
    uv_loop_t *loop;
    uv_timer_t timer;
    struct address listen;
    struct network_interfaces interfaces;
    struct local_group *groups[FAMILIES]; /* IPv4, IPv6; NULL: closed */
    void (*received)(void *context, struct event *event);
    void *context;
};

/* ---- receiving ---- */

/* false: nothing more. */
static bool local_group_receive(struct local_group *group)
{
    struct sockaddr_storage from;
    struct iovec vector = {group->buffer, sizeof group->buffer};
    struct msghdr message = {
        .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &vector, .msg_iovlen = 1};
    struct event event = {.type = EVENT_LOCAL_DATAGRAM};
    ssize_t length = recvmsg(group->fd, &message, MSG_DONTWAIT);

    if (length < 0)
        return errno == EINTR;
    if ((message.msg_flags & MSG_TRUNC) ||
        !socket_address_from((struct sockaddr *)&from, &event.remote))
        return true;
    event.bytes = (struct bytes){group->buffer, (size_t)length};
    group->socket->received(group->socket->context, &event);
    return true;
}

static void local_group_on_poll(uv_poll_t *poll, int status, int events)
{
    struct local_group *group = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < PACKETS_A_TURN && !group->closing; i++)
        if (!local_group_receive(group))
            return;
}

/* ---- opening ---- */

static void set(int fd, int level, int name, int value)
{
    setsockopt(fd, level, name, &value, sizeof value);
}

/* Several programs of a machine share the port. What another one has joined is not ours to hear
 * (MULTICAST_ALL): we may be told to keep to loopback. */
static void local_group_prepare(int fd, enum address_family family)
{
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (family == ADDRESS_IPV4) {
        set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
        set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
        set(fd, IPPROTO_IP, IP_MULTICAST_TTL, HOPS);
    } else {
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
        set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
        set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, HOPS);
    }
}

static bool local_group_join(int fd, const struct sockaddr_storage *to, uint32_t interface)
{
    if (to->ss_family == AF_INET) {
        struct ip_mreqn join = {.imr_multiaddr = ((const struct sockaddr_in *)to)->sin_addr,
                                .imr_ifindex = (int)interface};
        return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) == 0;
    }
    struct ipv6_mreq join = {.ipv6mr_multiaddr = ((const struct sockaddr_in6 *)to)->sin6_addr,
                             .ipv6mr_interface = interface};
    return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &join, sizeof join) == 0;
}

/* A socket that has joined at least one interface; -1: there is none. */
static int local_group_bind(const struct network_interfaces *interfaces, enum address_family family)
{
    struct address address = lsd_packet_group(family);
    struct sockaddr_storage to;
    socklen_t length = socket_address_to(&address, false, &to);
    uint32_t joined = 0;
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    local_group_prepare(fd, family);
    if (bind(fd, (struct sockaddr *)&to, length) == 0)
        for (uint32_t i = 0; i < interfaces->count; i++)
            joined += interfaces->list[i].family == family &&
                      local_group_join(fd, &to, interfaces->list[i].index);
    if (joined)
        return fd;
    close(fd);
    return -1;
}

static struct local_group *local_group_new(struct local_socket *socket, enum address_family family)
{
    int fd = local_group_bind(&socket->interfaces, family);

    if (fd < 0)
        return NULL;
    struct local_group *group = memory_new(sizeof *group);
    group->fd = fd;
    group->socket = socket;
    CHECK(uv_poll_init(socket->loop, &group->poll, fd) == 0);
    group->poll.data = group;
    uv_poll_start(&group->poll, UV_READABLE, local_group_on_poll);
    return group;
}

static void local_group_on_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

static void local_group_close(struct local_group *group)
{
    if (!group)
        return;
    group->closing = true;
    uv_close((uv_handle_t *)&group->poll, local_group_on_closed);
    close(group->fd);
}

/* ---- the whole ---- */

static enum address_family family_of(int index)
{
    return index == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6;
}

void local_socket_refresh(struct local_socket *socket)
{
    struct network_interfaces found;

    network_interfaces_find(&socket->listen, &found);
    bool same = network_interfaces_equal(&found, &socket->interfaces);
    socket->interfaces = found;
    for (int i = 0; i < FAMILIES; i++) {
        if (same && socket->groups[i])
            continue;
        /* All anew: a membership of an interface that is gone would stay for ever. */
        local_group_close(socket->groups[i]);
        socket->groups[i] = local_group_new(socket, family_of(i));
    }
}

static void local_socket_on_timer(uv_timer_t *timer)
{
    local_socket_refresh(timer->data);
}

struct local_socket *local_socket_new(uv_loop_t *loop, const struct address *listen,
                                      void (*received)(void *context, struct event *event),
                                      void *context)
{
    struct local_socket *socket = memory_new(sizeof *socket);

    socket->loop = loop;
    socket->listen = *listen;
    socket->received = received;
    socket->context = context;
    CHECK(uv_timer_init(loop, &socket->timer) == 0);
    socket->timer.data = socket;
    uv_timer_start(&socket->timer, local_socket_on_timer, REFRESH_MS, REFRESH_MS);
    local_socket_refresh(socket);
    return socket;
}

static void local_socket_on_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

void local_socket_close(struct local_socket *socket)
{
    if (!socket)
        return;
    for (int i = 0; i < FAMILIES; i++)
        local_group_close(socket->groups[i]);
    uv_close((uv_handle_t *)&socket->timer, local_socket_on_closed);
}

/* ---- sending ---- */

/* Aligned as the system wants it. */
struct local_control {
    _Alignas(struct cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void put_control(struct msghdr *message, struct local_control *control, int level, int type,
                        const void *info, size_t size)
{
    message->msg_control = control->bytes;
    message->msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), info, size);
}

/* Which interface it leaves by, and from where. */
static void name_way(const struct network_interface *interface, struct msghdr *message,
                     struct local_control *control)
{
    const uint8_t *ip = interface->source.ip; /* zeros: the system chooses */

    if (interface->family == ADDRESS_IPV4) {
        struct in_pktinfo info = {.ipi_ifindex = (int)interface->index};
        memcpy(&info.ipi_spec_dst, ip, sizeof info.ipi_spec_dst);
        put_control(message, control, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    } else {
        struct in6_pktinfo info = {.ipi6_ifindex = interface->index};
        memcpy(&info.ipi6_addr, ip, sizeof info.ipi6_addr);
        put_control(message, control, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
}

void local_socket_send(struct local_socket *socket, const struct address *group, struct bytes bytes)
{
    struct sockaddr_storage to;
    struct iovec vector = {(void *)(uintptr_t)bytes.data, bytes.length};
    struct local_group *from =
        socket ? socket->groups[group->family == ADDRESS_IPV4 ? 0 : 1] : NULL;

    if (!from)
        return;
    socklen_t length = socket_address_to(group, false, &to);
    for (uint32_t i = 0; i < socket->interfaces.count; i++) {
        const struct network_interface *interface = &socket->interfaces.list[i];
        struct local_control control = {0};
        struct msghdr message = {
            .msg_name = &to, .msg_namelen = length, .msg_iov = &vector, .msg_iovlen = 1};
        if (interface->family != group->family)
            continue;
        name_way(interface, &message, &control);
        while (sendmsg(from->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EINTR)
            continue;
    }
}
