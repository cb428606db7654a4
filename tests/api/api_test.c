/* SPDX-License-Identifier: MIT */
/* Our own API over a real catalog and engine; every slice ends as early as it may. */
#include "core/engine/engine_dht.h"
#include "services/api/api.h"
#include "tests/rpc/transmission_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    struct bench *bench = bench_new();
    bench->service = &api_service;
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

/* "GET /torrents?sort=name"; the body with ' for ". The caller releases the answer. */
static json_t *ask(struct bench *bench, const char *line, const char *body)
{
    char method[8], path[256], text[4096];
    const char *query = strchr(line, '?');
    assert_int_equal(sscanf(line, "%7s %255[^?]", method, path), 2);
    snprintf(text, sizeof text, "%s", body ? body : "");
    for (char *at = text; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    bench->query = query ? (struct bytes){(const uint8_t *)query + 1, strlen(query + 1)}
                         : (struct bytes){NULL, 0};
    bench_send(bench, method, path, (struct bytes){(const uint8_t *)text, strlen(text)});
    json_t *answer = json_loadb((const char *)bench->body.data, bench->body.length,
                                JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(answer);
    return answer;
}

static void expect(struct bench *bench, unsigned status, const char *line, const char *body)
{
    json_t *answer = ask(bench, line, body);
    if (bench->status != status)
        fail_msg("%s: %u %.*s", line, bench->status, (int)bench->body.length,
                 (const char *)bench->body.data);
    assert_true(status < 400 || json_is_string(json_object_get(answer, "error")));
    json_decref(answer);
}

/* The ids of an answer's rows, as text: "3 1 2". */
static void expect_rows(struct bench *bench, const char *line, const char *ids)
{
    char found[256] = "";
    json_t *answer = ask(bench, line, NULL);
    assert_int_equal(bench->status, 200);
    json_t *rows = json_object_get(answer, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *id = json_object_get(json_array_get(rows, i), "id");
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%d", i ? " " : "",
                 (int)json_integer_value(id));
    }
    assert_string_equal(found, ids);
    json_decref(answer);
}

static void the_list_is_filtered_sorted_and_cut(void **state)
{
    struct bench *bench = *state;
    bench_add_named(bench, "Zebra", true);
    bench_add_named(bench, "apple one", false);
    bench_add_named(bench, "\xc3\x84pple two", true); /* a letter with two dots */
    expect_rows(bench, "GET /torrents?sort=queue", "1 2 3 4");
    expect_rows(bench, "GET /torrents?sort=queue&order=desc", "4 3 2 1");
    expect_rows(bench, "GET /torrents?sort=queue&offset=1&limit=2", "2 3");
    expect_rows(bench, "GET /torrents?filter=stopped", "2 4");
    expect_rows(bench, "GET /torrents?filter=seeding", "1");
    expect_rows(bench, "GET /torrents?search=APPLE&sort=name", "3");
    expect_rows(bench, "GET /torrents?search=%C3%A4pple", "4");
    expect_rows(bench, "GET /torrents?search=two+pple", "4");
    expect_rows(bench, "GET /torrents?search=nothing", "");
    json_t *answer = ask(bench, "GET /torrents?filter=stopped&limit=1", NULL);
    assert_int_equal(bench_integer(answer, "matching"), 2);
    assert_int_equal(bench_integer(answer, "totals.all"), 4);
    assert_int_equal(bench_integer(answer, "totals.stopped"), 2);
    assert_int_equal(bench_integer(answer, "totals.seeding"), 1);
    json_decref(answer);
    answer = ask(bench, "GET /torrents?fields=id&sort=name&order=asc", NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "ids")), 4);
    assert_null(json_object_get(answer, "rows"));
    json_decref(answer);
}

static void every_sort_gives_every_row_once(void **state)
{
    struct bench *bench = *state;
    static const char *const sorts[] = {"name",    "total", "progress", "phase", "rate_down",
                                        "rate_up", "eta",   "ratio",    "peers", "added"};
    char name[32];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "torrent %d", i * 7919 % 300);
        bench_add_named(bench, name, true);
    }
    for (unsigned i = 0; i < sizeof sorts / sizeof *sorts; i++) {
        char line[96];
        bool seen[302] = {false};
        snprintf(line, sizeof line, "GET /torrents?fields=id&limit=1000&sort=%s", sorts[i]);
        json_t *answer = ask(bench, line, NULL);
        json_t *ids = json_object_get(answer, "ids");
        assert_int_equal(json_array_size(ids), 301);
        for (size_t j = 0; j < 301; j++) {
            json_int_t id = json_integer_value(json_array_get(ids, j));
            assert_in_range(id, 1, 301);
            assert_false(seen[id]);
            seen[id] = true;
        }
        json_decref(answer);
    }
    json_t *answer = ask(bench, "GET /torrents?sort=name&limit=1000", NULL);
    json_t *rows = json_object_get(answer, "rows");
    for (size_t i = 1; i < json_array_size(rows); i++)
        assert_true(strcasecmp(bench_text(json_array_get(rows, i - 1), "name"),
                               bench_text(json_array_get(rows, i), "name")) <= 0);
    json_decref(answer);
}

