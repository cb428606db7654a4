/* SPDX-License-Identifier: MIT */
/* What a session is told when it is made. */
#ifndef FRESHET_HOST_SESSION_OPTIONS_H
#define FRESHET_HOST_SESSION_OPTIONS_H

#include "core/engine/engine.h"
#include "core/utp/utp_window.h"
#include "host/network_route.h"
#include "host/port_mapping.h"

struct session_options {
    /* Where to listen; family ADDRESS_NONE: every address, the port of last time, else 6881, else
     * the next free one. Port 0 takes any. */
    struct address listen;
    struct network_route route; /* the only way that anything takes */
    const char *state_folder;   /* NULL: the default one */
    /* seed, peer_id, listen_port and pool_blocks are filled in. */
    struct engine_settings engine;
    enum transport transport; /* of streams; ANY: both, and accepted by both */
    enum utp_policy utp_policy;
    bool no_dht;
    bool port_mapping;            /* have the router map the port that is listened on */
    const char *const *bootstrap; /* "HOST:PORT" where the DHT is entered; kept in the state */
    uint32_t bootstrap_count;
    const char
        *ip_filter; /* a file with a list (ip_filter_file.h) of whom to have nothing to do with */
    bool leave_signals; /* SIGPIPE is the caller's: blocked while the loop runs, else ignored */
    uint32_t tick_ms;   /* on_tick comes that often; 0: never */
    void (*on_notice)(void *context, const struct notice *notice);
    /* What the router says to it, when that is news. */
    void (*on_port_mapping)(void *context, const struct port_mapping_status *status);
    /* What a person should know: a proxy that takes no UDP. NULL: it goes unsaid. */
    void (*on_words)(void *context, const char *text);
    void (*on_tick)(void *context);
    void (*on_signal)(void *context, int signal_number); /* SIGINT, SIGTERM */
    void *context;
};

/* Where a call writes why it failed. */
#define SESSION_TEXT_SIZE 512

#endif
