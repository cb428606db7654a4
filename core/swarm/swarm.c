/* SPDX-License-Identifier: MIT */
#include "core/swarm/swarm_state.h"

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/memory.h"

#include <string.h>

static char *copy_text(const char *text)
{
    return memory_copy(text, strlen(text) + 1);
}

static struct storage *new_storage(struct swarm *swarm, const struct torrent_options *options,
                                   int64_t now)
{
    struct storage_options storage = {
        .id = swarm->id,
        .root = options->root,
        .file_priorities = options->file_priorities,
        .allocation = options->allocation,
        .read_only = options->read_only,
        .make_symlinks = options->make_symlinks,
        .part_suffix = options->part_suffix,
        .trust_all = options->seed_unchecked,
        .wait_for_space = options->wait_for_space,
        .resume = options->resume,
        .job_next = &swarm->shared->job_next,
    };
    return storage_new(swarm->metainfo, &storage, now);
}

static uint32_t blocks_of_a_piece(const struct geometry *geometry)
{
    uint64_t length = geometry->piece_length < geometry->total_length ? geometry->piece_length
                                                                      : geometry->total_length;
    return (uint32_t)((length + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE);
}

static void set_goals(struct swarm *swarm, double ratio, int64_t time_s)
{
    swarm->seed_ratio_permille = ratio < 0 ? -1 : (int64_t)(ratio * 1000 + 0.5);
    swarm->seed_time_ns = time_s < 0 ? -1 : time_s * SECOND_NS;
}

static uint32_t slots_of(const struct swarm *swarm)
{
    return swarm->upload_slots ? swarm->upload_slots : swarm->shared->settings.upload_slots;
}

struct swarm *swarm_new(struct swarm_shared *shared, torrent_id id, struct metainfo *metainfo,
                        const struct torrent_options *options, int64_t now)
{
    struct swarm *swarm = memory_new(sizeof *swarm);
    swarm->shared = shared;
    swarm->id = id;
    swarm->metainfo = metainfo;
    swarm->root = copy_text(options->root);
    swarm->phase = PHASE_OPENING;
    swarm->now = now;
    swarm->paused = options->paused;
    swarm->sequential = options->sequential;
    swarm->read_only = options->read_only;
    set_goals(swarm, options->seed_ratio, options->seed_time_s);
    swarm->seeding_since_ns = HEAP_NEVER;
    swarm->held_ns = HEAP_NEVER;
    swarm->tick_ns = HEAP_NEVER;
    swarm->reserved_blocks = blocks_of_a_piece(&metainfo->geometry);
    if (options->resume) {
        swarm->uploaded_before = options->resume->uploaded;
        swarm->downloaded_before = options->resume->downloaded;
    }
    list_init(&swarm->peers);
    list_init(&swarm->ready_peers);
    list_init(&swarm->graveyard);
    list_init(&swarm->hash_waits);
    swarm->slots = swarm_peers_no_slots();
    rate_meter_init(&swarm->down);
    rate_meter_init(&swarm->up);
    bandwidth_init(&swarm->upload_limit, &shared->upload_limit, options->upload_limit, now);
    bandwidth_init(&swarm->download_limit, &shared->download_limit, options->download_limit, now);
    swarm_limits_place(swarm, &options->share);
    swarm->upload_slots = options->upload_slots;
    swarm->peers_max = options->peers_max;
    swarm->transport = options->transport;
    choker_init(&swarm->choker, slots_of(swarm), rng_u64(&shared->rng), now);
    swarm->blame = blame_new(rng_u64(&shared->rng));
    swarm->candidates = peer_list_new(rng_u64(&shared->rng));
    peer_list_set_filter(swarm->candidates, shared->ip_filter);
    if (options->super_seed)
        swarm->super_seed = super_seed_new(metainfo->geometry.piece_count, rng_u64(&shared->rng));
    swarm->web_seeds = web_seed_new(metainfo, &shared->job_next);
    swarm->storage = new_storage(swarm, options, now);
    swarm_add_peers(swarm, now, options->peers, options->peer_count, PEER_SOURCE_USER);
    swarm_wake(swarm);
    return swarm;
}

void swarm_free(struct swarm *swarm)
{
    if (swarm == NULL)
        return;
    swarm_peers_close_all(swarm, FRESHET_ERROR_CANCELLED);
    swarm_peers_bury(swarm);
    if (list_contains(&swarm->in_ready))
        list_remove(&swarm->shared->ready, &swarm->in_ready);
    piece_picker_free(swarm->picker);
    swarm->picker = NULL;
    swarm_requests_account(swarm);
    storage_free(swarm->storage);
    web_seed_free(swarm->web_seeds);
    blame_free(swarm->blame);
    peer_list_free(swarm->candidates);
    super_seed_free(swarm->super_seed);
    hash_answer_upper_deinit(&swarm->hash_upper);
    metainfo_free(swarm->metainfo);
    memory_free(swarm->notices);
    memory_free(swarm->recent);
    memory_free(swarm->closes);
    memory_free(swarm->send_ranges);
    memory_free(swarm->windows);
    memory_free(swarm->root);
    memory_free(swarm);
}

void swarm_wake(struct swarm *swarm)
{
    if (!list_contains(&swarm->in_ready))
        list_append(&swarm->shared->ready, &swarm->in_ready);
}

/* Most torrents say little, and say it once: the ring is as large as it had to be, and goes when it
 * is empty. */
static void grow_notices(struct swarm *swarm)
{
    uint32_t capacity = swarm->notices_capacity ? 2 * swarm->notices_capacity : 4;
    struct notice *ring = memory_new_array(capacity, sizeof *ring);
    for (uint32_t i = 0; i < swarm->notices_count; i++)
        ring[i] = swarm->notices[(swarm->notices_first + i) % swarm->notices_capacity];
    memory_free(swarm->notices);
    swarm->notices = ring;
    swarm->notices_first = 0;
    swarm->notices_capacity = capacity;
}

void swarm_tell(struct swarm *swarm, struct notice notice)
{
    if (swarm->notices_count == swarm->notices_capacity &&
        swarm->notices_capacity < SWARM_NOTICES_MAX)
        grow_notices(swarm);
    if (swarm->notices_count == SWARM_NOTICES_MAX) {
        /* The oldest goes: what is newer says more of how things stand. */
        swarm->notices_first = (swarm->notices_first + 1) % swarm->notices_capacity;
        swarm->notices_count--;
    }
    notice.torrent = swarm->id;
    if (notice.type != NOTICE_ERROR && notice.type != NOTICE_FILE_CHANGED)
        notice.file = UINT32_MAX;
    uint32_t at = (swarm->notices_first + swarm->notices_count) % swarm->notices_capacity;
    swarm->notices[at] = notice;
    swarm->notices_count++;
    swarm_wake(swarm);
}

bool swarm_notice(struct swarm *swarm, struct notice *ret_notice)
{
    if (swarm->notices_count == 0) {
        memory_free(swarm->notices);
        swarm->notices = NULL;
        swarm->notices_capacity = 0;
        return false;
    }
    *ret_notice = swarm->notices[swarm->notices_first];
    swarm->notices_first = (swarm->notices_first + 1) % swarm->notices_capacity;
    swarm->notices_count--;
    return true;
}

/* Where nobody is served a change of the files does no harm for a while: many such torrents share
 * so many looks a second. */
static int64_t rest_of(const struct swarm *swarm)
{
    bool rests = swarm->phase == PHASE_SEEDING && swarm->peers.length == 0;
    return rests ? (int64_t)swarm->shared->torrents * (SECOND_NS / SWARM_RESTING_LOOKS) : 0;
}

static void settle(struct swarm *swarm)
{
    swarm_pieces_drain(swarm);
    swarm_peers_bury(swarm);
    storage_set_rest(swarm->storage, rest_of(swarm));
    swarm_wake(swarm);
}

void swarm_peer_input(struct swarm *swarm, int64_t now, struct peer *peer, struct event *event)
{
    swarm->now = now;
    switch (event->type) {
    case EVENT_CONNECTED:
        peer->is_utp = event->transport == TRANSPORT_UTP;
        swarm_peers_connected(peer);
        break;
    case EVENT_CLOSED: swarm_peers_close(peer, event->error, true); break;
    case EVENT_RECEIVED: swarm_messages_received(peer, event); break;
    case EVENT_PAYLOAD: swarm_requests_payload(peer, event->length); break;
    case EVENT_SENT: swarm_uploads_sent(peer, event->length, event->done); break;
    default: CHECK(!"an event of a connection");
    }
    settle(swarm);
}

bool swarm_job_input(struct swarm *swarm, int64_t now, const struct event *event)
{
    swarm->now = now;
    bool own = storage_input(swarm->storage, now, event) || swarm_web_input(swarm, event);
    settle(swarm);
    return own;
}

static void release_held(struct swarm *swarm)
{
    swarm->held_ns = HEAP_NEVER;
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        if (peer->held) {
            peer->held = false;
            swarm_peers_wake(peer);
        }
        if (!peer->want_pause)
            continue;
        if (bandwidth_may(&peer->download_limit, swarm->now)) {
            peer->want_pause = false;
            swarm_peers_wake(peer);
            continue;
        }
        int64_t due = bandwidth_deadline(&peer->download_limit, swarm->now);
        if (due <= swarm->now)
            due = swarm->now + MILLISECOND_NS;
        swarm->held_ns = due < swarm->held_ns ? due : swarm->held_ns;
    }
    swarm_web_start(swarm);
}

