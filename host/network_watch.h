/* SPDX-License-Identifier: MIT */
/*
 * Tells when this machine's addresses have changed (netlink) or it has slept (the clock that counts
 * sleep ran ahead): who knew us then does not find us any more.
 */
#ifndef FRESHET_HOST_NETWORK_WATCH_H
#define FRESHET_HOST_NETWORK_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct network_watch;

struct network_change {
    int64_t slept_ns; /* 0: it did not */
    bool lost_address;
};

/* `changed` comes a moment after the last of several changes. Never fails: without netlink only
 * sleep is seen. */
struct network_watch *network_watch_new(uv_loop_t *loop,
                                        void (*changed)(void *context,
                                                        const struct network_change *change),
                                        void *context);
/* The loop must run until its handles are gone. NULL is fine. */
void network_watch_close(struct network_watch *watch);

#endif
