/* SPDX-License-Identifier: MIT */
/*
 * A node's uTP: a real utp_mux (core/utp) below its port. Streams over it are ends as TCP's are
 * (sim_network.h), but travel as the mux's datagrams through the pretend network (sim_datagram.h),
 * with real bytes: those of a span are made when they are written, and what comes out of the other
 * mux is compared with what went in, byte for byte.
 *
 * Order of calls as a host has it: each event of the mux is handled while its datagram is at hand;
 * then what may be written is, then everything goes out, then the timer is set.
 */
#ifndef FRESHET_SIM_UTP_H
#define FRESHET_SIM_UTP_H

#include "core/door/door.h"
#include "core/utp/utp_window.h"
#include "sim/sim_datagram.h"

struct sim_torrent;

struct sim_utp_options {
    uint64_t seed;
    enum utp_policy policy;
    struct sim_air air;
    const struct sim_torrent *torrent; /* what the bytes of spans are */
    /* A datagram that is not uTP's. */
    void (*datagram)(void *owner, const struct address *source, struct bytes payload);
    /* What came out of a stream is not what went in. */
    void (*wrong)(void *owner, const char *what, int64_t detail);
    void *owner;
};

struct sim_utp_facts {
    uint64_t datagrams_out, datagrams_in, bytes_out;
    uint64_t bytes_read; /* of streams, each compared */
    uint32_t accepted, connected;
    uint32_t strays; /* accepted by the mux for a stream that is over, or was accepted already */
};

/* For a program that begins; its port speaks uTP from now on. */
struct sim_utp *sim_utp_new(struct sim_port *port, const struct sim_utp_options *options);
/* After its streams are gone (sim_port_kill): what the mux still had to say is lost. */
void sim_utp_free(struct sim_utp *utp);
const struct sim_utp_facts *sim_utp_facts(const struct sim_utp *utp);
void sim_utp_check(const struct sim_utp *utp);

/* As sim_end_connect. */
struct sim_end *sim_utp_connect(struct sim_utp *utp, conn_id conn, const struct address *remote);
/* A datagram of the program's own, of another protocol. */
void sim_utp_send(struct sim_utp *utp, const struct address *remote, struct bytes payload);

#endif
