/* SPDX-License-Identifier: MIT */
/* A pretend machine's uTP and NAT: made with it, a mux for each of its programs. */
#ifndef FRESHET_SIM_NODE_UTP_H
#define FRESHET_SIM_NODE_UTP_H

#include "sim/sim_node.h"

/* Once its port is in the network. */
void sim_node_utp_init(struct sim_node *node);
/* A program begins that is to have uTP. */
void sim_node_utp_start(struct sim_node *node);
/* It ends, and its port is dead; harmless without uTP. */
void sim_node_utp_stop(struct sim_node *node);

#endif
