/* SPDX-License-Identifier: MIT */
/*
 * Packets that came before those in front of them. Bounded in packets and, by the window that we
 * tell, in bytes; holds copies until their turn comes.
 */
#ifndef FRESHET_UTP_UTP_REORDER_H
#define FRESHET_UTP_UTP_REORDER_H

#include "core/base/bytes.h"

struct utp_held; /* one packet */

struct utp_reorder {
    struct utp_held **slots; /* by sequence number */
    uint32_t capacity;       /* a power of two, grows */
    uint32_t count;
    uint32_t bytes;  /* of payload */
    uint32_t spread; /* one more than the furthest ahead of `next` that is held */
    uint16_t next;   /* the packet that is missing */
};

void utp_reorder_init(struct utp_reorder *reorder, uint16_t next);
void utp_reorder_deinit(struct utp_reorder *reorder);
/* Keeps a copy of a packet that is ahead of `next`, unless it is there already. false: too far. */
bool utp_reorder_put(struct utp_reorder *reorder, uint16_t seq, struct bytes payload);
/* `next` has come: waits for the one behind it. */
void utp_reorder_advance(struct utp_reorder *reorder);
/* The packet `next` if it is held: its bytes, borrowed until utp_reorder_advance. */
bool utp_reorder_peek(const struct utp_reorder *reorder, struct bytes *ret_payload);
/* Those held, as the bits of a selective ack; returns the length, 0 when none is. */
size_t utp_reorder_sack(const struct utp_reorder *reorder, uint8_t *ret_sack, size_t size);
uint64_t utp_reorder_memory(const struct utp_reorder *reorder);
void utp_reorder_check(const struct utp_reorder *reorder);

#endif
