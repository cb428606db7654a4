/* SPDX-License-Identifier: MIT */
/*
 * ut_metadata (BEP 9): requests for 16 KiB blocks of the info dictionary and their answers.
 * Payloads of extended messages: a bencoded dictionary, with data followed by the raw bytes of the
 * block.
 */
#ifndef FRESHET_WIRE_WIRE_METADATA_H
#define FRESHET_WIRE_WIRE_METADATA_H

#include "core/base/bytes.h"
#include "core/base/error.h"

#define WIRE_METADATA_BLOCK 16384u

enum wire_metadata_type {
    WIRE_METADATA_REQUEST = 0,
    WIRE_METADATA_DATA = 1,
    WIRE_METADATA_REJECT = 2
};

struct wire_metadata {
    enum wire_metadata_type type;
    uint32_t block;      /* `piece` of the BEP: which 16 KiB of the dictionary */
    uint32_t total_size; /* DATA: of the dictionary, 0 when not told */
    struct bytes bytes;  /* DATA: borrowed */
};

/* SYNTAX (or what bencode says), RANGE (a block beyond LIMIT_METADATA_SIZE, more than a block of
 * bytes), UNSUPPORTED: a msg_type of later times, to be ignored. */
enum freshet_error wire_metadata_decode(struct bytes payload, struct wire_metadata *ret_message);
/* Appends the whole message with the peer's id (not 0). */
void wire_metadata_put(struct buffer *out, uint8_t extended_id,
                       const struct wire_metadata *message);

#endif
