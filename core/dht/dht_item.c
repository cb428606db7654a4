/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_item.h"

#include "core/base/check.h"

#include <string.h>

void dht_item_init(struct dht_item *copy, const struct krpc_item *item)
{
    CHECK(item->value.length <= LIMIT_DHT_VALUE);
    CHECK(item->salt.length <= LIMIT_DHT_SALT);
    copy->item = *item;
    if (item->value.data)
        memcpy(copy->value, item->value.data, item->value.length);
    copy->item.value.data = copy->value;
    if (item->salt.length)
        memcpy(copy->salt, item->salt.data, item->salt.length);
    copy->item.salt.data = item->salt.data ? copy->salt : NULL;
    if (item->key) {
        memcpy(copy->key, item->key, KRPC_KEY_SIZE);
        copy->item.key = copy->key;
    }
    if (item->signature) {
        memcpy(copy->signature, item->signature, KRPC_SIGNATURE_SIZE);
        copy->item.signature = copy->signature;
    }
}

int dht_item_judge(const struct krpc_item *item, const struct dht_verifier *verifier)
{
    if (item->value.length > LIMIT_DHT_VALUE)
        return KRPC_ERROR_TOO_BIG;
    if (item->salt.length > LIMIT_DHT_SALT)
        return KRPC_ERROR_SALT;
    if (!item->key)
        return 0;
    if (!item->signature || !item->has_seq || item->seq < 0 || !verifier->verify)
        return KRPC_ERROR_SIGNATURE;
    struct buffer text = {0};
    krpc_write_signed(item, &text);
    bool is_good =
        verifier->verify(verifier->context, item->key, buffer_bytes(&text), item->signature);
    buffer_deinit(&text);
    return is_good ? 0 : KRPC_ERROR_SIGNATURE;
}
