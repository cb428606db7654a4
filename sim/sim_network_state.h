/* SPDX-License-Identifier: MIT */
/* What a stream of the pretend network is, for those who carry it: sim_network.c and sim_utp.c. */
#ifndef FRESHET_SIM_NETWORK_STATE_H
#define FRESHET_SIM_NETWORK_STATE_H

#include "core/door/door.h"
#include "sim/sim_flow.h"
#include "sim/sim_network.h"

/* What the timer of an end stands for. */
enum end_timer { TIMER_SYN, TIMER_CONNECTED, TIMER_FAIL };

enum end_state { END_CONNECTING, END_OPEN, END_GONE };

struct sim_end {
    struct sim_stream *stream;
    struct sim_port *port; /* NULL: the address is nobody's */
    void *context;
    enum end_state state;
    struct sim_flow out;        /* what this end writes */
    struct sim_timer ack_timer; /* armed while the window is shut */
    struct sim_timer timer;
    enum end_timer timer_means;
    enum freshet_error error; /* of TIMER_FAIL */
    bool wants_room;
    uint64_t low;
    bool fin_arrived;
    struct list_node port_node, sending_node;
    conn_id utp_conn;          /* of a stream over uTP: its name in the port's mux */
    struct list_node utp_node; /* in sim_utp's list of those that may write */
};

struct sim_stream {
    struct sim_network *network;
    struct sim_end ends[2]; /* 0 connected, 1 accepted */
    struct address remotes[2];
    int64_t delay_ns;
    uint32_t chunks; /* on their way */
    bool is_utp;     /* carried by the muxes of both ports */
    uint16_t utp_id; /* that its SYN bears */
    bool was_accepted;
    struct list_node node;
};

struct sim_stream *sim_stream_new(struct sim_port *port, const struct address *remote);
struct sim_end *sim_end_other(const struct sim_end *end);
struct sim_flow *sim_end_flow_in(const struct sim_end *end);
/* Fails at that time, unless something else happens to it before. */
void sim_end_fail_at(struct sim_end *end, int64_t when_ns, enum freshet_error error);
/* The owner does not have it any more. */
void sim_end_gone(struct sim_end *end);
/* Nothing of what this end wrote travels any more. */
void sim_end_discard(struct sim_end *end);
/* Frees the stream when nobody holds it any more; the last thing that a function does with it. */
void sim_stream_release(struct sim_stream *stream);
/* Calls writable if there is the room that was asked for. */
void sim_end_tell_room(struct sim_end *end);
/* Do packets get from one to the other at all? */
bool sim_port_can_hear(const struct sim_port *a, const struct sim_port *b);

#endif
