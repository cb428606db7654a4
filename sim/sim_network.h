/* SPDX-License-Identifier: MIT */
/*
 * Pretend links and pretend TCP. Each node has a port: a link up and a link down with a rate, and a
 * delay. A stream is reliable and in order; its bytes leave in chunks of about one block, the
 * streams of a port taking turns, and wait their turn again at the receiver's link down. At most
 * `window` bytes of a stream are on their way unread, so a reader that pauses stops its writer and
 * many writers share a link down fairly.
 *
 * A stream carries segments: protocol bytes, or spans of pretend payload (sim_spans.h). Since both
 * ends live in one process only lengths travel; the bytes lie in the stream until they are read.
 * A stream over uTP looks the same and is carried as packets of real bytes: see sim_utp.h.
 */
#ifndef FRESHET_SIM_NETWORK_H
#define FRESHET_SIM_NETWORK_H

#include "core/base/address.h"
#include "core/base/error.h"
#include "core/base/list.h"
#include "core/base/rng.h"
#include "core/crypto/rc4.h"
#include "sim/sim_clock.h"
#include "sim/sim_spans.h"

#define SIM_CHUNK_MAX   16896u /* a block and its header in one */
#define SIM_WINDOW      (256u * 1024u)
#define SIM_LISTEN_PORT 6881u

struct sim_link {
    uint64_t up_bytes_per_s; /* 0: no limit */
    uint64_t down_bytes_per_s;
    int64_t delay_ns; /* one way, this port's share: a path's delay is the sum of both ports' */
    bool unreachable; /* behind a NAT: nobody can connect to it */
};

struct sim_stream;
struct sim_end;
struct sim_utp;
struct sim_nat;

/* What a port's owner hears. `owner` is the owner of the port, `end` its end of the stream. */
struct sim_port_handlers {
    void (*accepted)(void *owner, struct sim_end *end, const struct address *remote);
    void (*connected)(void *owner, struct sim_end *end);
    void (*readable)(void *owner, struct sim_end *end);
    void (*writable)(void *owner, struct sim_end *end); /* after sim_end_want_room */
    /* The end is gone after this call. */
    void (*closed)(void *owner, struct sim_end *end, enum freshet_error error);
};

/* Who carries a port's streams over uTP, and takes its datagrams (sim_utp.c, which lies above). */
struct sim_carrier {
    void (*offer)(struct sim_end *end); /* there may be something to write */
    uint64_t (*available)(const struct sim_end *end);
    void (*take)(struct sim_end *end, uint64_t length);
    void (*close)(struct sim_end *end);
    void (*forget)(struct sim_end *end); /* its program is gone */
    void (*input)(struct sim_utp *utp, const struct address *source, struct bytes payload);
};

struct sim_port {
    struct sim_network *network;
    uint32_t index;
    struct sim_link link;
    const struct sim_port_handlers *handlers;
    void *owner;
    bool alive;          /* a program listens; otherwise connections are refused */
    bool connected;      /* the machine answers at all */
    uint32_t side;       /* ports of different sides of a partition do not hear one another */
    struct list ends;    /* all, in order of birth */
    struct list sending; /* ends with something to send and window left */
    struct sim_utp *utp; /* its owner's; NULL: streams are TCP's, and there are no datagrams */
    const struct sim_carrier *carrier; /* with utp */
    struct sim_nat *nat;               /* its owner's; what every datagram passes. NULL: none */
    bool no_tcp;                       /* refuses streams that are not over uTP */
    bool uplink_busy;
    int64_t up_free_at; /* of chunks and datagrams together, as down_free_at is */
    int64_t down_free_at;
    uint16_t port_next; /* of outgoing connections */
    uint64_t bytes_up, bytes_down;
};

struct sim_network {
    struct sim_clock *clock;
    struct sim_port **ports;
    uint32_t port_count;
    struct list idle_chunks, busy_chunks;
    struct list streams;
    struct list datagrams;                               /* in flight: sim_datagram.c */
    void (*drop_datagrams)(struct sim_network *network); /* NULL: there never was one */
    struct rng rng;                                      /* their luck */
};

void sim_network_init(struct sim_network *network, struct sim_clock *clock);
/* Frees all streams; ports must be silent (no handler is called any more). */
void sim_network_deinit(struct sim_network *network);
void sim_network_add(struct sim_network *network, struct sim_port *port,
                     const struct sim_link *link, const struct sim_port_handlers *handlers,
                     void *owner);
/* Nodes' addresses are public ones, far apart from one another. */
struct address sim_network_address(uint32_t index, uint16_t port);
/* The second one of each, in a LAN of which all are. */
struct address sim_network_lan_address(uint32_t index, uint16_t port);
/* The port at an address of either kind, or NULL. */
struct sim_port *sim_network_at(const struct sim_network *network, const struct address *address);

/* The program ends: its streams are reset, at once for it and after the delay for the others; with
 * `power_lost` the others hear nothing until they send something and the machine is back. */
void sim_port_kill(struct sim_port *port, bool power_lost);
void sim_port_revive(struct sim_port *port);

/* Opens a stream. Ends in connected, in closed, or in silence. */
struct sim_end *sim_end_connect(struct sim_port *port, const struct address *remote);
void sim_end_set_context(struct sim_end *end, void *context);
void *sim_end_context(const struct sim_end *end);
/* false: the end's stream is TCP's. */
bool sim_end_is_utp(const struct sim_end *end, uint32_t *ret_conn);
/* The other end's port, NULL when the address is nobody's. */
const struct sim_port *sim_end_remote(const struct sim_end *end);
void sim_end_send_bytes(struct sim_end *end, const uint8_t *bytes, size_t length);
void sim_end_send_span(struct sim_end *end, uint64_t length, uint64_t source, uint64_t offset);
/* Bytes that were sent and have not left yet. */
uint64_t sim_end_unsent(const struct sim_end *end);
/* Calls writable once when at most `low` bytes are unsent. */
void sim_end_want_room(struct sim_end *end, uint64_t low);
/* Bytes that lie ready to be read. */
uint64_t sim_end_available(const struct sim_end *end);
/* The first ready bytes of one kind, at most `max`: if they are protocol bytes, ret_bytes (borrowed
 * until the next read); else ret_bytes is NULL and the span tells what they are. 0: nothing. */
uint64_t sim_end_peek(const struct sim_end *end, uint64_t max, const uint8_t **ret_bytes,
                      struct sim_span *ret_span);
/* Takes what was peeked at, or less of it. */
void sim_end_take(struct sim_end *end, uint64_t length);
/* What this end sends from here on is encrypted so; what it reads from here on is. false: the other
 * end has another cipher there (sim_flow_set_cipher). */
bool sim_end_encrypts(struct sim_end *end, const struct rc4 *cipher);
bool sim_end_decrypts(struct sim_end *end, const struct rc4 *cipher);
/* What was sent still arrives, then the other end hears of it. The end is gone. */
void sim_end_close(struct sim_end *end);
/* The next end of the port after `end` (NULL: the first). */
struct sim_end *sim_port_next_end(const struct sim_port *port, const struct sim_end *end);

#endif