static void rows_that_go_while_it_looks_do_no_harm(void **state)
{
    struct bench *bench = *state;
    char name[32];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "torrent %d", i);
        bench_add_named(bench, name, true);
    }
    bench->removes_while_stepping = true;
    json_t *answer = ask(bench, "GET /torrents?fields=id&limit=1000", NULL);
    json_t *ids = json_object_get(answer, "ids");
    assert_in_range(json_array_size(ids), 200, 201);
    for (size_t i = 1; i < json_array_size(ids); i++)
        assert_true(json_integer_value(json_array_get(ids, i - 1)) <
                    json_integer_value(json_array_get(ids, i)));
    json_decref(answer);
}

static void labels_are_counted_and_chosen(void **state)
{
    struct bench *bench = *state;
    bench_add_named(bench, "a", true);
    expect(bench, 200, "PATCH /torrents", "{'ids':[1,2],'labels':['films','\xc3\xa9t\xc3\xa9']}");
    expect(bench, 200, "PATCH /torrents/2", "{'labels':['films']}");
    json_t *answer = ask(bench, "GET /torrents", NULL);
    assert_string_equal(bench_text(answer, "labels.0.name"), "films");
    assert_int_equal(bench_integer(answer, "labels.0.count"), 2);
    assert_int_equal(bench_integer(answer, "labels.1.count"), 1);
    json_decref(answer);
    expect_rows(bench, "GET /torrents?label=%C3%A9t%C3%A9", "1");
    expect_rows(bench, "GET /torrents?label=film", "");
    expect_rows(bench, "GET /torrents?search=films&sort=queue", "1 2");
}

static void a_delta_tells_what_changed(void **state)
{
    struct bench *bench = *state;
    char line[160];
    bench_add_named(bench, "a", true);
    bench_add_named(bench, "b", true);
    json_t *answer = ask(bench, "GET /delta?sort=queue", NULL);
    assert_true(json_is_true(json_object_get(answer, "everything")));
    assert_int_equal(json_array_size(json_object_get(answer, "rows")), 3);
    json_int_t revision = bench_integer(answer, "revision");
    char run[32];
    snprintf(run, sizeof run, "%s", bench_text(answer, "run"));
    json_decref(answer);

    snprintf(line, sizeof line, "GET /delta?sort=queue&revision=%d&run=%s", (int)revision, run);
    answer = ask(bench, line, NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "rows")), 0);
    assert_int_equal(json_array_size(json_object_get(answer, "ids")), 3);
    json_decref(answer);

    expect(bench, 200, "PATCH /torrents/3", "{'labels':['x']}");
    expect(bench, 200, "DELETE /torrents/2", NULL);
    answer = ask(bench, line, NULL);
    assert_false(json_is_true(json_object_get(answer, "everything")));
    assert_int_equal(bench_integer(answer, "removed.0"), 2);
    assert_int_equal(json_array_size(json_object_get(answer, "ids")), 2);
    bool told = false;
    json_t *rows = json_object_get(answer, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++)
        told |= bench_integer(json_array_get(rows, i), "id") == 3;
    assert_true(told);
    json_decref(answer);

    snprintf(line, sizeof line, "GET /delta?revision=%d&run=0000000000000000", (int)revision);
    answer = ask(bench, line, NULL);
    assert_true(json_is_true(json_object_get(answer, "everything")));
    json_decref(answer);
}

/* One part of a stream, or NULL when there was nothing to say. */
static json_t *next_part(struct bench *bench, void *call)
{
    struct service_job job = {0};
    struct service_reply reply = {0};
    enum service_step step;
    while ((step = api_service.step(call, &bench->world, 0, bench_clock, &job)) == SERVICE_AGAIN)
        ;
    if (step == SERVICE_WAIT)
        return NULL;
    assert_int_equal(step, SERVICE_DONE);
    api_service.write(call, &reply);
    assert_true(reply.stream);
    assert_string_equal(reply.content_type, "text/event-stream");
    const char *head = "event: delta\ndata: ";
    assert_memory_equal(reply.body.data, head, strlen(head));
    assert_memory_equal(reply.body.data + reply.body.length - 2, "\n\n", 2);
    json_t *data = json_loadb((const char *)reply.body.data + strlen(head),
                              reply.body.length - strlen(head), 0, NULL);
    assert_non_null(data);
    buffer_deinit(&reply.body);
    return data;
}

