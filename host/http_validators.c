/* SPDX-License-Identifier: MIT */
#include "host/http_validators.h"

#include "core/base/memory.h"

#include <string.h>
#include <strings.h>

void http_validators_deinit(struct http_validators *validators)
{
    memory_free(validators->url);
    memset(validators, 0, sizeof *validators);
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The value of a field of that name, without what stands around it. */
static bool value_of(const char *line, size_t length, const char *name, const char **ret_value,
                     size_t *ret_length)
{
    size_t at = strlen(name);

    if (length <= at || strncasecmp(line, name, at) != 0 || line[at] != ':')
        return false;
    at++;
    while (at < length && is_space(line[at]))
        at++;
    while (length > at && is_space(line[length - 1]))
        length--;
    *ret_value = line + at;
    *ret_length = length - at;
    return true;
}

/* "abc", W/"abc" */
static bool is_etag(const char *value, size_t length)
{
    size_t at = length > 2 && memcmp(value, "W/", 2) == 0 ? 2 : 0;

    if (length >= HTTP_VALIDATORS_ETAG_SIZE || length < at + 2 || value[at] != '"' ||
        value[length - 1] != '"')
        return false;
    for (at++; at < length - 1; at++)
        if (value[at] <= ' ' || value[at] > '~' || value[at] == '"')
            return false;
    return true;
}

/* Sun, 06 Nov 1994 08:49:37 GMT; the older forms have no other bytes. */
static bool is_date(const char *value, size_t length)
{
    static const char bytes[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ,:-";

    if (length == 0 || length >= HTTP_VALIDATORS_DATE_SIZE)
        return false;
    for (size_t i = 0; i < length; i++)
        if (value[i] == '\0' || !strchr(bytes, value[i]))
            return false;
    return true;
}

static void keep(char *to, const char *value, size_t length, bool is_good)
{
    if (is_good)
        memcpy(to, value, length);
    to[is_good ? length : 0] = '\0';
}

void http_validators_read(struct http_validators *validators, const char *line, size_t length)
{
    const char *value;
    size_t size;

    if (value_of(line, length, "ETag", &value, &size))
        keep(validators->etag, value, size, is_etag(value, size));
    else if (value_of(line, length, "Last-Modified", &value, &size))
        keep(validators->modified, value, size, is_date(value, size));
}

bool http_validators_are_empty(const struct http_validators *validators)
{
    return !validators->etag[0] && !validators->modified[0];
}
