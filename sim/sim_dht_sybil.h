/* SPDX-License-Identifier: MIT */
/*
 * Sybils: many addresses of one enemy. Each answers every question at once and in good form, names
 * only other sybils, the nearest to the target that there are, takes every announce and keeps none.
 * To get into tables it knocks at honest nodes now and then. For sim_dht.c alone.
 */
#ifndef FRESHET_SIM_DHT_SYBIL_H
#define FRESHET_SIM_DHT_SYBIL_H

#include "sim/sim_dht.h"

/* Gives the sybils their ids. */
void sim_dht_sybil_init(struct sim_dht *world);
void sim_dht_sybil_knock(struct sim_dht *world, uint32_t place);
void sim_dht_sybil_hear(struct sim_dht *world, uint32_t place, uint32_t from, struct bytes packet);

/* sim_dht.c */
void sim_dht_send(struct sim_dht *world, uint32_t from, const struct address *remote,
                  struct bytes bytes);

#endif
