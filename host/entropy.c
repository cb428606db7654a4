/* SPDX-License-Identifier: MIT */
#include "host/entropy.h"

#include "core/base/check.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

void entropy_fill(void *bytes, size_t length)
{
    uint8_t *at = bytes;

    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        CHECK(got > 0);
        at += got;
        length -= (size_t)got;
    }
}
