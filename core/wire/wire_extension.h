/* SPDX-License-Identifier: MIT */
/*
 * The extension protocol (BEP 10): the dictionary of its handshake, and the small messages of
 * lt_donthave (BEP 54) and upload_only. Extended ids are chosen by the receiver of a message: we
 * send with the ids of the peer's handshake, and receive by enum wire_extension_id.
 */
#ifndef FRESHET_WIRE_WIRE_EXTENSION_H
#define FRESHET_WIRE_WIRE_EXTENSION_H

#include "core/base/address.h"
#include "core/base/bytes.h"
#include "core/base/error.h"

/* Extensions that we know; also the extended ids by which peers send them to us. */
enum wire_extension_id {
    WIRE_EXTENSION_HANDSHAKE = 0,
    WIRE_EXTENSION_UT_PEX = 1,
    WIRE_EXTENSION_UT_METADATA = 2,
    WIRE_EXTENSION_UPLOAD_ONLY = 3,
    WIRE_EXTENSION_UT_HOLEPUNCH = 4,
    WIRE_EXTENSION_LT_DONTHAVE = 7,
    WIRE_EXTENSIONS_MAX = 8,
};

struct wire_extension_handshake {
    /* The sender's id of each extension of `m`, by enum wire_extension_id. `m` is additive: an
     * extension that is not `named` keeps what an earlier handshake said; id 0 switches it off.
     * To encode: those that are named are sent. */
    uint8_t ids[WIRE_EXTENSIONS_MAX];
    bool named[WIRE_EXTENSIONS_MAX];
    uint16_t port;          /* `p`: where the sender listens; 0: not told */
    uint32_t reqq;          /* requests that the sender holds; 0: not told (assume 250) */
    uint32_t metadata_size; /* 0: not told. At most LIMIT_METADATA_SIZE, else taken as not told */
    bool has_upload_only, upload_only; /* BEP 21 */
    bool prefers_encryption;           /* `e` */
    int64_t complete_ago_s;            /* -1: not told */
    struct bytes version;              /* `v`: the client's name; any bytes; borrowed */
    /* family ADDRESS_NONE when not told; port 0 */
    struct address your_ip; /* `yourip`: how the sender sees us */
    struct address ipv4, ipv6;
};

/* Nothing named, nothing told. */
void wire_extension_handshake_init(struct wire_extension_handshake *handshake);
/* Reads the payload of extended message 0. Fields of a wrong type or range are taken as not told;
 * a payload that is no dictionary is FRESHET_ERROR_SYNTAX (and the like from bencode). */
enum freshet_error wire_extension_decode(struct bytes payload,
                                         struct wire_extension_handshake *ret_handshake);
/* Appends the dictionary (the payload, without message head and id). */
void wire_extension_encode(struct buffer *out, const struct wire_extension_handshake *handshake);

/* Takes over what a (further) handshake names into the ids known so far. */
void wire_extension_merge(uint8_t ids[WIRE_EXTENSIONS_MAX],
                          const struct wire_extension_handshake *handshake);

/* Whole messages with the peer's id for the extension (not 0). */
void wire_extension_put_donthave(struct buffer *out, uint8_t extended_id, uint32_t index);
void wire_extension_put_upload_only(struct buffer *out, uint8_t extended_id, bool upload_only);
/* Payloads of the same: SYNTAX when the length is wrong. */
enum freshet_error wire_extension_decode_donthave(struct bytes payload, uint32_t *ret_index);
enum freshet_error wire_extension_decode_upload_only(struct bytes payload, bool *ret_upload_only);

#endif