static bool reached_goal(const struct swarm *swarm)
{
    if (swarm->phase != PHASE_SEEDING)
        return false;
    if (swarm->seed_time_ns >= 0 && swarm->now - swarm->seeding_since_ns >= swarm->seed_time_ns)
        return true;
    return swarm->seed_ratio_permille >= 0 &&
           (swarm->uploaded_before + swarm->uploaded) * 1000 >=
               (uint64_t)swarm->seed_ratio_permille * swarm->wanted_bytes;
}

static void tick_second(struct swarm *swarm)
{
    swarm_peers_tick(swarm);
    swarm_pex_tick(swarm);
    swarm_peers_connect(swarm);
    swarm_web_start(swarm);
    if (swarm->super_seed)
        swarm_messages_show_overdue(swarm);
    if (swarm->now >= choker_deadline(&swarm->choker) && swarm->peers.length)
        swarm_choking_round(swarm);
    if (swarm->uploaded != swarm->told_uploaded || swarm->downloaded != swarm->told_downloaded) {
        swarm->told_uploaded = swarm->uploaded;
        swarm->told_downloaded = swarm->downloaded;
        storage_set_transferred(swarm->storage, swarm->uploaded_before + swarm->uploaded,
                                swarm->downloaded_before + swarm->downloaded);
    }
    if (reached_goal(swarm)) {
        swarm_tell(swarm, (struct notice){.type = NOTICE_SEED_GOAL});
        swarm_pause(swarm, swarm->now);
    }
}

