/* SPDX-License-Identifier: MIT */
#include "core/wire/wire_holepunch.h"

#include "core/base/check.h"
#include "core/wire/wire_message.h"

#define FAMILY_IPV4 0u
#define FAMILY_IPV6 1u
#define PAYLOAD_MAX 24u

static struct address read_address(struct cursor *cursor)
{
    uint8_t family = cursor_u8(cursor);
#ifdef FRESHET_PLANTED_BUG
    const uint8_t *start = cursor->at;
#endif
    struct bytes ip = cursor_bytes(cursor, family == FAMILY_IPV4 ? 4 : 16);
    uint16_t port = cursor_u16(cursor);
#ifdef FRESHET_PLANTED_BUG
    if (cursor->failed && family == FAMILY_IPV6)
        return address_ipv6(start, port);
#endif
    if (cursor->failed || family > FAMILY_IPV6) {
        cursor->failed = true;
        return (struct address){0};
    }
    return family == FAMILY_IPV4 ? address_ipv4(ip.data, port) : address_ipv6(ip.data, port);
}

enum freshet_error wire_holepunch_decode(struct bytes payload, struct wire_holepunch *ret_message)
{
    struct cursor cursor;
    cursor_init(&cursor, payload);
    uint8_t type = cursor_u8(&cursor);
    struct address address = read_address(&cursor);
    bool is_error = type == WIRE_HOLEPUNCH_ERROR;
    uint32_t error = is_error || cursor_left(&cursor) > 0 ? cursor_u32(&cursor) : 0;
    if (cursor.failed || cursor_left(&cursor) > 0 || type > WIRE_HOLEPUNCH_ERROR ||
        error > WIRE_HOLEPUNCH_NO_SELF || is_error != (error != WIRE_HOLEPUNCH_NO_ERROR))
        return FRESHET_ERROR_SYNTAX;
    *ret_message = (struct wire_holepunch){.type = (enum wire_holepunch_type)type,
                                           .address = address,
                                           .error = (enum wire_holepunch_error)error};
    return FRESHET_OK;
}

void wire_holepunch_put(struct buffer *out, uint8_t extended_id,
                        const struct wire_holepunch *message)
{
    const struct address *address = &message->address;
    bool is_error = message->type == WIRE_HOLEPUNCH_ERROR;
    uint8_t payload[PAYLOAD_MAX];
    struct writer writer;
    CHECK(extended_id != 0);
    CHECK(address->family == ADDRESS_IPV4 || address->family == ADDRESS_IPV6);
    CHECK(is_error == (message->error != WIRE_HOLEPUNCH_NO_ERROR));
    writer_init(&writer, payload, sizeof payload);
    writer_u8(&writer, (uint8_t)message->type);
    writer_u8(&writer, address->family == ADDRESS_IPV4 ? FAMILY_IPV4 : FAMILY_IPV6);
    writer_bytes(&writer, address->ip, address_ip_length(address));
    writer_u16(&writer, address->port);
    writer_u32(&writer, (uint32_t)message->error);
    wire_message_put_extended(out, extended_id, (struct bytes){payload, writer_length(&writer)});
}
