/* SPDX-License-Identifier: MIT */
/* planted: core/wire/wire_metadata.c */
/* finds: heap-buffer-overflow :: in wire_metadata_put */
/* covers: core/wire/wire_metadata.c */
/* Messages of ut_metadata; what is read is written and read again, and must then be the same. */
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/wire/wire_metadata.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fields(const struct wire_metadata *message)
{
    CHECK(message->block < LIMIT_METADATA_SIZE / WIRE_METADATA_BLOCK);
    CHECK(message->total_size <= LIMIT_METADATA_SIZE);
    CHECK(message->bytes.length <= WIRE_METADATA_BLOCK);
    CHECK(message->type == WIRE_METADATA_DATA || message->bytes.length == 0);
    CHECK(message->type == WIRE_METADATA_DATA || message->total_size == 0);
}

static void check_round_trip(const struct wire_metadata *message)
{
    struct buffer out = {0};
    struct wire_metadata again;
    wire_metadata_put(&out, 9, message); /* reads every byte of the block */
    struct bytes payload = {out.data + 6, out.length - 6};
    CHECK(wire_metadata_decode(payload, &again) == FRESHET_OK);
    CHECK(again.type == message->type);
    CHECK(again.block == message->block);
    CHECK(again.total_size == message->total_size);
    CHECK(bytes_equal(again.bytes, message->bytes));
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_metadata message;
    if (wire_metadata_decode((struct bytes){data, size}, &message) != FRESHET_OK)
        return 0;
    check_fields(&message);
    check_round_trip(&message);
    return 0;
}