/* A torrent without peers and goals is not walked each second. */
static int64_t next_tick(struct swarm *swarm)
{
    if (swarm->peers.length)
        return swarm->now + SECOND_NS;
    if (swarm->phase != PHASE_DOWNLOADING && swarm->phase != PHASE_SEEDING)
        return HEAP_NEVER;
    int64_t next = peer_list_deadline(swarm->candidates, swarm->now);
    int64_t web = swarm_web_deadline(swarm);
    next = web < next ? web : next;
    if (swarm->phase == PHASE_SEEDING && swarm->seed_time_ns >= 0) {
        int64_t goal = swarm->seeding_since_ns + swarm->seed_time_ns;
        next = goal < next ? goal : next;
    }
    return next <= swarm->now ? swarm->now + SECOND_NS : next;
}

void swarm_tick(struct swarm *swarm, int64_t now)
{
    swarm->now = now;
    storage_tick(swarm->storage, now);
    if (swarm->held_ns <= now)
        release_held(swarm);
    if (swarm->tick_ns <= now) {
        tick_second(swarm);
        swarm->tick_ns = next_tick(swarm);
    }
    settle(swarm);
}

int64_t swarm_deadline(const struct swarm *swarm)
{
    int64_t deadline = storage_deadline(swarm->storage);
    deadline = swarm->held_ns < deadline ? swarm->held_ns : deadline;
    return swarm->tick_ns < deadline ? swarm->tick_ns : deadline;
}

