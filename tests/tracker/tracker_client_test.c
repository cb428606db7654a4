/* SPDX-License-Identifier: MIT */
/* The schedule of a tracker client, driven with pretend time and pretend trackers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/tracker/tracker_client.h"
#include "core/tracker/tracker_udp.h"

#define ACTIONS_MAX 8

/* One action, copied out of the machine. */
struct seen {
    enum action_type type;
    job_id job;
    char text[1024]; /* URL or host */
    uint8_t family;
    struct address remote;
    uint8_t packet[1200];
    size_t packet_length;
};

struct world {
    struct tracker_client *client;
    int64_t now;
    job_id job_next;
    struct seen seen[ACTIONS_MAX];
    size_t count;
};

static void pull(struct world *world)
{
    struct action action;
    world->count = 0;
    tracker_client_check(world->client);
    while (tracker_client_output(world->client, world->now, &action)) {
        assert_true(world->count < ACTIONS_MAX);
        struct seen *seen = &world->seen[world->count++];
        memset(seen, 0, sizeof *seen);
        seen->type = action.type;
        if (action.type == ACTION_FETCH) {
            seen->job = action.fetch->id;
            seen->family = action.fetch->family;
            assert_true(strlen(action.fetch->url) < sizeof seen->text);
            strcpy(seen->text, action.fetch->url);
        } else if (action.type == ACTION_RESOLVE) {
            seen->job = action.resolve->id;
            strcpy(seen->text, action.resolve->host);
        } else if (action.type == ACTION_SEND_DATAGRAM) {
            seen->remote = action.remote;
            seen->packet_length = action.bytes.length;
            memcpy(seen->packet, action.bytes.data, action.bytes.length);
        } else {
            assert_int_equal(action.type, ACTION_CANCEL);
            seen->job = action.job;
        }
    }
    tracker_client_check(world->client);
}

static struct tracker_client_options default_options(struct world *world)
{
    struct tracker_client_options options = {
        .info_hash_count = 1, .key = 0x01020304, .seed = 7, .job_next = &world->job_next};
    memset(options.info_hashes[0], 0xaa, 20);
    memset(options.info_hashes[1], 0xbb, 20);
    memcpy(options.peer_id, "-FR0100-abcdefghijkl", 20);
    options.no_ipv6 = true;
    return options;
}

static void build(struct world *world, struct tracker_client_options *options, size_t count,
                  const char *const *urls, const uint32_t *tiers)
{
    struct bytes list[16];
    for (size_t i = 0; i < count; i++)
        list[i] = (struct bytes){(const uint8_t *)urls[i], strlen(urls[i])};
    options->trackers = list;
    options->tracker_tiers = tiers;
    options->tracker_count = (uint32_t)count;
    if (world->job_next == 0)
        world->job_next = 1;
    world->now = 1000 * SECOND_NS;
    world->client = tracker_client_new(options);
    tracker_client_set_stats(
        world->client, &(struct tracker_client_stats){
                           .uploaded = 1, .downloaded = 2, .left = 3, .port = 6881, .numwant = 50});
}

static void job_done(struct world *world, job_id job, enum freshet_error error, const char *body,
                     size_t length)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = job, .error = error};
    uint8_t *copy = memory_copy(body, length);
    event.result.fetched.body = (struct bytes){copy, length};
    event.result.fetched.status = error == FRESHET_OK ? 200 : 0;
    assert_true(tracker_client_input(world->client, world->now, &event));
    memory_free(copy);
    pull(world);
}

static void answer(struct world *world, job_id job, const char *body)
{
    job_done(world, job, FRESHET_OK, body, strlen(body));
}

static void refuse(struct world *world, job_id job)
{
    job_done(world, job, FRESHET_ERROR_CONNECTION, "", 0);
}

static void tell(struct world *world, enum tracker_event event)
{
    tracker_client_event(world->client, world->now, event);
    pull(world);
}

/* Time goes to the deadline, which must be there. */
static void wait_deadline(struct world *world)
{
    int64_t deadline = tracker_client_deadline(world->client);
    assert_true(deadline > world->now);
    assert_true(deadline < INT64_MAX);
    world->now = deadline;
    tracker_client_tick(world->client, world->now);
    pull(world);
}

static bool says(const struct world *world, size_t index, const char *part)
{
    return index < world->count && strstr(world->seen[index].text, part) != NULL;
}

