/* SPDX-License-Identifier: MIT */
#include "host/dht_record.h"

static const char *blob_name(enum address_family family)
{
    return family == ADDRESS_IPV4 ? "dht.ipv4" : "dht.ipv6";
}

enum freshet_error dht_record_load(struct state_store *state, enum address_family family,
                                   struct buffer *ret_record)
{
    return state_store_blob(state, blob_name(family), ret_record);
}

enum freshet_error dht_record_save(struct state_store *state, enum address_family family,
                                   struct bytes record)
{
    return state_store_put_blob(state, blob_name(family), record);
}
