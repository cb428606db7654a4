/* SPDX-License-Identifier: MIT */
#include "core/ip_filter/ip_filter_text.h"

#include "core/base/check.h"

#include <string.h>

#define IP_TEXT_MAX   45u /* "0000:0000:0000:0000:0000:ffff:255.255.255.255" */
#define LEVEL_LETS_IN 127u

void ip_filter_text_init(struct ip_filter_text *text, struct ip_filter_builder *builder)
{
    memset(text, 0, sizeof *text);
    text->builder = builder;
}

/* ---- words ---- */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static struct bytes trim(struct bytes text)
{
    while (text.length && is_space(text.data[text.length - 1]))
        text.length--;
    while (text.length && is_space(text.data[0])) {
        text.data++;
        text.length--;
    }
    return text;
}

static struct bytes head(struct bytes text, size_t length)
{
    return trim((struct bytes){text.data, length});
}

static struct bytes tail(struct bytes text, size_t from)
{
    return trim((struct bytes){text.data + from, text.length - from});
}

/* Where the character stands, first or last; the length when it does not. */
static size_t first_of(struct bytes text, uint8_t c)
{
    size_t at = 0;
    while (at < text.length && text.data[at] != c)
        at++;
    return at;
}

static size_t last_of(struct bytes text, uint8_t c)
{
    for (size_t at = text.length; at > 0; at--)
        if (text.data[at - 1] == c)
            return at - 1;
    return text.length;
}

/* One to three digits, all of the text. */
static bool read_number(struct bytes text, uint32_t most, uint32_t *ret_number)
{
    uint32_t number = 0;
    if (text.length == 0 || text.length > 3)
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        number = 10 * number + (uint32_t)(text.data[i] - '0');
    }
    *ret_number = number;
    return number <= most;
}

static bool read_ipv4(struct bytes text, struct address *ret_address)
{
    uint8_t ip[4];
    for (int i = 0; i < 4; i++) {
        uint32_t number;
        size_t end = i < 3 ? first_of(text, '.') : text.length;
        if (!read_number((struct bytes){text.data, end}, 255, &number))
            return false;
        ip[i] = (uint8_t)number;
        if (i == 3)
            break;
        if (end == text.length)
            return false;
        text.data += end + 1;
        text.length -= end + 1;
    }
    *ret_address = address_ipv4(ip, 0);
    return true;
}

static bool read_ip(struct bytes text, struct address *ret_address)
{
    char copy[IP_TEXT_MAX + 1];
    if (read_ipv4(text, ret_address))
        return true;
    if (text.length == 0 || text.length > IP_TEXT_MAX || text.data[0] == '[' ||
        first_of(text, ':') == text.length || first_of(text, '\0') != text.length)
        return false;
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    return address_from_text(copy, true, ret_address);
}

/* ---- ranges ---- */

struct ends {
    struct address first, last;
};

static bool read_prefix(struct bytes text, size_t slash, struct ends *ret_ends)
{
    struct bytes ip = head(text, slash);
    uint32_t bits;
    if (!read_ip(ip, &ret_ends->first) || !read_number(tail(text, slash + 1), 128, &bits))
        return false;
    uint32_t size = 8 * (uint32_t)address_ip_length(&ret_ends->first);
    if (size == 32 && first_of(ip, ':') < ip.length) {
        if (bits < 96)
            return false;
        bits -= 96; /* ::ffff:1.2.3.0/120 */
    }
    if (bits > size)
        return false;
    ret_ends->last = ret_ends->first;
    for (uint32_t bit = bits; bit < size; bit++) {
        uint8_t mask = (uint8_t)(0x80u >> bit % 8);
        ret_ends->first.ip[bit / 8] &= (uint8_t)~mask;
        ret_ends->last.ip[bit / 8] |= mask;
    }
    return true;
}

static bool read_range(struct bytes text, struct ends *ret_ends)
{
    size_t dash = first_of(text, '-'), slash = first_of(text, '/');
    if (slash < text.length)
        return read_prefix(text, slash, ret_ends);
    if (dash < text.length)
        return read_ip(head(text, dash), &ret_ends->first) &&
               read_ip(tail(text, dash + 1), &ret_ends->last);
    if (!read_ip(text, &ret_ends->first))
        return false;
    ret_ends->last = ret_ends->first;
    return true;
}

