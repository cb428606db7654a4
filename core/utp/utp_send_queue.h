/* SPDX-License-Identifier: MIT */
/*
 * What one connection has to send: a ring of bytes, and a record of each packet that was cut from
 * it, until it is acknowledged. Bytes are written once into the ring and sent from there as often
 * as it takes.
 *
 *     stream     acked <= framed <= written       written - acked <= capacity
 *     packets    seq_first (oldest not acknowledged) ... seq_next (not made yet)
 *
 * Who is lost: a packet that was sent once when three behind it have arrived; one that was sent
 * again when one that went out clearly later has arrived.
 */
#ifndef FRESHET_UTP_UTP_SEND_QUEUE_H
#define FRESHET_UTP_UTP_SEND_QUEUE_H

#include "core/base/bytes.h"

struct utp_sent {
    uint64_t position; /* in the stream */
    int64_t sent_ns;   /* last */
    uint16_t length;
    uint8_t sendings;
    bool arrived; /* by selective ack */
    bool lost;    /* to be sent again */
    bool probe;   /* of the path's MTU */
    bool fin;
};

struct utp_send_queue {
    uint8_t *ring;
    uint32_t capacity; /* of the ring, a power of two, grows */
    uint32_t capacity_max;
    uint64_t acked, framed, written;
    struct utp_sent *packets;
    uint32_t packet_capacity; /* a power of two, grows */
    uint16_t seq_first, seq_next;
    uint32_t flight;   /* payload bytes sent and neither arrived nor lost */
    uint32_t lost;     /* packets to be sent again */
    uint16_t seq_lost; /* none before it is lost */
    int64_t newest_ns; /* when the latest sent of those that arrived was sent */
    bool fin_wanted, fin_framed;
};

/* What an acknowledgement has brought. */
struct utp_acked {
    uint32_t bytes;
    uint32_t packets;
    int64_t rtt_ns; /* of the newest, if it was sent once; 0: none */
    bool probe;     /* the probe has passed */
};

/* What was found to be lost. */
struct utp_lost {
    uint32_t packets;
    uint16_t newest; /* the last of them */
    bool probe;      /* among them, and then the only one */
    bool doubtful;   /* others were overtaken, by too few to tell */
};

void utp_send_queue_init(struct utp_send_queue *queue, uint16_t seq, uint32_t capacity_max);
void utp_send_queue_deinit(struct utp_send_queue *queue);

/* Bytes that may be written now. */
uint32_t utp_send_queue_room(const struct utp_send_queue *queue);
/* Where to write next, and how much at once (0: no room). The ring grows by at most `grow_max`. */
uint8_t *utp_send_queue_reserve(struct utp_send_queue *queue, uint64_t grow_max,
                                uint32_t *ret_length);
void utp_send_queue_commit(struct utp_send_queue *queue, uint32_t length);

uint32_t utp_send_queue_unframed(const struct utp_send_queue *queue);
/* Packets not acknowledged. */
uint32_t utp_send_queue_outstanding(const struct utp_send_queue *queue);
/* Cuts the next packet, at most `size` bytes (or the FIN, when nothing is left but that). */
struct utp_sent *utp_send_queue_frame(struct utp_send_queue *queue, uint32_t size);
/* The oldest that is lost, or NULL. */
struct utp_sent *utp_send_queue_next_lost(struct utp_send_queue *queue, uint16_t *ret_seq);
/* It goes out now. */
void utp_send_queue_on_sent(struct utp_send_queue *queue, struct utp_sent *packet, int64_t now);
/* The packet's bytes, in one piece or two; returns how many pieces (0: an empty one). */
uint32_t utp_send_queue_bytes(const struct utp_send_queue *queue, const struct utp_sent *packet,
                              struct bytes ret_pieces[2]);

/* `ack` must be within [seq_first - 1, seq_next - 1]. */
void utp_send_queue_ack(struct utp_send_queue *queue, int64_t now, uint16_t ack,
                        struct utp_acked *acked);
/* false: it speaks of a packet that was never sent, and nothing was done. */
bool utp_send_queue_sack(struct utp_send_queue *queue, int64_t now, uint16_t ack, struct bytes sack,
                         struct utp_acked *acked);
/* After both: who is lost, given that packets may overtake one another by `reorder_ns`. */
void utp_send_queue_find_lost(struct utp_send_queue *queue, int64_t reorder_ns,
                              struct utp_lost *ret_lost);
/* They were doubtful when the newest to have arrived was one sent at `newest_ns`, and are still. */
void utp_send_queue_lose_overtaken(struct utp_send_queue *queue, int64_t newest_ns,
                                   struct utp_lost *ret_lost);
/* The oldest is lost: repeated acknowledgements of what was before it say so. */
void utp_send_queue_lose_first(struct utp_send_queue *queue, struct utp_lost *ret_lost);
/* A timeout: all that have not arrived are. */
void utp_send_queue_lose_all(struct utp_send_queue *queue, struct utp_lost *ret_lost);

/* Bytes of memory that it holds. */
uint64_t utp_send_queue_memory(const struct utp_send_queue *queue);
void utp_send_queue_check(const struct utp_send_queue *queue);

#endif
