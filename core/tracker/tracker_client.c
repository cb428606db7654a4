/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_client.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/tracker/tracker_inquiry.h"
#include "core/tracker/tracker_result_queue.h"

#include <string.h>

enum phase {
    PHASE_QUIET, /* not started, or stopped and done with it */
    PHASE_RUNNING,
    PHASE_STOPPING, /* telling each tracker that knows us that we go */
};

/* When a pacer is full: how soon to look again. */
#define PACER_RETRY_NS (250 * MILLISECOND_NS)

struct tracker_client {
    struct tracker_client_options options; /* trackers and tiers are not kept */
    struct rng rng;
    struct tracker_list list;
    struct tracker_list leaving; /* no longer ours; each is told that we go, one by one */
    struct tracker_client_stats stats;
    enum phase phase;
    bool is_partial_seed;
    bool is_scrape_wanted;
    bool is_again;     /* something happened during a round: another one right behind it */
    bool has_slot;     /* next_ns is a slot of the pacer */
    bool holds_pacer;  /* this round counts as flying */
    bool is_unusable;  /* there is no tracker that could be asked */
    int64_t next_ns;   /* when the next round begins; INT64_MAX: no round to come */
    int64_t rest_ns;   /* before it a changed address is no reason to announce at once */
    uint32_t position; /* in the list: whom this round asks; the next is behind it */
    bool is_faithful;  /* this round asks the tracker in use first: the next is the first of all */
    struct tracker_entry *in_use; /* who answered last, or NULL */
    struct tracker_inquiry inquiry;
    struct tracker_result_queue results;
};

struct tracker_client *tracker_client_new(const struct tracker_client_options *options)
{
    CHECK(options->info_hash_count >= 1);
    CHECK(options->info_hash_count <= 2);
    CHECK(options->job_next != NULL);
    struct tracker_client *client = memory_new(sizeof *client);
    client->options = *options;
    client->options.trackers = NULL;
    client->options.tracker_tiers = NULL;
    client->next_ns = INT64_MAX;
    client->stats.numwant = 50;
    rng_init(&client->rng, options->seed);
    tracker_list_init(&client->list, options->trackers, options->tracker_tiers,
                      options->tracker_count, &client->rng);
    client->is_unusable = client->list.count == 0;
    tracker_inquiry_init(&client->inquiry, &client->options, &client->rng);
    tracker_result_queue_init(&client->results);
    return client;
}

static void release_pacer(struct tracker_client *client)
{
    if (client->holds_pacer)
        announce_pacer_end(client->options.pacer);
    client->holds_pacer = false;
}

void tracker_client_free(struct tracker_client *client)
{
    if (client == NULL)
        return;
    release_pacer(client);
    tracker_inquiry_deinit(&client->inquiry);
    tracker_list_deinit(&client->list);
    tracker_list_deinit(&client->leaving);
    tracker_result_queue_deinit(&client->results);
    memory_free(client);
}

void tracker_client_set_private(struct tracker_client *client)
{
    client->options.is_private = true;
}

bool tracker_client_has_jobs(const struct tracker_client *client)
{
    return tracker_inquiry_has_jobs(&client->inquiry);
}

void tracker_client_set_stats(struct tracker_client *client,
                              const struct tracker_client_stats *stats)
{
    client->stats = *stats;
}

static bool is_asking(const struct tracker_client *client)
{
    return client->inquiry.entry != NULL;
}

static bool is_leaving(const struct tracker_client *client, const struct tracker_entry *entry)
{
    return client->leaving.count > 0 && client->leaving.entries[0] == entry;
}

/* --- Stopping --- */

static void stop_next(struct tracker_client *client, int64_t now)
{
    for (uint32_t i = 0; i < client->list.count; i++) {
        struct tracker_entry *entry = client->list.entries[i];
        if (!entry->is_started)
            continue;
        entry->is_started = false;
        entry->owes_completed = false;
        tracker_inquiry_announce(&client->inquiry, now, entry, TRACKER_EVENT_STOPPED,
                                 &client->stats);
        return;
    }
    client->phase = PHASE_QUIET;
}

