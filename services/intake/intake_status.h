/* SPDX-License-Identifier: MIT */
/* How a rule fares, as the host tells whoever asks (services/rpc/service.h). */
#ifndef FRESHET_INTAKE_INTAKE_STATUS_H
#define FRESHET_INTAKE_INTAKE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

struct intake_status {
    int64_t looked_s;  /* when it was looked at last, unix seconds; 0: not yet */
    uint32_t taken;    /* torrents that it brought in this run */
    uint32_t found;    /* files or items that are there */
    char title[128];   /* of a feed, as it calls itself */
    char trouble[320]; /* what went wrong last, in words; "" */
};

/* An item of a feed as it was read last. Borrowed until the step returns. */
struct intake_item {
    const char *title, *link; /* link NULL: nothing that could be taken */
    uint64_t size;
    bool fits, taken;
};

#endif
