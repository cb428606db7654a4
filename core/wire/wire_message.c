/* SPDX-License-Identifier: MIT */
#include "core/wire/wire_message.h"

#include "core/base/check.h"

/* Every message: u32 length of what follows, u8 id, then fields. */
static void put_head(struct buffer *out, uint32_t body_length, enum wire_type type)
{
    uint8_t head[5];
    struct writer writer;
    writer_init(&writer, head, sizeof head);
    writer_u32(&writer, body_length + 1);
    writer_u8(&writer, (uint8_t)type);
    buffer_append(out, head, sizeof head);
}

void wire_message_put(struct buffer *out, enum wire_type type)
{
    if (type == WIRE_KEEPALIVE)
        buffer_append(out, "\0\0\0\0", 4);
    else
        put_head(out, 0, type);
}

void wire_message_put_index(struct buffer *out, enum wire_type type, uint32_t index)
{
    uint8_t field[4];
    struct writer writer;
    writer_init(&writer, field, sizeof field);
    writer_u32(&writer, index);
    put_head(out, sizeof field, type);
    buffer_append(out, field, sizeof field);
}

void wire_message_put_block(struct buffer *out, enum wire_type type, uint32_t index, uint32_t begin,
                            uint32_t length)
{
    uint8_t fields[12];
    struct writer writer;
    writer_init(&writer, fields, sizeof fields);
    writer_u32(&writer, index);
    writer_u32(&writer, begin);
    if (type == WIRE_PIECE) {
        /* The length of a block is that of its message. */
        put_head(out, 8 + length, type);
    } else {
        writer_u32(&writer, length);
        put_head(out, 12, type);
    }
    buffer_append(out, fields, writer_length(&writer));
}

void wire_message_put_bitfield(struct buffer *out, struct bytes bits)
{
    put_head(out, (uint32_t)bits.length, WIRE_BITFIELD);
    buffer_append(out, bits.data, bits.length);
}

void wire_message_put_port(struct buffer *out, uint16_t port)
{
    put_head(out, 2, WIRE_PORT);
    buffer_append_u8(out, (uint8_t)(port >> 8));
    buffer_append_u8(out, (uint8_t)port);
}

void wire_message_put_extended(struct buffer *out, uint8_t extended_id, struct bytes payload)
{
    put_head(out, 1 + (uint32_t)payload.length, WIRE_EXTENDED);
    buffer_append_u8(out, extended_id);
    buffer_append(out, payload.data, payload.length);
}

void wire_message_put_hashes(struct buffer *out, enum wire_type type,
                             const struct wire_hash_range *range, struct bytes hashes)
{
    uint8_t fields[48];
    struct writer writer;
    CHECK(hashes.length % 32 == 0);
    writer_init(&writer, fields, sizeof fields);
    writer_bytes(&writer, range->pieces_root, 32);
    writer_u32(&writer, range->base_layer);
    writer_u32(&writer, range->index);
    writer_u32(&writer, range->length);
    writer_u32(&writer, range->proof_layers);
    put_head(out, sizeof fields + (uint32_t)hashes.length, type);
    buffer_append(out, fields, sizeof fields);
    buffer_append(out, hashes.data, hashes.length);
}

void wire_message_encode(struct buffer *out, const struct wire_message *message)
{
    switch (message->type) {
    case WIRE_CHOKE:
    case WIRE_UNCHOKE:
    case WIRE_INTERESTED:
    case WIRE_NOT_INTERESTED:
    case WIRE_HAVE_ALL:
    case WIRE_HAVE_NONE:
    case WIRE_KEEPALIVE: wire_message_put(out, message->type); break;
    case WIRE_HAVE:
    case WIRE_SUGGEST:
    case WIRE_ALLOWED_FAST: wire_message_put_index(out, message->type, message->index); break;
    case WIRE_REQUEST:
    case WIRE_PIECE:
    case WIRE_CANCEL:
    case WIRE_REJECT:
        wire_message_put_block(out, message->type, message->index, message->begin, message->length);
        break;
    case WIRE_BITFIELD: wire_message_put_bitfield(out, message->payload); break;
    case WIRE_PORT: wire_message_put_port(out, message->port); break;
    case WIRE_EXTENDED:
        wire_message_put_extended(out, message->extended_id, message->payload);
        break;
    case WIRE_HASH_REQUEST:
    case WIRE_HASHES:
    case WIRE_HASH_REJECT:
        wire_message_put_hashes(out, message->type, &message->hashes, message->payload);
        break;
    }
}