static void stop(struct tracker_client *client, int64_t now)
{
    /* One that is being told that we go hears that out. */
    bool is_goodbye = is_asking(client) && is_leaving(client, client->inquiry.entry);
    if (client->phase == PHASE_QUIET && !is_goodbye) {
        client->is_scrape_wanted = false;
        tracker_inquiry_end(&client->inquiry);
    }
    if (client->phase != PHASE_RUNNING)
        return;
    /* A tracker that was being told of us may have heard it, whatever comes back. */
    if (is_asking(client) && !client->inquiry.is_scrape && !is_goodbye)
        client->inquiry.entry->is_started = true;
    if (!is_goodbye)
        tracker_inquiry_end(&client->inquiry);
#ifndef FRESHET_PLANTED_BUG
    release_pacer(client);
#endif
    client->phase = PHASE_STOPPING;
    client->next_ns = INT64_MAX;
    client->has_slot = false;
    client->is_again = false;
    client->is_faithful = false;
    client->is_scrape_wanted = false;
    if (!is_goodbye)
        stop_next(client, now);
}

/* --- A round: trackers in order until one answers --- */

static enum tracker_event event_for(const struct tracker_client *client,
                                    const struct tracker_entry *entry)
{
    if (!entry->is_started)
        return TRACKER_EVENT_STARTED;
    if (entry->owes_completed)
        return TRACKER_EVENT_COMPLETED;
    return client->is_partial_seed ? TRACKER_EVENT_PAUSED : TRACKER_EVENT_NONE;
}

static void end_round(struct tracker_client *client, int64_t next_ns)
{
    release_pacer(client);
    client->has_slot = false;
    client->next_ns = next_ns;
}

static void ask(struct tracker_client *client, int64_t now, uint32_t position)
{
    struct tracker_entry *entry = client->list.entries[position];
    client->position = position;
    client->is_again = false;
    entry->peers_so_far = 0;
    tracker_inquiry_announce(&client->inquiry, now, entry, event_for(client, entry),
                             &client->stats);
}

static void ask_from(struct tracker_client *client, int64_t now, uint32_t from)
{
    uint32_t position = tracker_list_next(&client->list, from, now);
    if (position < client->list.count)
        ask(client, now, position);
    else
        end_round(client, tracker_list_soonest(&client->list));
}

/* Has this round its slot among those of other torrents? Else next_ns is when to ask again. */
static bool take_slot(struct tracker_client *client, int64_t now)
{
    struct announce_pacer *pacer = client->options.pacer;
    if (pacer == NULL)
        return true;
    if (!client->has_slot) {
        client->has_slot = true;
        client->next_ns = announce_pacer_reserve(pacer, now);
        if (client->next_ns > now)
            return false;
    }
    if (!announce_pacer_begin(pacer)) {
        int64_t slot_ns = announce_pacer_reserve(pacer, now);
        client->next_ns = slot_ns > now + PACER_RETRY_NS ? slot_ns : now + PACER_RETRY_NS;
        return false;
    }
    client->has_slot = false;
    client->holds_pacer = true;
    return true;
}

/* A private torrent stays with its tracker until that fails (BEP 27). */
static bool ask_faithfully(struct tracker_client *client, int64_t now)
{
    if (!client->options.is_private || client->in_use == NULL || client->in_use->failures > 0)
        return false;
    uint32_t position = 0;
    while (client->list.entries[position] != client->in_use)
        position++;
    client->is_faithful = true;
    ask(client, now, position);
    return true;
}

static void begin_round(struct tracker_client *client, int64_t now)
{
    if (!take_slot(client, now))
        return;
    client->next_ns = INT64_MAX;
    if (!ask_faithfully(client, now))
        ask_from(client, now, 0);
}

static void tell_replies(struct tracker_client *client)
{
    struct tracker_entry *entry = client->inquiry.entry;
    struct tracker_request *request;
    while ((request = tracker_inquiry_take(&client->inquiry)) != NULL) {
        if (request->state != TRACKER_REQUEST_OK || is_leaving(client, entry))
            continue;
        if (client->inquiry.is_scrape) {
            entry->counts = request->scraped[0];
            entry->has_counts = entry->has_downloads = true;
            tracker_result_queue_add_scrape(&client->results, entry->url, request->scraped,
                                            client->options.info_hash_count);
            continue;
        }
        if (client->phase != PHASE_RUNNING)
            continue;
        if (client->options.is_private && client->in_use && client->in_use != entry)
            tracker_result_queue_add_switched(&client->results, entry->url);
        client->in_use = entry;
        entry->peers_so_far += request->reply.peer_count;
        tracker_result_queue_add_reply(&client->results, entry->url, request->hash_index,
                                       tracker_list_interval(request->reply.interval_s),
                                       &request->reply);
    }
}

