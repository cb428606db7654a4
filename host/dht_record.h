/* SPDX-License-Identifier: MIT */
/*
 * What a node of the DHT knows (dht_node_save), kept in the state between runs: one record a
 * family, of a session (get, seed) and of a node that stands alone (dht_service) alike.
 */
#ifndef FRESHET_HOST_DHT_RECORD_H
#define FRESHET_HOST_DHT_RECORD_H

#include "host/state_store.h"

/* Appends the record; NOT_FOUND: none was kept. */
enum freshet_error dht_record_load(struct state_store *state, enum address_family family,
                                   struct buffer *ret_record);
enum freshet_error dht_record_save(struct state_store *state, enum address_family family,
                                   struct bytes record);

#endif
