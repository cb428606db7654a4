/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_packet.h"

#include "core/base/check.h"

#include <string.h>

#define VERSION        1u
#define EXTENSION_SACK 1u

static void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, (uint16_t)(value >> 16));
    put_u16(at + 2, (uint16_t)value);
}

static uint16_t get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

bool utp_packet_is(struct bytes bytes)
{
    return bytes.length >= UTP_HEADER_SIZE && (bytes.data[0] & 15u) == VERSION &&
           bytes.data[0] >> 4 <= UTP_SYN;
}

/* The extensions, each of which says what the next one is. */
static enum freshet_error read_extensions(uint8_t extension, struct cursor *cursor,
                                          struct utp_packet *packet)
{
    while (extension != 0) {
        uint8_t next = cursor_u8(cursor);
        struct bytes data = cursor_bytes(cursor, cursor_u8(cursor));
        if (cursor->failed)
            return FRESHET_ERROR_TRUNCATED;
        if (extension == EXTENSION_SACK) {
            if (packet->sack.length)
                return FRESHET_ERROR_CONFLICT;
            packet->sack = data;
        }
        extension = next;
    }
    return FRESHET_OK;
}

enum freshet_error utp_packet_parse(struct bytes bytes, struct utp_packet *ret_packet)
{
    const uint8_t *at = bytes.data;
    struct cursor cursor;
    if (bytes.length < UTP_HEADER_SIZE)
        return FRESHET_ERROR_TRUNCATED;
    if (!utp_packet_is(bytes))
        return FRESHET_ERROR_UNSUPPORTED;
    struct utp_packet packet = {
        .type = (enum utp_type)(at[0] >> 4),
        .id = get_u16(at + 2),
        .time_us = get_u32(at + 4),
        .delay_us = get_u32(at + 8),
        .window = get_u32(at + 12),
        .seq = get_u16(at + 16),
        .ack = get_u16(at + 18),
    };
    cursor_init(&cursor, (struct bytes){at + UTP_HEADER_SIZE, bytes.length - UTP_HEADER_SIZE});
    enum freshet_error error = read_extensions(at[1], &cursor, &packet);
    if (error)
        return error;
    packet.payload = cursor_bytes(&cursor, cursor_left(&cursor));
    *ret_packet = packet;
    return FRESHET_OK;
}

size_t utp_packet_write_head(const struct utp_packet *packet, uint8_t ret_head[UTP_HEAD_MAX])
{
    size_t sack = packet->sack.length;
    ret_head[0] = (uint8_t)((unsigned)packet->type << 4 | VERSION);
    ret_head[1] = sack ? EXTENSION_SACK : 0;
    put_u16(ret_head + 2, packet->id);
    put_u32(ret_head + 4, packet->time_us);
    put_u32(ret_head + 8, packet->delay_us);
    put_u32(ret_head + 12, packet->window);
    put_u16(ret_head + 16, packet->seq);
    put_u16(ret_head + 18, packet->ack);
    if (sack == 0)
        return UTP_HEADER_SIZE;
    CHECK(sack <= UTP_SACK_MAX);
    CHECK(sack % 4 == 0);
    ret_head[20] = 0;
    ret_head[21] = (uint8_t)sack;
    memcpy(ret_head + 22, packet->sack.data, sack);
    return UTP_HEADER_SIZE + 2 + sack;
}