static void finish(struct world *world)
{
    assert_false(tracker_client_has_jobs(world->client));
    tracker_client_free(world->client);
}

#define OK_REPLY                                                                                   \
    "d8:completei5e10:incompletei6e8:intervali1800e5:peers6:\1\2\3\4\x1a\xe1"                      \
    "e"

static void client_says_started_then_nothing_then_stopped(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    assert_int_equal(tracker_client_deadline(world.client), INT64_MAX);
    tell(&world, TRACKER_EVENT_STARTED);
    assert_int_equal(world.count, 1);
    assert_int_equal(world.seen[0].family, ADDRESS_IPV4);
    assert_true(says(&world, 0, "&event=started"));
    assert_true(says(&world, 0, "&left=3"));
    assert_true(says(&world, 0, "&key=01020304"));
    answer(&world, world.seen[0].job, OK_REPLY);
    struct tracker_result result;
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.type, TRACKER_RESULT_OK);
    assert_int_equal(result.peer_count, 1);
    assert_int_equal(result.peers[0].port, 6881);
    assert_int_equal(result.counts.complete, 5);
    assert_int_equal(result.interval_s, 1800);
    assert_true(bytes_is(result.url, "http://t.example/announce"));
    assert_false(tracker_client_result(world.client, &result));
    int64_t before = world.now;
    wait_deadline(&world);
    assert_int_equal(world.now - before, 1800 * SECOND_NS);
    assert_int_equal(world.count, 1);
    assert_false(says(&world, 0, "event="));
    answer(&world, world.seen[0].job, OK_REPLY);
    tell(&world, TRACKER_EVENT_STOPPED);
    assert_true(says(&world, 0, "&event=stopped"));
    assert_true(says(&world, 0, "&numwant=0"));
    assert_false(tracker_client_is_stopped(world.client));
    answer(&world, world.seen[0].job, "de");
    assert_true(tracker_client_is_stopped(world.client));
    assert_int_equal(tracker_client_deadline(world.client), INT64_MAX);
    finish(&world);
}

static void set_trackers(struct world *world, size_t count, const char *const *urls,
                         const uint32_t *tiers)
{
    struct bytes list[16];
    for (size_t i = 0; i < count; i++)
        list[i] = (struct bytes){(const uint8_t *)urls[i], strlen(urls[i])};
    struct tracker_client_options options = {
        .trackers = list, .tracker_tiers = tiers, .tracker_count = (uint32_t)count};
    tracker_client_set_trackers(world->client, world->now, &options);
    pull(world);
}

