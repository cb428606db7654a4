/* SPDX-License-Identifier: MIT */
#include "core/swarm/web_seed.h"

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/memory.h"
#include "core/swarm/rate_meter.h"
#include "core/swarm/web_seed_task.h"

#include <string.h>

#define PICKS_MAX 64u /* single blocks, when no gap is left */
#define SLOW_NS   (10 * SECOND_NS)
#define QUICK_NS  SECOND_NS
#define FAILS_MAX 20

struct server {
    struct bytes base; /* the torrent's URL, borrowed from the metainfo */
    bool dropped;
    uint32_t running; /* tasks */
    uint32_t fails;   /* in a row */
    int64_t rest_until_ns;
    bool no_ranges; /* sends files from their start, whatever is asked for */
    uint64_t brought, discarded;
    bool has_trouble; /* that nobody has been told of */
    struct web_seed_trouble trouble;
    struct rate_meter rate;
    uint32_t run_bytes; /* what a task may fetch: grows with the server's speed */
};

struct web_seed {
    const struct metainfo *metainfo;
    job_id *job_next;
    struct bitfield everything; /* what a web seed has */
    struct bitfield front; /* what one without ranges is asked for; bytes NULL: there is none */
    uint64_t discarded;    /* not taken yet */
    struct server *servers;
    uint32_t server_count;
    struct web_seed_task *tasks[WEB_SEED_TASKS_MAX]; /* NULL: none */
    uint32_t running;
    bool stopped;
    struct web_seed_result *results; /* a queue */
    uint32_t results_first, results_count, results_capacity;
};

static bool is_http(struct bytes url)
{
    return (url.length > 7 && memcmp(url.data, "http://", 7) == 0) ||
           (url.length > 8 && memcmp(url.data, "https://", 8) == 0);
}

