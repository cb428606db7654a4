/* SPDX-License-Identifier: MIT */
#include "core/swarm/web_seed.h"

#include "core/base/check.h"

/* BEP 19: a torrent of one file is at the URL itself, or below it under its name when the URL ends
 * in a slash; one of several is at URL/name/path. */

struct url {
    char *text;
    size_t length;
    bool full;
};

static void put(struct url *url, char character)
{
    if (url->length == LIMIT_URL_LENGTH) {
        url->full = true;
        return;
    }
    url->text[url->length++] = character;
}

static void put_escaped(struct url *url, uint8_t byte)
{
    static const char digits[] = "0123456789ABCDEF";
    put(url, '%');
    put(url, digits[byte >> 4]);
    put(url, digits[byte & 15]);
}

static bool is_unreserved(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static void put_element(struct url *url, struct bytes element)
{
    for (size_t i = 0; i < element.length; i++) {
        if (is_unreserved(element.data[i]))
            put(url, (char)element.data[i]);
        else
            put_escaped(url, element.data[i]);
    }
}

/* The URL is the publisher's: only what no URL may hold is escaped. */
static void put_base(struct url *url, struct bytes base)
{
    for (size_t i = 0; i < base.length; i++) {
        uint8_t byte = base.data[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '<' || byte == '>')
            put_escaped(url, byte);
        else
            put(url, (char)byte);
    }
}

bool web_seed_url(struct bytes base, const struct metainfo *metainfo, file_index file,
                  char ret_url[LIMIT_URL_LENGTH + 1])
{
    CHECK(file < metainfo->geometry.file_count);
    struct url url = {.text = ret_url};
    put_base(&url, base);
    bool slash = base.length > 0 && base.data[base.length - 1] == '/';
    if (!metainfo->single_file || slash) {
        if (!slash)
            put(&url, '/');
        put_element(&url, metainfo->raw_name);
    }
    for (uint32_t i = 0; !metainfo->single_file && i < metainfo->files[file].raw_count; i++) {
        put(&url, '/');
        put_element(&url, metainfo->files[file].raw[i]);
    }
    ret_url[url.length] = '\0';
    return !url.full;
}
