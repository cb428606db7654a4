/* SPDX-License-Identifier: MIT */
/*
 * One file's bytes from one file system to another, or compared; for payload_move.c. Holes stay
 * holes, and where the file system can share blocks it does.
 */
#ifndef FRESHET_HOST_PAYLOAD_COPY_H
#define FRESHET_HOST_PAYLOAD_COPY_H

#include "core/base/error.h"
#include "host/state_reserve.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct payload_copy {
    int from, to;                  /* files; `to` is empty and may be written and read */
    const atomic_bool *cancelled;  /* looked at every MiB: CANCELLED */
    _Atomic uint64_t *bytes_done;  /* grows by what is copied; may be NULL */
    struct state_reserve *reserve; /* whose room it is to leave; NULL: of nobody */
};

/* Bytes, length, permissions and time of change; then synced, read back from the disk and compared:
 * FRESHET_ERROR_HASH when it is not what was written. */
enum freshet_error payload_copy_run(const struct payload_copy *copy);
/* Are the two equal in length and bytes? */
enum freshet_error payload_copy_compare(const struct payload_copy *copy, bool *ret_equal);

#endif
