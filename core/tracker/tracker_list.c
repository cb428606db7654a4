/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_list.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/tracker/tracker_reply.h"

#include <string.h>

static bool holds_url(const struct tracker_list *list, struct bytes url)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (bytes_equal(list->entries[i]->url, url))
            return true;
    return false;
}

static void add_entry(struct tracker_list *list, struct bytes url, uint32_t tier)
{
    struct tracker_url parts;
    if (list->count == LIMIT_TRACKERS_MAX || holds_url(list, url) ||
        tracker_url_parse(url, &parts) != FRESHET_OK)
        return;
    struct tracker_entry *entry = memory_new(sizeof *entry);
    entry->text = memory_new(url.length + 1);
    memcpy(entry->text, url.data, url.length);
    entry->url = (struct bytes){(const uint8_t *)entry->text, url.length};
    (void)tracker_url_parse(entry->url, &entry->parts);
    entry->tier = tier;
    entry->announced_ns = entry->scraped_ns = INT64_MIN;
    list->entries[list->count++] = entry;
}

static void shuffle_tiers(struct tracker_list *list, struct rng *rng)
{
    for (uint32_t i = 0; i < list->count;) {
        uint32_t end = i;
        while (end < list->count && list->entries[end]->tier == list->entries[i]->tier)
            end++;
        rng_shuffle(rng, list->entries + i, end - i, sizeof *list->entries);
        i = end;
    }
}

void tracker_list_init(struct tracker_list *list, const struct bytes *urls, const uint32_t *tiers,
                       uint32_t count, struct rng *rng)
{
    uint32_t room = count < LIMIT_TRACKERS_MAX ? count : LIMIT_TRACKERS_MAX;
    *list = (struct tracker_list){.entries = memory_new_array(room, sizeof *list->entries)};
    for (uint32_t i = 0; i < count; i++)
        add_entry(list, urls[i], tiers ? tiers[i] : i);
    shuffle_tiers(list, rng);
}

static void free_entry(struct tracker_entry *entry)
{
    buffer_deinit(&entry->tracker_id);
    memory_free(entry->said);
    memory_free(entry->text);
    memory_free(entry);
}

static struct tracker_entry *take_entry(struct tracker_list *list, struct bytes url,
                                        const struct tracker_entry *except)
{
    for (uint32_t i = 0; i < list->count; i++) {
        struct tracker_entry *entry = list->entries[i];
        if (entry == except || !bytes_equal(entry->url, url))
            continue;
        memmove(list->entries + i, list->entries + i + 1,
                (--list->count - i) * sizeof *list->entries);
        return entry;
    }
    return NULL;
}

void tracker_list_drop_first(struct tracker_list *list)
{
    free_entry(list->entries[0]);
    memmove(list->entries, list->entries + 1, --list->count * sizeof *list->entries);
}

static void leave(struct tracker_list *leaving, struct tracker_entry *entry)
{
    leaving->entries =
        memory_resize_array(leaving->entries, leaving->count + 1, sizeof *leaving->entries);
    leaving->entries[leaving->count++] = entry;
}

/* Those that stay keep their places of before among the others of their tier, since a shuffle in
 * each change would lead a swarm from tracker to tracker. */
void tracker_list_replace(struct tracker_list *list, struct tracker_list *leaving,
                          const struct tracker_list_wish *wish, struct rng *rng)
{
    struct tracker_list fresh;
    tracker_list_init(&fresh, wish->urls, wish->tiers, wish->count, rng);
    uint32_t first = 0; /* of its tier */
    for (uint32_t i = 0; i < fresh.count; i++) {
        struct tracker_entry *entry = fresh.entries[i];
        first = i > 0 && entry->tier == fresh.entries[i - 1]->tier ? first : i;
        struct tracker_entry *old = take_entry(list, entry->url, NULL);
        if (old == NULL)
            old = take_entry(leaving, entry->url, wish->asked);
        if (old == NULL)
            continue;
        old->tier = entry->tier;
        free_entry(entry);
        memmove(fresh.entries + first + 1, fresh.entries + first,
                (i - first) * sizeof *fresh.entries);
        fresh.entries[first++] = old;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->entries[i]->is_started)
            leave(leaving, list->entries[i]);
        else
            free_entry(list->entries[i]);
    }
    memory_free(list->entries);
    *list = fresh;
}

void tracker_list_note(struct tracker_entry *entry, int64_t now, enum freshet_error error,
                       struct bytes text)
{
    entry->announced_ns = now;
    entry->announced_ok = error == FRESHET_OK;
    entry->announce_error = error;
    entry->peers = entry->peers_so_far;
    memory_free(entry->said);
    entry->said = NULL;
    if (text.length == 0)
        return;
    entry->said = memory_new(text.length + 1);
    memcpy(entry->said, text.data, text.length);
}

void tracker_list_deinit(struct tracker_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        free_entry(list->entries[i]);
    memory_free(list->entries);
    *list = (struct tracker_list){0};
}

uint32_t tracker_list_next(const struct tracker_list *list, uint32_t from, int64_t now)
{
    while (from < list->count &&
           (list->entries[from]->is_given_up || list->entries[from]->retry_ns > now))
        from++;
    return from;
}

int64_t tracker_list_soonest(const struct tracker_list *list)
{
    int64_t soonest = INT64_MAX;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct tracker_entry *entry = list->entries[i];
        if (!entry->is_given_up && entry->retry_ns < soonest)
            soonest = entry->retry_ns;
    }
    return soonest;
}

void tracker_list_answered(struct tracker_list *list, struct tracker_entry *entry, int64_t now)
{
    entry->failures = 0;
    entry->retry_ns = 0;
    entry->is_retry_told = false;
    entry->has_answered = true;
    entry->answered_ns = now;
    uint32_t place = 0;
    while (list->entries[place] != entry)
        place++;
    while (place > 0 && list->entries[place - 1]->tier == entry->tier) {
        list->entries[place] = list->entries[place - 1];
        place--;
    }
    list->entries[place] = entry;
}

void tracker_list_failed(struct tracker_entry *entry, int64_t now, int64_t retry_s)
{
    entry->failures++;
    entry->is_retry_told = retry_s > 0;
    if (retry_s == TRACKER_RETRY_NEVER) {
        entry->is_given_up = true;
        return;
    }
    int64_t delay_ns = LIMIT_ANNOUNCE_BACKOFF_NS;
    for (uint32_t i = 1; i < entry->failures && delay_ns < LIMIT_ANNOUNCE_BACKOFF_MAX_NS; i++)
        delay_ns = delay_ns / 2 * 5;
    if (delay_ns > LIMIT_ANNOUNCE_BACKOFF_MAX_NS)
        delay_ns = LIMIT_ANNOUNCE_BACKOFF_MAX_NS;
    if (retry_s > 0)
        delay_ns = retry_s < INT32_MAX ? retry_s * SECOND_NS : INT32_MAX * SECOND_NS;
    entry->retry_ns = now + delay_ns;
}

void tracker_list_forgive(struct tracker_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (!list->entries[i]->is_retry_told)
            list->entries[i]->retry_ns = 0;
}

void tracker_list_check(const struct tracker_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        CHECK(list->entries[i]->url.length <= LIMIT_URL_LENGTH);
        CHECK(i == 0 || list->entries[i]->tier >= list->entries[i - 1]->tier);
    }
}
