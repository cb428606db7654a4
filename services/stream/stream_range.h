/* SPDX-License-Identifier: MIT */
/* Which part of a file a request wants: the Range header (RFC 9110, 14). */
#ifndef FRESHET_STREAM_STREAM_RANGE_H
#define FRESHET_STREAM_STREAM_RANGE_H

#include <stdint.h>

enum stream_range {
    STREAM_WHOLE, /* no header, none that is understood, or several ranges at once: may be passed
                     over */
    STREAM_PART,
    STREAM_BEYOND, /* nothing of it is in the file: 416 */
};

/* `text` NULL: no header. *ret_first and *ret_count are always within the file; of BEYOND nothing.
 */
enum stream_range stream_range_parse(const char *text, uint64_t length, uint64_t *ret_first,
                                     uint64_t *ret_count);

#endif
