/* SPDX-License-Identifier: MIT */
#include "host/stream_send.h"

#include "core/base/memory.h"
#include "host/posix_error.h"
#include "host/stream_transport.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

/* Each range holds a file open; a block of a torrent of tiny files may have thousands. */
#define RANGES_HELD_MAX 64u

static const uint8_t zeros[4096];

/* Tells what went out; `done` frees the slot for the next ACTION_SEND. */
static void stream_tell_sent(struct stream_socket *stream, bool done)
{
    struct event event = {
        .type = EVENT_SENT, .conn = stream->id, .length = stream->sending.unreported, .done = done};

    stream->sending.unreported = 0;
    if (done)
        stream_socket_drop_send(stream);
    else if (event.length == 0)
        return;
    stream_socket_tell(stream, &event);
}

/* Is the byte in the page cache? Where the file system cannot tell, yes. */
static bool stream_byte_is_warm(int fd, uint64_t offset, bool *ret_missing)
{
    uint8_t byte;
    struct iovec vector = {&byte, 1};
    ssize_t got = preadv2(fd, &vector, 1, (off_t)offset, RWF_NOWAIT);

    if (got == 0)
        *ret_missing = true;
    return got >= 0 || errno != EAGAIN;
}

static bool stream_is_warm(struct stream_sending *sending, bool *ret_missing)
{
    for (uint32_t i = 0; i < sending->range_count; i++) {
        const struct held_range *range = &sending->ranges[i];
        if (!range->descriptor || range->length == 0)
            continue;
        if (!stream_byte_is_warm(range->descriptor->fd, range->offset + range->length - 1,
                                 ret_missing) ||
            !stream_byte_is_warm(range->descriptor->fd, range->offset, ret_missing))
            return false;
    }
    return true;
}

/* Sends some of what is left. >0 bytes, 0 nothing left, <0 -errno. */
static ssize_t stream_send_some(struct stream_socket *stream)
{
    struct stream_sending *sending = &stream->sending;
    ssize_t sent;

    if (stream_cipher_encrypts(stream->cipher))
        return stream_send_encrypted(stream);
    if (sending->header_sent < sending->header_length) {
        sent = stream_transport_write(stream, sending->header + sending->header_sent,
                                      sending->header_length - sending->header_sent,
                                      sending->range_count > 0);
        if (sent < 0)
            return -errno;
        sending->header_sent += (size_t)sent;
        return sent;
    }
    while (sending->range_now < sending->range_count &&
           sending->range_sent == sending->ranges[sending->range_now].length) {
        sending->range_now++;
        sending->range_sent = 0;
    }
    if (sending->range_now == sending->range_count)
        return 0;
    const struct held_range *range = &sending->ranges[sending->range_now];
    size_t left = range->length - sending->range_sent;
    bool more = sending->range_now + 1 < sending->range_count;
    if (range->descriptor) {
        off_t offset = (off_t)(range->offset + sending->range_sent);
        sent = stream_transport_send_file(stream, range->descriptor->fd, offset, left);
        if (sent == 0)
            return -EIO; /* the file became shorter */
    } else {
        sent =
            stream_transport_write(stream, zeros, left < sizeof zeros ? left : sizeof zeros, more);
    }
    if (sent < 0)
        return -errno;
    sending->range_sent += (uint32_t)sent;
    return sent;
}

/* What went wrong: our disk, or the way to the peer? */
static enum freshet_error stream_send_error(const struct stream_sending *sending, int number)
{
    bool in_file = sending->header_sent == sending->header_length &&
                   sending->range_now < sending->range_count &&
                   sending->ranges[sending->range_now].descriptor;

    if (in_file && number != EPIPE && number != ECONNRESET && number != ETIMEDOUT &&
        number != EHOSTUNREACH && number != ENETUNREACH && number != ENETDOWN &&
        number != ECONNABORTED)
        return FRESHET_ERROR_IO;
    return posix_error_of_socket(number);
}

void stream_send_ready(struct stream_socket *stream)
{
    struct stream_sending *sending = &stream->sending;

    if (!sending->active || sending->warming_now)
        return;
    while (stream->turn_left > 0) {
        ssize_t sent = stream_send_some(stream);
        if (sent == -EINTR)
            continue;
        if (sent == -EAGAIN) {
            stream_tell_sent(stream, false);
            stream_socket_poll(stream);
            return;
        }
        if (sent < 0) {
            stream_socket_fail(stream, stream_send_error(sending, (int)-sent));
            return;
        }
        if (sent == 0) {
            stream_tell_sent(stream, true);
            return;
        }
        sending->unreported += (uint32_t)sent;
        stream->turn_left -= sent < stream->turn_left ? (uint32_t)sent : stream->turn_left;
    }
    /* Others' turn; the poll brings us back in the next one. */
    stream_tell_sent(stream, false);
    stream_socket_poll(stream);
}

