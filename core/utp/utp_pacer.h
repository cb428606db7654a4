/* SPDX-License-Identifier: MIT */
/*
 * Spreads a window over its round trip, a little faster than it would drain, so that it does not
 * arrive as one burst. What a timer of a millisecond would miss may go at once.
 */
#ifndef FRESHET_UTP_UTP_PACER_H
#define FRESHET_UTP_UTP_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct utp_pacer {
    int64_t budget; /* bytes that may go now; below 0: wait */
    int64_t burst;
    int64_t rate; /* bytes a second; 0: no limit */
    int64_t when_ns;
};

/* Call before asking; rtt 0: not known yet. */
void utp_pacer_update(struct utp_pacer *pacer, int64_t now, uint32_t window, int64_t rtt_ns,
                      uint32_t packet);
bool utp_pacer_may_send(const struct utp_pacer *pacer);
void utp_pacer_on_sent(struct utp_pacer *pacer, uint32_t bytes);
/* When it may send again. */
int64_t utp_pacer_deadline(const struct utp_pacer *pacer);

#endif
