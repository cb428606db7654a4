/* SPDX-License-Identifier: MIT */
/*
 * One uTP connection: a reliable stream of bytes each way over datagrams. A part of utp_mux, which
 * finds the connection of a packet, carries its output and owns it.
 *
 *     SYN_SENT --STATE that acknowledges the SYN--> OPEN --> CLOSED
 *
 * An accepted one begins OPEN: before that there was no state (utp_cookie.h). OPEN ends
 * - in order, when both have sent a FIN, each has acknowledged the other's, and nobody has asked
 * for one again for a while;
 * - by a RESET whose numbers are possible, by too many timeouts in a row, by acknowledgements of
 *   what was never sent;
 * - some time after we closed, if the other does not end.
 * Each half ends by itself: after the other's FIN we may write on, and after ours read on as long
 * as nobody has called utp_connection_close, after which what still comes is acknowledged and
 * dropped.
 *
 * What is in order and not read yet waits in `inbox`, and the window that we tell shrinks by it; a
 * payload that is read while its datagram is at hand is never copied (`borrowed`).
 */
#ifndef FRESHET_UTP_UTP_CONNECTION_H
#define FRESHET_UTP_UTP_CONNECTION_H

#include "core/base/address.h"
#include "core/base/heap.h"
#include "core/base/list.h"
#include "core/door/door.h"
#include "core/utp/utp_congestion.h"
#include "core/utp/utp_delay.h"
#include "core/utp/utp_mtu.h"
#include "core/utp/utp_output.h"
#include "core/utp/utp_pacer.h"
#include "core/utp/utp_packet.h"
#include "core/utp/utp_reorder.h"
#include "core/utp/utp_send_queue.h"
#include "core/utp/utp_timeout.h"

enum utp_state { UTP_SYN_SENT, UTP_OPEN, UTP_CLOSED };

/* What has happened and was not told yet; bits. */
#define UTP_TOLD_ACCEPTED  1u
#define UTP_TOLD_CONNECTED 2u
#define UTP_TOLD_READABLE  4u
#define UTP_TOLD_WRITABLE  8u  /* there is room again, after there was none */
#define UTP_TOLD_ENDED     16u /* the other's FIN, and all before it has been read */
#define UTP_TOLD_CLOSED    32u /* with `error`; nothing more comes */

struct utp_connection {
    conn_id id;
    struct utp_path path;
    uint16_t id_receive, id_send;
    uint32_t clock_us; /* added to our clock in what we send */
    enum utp_state state;
    enum freshet_error error; /* why CLOSED */
    uint32_t happened;        /* UTP_TOLD_* */

    struct utp_send_queue out;
    struct utp_timeout timeout;
    struct utp_delay delay;
    struct utp_window congestion;
    struct utp_pacer pacer;
    struct utp_mtu mtu;
    uint32_t peer_window;
    uint16_t recover; /* a loss before it belongs to a window that was cut already */
    bool recovering;
    uint8_t repeated;  /* acknowledgements of the same */
    uint32_t liar;     /* acknowledgements of what was never sent */
    bool probe_window; /* the other's window is shut: one packet may ask whether it still is */
    bool wants_room;   /* the writer waits */
    int64_t full_ns;   /* when the window last held us back */

    struct utp_reorder in; /* in.next - 1 is what we acknowledge */
    struct buffer inbox;   /* in order, not read */
    size_t inbox_read;     /* how much of it is */
    struct bytes borrowed; /* payload of the packet at hand, behind the inbox */
    uint16_t head;         /* of the options */
    uint32_t window_max;   /* the mux makes it small when memory is */
    uint32_t window_told;
    uint32_t reply_us; /* the delay of the last packet, as we saw it */
    uint16_t end;      /* sequence number of the FIN */
    bool end_known, end_reached;

    bool closing;   /* utp_connection_close was called */
    bool state_due; /* a STATE, if no DATA goes before */
    bool reset_due, syn_due;
    uint32_t syns;
    int64_t timer_ns;        /* retransmission, or the next window probe; INT64_MAX: none */
    int64_t doubt_ns;        /* what was overtaken is lost then; INT64_MAX: nothing was */
    int64_t doubt_newest_ns; /* as utp_send_queue_lose_overtaken wants it */
    int64_t sent_ns;         /* the last packet */
    int64_t heard_ns;        /* the last that made sense */
    int64_t close_ns;        /* gone then whatever happens; INT64_MAX: not closing */
    bool lingers;            /* both ended: only for the sake of a FIN that comes again */
    int64_t paced_ns;        /* held back by the pacer until then; INT64_MAX: not */

    /* The mux's. */
    struct list_node node, ready, eventful;
    struct heap_node due;
    uint64_t memory; /* that the mux has counted */
};

struct utp_connection_options {
    conn_id id;
    struct utp_path path;
    uint16_t id_receive, id_send;
    uint16_t seq; /* of our first packet: the SYN's, or the first after the cookie */
    uint32_t clock_us;
    enum utp_policy policy;
    uint32_t buffer_max; /* each way */
    uint16_t head;       /* the first packet's longest; 0: as all others */
};

/* The one who connects. */
void utp_connection_init(struct utp_connection *connection, int64_t now,
                         const struct utp_connection_options *options);
/* A packet has echoed our cookie; it is still to be put in. */
void utp_connection_init_accepted(struct utp_connection *connection, int64_t now,
                                  const struct utp_connection_options *options, uint16_t syn_seq,
                                  uint32_t peer_window);
void utp_connection_deinit(struct utp_connection *connection);

void utp_connection_input(struct utp_connection *connection, int64_t now,
                          const struct utp_packet *packet);
void utp_connection_tick(struct utp_connection *connection, int64_t now);
int64_t utp_connection_deadline(const struct utp_connection *connection);
/* Up to a run of equally long packets; false: nothing to send now. */
bool utp_connection_output(struct utp_connection *connection, int64_t now,
                           struct utp_output *output);

/* The next bytes in order; length 0: none now. Valid until the next call that changes it. */
struct bytes utp_connection_peek(const struct utp_connection *connection);
void utp_connection_consume(struct utp_connection *connection, size_t length);
/* The datagram at hand goes: what of it was not read is copied. */
void utp_connection_settle(struct utp_connection *connection);

/* Tells a writer that waits that there is room again; false: nobody waits, or there is none. */
bool utp_connection_wake_writer(struct utp_connection *connection);
/* As utp_send_queue's. */
uint8_t *utp_connection_reserve(struct utp_connection *connection, uint64_t grow_max,
                                uint32_t *ret_length);
void utp_connection_commit(struct utp_connection *connection, uint32_t length);
/* We write no more and read no more; what was written still goes out. */
void utp_connection_close(struct utp_connection *connection, int64_t now);
/* Nobody needs it any more. */
bool utp_connection_is_over(const struct utp_connection *connection);
/* Bytes of buffers that it holds now. */
uint64_t utp_connection_memory(const struct utp_connection *connection);
void utp_connection_check(const struct utp_connection *connection);

#endif
