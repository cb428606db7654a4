/* SPDX-License-Identifier: MIT */
#include "cli/torrent_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"
#include "core/base/limits.h"

static enum exit_code fail(const char *path, const char *what)
{
    message_error("%s: %s: %s", path, what, strerror(errno));
    return EXIT_CODE_DISK;
}

static enum exit_code read_all(int fd, const char *path, struct buffer *bytes)
{
    uint8_t chunk[65536];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail(path, "cannot read");
        if (got == 0)
            return EXIT_CODE_OK;
        buffer_append(bytes, chunk, (size_t)got);
        if (bytes->length > LIMIT_TORRENT_FILE_SIZE) {
            message_error("%s: not a torrent: larger than 64 MiB", path);
            return EXIT_CODE_BAD_INPUT;
        }
    }
}

/* A dictionary whose first key is one that torrents begin with. */
static bool is_torrent_head(struct bytes head)
{
    static const char *const keys[] = {"8:announce",      "13:announce-list", "7:comment",
                                       "10:created by",   "13:creation date", "8:encoding",
                                       "9:httpseeds",     "4:info",           "5:nodes",
                                       "12:piece layers", "8:url-list"};
    if (head.length == 0 || head.data[0] != 'd')
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        size_t length = strlen(keys[i]);
        if (head.length > length && memcmp(head.data + 1, keys[i], length) == 0)
            return true;
    }
    return false;
}

bool torrent_file_begins_like_one(const char *path)
{
    uint8_t head[32];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t got = pread(fd, head, sizeof head, 0);
    close(fd);
    return got > 0 && is_torrent_head((struct bytes){head, (size_t)got});
}

enum exit_code torrent_file_read(const char *path, struct buffer *ret_bytes)
{
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, "stdin", ret_bytes);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        bool is_absent = errno == ENOENT || errno == ENOTDIR;
        fail(path, "cannot open");
        return is_absent ? EXIT_CODE_NO_TORRENT : EXIT_CODE_DISK;
    }
    struct stat stat;
    enum exit_code code = EXIT_CODE_OK;
    if (fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode)) {
        message_error("%s: is a folder, not a .torrent", path);
        code = EXIT_CODE_BAD_INPUT;
    } else {
        fcntl(fd, F_SETFL, 0);
        code = read_all(fd, path, ret_bytes);
    }
    close(fd);
    return code;
}

enum exit_code torrent_file_load(const char *path, struct metainfo **ret_metainfo)
{
    struct buffer bytes = {0};
    char reason[METAINFO_REASON_SIZE];
    enum exit_code code = torrent_file_read(path, &bytes);
    if (code == EXIT_CODE_OK &&
        metainfo_parse(buffer_bytes(&bytes), ret_metainfo, reason) != FRESHET_OK) {
        message_error("%s: bad torrent: %s", path, reason);
        code = EXIT_CODE_BAD_INPUT;
    }
    buffer_deinit(&bytes);
    return code;
}

static bool write_all(int fd, struct bytes bytes)
{
    while (bytes.length) {
        ssize_t put = write(fd, bytes.data, bytes.length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        bytes.data += put;
        bytes.length -= (size_t)put;
    }
    return true;
}

/* A name is durable when its folder is. */
static bool sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(folder);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return synced;
}

enum exit_code torrent_file_write(const char *path, struct bytes bytes)
{
    if (strcmp(path, "-") == 0)
        return write_all(STDOUT_FILENO, bytes) ? EXIT_CODE_OK : fail("stdout", "cannot write");
    struct stat existing;
    mode_t mask = umask(0);
    umask(mask);
    mode_t mode = stat(path, &existing) == 0 ? existing.st_mode & 0777 : 0666 & ~mask;
    char *temporary = NULL;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return fail(path, "cannot write");
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        free(temporary);
        return fail(path, "cannot write");
    }
    bool written = write_all(fd, bytes) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int error_number = errno;
    written = close(fd) == 0 && written;
    if (written && rename(temporary, path) == 0) {
        free(temporary);
        return sync_folder_of(path) ? EXIT_CODE_OK : fail(path, "cannot sync its folder");
    }
    if (written)
        error_number = errno;
    unlink(temporary);
    free(temporary);
    errno = error_number;
    return fail(path, "cannot write");
}
