/* SPDX-License-Identifier: MIT */
#include "services/api/api_query.h"

#include "core/base/memory.h"
#include "services/api/api_labels.h"
#include "services/api/api_order.h"
#include "services/api/api_row.h"
#include "services/api/api_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROWS_MAX    1000u
#define IDS_MAX     LIMIT_TORRENTS
#define WORDS_MAX   8u
#define REMOVED_MAX 1024u
#define SCANS_MAX   3u

enum filter {
    FILTER_ALL,
    FILTER_DOWNLOADING,
    FILTER_SEEDING,
    FILTER_STOPPED,
    FILTER_FINISHED,
    FILTER_ACTIVE,
    FILTER_TROUBLE,
    FILTER_COUNT,
};
static const char *const filter_names[FILTER_COUNT] = {
    "all", "downloading", "seeding", "stopped", "finished", "active", "trouble",
};

enum sort {
    SORT_NAME,
    SORT_TOTAL,
    SORT_PROGRESS,
    SORT_PHASE,
    SORT_RATE_DOWN,
    SORT_RATE_UP,
    SORT_ETA,
    SORT_RATIO,
    SORT_PEERS,
    SORT_ADDED,
    SORT_QUEUE,
    SORT_COUNT,
};
static const char *const sort_names[SORT_COUNT] = {
    "name", "total", "progress", "phase", "rate_down", "rate_up",
    "eta",  "ratio", "peers",    "added", "queue",
};

enum stage { STAGE_BEGIN, STAGE_SCAN, STAGE_SORT, STAGE_COPY };

struct query {
    /* asked */
    enum filter filter;
    enum sort sort;
    bool descending, ids_only, is_delta;
    const char *label;
    char words[WORDS_MAX][API_TEXT_MAX + 1];
    uint32_t word_count;
    uint32_t offset, limit;
    uint64_t then; /* the revision that the client knows */
    const char *run;
    /* found */
    struct call_arena part; /* of this answer, or part of a stream */
    uint64_t revision, session;
    uint32_t scans, all_count;
    torrent_id last;
    uint32_t totals[FILTER_COUNT];
    uint64_t rate_down, rate_up;
    bool alt_enabled, everything, is_ping;
    int64_t told_ns;
    struct api_labels *labels;
    struct api_order order;
    torrent_id *ids; /* of the window */
    uint32_t id_count;
    struct api_row *rows;
    uint32_t row_count;
    torrent_id removed[REMOVED_MAX];
    uint32_t removed_count;
};

