/* SPDX-License-Identifier: MIT */
/*
 * A machine that waits for peers who want metadata (BEP 9) and lies to them. It knows no torrent:
 * it greets by whatever hash it is greeted with, gives no payload and calls nobody.
 */
#ifndef FRESHET_SIM_LIAR_H
#define FRESHET_SIM_LIAR_H

#include "sim/sim_node.h"

extern const struct sim_node_ops sim_liar_ops;

/* Blocks of metadata that it has made up so far. */
uint32_t sim_liar_blocks(const struct sim_node *node);

#endif
