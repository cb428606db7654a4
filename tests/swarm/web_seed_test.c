/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/heap.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/swarm/web_seed.h"

#include <stdio.h>
#include <string.h>

/* ---- a torrent, its server and the memory of a host ---- */

#define FILES_MAX 8u
#define POOL      4096u

struct fixture {
    struct metainfo metainfo;
    struct metainfo_file files[FILES_MAX];
    struct bytes elements[FILES_MAX][2];
    struct bytes urls[4];
    uint64_t next_job;
    struct web_seed *seeds;
    struct piece_picker *picker;
    struct block_ledger *pool;
    uint8_t *memory; /* POOL blocks */
    struct bandwidth limit;
    int64_t now;
    uint32_t blocks, lost, fetches;
    uint64_t fetched;
    bool sequential;
};

static uint8_t content(uint32_t file, uint64_t offset)
{
    return (uint8_t)(offset * 31 + offset / 251 + file * 7 + 1);
}

static void fixture_init(struct fixture *f, uint32_t piece_length,
                         const struct geometry_file *files, uint32_t count, bool gaps,
                         uint32_t url_count)
{
    *f = (struct fixture){.now = 1000 * SECOND_NS, .next_job = 1};
    assert_int_equal(geometry_init(&f->metainfo.geometry, piece_length, files, count, gaps),
                     FRESHET_OK);
    f->metainfo.files = f->files;
    f->metainfo.raw_name = BYTES_LITERAL("my torrent");
    f->metainfo.single_file = count == 1;
    for (uint32_t i = 0; i < count; i++) {
        f->elements[i][0] = BYTES_LITERAL("d");
        f->elements[i][1] = (struct bytes){(const uint8_t *)"abcdefgh" + i, 1};
        f->files[i].raw = f->elements[i];
        f->files[i].raw_count = 2;
    }
    static const char *const urls[4] = {"http://one/", "https://two/x", "ftp://three/", "http://4"};
    for (uint32_t i = 0; i < url_count; i++)
        f->urls[i] = (struct bytes){(const uint8_t *)urls[i], strlen(urls[i])};
    f->metainfo.web_seeds = f->urls;
    f->metainfo.web_seed_count = url_count;
    f->seeds = web_seed_new(&f->metainfo, &f->next_job);
    f->picker = piece_picker_new(
        &(struct piece_picker_options){.geometry = &f->metainfo.geometry, .seed = 1});
    f->pool = block_ledger_new(POOL);
    f->memory = memory_new_array(POOL, LIMIT_BLOCK_SIZE);
    bandwidth_init(&f->limit, NULL, 0, f->now);
}

static void drain(struct fixture *f);

static void fixture_deinit(struct fixture *f)
{
    web_seed_stop(f->seeds);
    drain(f);
    struct action action;
    while (web_seed_output(f->seeds, &action))
        assert_int_equal(action.type, ACTION_CANCEL);
    assert_true(web_seed_is_idle(f->seeds));
    piece_picker_check(f->picker);
    web_seed_free(f->seeds);
    piece_picker_free(f->picker);
    block_ledger_free(f->pool);
    memory_free(f->memory);
    geometry_deinit(&f->metainfo.geometry);
}