/* Which of the names; fails the call when it is none of them. */
static unsigned choice(struct api_call *call, const char *parameter, const char *const *names,
                       unsigned count, unsigned otherwise)
{
    const char *text = api_parameter(call, parameter);
    if (!text || !*text)
        return otherwise;
    for (unsigned i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    api_fail(call, 400, "%s: there is no %.40s", parameter, text);
    return otherwise;
}

static void split_words(struct query *query, const char *text)
{
    char folded[API_TEXT_MAX + 1];
    api_text_fold(text, folded);
    for (char *at = folded; *at && query->word_count < WORDS_MAX;) {
        size_t length = strcspn(at, " ");
        if (length > 0) {
            memcpy(query->words[query->word_count], at, length);
            query->words[query->word_count++][length] = '\0';
        }
        at += length + (at[length] != '\0');
    }
}

void api_query_prepare(struct api_call *call)
{
    static const char *const orders[] = {"asc", "desc"};
    struct query *query = call->state = memory_new(sizeof *query);
    query->labels = memory_new(sizeof *query->labels);
    query->filter = choice(call, "filter", filter_names, FILTER_COUNT, FILTER_ALL);
    query->sort = choice(call, "sort", sort_names, SORT_COUNT, SORT_QUEUE);
    query->descending = choice(call, "order", orders, 2, 0) == 1;
    query->label = api_parameter(call, "label");
    const char *search = api_parameter(call, "search");
    if (search)
        split_words(query, search);
    const char *fields = api_parameter(call, "fields");
    query->ids_only = fields && strcmp(fields, "id") == 0;
    if (fields && !query->ids_only)
        api_fail(call, 400, "fields: only id");
    query->offset = (uint32_t)api_parameter_number(call, "offset", 0, UINT32_MAX);
    uint32_t max = query->ids_only ? IDS_MAX : ROWS_MAX;
    query->limit = (uint32_t)api_parameter_number(call, "limit", 100, max);
    query->is_delta = strcmp(call->route->action, "delta") == 0;
    if (query->is_delta) {
        query->then = api_parameter_number(call, "revision", 0, INT64_MAX);
        query->run = api_parameter(call, "run");
    }
}

static uint32_t sets_of(const struct catalog_torrent *torrent)
{
    uint32_t sets = 1u << FILTER_ALL;
    switch (torrent->phase) {
    case CATALOG_WAIT_DOWNLOAD:
    case CATALOG_DOWNLOADING: sets |= 1u << FILTER_DOWNLOADING; break;
    case CATALOG_WAIT_SEED:
    case CATALOG_SEEDING: sets |= 1u << FILTER_SEEDING; break;
    case CATALOG_STOPPED: sets |= 1u << FILTER_STOPPED; break;
    default: break;
    }
    if (torrent->complete)
        sets |= 1u << FILTER_FINISHED;
    if (torrent->trouble >= TROUBLE_TRACKER)
        sets |= 1u << FILTER_TROUBLE;
    if (torrent->open && (torrent->status.download_rate > 0 || torrent->status.upload_rate > 0))
        sets |= 1u << FILTER_ACTIVE;
    return sets;
}

static bool has_label(const struct catalog_torrent *torrent, const char *label)
{
    for (uint32_t i = 0; i < torrent->label_count; i++)
        if (strcmp(torrent->labels[i], label) == 0)
            return true;
    return false;
}

/* Each word is in the name, begins the hash, or is in a label. */
static bool is_found(const struct query *query, const struct catalog_torrent *torrent)
{
    char folded[API_TEXT_MAX + 1];
    api_text_fold(torrent->name, folded);
    for (uint32_t i = 0; i < query->word_count; i++) {
        const char *word = query->words[i];
        bool found = strstr(folded, word) ||
                     (strlen(word) >= 6 && strncmp(torrent->hash, word, strlen(word)) == 0);
        for (uint32_t j = 0; j < torrent->label_count && !found; j++) {
            char label[API_TEXT_MAX + 1];
            api_text_fold(torrent->labels[j], label);
            found = strstr(label, word);
        }
        if (!found)
            return false;
    }
    return true;
}

static uint64_t sort_number(enum sort sort, const struct catalog_torrent *torrent)
{
    const struct torrent_status *status = &torrent->status;
    int64_t eta_s;
    switch (sort) {
    case SORT_TOTAL: return torrent->total_bytes;
    case SORT_PROGRESS: return (uint64_t)(api_row_progress(torrent) * 1e9);
    case SORT_PHASE: return torrent->phase;
    case SORT_RATE_DOWN: return torrent->open ? status->download_rate : 0;
    case SORT_RATE_UP: return torrent->open ? status->upload_rate : 0;
    case SORT_ETA: return (eta_s = api_row_eta(torrent)) < 0 ? UINT64_MAX : (uint64_t)eta_s;
    case SORT_RATIO: return (uint64_t)(api_row_ratio(torrent) * 1e6);
    case SORT_PEERS: return torrent->open ? status->peers : 0;
    case SORT_ADDED: return torrent->added_s < 0 ? 0 : (uint64_t)torrent->added_s;
    default: return torrent->queue_position;
    }
}

static void look_at(struct query *query, const struct catalog_torrent *torrent)
{
    uint32_t sets = sets_of(torrent);
    for (unsigned i = 0; i < FILTER_COUNT; i++)
        query->totals[i] += sets >> i & 1u;
    for (uint32_t i = 0; i < torrent->label_count; i++)
        api_labels_add(query->labels, &query->part, torrent->labels[i]);
    if (torrent->open) {
        query->rate_down += torrent->status.download_rate;
        query->rate_up += torrent->status.upload_rate;
    }
    if (!(sets >> query->filter & 1u))
        return;
    if (query->label && *query->label && !has_label(torrent, query->label))
        return;
    if (query->word_count > 0 && !is_found(query, torrent))
        return;
    struct api_key key = {.id = torrent->id};
    if (query->sort == SORT_NAME) {
        char folded[API_TEXT_MAX + 1];
        size_t length = api_text_fold(torrent->name, folded);
        key.number = api_text_head(folded);
        key.text = length <= 8 ? "" : call_arena_text(&query->part, folded + 8);
    } else {
        key.number = sort_number(query->sort, torrent);
    }
    api_order_add(&query->order, key);
}

static void scan_begin(struct api_call *call, struct query *query)
{
    call->at = 0;
    call_arena_deinit(&query->part);
    query->part = (struct call_arena){0};
    query->order.count = 0;
    memset(query->totals, 0, sizeof query->totals);
    memset(query->labels, 0, sizeof *query->labels);
    query->rate_down = query->rate_up = 0;
    query->scans++;
}

/* false: the slice is over. Rows that went meanwhile have moved the others up: then begin anew. */
static bool scan(struct api_call *call, struct api_turn *turn)
{
    struct query *query = call->state;
    const struct catalog *catalog = turn->world->catalog;
    if (call->at > 0 && query->scans < SCANS_MAX &&
        (call->at > catalog_count(catalog) || catalog_at(catalog, call->at - 1)->id != query->last))
        scan_begin(call, query);
    while (call->at < catalog_count(catalog)) {
        const struct catalog_torrent *torrent = catalog_at(catalog, call->at++);
        query->last = torrent->id;
        look_at(query, torrent);
        if (call->at % 32 == 0 && api_late(turn))
            return false;
    }
    return true;
}

static void begin(struct api_call *call, struct query *query, const struct api_turn *turn)
{
    const struct catalog *catalog = turn->world->catalog;
    query->revision = catalog_revision(catalog);
    query->session = turn->world->session_id_number;
    query->alt_enabled = catalog_settings(catalog)->alt_enabled;
    query->scans = 0;
    query->everything = false;
    query->removed_count = 0;
    scan_begin(call, query);
    if (!query->is_delta)
        return;
    char run[24];
    snprintf(run, sizeof run, "%016" PRIx64, query->session);
    if (query->then > query->revision || (query->run && strcmp(run, query->run) != 0))
        query->then = 0;
    if (query->then > 0)
        query->removed_count =
            catalog_removed_since(catalog, query->then, query->removed, REMOVED_MAX);
    if (query->then == 0 || query->removed_count == UINT32_MAX) {
        query->everything = true;
        query->removed_count = 0;
        query->then = 0;
    }
}

static void window(struct api_call *call, struct query *query)
{
    uint32_t count = query->order.count;
    uint32_t from = query->offset < count ? query->offset : count;
    query->id_count = count - from < query->limit ? count - from : query->limit;
    query->ids = call_arena_take(&query->part, (query->id_count + 1) * sizeof *query->ids);
    for (uint32_t i = 0; i < query->id_count; i++)
        query->ids[i] = query->order.keys[from + i].id;
    query->row_count = 0;
    query->rows = NULL;
    if (!query->ids_only)
        query->rows = call_arena_take(&query->part, (query->id_count + 1) * sizeof *query->rows);
    call->at = 0;
}

static bool copy(struct api_call *call, struct api_turn *turn)
{
    struct query *query = call->state;
    if (query->ids_only)
        return true;
    while (call->at < query->id_count) {
        const struct catalog_torrent *torrent =
            catalog_find(turn->world->catalog, query->ids[call->at++]);
        if (torrent && (!query->is_delta || torrent->revision > query->then))
            api_row_copy(torrent, &query->part, &query->rows[query->row_count++]);
        if (call->at % 32 == 0 && api_late(turn))
            return false;
    }
    return true;
}

enum service_step api_query_step(struct api_call *call, struct api_turn *turn)
{
    struct query *query = call->state;
    bool is_ready = true;
    switch (call->stage) {
    case STAGE_BEGIN:
        query->is_ping = false;
        if (call->parts && query->then == catalog_revision(turn->world->catalog)) {
            if (turn->clock() - query->told_ns < SERVICE_STREAM_IDLE_S * SECOND_NS)
                return SERVICE_WAIT;
            query->is_ping = true;
            break;
        }
        begin(call, query, turn);
        call->stage = STAGE_SCAN; /* fall through */
    case STAGE_SCAN:
        if (!(is_ready = scan(call, turn)))
            break;
        api_order_begin(&query->order);
        query->order.descending = query->descending;
        call->stage = STAGE_SORT; /* fall through */
    case STAGE_SORT:
        if (!(is_ready = api_order_step(&query->order, turn)))
            break;
        window(call, query);
        call->stage = STAGE_COPY; /* fall through */
    default: is_ready = copy(call, turn);
    }
    if (!is_ready)
        return SERVICE_AGAIN;
    query->told_ns = turn->clock();
    call->stage = STAGE_BEGIN; /* of a stream's next part */
    return SERVICE_DONE;
}

static void write_ids(struct json_writer *json, const char *key, const torrent_id *ids,
                      uint32_t count)
{
    json_writer_key(json, key);
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < count; i++)
        json_writer_u64(json, ids[i]);
    json_writer_close(json, ']');
}