/* The tracker now knows what it was told. A completion that one tracker has taken is not owed to
 * those that never knew us as incomplete. */
static void settle_debts(struct tracker_client *client, struct tracker_entry *entry)
{
    if (client->inquiry.event == TRACKER_EVENT_STARTED)
        entry->is_started = true;
    if (client->inquiry.event != TRACKER_EVENT_COMPLETED)
        return;
    entry->owes_completed = false;
    for (uint32_t i = 0; i < client->list.count; i++)
        if (!client->list.entries[i]->is_started)
            client->list.entries[i]->owes_completed = false;
}

static void on_answered(struct tracker_client *client, int64_t now)
{
    struct tracker_entry *entry = client->inquiry.entry;
    struct bytes warning = {NULL, 0};
    entry->interval_s = 0;
    entry->interval_min_s = 0;
    for (uint32_t i = 0; i < client->inquiry.request_count; i++) {
        if (client->inquiry.requests[i].state != TRACKER_REQUEST_OK)
            continue;
        tracker_list_take(entry, &client->inquiry.requests[i].reply);
        if (warning.length == 0)
            warning = buffer_bytes(&client->inquiry.requests[i].reply.text);
    }
    tracker_list_note(entry, now, FRESHET_OK, warning);
    tracker_list_answered(&client->list, entry, now);
    settle_debts(client, entry);
    tracker_inquiry_end(&client->inquiry);
    bool is_urgent = client->is_again || entry->owes_completed;
    client->is_again = false;
    client->is_faithful = false;
    end_round(client, is_urgent ? now : now + entry->interval_s * SECOND_NS);
}

static void on_failed(struct tracker_client *client, int64_t now)
{
    struct tracker_entry *entry = client->inquiry.entry;
    const struct tracker_request *worst = tracker_inquiry_worst(&client->inquiry);
    enum freshet_error error = worst ? worst->error : FRESHET_ERROR_UNSUPPORTED;
    struct bytes text = worst ? buffer_bytes(&worst->reply.text) : (struct bytes){NULL, 0};
    if (text.length == 0)
        text = (struct bytes){(const uint8_t *)error_text(error), strlen(error_text(error))};
    tracker_result_queue_add_error(&client->results, entry->url, error, text);
    tracker_list_note(entry, now, error, text);
    tracker_list_failed(entry, now, worst ? worst->reply.retry_s : 0);
    tracker_inquiry_end(&client->inquiry);
    uint32_t from = client->is_faithful ? 0 : client->position + 1;
    client->is_faithful = false;
    ask_from(client, now, from);
}

/* Whom a scrape asks; NULL: nobody now. */
static struct tracker_entry *whom_to_scrape(const struct tracker_client *client, int64_t now)
{
    if (client->in_use || client->phase != PHASE_QUIET)
        return client->in_use;
    uint32_t position = tracker_list_next(&client->list, 0, now);
    return position < client->list.count ? client->list.entries[position] : NULL;
}

static bool begin_scrape(struct tracker_client *client, int64_t now)
{
    struct tracker_entry *entry = client->is_scrape_wanted ? whom_to_scrape(client, now) : NULL;
    if (entry == NULL)
        return false;
    client->is_scrape_wanted = false;
    tracker_inquiry_scrape(&client->inquiry, now, entry);
    return true;
}

static void on_scraped(struct tracker_client *client, int64_t now)
{
    client->inquiry.entry->scraped_ns = now;
    client->inquiry.entry->scraped_ok = tracker_inquiry_is_ok(&client->inquiry);
    tracker_inquiry_end(&client->inquiry);
}

static void on_left(struct tracker_client *client)
{
    tracker_inquiry_end(&client->inquiry);
    tracker_list_drop_first(&client->leaving);
}

