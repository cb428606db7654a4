/* SPDX-License-Identifier: MIT */
/*
 * The messages of the peer protocol after the handshake (BEP 3, 5, 6, 10, 52): one struct for all
 * of them, and their encoders, which append to a buffer. Decoding is wire_stream.h. Payload never
 * passes here: a piece message is its 13-byte head, the block follows by other ways.
 */
#ifndef FRESHET_WIRE_WIRE_MESSAGE_H
#define FRESHET_WIRE_WIRE_MESSAGE_H

#include "core/base/bytes.h"

/* The ids on the wire, and the keepalive, which has none. */
enum wire_type {
    WIRE_CHOKE = 0,
    WIRE_UNCHOKE = 1,
    WIRE_INTERESTED = 2,
    WIRE_NOT_INTERESTED = 3,
    WIRE_HAVE = 4,          /* index */
    WIRE_BITFIELD = 5,      /* payload: the bits as they are on the wire */
    WIRE_REQUEST = 6,       /* index, begin, length */
    WIRE_PIECE = 7,         /* index, begin, length: that many payload bytes follow */
    WIRE_CANCEL = 8,        /* index, begin, length */
    WIRE_PORT = 9,          /* port: of the DHT node, BEP 5 */
    WIRE_SUGGEST = 13,      /* index, BEP 6 */
    WIRE_HAVE_ALL = 14,     /* BEP 6 */
    WIRE_HAVE_NONE = 15,    /* BEP 6 */
    WIRE_REJECT = 16,       /* index, begin, length, BEP 6 */
    WIRE_ALLOWED_FAST = 17, /* index, BEP 6 */
    WIRE_EXTENDED = 20,     /* extended_id, payload, BEP 10 */
    WIRE_HASH_REQUEST = 21, /* hashes, BEP 52 */
    WIRE_HASHES = 22,       /* hashes, payload: hashes of 32 bytes, BEP 52 */
    WIRE_HASH_REJECT = 23,  /* hashes, BEP 52 */
    WIRE_KEEPALIVE = 256,
};

#define WIRE_TYPES_MAX 24 /* ids are below this */

/* Which hashes of a file's merkle tree (BEP 52). */
struct wire_hash_range {
    uint8_t pieces_root[32];
    uint32_t base_layer; /* 0: the leaves */
    uint32_t index;      /* of the first hash in that layer */
    uint32_t length;     /* how many: a power of two */
    uint32_t proof_layers;
};

struct wire_message {
    enum wire_type type;
    uint32_t index;
    uint32_t begin;
    uint32_t length;
    uint16_t port;
    uint8_t extended_id;
    struct bytes payload; /* borrowed until the next call into the stream */
    struct wire_hash_range hashes;
};

#define WIRE_PIECE_HEAD 13 /* bytes of a piece message before its block */

/* All append to `out`. */
/* Choke, unchoke, interested, not interested, have all, have none, keepalive. */
void wire_message_put(struct buffer *out, enum wire_type type);
/* Have, suggest, allowed fast. */
void wire_message_put_index(struct buffer *out, enum wire_type type, uint32_t index);
/* Request, cancel, reject; and of a piece its head. */
void wire_message_put_block(struct buffer *out, enum wire_type type, uint32_t index, uint32_t begin,
                            uint32_t length);
void wire_message_put_bitfield(struct buffer *out, struct bytes bits);
void wire_message_put_port(struct buffer *out, uint16_t port);
void wire_message_put_extended(struct buffer *out, uint8_t extended_id, struct bytes payload);
/* Hash request, hashes (with `hashes`, a multiple of 32 bytes), hash reject. */
void wire_message_put_hashes(struct buffer *out, enum wire_type type,
                             const struct wire_hash_range *range, struct bytes hashes);
/* Any message by its struct; what was decoded encodes to the same bytes. */
void wire_message_encode(struct buffer *out, const struct wire_message *message);

#endif
