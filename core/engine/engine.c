/* SPDX-License-Identifier: MIT */
#include "core/engine/engine_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

struct engine *engine_new(const struct engine_settings *settings, int64_t now)
{
    struct engine *engine = memory_new(sizeof *engine);
    struct swarm_shared *shared = &engine->shared;
    shared->settings = *settings;
    rng_init(&shared->rng, settings->seed);
    shared->job_next = 1;
    shared->conn_next = 1;
    shared->pool =
        block_ledger_new(settings->pool_blocks ? settings->pool_blocks : LIMIT_POOL_BLOCKS);
    map_init(&shared->conns, sizeof(conn_id), rng_u64(&shared->rng));
    list_init(&shared->ready);
    map_init(&shared->metadata_conns, sizeof(conn_id), rng_u64(&shared->rng));
    list_init(&shared->metadata_ready);
    shared->connections_max =
        settings->connections_max ? settings->connections_max : LIMIT_CONNECTIONS;
    shared->connect_budget = LIMIT_CONNECTS_PER_SECOND;
    bandwidth_init(&shared->upload_limit, NULL, settings->upload_limit, now);
    bandwidth_init(&shared->download_limit, NULL, settings->download_limit, now);
    list_init(&shared->groups);
    announce_pacer_init(&engine->pacer);
    greeting_init(&engine->greetings, rng_u64(&shared->rng));
    list_init(&engine->torrents);
    list_init(&engine->leaving);
    list_init(&engine->tracker_ready);
    map_init(&engine->by_id, sizeof(torrent_id), rng_u64(&shared->rng));
    map_init(&engine->by_hash, 20, rng_u64(&shared->rng));
    map_init(&engine->jobs, sizeof(job_id), rng_u64(&shared->rng));
    heap_init(&engine->deadlines);
    engine_mse_init(engine);
    engine->now = now;
    engine_lsd_start(engine);
    return engine;
}

void engine_free(struct engine *engine)
{
    if (engine == NULL)
        return;
    struct list_node *node;
    while ((node = list_first(&engine->torrents)))
        engine_torrents_free(engine, LIST_ELEMENT(node, struct engine_torrent, in_engine));
    engine_dht_free(engine);
    engine_lsd_free(engine);
    swarm_limits_free_groups(&engine->shared);
    engine_mse_deinit(engine);
    greeting_deinit(&engine->greetings);
    map_deinit(&engine->by_id);
    map_deinit(&engine->by_hash);
    map_deinit(&engine->jobs);
    map_deinit(&engine->shared.conns);
    map_deinit(&engine->shared.metadata_conns);
    heap_deinit(&engine->deadlines);
    block_ledger_free(engine->shared.pool);
    memory_free(engine->closes);
    memory_free(engine);
}

/* ---- what comes in ---- */

static void advance(struct engine *engine, int64_t now)
{
    CHECK(now >= engine->now);
    engine->now = now;
    int64_t second = now / SECOND_NS;
    if (second != engine->budget_second) {
        engine->budget_second = second;
        engine->shared.connect_budget = LIMIT_CONNECTS_PER_SECOND;
    }
}

void engine_close_conn(struct engine *engine, conn_id conn)
{
    if (engine->closes_count == engine->closes_capacity) {
        engine->closes_capacity = engine->closes_capacity ? 2 * engine->closes_capacity : 8;
        engine->closes =
            memory_resize_array(engine->closes, engine->closes_capacity, sizeof *engine->closes);
    }
    engine->closes[engine->closes_count++] = conn;
}

static void set_self(struct engine_torrent *torrent)
{
    if (torrent->swarm)
        swarm_set_self(torrent->swarm, &torrent->engine->shared.external);
    else
        metadata_swarm_set_self(torrent->metadata, &torrent->engine->shared.external);
}

