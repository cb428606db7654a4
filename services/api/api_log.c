/* SPDX-License-Identifier: MIT */
#include "services/api/api_log.h"

#include <string.h>

#define LINES_A_LOOK 32u

struct log_state {
    const char *lines[LIMIT_LOG_LINES];
    uint32_t count;
    uint64_t next, limit; /* number of the line that comes next */
};

void api_log_prepare(struct api_call *call)
{
    struct log_state *state = call->state = call_arena_take(&call->arena, sizeof *state);

    state->count = 0;
    state->next = api_parameter_number(call, "from", 0, UINT64_MAX / 2);
    state->limit = api_parameter_number(call, "limit", LIMIT_LOG_LINES, LIMIT_LOG_LINES);
}

enum service_step api_log_step(struct api_call *call, struct api_turn *turn)
{
    struct service_world *world = turn->world;
    struct log_state *state = call->state;
    struct bytes line;
    uint64_t number;

    while (state->count < state->limit && world->log &&
           world->log(world->context, state->next, &number, &line)) {
        state->lines[state->count++] = call_arena_bytes(&call->arena, line);
        state->next = number + 1;
        if (state->count % LINES_A_LOOK == 0 && api_late(turn))
            return SERVICE_AGAIN;
    }
    return SERVICE_DONE;
}

void api_log_write(struct api_call *call, struct json_writer *json)
{
    const struct log_state *state = call->state;

    json_writer_key(json, "lines");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < state->count; i++)
        json_writer_raw(json,
                        (struct bytes){(const uint8_t *)state->lines[i], strlen(state->lines[i])});
    json_writer_close(json, ']');
    json_writer_put_u64(json, "next", state->next);
}
