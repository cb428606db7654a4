/* SPDX-License-Identifier: MIT */
/*
 * How large a datagram the path carries: a search between a size that is thought to pass and one
 * that is known not to.
 *
 * Commandments
 * - Only a probe forbids fragments. All other packets may be cut on their way, so a wrong belief
 *   costs speed and never the connection.
 * - A probe is a data packet. When it is lost alone, that is news about its size and not about
 *   congestion.
 * - What an Ethernet carries is tried first: mostly it is the answer, and larger is never tried,
 *   since deployed clients read into buffers that are little larger and cut what does not fit.
 */
#ifndef FRESHET_UTP_UTP_MTU_H
#define FRESHET_UTP_UTP_MTU_H

#include "core/base/address.h"

struct utp_mtu {
    uint16_t floor;   /* UDP payload that passes */
    uint16_t ceiling; /* the largest that might */
    uint16_t probe;   /* size of the probe on its way; 0: none */
    uint16_t largest; /* by the family */
    uint8_t failures; /* of the same size */
    int64_t again_ns; /* when a finished search begins anew */
};

void utp_mtu_init(struct utp_mtu *mtu, enum address_family family);
/* The size of ordinary packets. */
uint16_t utp_mtu_size(const struct utp_mtu *mtu);
/* The size to probe now, 0: none. */
uint16_t utp_mtu_next_probe(struct utp_mtu *mtu, int64_t now);
void utp_mtu_on_probe(struct utp_mtu *mtu, uint16_t size);
void utp_mtu_on_passed(struct utp_mtu *mtu, int64_t now);
void utp_mtu_on_lost(struct utp_mtu *mtu, int64_t now);
/* Nothing has passed for several timeouts: perhaps the path has become narrower. */
void utp_mtu_on_black_hole(struct utp_mtu *mtu);

#endif
