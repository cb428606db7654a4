/* SPDX-License-Identifier: MIT */
/*
 * The 68 bytes that open a peer connection (BEP 3): 0x13 "BitTorrent protocol", 8 reserved bytes,
 * 20 bytes of info-hash (v1, or the first 20 of v2: BEP 52), 20 bytes of peer id. The reader takes
 * them in any pieces and judges each byte as soon as it is there; it says when the info-hash is
 * complete, because some peers wait for our handshake before they show their peer id.
 */
#ifndef FRESHET_WIRE_WIRE_HANDSHAKE_H
#define FRESHET_WIRE_WIRE_HANDSHAKE_H

#include "core/base/bytes.h"
#include "core/base/error.h"

#define WIRE_HANDSHAKE_SIZE     68
#define WIRE_HANDSHAKE_HASH_END 48 /* bytes up to and including the info-hash */

struct wire_handshake {
    bool extension;  /* reserved[5] & 0x10, BEP 10 */
    bool dht;        /* reserved[7] & 0x01, BEP 5 */
    bool fast;       /* reserved[7] & 0x04, BEP 6 */
    bool upgrade_v2; /* reserved[7] & 0x10, BEP 52: sent with a v1 hash by a hybrid's peer that can
                        speak v2; the answer may carry the v2 hash */
    uint8_t info_hash[20];
    uint8_t peer_id[20];
};

struct wire_handshake_reader {
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    uint8_t have;
};

void wire_handshake_encode(const struct wire_handshake *handshake,
                           uint8_t ret_bytes[WIRE_HANDSHAKE_SIZE]);

/* Starts empty (zeroed memory will do as well). */
void wire_handshake_reader_init(struct wire_handshake_reader *reader);
/* Takes what belongs to the handshake from the front of *input (which moves on) and never more.
 * FRESHET_OK: *ret_handshake is complete. FRESHET_ERROR_TRUNCATED: all is well so far, more must
 * come. FRESHET_ERROR_SYNTAX: this is no BitTorrent peer. */
enum freshet_error wire_handshake_read(struct wire_handshake_reader *reader, struct bytes *input,
                                       struct wire_handshake *ret_handshake);
/* Is the info-hash there? Then *ret_handshake holds all but the peer id (zeros). */
bool wire_handshake_peek(const struct wire_handshake_reader *reader,
                         struct wire_handshake *ret_handshake);

enum wire_hash_kind { WIRE_HASH_NEITHER, WIRE_HASH_V1, WIRE_HASH_V2 };

/* Which of a torrent's hashes the handshake names: v1 (20 bytes) or v2 (32, of which 20 count);
 * either may be NULL. */
enum wire_hash_kind wire_handshake_hash_kind(const struct wire_handshake *handshake,
                                             const uint8_t *info_hash_v1,
                                             const uint8_t *info_hash_v2);

#endif