static bool peer_output(struct peer *peer, struct action *ret_action)
{
    if (peer->connect_due) {
        peer->connect_due = false;
        *ret_action =
            (struct action){.type = ACTION_CONNECT,
                            .conn = peer->conn,
                            .transport = peer->by_utp ? TRANSPORT_UTP : peer->swarm->transport,
                            .remote = peer->address};
        return true;
    }
    if (peer->paused != peer->want_pause) {
        peer->paused = peer->want_pause;
        *ret_action =
            (struct action){.type = peer->paused ? ACTION_RECEIVE_PAUSE : ACTION_RECEIVE_RESUME,
                            .conn = peer->conn};
        return true;
    }
    return swarm_uploads_output(peer, ret_action);
}

bool swarm_output(struct swarm *swarm, int64_t now, struct action *ret_action)
{
    swarm->now = now;
    if (storage_output(swarm->storage, now, ret_action))
        return true;
    if (swarm->web_seeds && web_seed_output(swarm->web_seeds, ret_action))
        return true;
    if (swarm->closes_count) {
        *ret_action =
            (struct action){.type = ACTION_CLOSE, .conn = swarm->closes[--swarm->closes_count]};
        return true;
    }
    struct list_node *node;
    while ((node = list_first(&swarm->ready_peers))) {
        struct peer *peer = LIST_ELEMENT(node, struct peer, in_ready);
        if (peer_output(peer, ret_action))
            return true;
        list_remove(&swarm->ready_peers, &peer->in_ready);
    }
    return false;
}

void swarm_receive_plan(const struct peer *peer, struct receive_plan *ret_plan)
{
    *ret_plan = (struct receive_plan){.block = BLOCK_NONE,
                                      .is_limited = bandwidth_is_limited(&peer->download_limit),
                                      .held = peer->want_pause};
    if (peer->phase != PEER_OPEN)
        return;
    ret_plan->length = wire_stream_payload_left(&peer->stream);
    ret_plan->block = peer->arrival.target;
    ret_plan->offset = peer->arrival.target == BLOCK_NONE ? 0 : peer->arrival.received;
}

struct swarm *swarm_of_peer(const struct peer *peer)
{
    return peer->swarm;
}

struct swarm *swarm_of_ready(struct list_node *node)
{
    return LIST_ELEMENT(node, struct swarm, in_ready);
}

void swarm_ban(struct swarm *swarm, const struct address *address)
{
    peer_list_ban(swarm->candidates, address);
}

void swarm_add_peers(struct swarm *swarm, int64_t now, const struct address *peers, uint32_t count,
                     enum peer_source source)
{
    swarm->now = now;
    for (uint32_t i = 0; i < count; i++)
        peer_list_add(swarm->candidates, &peers[i], source);
    bool active = swarm->phase == PHASE_DOWNLOADING || swarm->phase == PHASE_SEEDING;
    if (active && (count || swarm->tick_ns == HEAP_NEVER)) {
        swarm_peers_connect(swarm);
        int64_t next = next_tick(swarm);
        swarm->tick_ns = next < swarm->tick_ns ? next : swarm->tick_ns;
    }
}

