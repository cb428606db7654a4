/* SPDX-License-Identifier: MIT */
/*
 * LEDBAT as BEP 29 and RFC 6817 have it: the window grows in proportion to how far the queue is
 * below 100 ms, and shrinks likewise above. From 150 ms on, where it does not get by itself, it
 * gives up a part of its window instead, so that TCP has the link in a second and not in ten.
 */
#ifndef FRESHET_UTP_UTP_LEDBAT_H
#define FRESHET_UTP_UTP_LEDBAT_H

#include "core/utp/utp_window.h"

#define UTP_LEDBAT_TARGET_US 100000u

void utp_ledbat_on_ack(struct utp_window *congestion, const struct utp_window_ack *ack);

#endif
