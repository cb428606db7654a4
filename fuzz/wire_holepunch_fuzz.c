/* SPDX-License-Identifier: MIT */
/* planted: core/wire/wire_holepunch.c */
/* finds: heap-buffer-overflow :: in read_address */
/* covers: core/wire/wire_holepunch.c */
/* max_len: 64 */
/* Holepunch: what is read is written and read again, and must then be the same. */
#include "core/base/check.h"
#include "core/wire/wire_holepunch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of a whole message: length, type and extended id come before the payload. */
#define HEAD_SIZE 6u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_holepunch message, again;
    struct buffer out = {0};
    if (wire_holepunch_decode((struct bytes){data, size}, &message) != FRESHET_OK)
        return 0;
    wire_holepunch_put(&out, 1, &message);
    struct bytes payload = {out.data + HEAD_SIZE, out.length - HEAD_SIZE};
    CHECK(wire_holepunch_decode(payload, &again) == FRESHET_OK);
    CHECK(again.type == message.type);
    CHECK(again.error == message.error);
    CHECK(address_equal(&again.address, &message.address));
    buffer_deinit(&out);
    return 0;
}
