/* SPDX-License-Identifier: MIT */
/* Names to addresses, on libuv's threads. Addresses that the rules forbid are left out. */
#ifndef FRESHET_HOST_RESOLVER_H
#define FRESHET_HOST_RESOLVER_H

#include "core/door/door.h"

#include <uv.h>

struct resolver;

struct resolver *resolver_new(uv_loop_t *loop, void (*done)(void *context, struct event *event),
                              void *context);
/* What is under way is told CANCELLED by the loop, which must run until its handles are gone. */
void resolver_free(struct resolver *resolver);
/* From now on only numbers are answered, and names are REFUSED: the machine's resolver would say
 * elsewhere what we ask for. */
void resolver_refuse_names(struct resolver *resolver);
void resolver_start(struct resolver *resolver, const struct resolve_job *job);
void resolver_cancel(struct resolver *resolver, job_id job);

#endif