static void events_come_when_something_happens(void **state)
{
    struct bench *bench = *state;
    struct service_request request = {.method = "GET",
                                      .path = "/events",
                                      .query = BYTES_LITERAL("sort=queue"),
                                      .access = ACCESS_READ};
    void *call = api_service.begin(&request);
    json_t *part = next_part(bench, call);
    assert_true(json_is_true(json_object_get(part, "everything")));
    json_decref(part);
    assert_null(next_part(bench, call));
    bench_add_named(bench, "new", true);
    part = next_part(bench, call);
    assert_false(json_is_true(json_object_get(part, "everything")));
    assert_string_equal(bench_text(part, "rows.0.name"), "new");
    assert_int_equal(bench_integer(part, "matching"), 2);
    json_decref(part);
    assert_null(next_part(bench, call));
    api_service.end(call);
}

static void one_torrent_is_told_in_full(void **state)
{
    struct bench *bench = *state;
    torrent_id id = bench_add_named(bench, "pair", true);
    char line[64];
    bench->at_hand[id] = false;
    json_t *answer = ask(bench, "GET /torrents/2", NULL);
    assert_int_equal(bench->content_jobs, 1);
    assert_string_equal(bench_text(answer, "folder"), "/data");
    assert_string_equal(bench_text(answer, "comment"), "a \"b\"");
    assert_int_equal(bench_integer(answer, "files"), 2);
    assert_int_equal(bench_integer(answer, "total"), 50000);
    assert_memory_equal(bench_text(answer, "magnet"), "magnet:?xt=urn:btih:", 20);
    json_decref(answer);

    bitfield_init(&bench->pieces[id], 2);
    bitfield_set(&bench->pieces[id], 0);
    bench->has_pieces[id] = true;
    answer = ask(bench, "GET /torrents/2/files", NULL);
    assert_int_equal(bench_integer(answer, "total"), 2);
    assert_string_equal(bench_text(answer, "files.1.path"), "pair/b.mkv");
    assert_int_equal(bench_integer(answer, "files.0.done"), 32768);
    assert_int_equal(bench_integer(answer, "files.1.done"), 0);
    assert_int_equal(bench_integer(answer, "files.1.priority"), CATALOG_PRIORITY_NORMAL);
    json_decref(answer);
    answer = ask(bench, "GET /torrents/2/files?offset=1&limit=5", NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "files")), 1);
    assert_int_equal(bench_integer(answer, "files.0.index"), 1);
    json_decref(answer);
    answer = ask(bench, "GET /torrents/2/pieces", NULL);
    assert_int_equal(bench_integer(answer, "count"), 2);
    assert_string_equal(bench_text(answer, "have"), "gA==");
    assert_true(json_is_null(json_object_get(answer, "availability")));
    json_decref(answer);
    answer = ask(bench, "GET /torrents/2/trackers", NULL);
    assert_string_equal(bench_text(answer, "trackers.0.url"), "http://tracker.example/announce");
    assert_string_equal(bench_text(answer, "trackers.0.state"), "waiting");
    json_decref(answer);
    expect(bench, 201, "POST /torrents",
           "{'magnet':'magnet:?xt=urn:btih:00112233445566778899aabbccddeeff00112233"
           "&tr=http%3A%2F%2Fa.test%2Fannounce&tr=udp%3A%2F%2Fb.test%3A1','stopped':true}");
    answer = ask(bench, "GET /torrents/3/trackers", NULL);
    assert_string_equal(bench_text(answer, "trackers.0.url"), "http://a.test/announce");
    assert_string_equal(bench_text(answer, "trackers.1.url"), "udp://b.test:1");
    assert_int_equal(bench_integer(answer, "trackers.1.tier"), 1);
    assert_string_equal(bench_text(answer, "trackers.1.state"), "waiting");
    json_decref(answer);
    answer = ask(bench, "GET /torrents/1/peers", NULL);
    assert_true(json_is_array(json_object_get(answer, "peers")));
    json_decref(answer);
    for (unsigned i = 0; i < 5; i++) {
        static const char *const parts[] = {"", "/files", "/peers", "/trackers", "/pieces"};
        snprintf(line, sizeof line, "GET /torrents/99%s", parts[i]);
        expect(bench, 404, line, NULL);
    }
    bench->failure = FRESHET_ERROR_IO;
    bench->at_hand[id] = false;
    expect(bench, 500, "GET /torrents/2/files", NULL);
}

static void pieces_name_whom_they_come_from(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    struct bench *bench = bench_new_upon(lone);
    bench->service = &api_service;
    json_t *answer = ask(bench, "GET /torrents/1/pieces", NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "fetching")), 0);
    json_decref(answer);
    lone_seed_peer(lone, 2, true);
    answer = ask(bench, "GET /torrents/1/pieces", NULL);
    json_t *fetching = json_object_get(answer, "fetching");
    assert_in_range(json_array_size(fetching), 1, LONE_PIECES);
    for (size_t i = 0; i < json_array_size(fetching); i++) {
        json_t *fetch = json_array_get(fetching, i);
        assert_in_range(bench_integer(fetch, "piece"), 0, LONE_PIECES - 1);
        assert_int_equal(bench_integer(fetch, "blocks"), 2);
        assert_in_range(bench_integer(fetch, "asked"), 1, 2);
        assert_int_equal(bench_integer(fetch, "received"), 0);
        assert_string_equal(bench_text(fetch, "peers.0.address"), "10.0.2.2:6881");
        assert_string_equal(bench_text(fetch, "peers.0.client"), "");
        assert_int_equal(bench_integer(fetch, "peers.0.asked"), bench_integer(fetch, "asked"));
        assert_int_equal(bench_integer(fetch, "peers.0.received"), 0);
    }
    json_decref(answer);
    bench_free(bench);
}