void engine_set_self(struct engine *engine, const struct address *self)
{
    if (address_is_unspecified(self))
        return;
    engine->shared.external = *self;
    engine->shared.external.port = engine->shared.settings.listen_port;
    for (struct list_node *node = list_first(&engine->torrents); node;
         node = list_next(&engine->torrents, node))
        set_self(LIST_ELEMENT(node, struct engine_torrent, in_engine));
}

static void end_greeting(struct engine *engine, struct greeting *greeting)
{
    engine_mse_forget(engine, greeting->conn);
    greeting_remove(&engine->greetings, greeting);
    engine->shared.connections--;
}

static void accepted(struct engine *engine, const struct event *event)
{
    struct swarm_shared *shared = &engine->shared;
    if (shared->connections >= shared->connections_max || engine->shutting_down ||
        ip_filter_has(shared->ip_filter, &event->remote) ||
        !greeting_add(&engine->greetings, event->conn, &event->remote, engine->now))
        engine_close_conn(engine, event->conn);
    else
        shared->connections++;
}

void engine_filter_greetings(struct engine *engine)
{
    struct list_node *next;
    for (struct list_node *node = list_first(&engine->greetings.list); node; node = next) {
        struct greeting *greeting = LIST_ELEMENT(node, struct greeting, node);
        next = list_next(&engine->greetings.list, node);
        if (!ip_filter_has(engine->shared.ip_filter, &greeting->remote))
            continue;
        engine_close_conn(engine, greeting->conn);
        end_greeting(engine, greeting);
    }
}

static bool accept(struct engine_torrent *torrent, const struct greeting *greeting,
                   const struct wire_handshake *handshake)
{
    struct engine *engine = torrent->engine;
    struct swarm_shared *shared = &engine->shared;
    conn_id conn = greeting->conn;
    if (torrent->swarm) {
        struct peer *peer =
            swarm_accept(torrent->swarm, engine->now, conn, &greeting->remote, handshake);
        if (peer)
            swarm_peer_set_mse(peer, greeting->mse);
        return peer != NULL;
    }
    if (!metadata_swarm_accept(torrent->metadata, engine->now, conn, &greeting->remote, handshake))
        return false;
    struct metadata_peer *peer = map_get(&shared->metadata_conns, &conn);
    if (peer)
        metadata_swarm_peer_set_mse(peer, greeting->mse);
    return true;
}

/* The handshake of a newcomer is complete: from now on it is its torrent's. */
static void introduce(struct engine *engine, struct greeting *greeting,
                      const struct wire_handshake *handshake)
{
    struct engine_torrent *torrent = map_get(&engine->by_hash, handshake->info_hash);
    struct greeting ended = *greeting;
    end_greeting(engine, greeting);
    if (torrent == NULL || !accept(torrent, &ended, handshake))
        engine_close_conn(engine, ended.conn);
}

/* It began with something else than BitTorrent: what it said so far is the beginning of MSE. */
static bool greet_mse(struct engine *engine, struct greeting *greeting)
{
    struct wire_handshake_reader said = greeting->reader;
    struct event event = {
        .type = EVENT_RECEIVED, .conn = greeting->conn, .bytes = {said.bytes, said.have}};
    if (!engine_mse_greet(engine, greeting))
        return false;
    wire_handshake_reader_init(&greeting->reader);
    engine_mse_input(engine, &event);
    return true;
}

/* Where encryption is required nobody begins without it. */
static bool may_begin(const struct engine *engine, const struct greeting *greeting)
{
    return engine->shared.settings.encryption != ENCRYPTION_REQUIRE ||
           greeting->mse == PEER_MSE_RC4;
}

