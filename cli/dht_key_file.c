/* SPDX-License-Identifier: MIT */
#include "cli/dht_key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"

#define KEY_DIGITS (2 * ED25519_SEED_SIZE)

static int fail(const char *path)
{
    message_error("%s: %s", path, strerror(errno));
    return EXIT_CODE_DISK;
}

static int make(const char *path, struct ed25519_pair *ret_pair)
{
    char text[KEY_DIGITS + 2];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return fail(path);
    ed25519_generate(ret_pair);
    bytes_to_hex(ret_pair->seed, ED25519_SEED_SIZE, text);
    text[KEY_DIGITS] = '\n';
    ssize_t written = write(fd, text, KEY_DIGITS + 1);
    int code = EXIT_CODE_OK;
    /* Half a key is worse than none: the next run would refuse it. */
    if (written != KEY_DIGITS + 1 || fsync(fd) != 0) {
        errno = written < 0 || written == KEY_DIGITS + 1 ? errno : ENOSPC;
        code = fail(path);
        unlink(path);
    }
    close(fd);
    return code;
}

int dht_key_file_open(const char *path, struct ed25519_pair *ret_pair)
{
    char text[KEY_DIGITS + 8];
    uint8_t seed[ED25519_SEED_SIZE];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? make(path, ret_pair) : fail(path);
    ssize_t length = read(fd, text, sizeof text);
    close(fd);
    if (length < 0)
        return fail(path);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    if (!bytes_from_hex((struct bytes){(const uint8_t *)text, (size_t)length}, seed, sizeof seed)) {
        message_error("%s: no key (64 hex digits)", path);
        return EXIT_CODE_BAD_INPUT;
    }
    ed25519_from_seed(seed, ret_pair);
    return EXIT_CODE_OK;
}