static void client_takes_leave_of_trackers_that_go(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_status status;
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 2, (const char *[]){"http://a.example/", "http://b.example/"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    assert_true(tracker_client_status(world.client, 0, &status));
    assert_true(status.is_announcing);
    assert_true(status.announced_ns == INT64_MIN);
    answer(&world, world.seen[0].job, OK_REPLY);
    assert_true(tracker_client_status(world.client, 0, &status));
    assert_false(status.is_announcing);
    assert_true(status.announced_ok && status.has_counts && !status.has_downloads);
    assert_int_equal(status.announced_ns, world.now);
    assert_int_equal(status.peers, 1);
    assert_int_equal(status.said.length, 0);
    /* One more behind it: nobody has anything to hear. */
    set_trackers(&world, 3,
                 (const char *[]){"http://a.example/", "http://b.example/", "http://c.example/"},
                 NULL);
    assert_int_equal(world.count, 0);
    /* Another in its place: first goodbye, then the new one is told. */
    set_trackers(&world, 1, (const char *[]){"http://d.example/"}, NULL);
    assert_int_equal(world.count, 1);
    assert_true(says(&world, 0, "http://a.example/"));
    assert_true(says(&world, 0, "&event=stopped"));
    answer(&world, world.seen[0].job, "de");
    assert_int_equal(world.count, 1);
    assert_true(says(&world, 0, "http://d.example/"));
    assert_true(says(&world, 0, "&event=started"));
    answer(&world, world.seen[0].job, "d14:failure reason4:nonee");
    assert_true(tracker_client_status(world.client, 0, &status));
    assert_false(status.announced_ok);
    assert_true(bytes_is(status.said, "none"));
    assert_false(tracker_client_status(world.client, 1, &status));
    /* None at all, while one is being asked: it may have heard us. */
    wait_deadline(&world);
    job_id asked = world.seen[0].job;
    set_trackers(&world, 0, NULL, NULL);
    assert_int_equal(world.count, 2);
    assert_int_equal(world.seen[0].type, ACTION_CANCEL);
    assert_int_equal(world.seen[0].job, asked);
    assert_true(says(&world, 1, "&event=stopped"));
    job_id goodbye = world.seen[1].job;
    job_done(&world, asked, FRESHET_ERROR_CANCELLED, "", 0);
    tell(&world, TRACKER_EVENT_STOPPED);
    assert_int_equal(world.count, 0);
    assert_false(tracker_client_is_stopped(world.client));
    answer(&world, goodbye, "de");
    assert_true(tracker_client_is_stopped(world.client));
    finish(&world);
}

static void client_that_changes_trackers_keeps_what_stays(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://a.example/"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    answer(&world, world.seen[0].job, OK_REPLY);
    /* It goes, and comes back before it could be told. */
    set_trackers(&world, 1, (const char *[]){"http://b.example/"}, NULL);
    job_id goodbye = world.seen[0].job;
    assert_true(says(&world, 0, "http://a.example/"));
    set_trackers(&world, 2, (const char *[]){"http://b.example/", "http://a.example/"}, NULL);
    answer(&world, goodbye, "de");
    assert_true(says(&world, 0, "http://b.example/"));
    refuse(&world, world.seen[0].job);
    assert_true(says(&world, 0, "http://a.example/"));
    assert_true(says(&world, 0, "&event=started"));
    answer(&world, world.seen[0].job, OK_REPLY);
    int64_t before = world.now;
    set_trackers(&world, 1, (const char *[]){"http://a.example/"}, NULL);
    assert_int_equal(world.count, 0);
    wait_deadline(&world);
    assert_true(world.now > before);
    assert_false(says(&world, 0, "event="));
    answer(&world, world.seen[0].job, OK_REPLY);
    finish(&world);
}

static void client_says_completed_once_to_who_knows_it(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    job_id first = world.seen[0].job;
    tell(&world, TRACKER_EVENT_COMPLETED);
    assert_int_equal(world.count, 0);
    answer(&world, first, OK_REPLY);
    assert_int_equal(world.count, 1);
    assert_true(says(&world, 0, "&event=completed"));
    answer(&world, world.seen[0].job, OK_REPLY);
    assert_int_equal(world.count, 0);
    wait_deadline(&world);
    assert_false(says(&world, 0, "event="));
    refuse(&world, world.seen[0].job);
    wait_deadline(&world);
    assert_false(says(&world, 0, "event="));
    refuse(&world, world.seen[0].job);
    finish(&world);
}

static void client_repeats_completed_until_it_is_taken(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    answer(&world, world.seen[0].job, OK_REPLY);
    tell(&world, TRACKER_EVENT_COMPLETED);
    assert_true(says(&world, 0, "&event=completed"));
    refuse(&world, world.seen[0].job);
    wait_deadline(&world);
    assert_true(says(&world, 0, "&event=completed"));
    answer(&world, world.seen[0].job, OK_REPLY);
    wait_deadline(&world);
    assert_false(says(&world, 0, "event="));
    refuse(&world, world.seen[0].job);
    finish(&world);
}

static void client_says_paused_while_it_is_a_partial_seed(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    answer(&world, world.seen[0].job, OK_REPLY);
    tell(&world, TRACKER_EVENT_PAUSED);
    assert_true(says(&world, 0, "&event=paused"));
    answer(&world, world.seen[0].job, OK_REPLY);
    wait_deadline(&world);
    assert_true(says(&world, 0, "&event=paused"));
    answer(&world, world.seen[0].job, OK_REPLY);
    tell(&world, TRACKER_EVENT_NONE);
    assert_int_equal(world.count, 1);
    assert_false(says(&world, 0, "event="));
    answer(&world, world.seen[0].job, OK_REPLY);
    finish(&world);
}

static void client_tries_all_of_a_tier_before_the_next(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    const char *const urls[] = {"http://a1.example/announce", "http://a2.example/announce",
                                "http://b.example/announce"};
    build(&world, &options, 3, urls, (const uint32_t[]){0, 0, 1});
    tell(&world, TRACKER_EVENT_STARTED);
    assert_int_equal(world.count, 1);
    assert_true(says(&world, 0, "//a"));
    char first[16];
    memcpy(first, world.seen[0].text, 15);
    first[15] = '\0';
    refuse(&world, world.seen[0].job);
    assert_true(says(&world, 0, "//a"));
    assert_false(says(&world, 0, first + 5));
    refuse(&world, world.seen[0].job);
    assert_true(says(&world, 0, "//b"));
    answer(&world, world.seen[0].job, OK_REPLY);
    struct tracker_result result;
    size_t errors = 0;
    while (tracker_client_result(world.client, &result) && result.type == TRACKER_RESULT_ERROR) {
        assert_int_equal(result.error, FRESHET_ERROR_CONNECTION);
        assert_true(result.text.length > 0);
        errors++;
    }
    assert_int_equal(errors, 2);
    assert_int_equal(result.type, TRACKER_RESULT_OK);
    finish(&world);
}

static void client_moves_who_answers_to_the_front_of_its_tier(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    const char *const urls[] = {"http://a1.example/announce", "http://a2.example/announce",
                                "http://a3.example/announce"};
    build(&world, &options, 3, urls, (const uint32_t[]){0, 0, 0});
    tell(&world, TRACKER_EVENT_STARTED);
    refuse(&world, world.seen[0].job);
    refuse(&world, world.seen[0].job);
    char third[20];
    memcpy(third, world.seen[0].text, 17);
    third[17] = '\0';
    answer(&world, world.seen[0].job, OK_REPLY);
    struct tracker_client_status status;
    assert_true(tracker_client_status(world.client, 0, &status));
    assert_memory_equal(status.url.data, third, 17);
    assert_true(status.is_known);
    wait_deadline(&world);
    assert_int_equal(world.count, 1);
    assert_true(says(&world, 0, third));
    refuse(&world, world.seen[0].job);
    refuse(&world, world.seen[0].job);
    refuse(&world, world.seen[0].job);
    finish(&world);
}

static void client_shuffles_a_tier_by_its_seed(void **state)
{
    (void)state;
    bool seen_other = false;
    char first[64] = "";
    for (uint64_t seed = 1; seed <= 32; seed++) {
        struct world world = {0};
        struct tracker_client_options options = default_options(&world);
        options.seed = seed;
        const char *const urls[] = {"http://a1.example/announce", "http://a2.example/announce",
                                    "http://a3.example/announce"};
        build(&world, &options, 3, urls, (const uint32_t[]){0, 0, 0});
        struct tracker_client_status status;
        assert_true(tracker_client_status(world.client, 0, &status));
        if (first[0] == '\0')
            memcpy(first, status.url.data, status.url.length);
        seen_other |= memcmp(first, status.url.data, status.url.length) != 0;
        finish(&world);
    }
    assert_true(seen_other);
}

static void client_backs_off_by_two_and_a_half_up_to_an_hour(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    int64_t expected_ns = 10 * SECOND_NS;
    for (int round = 0; round < 12; round++) {
        int64_t failed_ns = world.now;
        refuse(&world, world.seen[0].job);
        wait_deadline(&world);
        assert_int_equal(world.now - failed_ns, expected_ns);
        expected_ns = expected_ns / 2 * 5;
        if (expected_ns > 3600 * SECOND_NS)
            expected_ns = 3600 * SECOND_NS;
        assert_true(says(&world, 0, "event=started"));
    }
    answer(&world, world.seen[0].job, OK_REPLY);
    wait_deadline(&world);
    int64_t failed_ns = world.now;
    refuse(&world, world.seen[0].job);
    wait_deadline(&world);
    assert_int_equal(world.now - failed_ns, 10 * SECOND_NS);
    refuse(&world, world.seen[0].job);
    finish(&world);
}

static void client_obeys_retry_in_and_never(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    int64_t failed_ns = world.now;
    answer(&world, world.seen[0].job, "d14:failure reason8:too many8:retry in1:7e");
    struct tracker_result result;
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.type, TRACKER_RESULT_ERROR);
    assert_int_equal(result.error, FRESHET_ERROR_REFUSED);
    assert_true(bytes_is(result.text, "too many"));
    tracker_client_announce_now(world.client, world.now);
    pull(&world);
    assert_int_equal(world.count, 0);
    wait_deadline(&world);
    assert_int_equal(world.now - failed_ns, 7 * 60 * SECOND_NS);
    answer(&world, world.seen[0].job, "d14:failure reason4:gone8:retry in5:nevere");
    assert_int_equal(tracker_client_deadline(world.client), INT64_MAX);
    struct tracker_client_status status;
    assert_true(tracker_client_status(world.client, 0, &status));
    assert_true(status.is_given_up);
    finish(&world);
}

