/* SPDX-License-Identifier: MIT */
#include "host/ip_filter_file.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/ip_filter/ip_filter_text.h"
#include "host/posix_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PART_SIZE   65536u
#define GZIP_WINDOW (15 + 16) /* largest window, gzip's head and tail */

/* A list on its way in: bytes as they come, unpacked if need be, into lines. */
struct intake {
    struct ip_filter_text *text;
    z_stream stream;
    bool is_packed, has_begun, is_whole; /* is_whole: at the end of a gzip member */
    uint64_t packed, unpacked;
    enum freshet_error error;
    const char *words;
    uint8_t part[PART_SIZE];
};

static void fail(struct intake *intake, enum freshet_error error, const char *words)
{
    intake->error = error;
    intake->words = words;
}

static void take_plain(struct intake *intake, struct bytes bytes)
{
    intake->unpacked += bytes.length;
    if (intake->unpacked > LIMIT_IP_FILTER_SIZE)
        fail(intake, FRESHET_ERROR_LIMIT, "the list is too large");
    else if (ip_filter_text_feed(intake->text, bytes))
        fail(intake, FRESHET_ERROR_LIMIT, "the list has too many ranges or lines");
}

/* A file may be several gzip members, one after another. */
static void take_packed(struct intake *intake, struct bytes bytes)
{
    z_stream *stream = &intake->stream;

    stream->next_in = (Bytef *)(uintptr_t)bytes.data;
    stream->avail_in = (uInt)bytes.length;
    while (!intake->error && (stream->avail_in || stream->avail_out == 0)) {
        if (intake->is_whole && (stream->avail_in == 0 || inflateReset(stream) != Z_OK))
            break;
        stream->next_out = intake->part;
        stream->avail_out = sizeof intake->part;
        int result = inflate(stream, Z_NO_FLUSH);
        intake->is_whole = result == Z_STREAM_END;
        take_plain(intake, (struct bytes){intake->part, sizeof intake->part - stream->avail_out});
        if (result == Z_BUF_ERROR)
            break;
        if (result != Z_OK && result != Z_STREAM_END && !intake->error)
            fail(intake, FRESHET_ERROR_SYNTAX, "the gzip file is damaged");
    }
}

static void take(struct intake *intake, struct bytes bytes)
{
    static const uint8_t gzip[2] = {0x1f, 0x8b}, zip[2] = {'P', 'K'};

    if (intake->error || bytes.length == 0)
        return;
    if (!intake->has_begun && bytes.length >= 2) {
        if (memcmp(bytes.data, zip, 2) == 0) {
            fail(intake, FRESHET_ERROR_UNSUPPORTED, "is a zip file: unpack it, or use gzip");
            return;
        }
        intake->is_packed = memcmp(bytes.data, gzip, 2) == 0;
        if (intake->is_packed)
            CHECK(inflateInit2(&intake->stream, GZIP_WINDOW) == Z_OK);
    }
    intake->has_begun = true;
    intake->packed += bytes.length;
    if (intake->is_packed && intake->packed > LIMIT_IP_FILTER_PACKED)
        fail(intake, FRESHET_ERROR_LIMIT, "the list is too large");
    else if (intake->is_packed)
        take_packed(intake, bytes);
    else
        take_plain(intake, bytes);
}

static enum freshet_error end(struct intake *intake, char *ret_text, uint32_t *ret_ranges)
{
    struct ip_filter_text *text = intake->text;

    if (intake->is_packed) {
        inflateEnd(&intake->stream);
        if (!intake->error && !intake->is_whole)
            fail(intake, FRESHET_ERROR_TRUNCATED, "the gzip file ends too early");
    }
    if (!intake->error) {
        enum freshet_error error = ip_filter_text_end(text);
        if (error)
            fail(intake, error,
                 error == FRESHET_ERROR_SYNTAX ? "is no list of IP addresses" : NULL);
    }
    ret_text[0] = '\0';
    if (intake->error)
        snprintf(ret_text, IP_FILTER_FILE_TEXT, "%s",
                 intake->words ? intake->words : error_text(intake->error));
    else if (text->bad)
        snprintf(ret_text, IP_FILTER_FILE_TEXT,
                 "%u lines were not understood, line %u is the first of them", text->bad,
                 text->bad_first);
    else if (text->ranges == 0)
        snprintf(ret_text, IP_FILTER_FILE_TEXT, "no address is in it");
    if (!intake->error && ret_ranges)
        *ret_ranges = text->ranges;
    return intake->error;
}

static struct intake *intake_new(struct ip_filter_builder *builder)
{
    struct intake *intake = memory_new(sizeof *intake);

    intake->text = memory_new(sizeof *intake->text);
    ip_filter_text_init(intake->text, builder);
    return intake;
}

static void intake_free(struct intake *intake)
{
    memory_free(intake->text);
    memory_free(intake);
}

enum freshet_error ip_filter_file_take(struct bytes list, struct ip_filter_builder *builder,
                                       char ret_text[IP_FILTER_FILE_TEXT], uint32_t *ret_ranges)
{
    struct intake *intake = intake_new(builder);

    for (size_t at = 0; at < list.length; at += PART_SIZE)
        take(intake, (struct bytes){list.data + at,
                                    list.length - at < PART_SIZE ? list.length - at : PART_SIZE});
    enum freshet_error error = end(intake, ret_text, ret_ranges);
    intake_free(intake);
    return error;
}

/* A whole part, but at the end of the file. */
static ssize_t read_part(int fd, uint8_t *part)
{
    size_t got = 0;

    while (got < PART_SIZE) {
        ssize_t more = read(fd, part + got, PART_SIZE - got);
        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            return -1;
        if (more == 0)
            break;
        got += (size_t)more;
    }
    return (ssize_t)got;
}

enum freshet_error ip_filter_file_read(const char *path, struct ip_filter_builder *builder,
                                       char ret_text[IP_FILTER_FILE_TEXT], uint32_t *ret_ranges)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &status) != 0 || S_ISDIR(status.st_mode)) {
        enum freshet_error error = fd < 0 ? posix_error_of_file(errno) : FRESHET_ERROR_USAGE;
        snprintf(ret_text, IP_FILTER_FILE_TEXT, "%s", fd < 0 ? strerror(errno) : "is no file");
        if (fd >= 0)
            close(fd);
        return error;
    }
    struct intake *intake = intake_new(builder);
    uint8_t *part = memory_new(PART_SIZE);
    ssize_t got;
    while (!intake->error && (got = read_part(fd, part)) != 0) {
        if (got < 0)
            fail(intake, posix_error_of_file(errno), NULL);
        else
            take(intake, (struct bytes){part, (size_t)got});
    }
    enum freshet_error error = end(intake, ret_text, ret_ranges);
    memory_free(part);
    intake_free(intake);
    close(fd);
    return error;
}

static bool write_all(int fd, struct bytes list)
{
    while (list.length) {
        ssize_t done = write(fd, list.data, list.length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        list.data += done;
        list.length -= (size_t)done;
    }
    return true;
}

enum freshet_error ip_filter_file_write(const char *path, struct bytes list)
{
    char beside[LIMIT_PATH_LENGTH + 8];
    enum freshet_error error = FRESHET_OK;

    if ((size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside)
        return FRESHET_ERROR_LIMIT;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return posix_error_of_file(errno);
    if (!write_all(fd, list) || fsync(fd) != 0)
        error = posix_error_of_file(errno);
    if (close(fd) != 0 && !error)
        error = posix_error_of_file(errno);
    if (!error && rename(beside, path) != 0)
        error = posix_error_of_file(errno);
    if (error)
        unlink(beside);
    return error;
}
