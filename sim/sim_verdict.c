/* SPDX-License-Identifier: MIT */
#include "sim/sim_verdict.h"

#include "core/base/memory.h"

void sim_verdict_deinit(struct sim_verdict *result)
{
    buffer_deinit(&result->reasons);
    buffer_deinit(&result->notes);
    memory_free(result->nodes);
    *result = (struct sim_verdict){0};
}

void sim_verdict_fail(struct sim_verdict *result, const char *what, int64_t number)
{
    result->passed = false;
    if (result->reasons.length > 4096)
        return;
    buffer_append_text(&result->reasons, what);
    buffer_append_text(&result->reasons, ": ");
    buffer_append_i64(&result->reasons, number);
    buffer_append_text(&result->reasons, "\n");
}

void sim_verdict_note(struct sim_verdict *result, const char *what, int64_t number,
                      const char *unit)
{
    buffer_append_text(&result->notes, what);
    buffer_append_text(&result->notes, ": ");
    buffer_append_i64(&result->notes, number);
    buffer_append_text(&result->notes, unit);
    buffer_append_text(&result->notes, "\n");
}
