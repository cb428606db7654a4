/* SPDX-License-Identifier: MIT */
#include "sim/scenario.h"

#include "core/base/memory.h"
#include "sim/scenario_table.h"

#include <string.h>

static const struct scenario *const scenarios[] = {
    &scenario_two_peers, &scenario_flash_crowd,   &scenario_seed_leaves,  &scenario_free_riders,
    &scenario_poisoner,  &scenario_crash_restart, &scenario_tracker_loss,
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

void scenario_run(const struct scenario *scenario, const struct scenario_options *options,
                  struct scenario_result *ret_result)
{
    struct scenario_options filled = *options;
    if (filled.nodes == 0)
        filled.nodes = scenario->nodes;
    if (filled.nodes < 2)
        filled.nodes = 2;
    if (filled.size == 0)
        filled.size = scenario->size;
    *ret_result = (struct scenario_result){.passed = true, .size = filled.size};
    scenario->run(&filled, ret_result);
}

void scenario_result_deinit(struct scenario_result *result)
{
    buffer_deinit(&result->reasons);
    buffer_deinit(&result->notes);
    memory_free(result->nodes);
    *result = (struct scenario_result){0};
}

void scenario_fail(struct scenario_result *result, const char *what, int64_t number)
{
    result->passed = false;
    if (result->reasons.length > 4096)
        return;
    buffer_append_text(&result->reasons, what);
    buffer_append_text(&result->reasons, ": ");
    buffer_append_i64(&result->reasons, number);
    buffer_append_text(&result->reasons, "\n");
}

void scenario_note(struct scenario_result *result, const char *what, int64_t number,
                   const char *unit)
{
    buffer_append_text(&result->notes, what);
    buffer_append_text(&result->notes, ": ");
    buffer_append_i64(&result->notes, number);
    buffer_append_text(&result->notes, unit);
    buffer_append_text(&result->notes, "\n");
}
