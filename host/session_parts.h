/* SPDX-License-Identifier: MIT */
/* What a session is made of; shared by the session_*.c files and by nobody else. */
#ifndef FRESHET_HOST_SESSION_PARTS_H
#define FRESHET_HOST_SESSION_PARTS_H

#include "core/base/list.h"
#include "host/datagram_socket_proxy.h"
#include "host/disk.h"
#include "host/http_fetch.h"
#include "host/local_socket.h"
#include "host/network_watch.h"
#include "host/port_mapping.h"
#include "host/resolver.h"
#include "host/session_options.h"
#include "host/state_store.h"
#include "host/stream_sockets.h"
#include "host/worker_pool.h"

/* A torrent that this process has claimed. */
struct session_torrent {
    struct list_node node;
    torrent_id id;
    uint8_t info_hash[32];
    int lock;
    char root[];
};

struct session {
    struct session_options options;
    struct engine_settings settings;
    uv_loop_t loop;
    uv_prepare_t prepare; /* pumps after timers, before waiting */
    uv_check_t check;     /* pumps after what the wait brought */
    uv_timer_t timer;     /* the engine's deadline */
    uv_timer_t tick;
    uv_timer_t save; /* records of the DHT */
    uv_signal_t interrupt, terminate;
    struct engine *engine;
    struct block_memory pool;
    struct disk *disk;
    struct stream_sockets *streams;
    struct datagram_socket *datagrams;
    struct local_socket *local; /* NULL: local discovery is off */
    struct http_fetch *fetch;
    struct resolver *resolver;
    struct worker_pool *state_worker;
    struct state_store *state;
    struct list torrents;
    struct ip_filter *ip_filter;
    struct address listen;
    bool reached_ipv4, reached_ipv6; /* there, by TCP, by somebody of the internet */
    struct port_mapping *mapping;    /* NULL: none is wanted */
    uint16_t announced_port;         /* where peers are told to come */
    int64_t wall_offset;             /* wall clock minus monotonic clock */
    struct network_watch *watch;     /* NULL: we are tied to no interface */
    uint32_t interface_index;        /* that the sockets are tied to; 0: none */
    bool told_names;                 /* that names are not looked up */
    bool has_dht;
    bool utp_off;      /* it is there, and a person wants none */
    bool mapping_off;  /* the same */
    bool is_unmapping; /* at the end */
    bool wall_known, stopping, finished, deaf;
};

/* The sink of every part: feeds the engine. */
void session_parts_input(void *context, struct event *event);

#endif
