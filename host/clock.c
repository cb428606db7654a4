/* SPDX-License-Identifier: MIT */
#include "host/clock.h"

#include <time.h>

static int64_t clock_read(clockid_t which)
{
    struct timespec time;

    clock_gettime(which, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t clock_now(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

int64_t clock_wall(void)
{
    return clock_read(CLOCK_REALTIME);
}

int64_t clock_slept(void)
{
    return clock_read(CLOCK_BOOTTIME) - clock_read(CLOCK_MONOTONIC);
}
