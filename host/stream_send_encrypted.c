/* SPDX-License-Identifier: MIT */
/* How a send goes out of a stream that is encrypted (host/stream_cipher.h). */
#include "host/stream_send.h"

#include "host/stream_transport.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Copies from the range at hand; 0: it is at its end. */
static ssize_t stream_send_copy_range(struct stream_sending *sending, uint8_t *to, size_t room)
{
    const struct held_range *range = &sending->ranges[sending->range_now];
    size_t left = range->length - sending->range_sent;
    size_t size = left < room ? left : room;
    ssize_t got = (ssize_t)size;

    if (size > 0 && range->descriptor) {
        got = pread(range->descriptor->fd, to, size, (off_t)(range->offset + sending->range_sent));
        if (got < 0)
            return -errno;
        if (got == 0)
            return -EIO; /* the file became shorter */
    } else {
        memset(to, 0, size);
    }
    sending->range_sent += (uint32_t)got;
    return got;
}

/* Copies header and ranges until the chunk is full or they are at their end. */
static ssize_t stream_send_gather(struct stream_sending *sending, uint8_t *chunk)
{
    size_t length = sending->header_length - sending->header_sent;

    length = length < STREAM_CHUNK_BYTES ? length : STREAM_CHUNK_BYTES;
    memcpy(chunk, sending->header + sending->header_sent, length);
    sending->header_sent += length;
    while (length < STREAM_CHUNK_BYTES && sending->range_now < sending->range_count) {
        ssize_t got = stream_send_copy_range(sending, chunk + length, STREAM_CHUNK_BYTES - length);
        if (got == -EINTR)
            continue;
        if (got < 0)
            return got;
        length += (size_t)got;
        if (sending->range_sent == sending->ranges[sending->range_now].length) {
            sending->range_now++;
            sending->range_sent = 0;
        }
    }
    return (ssize_t)length;
}

ssize_t stream_send_encrypted(struct stream_socket *stream)
{
    struct stream_cipher *cipher = stream->cipher;

    if (stream_cipher_pending(cipher).length == 0) {
        ssize_t length = stream_send_gather(&stream->sending, stream_cipher_chunk(cipher));
        if (length <= 0)
            return length;
        stream_cipher_encrypt(cipher, (size_t)length);
    }
    struct bytes pending = stream_cipher_pending(cipher);
    ssize_t sent = stream_transport_write(stream, pending.data, pending.length, false);
    if (sent < 0)
        return -errno;
    stream_cipher_sent(cipher, (size_t)sent);
    return sent;
}
