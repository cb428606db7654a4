/* SPDX-License-Identifier: MIT */
/*
 * What a browser is told that a file is. Whoever made the torrent chose the name: only what a
 * browser plays or shows without running anything has a type of its own.
 */
#ifndef FRESHET_STREAM_STREAM_TYPE_H
#define FRESHET_STREAM_STREAM_TYPE_H

#include "core/base/bytes.h"

#include <stdbool.h>

#define STREAM_TYPE_OTHER "application/octet-stream"

/* By what stands behind the last dot; static. */
const char *stream_type_of(const char *name);
/* A value for Content-Disposition: `inline` for what has a type, else `attachment`, with the name
 * (RFC 6266, 8187). */
void stream_type_disposition(const char *name, struct buffer *out);

#endif