static void received_greeting(struct engine *engine, struct greeting *greeting, struct event *event)
{
    struct bytes rest = event->bytes;
    struct wire_handshake handshake;
    enum freshet_error error = wire_handshake_read(&greeting->reader, &rest, &handshake);
    event->consumed = event->bytes.length - rest.length;
    if (error == FRESHET_ERROR_TRUNCATED)
        return;
    if (error == FRESHET_OK && may_begin(engine, greeting)) {
        introduce(engine, greeting, &handshake);
        return;
    }
    if (error == FRESHET_ERROR_SYNTAX && greet_mse(engine, greeting))
        return;
    engine_close_conn(engine, greeting->conn);
    end_greeting(engine, greeting);
}

static void greeting_input(struct engine *engine, struct greeting *greeting, struct event *event)
{
    if (event->type == EVENT_CLOSED)
        end_greeting(engine, greeting);
    else if (event->type == EVENT_RECEIVED)
        received_greeting(engine, greeting, event);
}

static void peer_input(struct engine *engine, struct event *event)
{
    struct peer *peer = map_get(&engine->shared.conns, &event->conn);
    /* What a connection that is gone still says is swallowed. */
    event->consumed = event->bytes.length;
    if (peer) {
        swarm_peer_input(swarm_of_peer(peer), engine->now, peer, event);
        return;
    }
    struct metadata_peer *metadata = map_get(&engine->shared.metadata_conns, &event->conn);
    if (metadata)
        metadata_swarm_peer_input(metadata, engine->now, event);
}

void engine_connection_input(struct engine *engine, struct event *event)
{
    if (event->type == EVENT_CONNECTED)
        engine_mse_connected(engine, event);
    if (engine_mse_input(engine, event))
        return;
    struct greeting *greeting = greeting_find(&engine->greetings, event->conn);
    if (greeting == NULL) {
        peer_input(engine, event);
        return;
    }
    greeting_input(engine, greeting, event);
    if (event->type != EVENT_RECEIVED || event->consumed == event->bytes.length)
        return;
    /* Something begins, and more came with it: the torrent's, or of another handshake. */
    struct bytes all = event->bytes;
    size_t greeted = event->consumed;
    event->bytes = (struct bytes){all.data + greeted, all.length - greeted};
    if (!engine_mse_input(engine, event))
        peer_input(engine, event);
    event->consumed += greeted;
    event->bytes = all;
}

static void job_done(struct engine *engine, const struct event *event)
{
    if (engine_dht_input(engine, event))
        return;
    struct engine_torrent *torrent = map_remove(&engine->jobs, &event->job);
    CHECK(torrent != NULL);
    bool own = (torrent->swarm && swarm_job_input(torrent->swarm, engine->now, event)) ||
               engine_trackers_input(torrent, event);
    CHECK(own);
}

void engine_input(struct engine *engine, int64_t now, struct event *event)
{
    advance(engine, now);
    switch (event->type) {
    case EVENT_NONE: break;
    case EVENT_ACCEPTED: accepted(engine, event); break;
    case EVENT_CONNECTED:
    case EVENT_CLOSED:
    case EVENT_RECEIVED:
    case EVENT_PAYLOAD:
    case EVENT_SENT: engine_connection_input(engine, event); break;
    case EVENT_DATAGRAM:
        if (!engine_dht_input(engine, event))
            engine_trackers_datagram(engine, event);
        break;
    case EVENT_JOB_DONE: job_done(engine, event); break;
    case EVENT_WALL_CLOCK: break;
    case EVENT_LOCAL_DATAGRAM: engine_lsd_input(engine, event); break;
    case EVENT_LISTENING:
        engine->shared.settings.listen_port = event->local.port;
        if (engine->shared.dht_port)
            engine->shared.dht_port = event->local.port;
        engine_set_self(engine, &event->local);
        engine_lsd_input(engine, event);
        break;
    case EVENT_COMMAND: engine_torrents_command(engine, event->command); break;
    }
    engine_torrents_reap(engine);
}

/* ---- time ---- */