static void the_pipeline_is_told(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    struct bench *bench = bench_new_upon(lone);
    bench->service = &api_service;
    bench->access = ACCESS_READ;
    bench->world.hashing = (struct service_load){.threads = 2, .jobs = 5, .bytes = 77, .rate = 7};
    bench->world.writing = (struct service_load){.threads = 4, .jobs = 3};
    json_t *answer = ask(bench, "GET /pipeline", NULL);
    assert_int_equal(bench_integer(answer, "hashing.running"), 2);
    assert_int_equal(bench_integer(answer, "hashing.waiting"), 3);
    assert_int_equal(bench_integer(answer, "hashing.threads"), 2);
    assert_int_equal(bench_integer(answer, "hashing.bytes"), 77);
    assert_int_equal(bench_integer(answer, "hashing.rate"), 7);
    assert_int_equal(bench_integer(answer, "writing.running"), 3);
    assert_int_equal(bench_integer(answer, "writing.waiting"), 0);
    json_decref(answer);

    uint32_t seed = lone_seed_peer(lone, 2, true);
    answer = ask(bench, "GET /torrents/1/pipeline", NULL);
    assert_in_range(bench_integer(answer, "fetching"), 1, LONE_PIECES);
    assert_int_equal(bench_integer(answer, "hashing"), 0);
    assert_int_equal(bench_integer(answer, "verified"), 0);
    assert_int_equal(bench_integer(answer, "pieces"), LONE_PIECES);
    json_decref(answer);
    lone->defers = true; /* hashing goes on until lone_finish */
    while (lone_answer(lone, seed, true) > 0)
        continue;
    answer = ask(bench, "GET /torrents/1/pipeline", NULL);
    assert_int_equal(bench_integer(answer, "fetching"), 0);
    assert_int_equal(bench_integer(answer, "hashing"), LONE_PIECES);
    json_decref(answer);
    bool wrote = false;
    while (lone->job_count) { /* each piece is in one place */
        lone_finish(lone, 0);
        answer = ask(bench, "GET /torrents/1/pipeline", NULL);
        assert_int_equal(bench_integer(answer, "hashing") + bench_integer(answer, "waiting") +
                             bench_integer(answer, "writing") + bench_integer(answer, "verified"),
                         LONE_PIECES);
        wrote |= bench_integer(answer, "writing") > 0;
        json_decref(answer);
    }
    assert_true(wrote);
    lone->defers = false;
    answer = ask(bench, "GET /torrents/1/pipeline", NULL);
    assert_int_equal(bench_integer(answer, "hashing"), 0);
    assert_int_equal(bench_integer(answer, "verified"), LONE_PIECES);
    assert_int_equal(bench_integer(answer, "checking"), 0);
    json_decref(answer);
    expect(bench, 404, "GET /torrents/99/pipeline", NULL);
    bench_free(bench);
}

/* What a node that has met another one writes down of itself. */
static void record_of_node(struct buffer *record, struct dht_id *ret_other)
{
    struct address addresses[2];
    struct dht_node *nodes[2];
    struct action action;
    int64_t now = SECOND_NS;
    for (uint8_t i = 0; i < 2; i++) {
        struct dht_node_options options = {.family = ADDRESS_IPV4, .seed = 70u + i};
        addresses[i] = address_ipv4((uint8_t[]){10, 8, i, 1}, 6881);
        nodes[i] = dht_node_new(&options);
    }
    dht_node_add_address(nodes[0], &addresses[1], now);
    for (int turn = 0; turn < 20; turn++, now += SECOND_NS / 10)
        for (int i = 0; i < 2; i++) {
            dht_node_tick(nodes[i], now);
            while (dht_node_output(nodes[i], now, &action)) {
                struct event event = {
                    .type = EVENT_DATAGRAM, .remote = addresses[i], .bytes = action.bytes};
                if (action.type == ACTION_SEND_DATAGRAM)
                    dht_node_input(nodes[1 - i], now, &event);
            }
        }
    dht_node_save(nodes[0], record);
    *ret_other = dht_node_id(nodes[1]);
    for (int i = 0; i < 2; i++)
        dht_node_free(nodes[i]);
}

