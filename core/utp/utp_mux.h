/* SPDX-License-Identifier: MIT */
/*
 * Many uTP connections (BEP 29) on one UDP socket: a machine with the four verbs. The host gives it
 * datagrams and sends what it wants sent; its streams look to the host as TCP's do.
 *
 *     utp_mux_input    a datagram of ours            utp_mux_event   what has happened to streams
 *     utp_mux_tick     timers                        utp_mux_output  what is to be sent
 *
 * Rules
 * - After each call that changes something, events and then outputs are pulled until there are
 *   none; only then does the deadline hold.
 * - What utp_mux_input was given is borrowed until the next input or output: a stream's bytes are
 *   best read at once (utp_mux_peek, utp_mux_consume), what is left then is copied.
 * - Nothing is kept for a source that has not echoed our numbers, and it gets no more bytes than it
 *   sent (utp_cookie.h). All buffers together stay below LIMIT_UTP_MEMORY.
 */
#ifndef FRESHET_UTP_UTP_MUX_H
#define FRESHET_UTP_UTP_MUX_H

#include "core/door/door.h"
#include "core/utp/utp_cookie.h"
#include "core/utp/utp_output.h"
#include "core/utp/utp_window.h"

struct utp_mux;

struct utp_mux_options {
    uint64_t seed;
    uint8_t secret[UTP_SECRET_SIZE];
    enum utp_policy policy;
    uint32_t connections_max; /* 0: LIMIT_UTP_CONNECTIONS */
    uint32_t buffer_max;      /* of a connection, each way, a power of two; 0: LIMIT_UTP_BUFFER */
    conn_id inbound_first;    /* accepted ones are numbered from here up */
    /* What we write first to one whom we accepted goes in a packet of its own, so long at most; 0:
     * no such end. (Transmission 3.00 leaves what follows a handshake in its datagram unread.) */
    uint16_t accepted_head;
    bool accepts;
};

/* Bits of utp_event.what. */
#define UTP_EVENT_ACCEPTED  1u
#define UTP_EVENT_CONNECTED 2u
#define UTP_EVENT_READABLE  4u
#define UTP_EVENT_WRITABLE  8u  /* there is room, after there was none */
#define UTP_EVENT_ENDED     16u /* the other writes no more, and all that it wrote was read */
#define UTP_EVENT_CLOSED    32u /* with `error`; the connection is gone */

struct utp_event {
    conn_id conn;
    uint32_t what;
    enum freshet_error error;
    struct utp_path path; /* its local end is known once something came */
};

struct utp_mux *utp_mux_new(const struct utp_mux_options *options);
void utp_mux_free(struct utp_mux *mux);
void utp_mux_set_accepts(struct utp_mux *mux, bool accepts);

/* LIMIT: too many already. The end of the try is an event. */
enum freshet_error utp_mux_connect(struct utp_mux *mux, int64_t now, conn_id conn,
                                   const struct address *remote);

/* false: no packet of uTP. */
bool utp_mux_input(struct utp_mux *mux, int64_t now, const struct utp_path *path,
                   struct bytes datagram);
void utp_mux_tick(struct utp_mux *mux, int64_t now);
int64_t utp_mux_deadline(const struct utp_mux *mux);
bool utp_mux_event(struct utp_mux *mux, struct utp_event *ret_event);
/* `output` is the caller's, reused; its pieces are borrowed until the next call. */
bool utp_mux_output(struct utp_mux *mux, int64_t now, struct utp_output *output);

/* The streams. Of a connection that is gone: nothing to read, no room, nothing happens. */
struct bytes utp_mux_peek(struct utp_mux *mux, conn_id conn);
void utp_mux_consume(struct utp_mux *mux, conn_id conn, size_t length);
/* Where to write and how much at once; NULL: no room, WRITABLE comes. */
uint8_t *utp_mux_reserve(struct utp_mux *mux, conn_id conn, uint32_t *ret_length);
void utp_mux_commit(struct utp_mux *mux, conn_id conn, uint32_t length);
/* What was written still goes out; no event comes any more. */
void utp_mux_close(struct utp_mux *mux, int64_t now, conn_id conn);

/* Connections, those included that only end. */
uint32_t utp_mux_count(const struct utp_mux *mux);
uint64_t utp_mux_memory(const struct utp_mux *mux);

struct utp_status {
    bool is_open;
    uint16_t syn_id; /* that the SYN bore: what both ends know the connection by */
    int64_t rtt_ns;
    uint32_t window, flight, queue_us, packet_size;
};
bool utp_mux_status(const struct utp_mux *mux, conn_id conn, struct utp_status *ret_status);
void utp_mux_check(const struct utp_mux *mux);

#endif