void engine_touch(struct engine_torrent *torrent)
{
    int64_t deadline = torrent->swarm ? swarm_deadline(torrent->swarm)
                                      : metadata_swarm_deadline(torrent->metadata);
    int64_t look = engine_dht_torrent_deadline(torrent);
    deadline = look < deadline ? look : deadline;
    int64_t tracker = engine_trackers_deadline(torrent);
    deadline = tracker < deadline ? tracker : deadline;
    if (torrent->removing && torrent->stop_ns > torrent->engine->now)
        deadline = torrent->stop_ns < deadline ? torrent->stop_ns : deadline;
    heap_set(&torrent->engine->deadlines, &torrent->deadline, deadline);
}

void engine_tick(struct engine *engine, int64_t now)
{
    advance(engine, now);
    struct heap_node *node;
    while ((node = heap_pop_due(&engine->deadlines, now))) {
        struct engine_torrent *torrent = HEAP_ELEMENT(node, struct engine_torrent, deadline);
        engine_torrents_tick(torrent);
    }
    /* Set again only now: one that is still due would keep this loop from ending. */
    for (struct list_node *ready = list_first(&engine->shared.ready); ready;
         ready = list_next(&engine->shared.ready, ready))
        engine_touch(engine_torrents_find(engine, swarm_id(swarm_of_ready(ready))));
    for (struct list_node *ready = list_first(&engine->shared.metadata_ready); ready;
         ready = list_next(&engine->shared.metadata_ready, ready))
        engine_touch(
            engine_torrents_find(engine, metadata_swarm_id(metadata_swarm_of_ready(ready))));
    engine_dht_tick(engine);
    engine_lsd_tick(engine);
    struct greeting *overdue;
    while ((overdue = greeting_overdue(&engine->greetings, now))) {
        engine_close_conn(engine, overdue->conn);
        end_greeting(engine, overdue);
    }
    engine_torrents_reap(engine);
}

int64_t engine_deadline(const struct engine *engine)
{
    int64_t torrents = heap_deadline(&engine->deadlines);
    int64_t greetings = greeting_deadline(&engine->greetings);
    int64_t dht = engine_dht_deadline(engine);
    int64_t lsd = engine_lsd_deadline(engine);
    int64_t first = torrents < greetings ? torrents : greetings;
    int64_t second = dht < lsd ? dht : lsd;
    return second < first ? second : first;
}

/* ---- what goes out ---- */

static struct bytes keep_text(uint8_t *to, struct bytes from)
{
    size_t length = from.length < ENGINE_NOTICE_TEXT ? from.length : ENGINE_NOTICE_TEXT;
    if (length)
        memcpy(to, from.data, length);
    return (struct bytes){to, length};
}

void engine_tell(struct engine *engine, const struct notice *notice)
{
    if (engine->notices_count == ENGINE_NOTICES_MAX) {
        engine->notices_first = (engine->notices_first + 1) % ENGINE_NOTICES_MAX;
        engine->notices_count--;
    }
    uint32_t at = (engine->notices_first + engine->notices_count) % ENGINE_NOTICES_MAX;
    struct engine_notice *kept = &engine->notices[at];
    kept->notice = *notice;
    kept->notice.url = keep_text(kept->url, notice->url);
    kept->notice.text = keep_text(kept->text, notice->text);
    engine->notices_count++;
}

static bool tell(struct engine *engine, struct action *ret_action)
{
    *ret_action = (struct action){.type = ACTION_TELL, .notice = &engine->notice};
    return true;
}

static bool own_notice(struct engine *engine, struct action *ret_action)
{
    if (engine->notices_count == 0)
        return false;
    engine->told = engine->notices[engine->notices_first];
    engine->notice = engine->told.notice;
    engine->notice.url.data = engine->told.url;
    engine->notice.text.data = engine->told.text;
    engine->notices_first = (engine->notices_first + 1) % ENGINE_NOTICES_MAX;
    engine->notices_count--;
    return tell(engine, ret_action);
}