static uint32_t start(struct fixture *f)
{
    const struct geometry *geometry = &f->metainfo.geometry;
    struct web_seed_ground ground = {
        .now = f->now,
        .picker = f->picker,
        .pool = f->pool,
        .limit = &f->limit,
        .sequential = f->sequential,
        .piece_blocks = (geometry->piece_length + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE,
    };
    return web_seed_start(f->seeds, &ground);
}

/* Compares a piece that is whole in memory with what the server has. */
static void check_piece(struct fixture *f, piece_index piece)
{
    const struct geometry *geometry = &f->metainfo.geometry;
    uint32_t count;
    const block_id *memory = piece_picker_memory(f->picker, piece, &count);
    uint32_t length = geometry_piece_payload(geometry, piece);
    struct file_range ranges[FILES_MAX];
    uint32_t range_count = geometry_ranges(geometry, piece, 0, length, ranges, FILES_MAX);
    uint32_t at = 0;
    for (uint32_t i = 0; i < range_count; i++)
        for (uint32_t j = 0; j < ranges[i].length; j++, at++)
            if (ranges[i].file != FILE_PADDING)
                assert_int_equal(
                    f->memory[memory[at / LIMIT_BLOCK_SIZE] * (size_t)LIMIT_BLOCK_SIZE +
                              at % LIMIT_BLOCK_SIZE],
                    content(ranges[i].file, ranges[i].offset + j));
    for (uint32_t i = 0; i < count; i++)
        block_ledger_give(f->pool, memory[i]);
    piece_picker_piece_verified(f->picker, piece);
}

static void drain(struct fixture *f)
{
    struct web_seed_result result;
    while (web_seed_result(f->seeds, &result)) {
        struct address sender = web_seed_address(result.slot);
        struct block_receipt receipt = {0};
        if (result.type == WEB_SEED_BLOCK) {
            f->blocks++;
            assert_int_equal(result.length, geometry_block_length(&f->metainfo.geometry,
                                                                  result.piece, result.block));
            piece_picker_received(f->picker, result.slot, result.piece, result.block, &sender,
                                  result.memory, &receipt);
        } else {
            f->lost++;
            piece_picker_abort(f->picker, result.slot, result.piece, result.block);
        }
        if (!receipt.accepted && result.memory != BLOCK_NONE)
            block_ledger_give(f->pool, result.memory);
        if (receipt.piece_complete)
            check_piece(f, result.piece);
    }
}

/* Which file a URL of the fixture means. */
static uint32_t file_of(const struct fixture *f, const char *url)
{
    if (f->metainfo.single_file)
        return 0;
    size_t length = strlen(url);
    assert_true(length > 4 && memcmp(url + length - 4, "/d/", 3) == 0);
    return (uint32_t)(url[length - 1] - 'a');
}

/* The host does the job as far as `length` bytes, the whole of it unless there is an error. */
static void serve_part(struct fixture *f, const struct fetch_job *job, uint32_t length,
                       enum freshet_error error)
{
    uint32_t file = file_of(f, job->url);
    assert_true(job->range_start + job->range_length <= f->metainfo.geometry.files[file].length);
    uint32_t at = job->block_offset;
    for (uint32_t i = 0; i < length; i++, at++) {
        assert_true(at / LIMIT_BLOCK_SIZE < job->block_count);
        block_id block = job->blocks[at / LIMIT_BLOCK_SIZE];
        assert_int_not_equal(block, BLOCK_NONE);
        f->memory[block * (size_t)LIMIT_BLOCK_SIZE + at % LIMIT_BLOCK_SIZE] =
            content(file, job->range_start + i);
    }
    f->fetched += length;
    struct event event = {.type = EVENT_JOB_DONE, .job = job->id, .error = error};
    event.result.fetched.status = 206;
    event.result.fetched.received = length;
    assert_true(web_seed_input(f->seeds, f->now, &event));
    drain(f);
}

static void serve(struct fixture *f, const struct fetch_job *job)
{
    serve_part(f, job, job->range_length, FRESHET_OK);
}

static void fail_job(struct fixture *f, job_id job, enum freshet_error error, int32_t status,
                     int64_t retry_after_s)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = job, .error = error};
    event.result.fetched.status = status;
    event.result.fetched.retry_after_s = retry_after_s;
    assert_true(web_seed_input(f->seeds, f->now, &event));
    drain(f);
}

/* Fetches everything from an honest server. */
static void download(struct fixture *f)
{
    struct piece_picker_counts counts;
    for (uint32_t step = 0; step < 10000; step++) {
        start(f);
        drain(f);
        struct action action;
        if (!web_seed_output(f->seeds, &action))
            break;
        assert_int_equal(action.type, ACTION_FETCH);
        f->fetches++;
        f->now += MILLISECOND_NS;
        serve(f, action.fetch);
        piece_picker_check(f->picker);
    }
    piece_picker_count(f->picker, &counts);
    assert_int_equal(counts.wanted, 0);
    assert_int_equal(block_ledger_in_use(f->pool), 0);
    assert_true(web_seed_is_idle(f->seeds));
}