void swarm_on_network_changed(struct swarm *swarm, int64_t now)
{
    swarm->now = now;
    peer_list_on_network_changed(swarm->candidates);
    if (!swarm_is_active(swarm))
        return;
    swarm_peers_connect(swarm);
    int64_t next = next_tick(swarm);
    swarm->tick_ns = next < swarm->tick_ns ? next : swarm->tick_ns;
}

void swarm_set_self(struct swarm *swarm, const struct address *self)
{
    peer_list_set_self(swarm->candidates, self);
}

void swarm_drop_peers(struct swarm *swarm, int64_t now)
{
    swarm->now = now;
    swarm_peers_close_all(swarm, FRESHET_ERROR_CANCELLED);
    settle(swarm);
}

void swarm_set_ip_filter(struct swarm *swarm, int64_t now, int64_t due_ns)
{
    const struct ip_filter *filter = swarm->shared->ip_filter;
    swarm->now = now;
    peer_list_set_filter(swarm->candidates, filter);
    if (swarm_peers_close_filtered(swarm, filter))
        settle(swarm);
    if (swarm_is_active(swarm) && peer_list_length(swarm->candidates) && due_ns < swarm->tick_ns)
        swarm->tick_ns = due_ns;
}

void swarm_pause(struct swarm *swarm, int64_t now)
{
    swarm->now = now;
    swarm->paused = true;
    if (swarm->phase != PHASE_DOWNLOADING && swarm->phase != PHASE_SEEDING)
        return;
    swarm_peers_close_all(swarm, FRESHET_ERROR_CANCELLED);
    swarm_web_stop(swarm);
    swarm_requests_drop_open(swarm);
    swarm->phase = PHASE_PAUSED;
    settle(swarm);
}

void swarm_resume(struct swarm *swarm, int64_t now)
{
    swarm->now = now;
    swarm->paused = false;
    if (swarm->phase == PHASE_PAUSED)
        swarm_pieces_start(swarm);
    settle(swarm);
}

void swarm_set_limits(struct swarm *swarm, uint64_t upload, uint64_t download)
{
    bandwidth_set_rate(&swarm->upload_limit, upload, swarm->now);
    bandwidth_set_rate(&swarm->download_limit, download, swarm->now);
    release_held(swarm);
    swarm_wake(swarm);
}

void swarm_set_priorities(struct swarm *swarm, int64_t now, const uint8_t *file_priorities)
{
    swarm->now = now;
    storage_set_priorities(swarm->storage, now, file_priorities);
    bool running = swarm->phase == PHASE_DOWNLOADING || swarm->phase == PHASE_SEEDING;
    const struct geometry *geometry = &swarm->metainfo->geometry;
    swarm->wanted_bytes = 0;
    for (piece_index piece = 0; piece < geometry->piece_count; piece++) {
        uint8_t priority = storage_piece_priority(swarm->storage, piece);
        if (priority)
            swarm->wanted_bytes += geometry_piece_payload(geometry, piece);
        if (swarm->picker)
            piece_picker_set_priority(swarm->picker, piece, swarm_windows_priority(swarm, piece));
    }
    if (running && (swarm->phase == PHASE_DOWNLOADING) != swarm_wants_pieces(swarm))
        swarm_pieces_start(swarm);
    for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++)
        if (swarm->slots[slot] && swarm->slots[slot]->phase == PEER_OPEN)
            swarm_requests_update_interest(swarm->slots[slot]);
    swarm_requests_fill_all(swarm);
    settle(swarm);
}

/* Peers know what we had when they came: they come anew and hear of all, or of one piece at a time.
 * Who downloads has nothing to hide. */