static void note_job(struct engine *engine, struct engine_torrent *torrent,
                     const struct action *action)
{
    job_id job = 0;
    switch (action->type) {
    case ACTION_DISK: job = action->disk->id; break;
    case ACTION_FETCH: job = action->fetch->id; break;
    case ACTION_RESOLVE: job = action->resolve->id; break;
    case ACTION_PERSIST: job = action->persist->id; break;
    default: return;
    }
    CHECK(job != 0);
    CHECK(map_put(&engine->jobs, &job, torrent) == NULL);
}

static bool torrent_output(struct engine *engine, struct engine_torrent *torrent,
                           struct action *ret_action)
{
    if (swarm_output(torrent->swarm, engine->now, ret_action)) {
        note_job(engine, torrent, ret_action);
        return true;
    }
    if (swarm_notice(torrent->swarm, &engine->notice))
        return tell(engine, ret_action);
    return false;
}

/* One round; false: nothing came out, but what it did may have brought something. */
static bool output(struct engine *engine, struct action *ret_action)
{
    *ret_action = (struct action){0};
    if (engine->closes_count) {
        *ret_action =
            (struct action){.type = ACTION_CLOSE, .conn = engine->closes[--engine->closes_count]};
        engine_mse_forget(engine, ret_action->conn);
        return true;
    }
    if (engine_mse_output(engine, ret_action))
        return true;
    struct list_node *node;
    while ((node = list_first(&engine->shared.ready))) {
        struct swarm *swarm = swarm_of_ready(node);
        struct engine_torrent *torrent = engine_torrents_find(engine, swarm_id(swarm));
        if (torrent_output(engine, torrent, ret_action)) {
            if (engine_mse_takes(engine, ret_action))
                continue;
            return true;
        }
        list_remove(&engine->shared.ready, node);
        if (swarm_has_news(swarm))
            engine_torrents_update(torrent);
        engine_torrents_judge_sources(torrent);
        engine_touch(torrent);
    }
    if (engine_metadata_output(engine, ret_action))
        return true;
    if (engine_dht_output(engine, ret_action) || engine_lsd_output(engine, ret_action))
        return true;
    struct engine_torrent *torrent;
    if (engine_trackers_output(engine, ret_action, &torrent)) {
        note_job(engine, torrent, ret_action);
        return true;
    }
    engine_torrents_reap(engine);
    return own_notice(engine, ret_action);
}

bool engine_output(struct engine *engine, int64_t now, struct action *ret_action)
{
    advance(engine, now);
    do {
        if (output(engine, ret_action))
            return true;
    } while (engine->closes_count || engine_mse_has_output(engine));
    return false;
}

void engine_receive_plan(const struct engine *engine, conn_id conn, struct receive_plan *ret_plan)
{
    const struct peer *peer = map_get(&engine->shared.conns, &conn);
    if (peer)
        swarm_receive_plan(peer, ret_plan);
    else
        *ret_plan = (struct receive_plan){.block = BLOCK_NONE};
}

void engine_check(const struct engine *engine)
{
    CHECK(heap_check(&engine->deadlines));
    for (struct list_node *node = list_first(&engine->torrents); node;
         node = list_next(&engine->torrents, node)) {
        struct engine_torrent *torrent = LIST_ELEMENT(node, struct engine_torrent, in_engine);
        CHECK(map_get(&engine->by_id, &torrent->id) == torrent);
        CHECK((torrent->swarm != NULL) != (torrent->metadata != NULL));
        if (torrent->swarm)
            swarm_check(torrent->swarm);
        else
            metadata_swarm_check(torrent->metadata);
        if (torrent->tracker)
            tracker_client_check(torrent->tracker);
    }
    engine_mse_check(engine);
    engine_dht_check(engine);
    engine_lsd_check(engine);
    CHECK(engine->shared.connections == engine->shared.conns.length +
                                            engine->shared.metadata_conns.length +
                                            engine->greetings.list.length);
}
