/* SPDX-License-Identifier: MIT */
/* Nodes on real sockets of loopback, each with a loop of its own, stepped in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/clock.h"
#include "host/dht_record.h"
#include "host/dht_service.h"
#include "tests/host/temporary_folder.h"

#include <signal.h>
#include <string.h>

#define SERVICES_MAX 4u

static struct dht_service *services[SERVICES_MAX];
static uint32_t service_count;
static struct dht_node *ready; /* the last that said so */
static struct dht_result done; /* the last DONE */
static struct address found;
static uint32_t found_count;

static void on_ready(void *context, struct dht_node *node)
{
    (void)context;
    ready = node;
}

static void on_result(void *context, struct dht_node *node, const struct dht_result *result)
{
    (void)context;
    (void)node;
    if (result->type == DHT_RESULT_DONE)
        done = *result;
    if (result->type != DHT_RESULT_PEERS)
        return;
    found_count += result->peer_count;
    found = result->peers[0];
}

static struct dht_service *start(struct dht_service_options options, const char *listen)
{
    char text[DHT_SERVICE_TEXT_SIZE];
    assert_true(service_count < SERVICES_MAX);
    if (listen)
        assert_true(address_from_text(listen, false, &options.listen));
    options.on_ready = on_ready;
    options.on_result = on_result;
    assert_int_equal(dht_service_new(&options, text, &services[service_count]), FRESHET_OK);
    return services[service_count++];
}

static void stop_all(void)
{
    while (service_count > 0)
        dht_service_free(services[--service_count]);
    ready = NULL;
    done = (struct dht_result){0};
    found_count = 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop_all();
    return 0;
}

static void step(void)
{
    for (uint32_t i = 0; i < service_count; i++)
        uv_run(dht_service_loop(services[i]), UV_RUN_NOWAIT);
}

#define STEP_UNTIL(condition)                                                                      \
    do {                                                                                           \
        int64_t end_ns = clock_now() + 30 * SECOND_NS;                                             \
        while (!(condition)) {                                                                     \
            assert_true(clock_now() < end_ns);                                                     \
            step();                                                                                \
        }                                                                                          \
    } while (0)

/* The service as the one name to begin with. */
static void name_of(struct dht_service *service, struct dht_bootstrap *ret_names)
{
    static char host[ADDRESS_TEXT_SIZE];
    struct address address = dht_service_address(service, ADDRESS_IPV4);
    address_ip_to_text(&address, host);
    *ret_names = (struct dht_bootstrap){.names = {{host, address.port}}, .count = 1};
}

static void dht_service_finds_what_another_announced(void **state)
{
    struct dht_service *standing = start((struct dht_service_options){0}, "127.0.0.2:0");
    struct dht_bootstrap names;
    struct dht_id hash = {{1, 2, 3}};

    (void)state;
    assert_int_equal(dht_service_address(standing, ADDRESS_IPV6).family, ADDRESS_NONE);
    assert_null(dht_service_node(standing, ADDRESS_IPV6));
    assert_false(dht_service_has_beginning(standing));
    name_of(standing, &names);
    start((struct dht_service_options){.names = &names, .is_passing = true, .is_read_only = true},
          "127.0.0.3:0");
    assert_true(dht_service_has_beginning(services[1]));
    STEP_UNTIL(ready);
    assert_ptr_equal(ready, dht_service_node(services[1], ADDRESS_IPV4));
    assert_int_not_equal(dht_node_announce(ready, clock_now(), &hash, 7000, false), 0);
    dht_service_push(services[1]);
    STEP_UNTIL(done.number);
    assert_int_equal(done.stored, 1);
    done.number = 0;
    start((struct dht_service_options){.names = &names, .is_passing = true, .is_read_only = true},
          "127.0.0.4:0");
    ready = NULL;
    STEP_UNTIL(ready);
    assert_int_not_equal(dht_node_get_peers(ready, clock_now(), &hash, 0), 0);
    dht_service_push(services[2]);
    STEP_UNTIL(done.number);
    assert_int_equal(found_count, 1);
    struct address expected;
    assert_true(address_from_text("127.0.0.3:7000", false, &expected));
    assert_true(address_equal(&found, &expected));
}

