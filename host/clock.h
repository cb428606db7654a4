/* SPDX-License-Identifier: MIT */
/*
 * The one place of a real machine where time is read. Everything else is handed `now`.
 */
#ifndef FRESHET_HOST_CLOCK_H
#define FRESHET_HOST_CLOCK_H

#include <stdint.h>

/* Monotonic nanoseconds, for deadlines and rates. */
int64_t clock_now(void);
/* Nanoseconds since 1970, for people, trackers and records. May jump. */
int64_t clock_wall(void);
/* Nanoseconds that this machine has slept since it was started; the monotonic clock leaves them
 * out. */
int64_t clock_slept(void);

#endif
