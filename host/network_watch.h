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

/* What is made of the clock of sleep (clock_slept), without it. */
#define SLEEP_LEAST_NS INT64_C(5000000000) /* less is clocks that drift */
struct network_watch_sleep {
    int64_t seen_ns;   /* when it was looked at last */
    int64_t untold_ns; /* slept since somebody was told */
};
/* true: we have slept since the last look. */
bool network_watch_sleep_look(struct network_watch_sleep *sleep, int64_t slept_ns);
/* How long since the last telling, in all. */
int64_t network_watch_sleep_tell(struct network_watch_sleep *sleep);

/* `changed` comes a moment after the last of several changes, with how long we slept meanwhile (0:
 * we did not). Never fails: without netlink only sleep is seen. */
struct network_watch *
network_watch_new(uv_loop_t *loop, void (*changed)(void *context, int64_t slept_ns), void *context);
/* The loop must run until its handles are gone. NULL is fine. */
void network_watch_close(struct network_watch *watch);

#endif
