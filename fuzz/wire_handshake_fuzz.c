/* SPDX-License-Identifier: MIT */
/* planted: core/wire/wire_handshake.c */
/* finds: internal check failed: at <= WIRE_HANDSHAKE_SIZE */
/* covers: core/wire/wire_handshake.c */
/* The handshake reader: byte 0 says how the rest is cut. */
#include "core/base/check.h"
#include "core/wire/wire_handshake.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct wire_handshake *handshake, const uint8_t *sent)
{
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(handshake, bytes);
    CHECK(memcmp(bytes, sent, 20) == 0);
    /* Reserved bits that we don't know are not sent on. */
    for (int i = 20; i < 28; i++)
        CHECK((bytes[i] & ~sent[i]) == 0);
    CHECK(memcmp(bytes + 28, sent + 28, 40) == 0);
    CHECK(wire_handshake_hash_kind(handshake, sent + 28, NULL) == WIRE_HASH_V1);
    CHECK(wire_handshake_hash_kind(handshake, NULL, sent + 28) == WIRE_HASH_V2);
    uint8_t other[32];
    memcpy(other, sent + 28, 32);
    other[19] ^= 1;
    CHECK(wire_handshake_hash_kind(handshake, other, other) == WIRE_HASH_NEITHER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_handshake_reader reader;
    struct wire_handshake handshake, partial;
    if (size < 1)
        return 0;
    size_t step = data[0] ? data[0] : size;
    data++, size--;
    wire_handshake_reader_init(&reader);
    for (size_t at = 0; at < size;) {
        size_t length = size - at < step ? size - at : step;
        struct bytes input = {data + at, length};
        enum freshet_error error = wire_handshake_read(&reader, &input, &handshake);
        at += length - input.length;
        CHECK(at <= WIRE_HANDSHAKE_SIZE);
        CHECK(wire_handshake_peek(&reader, &partial) == (at >= WIRE_HANDSHAKE_HASH_END));
        if (error == FRESHET_OK) {
            CHECK(at == WIRE_HANDSHAKE_SIZE);
            check_round_trip(&handshake, data);
            break;
        }
        if (error != FRESHET_ERROR_TRUNCATED)
            break;
        CHECK(input.length == 0);
    }
    return 0;
}
