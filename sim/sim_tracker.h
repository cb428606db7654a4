/* SPDX-License-Identifier: MIT */
/*
 * The pretend tracker's machine: the real tracker server (core/tracker) at one address, over HTTP
 * and UDP. It can die: then HTTP is refused and datagrams are lost.
 */
#ifndef FRESHET_SIM_TRACKER_H
#define FRESHET_SIM_TRACKER_H

#include "core/base/address.h"
#include "core/tracker/tracker_server.h"

#define SIM_TRACKER_HTTP_URL "http://tracker.example.org:6969/announce"
#define SIM_TRACKER_UDP_URL  "udp://tracker.example.org:6969/announce"

struct sim_tracker {
    struct tracker_server *server;
    struct tracker_server_answer answer;
    bool dead;
};

void sim_tracker_init(struct sim_tracker *tracker, uint64_t seed);
void sim_tracker_deinit(struct sim_tracker *tracker);
struct address sim_tracker_address(void);
/* A GET of a whole URL that came from `remote`; the answer is borrowed until the next call. false:
 * nobody answers. */
bool sim_tracker_get(struct sim_tracker *tracker, int64_t now, const char *url,
                     const struct address *remote, uint32_t *ret_status, struct bytes *ret_body);
/* Returns the length of the reply; 0: none. */
size_t sim_tracker_datagram(struct sim_tracker *tracker, int64_t now, const struct address *remote,
                            struct bytes datagram, uint8_t reply[LIMIT_TRACKER_DATAGRAM]);
uint64_t sim_tracker_announces(const struct sim_tracker *tracker);

#endif
