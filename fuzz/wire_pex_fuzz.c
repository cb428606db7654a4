/* SPDX-License-Identifier: MIT */
/* planted: core/wire/wire_pex.c */
/* finds: heap-buffer-overflow :: in read_contacts */
/* covers: core/wire/wire_pex.c */
/* max_len: 4096 */
/* Peer exchange: what is read is written and read again, and must then be the same. */
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/wire/wire_pex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of a whole message: length, type and extended id come before the payload. */
#define HEAD_SIZE 6u

static struct bytes payload_of(const struct buffer *message)
{
    CHECK(message->length > HEAD_SIZE);
    return (struct bytes){message->data + HEAD_SIZE, message->length - HEAD_SIZE};
}

static void check_contacts(const struct wire_pex_contact *contacts, uint32_t count)
{
    CHECK(count <= WIRE_PEX_CONTACTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        enum address_family family = contacts[i].address.family;
        CHECK(family == ADDRESS_IPV4 || family == ADDRESS_IPV6);
    }
}

static void check_round_trip(const struct wire_pex *pex)
{
    struct wire_pex again;
    struct buffer once = {0}, twice = {0};
    wire_pex_put(&once, 1, pex);
    CHECK(wire_pex_decode(payload_of(&once), &again) == FRESHET_OK);
    CHECK(!again.was_cut);
    CHECK(again.added_count == pex->added_count);
    CHECK(again.dropped_count == pex->dropped_count);
    wire_pex_put(&twice, 1, &again);
    CHECK(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
    buffer_deinit(&once);
    buffer_deinit(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_pex pex;
    if (wire_pex_decode((struct bytes){data, size}, &pex) != FRESHET_OK)
        return 0;
    check_contacts(pex.added, pex.added_count);
    check_contacts(pex.dropped, pex.dropped_count);
    check_round_trip(&pex);
    return 0;
}
