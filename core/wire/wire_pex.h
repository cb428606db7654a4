/* SPDX-License-Identifier: MIT */
/*
 * ut_pex (BEP 11): peers that came and went since the last message. A pure codec.
 */
#ifndef FRESHET_WIRE_WIRE_PEX_H
#define FRESHET_WIRE_WIRE_PEX_H

#include "core/base/address.h"
#include "core/base/bytes.h"
#include "core/base/error.h"

enum wire_pex_flag {
    WIRE_PEX_ENCRYPTION = 0x01, /* prefers it */
    WIRE_PEX_SEED = 0x02,       /* or upload only */
    WIRE_PEX_UTP = 0x04,
    WIRE_PEX_HOLEPUNCH = 0x08,
    WIRE_PEX_REACHABLE = 0x10, /* who tells of it has connected to it */
};

struct wire_pex_contact {
    struct address address;
    uint8_t flags; /* an OR of enum wire_pex_flag */
};

#define WIRE_PEX_CONTACTS_MAX 200u /* of one list that are looked at; more is cut */

struct wire_pex {
    struct wire_pex_contact added[WIRE_PEX_CONTACTS_MAX]; /* IPv4, then IPv6 */
    uint32_t added_count;
    struct wire_pex_contact dropped[WIRE_PEX_CONTACTS_MAX]; /* flags 0 */
    uint32_t dropped_count;
    bool was_cut;
};

/* SYNTAX (or what bencode says) when it is no dictionary or a list is no multiple of its entry's
 * size; LIMIT when it is larger than LIMIT_EXTENDED_PAYLOAD. A missing or short flags string counts
 * as zeros, a list of another type as none. */
enum freshet_error wire_pex_decode(struct bytes payload, struct wire_pex *ret_pex);
/* Appends the whole message with the peer's id (not 0). Contacts may come in any order of families.
 */
void wire_pex_put(struct buffer *out, uint8_t extended_id, const struct wire_pex *pex);

#endif
