/* SPDX-License-Identifier: MIT */
#include "host/rpc_token.h"

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "host/entropy.h"
#include "host/posix_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_BYTES  24
#define TOKEN_LENGTH (2 * TOKEN_BYTES)
#define TOKEN_LEAST  16 /* characters of one that a person wrote into the file */
#define DIGITS_LEAST 8  /* that differ, in one of ours: fewer come about once in 10^13 */

static enum freshet_error token_read(int fd, char ret_token[RPC_TOKEN_SIZE])
{
    struct stat stat_of;
    char text[RPC_TOKEN_SIZE + 1];

    if (fstat(fd, &stat_of) != 0)
        return posix_error_of_file(errno);
    if (stat_of.st_mode & 077)
        return FRESHET_ERROR_PERMISSION;
    ssize_t got = read(fd, text, sizeof text - 1);
    if (got < 0)
        return posix_error_of_file(errno);
    text[got] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (strlen(text) < TOKEN_LEAST || strlen(text) >= RPC_TOKEN_SIZE)
        return FRESHET_ERROR_RANGE;
    strcpy(ret_token, text);
    return FRESHET_OK;
}

/* Written beside and renamed: a power cut leaves no half of one. */
static enum freshet_error token_make(const char *path, char ret_token[RPC_TOKEN_SIZE])
{
    char beside[LIMIT_PATH_LENGTH + 64], line[TOKEN_LENGTH + 2];
    uint8_t bytes[TOKEN_BYTES];
    enum freshet_error error = FRESHET_OK;

    entropy_fill(bytes, sizeof bytes);
    bytes_to_hex(bytes, sizeof bytes, line);
    strcpy(ret_token, line);
    strcat(line, "\n");
    snprintf(beside, sizeof beside, "%s.new", path);
    unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return posix_error_of_file(errno);
    if (write(fd, line, TOKEN_LENGTH + 1) != TOKEN_LENGTH + 1 || fsync(fd) != 0)
        error = posix_error_of_file(errno);
    close(fd);
    if (!error && rename(beside, path) != 0)
        error = posix_error_of_file(errno);
    if (error)
        unlink(beside);
    return error;
}

enum freshet_error rpc_token_load(const char *folder, const char *name, int make,
                                  char ret_token[RPC_TOKEN_SIZE])
{
    char path[LIMIT_PATH_LENGTH + 32];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT && make)
        return token_make(path, ret_token);
    if (fd < 0)
        return posix_error_of_file(errno);
    enum freshet_error error = token_read(fd, ret_token);
    close(fd);
    return error;
}

bool rpc_token_is_generated(const char *token)
{
    static const char digits[] = "0123456789abcdef";
    unsigned seen = 0, count = 0;

    if (strlen(token) != TOKEN_LENGTH || strspn(token, digits) != TOKEN_LENGTH)
        return false;
    for (const char *at = token; *at; at++)
        seen |= 1u << (strchr(digits, *at) - digits);
    for (; seen; seen &= seen - 1)
        count++;
    return count >= DIGITS_LEAST;
}
