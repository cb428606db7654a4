/* SPDX-License-Identifier: MIT */
/* planted: core/wire/wire_extension.c */
/* finds: stack-buffer-overflow :: WRITE of size 17 :: in read_ip */
/* covers: core/wire/wire_extension.c */
/* The extension handshake and the small extension messages; what is read is written and read again,
 * and must then be the same. */
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/wire/wire_extension.h"
#include "core/wire/wire_message.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fields(const struct wire_extension_handshake *handshake)
{
    CHECK(handshake->metadata_size <= LIMIT_METADATA_SIZE);
    CHECK(handshake->complete_ago_s >= -1);
    CHECK(handshake->ipv4.family == ADDRESS_NONE || handshake->ipv4.family == ADDRESS_IPV4);
    CHECK(handshake->ipv6.family == ADDRESS_NONE || handshake->ipv6.family == ADDRESS_IPV6);
    for (int i = 0; i < WIRE_EXTENSIONS_MAX; i++)
        CHECK(handshake->named[i] || handshake->ids[i] == 0);
}

static void check_round_trip(const struct wire_extension_handshake *handshake)
{
    struct buffer once = {0}, twice = {0};
    struct wire_extension_handshake again;
    uint8_t ids[WIRE_EXTENSIONS_MAX] = {0};
    wire_extension_encode(&once, handshake);
    if (once.length <= LIMIT_EXTENDED_HANDSHAKE) {
        CHECK(wire_extension_decode(buffer_bytes(&once), &again) == FRESHET_OK);
        wire_extension_encode(&twice, &again);
        CHECK(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
        wire_extension_merge(ids, &again);
        CHECK(memcmp(ids, handshake->ids, sizeof ids) == 0);
    }
    buffer_deinit(&once);
    buffer_deinit(&twice);
}

static void check_small(struct bytes payload)
{
    uint32_t index;
    bool upload_only;
    struct buffer out = {0};
    if (wire_extension_decode_donthave(payload, &index) == FRESHET_OK) {
        wire_extension_put_donthave(&out, 7, index);
        CHECK(out.length == 10);
        CHECK(memcmp(out.data + 6, payload.data, 4) == 0);
    }
    buffer_clear(&out);
    if (wire_extension_decode_upload_only(payload, &upload_only) == FRESHET_OK) {
        wire_extension_put_upload_only(&out, 3, upload_only);
        CHECK(out.length == 7);
        CHECK((out.data[6] != 0) == (payload.data[0] != 0));
    }
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_extension_handshake handshake;
    struct bytes payload = {data, size};
    if (wire_extension_decode(payload, &handshake) == FRESHET_OK) {
        check_fields(&handshake);
        check_round_trip(&handshake);
    }
    check_small(payload);
    return 0;
}