static void client_clamps_absurd_intervals(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        int64_t seconds;
    } cases[] = {
        {"d8:intervali0e5:peers0:e", 1800},
        {"d8:intervali-5e5:peers0:e", 1800},
        {"d5:peers0:e", 1800},
        {"d8:intervali1e5:peers0:e", 5},
        {"d8:intervali60e5:peers0:e", 60},
        {"d8:intervali60e12:min intervali90e5:peers0:e", 90},
        {"d8:intervali999999999e5:peers0:e", 86400},
        {"d8:intervali9223372036854775807e5:peers0:e", 1800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world world = {0};
        struct tracker_client_options options = default_options(&world);
        build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
        tell(&world, TRACKER_EVENT_STARTED);
        answer(&world, world.seen[0].job, cases[i].reply);
        assert_int_equal(tracker_client_deadline(world.client) - world.now,
                         cases[i].seconds * SECOND_NS);
        finish(&world);
    }
}

static void client_announces_by_hand_no_sooner_than_the_minimum(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    answer(&world, world.seen[0].job, OK_REPLY);
    tracker_client_announce_now(world.client, world.now);
    assert_int_equal(tracker_client_deadline(world.client) - world.now, 300 * SECOND_NS);
    wait_deadline(&world);
    answer(&world, world.seen[0].job, "d8:intervali1800e12:min intervali20e5:peers0:e");
    tracker_client_announce_now(world.client, world.now);
    assert_int_equal(tracker_client_deadline(world.client) - world.now, 20 * SECOND_NS);
    finish(&world);
}

