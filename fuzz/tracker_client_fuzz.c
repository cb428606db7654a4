/* SPDX-License-Identifier: MIT */
/* planted: core/tracker/tracker_client.c */
/* finds: internal check failed: !client->holds_pacer || is_asking(client) */
/* covers: core/tracker/tracker_client.c core/tracker/tracker_inquiry.c */
/* covers: core/tracker/tracker_list.c core/tracker/tracker_job.c */
/* covers: core/tracker/tracker_result_queue.c core/tracker/announce_pacer.c */
/* max_len: 4096 */
/*
 * A tracker client driven by a list of steps: what a torrent tells it, time, and what comes back of
 * its jobs and packets. A step is a byte that says what, a length of one byte, and that many bytes
 * (a body, a packet behind the transaction id, or a choice).
 */
#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/tracker/tracker_client.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define JOBS_MAX    32
#define PACKETS_MAX 8

static const struct bytes urls[] = {
    {(const uint8_t *)"udp://t.example:6969/x?y", 24},
    {(const uint8_t *)"http://u.example/announce", 25},
    {(const uint8_t *)"udp://20.0.0.9:80", 17},
    {(const uint8_t *)"http://[2a00::1]/announce", 25},
    {(const uint8_t *)"wss://no.example/", 17},
};

struct run {
    struct tracker_client *client;
    struct announce_pacer pacer;
    int64_t now;
    job_id job_next;
    job_id jobs[JOBS_MAX]; /* in our hands */
    bool is_resolve[JOBS_MAX];
    size_t job_count;
    struct address remotes[PACKETS_MAX]; /* of the last packets */
    uint8_t transactions[PACKETS_MAX][4];
    size_t packet_next;
};

static void note_packet(struct run *run, const struct action *action)
{
    size_t place = run->packet_next++ % PACKETS_MAX;
    CHECK(action->bytes.length >= 16);
    run->remotes[place] = action->remote;
    memcpy(run->transactions[place], action->bytes.data + 12, 4);
}

static void pull(struct run *run)
{
    struct action action;
    struct tracker_result result;
    size_t steps = 0;
    while (tracker_client_output(run->client, run->now, &action)) {
        CHECK(++steps < 100);
        if (action.type == ACTION_SEND_DATAGRAM) {
            note_packet(run, &action);
        } else if (action.type != ACTION_CANCEL) {
            CHECK(run->job_count < JOBS_MAX);
            CHECK(action.type == ACTION_FETCH || action.type == ACTION_RESOLVE);
            run->is_resolve[run->job_count] = action.type == ACTION_RESOLVE;
            run->jobs[run->job_count++] =
                action.type == ACTION_RESOLVE ? action.resolve->id : action.fetch->id;
        }
    }
    while (tracker_client_result(run->client, &result))
        CHECK(result.url.length > 0);
    tracker_client_check(run->client);
}

static void end_job(struct run *run, size_t place, enum freshet_error error, struct bytes body)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = run->jobs[place], .error = error};
    if (run->is_resolve[place]) {
        event.result.resolved.count = 1 + (body.length > 4);
        event.result.resolved.addresses[0] = address_ipv4((const uint8_t[]){20, 0, 0, 1}, 0);
        event.result.resolved.addresses[1] = (struct address){.family = ADDRESS_IPV6, .ip = {32}};
    } else {
        event.result.fetched.body = body;
        event.result.fetched.retry_after_s = body.length;
    }
    run->job_count--;
    run->jobs[place] = run->jobs[run->job_count];
    run->is_resolve[place] = run->is_resolve[run->job_count];
    CHECK(tracker_client_input(run->client, run->now, &event));
}

static void come_back(struct run *run, uint8_t what, struct bytes bytes)
{
    static const enum freshet_error errors[] = {FRESHET_OK, FRESHET_OK, FRESHET_ERROR_HTTP,
                                                FRESHET_ERROR_RESOLVE};
    if (run->job_count == 0)
        return;
    uint8_t *exact = memory_copy(bytes.data, bytes.length);
    end_job(run, what / 16 % run->job_count, errors[what / 4 % 4],
            (struct bytes){exact, bytes.length});
    memory_free(exact);
}

static void receive(struct run *run, uint8_t what, struct bytes bytes)
{
    uint8_t packet[4 + 4 + 255] = {0};
    size_t place = what / 16 % PACKETS_MAX;
    packet[3] = what / 4 % 4;
    memcpy(packet + 4, run->transactions[place], 4);
    if (bytes.length)
        memcpy(packet + 8, bytes.data, bytes.length);
    struct event event = {
        .type = EVENT_DATAGRAM, .remote = run->remotes[place], .bytes = {packet, 8 + bytes.length}};
    (void)tracker_client_input(run->client, run->now, &event);
}

