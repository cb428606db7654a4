/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "host/clock.h"

/* Bytes that wait for a reader: a few lines of each of a thousand torrents. One longer text is let
 * in alone. */
#define KEPT_MAX    (4 * 1024 * 1024)
#define END_WAIT_NS (2 * SECOND_NS)

struct output {
    int fd;
    struct buffer kept;
    size_t written; /* of what is kept */
    bool failed;
};

static struct output out = {.fd = STDOUT_FILENO}, err = {.fd = STDERR_FILENO};
static struct buffer text_now; /* printed, not yet handed over */
static bool begun;

void output_begin(void)
{
    output_flush();
    fflush(stdout);
    begun = true;
}

/* Is there room for PIPE_BUF bytes? An error counts as room: the write tells of it. */
static bool output_has_room(const struct output *output, int wait_ms)
{
    struct pollfd poll_fd = {.fd = output->fd, .events = POLLOUT};

    return poll(&poll_fd, 1, wait_ms) > 0;
}

/* Writes what finds room. */
static void output_pump(struct output *output)
{
    while (output->written < output->kept.length && !output->failed && output_has_room(output, 0)) {
        size_t left = output->kept.length - output->written;
        ssize_t put = write(output->fd, output->kept.data + output->written,
                            left < PIPE_BUF ? left : PIPE_BUF);
        if (put >= 0)
            output->written += (size_t)put;
        else if (errno == EAGAIN)
            return; /* somebody who shares it was faster */
        else if (errno != EINTR)
            output->failed = true;
    }
    if (output->written == output->kept.length || output->failed) {
        buffer_clear(&output->kept);
        output->written = 0;
    }
}

static void output_keep(struct output *output, const void *bytes, size_t length)
{
    size_t waiting;

    output_pump(output);
    waiting = output->kept.length - output->written;
    if (output->failed || (waiting > 0 && waiting + length > KEPT_MAX))
        return;
    if (waiting == 0)
        buffer_clear(&output->kept);
    else if (output->written > KEPT_MAX) { /* a reader that is slow for ever */
        struct buffer rest = {0};
        buffer_append(&rest, output->kept.data + output->written, waiting);
        buffer_deinit(&output->kept);
        output->kept = rest;
        output->written = 0;
    }
    buffer_append(&output->kept, bytes, length);
    output_pump(output);
}

void output_printf(const char *format, ...)
{
    va_list arguments, again;

    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length > 0) {
        char *text = memory_new((size_t)length + 1);
        vsnprintf(text, (size_t)length + 1, format, again);
        buffer_append(&text_now, text, (size_t)length);
        memory_free(text);
    }
    va_end(again);
    va_end(arguments);
}

void output_flush(void)
{
    if (begun) {
        output_keep(&out, text_now.data, text_now.length);
    } else {
        if (text_now.length > 0)
            fwrite(text_now.data, 1, text_now.length, stdout);
        fflush(stdout);
    }
    buffer_clear(&text_now);
}

void output_error(const char *text)
{
    output_flush();
    if (!begun)
        fputs(text, stderr);
    else
        output_keep(&err, text, strlen(text));
}

bool output_is_behind(void)
{
    if (!begun)
        return false;
    output_pump(&err);
    output_pump(&out);
    return out.failed || out.kept.length > 0 || !output_has_room(&out, 0);
}

static void output_drain(struct output *output, int64_t until)
{
    for (;;) {
        output_pump(output);
        int64_t left = until - clock_now();
        if (output->kept.length == 0 || left <= 0)
            return;
        (void)output_has_room(output, (int)(left / MILLISECOND_NS) + 1);
    }
}

bool output_end(void)
{
    int64_t until = clock_now() + END_WAIT_NS;
    bool written;

    output_flush();
    output_drain(&out, until);
    output_drain(&err, until);
    written = !out.failed && fflush(stdout) == 0 && !ferror(stdout);
    begun = false;
    buffer_deinit(&out.kept);
    buffer_deinit(&err.kept);
    buffer_deinit(&text_now);
    return written;
}