static struct state_store *open_store(const char *folder)
{
    char text[STATE_TEXT_SIZE];
    struct state_store *store = NULL;

    assert_int_equal(state_store_open(folder, text, &store), FRESHET_OK);
    return store;
}

static uint32_t node_count(struct dht_service *service)
{
    struct dht_node_stats stats;
    dht_node_stats(dht_service_node(service, ADDRESS_IPV4), clock_now(), &stats);
    return stats.nodes;
}

static void dht_service_keeps_its_id_and_its_nodes(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct dht_bootstrap names;

    (void)state;
    struct dht_service *other = start((struct dht_service_options){0}, "127.0.0.2:0");
    name_of(other, &names);
    struct dht_service *keeper =
        start((struct dht_service_options){.state = store, .names = &names}, "127.0.0.3:0");
    struct dht_id id = dht_node_id(dht_service_node(keeper, ADDRESS_IPV4));
    STEP_UNTIL(node_count(keeper) == 1);
    stop_all();
    keeper = start((struct dht_service_options){.state = store}, "127.0.0.3:0");
    struct dht_id again = dht_node_id(dht_service_node(keeper, ADDRESS_IPV4));
    assert_true(dht_id_equal(&id, &again));
    assert_int_equal(node_count(keeper), 1);
    /* It has heard nobody this time: what it began with stays. */
    stop_all();
    keeper = start((struct dht_service_options){.state = store, .is_passing = true}, "127.0.0.3:0");
    again = dht_node_id(dht_service_node(keeper, ADDRESS_IPV4));
    assert_false(dht_id_equal(&id, &again));
    assert_int_equal(node_count(keeper), 1);
    stop_all();
    keeper =
        start((struct dht_service_options){.state = store, .without_record = true}, "127.0.0.3:0");
    assert_int_equal(node_count(keeper), 0);
    stop_all();
    struct buffer record = {0};
    assert_int_equal(dht_record_load(store, ADDRESS_IPV4, &record), FRESHET_OK);
    assert_memory_equal(record.data + 2, id.bytes, DHT_ID_SIZE);
    buffer_deinit(&record);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void dht_service_takes_the_next_free_port(void **state)
{
    struct dht_service *first = start((struct dht_service_options){0}, NULL);
    uint16_t port = dht_service_address(first, ADDRESS_IPV4).port;
    char text[DHT_SERVICE_TEXT_SIZE];
    struct dht_service *none = NULL;

    (void)state;
    struct dht_service *second = start((struct dht_service_options){.port = port}, NULL);
    assert_true(dht_service_address(second, ADDRESS_IPV4).port > port);
    struct dht_service_options taken = {.listen = dht_service_address(first, ADDRESS_IPV4)};
    assert_int_equal(dht_service_new(&taken, text, &none), FRESHET_ERROR_BUSY);
    assert_non_null(strstr(text, "cannot listen on 0.0.0.0:"));
}

static int signal_seen;

static void on_signal(void *context, int signal_number)
{
    (void)context;
    signal_seen = signal_number;
    dht_service_stop(services[0]);
}

static void stop_at_tick(void *context)
{
    (void)context;
    raise(SIGTERM);
}

static void dht_service_runs_until_a_signal_stops_it(void **state)
{
    (void)state;
    struct dht_service *service = start(
        (struct dht_service_options){.tick_ms = 5, .on_tick = stop_at_tick, .on_signal = on_signal},
        "127.0.0.2:0");
    dht_service_run(service);
    assert_int_equal(signal_seen, SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(dht_service_finds_what_another_announced, tear_down),
        cmocka_unit_test_teardown(dht_service_keeps_its_id_and_its_nodes, tear_down),
        cmocka_unit_test_teardown(dht_service_takes_the_next_free_port, tear_down),
        cmocka_unit_test_teardown(dht_service_runs_until_a_signal_stops_it, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
