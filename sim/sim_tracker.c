/* SPDX-License-Identifier: MIT */
#include "sim/sim_tracker.h"

#include "core/base/memory.h"

#include <string.h>

void sim_tracker_init(struct sim_tracker *tracker, uint64_t seed)
{
    *tracker = (struct sim_tracker){.interval_s = 1800};
    rng_init(&tracker->rng, seed);
}

void sim_tracker_deinit(struct sim_tracker *tracker)
{
    memory_free(tracker->members);
}

/* What follows "key=" in the query; "" when it is not there. */
static const char *query(const char *url, const char *key)
{
    size_t length = strlen(key);
    for (const char *at = strchr(url, '?'); at; at = strchr(at + 1, '&'))
        if (strncmp(at + 1, key, length) == 0 && at[1 + length] == '=')
            return at + 2 + length;
    return "";
}

static uint32_t number(const char *text, uint32_t otherwise)
{
    uint64_t value = 0;
    if (*text < '0' || *text > '9')
        return otherwise;
    for (; *text >= '0' && *text <= '9' && value < UINT32_MAX; text++)
        value = value * 10 + (uint64_t)(*text - '0');
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

static uint32_t find(const struct sim_tracker *tracker, const struct address *address)
{
    uint32_t index = 0;
    while (index < tracker->member_count &&
           !address_equal(&tracker->members[index].address, address))
        index++;
    return index;
}

static void join(struct sim_tracker *tracker, uint32_t index, const struct address *address,
                 bool is_seed)
{
    if (index == tracker->member_count) {
        tracker->members = memory_resize_array(tracker->members, ++tracker->member_count,
                                               sizeof *tracker->members);
        tracker->members[index].address = *address;
    }
    tracker->members[index].is_seed = is_seed;
}

static void leave(struct sim_tracker *tracker, uint32_t index)
{
    if (index == tracker->member_count)
        return;
    tracker->member_count--;
    memmove(&tracker->members[index], &tracker->members[index + 1],
            (tracker->member_count - index) * sizeof *tracker->members);
}

/* Up to `want` others, each equally likely: a partial shuffle of the indices. */
static void append_peers(struct sim_tracker *tracker, uint32_t self, uint32_t want, bool is_seed,
                         struct buffer *body)
{
    uint32_t *order = memory_new_array(tracker->member_count, sizeof *order);
    uint32_t count = 0;
    for (uint32_t i = 0; i < tracker->member_count; i++)
        if (i != self && !(is_seed && tracker->members[i].is_seed))
            order[count++] = i;
    if (want > count)
        want = count;
    buffer_append_i64(body, (int64_t)want * 6);
    buffer_append_text(body, ":");
    for (uint32_t i = 0; i < want; i++) {
        uint32_t pick = i + rng_below(&tracker->rng, count - i);
        uint32_t swapped = order[pick];
        order[pick] = order[i];
        order[i] = swapped;
        uint8_t compact[18];
        size_t length = address_to_compact(&tracker->members[order[i]].address, compact);
        buffer_append(body, compact, length);
    }
    memory_free(order);
}

void sim_tracker_announce(struct sim_tracker *tracker, const char *url,
                          const struct address *remote, struct buffer *body)
{
    struct address address = *remote;
    address.port = (uint16_t)number(query(url, "port"), 0);
    uint32_t want = number(query(url, "numwant"), 50);
    bool is_seed = number(query(url, "left"), 1) == 0;
    const char *event = query(url, "event");
    uint32_t self = find(tracker, &address);
    tracker->announces++;
    tracker->completed += strncmp(event, "completed", 9) == 0;
    if (strncmp(event, "stopped", 7) == 0) {
        leave(tracker, self);
        self = tracker->member_count;
        want = 0;
    } else {
        join(tracker, self, &address, is_seed);
    }
    buffer_append_text(body, "d8:intervali");
    buffer_append_i64(body, tracker->interval_s);
    buffer_append_text(body, "e5:peers");
    append_peers(tracker, self, want < 50 ? want : 50, is_seed, body);
    buffer_append_text(body, "e");
}