static void the_dht_is_told_without_addresses(void **state)
{
    struct bench *bench = *state;
    struct buffer record = {0};
    struct dht_id other;
    char hex[2 * DHT_ID_SIZE + 1];
    expect(bench, 200, "PATCH /settings", "{'dht':false}");
    json_t *answer = ask(bench, "GET /dht", NULL);
    assert_true(json_is_false(json_object_get(answer, "enabled")));
    assert_int_equal(json_array_size(json_object_get(answer, "families")), 0);
    json_decref(answer);
    expect(bench, 200, "PATCH /settings", "{'dht':true}");

    record_of_node(&record, &other);
    struct engine_dht_options options = {.has_ipv4 = true, .record_ipv4 = buffer_bytes(&record)};
    struct engine_command command = {.type = COMMAND_START_DHT, .dht = &options};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(bench->lone->engine, bench->lone->now, &event);
    buffer_deinit(&record);
    bench->access = ACCESS_READ;
    answer = ask(bench, "GET /dht", NULL);
    assert_int_equal(bench->status, 200);
    assert_true(json_is_true(json_object_get(answer, "enabled")));
    assert_int_equal(json_array_size(json_object_get(answer, "families")), 1);
    assert_string_equal(bench_text(answer, "families.0.family"), "ipv4");
    assert_int_equal(strlen(bench_text(answer, "families.0.id")), 40);
    assert_int_equal(json_array_size(bench_at(answer, "families.0.nodes")), 1);
    bytes_to_hex(other.bytes, DHT_ID_SIZE, hex);
    assert_int_equal(strlen(bench_text(answer, "families.0.nodes.0.id")), 16);
    assert_memory_equal(bench_text(answer, "families.0.nodes.0.id"), hex, 16);
    assert_string_equal(bench_text(answer, "families.0.nodes.0.state"), "questionable");
    assert_in_range(bench_integer(answer, "families.0.nodes.0.shared"), 0, 159);
    assert_null(strstr((const char *)bench->body.data, "10.8."));
    json_decref(answer);
}

static void wishes_are_set_and_judged(void **state)
{
    struct bench *bench = *state;
    bench_add_named(bench, "pair", true);
    expect(bench, 200, "PATCH /torrents/2",
           "{'download_limited':true,'download_limit':5000,'ratio_mode':'own','ratio_goal':1.5,"
           "'seed_time':null,'queue':0,'transport':'utp','priorities':[{'priority':1},{'files':[1],"
           "'priority':0}]}");
    const struct catalog_torrent *row = catalog_find(bench->catalog, 2);
    assert_true(row->wishes.download_limited);
    assert_int_equal(row->wishes.download_limit, 5000);
    assert_int_equal(row->wishes.ratio_mode, GOAL_OWN);
    assert_int_equal(row->wishes.transport, TRANSPORT_UTP);
    assert_true(row->wishes.ratio > 1.4 && row->wishes.ratio < 1.6);
    assert_true(row->wishes.honors_session_limits);
    assert_int_equal(row->queue_position, 0);
    assert_int_equal(row->priorities[0], 1);
    assert_int_equal(row->priorities[1], 0);
    expect(bench, 400, "PATCH /torrents/2",
           "{'trackers':[['http://a.test/announce','ftp://x y']]}");
    expect(bench, 400, "PATCH /torrents/2", "{'download_limit':-1}");
    expect(bench, 400, "PATCH /torrents/2", "{'download_limit':1.5}");
    expect(bench, 400, "PATCH /torrents/2", "{'ratio_mode':'sometimes'}");
    expect(bench, 400, "PATCH /torrents/2", "{'transport':'pigeon'}");
    expect(bench, 400, "PATCH /torrents/2", "{'transport':1}");
    expect(bench, 400, "PATCH /torrents/2", "{'labels':['']}");
    expect(bench, 400, "PATCH /torrents/2", "{'labels':'films'}");
    expect(bench, 400, "PATCH /torrents/2", "{'priorities':[{'files':[2],'priority':1}]}");
    expect(bench, 400, "PATCH /torrents/2", "{'priorities':[{'files':[0],'priority':8}]}");
    expect(bench, 400, "PATCH /torrents/2", "{'colour':'red'}");
    expect(bench, 400, "PATCH /torrents/2", "{'queue':-1}");
    expect(bench, 400, "PATCH /torrents/2", "[]");
    expect(bench, 400, "PATCH /torrents/2", "{");
    expect(bench, 404, "PATCH /torrents/77", "{'queue':1}");
    assert_int_equal(catalog_find(bench->catalog, 2)->wishes.download_limit, 5000);
}

