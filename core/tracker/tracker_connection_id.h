/* SPDX-License-Identifier: MIT */
/*
 * Connection ids of a UDP tracker (BEP 15) without any state: a keyed hash of when and to whom the
 * id was given. Only who really receives packets at an address can know its id, so that replies
 * larger than their requests never go to a forged source.
 *
 *     id = seconds, low 16 bits (16) | SHA-256(secret, seconds, address), first 48 bits (48)
 *
 * The seconds in clear let one hash decide whether the id is ours and not older than
 * LIMIT_TRACKER_CONNECTION_ID_S.
 */
#ifndef FRESHET_TRACKER_TRACKER_CONNECTION_ID_H
#define FRESHET_TRACKER_TRACKER_CONNECTION_ID_H

#include "core/base/address.h"

#define TRACKER_SECRET_SIZE 32

/* The port is left out: behind some NATs it changes from packet to packet. */
uint64_t tracker_connection_id_make(const uint8_t secret[TRACKER_SECRET_SIZE],
                                    const struct address *address, int64_t now);
bool tracker_connection_id_is_good(const uint8_t secret[TRACKER_SECRET_SIZE],
                                   const struct address *address, int64_t now, uint64_t id);

#endif
