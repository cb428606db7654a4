/* SPDX-License-Identifier: MIT */
/*
 * ut_holepunch (BEP 55): two peers that cannot reach each other are brought together by a third. A
 * pure codec.
 *
 *     u8 type | u8 0: IPv4, 1: IPv6 | 4 or 16 bytes of address | u16 port | u32 error
 *
 * The BEP has the error in every message, 0 where there is none; libtorrent leaves it out there. We
 * write it and read both.
 */
#ifndef FRESHET_WIRE_WIRE_HOLEPUNCH_H
#define FRESHET_WIRE_WIRE_HOLEPUNCH_H

#include "core/base/address.h"
#include "core/base/bytes.h"
#include "core/base/error.h"

enum wire_holepunch_type {
    WIRE_HOLEPUNCH_RENDEZVOUS = 0, /* to the relay: bring us together */
    WIRE_HOLEPUNCH_CONNECT = 1,    /* from the relay, to both: connect now */
    WIRE_HOLEPUNCH_ERROR = 2,      /* from the relay: no */
};

enum wire_holepunch_error {
    WIRE_HOLEPUNCH_NO_ERROR = 0,
    WIRE_HOLEPUNCH_NO_SUCH_PEER = 1,  /* the address is none of a peer */
    WIRE_HOLEPUNCH_NOT_CONNECTED = 2, /* the relay is not connected to it */
    WIRE_HOLEPUNCH_NO_SUPPORT = 3,    /* it does not know the extension */
    WIRE_HOLEPUNCH_NO_SELF = 4,       /* it is the relay */
};

struct wire_holepunch {
    enum wire_holepunch_type type;
    struct address address;          /* of the other one */
    enum wire_holepunch_error error; /* of ERROR only, and never 0 there */
};

/* SYNTAX: unknown type, family or error, an error where there can be none or none where there must
 * be, or another length than follows from them. */
enum freshet_error wire_holepunch_decode(struct bytes payload, struct wire_holepunch *ret_message);
/* Appends the whole message with the peer's id (not 0). */
void wire_holepunch_put(struct buffer *out, uint8_t extended_id,
                        const struct wire_holepunch *message);

#endif
