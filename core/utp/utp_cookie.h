/* SPDX-License-Identifier: MIT */
/*
 * Numbers that prove where a peer is without anything kept for it, as a tracker's connection ids do
 * (tracker_connection_id.h):
 *
 *     our first sequence number = SHA-256(secret, address, port, id, time), 16 bits  XOR  the SYN's
 *     our clock towards it      = clock + SHA-256(secret, address), 32 bits
 *
 * A packet opens a connection only if it acknowledges the one, being one of the first behind that
 * SYN, and echoes the other of a few seconds ago. Who cannot see our answers has one chance in some
 * millions with each packet.
 */
#ifndef FRESHET_UTP_UTP_COOKIE_H
#define FRESHET_UTP_UTP_COOKIE_H

#include "core/base/address.h"
#include "core/utp/utp_packet.h"

#define UTP_SECRET_SIZE 32

/* What is added to our clock in packets to this address. */
uint32_t utp_cookie_clock(const uint8_t secret[UTP_SECRET_SIZE], const struct address *remote);
/* Our sequence number for a SYN with this id and number. */
uint16_t utp_cookie_make(const uint8_t secret[UTP_SECRET_SIZE], const struct address *remote,
                         uint16_t syn_id, uint16_t syn_seq, int64_t now);
/* Does the packet acknowledge such a number of the last minute? Then which number the SYN had. */
bool utp_cookie_is_good(const uint8_t secret[UTP_SECRET_SIZE], const struct address *remote,
                        const struct utp_packet *packet, int64_t now, uint16_t *ret_syn_seq);
/* Does it echo a clock of a few seconds ago? */
bool utp_cookie_is_echo(uint32_t clock_us, const struct utp_packet *packet, int64_t now);

#endif
