/* SPDX-License-Identifier: MIT */
/*
 * The three things that TCP and uTP do each in its own way. All answer as the system calls do:
 * bytes, 0 at the end of the stream, or -1 and errno; EAGAIN: not now, the stream is told when.
 */
#ifndef FRESHET_HOST_STREAM_TRANSPORT_H
#define FRESHET_HOST_STREAM_TRANSPORT_H

#include "host/stream_socket.h"

#include <sys/types.h>
#include <sys/uio.h>

/* Fewer bytes than there is room for: that was all for now. */
ssize_t stream_transport_read(struct stream_socket *stream, const struct iovec *vectors, int count);
/* `more`: something follows at once. */
ssize_t stream_transport_write(struct stream_socket *stream, const void *bytes, size_t length,
                               bool more);
/* 0: the file ends before the offset. */
ssize_t stream_transport_send_file(struct stream_socket *stream, int file, off_t offset,
                                   size_t length);

#endif