struct web_seed *web_seed_new(const struct metainfo *metainfo, job_id *job_next)
{
    struct server *servers = memory_new_array(LIMIT_WEB_SEEDS_MAX, sizeof *servers);
    uint32_t count = 0;
    for (uint32_t i = 0; i < metainfo->web_seed_count && count < LIMIT_WEB_SEEDS_MAX; i++)
        if (is_http(metainfo->web_seeds[i]))
            servers[count++] = (struct server){.base = metainfo->web_seeds[i],
                                               .rest_until_ns = INT64_MIN,
                                               .run_bytes = WEB_SEED_RUN_MIN};
    if (count == 0) {
        memory_free(servers);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        rate_meter_init(&servers[i].rate);
    struct web_seed *seeds = memory_new(sizeof *seeds);
    seeds->metainfo = metainfo;
    seeds->job_next = job_next;
    seeds->servers = servers;
    seeds->server_count = count;
    bitfield_init(&seeds->everything, metainfo->geometry.piece_count);
    bitfield_set_all(&seeds->everything);
    return seeds;
}

void web_seed_free(struct web_seed *seeds)
{
    if (!seeds)
        return;
    CHECK(seeds->running == 0);
    bitfield_deinit(&seeds->everything);
    bitfield_deinit(&seeds->front);
    memory_free(seeds->servers);
    memory_free(seeds->results);
    memory_free(seeds);
}

static uint32_t slot_of(uint32_t server)
{
    return LIMIT_PEERS_PER_TORRENT + server;
}

/* ---- troubles ---- */

static void set_trouble(struct server *server, enum web_seed_fate fate, enum freshet_error error,
                        int32_t status)
{
    server->has_trouble = true;
    server->trouble = (struct web_seed_trouble){
        .fate = fate, .url = server->base, .error = error, .status = status};
}

static void drop(struct server *server, enum freshet_error error, int32_t status)
{
    if (!server->dropped)
        set_trouble(server, WEB_SEED_DROPPED, error, status);
    server->dropped = true;
}

bool web_seed_next_trouble(struct web_seed *seeds, struct web_seed_trouble *ret_trouble)
{
    for (uint32_t i = 0; i < seeds->server_count; i++) {
        if (!seeds->servers[i].has_trouble)
            continue;
        seeds->servers[i].has_trouble = false;
        *ret_trouble = seeds->servers[i].trouble;
        return true;
    }
    return false;
}

uint64_t web_seed_take_discarded(struct web_seed *seeds)
{
    uint64_t discarded = seeds->discarded;
    seeds->discarded = 0;
    return discarded;
}

/* ---- results ---- */

static void add_result(struct web_seed *seeds, struct web_seed_result result)
{
    if (seeds->results_first > 0 &&
        seeds->results_first + seeds->results_count == seeds->results_capacity) {
        memmove(seeds->results, seeds->results + seeds->results_first,
                seeds->results_count * sizeof *seeds->results);
        seeds->results_first = 0;
    }
    if (seeds->results_count == seeds->results_capacity) {
        seeds->results_capacity = seeds->results_capacity ? seeds->results_capacity * 2 : 64;
        seeds->results =
            memory_resize_array(seeds->results, seeds->results_capacity, sizeof *seeds->results);
    }
    seeds->results[seeds->results_first + seeds->results_count++] = result;
}

bool web_seed_result(struct web_seed *seeds, struct web_seed_result *ret_result)
{
    if (seeds->results_count == 0)
        return false;
    *ret_result = seeds->results[seeds->results_first++];
    if (--seeds->results_count == 0)
        seeds->results_first = 0;
    return true;
}

static void hand_out(struct web_seed *seeds, struct web_seed_task *task,
                     enum web_seed_result_type type)
{
    struct block_pick pick;
    block_id memory;
    while (web_seed_task_next_block(task, type == WEB_SEED_BLOCK, &pick, &memory))
        add_result(seeds, (struct web_seed_result){.type = type,
                                                   .slot = slot_of(task->server),
                                                   .piece = pick.piece,
                                                   .block = pick.block,
                                                   .length = pick.length,
                                                   .memory = memory});
}

/* ---- beginning ---- */

/* The first stretch of picks without a hole stays, the others are handed back. */
static uint32_t keep_first_stretch(struct piece_picker *picker, uint32_t slot,
                                   const struct block_pick *picks, uint32_t count)
{
    uint32_t kept = count > 0;
    while (kept < count && picks[kept].piece == picks[0].piece &&
           picks[kept].block == picks[kept - 1].block + 1)
        kept++;
    for (uint32_t i = kept; i < count; i++)
        piece_picker_abort(picker, slot, picks[i].piece, picks[i].block);
    return kept;
}

/* Blocks of one piece as a peer would get them: open ones first, then new ones, and in the end game
 * blocks that others are slow with. */
static struct web_seed_task *pick_blocks(struct web_seed *seeds,
                                         const struct web_seed_ground *ground, uint32_t server)
{
    struct block_pick picks[PICKS_MAX];
    struct pick_options options = {
        .now = ground->now,
        .has = seeds->servers[server].no_ranges ? &seeds->front : &seeds->everything,
        .open_new = block_ledger_has_room(ground->pool, ground->piece_blocks),
        .slow_before_ns = ground->now - SLOW_NS,
    };
    uint32_t most = PICKS_MAX;
    if (ground->run_max && ground->run_max / LIMIT_BLOCK_SIZE < most)
        most = ground->run_max / LIMIT_BLOCK_SIZE + 1;
    uint32_t count = piece_picker_pick(ground->picker, slot_of(server), &options, picks, most);
    count = keep_first_stretch(ground->picker, slot_of(server), picks, count);
    if (count == 0)
        return NULL;
    struct web_seed_task *task = web_seed_task_new(server, &seeds->metainfo->geometry);
    for (uint32_t i = 0; i < count; i++)
        web_seed_task_add(task, &picks[i]);
    return task;
}

/* Whole pieces that somebody waits for, or of the longest gap, or of the first at the front of a
 * file. Runs of several pieces need pieces of whole blocks, so that one piece's bytes end where a
 * block of memory ends. */
static struct web_seed_task *pick_pieces(struct web_seed *seeds,
                                         const struct web_seed_ground *ground, uint32_t server)
{
    const struct geometry *geometry = &seeds->metainfo->geometry;
    piece_index first;
    uint32_t gap;
    bool no_ranges = seeds->servers[server].no_ranges;
    if (!block_ledger_has_room(ground->pool, ground->piece_blocks) ||
        !(no_ranges ? piece_picker_first_gap(ground->picker, &seeds->front, &first, &gap)
                    : piece_picker_urgent_gap(ground->picker, &first, &gap) ||
                          piece_picker_longest_gap(ground->picker, &first, &gap)))
        return NULL;
    uint32_t run = no_ranges ? WEB_SEED_RUN_WHOLE : seeds->servers[server].run_bytes;
    /* A short run of a server without ranges costs as much as a long one. */
    if (ground->run_max && ground->run_max < run && !no_ranges)
        run = ground->run_max;
    uint32_t pieces = run / geometry->piece_length;
    if (pieces == 0 || geometry->piece_length % LIMIT_BLOCK_SIZE != 0)
        pieces = 1;
    if (pieces > gap)
        pieces = gap;
    while (pieces > 1 && !block_ledger_has_room(ground->pool, pieces * ground->piece_blocks))
        pieces /= 2;
    struct web_seed_task *task = web_seed_task_new(server, geometry);
    for (uint32_t i = 0; i < pieces; i++) {
        struct block_pick picks[PICKS_MAX];
        uint32_t count;
        do {
            count = piece_picker_pick_piece(ground->picker, slot_of(server), first + i, ground->now,
                                            picks, PICKS_MAX);
            for (uint32_t j = 0; j < count; j++)
                web_seed_task_add(task, &picks[j]);
        } while (count == PICKS_MAX);
    }
    return task;
}

/* Memory for every block, or the whole task is given up. */
static bool furnish(struct web_seed_task *task, const struct web_seed_ground *ground)
{
    bool furnished = true;
    for (uint32_t i = 0; i < task->pick_count && furnished; i++) {
        block_id memory = block_ledger_take(ground->pool);
        furnished = memory != BLOCK_NONE;
        if (furnished)
            web_seed_task_furnish(task, i, memory);
    }
    if (furnished)
        return true;
    struct block_pick pick;
    block_id memory;
    while (web_seed_task_next_block(task, false, &pick, &memory)) {
        piece_picker_abort(ground->picker, slot_of(task->server), pick.piece, pick.block);
        if (memory != BLOCK_NONE)
            block_ledger_give(ground->pool, memory);
    }
    return false;
}

static bool begin_task(struct web_seed *seeds, const struct web_seed_ground *ground,
                       uint32_t server)
{
    struct web_seed_task *task = NULL;
    bool short_run = ground->run_max && ground->run_max < seeds->metainfo->geometry.piece_length;
    bool no_ranges = seeds->servers[server].no_ranges;
    if (no_ranges || (!ground->sequential && !short_run))
        task = pick_pieces(seeds, ground, server);
    if (!task)
        task = pick_blocks(seeds, ground, server);
    if (!task)
        return false;
    task->may_skip = no_ranges;
    if (!furnish(task, ground) ||
        !web_seed_task_next_fetch(task, seeds->servers[server].base, seeds->metainfo,
                                  (*seeds->job_next)++)) {
        /* No URL can be made of it (then nothing of this server will work), or no memory. */
        if (task->bad_url)
            drop(&seeds->servers[server], FRESHET_ERROR_LIMIT, 0);
        hand_out(seeds, task, WEB_SEED_LOST);
        web_seed_task_free(task);
        return false;
    }
    uint32_t at = 0;
    while (seeds->tasks[at])
        at++;
    CHECK(at < WEB_SEED_TASKS_MAX);
    task->started_ns = ground->now;
    seeds->tasks[at] = task;
    seeds->running++;
    seeds->servers[server].running++;
    return true;
}

uint32_t web_seed_start(struct web_seed *seeds, const struct web_seed_ground *ground)
{
    uint32_t begun = 0;
    if (seeds->stopped || !bandwidth_may(ground->limit, ground->now))
        return 0;
    for (uint32_t round = 0; round < WEB_SEED_CONNECTIONS; round++) {
        for (uint32_t i = 0; i < seeds->server_count; i++) {
            struct server *server = &seeds->servers[i];
            if (server->dropped || server->rest_until_ns > ground->now || server->running > round ||
                (server->no_ranges && server->running > 0) ||
                seeds->running == WEB_SEED_TASKS_MAX || (ground->run_max && seeds->running > 0))
                continue;
            begun += begin_task(seeds, ground, i);
        }
    }
    return begun;
}

/* ---- jobs ---- */

static struct web_seed_task **find_task(struct web_seed *seeds, job_id job)
{
    for (uint32_t i = 0; i < WEB_SEED_TASKS_MAX; i++)
        if (seeds->tasks[i] && seeds->tasks[i]->job.id == job)
            return &seeds->tasks[i];
    return NULL;
}

/* Says that it has not got it, or speaks nonsense. */
static bool is_final(const struct event *event)
{
    int32_t status = event->result.fetched.status;
    if (status >= 400 && status < 500)
        return status != 408 && status != 425 && status != 429;
    return event->error == FRESHET_ERROR_REFUSED || event->error == FRESHET_ERROR_PROTOCOL;
}

static void server_failed(struct server *server, int64_t now, const struct event *event)
{
    int32_t status = event->result.fetched.status;
    if (server->dropped)
        return;
    if (is_final(event) || ++server->fails == FAILS_MAX) {
        drop(server, event->error, status);
        return;
    }
    /* Its other connections mostly fail with the first; that is one trouble. */
    if (server->rest_until_ns <= now)
        set_trouble(server, WEB_SEED_RESTS, event->error, status);
    int64_t rest = WEB_SEED_RETRY_NS * server->fails;
    int64_t asked = event->result.fetched.retry_after_s;
    if (asked > rest / SECOND_NS)
        rest = asked < WEB_SEED_RETRY_MAX / SECOND_NS ? asked * SECOND_NS : WEB_SEED_RETRY_MAX;
    rest = rest < WEB_SEED_RETRY_MAX ? rest : WEB_SEED_RETRY_MAX;
    server->rest_until_ns = now + rest;
    server->trouble.rest_ns = rest;
}

/* Pieces whose bytes lie not too far behind the start of their file: only the first file that a
 * piece touches can have begun before it. */
static void find_front(struct web_seed *seeds)
{
    const struct geometry *geometry = &seeds->metainfo->geometry;
    if (seeds->front.bytes)
        return;
    bitfield_init(&seeds->front, geometry->piece_count);
    for (piece_index piece = 0; piece < geometry->piece_count; piece++) {
        struct file_range range;
        uint32_t length = geometry_piece_payload(geometry, piece);
        if (length > 0 && geometry_ranges(geometry, piece, 0, length, &range, 1) > 0 &&
            (range.file == FILE_PADDING || range.offset <= WEB_SEED_SKIP_MAX))
            bitfield_set(&seeds->front, piece);
    }
}

/* 200 to a wish for a part of a file: this server knows no ranges. true: the fetch was in vain for
 * that reason alone, which is no fault. */
static bool judge_ranges(struct web_seed *seeds, const struct web_seed_task *task,
                         struct server *server, const struct event *event)
{
    const struct fetch_job *job = &task->job;
    if (event->result.fetched.status != 200)
        return false;
    bool is_new = !server->no_ranges && (job->range_start > 0 || event->error == FRESHET_OK);
    if (is_new && job->range_length < task->fetch_file_length) {
        server->no_ranges = true;
        find_front(seeds);
        set_trouble(server, WEB_SEED_NO_RANGES, FRESHET_OK, 200);
    }
    if (!job->may_skip)
        return job->range_start > 0;
    server->discarded += job->range_start;
    seeds->discarded += job->range_start;
    server->brought += event->result.fetched.received;
    if (server->discarded > WEB_SEED_SKIP_TOTAL + 8 * server->brought)
        drop(server, FRESHET_ERROR_UNSUPPORTED, 200);
    return false;
}

/* What a slow or broken connection brought is kept, and who brings something is not given up: else
 * a server that takes longer for a piece than a fetch may last would never be of use. */
static void keep_part(struct web_seed_task *task, struct server *server, const struct event *event)
{
    bool broke = event->error == FRESHET_ERROR_TIMEOUT ||
                 event->error == FRESHET_ERROR_CONNECTION ||
                 event->error == FRESHET_ERROR_TRUNCATED;
    if (broke && web_seed_task_fetched_part(task, event->result.fetched.received))
        server->fails = 0;
}

/* Longer runs for a quick server, shorter ones for one that takes long. */
static void adapt(struct server *server, int64_t elapsed)
{
    server->fails = 0;
    if (elapsed < QUICK_NS && server->run_bytes < WEB_SEED_RUN_MAX)
        server->run_bytes *= 2;
    else if (elapsed > SLOW_NS && server->run_bytes > WEB_SEED_RUN_MIN)
        server->run_bytes /= 2;
}

static void end_task(struct web_seed *seeds, struct web_seed_task **place)
{
    struct web_seed_task *task = *place;
    hand_out(seeds, task, WEB_SEED_LOST);
    seeds->servers[task->server].running--;
    seeds->running--;
    web_seed_task_free(task);
    *place = NULL;
}

bool web_seed_input(struct web_seed *seeds, int64_t now, const struct event *event)
{
    struct web_seed_task **place = find_task(seeds, event->job);
    if (!place)
        return false;
    struct web_seed_task *task = *place;
    struct server *server = &seeds->servers[task->server];
    bool good =
        event->error == FRESHET_OK && event->result.fetched.received == task->job.range_length;
    bool in_vain = judge_ranges(seeds, task, server, event);
    rate_meter_add(&server->rate, now, event->result.fetched.received);
    if (good) {
        web_seed_task_fetched(task);
    } else if (event->error != FRESHET_ERROR_CANCELLED && !in_vain) {
        keep_part(task, server, event);
        server_failed(server, now, event);
    }
    hand_out(seeds, task, WEB_SEED_BLOCK);
    task->may_skip = server->no_ranges;
    if (good && !seeds->stopped && !server->dropped &&
        web_seed_task_next_fetch(task, server->base, seeds->metainfo, (*seeds->job_next)++))
        return true;
    if (good)
        adapt(server, now - task->started_ns);
    if (task->bad_url)
        drop(server, FRESHET_ERROR_LIMIT, 0);
    end_task(seeds, place);
    return true;
}

int64_t web_seed_deadline(const struct web_seed *seeds)
{
    int64_t deadline = HEAP_NEVER;
    if (seeds->stopped)
        return deadline;
    for (uint32_t i = 0; i < seeds->server_count; i++) {
        const struct server *server = &seeds->servers[i];
        if (!server->dropped && server->fails > 0 && server->rest_until_ns < deadline)
            deadline = server->rest_until_ns;
    }
    return deadline;
}

bool web_seed_output(struct web_seed *seeds, struct action *ret_action)
{
    for (uint32_t i = 0; i < WEB_SEED_TASKS_MAX; i++) {
        struct web_seed_task *task = seeds->tasks[i];
        if (!task)
            continue;
        if (task->due) {
            task->due = false;
            *ret_action = (struct action){.type = ACTION_FETCH, .fetch = &task->job};
            return true;
        }
        if (task->cancel) {
            task->cancel = false;
            *ret_action = (struct action){.type = ACTION_CANCEL, .job = task->job.id};
            return true;
        }
    }
    return false;
}

/* ---- stopping and blame ---- */

/* Jobs that the host has not seen end here, the others by its event. */
static void stop_task(struct web_seed *seeds, struct web_seed_task **place)
{
    if ((*place)->due)
        end_task(seeds, place);
    else
        (*place)->cancel = true;
}

void web_seed_stop(struct web_seed *seeds)
{
    seeds->stopped = true;
    for (uint32_t i = 0; i < WEB_SEED_TASKS_MAX; i++)
        if (seeds->tasks[i])
            stop_task(seeds, &seeds->tasks[i]);
}

void web_seed_resume(struct web_seed *seeds)
{
    seeds->stopped = false;
}

bool web_seed_is_idle(const struct web_seed *seeds)
{
    return seeds->running == 0 && seeds->results_count == 0;
}

uint32_t web_seed_statuses(const struct web_seed *seeds, int64_t now,
                           struct web_seed_status *ret_seeds, uint32_t max)
{
    uint32_t count = seeds->server_count < max ? seeds->server_count : max;
    for (uint32_t i = 0; i < count; i++) {
        const struct server *server = &seeds->servers[i];
        ret_seeds[i] = (struct web_seed_status){
            .url = server->base,
            .rate = rate_meter_rate(&server->rate, now),
            .failing = server->fails > 0 || server->dropped,
            .dropped = server->dropped,
            .retry_ns = server->fails > 0 ? server->rest_until_ns : INT64_MIN,
        };
    }
    return count;
}

uint32_t web_seed_count(const struct web_seed *seeds)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < seeds->server_count; i++)
        count += !seeds->servers[i].dropped;
    return count;
}

struct address web_seed_address(uint32_t slot)
{
    /* The slot is in the network half: a ban of three must not quarantine all. */
    uint8_t ip[16] = {1, 0, 0, 0, 0, 0, (uint8_t)(slot >> 8), (uint8_t)slot, 0, 0,
                      0, 0, 0, 0, 0, 1};
    return address_ipv6(ip, 80);
}

bool web_seed_has_address(const struct address *address)
{
    uint32_t slot = (uint32_t)address->ip[6] << 8 | address->ip[7];
    struct address own = web_seed_address(slot);
    return address_equal(&own, address);
}

bool web_seed_on_banned(struct web_seed *seeds, const struct address *address)
{
    for (uint32_t i = 0; i < seeds->server_count; i++) {
        struct address own = web_seed_address(slot_of(i));
        if (!address_same_ip(&own, address))
            continue;
        drop(&seeds->servers[i], FRESHET_ERROR_HASH, 0);
        for (uint32_t j = 0; j < WEB_SEED_TASKS_MAX; j++)
            if (seeds->tasks[j] && seeds->tasks[j]->server == i)
                stop_task(seeds, &seeds->tasks[j]);
        return true;
    }
    return false;
}