static void many_are_changed_in_one_call(void **state)
{
    struct bench *bench = *state;
    char name[32];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "torrent %d", i);
        bench_add_named(bench, name, true);
    }
    uint32_t saves = bench->save_jobs;
    json_t *answer = ask(bench, "POST /torrents/start", "{'ids':[2,3,4,400],'force':true}");
    assert_int_equal(bench->status, 200);
    assert_int_equal(bench_integer(answer, "changed"), 3);
    assert_int_equal(bench_integer(answer, "missing.0"), 400);
    assert_int_equal(bench->save_jobs, saves + 1);
    json_decref(answer);
    assert_true(catalog_find(bench->catalog, 3)->force_start);
    expect(bench, 200, "POST /torrents/stop", "{'ids':[2,3]}");
    assert_false(catalog_find(bench->catalog, 3)->wanted_running);
    assert_true(catalog_find(bench->catalog, 4)->wanted_running);
    expect(bench, 200, "POST /torrents/queue", "{'ids':[41],'move':'top'}");
    assert_int_equal(catalog_find(bench->catalog, 41)->queue_position, 0);
    expect(bench, 200, "POST /torrents/41/queue", "{'move':'bottom'}");
    assert_int_equal(catalog_find(bench->catalog, 41)->queue_position, 40);
    expect(bench, 400, "POST /torrents/queue", "{'ids':[41],'move':'sideways'}");
    expect(bench, 400, "POST /torrents/stop", "{'ids':['2']}");
    expect(bench, 400, "POST /torrents/stop", "{}");
    expect(bench, 200, "POST /torrents/recheck", "{'ids':[5]}");
    expect(bench, 200, "POST /torrents/1/reannounce", NULL);
    expect(bench, 200, "POST /torrents/remove", "{'ids':[2,3,4,5]}");
    assert_null(catalog_find(bench->catalog, 4));
    expect(bench, 200, "DELETE /torrents/6?data=1", NULL);
    assert_null(catalog_find(bench->catalog, 6));
    expect(bench, 404, "DELETE /torrents/6", NULL);
}

static void has_labels(struct bench *bench, torrent_id id, const char *const *labels)
{
    const struct catalog_torrent *torrent = catalog_find(bench->catalog, id);
    uint32_t count = 0;
    for (; labels[count]; count++) {
        assert_true(count < torrent->label_count);
        assert_string_equal(torrent->labels[count], labels[count]);
    }
    assert_int_equal(torrent->label_count, count);
}

static void labels_come_and_go_and_others_stay(void **state)
{
    struct bench *bench = *state;
    bench_add_named(bench, "one", true);
    bench_add_named(bench, "two", true);
    bench_add_named(bench, "three", true);
    expect(bench, 200, "PATCH /torrents/2", "{'labels':['linux','mine']}");
    expect(bench, 200, "PATCH /torrents/3", "{'labels':['books','linux']}");
    expect(bench, 200, "PATCH /torrents/4", "{'labels':['new']}");
    uint64_t revision = catalog_find(bench->catalog, 4)->revision;
    expect(bench, 200, "PATCH /torrents",
           "{'ids':[2,3,4],'add_labels':['new','new'],'remove_labels':['linux','no such']}");
    has_labels(bench, 2, (const char *const[]){"mine", "new", NULL});
    has_labels(bench, 3, (const char *const[]){"books", "new", NULL});
    has_labels(bench, 4, (const char *const[]){"new", NULL});
    assert_int_equal(catalog_find(bench->catalog, 4)->revision, revision); /* nothing to tell */
    expect(bench, 200, "PATCH /torrents/4", "{'remove_labels':['new'],'add_labels':['new','x']}");
    has_labels(bench, 4, (const char *const[]){"new", "x", NULL});
    expect(bench, 400, "PATCH /torrents/4", "{'labels':[],'add_labels':['y']}");
    expect(bench, 400, "PATCH /torrents/4", "{'labels':[],'remove_labels':[]}");
    expect(bench, 400, "PATCH /torrents/4", "{'add_labels':['']}");
    expect(bench, 400, "PATCH /torrents/4", "{'remove_labels':'x'}");
    has_labels(bench, 4, (const char *const[]){"new", "x", NULL});

    uint32_t saves = bench->save_jobs;
    json_t *answer = ask(bench, "POST /torrents/labels", "{'ids':[2,3,400,4]}");
    assert_int_equal(bench->status, 200);
    assert_int_equal(bench_integer(answer, "counted"), 3);
    assert_int_equal(bench_integer(answer, "missing.0"), 400);
    assert_int_equal(json_array_size(json_object_get(answer, "labels")), 4);
    assert_string_equal(bench_text(answer, "labels.0.name"), "books");
    assert_int_equal(bench_integer(answer, "labels.0.count"), 1);
    assert_string_equal(bench_text(answer, "labels.2.name"), "new");
    assert_int_equal(bench_integer(answer, "labels.2.count"), 3);
    assert_int_equal(bench->save_jobs, saves);
    json_decref(answer);
    expect(bench, 400, "POST /torrents/labels", "{}");
}