/* ---- tests ---- */

static void url_of(const struct metainfo *metainfo, const char *base, uint32_t file,
                   const char *expected)
{
    char url[LIMIT_URL_LENGTH + 1];
    struct bytes bytes = {(const uint8_t *)base, strlen(base)};
    assert_true(web_seed_url(bytes, metainfo, file, url));
    assert_string_equal(url, expected);
}

static void web_seed_urls_follow_bep_19(void **state)
{
    (void)state;
    struct bytes path[2] = {BYTES_LITERAL("so und so"), BYTES_LITERAL("\xc3\xa4%/?.txt")};
    struct metainfo_file file = {.raw = path, .raw_count = 2};
    struct metainfo metainfo = {.raw_name = BYTES_LITERAL("na me"), .files = &file};
    metainfo.geometry.file_count = 1;
    url_of(&metainfo, "http://h/p", 0, "http://h/p/na%20me/so%20und%20so/%C3%A4%25%2F%3F.txt");
    url_of(&metainfo, "http://h/p/", 0, "http://h/p/na%20me/so%20und%20so/%C3%A4%25%2F%3F.txt");
    metainfo.single_file = true;
    url_of(&metainfo, "http://h/f.iso", 0, "http://h/f.iso");
    url_of(&metainfo, "http://h/%7Ef/", 0, "http://h/%7Ef/na%20me");
    url_of(&metainfo, "http://h/a b\"c\n", 0, "http://h/a%20b%22c%0A");
    char url[LIMIT_URL_LENGTH + 1];
    static uint8_t longest[LIMIT_URL_LENGTH + 1];
    memset(longest, 'x', sizeof longest);
    assert_true(web_seed_url((struct bytes){longest, LIMIT_URL_LENGTH}, &metainfo, 0, url));
    assert_int_equal(strlen(url), LIMIT_URL_LENGTH);
    assert_false(web_seed_url((struct bytes){longest, LIMIT_URL_LENGTH + 1}, &metainfo, 0, url));
}

static void a_torrent_without_http_seeds_has_none(void **state)
{
    (void)state;
    struct bytes urls[2] = {BYTES_LITERAL("ftp://h/f"), BYTES_LITERAL("http://")};
    struct metainfo metainfo = {.web_seeds = urls, .web_seed_count = 2};
    job_id next = 1;
    assert_null(web_seed_new(&metainfo, &next));
    web_seed_free(NULL);
}

static void a_single_file_is_fetched_in_long_runs(void **state)
{
    (void)state;
    struct fixture f;
    struct geometry_file file = {.length = 20 * MIB + 12345};
    fixture_init(&f, 64 * KIB, &file, 1, false, 1);
    download(&f);
    assert_int_equal(f.fetched, file.length);
    assert_int_equal(f.blocks, (file.length + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE);
    assert_true(f.fetches <= 25); /* runs grow from 256 KiB to 4 MiB */
    fixture_deinit(&f);
}

static void pieces_that_span_files_are_fetched_file_by_file(void **state)
{
    (void)state;
    const uint32_t piece_lengths[] = {32 * KIB, 16 * KIB, 100000, 1 * MIB};
    struct geometry_file files[] = {{.length = 100000}, {.length = 0},    {.length = 5},
                                    {.length = 16384},  {.length = 1},    {.length = 300001},
                                    {.length = 99999},  {.length = 70000}};
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t sequential = 0; sequential < 2; sequential++) {
            struct fixture f;
            fixture_init(&f, piece_lengths[i], files, 8, false, 4);
            f.sequential = sequential;
            assert_int_equal(web_seed_count(f.seeds), 3); /* not ftp */
            download(&f);
            /* Some blocks twice: in the end game servers overtake one another. */
            assert_in_range(f.fetched, f.metainfo.geometry.payload_length,
                            2 * f.metainfo.geometry.payload_length);
            fixture_deinit(&f);
        }
    }
}

