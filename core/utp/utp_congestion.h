/* SPDX-License-Identifier: MIT */
/*
 * What moves a connection's window: what the two policies share, and the choice between them.
 * LEDBAT (BEP 29, RFC 6817) is utp_ledbat, LEDBAT++ (draft-irtf-iccrg-ledbat-plus-plus) is
 * utp_ledbat_plus.
 */
#ifndef FRESHET_UTP_UTP_CONGESTION_H
#define FRESHET_UTP_UTP_CONGESTION_H

#include "core/utp/utp_window.h"

void utp_congestion_on_ack(struct utp_window *congestion, const struct utp_window_ack *ack);
/* Once a window, however many packets were lost in it. */
void utp_congestion_on_loss(struct utp_window *congestion, int64_t now);
void utp_congestion_on_timeout(struct utp_window *congestion);

#endif
