/* SPDX-License-Identifier: MIT */
/*
 * The sockets of local discovery, in a network namespace of the test's own: nothing leaves it, and
 * interfaces can come and go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/lsd/lsd_packet.h"
#include "host/local_socket.h"
#include "host/network_interfaces.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEARD_MAX 64

struct ear {
    struct local_socket *socket;
    int count;
    struct address remotes[HEARD_MAX];
    char texts[HEARD_MAX][16];
};

static uv_loop_t loop;

static void on_received(void *context, struct event *event)
{
    struct ear *ear = context;

    assert_int_equal(event->type, EVENT_LOCAL_DATAGRAM);
    assert_true(ear->count < HEARD_MAX);
    assert_true(event->bytes.length < sizeof ear->texts[0]);
    ear->remotes[ear->count] = event->remote;
    memcpy(ear->texts[ear->count], event->bytes.data, event->bytes.length);
    ear->texts[ear->count++][event->bytes.length] = '\0';
}

static struct address address_of(const char *text)
{
    struct address address;

    assert_true(address_from_text(text, true, &address));
    return address;
}

static void open_ear(struct ear *ear, const char *listen)
{
    struct address address = address_of(listen);

    *ear = (struct ear){0};
    ear->socket = local_socket_new(&loop, &address, on_received, ear);
}

static void say(const struct ear *ear, enum address_family family, const char *text)
{
    struct address group = lsd_packet_group(family);

    local_socket_send(ear->socket, &group, (struct bytes){(const uint8_t *)text, strlen(text)});
}

/* How often that text came from there; from NULL: from anywhere. */
static int times_heard(const struct ear *ear, const char *from, const char *text)
{
    int count = 0;

    for (int i = 0; i < ear->count; i++) {
        struct address remote = ear->remotes[i];
        remote.port = 0;
        if (strcmp(ear->texts[i], text) != 0)
            continue;
        if (from) {
            struct address address = address_of(from);
            count += address_same_ip(&address, &remote);
        } else {
            count++;
        }
    }
    return count;
}

static void wait_for(const struct ear *ear, const char *from, const char *text)
{
    while (times_heard(ear, from, text) == 0)
        uv_run(&loop, UV_RUN_ONCE);
}

static void run(const char *command)
{
    char text[300];

    snprintf(text, sizeof text, "PATH=$PATH:/usr/sbin:/sbin; %s", command);
    assert_int_equal(system(text), 0);
}

/* One end is enough: what is sent there comes back to the programs of this machine. */
static void add_lan(void)
{
    run("ip link add v0 type veth peer name v1 && ip link set v0 addrgenmode none && "
        "ip link set v1 addrgenmode none && ip address add 192.168.77.1/24 dev v0 && "
        "ip address add fd00:77::1/64 dev v0 nodad && ip link set v1 up && ip link set v0 up");
}

static void remove_lan(void)
{
    run("ip link delete v0");
}

static int set_up(void **state)
{
    (void)state;
    run("ip link set lo up");
    return uv_loop_init(&loop);
}