static void padding_and_gaps_are_not_fetched(void **state)
{
    (void)state;
    struct geometry_file hybrid[] = {
        {.length = 40000}, {.length = 25536, .padding = true}, {.length = 65536},
        {.length = 10},    {.length = 65526, .padding = true}, {.length = 200000}};
    struct fixture f;
    fixture_init(&f, 64 * KIB, hybrid, 6, false, 1);
    download(&f);
    assert_int_equal(f.fetched, 40000 + 65536 + 10 + 200000);
    fixture_deinit(&f);
    /* Padding in the middle of a piece, not at a block's edge. */
    struct geometry_file odd[] = {
        {.length = 20000}, {.length = 3000, .padding = true}, {.length = 20000}};
    fixture_init(&f, 64 * KIB, odd, 3, false, 1);
    download(&f);
    assert_int_equal(f.fetched, 40000);
    fixture_deinit(&f);
    /* v2: each file begins at a piece. */
    struct geometry_file v2[] = {
        {.length = 40000}, {.length = 65536}, {.length = 10}, {.length = 99999}};
    fixture_init(&f, 64 * KIB, v2, 4, true, 1);
    download(&f);
    assert_int_equal(f.fetched, 40000 + 65536 + 10 + 99999);
    fixture_deinit(&f);
}

static void a_server_has_three_connections(void **state)
{
    (void)state;
    struct fixture f;
    struct geometry_file file = {.length = 20 * MIB};
    fixture_init(&f, 64 * KIB, &file, 1, false, 1);
    assert_int_equal(start(&f), WEB_SEED_CONNECTIONS);
    assert_int_equal(start(&f), 0);
    struct action actions[4];
    uint64_t at = 0;
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(web_seed_output(f.seeds, &actions[i]));
        assert_int_equal(actions[i].fetch->range_start, at);
        at += actions[i].fetch->range_length;
    }
    assert_false(web_seed_output(f.seeds, &actions[3]));
    serve(&f, actions[1].fetch);
    assert_int_equal(start(&f), 1);
    web_seed_stop(f.seeds);
    uint32_t cancels = 0;
    while (web_seed_output(f.seeds, &actions[3]))
        cancels += actions[3].type == ACTION_CANCEL;
    assert_int_equal(cancels, 2); /* the third had not gone out */
    assert_false(web_seed_is_idle(f.seeds));
    fail_job(&f, actions[0].fetch->id, FRESHET_ERROR_CANCELLED, 0, 0);
    fail_job(&f, actions[2].fetch->id, FRESHET_ERROR_CANCELLED, 0, 0);
    assert_true(web_seed_is_idle(f.seeds));
    assert_int_equal(block_ledger_in_use(f.pool), 0);
    fixture_deinit(&f);
}

