/* SPDX-License-Identifier: MIT */
#include "core/base/url.h"

#include <string.h>

#define SCHEME_MAX 8u

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 0x20) : c;
}

static bool is_letter(uint8_t c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

/* `start` is in lower case. */
static bool begins_with(struct bytes text, const char *start)
{
    size_t length = strlen(start);

    if (text.length < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (lower(text.data[i]) != (uint8_t)start[i])
            return false;
    return true;
}

static bool ends_host(uint8_t c)
{
    return c <= ' ' || strchr("/?#\"'<>", c) != NULL;
}

bool url_is_http(const char *url)
{
    struct bytes text = {(const uint8_t *)url, strlen(url)};
    size_t scheme = begins_with(text, "http://") ? 7 : begins_with(text, "https://") ? 8 : 0;

    return scheme > 0 && text.length > scheme && !ends_host(text.data[scheme]);
}

size_t url_origin_length(struct bytes text)
{
    size_t length = 0;

    while (length < text.length && length < SCHEME_MAX &&
           (is_letter(text.data[length]) ||
            (length > 0 && text.data[length] >= '0' && text.data[length] <= '9')))
        length++;
    if (length == 0 || text.length - length < 3 || memcmp(text.data + length, "://", 3) != 0)
        return 0;
    length += 3;
    while (length < text.length && !ends_host(text.data[length]))
        length++;
    return length;
}

static void append_origin(struct bytes url, size_t length, struct buffer *out)
{
    size_t scheme = 0, host;

    while (memcmp(url.data + scheme, "://", 3) != 0)
        scheme++;
    scheme += 3;
    for (host = length; host > scheme && url.data[host - 1] != '@'; host--)
        continue;
    buffer_append(out, url.data, scheme);
    buffer_append(out, url.data + host, length - host);
}

static bool says_which(struct bytes parameter)
{
    static const char *const names[] = {"xt=", "xt.", "dn=", "xl=", "so="};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (begins_with(parameter, names[i]))
            return true;
    return false;
}

static void append_magnet(struct bytes link, struct buffer *out)
{
    size_t begin = sizeof "magnet:?" - 1;
    const char *between = "magnet:?";

    while (begin < link.length) {
        const uint8_t *end = memchr(link.data + begin, '&', link.length - begin);
        size_t length = end ? (size_t)(end - link.data) - begin : link.length - begin;
        struct bytes parameter = {link.data + begin, length};
        if (says_which(parameter)) {
            buffer_append_text(out, between);
            buffer_append(out, parameter.data, parameter.length);
            between = "&";
        }
        begin += length + 1;
    }
}

void url_append_public(struct bytes url, struct buffer *out)
{
    size_t origin = url_origin_length(url);

    /* Here nothing stands around it: a quote is a letter of somebody's password. */
    while (origin > 0 && origin < url.length && url.data[origin] > ' ' &&
           !strchr("/?#", url.data[origin]))
        origin++;
    if (origin > 0) {
        append_origin(url, origin, out);
        if (origin < url.length)
            buffer_append_text(out, "/...");
    } else if (begins_with(url, "magnet:?")) {
        append_magnet(url, out);
    } else {
        buffer_append_text(out, "...");
    }
}
