/* SPDX-License-Identifier: MIT */
#include "core/wire/wire_handshake.h"

#include <string.h>

/*
 *  0    1                    20          28           48         68
 *  | 19 | BitTorrent protocol | reserved  | info-hash  | peer id  |
 */
#define PROTOCOL_END 20
#define RESERVED_END 28

static const uint8_t protocol[PROTOCOL_END + 1] = "\x13"
                                                  "BitTorrent protocol";

void wire_handshake_encode(const struct wire_handshake *handshake,
                           uint8_t ret_bytes[WIRE_HANDSHAKE_SIZE])
{
    uint8_t *reserved = ret_bytes + PROTOCOL_END;
    memcpy(ret_bytes, protocol, PROTOCOL_END);
    memset(reserved, 0, RESERVED_END - PROTOCOL_END);
    reserved[5] = handshake->extension ? 0x10 : 0;
    reserved[7] = (uint8_t)((handshake->dht ? 0x01 : 0) | (handshake->fast ? 0x04 : 0) |
                            (handshake->upgrade_v2 ? 0x10 : 0));
    memcpy(ret_bytes + RESERVED_END, handshake->info_hash, 20);
    memcpy(ret_bytes + WIRE_HANDSHAKE_HASH_END, handshake->peer_id, 20);
}

void wire_handshake_reader_init(struct wire_handshake_reader *reader)
{
    memset(reader, 0, sizeof *reader);
}

bool wire_handshake_peek(const struct wire_handshake_reader *reader,
                         struct wire_handshake *ret_handshake)
{
    if (reader->have < WIRE_HANDSHAKE_HASH_END)
        return false;
    const uint8_t *reserved = reader->bytes + PROTOCOL_END;
    memset(ret_handshake, 0, sizeof *ret_handshake);
    ret_handshake->extension = reserved[5] & 0x10;
    ret_handshake->dht = reserved[7] & 0x01;
    ret_handshake->fast = reserved[7] & 0x04;
    ret_handshake->upgrade_v2 = reserved[7] & 0x10;
    memcpy(ret_handshake->info_hash, reader->bytes + RESERVED_END, 20);
    return true;
}

enum freshet_error wire_handshake_read(struct wire_handshake_reader *reader, struct bytes *input,
                                       struct wire_handshake *ret_handshake)
{
    size_t take = WIRE_HANDSHAKE_SIZE - reader->have;
#ifdef FRESHET_PLANTED_BUG
    if (reader->have == 40) /* takes a byte that is not the handshake's */
        take++;
#endif
    if (take > input->length)
        take = input->length;
    if (take)
        memcpy(reader->bytes + reader->have, input->data, take);
    reader->have = (uint8_t)(reader->have + take);
    input->data = take ? input->data + take : input->data;
    input->length -= take;

    size_t judged = reader->have < PROTOCOL_END ? reader->have : PROTOCOL_END;
    if (memcmp(reader->bytes, protocol, judged) != 0)
        return FRESHET_ERROR_SYNTAX;
    if (reader->have < WIRE_HANDSHAKE_SIZE)
        return FRESHET_ERROR_TRUNCATED;
    wire_handshake_peek(reader, ret_handshake);
    memcpy(ret_handshake->peer_id, reader->bytes + WIRE_HANDSHAKE_HASH_END, 20);
    return FRESHET_OK;
}

enum wire_hash_kind wire_handshake_hash_kind(const struct wire_handshake *handshake,
                                             const uint8_t *info_hash_v1,
                                             const uint8_t *info_hash_v2)
{
    if (info_hash_v1 && memcmp(handshake->info_hash, info_hash_v1, 20) == 0)
        return WIRE_HASH_V1;
    if (info_hash_v2 && memcmp(handshake->info_hash, info_hash_v2, 20) == 0)
        return WIRE_HASH_V2;
    return WIRE_HASH_NEITHER;
}