static void a_failing_server_rests_and_a_refusing_one_is_dropped(void **state)
{
    (void)state;
    struct fixture f;
    struct geometry_file file = {.length = MIB};
    fixture_init(&f, 64 * KIB, &file, 1, false, 1);
    struct action action;
    for (int64_t i = 1; i <= 3; i++) {
        assert_true(start(&f) >= 1);
        while (web_seed_output(f.seeds, &action))
            fail_job(&f, action.fetch->id, FRESHET_ERROR_CONNECTION, 0, 0);
        assert_int_equal(start(&f), 0);
        assert_true(web_seed_deadline(f.seeds) >= f.now + WEB_SEED_RETRY_NS);
        /* Its three connections are one trouble. */
        struct web_seed_trouble trouble;
        assert_true(web_seed_next_trouble(f.seeds, &trouble));
        assert_int_equal(trouble.fate, WEB_SEED_RESTS);
        assert_int_equal(trouble.error, FRESHET_ERROR_CONNECTION);
        assert_true(trouble.rest_ns >= WEB_SEED_RETRY_NS);
        assert_false(web_seed_next_trouble(f.seeds, &trouble));
        f.now = web_seed_deadline(f.seeds);
    }
    /* It may say itself how long. */
    start(&f);
    assert_true(web_seed_output(f.seeds, &action));
    fail_job(&f, action.fetch->id, FRESHET_ERROR_HTTP, 503, 599);
    assert_int_equal(web_seed_deadline(f.seeds), f.now + 599 * SECOND_NS);
    while (web_seed_output(f.seeds, &action))
        fail_job(&f, action.fetch->id, FRESHET_ERROR_HTTP, 503, 0);
    f.now += 1000 * SECOND_NS;
    start(&f);
    assert_true(web_seed_output(f.seeds, &action));
    fail_job(&f, action.fetch->id, FRESHET_ERROR_HTTP, 404, 0);
    assert_int_equal(web_seed_count(f.seeds), 0);
    struct web_seed_trouble last;
    assert_true(web_seed_next_trouble(f.seeds, &last));
    assert_int_equal(last.fate, WEB_SEED_DROPPED);
    assert_int_equal(last.status, 404);
    assert_int_equal(start(&f), 0);
    while (web_seed_output(f.seeds, &action))
        fail_job(&f, action.fetch->id, FRESHET_ERROR_CANCELLED, 0, 0);
    assert_int_equal(web_seed_deadline(f.seeds), HEAP_NEVER);
    assert_int_equal(block_ledger_in_use(f.pool), 0);
    fixture_deinit(&f);
}

static void what_came_before_a_failure_is_kept(void **state)
{
    (void)state;
    struct fixture f;
    struct geometry_file files[] = {{.length = 3 * LIMIT_BLOCK_SIZE + 10}, {.length = MIB}};
    fixture_init(&f, 128 * KIB, files, 2, false, 1);
    start(&f);
    struct action action;
    assert_true(web_seed_output(f.seeds, &action));
    assert_int_equal(action.fetch->range_length, 3 * LIMIT_BLOCK_SIZE + 10);
    serve(&f, action.fetch);
    assert_int_equal(f.blocks, 3); /* the fourth is not whole */
    assert_true(web_seed_output(f.seeds, &action));
    assert_int_equal(action.fetch->block_offset, 10);
    fail_job(&f, action.fetch->id, FRESHET_ERROR_TIMEOUT, 0, 0);
    assert_true(f.lost > 0);
    while (web_seed_output(f.seeds, &action))
        serve(&f, action.fetch);
    f.now += 60 * SECOND_NS;
    download(&f);
    fixture_deinit(&f);
}

static void a_server_too_slow_for_a_piece_is_of_use(void **state)
{
    (void)state;
    struct fixture f;
    struct geometry_file file = {.length = 6u * MIB + 77};
    fixture_init(&f, 1u * MIB, &file, 1, false, 1);
    struct piece_picker_counts counts = {.wanted = 1};
    uint32_t rounds = 0;
    for (; rounds < 1000 && counts.wanted > 0; rounds++) {
        struct action action;
        start(&f);
        while (web_seed_output(f.seeds, &action)) {
            uint32_t length = action.fetch->range_length;
            if (length > 100000)
                serve_part(&f, action.fetch, 100000, FRESHET_ERROR_TIMEOUT);
            else
                serve(&f, action.fetch);
        }
        assert_int_equal(web_seed_count(f.seeds), 1);
        f.now += WEB_SEED_RETRY_MAX;
        piece_picker_count(f.picker, &counts);
    }
    assert_int_equal(counts.wanted, 0);
    assert_true(rounds > 10);
    assert_true(f.fetched < 2 * file.length);
    fixture_deinit(&f);
}

/* A server that ignores ranges: the whole file each time, of which the host keeps what it may. */
static void serve_whole(struct fixture *f, const struct fetch_job *job)
{
    if (job->range_start > 0 && !job->may_skip) {
        fail_job(f, job->id, FRESHET_ERROR_HTTP, 200, 0);
        return;
    }
    uint32_t file = file_of(f, job->url);
    for (uint32_t i = 0; i < job->range_length; i++) {
        uint32_t at = job->block_offset + i;
        f->memory[job->blocks[at / LIMIT_BLOCK_SIZE] * (size_t)LIMIT_BLOCK_SIZE +
                  at % LIMIT_BLOCK_SIZE] = content(file, job->range_start + i);
    }
    f->fetched += job->range_length;
    struct event event = {.type = EVENT_JOB_DONE, .job = job->id};
    event.result.fetched.status = 200;
    event.result.fetched.received = job->range_length;
    assert_true(web_seed_input(f->seeds, f->now, &event));
    drain(f);
}