/* Moves on as far as can be done without hearing from outside. */
static void proceed(struct tracker_client *client, int64_t now)
{
    for (;;) {
        if (is_asking(client)) {
            tell_replies(client);
            if (!tracker_inquiry_is_finished(&client->inquiry))
                return;
            if (is_leaving(client, client->inquiry.entry))
                on_left(client);
            else if (client->inquiry.is_scrape)
                on_scraped(client, now);
            else if (client->phase != PHASE_RUNNING)
                tracker_inquiry_end(&client->inquiry);
            else if (tracker_inquiry_is_ok(&client->inquiry))
                on_answered(client, now);
            else
                on_failed(client, now);
        } else if (client->leaving.count) {
            tracker_inquiry_announce(&client->inquiry, now, client->leaving.entries[0],
                                     TRACKER_EVENT_STOPPED, &client->stats);
        } else if (client->phase == PHASE_STOPPING) {
            stop_next(client, now);
        } else if (client->phase == PHASE_RUNNING && client->next_ns <= now) {
            begin_round(client, now);
            if (!is_asking(client))
                return;
        } else if (!begin_scrape(client, now)) {
            return;
        }
    }
}

/* --- Wishes --- */

static void announce_soon(struct tracker_client *client, int64_t now)
{
    if (client->phase != PHASE_RUNNING || client->is_unusable)
        return;
    if (is_asking(client) && client->inquiry.is_scrape)
        tracker_inquiry_end(&client->inquiry);
    if (is_asking(client) && !is_leaving(client, client->inquiry.entry))
        client->is_again = true;
    else if (!client->has_slot)
        client->next_ns = now;
}

static void start(struct tracker_client *client, int64_t now)
{
    if (client->phase == PHASE_RUNNING)
        return;
    if (client->phase == PHASE_STOPPING)
        tracker_inquiry_end(&client->inquiry);
    client->phase = PHASE_RUNNING;
    client->is_partial_seed = false;
    announce_soon(client, now);
}

/* Those that know us are told; when none does yet, the first that will. */
static void complete(struct tracker_client *client)
{
    bool is_known = false;
    for (uint32_t i = 0; i < client->list.count; i++)
        is_known |= client->list.entries[i]->is_started;
    for (uint32_t i = 0; i < client->list.count; i++)
        client->list.entries[i]->owes_completed = !is_known || client->list.entries[i]->is_started;
}

void tracker_client_event(struct tracker_client *client, int64_t now, enum tracker_event event)
{
    switch (event) {
    case TRACKER_EVENT_STARTED: start(client, now); break;
    case TRACKER_EVENT_STOPPED: stop(client, now); break;
    case TRACKER_EVENT_COMPLETED:
        if (client->phase == PHASE_RUNNING)
            complete(client);
        client->is_partial_seed = false;
        announce_soon(client, now);
        break;
    case TRACKER_EVENT_PAUSED:
    default:
        if (client->is_partial_seed == (event == TRACKER_EVENT_PAUSED))
            return;
        client->is_partial_seed = event == TRACKER_EVENT_PAUSED;
        announce_soon(client, now);
    }
    proceed(client, now);
}

static bool is_listed(const struct bytes *urls, uint32_t count, struct bytes url)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(urls[i], url))
            return true;
    return false;
}

/* What is under way with one that goes ends; it may have heard it, whatever comes back. */
static void abandon(struct tracker_client *client)
{
    if (!client->inquiry.is_scrape && client->phase == PHASE_RUNNING)
        client->inquiry.entry->is_started = true;
    tracker_inquiry_end(&client->inquiry);
    client->is_faithful = false;
    if (client->phase == PHASE_RUNNING)
        end_round(client, INT64_MAX);
}

void tracker_client_set_trackers(struct tracker_client *client, int64_t now,
                                 const struct tracker_client_options *options)
{
    const struct bytes *urls = options->trackers;
    uint32_t count = options->tracker_count;
    if (is_asking(client) && !is_leaving(client, client->inquiry.entry) &&
        !is_listed(urls, count, client->inquiry.entry->url))
        abandon(client);
    bool loses = client->in_use && !is_listed(urls, count, client->in_use->url);
    if (loses)
        client->in_use = NULL;
    struct tracker_list_wish wish = {urls, options->tracker_tiers, count, client->inquiry.entry};
    tracker_list_replace(&client->list, &client->leaving, &wish, &client->rng);
    client->is_unusable = client->list.count == 0;
    for (uint32_t i = 0; i < client->list.count; i++)
        if (client->list.entries[i] == client->inquiry.entry)
            client->position = i;
    /* Whoever is new and comes before the one in use has its turn now. */
    bool is_first = client->list.count > 0 && client->list.entries[0] == client->in_use;
    if (client->is_unusable)
        client->next_ns = INT64_MAX;
    else if (!is_first)
        announce_soon(client, now);
    proceed(client, now);
}

