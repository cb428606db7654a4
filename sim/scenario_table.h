/* SPDX-License-Identifier: MIT */
/* The scenarios there are; each is in the file of its name, or of what it begins with. */
#ifndef FRESHET_SIM_SCENARIO_TABLE_H
#define FRESHET_SIM_SCENARIO_TABLE_H

#include "sim/scenario.h"

extern const struct scenario scenario_two_peers;
extern const struct scenario scenario_flash_crowd;
extern const struct scenario scenario_seed_leaves;
extern const struct scenario scenario_free_riders;
extern const struct scenario scenario_poisoner;
extern const struct scenario scenario_crash_restart;
extern const struct scenario scenario_tracker_loss;
extern const struct scenario scenario_storm;
extern const struct scenario scenario_reader;
extern const struct scenario scenario_trackerless;
extern const struct scenario scenario_metadata_liars;
extern const struct scenario scenario_dht;
extern const struct scenario scenario_dht_churn;
extern const struct scenario scenario_dht_sybils;
extern const struct scenario scenario_dht_eclipse;
extern const struct scenario scenario_peer_exchange;
extern const struct scenario scenario_local_discovery;
extern const struct scenario scenario_utp;
extern const struct scenario scenario_utp_loss;
extern const struct scenario scenario_utp_reorder;
extern const struct scenario scenario_utp_far;
extern const struct scenario scenario_utp_mixed;
extern const struct scenario scenario_nat;
extern const struct scenario scenario_holepunch;

#endif