static void client_announces_at_once_on_a_new_network_but_not_over_and_over(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tracker_client_on_network_changed(world.client, world.now);
    pull(&world);
    assert_int_equal(world.count, 0); /* not started */
    tell(&world, TRACKER_EVENT_STARTED);
    answer(&world, world.seen[0].job, OK_REPLY);
    world.now += LIMIT_ANNOUNCE_CHANGED_NS;
    tracker_client_on_network_changed(world.client, world.now);
    pull(&world);
    assert_int_equal(world.count, 1);
    answer(&world, world.seen[0].job, OK_REPLY);
    /* An address that comes and goes is no reason to flood it: the minimum interval holds. */
    tracker_client_on_network_changed(world.client, world.now);
    pull(&world);
    assert_int_equal(world.count, 0);
    assert_int_equal(tracker_client_deadline(world.client) - world.now, 300 * SECOND_NS);
    finish(&world);
}

static void client_announces_both_hashes_of_a_hybrid_over_both_families(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    options.info_hash_count = 2;
    options.no_ipv6 = false;
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    assert_int_equal(world.count, 4);
    int families = 0, first = 0, second = 0;
    for (size_t i = 0; i < 4; i++) {
        families += world.seen[i].family;
        first += says(&world, i, "info_hash=%AA%AA");
        second += says(&world, i, "info_hash=%BB%BB");
    }
    assert_int_equal(families, 4 + 6 + 4 + 6);
    assert_int_equal(first, 2);
    assert_int_equal(second, 2);
    job_id jobs[4];
    uint8_t family[4];
    for (size_t i = 0; i < 4; i++) {
        jobs[i] = world.seen[i].job;
        family[i] = world.seen[i].family;
    }
    for (size_t i = 0; i < 4; i++) {
        if (family[i] == ADDRESS_IPV4)
            answer(&world, jobs[i], OK_REPLY);
        else
            job_done(&world, jobs[i], FRESHET_ERROR_RESOLVE, "", 0);
    }
    struct tracker_result result;
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.hash_index, 0);
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.type, TRACKER_RESULT_OK);
    assert_int_equal(result.hash_index, 1);
    assert_false(tracker_client_result(world.client, &result));
    /* The family that leads nowhere is left out for a while. */
    wait_deadline(&world);
    assert_int_equal(world.count, 2);
    assert_int_equal(world.seen[0].family, ADDRESS_IPV4);
    assert_int_equal(world.seen[1].family, ADDRESS_IPV4);
    jobs[0] = world.seen[0].job, jobs[1] = world.seen[1].job;
    refuse(&world, jobs[0]);
    refuse(&world, jobs[1]);
    /* And when the other fails too, both are tried. */
    wait_deadline(&world);
    assert_int_equal(world.count, 4);
    for (size_t i = 0; i < 4; i++)
        jobs[i] = world.seen[i].job;
    for (size_t i = 0; i < 4; i++)
        refuse(&world, jobs[i]);
    finish(&world);
}