static int tear_down(void **state)
{
    (void)state;
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void local_sockets_of_loopback_hear_each_other(void **state)
{
    struct ear one, other;

    (void)state;
    open_ear(&one, "127.0.0.5");
    open_ear(&other, "127.0.0.6");
    say(&one, ADDRESS_IPV4, "hello");
    wait_for(&other, "127.0.0.5", "hello");
    wait_for(&one, "127.0.0.5", "hello"); /* its own too */
    say(&other, ADDRESS_IPV4, "well met");
    wait_for(&one, "127.0.0.6", "well met");
    /* Each once, from the address where its peers can reach it. */
    assert_int_equal(times_heard(&other, NULL, "hello"), 1);
    assert_int_equal(times_heard(&one, NULL, "well met"), 1);
    local_socket_close(one.socket);
    local_socket_close(other.socket);
}

static void local_sockets_of_loopback_let_nothing_out(void **state)
{
    struct ear inside, everywhere, lan;

    (void)state;
    add_lan();
    open_ear(&inside, "127.0.0.5");
    open_ear(&lan, "192.168.77.1");
    open_ear(&everywhere, "0.0.0.0");
    say(&inside, ADDRESS_IPV4, "secret");
    say(&lan, ADDRESS_IPV4, "public");
    wait_for(&everywhere, "127.0.0.5", "secret");
    wait_for(&everywhere, "192.168.77.1", "public");
    wait_for(&lan, "192.168.77.1", "public");
    say(&everywhere, ADDRESS_IPV4, "end");
    wait_for(&inside, "127.0.0.1", "end");
    wait_for(&lan, "192.168.77.1", "end");
    assert_int_equal(times_heard(&lan, NULL, "secret"), 0);
    assert_int_equal(times_heard(&everywhere, NULL, "secret"), 1);
    assert_int_equal(times_heard(&inside, NULL, "public"), 0);
    local_socket_close(inside.socket);
    local_socket_close(everywhere.socket);
    local_socket_close(lan.socket);
    remove_lan();
}

static void local_sockets_speak_both_families(void **state)
{
    struct ear one, other;

    (void)state;
    add_lan();
    open_ear(&one, "::");
    open_ear(&other, "::");
    say(&one, ADDRESS_IPV4, "four");
    say(&one, ADDRESS_IPV6, "six");
    wait_for(&other, "192.168.77.1", "four");
    wait_for(&other, "127.0.0.1", "four");
    wait_for(&other, "fd00:77::1", "six");
    /* Who listens on IPv4 only does not speak IPv6. */
    local_socket_close(one.socket);
    open_ear(&one, "0.0.0.0");
    say(&one, ADDRESS_IPV6, "no six");
    say(&one, ADDRESS_IPV4, "still four");
    wait_for(&other, "192.168.77.1", "still four");
    say(&other, ADDRESS_IPV6, "end");
    wait_for(&other, NULL, "end");
    assert_int_equal(times_heard(&other, NULL, "no six"), 0);
    local_socket_close(one.socket);
    local_socket_close(other.socket);
    remove_lan();
}

static void local_socket_follows_interfaces_that_come_and_go(void **state)
{
    struct ear one, other;

    (void)state;
    open_ear(&one, "0.0.0.0");
    open_ear(&other, "0.0.0.0");
    for (int i = 0; i < 30; i++) { /* more often than a socket may have memberships */
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        add_lan();
        local_socket_refresh(one.socket);
        local_socket_refresh(other.socket);
        say(&one, ADDRESS_IPV4, text);
        wait_for(&other, "192.168.77.1", text);
        remove_lan();
        other.count = one.count = 0;
    }
    local_socket_refresh(one.socket);
    say(&one, ADDRESS_IPV4, "here");
    wait_for(&other, "127.0.0.1", "here");
    local_socket_close(one.socket);
    local_socket_close(other.socket);
}

static void local_socket_without_an_interface_waits_for_one(void **state)
{
    struct ear one, other;
    struct network_interfaces found;
    struct address any = address_of("::");

    (void)state;
    run("ip link set lo down");
    network_interfaces_find(&any, &found);
    assert_int_equal(found.count, 0);
    open_ear(&one, "127.0.0.1");
    open_ear(&other, "127.0.0.1");
    say(&one, ADDRESS_IPV4, "lost");
    say(&one, ADDRESS_IPV6, "lost");
    run("ip link set lo up");
    local_socket_refresh(one.socket);
    local_socket_refresh(other.socket);
    say(&one, ADDRESS_IPV4, "found");
    wait_for(&other, "127.0.0.1", "found");
    assert_int_equal(times_heard(&other, NULL, "lost"), 0);
    local_socket_close(one.socket);
    local_socket_close(other.socket);
    local_socket_close(NULL);
    local_socket_send(NULL, &any, BYTES_LITERAL("nowhere"));
}

/* One hop, and not taken for longer than it is. */
static void local_socket_sends_one_hop_and_drops_what_is_too_long(void **state)
{
    static char large[LIMIT_LSD_PACKET_IN + 1];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(LSD_PORT)};
    struct ip_mreqn join = {.imr_ifindex = 1};
    char bytes[16];
    _Alignas(struct cmsghdr) char control[64];
    struct iovec vector = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    int on = 1, hops = 0, fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ear ear;

    (void)state;
    inet_pton(AF_INET, "239.192.152.143", &to.sin_addr);
    join.imr_multiaddr = to.sin_addr;
    /* As other clients do it: SO_REUSEADDR alone. */
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
    open_ear(&ear, "127.0.0.1");
    say(&ear, ADDRESS_IPV4, "near");
    assert_int_equal(recvmsg(fd, &message, 0), 4);
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at))
        if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_TTL)
            memcpy(&hops, CMSG_DATA(at), sizeof hops);
    assert_int_equal(hops, 1);
    assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &join, sizeof join), 0);
    assert_int_equal(sendto(fd, large, sizeof large, 0, (struct sockaddr *)&to, sizeof to),
                     sizeof large);
    assert_int_equal(sendto(fd, "short", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    wait_for(&ear, NULL, "short");
    assert_int_equal(ear.count, 2); /* and its own */
    local_socket_close(ear.socket);
    close(fd);
}

static void network_interfaces_are_those_of_where_we_listen(void **state)
{
    static const struct {
        const char *listen;
        uint32_t count;
    } cases[] = {
        {"127.0.0.1", 1},    {"127.8.9.1", 1}, {"::1", 1},        {"192.168.77.1", 1},
        {"192.168.77.2", 0}, {"0.0.0.0", 2},   {"fd00:77::1", 1}, {"::", 4},
    };
    struct network_interfaces found, again;

    (void)state;
    add_lan();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address listen = address_of(cases[i].listen);
        network_interfaces_find(&listen, &found);
        assert_int_equal(found.count, cases[i].count);
        network_interfaces_find(&listen, &again);
        assert_true(network_interfaces_equal(&found, &again));
    }
    remove_lan();
    network_interfaces_find(&(struct address){.family = ADDRESS_IPV6}, &again);
    assert_int_equal(again.count, 2);
    assert_false(network_interfaces_equal(&found, &again));
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* A network of our own. Who is not root becomes it there. */
static int enter_namespace(void **state)
{
    unsigned user = getuid(), group = getgid();
    char text[64];

    (void)state;
    if (user == 0)
        return unshare(CLONE_NEWNET);
    if (unshare(CLONE_NEWNET | CLONE_NEWUSER) != 0)
        return -1;
    write_file("/proc/self/setgroups", "deny");
    snprintf(text, sizeof text, "0 %u 1", user);
    write_file("/proc/self/uid_map", text);
    snprintf(text, sizeof text, "0 %u 1", group);
    write_file("/proc/self/gid_map", text);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(local_sockets_of_loopback_hear_each_other),
        TEST(local_sockets_of_loopback_let_nothing_out),
        TEST(local_sockets_speak_both_families),
        TEST(local_socket_follows_interfaces_that_come_and_go),
        TEST(local_socket_without_an_interface_waits_for_one),
        TEST(local_socket_sends_one_hop_and_drops_what_is_too_long),
        TEST(network_interfaces_are_those_of_where_we_listen),
    };
    return cmocka_run_group_tests(tests, enter_namespace, NULL);
}