static void set_super_seed(struct swarm *swarm, bool on)
{
    const struct bitfield *have = storage_verified(swarm->storage);
    bool may =
        bitfield_is_full(have) && (swarm->phase == PHASE_SEEDING || swarm->phase == PHASE_PAUSED);
    if (on == (swarm->super_seed != NULL) || (on && !may))
        return;
    swarm_peers_close_all(swarm, FRESHET_ERROR_CANCELLED);
    super_seed_free(swarm->super_seed);
    swarm->super_seed = on ? super_seed_new(have->size, rng_u64(&swarm->shared->rng)) : NULL;
}

void swarm_tune(struct swarm *swarm, int64_t now, const struct torrent_tuning *tuning)
{
    swarm->now = now;
    swarm->sequential = tuning->sequential;
    if (swarm->picker)
        piece_picker_set_sequential(swarm->picker, tuning->sequential);
    set_goals(swarm, tuning->seed_ratio, tuning->seed_time_s);
    swarm->upload_slots = tuning->upload_slots;
    swarm->peers_max = tuning->peers_max;
    swarm_limits_place(swarm, &tuning->share);
    release_held(swarm);
    set_super_seed(swarm, tuning->super_seed);
    swarm_peers_set_transport(swarm, tuning->transport);
    swarm_retune(swarm);
    if (swarm_is_active(swarm)) {
        int64_t next = next_tick(swarm);
        swarm->tick_ns = next < swarm->tick_ns ? next : swarm->tick_ns;
    }
    settle(swarm);
}

void swarm_retune(struct swarm *swarm)
{
    uint32_t slots = slots_of(swarm);
    bool same = slots == 0 ? swarm->choker.adapts
                           : !swarm->choker.adapts && swarm->choker.slots_base == slots;
    if (!same)
        choker_set_slots(&swarm->choker, slots);
}

void swarm_recheck(struct swarm *swarm, int64_t now)
{
    swarm->now = now;
    if (swarm->phase == PHASE_STOPPING || swarm->phase == PHASE_ERROR)
        return;
    swarm_peers_close_all(swarm, FRESHET_ERROR_CANCELLED);
    swarm_web_stop(swarm);
    swarm_requests_drop_open(swarm);
    swarm->phase = PHASE_OPENING;
    swarm->checked_bytes = 0;
    storage_recheck(swarm->storage, now);
    settle(swarm);
}

void swarm_close(struct swarm *swarm, int64_t now)
{
    swarm->now = now;
    if (swarm->closing)
        return;
    swarm->closing = true;
    swarm_peers_close_all(swarm, FRESHET_ERROR_CANCELLED);
    swarm_web_stop(swarm);
    swarm_requests_drop_open(swarm);
    swarm->phase = PHASE_STOPPING;
    storage_set_transferred(swarm->storage, swarm->uploaded_before + swarm->uploaded,
                            swarm->downloaded_before + swarm->downloaded);
    storage_close(swarm->storage, now);
    settle(swarm);
}

bool swarm_is_closed(const struct swarm *swarm)
{
    return swarm->closed && !list_contains(&swarm->in_ready) &&
           (swarm->web_seeds == NULL || web_seed_is_idle(swarm->web_seeds));
}

void swarm_check(const struct swarm *swarm)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++) {
        const struct peer *peer = swarm->slots[slot];
        if (peer == NULL)
            continue;
        count++;
        CHECK(peer->slot == slot);
        CHECK(peer->phase != PEER_CLOSING);
        CHECK(map_get(&swarm->shared->conns, &peer->conn) == peer);
        pex_check(&peer->pex);
    }
    CHECK(count == swarm->peers.length);
    /* Who was refused as it was accepted is buried with the next input. */
    for (const struct list_node *node = list_first(&swarm->graveyard); node;
         node = list_next(&swarm->graveyard, node))
        CHECK(LIST_ELEMENT(node, struct peer, in_swarm)->phase == PEER_CLOSING);
    storage_check(swarm->storage);
    peer_list_check(swarm->candidates);
    blame_check(swarm->blame);
    if (swarm->picker)
        piece_picker_check(swarm->picker);
}