/* Starts and serves until there is nothing left to do; returns how many runs were begun by a server
 * that was known to have no ranges. */
static uint32_t run_without_ranges(struct fixture *f)
{
    uint32_t runs = 0;
    for (uint32_t step = 0; step < 10000; step++) {
        start(f);
        drain(f);
        struct action action;
        if (!web_seed_output(f->seeds, &action))
            break;
        runs += action.fetch->may_skip;
        f->now += MILLISECOND_NS;
        serve_whole(f, action.fetch);
        piece_picker_check(f->picker);
    }
    return runs;
}

static void a_server_without_ranges_sends_whole_files(void **state)
{
    (void)state;
    struct fixture f;
    struct geometry_file files[] = {
        {.length = 3 * MIB + 5}, {.length = 70000}, {.length = 9 * MIB}};
    struct web_seed_trouble trouble;
    struct piece_picker_counts counts;
    fixture_init(&f, 64 * KIB, files, 3, false, 1);
    run_without_ranges(&f);
    piece_picker_count(f.picker, &counts);
    assert_int_equal(counts.wanted, 0);
    assert_int_equal(web_seed_count(f.seeds), 1);
    assert_true(web_seed_next_trouble(f.seeds, &trouble));
    assert_int_equal(trouble.fate, WEB_SEED_NO_RANGES);
    assert_true(bytes_is(trouble.url, "http://one/"));
    assert_false(web_seed_next_trouble(f.seeds, &trouble));
    assert_int_equal(block_ledger_in_use(f.pool), 0);
    fixture_deinit(&f);
    /* A long file takes several runs, each of which begins at its start. */
    struct geometry_file file = {.length = 40 * MIB};
    fixture_init(&f, 64 * KIB, &file, 1, false, 1);
    uint32_t runs = run_without_ranges(&f);
    piece_picker_count(f.picker, &counts);
    assert_int_equal(counts.wanted, 0);
    assert_in_range(runs, 1, 4);
    assert_in_range(web_seed_take_discarded(f.seeds), 16 * MIB, 64 * MIB);
    assert_int_equal(web_seed_take_discarded(f.seeds), 0);
    fixture_deinit(&f);
}

static void a_server_without_ranges_has_one_connection(void **state)
{
    (void)state;
    struct fixture f;
    struct geometry_file file = {.length = 40 * MIB};
    fixture_init(&f, 64 * KIB, &file, 1, false, 1);
    struct action actions[WEB_SEED_CONNECTIONS], other;
    assert_int_equal(start(&f), WEB_SEED_CONNECTIONS);
    for (uint32_t i = 0; i < WEB_SEED_CONNECTIONS; i++)
        assert_true(web_seed_output(f.seeds, &actions[i]));
    for (uint32_t i = 0; i < WEB_SEED_CONNECTIONS; i++)
        serve_whole(&f, actions[i].fetch);
    /* That was no fault: it does not rest. */
    assert_int_equal(web_seed_deadline(f.seeds), HEAP_NEVER);
    assert_int_equal(start(&f), 1);
    assert_true(web_seed_output(f.seeds, &other));
    assert_true(other.fetch->may_skip);
    assert_int_equal(other.fetch->range_length, WEB_SEED_RUN_WHOLE);
    serve_whole(&f, other.fetch);
    fixture_deinit(&f);
}