static void data_stay_below_the_roots(void **state)
{
    struct bench *bench = *state;
    bench_add_named(bench, "pair", true);
    static const char *const bad[] = {"/etc",  "/data/../etc", "/database",
                                      "data",  "/data/./x/",   "/data//../etc",
                                      "//etc", "/data\\u0001", ""};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        char body[96];
        snprintf(body, sizeof body, "{'folder':'%s'}", bad[i]);
        expect(bench, 403, "POST /torrents/2/move", body);
    }
    expect(bench, 403, "PATCH /settings", "{'download_folder':'/etc'}");
    expect(bench, 403, "GET /free-space?folder=%2Fetc", NULL);
    expect(bench, 200, "GET /free-space?folder=%2Fdata%2Fx", NULL);
    expect(bench, 200, "POST /torrents/2/move", "{'folder':'/data/films'}");
    assert_string_equal(catalog_find(bench->catalog, 2)->folder, "/data/films");
    expect(bench, 400, "POST /torrents/2/move", "{}");
    expect(bench, 400, "POST /torrents/2/rename", "{'path':'pair'}");
    expect(bench, 404, "POST /torrents/2/rename", "{'path':'pair/none','name':'two'}");
    expect(bench, 409, "POST /torrents/2/rename", "{'path':'pair/a','name':'b.mkv'}");
    assert_null(catalog_find(bench->catalog, 2)->rename_name);
    bench->at_hand[2] = false;
    uint32_t saves = bench->save_jobs;
    expect(bench, 200, "POST /torrents/2/rename", "{'path':'pair','name':'two'}");
    assert_int_equal(bench->save_jobs, saves + 1);
    bench->is_local = true;
    expect(bench, 200, "POST /torrents/2/move", "{'folder':'/mnt/elsewhere'}");
}

static void torrents_are_looked_into_and_added(void **state)
{
    struct bench *bench = *state;
    struct buffer torrent = {0}, text = {0};
    char body[2048];
    bench_torrent("fresh", &torrent);
    base64_encode(buffer_bytes(&torrent), &text);
    snprintf(body, sizeof body, "{'torrent':'%.*s'}", (int)text.length, (const char *)text.data);
    json_t *answer = ask(bench, "POST /inspect", body);
    assert_int_equal(bench->status, 200);
    assert_string_equal(bench_text(answer, "name"), "fresh");
    assert_int_equal(bench_integer(answer, "size"), 50000);
    assert_string_equal(bench_text(answer, "files.1.path"), "fresh/b.mkv");
    assert_true(json_is_null(json_object_get(answer, "exists")));
    json_decref(answer);
    snprintf(body, sizeof body,
             "{'torrent':'%.*s','stopped':true,'labels':['new'],'unwanted':[0],"
             "'wishes':{'sequential':true}}",
             (int)text.length, (const char *)text.data);
    answer = ask(bench, "POST /torrents", body);
    assert_int_equal(bench->status, 201);
    assert_true(json_is_true(json_object_get(answer, "added")));
    torrent_id id = (torrent_id)bench_integer(answer, "torrent.id");
    json_decref(answer);
    const struct catalog_torrent *row = catalog_find(bench->catalog, id);
    assert_false(row->wanted_running);
    assert_string_equal(row->labels[0], "new");
    assert_int_equal(row->priorities[0], CATALOG_PRIORITY_UNWANTED);
    assert_true(row->wishes.sequential);
    answer = ask(bench, "POST /torrents", body);
    assert_int_equal(bench->status, 200);
    assert_false(json_is_true(json_object_get(answer, "added")));
    assert_int_equal(bench_integer(answer, "torrent.id"), id);
    json_decref(answer);

    bench->file = buffer_bytes(&torrent);
    answer = ask(bench, "POST /inspect", "{'url':'http://a.test/x.torrent'}");
    assert_int_equal(bench_integer(answer, "exists"), id);
    assert_string_equal(bench->job_text, "http://a.test/x.torrent");
    json_decref(answer);
    answer = ask(bench, "POST /torrents",
                 "{'magnet':'magnet:?xt=urn:btih:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&dn=m',"
                 "'choose_files':true}");
    assert_int_equal(bench->status, 201);
    assert_true(json_is_true(json_object_get(json_object_get(answer, "torrent"), "choose_files")));
    json_decref(answer);
    expect(bench, 422, "POST /torrents", "{'magnet':'magnet:?dn=nothing'}");
    expect(bench, 422, "POST /torrents", "{'torrent':'ZGU='}");
    expect(bench, 400, "POST /torrents", "{'torrent':'!'}");
    expect(bench, 400, "POST /torrents", "{}");
    expect(bench, 400, "POST /torrents", "{'magnet':'a','url':'b'}");
    bench->failure = FRESHET_ERROR_CONNECTION;
    expect(bench, 502, "POST /torrents", "{'url':'http://a.test/x.torrent'}");
    buffer_deinit(&torrent);
    buffer_deinit(&text);
}

