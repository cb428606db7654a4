/* SPDX-License-Identifier: MIT */
/* planted: core/dht/krpc.c */
/* finds: internal check failed: id.length == DHT_ID_SIZE */
/*
 * One packet of the DHT. What is understood is written and understood again, and is then the same
 * to the byte. covers: core/dht/krpc.c
 * max_len: 4096
 */
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/bencode/bencode.h"
#include "core/dht/krpc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The id of who speaks is 20 bytes in the packet, for which the message has room. */
static void check_id(struct bytes packet, const struct krpc_message *message)
{
    struct bencode document = {0};
    struct bytes id;
    CHECK(bencode_parse(&document, packet, BENCODE_ANY_ORDER) == FRESHET_OK);
    const struct bencode_value *dict =
        bencode_find_dict(bencode_root(&document), message->kind == KRPC_QUERY ? "a" : "r");
    if (message->kind != KRPC_ERROR && bencode_find_string(dict, "id", &id)) {
        CHECK(id.length == DHT_ID_SIZE);
        CHECK(memcmp(id.data, message->id.bytes, DHT_ID_SIZE) == 0);
    }
    bencode_deinit(&document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact = memory_copy(data, size);
    struct krpc_message message, again;
    if (krpc_parse((struct bytes){exact, size}, &message) == FRESHET_OK && !message.problem) {
        struct buffer first = {0}, second = {0};
        check_id((struct bytes){exact, size}, &message);
        krpc_write(&message, &first);
        if (first.length <= LIMIT_DHT_DATAGRAM_IN) {
            CHECK(krpc_parse(buffer_bytes(&first), &again) == FRESHET_OK);
            krpc_write(&again, &second);
            CHECK(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
        }
        if (message.item.value.data) {
            struct dht_id target = krpc_item_target(&message.item);
            buffer_clear(&second);
            krpc_write_signed(&message.item, &second);
            CHECK(dht_id_shared_bits(&target, &target) == DHT_ID_BITS);
        }
        buffer_deinit(&first);
        buffer_deinit(&second);
    }
    memory_free(exact);
    return 0;
}
