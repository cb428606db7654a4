/* SPDX-License-Identifier: MIT */
/* The real engine (core/engine) as the machine of a pretend node, with the run's one torrent. */
#ifndef FRESHET_SIM_ENGINE_H
#define FRESHET_SIM_ENGINE_H

#include "sim/sim_node.h"

extern const struct sim_node_ops sim_engine_ops;

/* What the node's engine says of the torrent; false when the program does not run. */
bool sim_engine_status(const struct sim_node *node, struct torrent_status *ret_status);
/* What a player of the torrent's files wants next; false when the program does not run. */
bool sim_engine_set_windows(struct sim_node *node, const struct piece_window *windows,
                            uint32_t count);
/* Asks the engine to stop in order, as a person does. */
void sim_engine_shut_down(struct sim_node *node);

#endif