static void client_tells_a_private_torrent_of_a_switch(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    options.is_private = true;
    const char *const urls[] = {"http://a.example/announce", "http://b.example/announce"};
    build(&world, &options, 2, urls, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    assert_int_equal(world.count, 1);
    answer(&world, world.seen[0].job, OK_REPLY);
    wait_deadline(&world);
    assert_int_equal(world.count, 1);
    refuse(&world, world.seen[0].job);
    assert_true(says(&world, 0, "//b.example"));
    assert_true(says(&world, 0, "event=started"));
    answer(&world, world.seen[0].job, OK_REPLY);
    static const enum tracker_result_type expected[] = {TRACKER_RESULT_OK, TRACKER_RESULT_ERROR,
                                                        TRACKER_RESULT_SWITCHED, TRACKER_RESULT_OK};
    struct tracker_result result;
    for (size_t i = 0; i < 4; i++) {
        assert_true(tracker_client_result(world.client, &result));
        assert_int_equal(result.type, expected[i]);
    }
    /* Both know us, so both hear that we go. */
    tell(&world, TRACKER_EVENT_STOPPED);
    assert_true(says(&world, 0, "//a.example"));
    refuse(&world, world.seen[0].job);
    assert_true(says(&world, 0, "//b.example"));
    assert_true(says(&world, 0, "event=stopped"));
    refuse(&world, world.seen[0].job);
    assert_true(tracker_client_is_stopped(world.client));
    finish(&world);
}

static void client_of_a_private_torrent_stays_until_its_tracker_fails(void **state)
{
    (void)state;
    for (int is_private = 0; is_private < 2; is_private++) {
        struct world world = {0};
        struct tracker_client_options options = default_options(&world);
        options.is_private = is_private;
        const char *const urls[] = {"http://a.example/announce", "http://b.example/announce",
                                    "http://c.example/announce"};
        build(&world, &options, 3, urls, NULL);
        tell(&world, TRACKER_EVENT_STARTED);
        refuse(&world, world.seen[0].job);
        assert_true(says(&world, 0, "//b.example"));
        answer(&world, world.seen[0].job, OK_REPLY);
        /* By then the first is worth another try, but not for a private torrent. */
        wait_deadline(&world);
        assert_true(says(&world, 0, is_private ? "//b.example" : "//a.example"));
        refuse(&world, world.seen[0].job);
        assert_true(says(&world, 0, is_private ? "//a.example" : "//b.example"));
        refuse(&world, world.seen[0].job);
        assert_true(says(&world, 0, "//c.example"));
        answer(&world, world.seen[0].job, OK_REPLY);
        finish(&world);
    }
}

static void client_cancels_what_is_under_way_when_it_stops(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    job_id first = world.seen[0].job;
    tell(&world, TRACKER_EVENT_STOPPED);
    assert_int_equal(world.count, 2);
    assert_int_equal(world.seen[0].type, ACTION_CANCEL);
    assert_int_equal(world.seen[0].job, first);
    assert_int_equal(world.seen[1].type, ACTION_FETCH);
    assert_true(says(&world, 1, "event=stopped"));
    job_id second = world.seen[1].job;
    job_done(&world, first, FRESHET_ERROR_CANCELLED, "", 0);
    assert_true(tracker_client_has_jobs(world.client));
    answer(&world, second, "de");
    assert_true(tracker_client_is_stopped(world.client));
    tell(&world, TRACKER_EVENT_STARTED);
    assert_true(says(&world, 0, "event=started"));
    refuse(&world, world.seen[0].job);
    finish(&world);
}

static void client_without_usable_trackers_stays_silent(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    const char *const urls[] = {
        "wss://t.example/announce", "dht://x",           "",           "http://",
        "udp://t.example/announce", "udp://t.example:0", "http://a b/"};
    build(&world, &options, 7, urls, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    assert_int_equal(world.count, 0);
    assert_int_equal(tracker_client_deadline(world.client), INT64_MAX);
    tell(&world, TRACKER_EVENT_COMPLETED);
    tracker_client_scrape(world.client, world.now);
    tracker_client_announce_now(world.client, world.now);
    tell(&world, TRACKER_EVENT_STOPPED);
    assert_int_equal(world.count, 0);
    assert_true(tracker_client_is_stopped(world.client));
    finish(&world);
}

static void client_takes_a_reason_from_an_http_error(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    const char *body = "d14:failure reason6:bannede";
    job_done(&world, world.seen[0].job, FRESHET_ERROR_HTTP, body, strlen(body));
    struct tracker_result result;
    assert_true(tracker_client_result(world.client, &result));
    assert_true(bytes_is(result.text, "banned"));
    wait_deadline(&world);
    answer(&world, world.seen[0].job, "<html>");
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.type, TRACKER_RESULT_ERROR);
    assert_int_equal(result.error, FRESHET_ERROR_SYNTAX);
    finish(&world);
}

static void client_keeps_few_results_when_nobody_pulls(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    for (int i = 0; i < 40; i++) {
        answer(&world, world.seen[0].job, OK_REPLY);
        wait_deadline(&world);
    }
    struct tracker_result result;
    size_t count = 0;
    while (tracker_client_result(world.client, &result))
        count++;
    assert_int_equal(count, LIMIT_TRACKER_RESULTS);
    refuse(&world, world.seen[0].job);
    finish(&world);
}

static void client_scrapes_the_tracker_in_use(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    build(&world, &options, 1, (const char *[]){"http://t.example/announce?k=1"}, NULL);
    tell(&world, TRACKER_EVENT_STARTED);
    tracker_client_scrape(world.client, world.now);
    answer(&world, world.seen[0].job, OK_REPLY);
    assert_int_equal(world.count, 1);
    assert_true(says(&world, 0, "http://t.example/scrape?k=1&info_hash=%AA"));
    char body[128] = "d5:filesd20:";
    size_t length = strlen(body);
    memset(body + length, 0xaa, 20);
    strcpy(body + length + 20, "d8:completei9e10:downloadedi8e10:incompletei7eeee");
    answer(&world, world.seen[0].job, body);
    struct tracker_result result;
    assert_true(tracker_client_result(world.client, &result));
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.type, TRACKER_RESULT_SCRAPE);
    assert_int_equal(result.counts.complete, 9);
    assert_int_equal(result.counts.downloaded, 8);
    assert_int_equal(result.counts.incomplete, 7);
    assert_int_equal(tracker_client_deadline(world.client) - world.now, 1800 * SECOND_NS);
    finish(&world);
}