static void what_lies_far_in_a_file_is_not_asked_of_a_server_without_ranges(void **state)
{
    (void)state;
    struct fixture f;
    struct geometry_file file = {.length = WEB_SEED_SKIP_MAX + 3 * MIB};
    struct piece_picker_counts counts;
    fixture_init(&f, MIB, &file, 1, false, 1);
    for (piece_index piece = 1; piece < WEB_SEED_SKIP_MAX / MIB; piece++)
        piece_picker_piece_verified(f.picker, piece);
    run_without_ranges(&f);
    /* The last two pieces begin further in than that. */
    piece_picker_count(f.picker, &counts);
    assert_int_equal(counts.wanted, 2);
    assert_int_equal(web_seed_count(f.seeds), 1);
    assert_int_equal(web_seed_take_discarded(f.seeds), WEB_SEED_SKIP_MAX);
    fixture_deinit(&f);
}

static void a_server_that_costs_more_than_it_brings_is_dropped(void **state)
{
    (void)state;
    struct fixture f;
    struct geometry_file file = {.length = WEB_SEED_SKIP_MAX};
    struct web_seed_trouble trouble = {0};
    uint64_t discarded = 0;
    fixture_init(&f, MIB, &file, 1, false, 1);
    for (piece_index piece = 1; piece + 1 < WEB_SEED_SKIP_MAX / MIB; piece++)
        piece_picker_piece_verified(f.picker, piece);
    for (uint32_t i = 0; i < 100 && web_seed_count(f.seeds) > 0; i++) {
        struct action action;
        start(&f);
        drain(&f);
        while (web_seed_output(f.seeds, &action)) {
            if (action.fetch->range_start > 0 && action.fetch->may_skip)
                fail_job(&f, action.fetch->id, FRESHET_ERROR_TRUNCATED, 200, 0);
            else
                serve_whole(&f, action.fetch);
        }
        discarded += web_seed_take_discarded(f.seeds);
        f.now += WEB_SEED_RETRY_MAX;
    }
    assert_int_equal(web_seed_count(f.seeds), 0);
    assert_in_range(discarded, WEB_SEED_SKIP_TOTAL,
                    WEB_SEED_SKIP_TOTAL + 8 * MIB + WEB_SEED_SKIP_MAX);
    assert_true(web_seed_next_trouble(f.seeds, &trouble));
    assert_int_equal(trouble.fate, WEB_SEED_DROPPED);
    assert_int_equal(trouble.error, FRESHET_ERROR_UNSUPPORTED);
    fixture_deinit(&f);
}

static void a_banned_server_is_dropped(void **state)
{
    (void)state;
    struct fixture f;
    struct geometry_file file = {.length = MIB};
    fixture_init(&f, 64 * KIB, &file, 1, false, 2);
    start(&f);
    struct address one = web_seed_address(LIMIT_PEERS_PER_TORRENT);
    struct address stranger = web_seed_address(LIMIT_PEERS_PER_TORRENT + 9);
    assert_false(web_seed_on_banned(f.seeds, &stranger));
    assert_true(web_seed_on_banned(f.seeds, &one));
    assert_int_equal(web_seed_count(f.seeds), 1);
    drain(&f);
    download(&f); /* the other one does it all */
    fixture_deinit(&f);
}

static void a_limit_and_a_full_pool_hold_it_back(void **state)
{
    (void)state;
    struct fixture f;
    struct geometry_file file = {.length = 10 * MIB};
    fixture_init(&f, 64 * KIB, &file, 1, false, 1);
    bandwidth_set_rate(&f.limit, 1000, f.now);
    bandwidth_charge(&f.limit, f.now, 100000);
    assert_int_equal(start(&f), 0);
    bandwidth_set_rate(&f.limit, 0, f.now);
    block_ledger_reserve(f.pool, POOL);
    assert_int_equal(start(&f), 0); /* no room for new pieces, none open */
    block_ledger_release(f.pool, POOL);
    block_id taken[POOL];
    for (uint32_t i = 0; i < POOL; i++)
        taken[i] = block_ledger_take(f.pool);
    start(&f);
    drain(&f);
    struct piece_picker_counts counts;
    piece_picker_count(f.picker, &counts);
    assert_int_equal(counts.blocks_requested, 0);
    for (uint32_t i = 0; i < POOL; i++)
        block_ledger_give(f.pool, taken[i]);
    download(&f);
    fixture_deinit(&f);
}

