/* SPDX-License-Identifier: MIT */
/*
 * LEDBAT++ (draft-irtf-iccrg-ledbat-plus-plus): LEDBAT that shares. Where LEDBAT's late comer takes
 * everything, because the queue of the others looks like its base, this one
 * - grows by a part of a packet in a round trip, the less the shorter the path is;
 * - shrinks by a part of its window, so that the larger gives more;
 * - lets go now and then for two round trips, so that everybody sees the path without a queue; that
 *   costs a tenth of its time at most; it does not come back into a queue twice as long as it
 *   aims at, which is TCP's;
 * - aims at 60 ms.
 * The draft measures round trips; uTP tells one-way times, so the way back does not count.
 */
#ifndef FRESHET_UTP_UTP_LEDBAT_PLUS_H
#define FRESHET_UTP_UTP_LEDBAT_PLUS_H

#include "core/utp/utp_window.h"

#define UTP_LEDBAT_PLUS_TARGET_US 60000u

void utp_ledbat_plus_on_ack(struct utp_window *congestion, const struct utp_window_ack *ack);
/* A loss while it holds two packets was sent before: it halves what it goes back to, and no more.
 * false: it does not hold. */
bool utp_ledbat_plus_has_let_go(struct utp_window *congestion);
void utp_ledbat_plus_on_loss(struct utp_window *congestion, int64_t now);

#endif