#define SCRAPE_REPLY                                                                               \
    "d5:filesd20:\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa\xaa" \
    "d8:completei9e10:downloadedi8e10:incompletei7eeee"

/* Neither before the start nor after the stop does the tracker hear of us by it. */
static void client_scrapes_while_it_is_silent(void **state)
{
    (void)state;
    struct world world = {0};
    struct tracker_client_options options = default_options(&world);
    struct tracker_result result;
    build(&world, &options, 1, (const char *[]){"http://t.example/announce"}, NULL);
    tracker_client_scrape(world.client, world.now);
    pull(&world);
    assert_int_equal(world.count, 1);
    assert_true(says(&world, 0, "http://t.example/scrape?info_hash=%AA"));
    answer(&world, world.seen[0].job, SCRAPE_REPLY);
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.type, TRACKER_RESULT_SCRAPE);
    assert_int_equal(result.counts.complete, 9);
    assert_true(result.has_downloaded);
    assert_int_equal(tracker_client_deadline(world.client), INT64_MAX);
    tell(&world, TRACKER_EVENT_STARTED);
    answer(&world, world.seen[0].job, OK_REPLY);
    tell(&world, TRACKER_EVENT_STOPPED);
    tracker_client_scrape(world.client, world.now);
    answer(&world, world.seen[0].job, "de");
    assert_true(tracker_client_is_stopped(world.client));
    assert_true(says(&world, 0, "/scrape?"));
    /* A start does not wait for it. */
    job_id scrape = world.seen[0].job;
    tell(&world, TRACKER_EVENT_STARTED);
    assert_true(says(&world, world.count - 1, "&event=started"));
    refuse(&world, world.seen[world.count - 1].job);
    job_done(&world, scrape, FRESHET_ERROR_CANCELLED, "", 0);
    finish(&world);
}

