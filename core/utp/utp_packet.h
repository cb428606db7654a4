/* SPDX-License-Identifier: MIT */
/*
 * A uTP packet (BEP 29), bytes to fields and back, and the arithmetic of its numbers, which wrap.
 *
 *     type 4 | version 4 | extension 8 | connection id 16
 *     timestamp, microseconds 32
 *     the other's timestamp on its arrival subtracted from our clock 32
 *     bytes free in our receive buffer 32
 *     sequence number 16 | acknowledgement number 16
 *     { next extension 8 | length 8 | data }*
 *     payload
 */
#ifndef FRESHET_UTP_UTP_PACKET_H
#define FRESHET_UTP_UTP_PACKET_H

#include "core/base/bytes.h"
#include "core/base/error.h"

#define UTP_HEADER_SIZE 20u
#define UTP_SACK_MAX    64u /* bytes that we send, 512 packets */
#define UTP_HEAD_MAX    (UTP_HEADER_SIZE + 2u + UTP_SACK_MAX)

enum utp_type { UTP_DATA, UTP_FIN, UTP_STATE, UTP_RESET, UTP_SYN };

struct utp_packet {
    enum utp_type type;
    uint16_t id;
    uint32_t time_us;
    uint32_t delay_us; /* 0: not known */
    uint32_t window;
    uint16_t seq;
    uint16_t ack;
    /* The BEP wants a multiple of four bytes, libtorrent sends others: any length is taken. */
    struct bytes sack; /* bit i of byte j, lowest first, is packet ack + 2 + 8j + i */
    struct bytes payload;
};

/* Does it look like uTP? Neither a DHT message (they begin with 'd') nor a tracker's reply does. */
bool utp_packet_is(struct bytes bytes);
/* Unknown extensions are passed over. */
enum freshet_error utp_packet_parse(struct bytes bytes, struct utp_packet *ret_packet);
/* Header and selective ack; the payload goes behind. Returns the length. */
size_t utp_packet_write_head(const struct utp_packet *packet, uint8_t ret_head[UTP_HEAD_MAX]);

/* Is a before b, on the circle of 65536? */
static inline bool utp_seq_before(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b) < 0;
}

/* The same of clocks. */
static inline bool utp_time_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

#endif
