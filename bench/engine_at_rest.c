/* SPDX-License-Identifier: MIT */
/*
 * What torrents cost that nobody asks for: an engine with so many of them, each 4 files and 100
 * pieces, complete, seeding, without peers. Jobs end at once and the tracker answers; what is
 * measured is the engine alone, on its own clock, which runs as fast as it can.
 *
 *     engine_at_rest [TORRENTS] [SECONDS]
 */
#include "core/engine/engine.h"

#include "core/base/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILES      4u
#define PIECES     100u
#define PIECE_SIZE 16384u

static const char reply[] = "d8:completei3e10:incompletei1e8:intervali1800e5:peers0:e";

struct bench {
    struct engine *engine;
    int64_t now;
    uint64_t actions[ACTION_ENCRYPT + 1], stats, calls;
};

static double seconds_of(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static struct metainfo *make_metainfo(uint32_t number)
{
    static uint8_t hashes[PIECES * 20];
    struct buffer torrent = {0};
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE], text[128];
    memcpy(hashes, &number, sizeof number);
    buffer_append_text(&torrent, "d8:announce20:http://t.invalid:1/a4:infod5:filesl");
    for (uint32_t i = 0; i < FILES; i++) {
        snprintf(text, sizeof text, "d6:lengthi%ue4:pathl6:file-%uee", PIECES * PIECE_SIZE / FILES,
                 i);
        buffer_append_text(&torrent, text);
    }
    snprintf(text, sizeof text, "e4:name14:torrent-%06u12:piece lengthi%ue6:pieces%u:", number,
             PIECE_SIZE, PIECES * 20);
    buffer_append_text(&torrent, text);
    buffer_append(&torrent, hashes, sizeof hashes);
    buffer_append_text(&torrent, "ee");
    if (metainfo_parse(buffer_bytes(&torrent), &metainfo, reason) != FRESHET_OK) {
        fprintf(stderr, "engine_at_rest: %s\n", reason);
        exit(1);
    }
    buffer_deinit(&torrent);
    return metainfo;
}

static void file_stats(struct file_stat *ret_stats)
{
    for (uint32_t i = 0; i < FILES; i++)
        ret_stats[i] = (struct file_stat){true, PIECES * PIECE_SIZE / FILES, 1, i + 1};
    ret_stats[FILES] = (struct file_stat){0};
}

static void job_done(struct bench *bench, job_id job)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = job};
    event.result.disk.file = UINT32_MAX;
    bench->calls++;
    engine_input(bench->engine, bench->now, &event);
}

static void fetched(struct bench *bench, job_id job)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = job};
    event.result.fetched.body = (struct bytes){(const uint8_t *)reply, sizeof reply - 1};
    event.result.fetched.status = 200;
    bench->calls++;
    engine_input(bench->engine, bench->now, &event);
}

static void run(struct bench *bench)
{
    struct action action;
    while (engine_output(bench->engine, bench->now, &action)) {
        bench->actions[action.type]++;
        switch (action.type) {
        case ACTION_DISK:
            if (action.disk->operation == DISK_OPEN || action.disk->operation == DISK_STAT)
                file_stats(action.disk->ret_stats);
            bench->stats += action.disk->operation == DISK_STAT;
            job_done(bench, action.disk->id);
            break;
        case ACTION_PERSIST: job_done(bench, action.persist->id); break;
        case ACTION_FETCH: fetched(bench, action.fetch->id); break;
        default: break;
        }
    }
}

static void wait(struct bench *bench, int64_t until)
{
    for (int64_t due; (due = engine_deadline(bench->engine)) <= until;) {
        bench->now = due > bench->now ? due : bench->now;
        bench->calls++;
        engine_tick(bench->engine, bench->now);
        run(bench);
    }
    bench->now = until;
}

static void add(struct bench *bench, torrent_id id, struct metainfo *metainfo)
{
    struct file_stat stats[FILES + 1];
    uint8_t pieces[(PIECES + 7) / 8];
    memset(pieces, 0xff, sizeof pieces);
    pieces[sizeof pieces - 1] = (uint8_t)(0xff << (8 * sizeof pieces - PIECES));
    file_stats(stats);
    struct resume_record record = {.root = "/nowhere",
                                   .pieces = {pieces, sizeof pieces},
                                   .stats = stats,
                                   .file_count = FILES,
                                   .complete = true,
                                   .clean = true};
    memcpy(record.info_hash, metainfo->info_hash_v1, 20);
    struct torrent_options options = {
        .root = "/nowhere", .seed_ratio = -1, .seed_time_s = -1, .resume = &record};
    struct engine_command command = {
        .type = COMMAND_ADD_TORRENT, .torrent = id, .metainfo = metainfo, .options = &options};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(bench->engine, bench->now, &event);
    run(bench);
}

/* All of them seed, or what is measured is something else. */
static void check(const struct bench *bench, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct torrent_status status;
        if (engine_torrent_status(bench->engine, i + 1, &status) && status.phase == PHASE_SEEDING)
            continue;
        fprintf(stderr, "engine_at_rest: torrent %u does not seed\n", i + 1);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10000;
    int64_t rest_s = argc > 2 ? strtoll(argv[2], NULL, 10) : 3600;
    struct bench bench = {.now = SECOND_NS};
    struct engine_settings settings = {.seed = 1, .listen_port = 6881, .no_lsd = true};
    if (count == 0 || rest_s <= 0)
        return 2;
    memcpy(settings.peer_id, "-FR0100-engineatrest", 20);
    bench.engine = engine_new(&settings, bench.now);

    struct metainfo **metainfos = memory_new_array(count, sizeof *metainfos);
    size_t before = in_use();
    for (uint32_t i = 0; i < count; i++)
        metainfos[i] = make_metainfo(i);
    size_t parsed = in_use();
    double began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (uint32_t i = 0; i < count; i++)
        add(&bench, i + 1, metainfos[i]);
    double added = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - began;
    /* Everybody has told the tracker: only the schedule is left. */
    wait(&bench, bench.now + 3600 * SECOND_NS);
    check(&bench, count);
    size_t resting = in_use();

    uint64_t stats = bench.stats, calls = bench.calls, fetches = bench.actions[ACTION_FETCH];
    began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    wait(&bench, bench.now + rest_s * SECOND_NS);
    double rested = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - began;
    printf("torrents                 %u\n", count);
    printf("metainfo, bytes each     %zu\n", (parsed - before) / count);
    printf("all else, bytes each     %zu\n", (resting - parsed) / count);
    printf("adding, us each          %.1f\n", added * 1e6 / count);
    printf("at rest, %% of a core     %.3f\n", rested * 100 / (double)rest_s);
    printf("at rest, calls a second  %.1f\n", (double)(bench.calls - calls) / (double)rest_s);
    printf("at rest, looks at files a second  %.1f\n",
           (double)(bench.stats - stats) / (double)rest_s);
    printf("at rest, announces a second       %.1f\n",
           (double)(bench.actions[ACTION_FETCH] - fetches) / (double)rest_s);

    struct engine_command command = {.type = COMMAND_SHUTDOWN};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(bench.engine, bench.now, &event);
    run(&bench);
    wait(&bench, bench.now + 10 * SECOND_NS);
    engine_free(bench.engine);
    memory_free(metainfos);
    return 0;
}
