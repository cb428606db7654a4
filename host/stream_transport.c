/* SPDX-License-Identifier: MIT */
#include "host/stream_transport.h"

#include <sys/sendfile.h>
#include <sys/socket.h>

ssize_t stream_transport_read(struct stream_socket *stream, const struct iovec *vectors, int count)
{
    if (stream->is_utp)
        return stream->table->utp_calls->read(stream, vectors, count);
    return readv(stream->fd, vectors, count);
}

ssize_t stream_transport_write(struct stream_socket *stream, const void *bytes, size_t length,
                               bool more)
{
    if (stream->is_utp)
        return stream->table->utp_calls->write(stream, bytes, length);
    return send(stream->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
}

ssize_t stream_transport_send_file(struct stream_socket *stream, int file, off_t offset,
                                   size_t length)
{
    if (stream->is_utp)
        return stream->table->utp_calls->send_file(stream, file, offset, length);
    return sendfile(stream->fd, file, &offset, length);
}