static void stream_on_warm(struct disk_warming *warming, enum freshet_error error)
{
    struct stream_sending *sending = LIST_ELEMENT(warming, struct stream_sending, warming);
    struct stream_socket *stream = LIST_ELEMENT(sending, struct stream_socket, sending);

    sending->warming_now = false;
    if (stream->closing) {
        stream_socket_drop_send(stream);
        stream_socket_unlink(stream);
        return;
    }
    if (error) {
        stream_socket_fail(stream, FRESHET_ERROR_IO);
        return;
    }
    stream_send_ready(stream);
}

static enum freshet_error stream_hold_ranges(struct stream_socket *stream,
                                             const struct action *action)
{
    struct stream_sending *sending = &stream->sending;

    sending->files = disk_files(stream->table->options.disk, action->storage);
    if (!sending->files)
        return FRESHET_ERROR_IO;
    sending->ranges = memory_new_array(action->range_count, sizeof *sending->ranges);
    for (uint32_t i = 0; i < action->range_count; i++) {
        const struct file_range *range = &action->ranges[i];
        struct held_range *held = &sending->ranges[i];
        sending->range_count = i + 1;
        held->offset = range->offset;
        held->length = range->length;
        if (range->file == FILE_PADDING || range->length == 0)
            continue;
        enum freshet_error error =
            storage_files_hold(sending->files, range->file, false, &held->descriptor);
        if (error)
            return error;
    }
    return FRESHET_OK;
}

static void stream_warm(struct stream_socket *stream, const struct disk_warming *warming)
{
    struct stream_sending *sending = &stream->sending;

    sending->warming_now = true;
    sending->warming = *warming;
    sending->warming.done = stream_on_warm;
    disk_warm(stream->table->options.disk, &sending->warming);
}

static enum freshet_error stream_gather_ranges(struct stream_socket *stream,
                                               const struct action *action)
{
    struct stream_sending *sending = &stream->sending;

    sending->files = disk_files(stream->table->options.disk, action->storage);
    if (!sending->files)
        return FRESHET_ERROR_IO;
    sending->gather = memory_copy(action->ranges, action->range_count * sizeof *action->ranges);
    uint8_t *to = sending->header + sending->header_length;
    for (uint32_t i = 0; i < action->range_count; i++)
        sending->header_length += action->ranges[i].length;
    stream_warm(stream, &(struct disk_warming){.files = sending->files,
                                               .gather = sending->gather,
                                               .range_count = action->range_count,
                                               .to = to});
    return FRESHET_OK;
}

/* Takes a copy of the action's bytes, and `room` for more behind them. */
static void stream_take_header(struct stream_sending *sending, struct bytes bytes, size_t room)
{
    sending->header = bytes.length + room > sizeof sending->inline_header
                          ? memory_new(bytes.length + room)
                          : sending->inline_header;
    sending->header_length = bytes.length;
    if (bytes.length > 0)
        memcpy(sending->header, bytes.data, bytes.length);
}

void stream_send_start(struct stream_socket *stream, const struct action *action)
{
    struct stream_sending *sending = &stream->sending;
    bool missing = false, gathers = action->range_count > RANGES_HELD_MAX;
    size_t room = 0;

    memset(sending, 0, offsetof(struct stream_sending, warming));
    sending->active = true;
    for (uint32_t i = 0; gathers && i < action->range_count; i++)
        room += action->ranges[i].length;
    stream_take_header(sending, action->bytes, room);
    if (gathers) {
        if (stream_gather_ranges(stream, action))
            stream_socket_fail(stream, FRESHET_ERROR_IO);
        return;
    }
    if (action->range_count > 0) {
        if (stream_hold_ranges(stream, action)) {
            stream_socket_fail(stream, FRESHET_ERROR_IO);
            return;
        }
        if (!stream_is_warm(sending, &missing)) {
            stream_warm(stream, &(struct disk_warming){.ranges = sending->ranges,
                                                       .range_count = sending->range_count});
            return;
        }
        if (missing) {
            stream_socket_fail(stream, FRESHET_ERROR_IO);
            return;
        }
    }
    stream_send_ready(stream);
}
