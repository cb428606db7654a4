/* SPDX-License-Identifier: MIT */
#include "core/lsd/lsd_packet.h"

#include "core/base/check.h"

#include <string.h>

#define HASH_LENGTH 20u
#define HEX_LENGTH  (2 * HASH_LENGTH)

static const char request_line[] = "BT-SEARCH * HTTP/1.1";

struct address lsd_packet_group(enum address_family family)
{
    static const uint8_t ipv4[4] = {239, 192, 152, 143};
    static const uint8_t ipv6[16] = {0xff, 0x15, [12] = 0xef, 0xc0, 0x98, 0x8f};
    return family == ADDRESS_IPV4 ? address_ipv4(ipv4, LSD_PORT) : address_ipv6(ipv6, LSD_PORT);
}

/* ---- reading ---- */

static uint8_t to_lower(uint8_t character)
{
    return character >= 'A' && character <= 'Z' ? character | 0x20 : character;
}

/* `text` in lower case. */
static bool is_text(struct bytes bytes, const char *text)
{
    if (bytes.length != strlen(text))
        return false;
    for (size_t i = 0; i < bytes.length; i++)
        if (to_lower(bytes.data[i]) != (uint8_t)text[i])
            return false;
    return true;
}

static struct bytes trim(struct bytes text)
{
    while (text.length > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = (struct bytes){text.data + 1, text.length - 1};
    while (text.length > 0 &&
           (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/* The next line without its end; false: no line ends any more. */
static bool take_line(struct bytes *rest, struct bytes *ret_line)
{
    const uint8_t *end = rest->length ? memchr(rest->data, '\n', rest->length) : NULL;
    if (end == NULL)
        return false;
    size_t length = (size_t)(end - rest->data);
    *ret_line = (struct bytes){rest->data, length};
    if (length > 0 && rest->data[length - 1] == '\r')
        ret_line->length--;
    *rest = (struct bytes){end + 1, rest->length - length - 1};
    return true;
}

static enum freshet_error read_port(struct bytes text, uint16_t *port)
{
    uint32_t value = 0;
    if (*port != 0)
        return FRESHET_ERROR_CONFLICT;
    if (text.length == 0)
        return FRESHET_ERROR_SYNTAX;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return FRESHET_ERROR_SYNTAX;
        value = value * 10 + (text.data[i] - '0');
        if (value > UINT16_MAX)
            return FRESHET_ERROR_RANGE;
    }
    if (value == 0)
        return FRESHET_ERROR_RANGE;
    *port = (uint16_t)value;
    return FRESHET_OK;
}

static void read_hash(struct bytes text, struct lsd_packet *packet)
{
#ifndef FRESHET_PLANTED_BUG
    if (packet->hash_count == LIMIT_LSD_HASHES)
        return;
#endif
    if (bytes_from_hex(text, packet->hashes[packet->hash_count], HASH_LENGTH))
        packet->hash_count++;
}

static enum freshet_error read_header(struct bytes line, struct lsd_packet *packet)
{
    const uint8_t *colon = memchr(line.data, ':', line.length);
    if (colon == NULL)
        return FRESHET_ERROR_SYNTAX;
    size_t length = (size_t)(colon - line.data);
    struct bytes name = trim((struct bytes){line.data, length});
    struct bytes value = trim((struct bytes){colon + 1, line.length - length - 1});
    if (is_text(name, "port"))
        return read_port(value, &packet->port);
    if (is_text(name, "infohash"))
        read_hash(value, packet);
    else if (is_text(name, "cookie"))
        packet->cookie = value;
    return FRESHET_OK;
}

static bool is_request_line(struct bytes line)
{
    line = trim(line);
    return is_text(line, "bt-search * http/1.1") || is_text(line, "bt-search * http/1.0");
}

enum freshet_error lsd_packet_parse(struct bytes bytes, struct lsd_packet *ret_packet)
{
    struct lsd_packet packet = {0};
    struct bytes line;
    if (bytes.length > LIMIT_LSD_PACKET_IN)
        return FRESHET_ERROR_LIMIT;
    if (!take_line(&bytes, &line))
        return FRESHET_ERROR_TRUNCATED;
    if (!is_request_line(line))
        return FRESHET_ERROR_SYNTAX;
    for (;;) {
        if (!take_line(&bytes, &line))
            return FRESHET_ERROR_TRUNCATED;
        if (line.length == 0)
            break;
        enum freshet_error error = read_header(line, &packet);
        if (error)
            return error;
    }
    if (packet.port == 0 || packet.hash_count == 0)
        return FRESHET_ERROR_MISSING;
    *ret_packet = packet;
    return FRESHET_OK;
}

/* ---- writing ---- */

static void put_line(struct buffer *out, const char *name, struct bytes value)
{
    buffer_append_text(out, name);
    buffer_append_text(out, ": ");
    buffer_append(out, value.data, value.length);
    buffer_append_text(out, "\r\n");
}

uint32_t lsd_packet_write(const struct lsd_packet *packet, enum address_family family,
                          struct buffer *out)
{
    struct address group = lsd_packet_group(family);
    char text[ADDRESS_TEXT_SIZE], hex[HEX_LENGTH + 1];
    const size_t hash_line = sizeof "Infohash: \r\n" - 1 + HEX_LENGTH;
    size_t start = out->length;
    size_t tail = packet->cookie.length + sizeof "cookie: \r\n\r\n\r\n" - 1;
    uint32_t count = 0;
    buffer_append_text(out, request_line);
    buffer_append_text(out, "\r\n");
    address_to_text(&group, text);
    put_line(out, "Host", (struct bytes){(const uint8_t *)text, strlen(text)});
    buffer_append_text(out, "Port: ");
    buffer_append_i64(out, packet->port);
    buffer_append_text(out, "\r\n");
    while (count < packet->hash_count &&
           out->length - start + hash_line + tail <= LIMIT_LSD_PACKET) {
        bytes_to_hex(packet->hashes[count++], HASH_LENGTH, hex);
        put_line(out, "Infohash", (struct bytes){(const uint8_t *)hex, HEX_LENGTH});
    }
    if (packet->cookie.length)
        put_line(out, "cookie", packet->cookie);
    buffer_append_text(out, "\r\n\r\n");
    CHECK(out->length - start <= LIMIT_LSD_PACKET);
    return count;
}