/* Peers and web seeds share the picker: random fates of jobs, random blocks from peers. */
static void web_seeds_and_peers_finish_a_torrent_together(void **state)
{
    (void)state;
    struct geometry_file files[] = {{.length = 700000}, {.length = 123}, {.length = 2 * MIB}};
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct fixture f;
        fixture_init(&f, 48 * KIB, files, 3, seed % 2 == 3, 2);
        struct rng rng;
        rng_init(&rng, seed);
        struct bitfield has;
        bitfield_init(&has, f.metainfo.geometry.piece_count);
        bitfield_set_all(&has);
        piece_picker_peer_joined(f.picker, 0, &has);
        struct address sender = address_ipv4((const uint8_t[]){1, 2, 3, 4}, 5);
        struct piece_picker_counts counts;
        for (uint32_t step = 0; step < 3000; step++) {
            f.now += SECOND_NS;
            if (rng_below(&rng, 3) > 0) {
                start(&f);
                struct action action;
                drain(&f);
                if (web_seed_output(f.seeds, &action)) {
                    if (rng_below(&rng, 4) == 0)
                        fail_job(&f, action.fetch->id, FRESHET_ERROR_CLOSED, 0, 0);
                    else
                        serve(&f, action.fetch);
                }
            } else {
                struct pick_options options = {
                    .now = f.now, .has = &has, .open_new = true, .slow_before_ns = INT64_MIN};
                struct block_pick pick;
                if (piece_picker_pick(f.picker, 0, &options, &pick, 1) == 0)
                    continue;
                if (rng_below(&rng, 3) == 0) {
                    piece_picker_abort(f.picker, 0, pick.piece, pick.block);
                    continue;
                }
                block_id memory = block_ledger_take(f.pool);
                struct file_range ranges[4];
                uint32_t count = geometry_ranges(&f.metainfo.geometry, pick.piece, pick.begin,
                                                 pick.length, ranges, 4);
                uint32_t at = 0;
                for (uint32_t i = 0; i < count; i++)
                    for (uint32_t j = 0; j < ranges[i].length; j++)
                        f.memory[memory * (size_t)LIMIT_BLOCK_SIZE + at++] =
                            content(ranges[i].file, ranges[i].offset + j);
                struct block_receipt receipt;
                piece_picker_received(f.picker, 0, pick.piece, pick.block, &sender, memory,
                                      &receipt);
                assert_true(receipt.accepted);
                if (receipt.piece_complete)
                    check_piece(&f, pick.piece);
            }
            piece_picker_check(f.picker);
        }
        piece_picker_count(f.picker, &counts);
        assert_int_equal(counts.wanted, 0);
        bitfield_deinit(&has);
        fixture_deinit(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(web_seed_urls_follow_bep_19),
        cmocka_unit_test(a_torrent_without_http_seeds_has_none),
        cmocka_unit_test(a_single_file_is_fetched_in_long_runs),
        cmocka_unit_test(pieces_that_span_files_are_fetched_file_by_file),
        cmocka_unit_test(padding_and_gaps_are_not_fetched),
        cmocka_unit_test(a_server_has_three_connections),
        cmocka_unit_test(a_failing_server_rests_and_a_refusing_one_is_dropped),
        cmocka_unit_test(what_came_before_a_failure_is_kept),
        cmocka_unit_test(a_server_too_slow_for_a_piece_is_of_use),
        cmocka_unit_test(a_server_without_ranges_sends_whole_files),
        cmocka_unit_test(a_server_without_ranges_has_one_connection),
        cmocka_unit_test(what_lies_far_in_a_file_is_not_asked_of_a_server_without_ranges),
        cmocka_unit_test(a_server_that_costs_more_than_it_brings_is_dropped),
        cmocka_unit_test(a_banned_server_is_dropped),
        cmocka_unit_test(a_limit_and_a_full_pool_hold_it_back),
        cmocka_unit_test(web_seeds_and_peers_finish_a_torrent_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
