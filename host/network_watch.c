/* SPDX-License-Identifier: MIT */
#include "host/network_watch.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/clock.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#define SETTLE_MS     2000
#define SLEEP_LOOK_MS 5000

struct network_watch {
    uv_poll_t poll;
    uv_timer_t settle, sleep;
    int descriptor;
    struct network_watch_sleep slept;
    void (*changed)(void *context, int64_t slept_ns);
    void *context;
    int handles_open;
};

bool network_watch_sleep_look(struct network_watch_sleep *sleep, int64_t slept_ns)
{
    int64_t more = slept_ns - sleep->seen_ns;

    sleep->seen_ns = slept_ns;
    if (more <= SLEEP_LEAST_NS)
        return false;
    sleep->untold_ns += more;
    return true;
}

int64_t network_watch_sleep_tell(struct network_watch_sleep *sleep)
{
    int64_t untold = sleep->untold_ns;

    sleep->untold_ns = 0;
    return untold;
}

static void on_settled(uv_timer_t *timer)
{
    struct network_watch *watch = timer->data;

    watch->changed(watch->context, network_watch_sleep_tell(&watch->slept));
}

/* What is said does not matter, only that something is. */
static void on_netlink(uv_poll_t *poll, int status, int events)
{
    struct network_watch *watch = poll->data;
    char bytes[8192];

    (void)status;
    (void)events;
    for (int i = 0; i < 64 && recv(watch->descriptor, bytes, sizeof bytes, 0) > 0; i++)
        continue;
    uv_timer_start(&watch->settle, on_settled, SETTLE_MS, 0);
}

static void on_sleep_look(uv_timer_t *timer)
{
    struct network_watch *watch = timer->data;
    if (network_watch_sleep_look(&watch->slept, clock_slept()))
        uv_timer_start(&watch->settle, on_settled, SETTLE_MS, 0);
}

static int open_netlink(void)
{
    struct sockaddr_nl local = {.nl_family = AF_NETLINK,
                                .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&local, sizeof local) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

struct network_watch *
network_watch_new(uv_loop_t *loop, void (*changed)(void *context, int64_t slept_ns), void *context)
{
    struct network_watch *watch = memory_new(sizeof *watch);

    watch->changed = changed;
    watch->context = context;
    watch->slept.seen_ns = clock_slept();
    watch->descriptor = open_netlink();
    CHECK(uv_timer_init(loop, &watch->settle) == 0);
    CHECK(uv_timer_init(loop, &watch->sleep) == 0);
    watch->poll.data = watch->settle.data = watch->sleep.data = watch;
    watch->handles_open = 2;
    uv_timer_start(&watch->sleep, on_sleep_look, SLEEP_LOOK_MS, SLEEP_LOOK_MS);
    if (watch->descriptor >= 0) {
        CHECK(uv_poll_init(loop, &watch->poll, watch->descriptor) == 0);
        uv_poll_start(&watch->poll, UV_READABLE, on_netlink);
        watch->handles_open++;
    }
    return watch;
}

static void on_closed(uv_handle_t *handle)
{
    struct network_watch *watch = handle->data;

    if (--watch->handles_open == 0)
        memory_free(watch);
}

void network_watch_close(struct network_watch *watch)
{
    if (!watch)
        return;
    if (watch->descriptor >= 0) {
        uv_poll_stop(&watch->poll);
        close(watch->descriptor);
        uv_close((uv_handle_t *)&watch->poll, on_closed);
    }
    uv_close((uv_handle_t *)&watch->settle, on_closed);
    uv_close((uv_handle_t *)&watch->sleep, on_closed);
}
