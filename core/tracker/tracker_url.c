/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_url.h"

#include "core/base/limits.h"

#include <string.h>

static bool take_prefix(struct cursor *cursor, const char *prefix)
{
    size_t length = strlen(prefix);
    if (cursor_left(cursor) < length)
        return false;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = cursor->at[i];
        if (byte >= 'A' && byte <= 'Z')
            byte = (uint8_t)(byte - 'A' + 'a');
        if (byte != (uint8_t)prefix[i])
            return false;
    }
    (void)cursor_bytes(cursor, length);
    return true;
}

/* Up to the first of the marks, or to the end. */
static struct bytes take_until(struct cursor *cursor, const char *marks)
{
    size_t length = 0;
    while (length < cursor_left(cursor) && strchr(marks, cursor->at[length]) == NULL)
        length++;
    return cursor_bytes(cursor, length);
}

static bool has_bad_byte(struct bytes url)
{
    for (size_t i = 0; i < url.length; i++)
        if (url.data[i] <= ' ' || url.data[i] == 0x7f)
            return true;
    return false;
}

static enum freshet_error take_port(struct bytes text, uint16_t *ret_port)
{
    uint32_t port = 0;
    if (text.length == 0 || text.length > 5)
        return FRESHET_ERROR_RANGE;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return FRESHET_ERROR_SYNTAX;
        port = 10 * port + (uint32_t)(text.data[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX)
        return FRESHET_ERROR_RANGE;
    *ret_port = (uint16_t)port;
    return FRESHET_OK;
}

static enum freshet_error take_authority(struct bytes authority, struct tracker_url *url)
{
    /* A name and password in front are for HTTP, where libcurl reads them. */
    for (size_t i = authority.length; i > 0; i--)
        if (authority.data[i - 1] == '@') {
            authority = (struct bytes){authority.data + i, authority.length - i};
            break;
        }
    struct cursor cursor;
    cursor_init(&cursor, authority);
    bool is_bracketed = take_prefix(&cursor, "[");
    struct bytes host = take_until(&cursor, is_bracketed ? "]" : ":");
    if (is_bracketed && !take_prefix(&cursor, "]"))
        return FRESHET_ERROR_SYNTAX;
    if (host.length == 0 || host.length >= sizeof url->host)
        return FRESHET_ERROR_SYNTAX;
    memcpy(url->host, host.data, host.length);
    url->host[host.length] = '\0';
    struct address address;
    if (address_from_text(url->host, true, &address))
        url->family = (enum address_family)address.family;
    if (cursor_left(&cursor) == 0)
        return url->scheme == TRACKER_SCHEME_UDP ? FRESHET_ERROR_MISSING : FRESHET_OK;
    if (!take_prefix(&cursor, ":"))
        return FRESHET_ERROR_SYNTAX;
    return take_port(cursor_bytes(&cursor, cursor_left(&cursor)), &url->port);
}

enum freshet_error tracker_url_parse(struct bytes text, struct tracker_url *ret_url)
{
    struct tracker_url url = {0};
    struct cursor cursor;
    if (text.length > LIMIT_URL_LENGTH)
        return FRESHET_ERROR_LIMIT;
    if (has_bad_byte(text))
        return FRESHET_ERROR_SYNTAX;
    cursor_init(&cursor, text);
    if (take_prefix(&cursor, "udp://"))
        url.scheme = TRACKER_SCHEME_UDP;
    else if (take_prefix(&cursor, "http://"))
        url.port = 80;
    else if (take_prefix(&cursor, "https://"))
        url.port = 443;
    else
        return FRESHET_ERROR_UNSUPPORTED;
    enum freshet_error error = take_authority(take_until(&cursor, "/?#"), &url);
    if (error != FRESHET_OK)
        return error;
    url.path_and_query = take_until(&cursor, "#");
    *ret_url = url;
    return FRESHET_OK;
}

bool tracker_url_is_good(const char *text)
{
    struct tracker_url url;
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return false;
    return tracker_url_parse((struct bytes){(const uint8_t *)text, strlen(text)}, &url) ==
           FRESHET_OK;
}