static void write_totals(const struct query *query, struct json_writer *json)
{
    json_writer_key(json, "totals");
    json_writer_open(json, '{');
    for (unsigned i = 0; i < FILTER_COUNT; i++)
        json_writer_put_u64(json, filter_names[i], query->totals[i]);
    json_writer_close(json, '}');
    api_labels_write(query->labels, json);
}

static void write_members(struct query *query, struct json_writer *json)
{
    char run[24];
    snprintf(run, sizeof run, "%016" PRIx64, query->session);
    json_writer_put_u64(json, "revision", query->revision);
    json_writer_put_text(json, "run", run);
    json_writer_put_u64(json, "offset", query->offset);
    json_writer_put_u64(json, "matching", query->order.count);
    write_totals(query, json);
    json_writer_put_u64(json, "rate_down", query->rate_down);
    json_writer_put_u64(json, "rate_up", query->rate_up);
    json_writer_put_bool(json, "alt_enabled", query->alt_enabled);
    if (query->is_delta || query->ids_only)
        write_ids(json, "ids", query->ids, query->id_count);
    if (query->is_delta) {
        write_ids(json, "removed", query->removed, query->removed_count);
        json_writer_put_bool(json, "everything", query->everything);
    }
    if (!query->ids_only) {
        json_writer_key(json, "rows");
        json_writer_open(json, '[');
        for (uint32_t i = 0; i < query->row_count; i++) {
            json_writer_open(json, '{');
            api_row_write(&query->rows[i], json);
            json_writer_close(json, '}');
        }
        json_writer_close(json, ']');
    }
    query->then = query->revision; /* a stream's next part begins here */
}

void api_query_write(struct api_call *call, struct json_writer *json)
{
    struct query *query = call->state;
    if (!call->route->streams) {
        write_members(query, json);
        return;
    }
    if (query->is_ping) {
        buffer_append_text(json->out, ": still here\n\n");
        return;
    }
    buffer_append_text(json->out, "event: delta\ndata: ");
    json_writer_open(json, '{');
    write_members(query, json);
    json_writer_close(json, '}');
    buffer_append_text(json->out, "\n\n");
}

void api_query_end(struct api_call *call)
{
    struct query *query = call->state;
    if (!query)
        return;
    call_arena_deinit(&query->part);
    api_order_deinit(&query->order);
    memory_free(query->labels);
    memory_free(query);
}