static void settings_are_told_and_changed(void **state)
{
    struct bench *bench = *state;
    expect(bench, 200, "PATCH /settings",
           "{'download_limited':true,'download_limit':123,'schedule_days':62,'ratio':1.25,'"
           "encryption':'require',"
           "'default_trackers':['http://a/announce','http://b/announce']}");
    json_t *answer = ask(bench, "GET /settings", NULL);
    assert_int_equal(bench_integer(answer, "download_limit"), 123);
    assert_int_equal(bench_integer(answer, "schedule_days"), 62);
    assert_string_equal(bench_text(answer, "default_trackers.1"), "http://b/announce");
    assert_string_equal(bench_text(answer, "download_folder"), "/data");
    assert_string_equal(bench_text(answer, "encryption"), "require");
    assert_int_equal(catalog_settings(bench->catalog)->encryption, ENCRYPTION_REQUIRE);
    /* What is told may be sent back as it is. */
    char *same = json_dumps(answer, 0);
    json_decref(answer);
    expect(bench, 200, "PATCH /settings", same);
    free(same);
    expect(bench, 400, "PATCH /settings", "{'download_limit':'fast'}");
    expect(bench, 400, "PATCH /settings", "{'schedule_days':128}");
    expect(bench, 400, "PATCH /settings", "{'default_trackers':[1]}");
    expect(bench, 400, "PATCH /settings", "{'default_trackers':['nonsense']}");
    expect(bench, 400, "PATCH /settings", "{'default_trackers':['http://a/announce','ftp://x y']}");
    expect(bench, 400, "PATCH /settings", "{'ratio':2,'peer_port':0}");
    expect(bench, 400, "PATCH /settings", "{'ratio':2,'blocklist_url':'file:///etc/passwd'}");
    assert_int_equal(catalog_settings(bench->catalog)->default_tracker_count, 2);
    assert_int_equal(catalog_settings(bench->catalog)->peer_port, 51413);
    assert_true(catalog_settings(bench->catalog)->ratio < 2);
    expect(bench, 200, "PATCH /settings", "{'blocklist_url':'','peer_port':1}");
    expect(bench, 400, "PATCH /settings", "{'colour':1}");
    expect(bench, 400, "PATCH /settings", "{'encryption':'sometimes'}");
    expect(bench, 400, "PATCH /settings", "{'encryption':1}");
    expect(bench, 409, "POST /blocklist", "{}");
    assert_int_equal(catalog_settings(bench->catalog)->download_limit, 123);
    answer = ask(bench, "GET /stats", NULL);
    assert_string_equal(bench_text(answer, "version"), "0.1.0");
    assert_int_equal(bench_integer(answer, "torrents"), 1);
    json_decref(answer);
}

static void who_may_only_read_changes_nothing(void **state)
{
    struct bench *bench = *state;
    bench->access = ACCESS_READ;
    const char *method, *pattern;
    unsigned changes = 0;
    for (uint32_t i = 0; api_route_name(i, &method, &pattern); i++) {
        char line[96];
        if (strcmp(method, "GET") == 0)
            continue;
        snprintf(line, sizeof line, "%s %s", method, pattern);
        char *at = strstr(line, "{id}");
        if (at) {
            *at = '1';
            memmove(at + 1, at + 4, strlen(at + 4) + 1);
        }
        expect(bench, 403, line, "{}");
        changes++;
    }
    assert_true(changes > 15);
    assert_non_null(catalog_find(bench->catalog, 1));
    expect(bench, 200, "GET /torrents/1", NULL);
    bench->access = ACCESS_NONE;
    expect(bench, 401, "GET /torrents/1", NULL);
}

static void what_is_not_there_is_said(void **state)
{
    struct bench *bench = *state;
    expect(bench, 404, "GET /", NULL);
    expect(bench, 404, "GET /torrents/", NULL);
    expect(bench, 404, "GET /torrents/01", NULL);
    expect(bench, 404, "GET /torrents/1/", NULL);
    expect(bench, 404, "GET /torrents/1x", NULL);
    expect(bench, 404, "GET /torrents/99999999999999999999", NULL);
    expect(bench, 405, "PUT /torrents/1", NULL);
    expect(bench, 405, "POST /settings", "{}");
    expect(bench, 400, "GET /torrents?sort=colour", NULL);
    expect(bench, 400, "GET /torrents?limit=1001", NULL);
    expect(bench, 400, "GET /torrents?limit=-1", NULL);
    expect(bench, 400, "GET /torrents?limit=", NULL);
    expect(bench, 400, "GET /torrents?fields=name", NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_list_is_filtered_sorted_and_cut),
        TEST(every_sort_gives_every_row_once),
        TEST(rows_that_go_while_it_looks_do_no_harm),
        TEST(labels_are_counted_and_chosen),
        TEST(a_delta_tells_what_changed),
        TEST(events_come_when_something_happens),
        TEST(one_torrent_is_told_in_full),
        cmocka_unit_test(pieces_name_whom_they_come_from),
        cmocka_unit_test(the_pipeline_is_told),
        TEST(the_dht_is_told_without_addresses),
        TEST(wishes_are_set_and_judged),
        TEST(many_are_changed_in_one_call),
        TEST(labels_come_and_go_and_others_stay),
        TEST(data_stay_below_the_roots),
        TEST(torrents_are_looked_into_and_added),
        TEST(settings_are_told_and_changed),
        TEST(who_may_only_read_changes_nothing),
        TEST(what_is_not_there_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
