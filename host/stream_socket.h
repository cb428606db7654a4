/* SPDX-License-Identifier: MIT */
/*
 * One connection of stream_sockets, TCP or uTP: what stream_send and stream_receive, its two
 * halves, work on, and what all connections share. What differs between the two is
 * stream_transport.
 */
#ifndef FRESHET_HOST_STREAM_SOCKET_H
#define FRESHET_HOST_STREAM_SOCKET_H

#include "core/base/list.h"
#include "core/base/map.h"
#include "host/disk.h"
#include "host/proxy_dialog.h"
#include "host/stream_cipher.h"

#include <sys/uio.h>
#include <uv.h>

/* What one connection may move before the next one has its turn. */
#define STREAM_TURN_BYTES (512u * KIB)
#define STREAM_SCRATCH    (128u * KIB)

struct stream_sockets_options {
    uv_loop_t *loop;
    const struct block_memory *pool;
    struct disk *disk;
    uint32_t connections_max;          /* more inbound ones are closed at once */
    const struct network_route *route; /* outlives the streams; NULL: the system's own */
    void (*event)(void *context, struct event *event);
    void (*receive_plan)(void *context, conn_id conn, struct receive_plan *ret_plan);
    void *context;
};

struct stream_socket;
struct stream_races;
struct utp_event;
struct utp_streams;

/* What uTP does in a way of its own; utp_streams has it. The last three answer as system calls do.
 */
struct stream_utp_calls {
    void (*poll)(struct stream_socket *stream);
    void (*close)(struct stream_socket *stream);
    ssize_t (*read)(struct stream_socket *stream, const struct iovec *vectors, int count);
    ssize_t (*write)(struct stream_socket *stream, const void *bytes, size_t length);
    ssize_t (*send_file)(struct stream_socket *stream, int file, off_t offset, size_t length);
};

/* What stream_races is told of. */
struct stream_race_calls {
    /* The stream closes. */
    void (*leave)(struct stream_socket *stream);
    /* Something has happened to the uTP of a stream that is connecting; returns whose event it is
     * now, or NULL when it is settled. */
    struct stream_socket *(*on_utp)(struct stream_socket *stream, const struct utp_event *event);
};

/* What all connections share. */
struct stream_table {
    struct stream_sockets_options options;
    struct map by_id;
    struct list all;
    struct utp_streams *utp; /* NULL: there is only TCP */
    const struct stream_utp_calls *utp_calls;
    struct stream_races *races; /* NULL as well, with its calls */
    const struct stream_race_calls *race_calls;
    struct address bound; /* where we listen; family ADDRESS_NONE: nowhere */
    uv_poll_cb on_poll;
    uint8_t *scratch; /* STREAM_SCRATCH: protocol bytes on their way */
    uint8_t *trash;   /* STREAM_SCRATCH: payload that nobody wants */
};

/* How a stream that is connecting stands in a dial over both transports (stream_races.h). */
enum stream_race { STREAM_RACE_NONE, STREAM_RACE_ALONE, STREAM_RACE_BOTH };

/* The one ACTION_SEND in flight. */
struct stream_sending {
    bool active;
    bool warming_now;
    uint8_t *header; /* inline_header or heap */
    size_t header_length, header_sent;
    uint8_t inline_header[64];
    struct held_range *ranges;
    uint32_t range_count, range_now, range_sent;
    struct file_range *gather;   /* too many to hold: a worker reads them behind the header */
    struct storage_files *files; /* shared while ranges are held or gathered */
    uint32_t unreported;         /* bytes out since the last EVENT_SENT */
    struct disk_warming warming;
};

struct stream_socket {
    uv_poll_t poll;
    struct list_node node; /* in table->all */
    struct stream_table *table;
    conn_id id;
    int fd;
    int polled; /* events that we wait for now */
    bool connecting, paused, closing, handle_closed;
    uint8_t race;                /* enum stream_race */
    int64_t dialled_ns;          /* ALONE: since when */
    struct list_node waiting;    /* ALONE: in stream_races */
    struct proxy_dialog *dialog; /* connecting through a proxy */
    bool dialog_reads;
    bool is_utp;          /* no descriptor, nothing is polled */
    bool utp_full;        /* its ring has no room */
    bool utp_ended;       /* the other writes no more */
    bool utp_stays;       /* closing leaves its connection to the mux */
    struct list_node due; /* in utp_streams: may go on at once, or may be freed */
    uint32_t turn_left;   /* bytes that may be sent in this turn */
    struct address remote, local;
    struct stream_cipher *cipher; /* NULL: nothing is encrypted */
    struct stream_sending sending;
};

/* Takes over the fd; NULL when libuv cannot watch it. */
struct stream_socket *stream_socket_new(struct stream_table *table, conn_id id, int fd,
                                        const struct address *remote);
/* One over uTP; the id names it there too. */
struct stream_socket *stream_socket_new_utp(struct stream_table *table, conn_id id,
                                            const struct address *remote);
/* Waits for what the connection's state wants. */
void stream_socket_poll(struct stream_socket *stream);
/* Out of the table at once; its memory goes when neither libuv nor a worker holds it. */
void stream_socket_close(struct stream_socket *stream);
/* Closes, and tells CLOSED. */
void stream_socket_fail(struct stream_socket *stream, enum freshet_error error);
void stream_socket_tell(struct stream_socket *stream, struct event *event);
/* Gives back what a send holds, unless a worker has it (then later, by itself). */
void stream_socket_drop_send(struct stream_socket *stream);
/* Frees a closed one once nobody holds it any more. */
void stream_socket_unlink(struct stream_socket *stream);

#endif