/* Without the remark at its end. */
static bool read_plain(struct bytes line, struct ends *ret_ends)
{
    size_t hash = first_of(line, '#'), semicolon = first_of(line, ';');
    return read_range(head(line, hash < semicolon ? hash : semicolon), ret_ends);
}

static bool read_emule(struct bytes line, struct ends *ret_ends, bool *ret_lets_in)
{
    size_t comma = first_of(line, ',');
    uint32_t level;
    if (comma == line.length || !read_range(head(line, comma), ret_ends))
        return false;
    struct bytes rest = tail(line, comma + 1);
    if (!read_number(head(rest, first_of(rest, ',')), 999, &level))
        return false;
    *ret_lets_in = level > LEVEL_LETS_IN;
    return true;
}

static bool read_peerguardian(struct bytes line, struct ends *ret_ends)
{
    size_t dash = last_of(line, '-');
    if (dash == line.length || !read_ip(tail(line, dash + 1), &ret_ends->last))
        return false;
    struct bytes named = head(line, dash);
    size_t colon = last_of(named, ':');
    if (colon == named.length)
        return false;
    if (read_ip(tail(named, colon + 1), &ret_ends->first))
        return true;
    for (size_t at = named.length > IP_TEXT_MAX ? named.length - IP_TEXT_MAX : 1; at < named.length;
         at++)
        if (named.data[at - 1] == ':' && read_ip(tail(named, at), &ret_ends->first))
            return true;
    return false;
}

/* ---- lines ---- */

static bool is_comment(struct bytes line)
{
    return line.length == 0 || line.data[0] == '#' || line.data[0] == ';' ||
           (line.length > 1 && line.data[0] == '/' && line.data[1] == '/');
}

static void take_line(struct ip_filter_text *text)
{
    struct bytes line = {text->line, text->length};
    struct ends ends;
    bool lets_in = false;
    static const uint8_t mark[3] = {0xef, 0xbb, 0xbf}; /* that Windows puts before UTF-8 */
    if (text->lines++ == 0 && line.length >= sizeof mark &&
        memcmp(line.data, mark, sizeof mark) == 0)
        line = tail(line, sizeof mark);
    line = trim(line);
    if (!text->is_long && is_comment(line))
        return;
    if (!text->is_long && (read_plain(line, &ends) || read_emule(line, &ends, &lets_in) ||
                           read_peerguardian(line, &ends))) {
        enum freshet_error error =
            lets_in ? FRESHET_OK : ip_filter_builder_add(text->builder, &ends.first, &ends.last);
        text->ranges += !lets_in && !error;
        if (error == FRESHET_ERROR_LIMIT)
            text->error = error;
        if (error != FRESHET_ERROR_RANGE)
            return;
    }
    text->bad++;
    if (text->bad_first == 0)
        text->bad_first = text->lines;
}

static void end_line(struct ip_filter_text *text)
{
    take_line(text);
    text->length = 0;
    text->is_long = false;
    if (text->lines >= LIMIT_IP_FILTER_LINES)
        text->error = FRESHET_ERROR_LIMIT;
}

enum freshet_error ip_filter_text_feed(struct ip_filter_text *text, struct bytes bytes)
{
    while (bytes.length && !text->error) {
        size_t length = first_of(bytes, '\n'), room = sizeof text->line - text->length;
        size_t taken = length < room ? length : room;
#ifdef FRESHET_PLANTED_BUG
        taken = length;
#endif
        memcpy(text->line + text->length, bytes.data, taken);
        text->length += taken;
        text->is_long = text->is_long || taken < length;
        if (length == bytes.length)
            break;
        end_line(text);
        bytes.data += length + 1;
        bytes.length -= length + 1;
    }
    return text->error;
}

enum freshet_error ip_filter_text_end(struct ip_filter_text *text)
{
    if (!text->error && (text->length || text->is_long))
        end_line(text);
    if (!text->error && text->ranges == 0 && text->bad)
        return FRESHET_ERROR_SYNTAX;
    return text->error;
}
