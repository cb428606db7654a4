/* SPDX-License-Identifier: MIT */
#include "sim/scenario.h"

#include "sim/scenario_table.h"

#include <string.h>

static const struct scenario *const scenarios[] = {
    &scenario_two_peers,      &scenario_flash_crowd,   &scenario_seed_leaves,
    &scenario_free_riders,    &scenario_poisoner,      &scenario_crash_restart,
    &scenario_tracker_loss,   &scenario_storm,         &scenario_reader,
    &scenario_trackerless,    &scenario_peer_exchange, &scenario_local_discovery,
    &scenario_metadata_liars, &scenario_dht,           &scenario_dht_churn,
    &scenario_dht_sybils,     &scenario_dht_eclipse,   &scenario_utp,
    &scenario_utp_loss,       &scenario_utp_reorder,   &scenario_utp_far,
    &scenario_utp_mixed,      &scenario_nat,           &scenario_holepunch,
};

uint32_t scenario_count(void)
{
    return sizeof scenarios / sizeof scenarios[0];
}

const struct scenario *scenario_at(uint32_t index)
{
    return scenarios[index];
}

const struct scenario *scenario_find(const char *name)
{
    for (uint32_t i = 0; i < scenario_count(); i++)
        if (strcmp(scenarios[i]->name, name) == 0)
            return scenarios[i];
    return NULL;
}

void scenario_run(const struct scenario *scenario, const struct sim_wish *options,
                  struct sim_verdict *ret_result)
{
    struct sim_wish filled = *options;
    if (filled.nodes == 0)
        filled.nodes = scenario->nodes;
    if (filled.nodes < 2)
        filled.nodes = 2;
    if (filled.size == 0)
        filled.size = scenario->size;
    *ret_result = (struct sim_verdict){.passed = true, .size = filled.size};
    scenario->run(&filled, ret_result);
}