/* Other trackers: each byte names one, and its high bit a tier of its own. */
static void set_trackers(struct run *run, struct bytes bytes)
{
    struct bytes chosen[8];
    uint32_t tiers[8], tier = 0, count = 0;
    for (; count < bytes.length && count < 8; count++) {
        chosen[count] = urls[bytes.data[count] % (sizeof urls / sizeof *urls)];
        tier += bytes.data[count] >> 7;
        tiers[count] = tier;
    }
    struct tracker_client_options options = {
        .trackers = chosen, .tracker_tiers = tiers, .tracker_count = count};
    tracker_client_set_trackers(run->client, run->now, &options);
}

static void wish(struct run *run, uint8_t what, struct bytes bytes)
{
    uint8_t which = what / 4 % 8;
    if (which < TRACKER_EVENT_COUNT)
        tracker_client_event(run->client, run->now, (enum tracker_event)which);
    else if (which == 5)
        tracker_client_announce_now(run->client, run->now);
    else if (which == 6)
        tracker_client_scrape(run->client, run->now);
    else if (bytes.length % 2)
        set_trackers(run, (struct bytes){bytes.data + 1, bytes.length - 1});
    else
        tracker_client_set_stats(run->client, &(struct tracker_client_stats){
                                                  .left = bytes.length, .port = 1, .numwant = 5});
}

static void pass_time(struct run *run, uint8_t what)
{
    int64_t deadline = tracker_client_deadline(run->client);
    run->now += what * (SECOND_NS / 4);
    if (what >= 0x80 && deadline != INT64_MAX && deadline > run->now)
        run->now = deadline;
    tracker_client_tick(run->client, run->now);
    CHECK(tracker_client_deadline(run->client) > run->now);
}

static struct tracker_client *new_client(struct run *run, uint8_t shape)
{
    struct tracker_client_options options = {
        .trackers = urls + shape % 4,
        .tracker_tiers = shape & 0x10 ? (const uint32_t[]){0, 0, 1, 1, 1} : NULL,
        .tracker_count = 5 - shape % 4,
        .info_hash_count = 1 + (shape >> 2) % 2,
        .seed = shape,
        .job_next = &run->job_next,
        .pacer = shape & 0x20 ? NULL : &run->pacer,
        .is_private = (shape & 0x40) != 0,
        .no_ipv6 = (shape & 0x80) != 0,
    };
    return tracker_client_new(&options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {.now = 1000 * SECOND_NS, .job_next = 1};
    struct tracker_client_status status;
    struct cursor cursor;
    cursor_init(&cursor, (struct bytes){data, size});
    announce_pacer_init(&run.pacer);
    run.pacer.flying_max = 1;
    run.client = new_client(&run, cursor_u8(&cursor));
    while (cursor_left(&cursor) >= 2 && run.job_count < JOBS_MAX / 2) {
        uint8_t what = cursor_u8(&cursor);
        size_t length = cursor_u8(&cursor), left = cursor_left(&cursor);
        struct bytes bytes = cursor_bytes(&cursor, length < left ? length : left);
        switch (what % 4) {
        case 0: wish(&run, what, bytes); break;
        case 1: come_back(&run, what, bytes); break;
        case 2: receive(&run, what, bytes); break;
        default: pass_time(&run, what); break;
        }
        pull(&run);
    }
    for (uint32_t i = 0; tracker_client_status(run.client, i, &status); i++)
        CHECK(status.url.length > 0);
    tracker_client_event(run.client, run.now, TRACKER_EVENT_STOPPED);
    pull(&run);
    while (run.job_count > 0) {
        end_job(&run, 0, FRESHET_ERROR_CANCELLED, (struct bytes){NULL, 0});
        pull(&run);
    }
    while (tracker_client_deadline(run.client) != INT64_MAX) {
        run.now = tracker_client_deadline(run.client);
        tracker_client_tick(run.client, run.now);
        pull(&run);
        while (run.job_count > 0)
            end_job(&run, 0, FRESHET_ERROR_CANCELLED, (struct bytes){NULL, 0});
        pull(&run);
    }
    CHECK(tracker_client_is_stopped(run.client));
    CHECK(!tracker_client_has_jobs(run.client));
    CHECK(run.pacer.flying == 0);
    tracker_client_free(run.client);
    return 0;
}