static void pacer_spreads_many_torrents_and_forgets_nobody(void **state)
{
    (void)state;
    struct announce_pacer pacer;
    announce_pacer_init(&pacer);
    static struct world worlds[200];
    const char *const urls[] = {"http://t.example/announce"};
    for (size_t i = 0; i < 200; i++) {
        struct tracker_client_options options = default_options(&worlds[i]);
        options.pacer = &pacer;
        build(&worlds[i], &options, 1, urls, NULL);
        tracker_client_event(worlds[i].client, worlds[i].now, TRACKER_EVENT_STARTED);
    }
    size_t announced = 0, at_once = 0;
    int64_t start = worlds[0].now;
    for (int64_t now = start; now <= start + 30 * SECOND_NS; now += 50 * MILLISECOND_NS)
        for (size_t i = 0; i < 200; i++) {
            struct world *world = &worlds[i];
            world->now = now;
            tracker_client_tick(world->client, now);
            pull(world);
            assert_true(pacer.flying <= LIMIT_ANNOUNCES_FLYING);
            if (world->count == 0)
                continue;
            assert_int_equal(world->count, 1);
            announced++;
            at_once += now == start;
            answer(world, world->seen[0].job, OK_REPLY);
        }
    assert_int_equal(announced, 200);
    assert_true(at_once <= LIMIT_ANNOUNCES_FLYING + 1);
    assert_int_equal(pacer.flying, 0);
    for (size_t i = 0; i < 200; i++)
        finish(&worlds[i]);
}

static void pacer_holds_back_when_too_many_are_flying(void **state)
{
    (void)state;
    struct announce_pacer pacer;
    announce_pacer_init(&pacer);
    pacer.flying_max = 1;
    struct world worlds[2] = {0};
    const char *const urls[] = {"http://t.example/announce"};
    for (size_t i = 0; i < 2; i++) {
        struct tracker_client_options options = default_options(&worlds[i]);
        options.pacer = &pacer;
        build(&worlds[i], &options, 1, urls, NULL);
        tell(&worlds[i], TRACKER_EVENT_STARTED);
    }
    assert_int_equal(worlds[0].count, 1);
    assert_int_equal(worlds[1].count, 0);
    for (int i = 0; i < 10; i++) {
        wait_deadline(&worlds[1]);
        assert_int_equal(worlds[1].count, 0);
    }
    refuse(&worlds[0], worlds[0].seen[0].job);
    wait_deadline(&worlds[1]);
    assert_int_equal(worlds[1].count, 1);
    refuse(&worlds[1], worlds[1].seen[0].job);
    assert_int_equal(pacer.flying, 0);
    finish(&worlds[0]);
    finish(&worlds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_says_started_then_nothing_then_stopped),
        cmocka_unit_test(client_takes_leave_of_trackers_that_go),
        cmocka_unit_test(client_that_changes_trackers_keeps_what_stays),
        cmocka_unit_test(client_says_completed_once_to_who_knows_it),
        cmocka_unit_test(client_repeats_completed_until_it_is_taken),
        cmocka_unit_test(client_says_paused_while_it_is_a_partial_seed),
        cmocka_unit_test(client_tries_all_of_a_tier_before_the_next),
        cmocka_unit_test(client_moves_who_answers_to_the_front_of_its_tier),
        cmocka_unit_test(client_shuffles_a_tier_by_its_seed),
        cmocka_unit_test(client_backs_off_by_two_and_a_half_up_to_an_hour),
        cmocka_unit_test(client_obeys_retry_in_and_never),
        cmocka_unit_test(client_clamps_absurd_intervals),
        cmocka_unit_test(client_announces_by_hand_no_sooner_than_the_minimum),
        cmocka_unit_test(client_announces_at_once_on_a_new_network_but_not_over_and_over),
        cmocka_unit_test(client_announces_both_hashes_of_a_hybrid_over_both_families),
        cmocka_unit_test(client_tells_a_private_torrent_of_a_switch),
        cmocka_unit_test(client_of_a_private_torrent_stays_until_its_tracker_fails),
        cmocka_unit_test(client_cancels_what_is_under_way_when_it_stops),
        cmocka_unit_test(client_without_usable_trackers_stays_silent),
        cmocka_unit_test(client_takes_a_reason_from_an_http_error),
        cmocka_unit_test(client_keeps_few_results_when_nobody_pulls),
        cmocka_unit_test(client_scrapes_the_tracker_in_use),
        cmocka_unit_test(client_scrapes_while_it_is_silent),
        cmocka_unit_test(pacer_spreads_many_torrents_and_forgets_nobody),
        cmocka_unit_test(pacer_holds_back_when_too_many_are_flying),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