void tracker_client_announce_now(struct tracker_client *client, int64_t now)
{
    if (client->phase != PHASE_RUNNING || client->is_unusable || client->has_slot ||
        (is_asking(client) && !client->inquiry.is_scrape))
        return;
    tracker_list_forgive(&client->list);
    int64_t earliest_ns = now;
    if (client->in_use && client->in_use->failures == 0) {
        const struct tracker_entry *entry = client->in_use;
        int64_t floor_ns =
            entry->interval_min_s ? entry->interval_min_s * SECOND_NS : LIMIT_ANNOUNCE_FLOOR_NS;
        earliest_ns = entry->answered_ns + floor_ns;
    }
    if (earliest_ns < client->next_ns)
        client->next_ns = earliest_ns;
    proceed(client, now);
}

void tracker_client_on_network_changed(struct tracker_client *client, int64_t now)
{
    if (now < client->rest_ns) {
        tracker_client_announce_now(client, now);
        return;
    }
    client->rest_ns = now + LIMIT_ANNOUNCE_CHANGED_NS;
    tracker_list_forgive(&client->list);
    announce_soon(client, now);
    proceed(client, now);
}

void tracker_client_scrape(struct tracker_client *client, int64_t now)
{
    client->is_scrape_wanted = true;
    proceed(client, now);
}

bool tracker_client_is_hopeless(const struct tracker_client *client)
{
    return !is_asking(client) && tracker_list_soonest(&client->list) == INT64_MAX;
}

bool tracker_client_is_stopped(const struct tracker_client *client)
{
    return client->phase == PHASE_QUIET && client->leaving.count == 0;
}

/* --- The four verbs --- */

bool tracker_client_input(struct tracker_client *client, int64_t now, const struct event *event)
{
    if (!tracker_inquiry_input(&client->inquiry, now, event))
        return false;
    proceed(client, now);
    return true;
}

void tracker_client_tick(struct tracker_client *client, int64_t now)
{
    tracker_inquiry_tick(&client->inquiry, now);
    proceed(client, now);
}

int64_t tracker_client_deadline(const struct tracker_client *client)
{
    int64_t deadline = tracker_inquiry_deadline(&client->inquiry);
    if (!is_asking(client) && client->phase == PHASE_RUNNING && client->next_ns < deadline)
        deadline = client->next_ns;
    return deadline;
}

bool tracker_client_output(struct tracker_client *client, int64_t now, struct action *ret_action)
{
    return tracker_inquiry_output(&client->inquiry, now, ret_action);
}

bool tracker_client_result(struct tracker_client *client, struct tracker_result *ret_result)
{
    return tracker_result_queue_take(&client->results, ret_result);
}

bool tracker_client_status(const struct tracker_client *client, uint32_t index,
                           struct tracker_client_status *ret_status)
{
    if (index >= client->list.count)
        return false;
    const struct tracker_entry *entry = client->list.entries[index];
    int64_t next_ns = entry->retry_ns > client->next_ns ? entry->retry_ns : client->next_ns;
    *ret_status = (struct tracker_client_status){
        .url = entry->url,
        .tier = entry->tier,
        .failures = entry->failures,
        .is_known = entry->has_answered,
        .is_given_up = entry->is_given_up,
        .next_ns = next_ns,
        .counts = entry->counts,
        .has_counts = entry->has_counts,
        .has_downloads = entry->has_downloads,
        .is_announcing = client->inquiry.entry == entry && !client->inquiry.is_scrape,
        .is_scraping = client->inquiry.entry == entry && client->inquiry.is_scrape,
        .announced_ns = entry->announced_ns,
        .announced_ok = entry->announced_ok,
        .announce_error = entry->announce_error,
        .said = {(const uint8_t *)entry->said, entry->said ? strlen(entry->said) : 0},
        .peers = entry->peers,
        .scraped_ns = entry->scraped_ns,
        .scraped_ok = entry->scraped_ok,
    };
    return true;
}

void tracker_client_check(const struct tracker_client *client)
{
    tracker_list_check(&client->list);
    tracker_inquiry_check(&client->inquiry);
    CHECK(!client->holds_pacer || client->options.pacer != NULL);
    CHECK(!client->holds_pacer || is_asking(client));
    CHECK(client->phase != PHASE_QUIET || !is_asking(client) || client->inquiry.is_scrape ||
          client->leaving.count > 0);
}
