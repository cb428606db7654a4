/* SPDX-License-Identifier: MIT */
/* Streams over uTP as the door wants them: one socket that speaks with itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/stream_sockets.h"
#include "tests/host/temporary_folder.h"

#include <unistd.h>

#define FILE_LENGTH 3000000u
#define HEAD        "a head"

/* The connection 1 goes out, `accepted` comes in; what that one receives is compared. */
struct fixture {
    uv_loop_t loop;
    uv_prepare_t pump;
    uv_timer_t keep_alive;
    struct block_memory memory;
    struct disk *disk;
    struct stream_sockets *sockets;
    struct datagram_socket *datagrams;
    struct address bound;
    char *folder;
    struct storage_file file;
    struct storage_layout layout;
    struct file_stat stats[2];
    bool opened;

    uint32_t head, payload, other_datagrams;
    conn_id accepted;
    uint32_t connected, sent, done, closed;
    conn_id closed_conn; /* the first */
    enum freshet_error close_error;
};

static uint8_t file_byte(uint64_t at)
{
    return (uint8_t)(at * 13 + at / 977);
}

static void on_job_done(void *context, struct event *event)
{
    ((struct fixture *)context)->opened = event->error == FRESHET_OK;
}

static void take_payload(struct fixture *fixture, const uint8_t *bytes, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (bytes[i] != file_byte(fixture->payload + i))
            fail_msg("byte %u is wrong", fixture->payload + i);
    fixture->payload += length;
}

static void on_event(void *context, struct event *event)
{
    struct fixture *fixture = context;
    const uint8_t *block = block_memory_at(&fixture->memory, 2);

    switch (event->type) {
    case EVENT_ACCEPTED: fixture->accepted = event->conn; break;
    case EVENT_CONNECTED:
        assert_int_equal(event->conn, 1);
        assert_int_equal(event->transport, TRANSPORT_UTP);
        fixture->connected++;
        break;
    case EVENT_CLOSED:
        if (fixture->closed++ > 0)
            break;
        fixture->closed_conn = event->conn;
        fixture->close_error = event->error;
        break;
    case EVENT_RECEIVED:
        assert_int_equal(event->conn, fixture->accepted);
        event->consumed = sizeof HEAD - 1 - fixture->head;
        if (event->consumed > event->bytes.length)
            event->consumed = event->bytes.length;
        assert_memory_equal(event->bytes.data, HEAD + fixture->head, event->consumed);
        fixture->head += (uint32_t)event->consumed;
        break;
    case EVENT_PAYLOAD:
        take_payload(fixture, block + fixture->payload % LIMIT_BLOCK_SIZE, event->length);
        break;
    case EVENT_SENT:
        fixture->sent += event->length;
        fixture->done += event->done;
        break;
    case EVENT_DATAGRAM: fixture->other_datagrams++; break;
    default: fail();
    }
}

static void on_plan(void *context, conn_id conn, struct receive_plan *ret_plan)
{
    struct fixture *fixture = context;
    uint32_t offset = fixture->payload % LIMIT_BLOCK_SIZE;

    if (conn == fixture->accepted && fixture->head == sizeof HEAD - 1)
        *ret_plan = (struct receive_plan){
            .block = 2, .offset = offset, .length = LIMIT_BLOCK_SIZE - offset};
}

static void on_datagram(void *context, struct event *event)
{
    struct fixture *fixture = context;

    if (!utp_streams_input(stream_sockets_utp(fixture->sockets), event))
        on_event(context, event);
}

static void on_pump(uv_prepare_t *pump)
{
    struct fixture *fixture = pump->data;

    utp_streams_pump(stream_sockets_utp(fixture->sockets));
}

static void on_keep_alive(uv_timer_t *timer)
{
    (void)timer;
}

static void open_storage(struct fixture *fixture)
{
    uint8_t *bytes = malloc(FILE_LENGTH);
    struct disk_job job = {.id = 1,
                           .operation = DISK_OPEN,
                           .storage = 5,
                           .layout = &fixture->layout,
                           .ret_stats = fixture->stats};

    for (uint32_t i = 0; i < FILE_LENGTH; i++)
        bytes[i] = file_byte(i);
    temporary_write(fixture->folder, "file", bytes, FILE_LENGTH);
    free(bytes);
    fixture->file = (struct storage_file){.path = "file", .length = FILE_LENGTH, .wanted = true};
    fixture->layout = (struct storage_layout){.root = fixture->folder,
                                              .part_name = ".parts",
                                              .files = &fixture->file,
                                              .file_count = 1,
                                              .read_only = true};
    disk_submit(fixture->disk, &job);
    while (!fixture->opened)
        uv_run(&fixture->loop, UV_RUN_ONCE);
}

static void fixture_init(struct fixture *fixture)
{
    const struct address here = address_ipv4((const uint8_t[]){127, 0, 0, 1}, 0);

    memset(fixture, 0, sizeof *fixture);
    uv_loop_init(&fixture->loop);
    uv_timer_init(&fixture->loop, &fixture->keep_alive);
    uv_timer_start(&fixture->keep_alive, on_keep_alive, 5, 5);
    fixture->folder = temporary_folder_make();
    assert_int_equal(block_memory_init(&fixture->memory, 16), FRESHET_OK);
    struct disk_options disk = {.loop = &fixture->loop,
                                .pool = &fixture->memory,
                                .open_files_max = 16,
                                .job_done = on_job_done,
                                .context = fixture};
    fixture->disk = disk_new(&disk);
    struct stream_sockets_options options = {.loop = &fixture->loop,
                                             .pool = &fixture->memory,
                                             .disk = fixture->disk,
                                             .connections_max = 8,
                                             .event = on_event,
                                             .receive_plan = on_plan,
                                             .context = fixture};
    fixture->sockets = stream_sockets_new(&options);
    assert_int_equal(datagram_socket_open(&fixture->loop, &here, false, on_datagram, fixture,
                                          &fixture->datagrams),
                     FRESHET_OK);
    fixture->bound = datagram_socket_address(fixture->datagrams);
    stream_sockets_use_utp(fixture->sockets, fixture->datagrams, UTP_LEDBAT_PLUS);
    uv_prepare_init(&fixture->loop, &fixture->pump);
    fixture->pump.data = fixture;
    uv_prepare_start(&fixture->pump, on_pump);
    open_storage(fixture);
}

static void fixture_deinit(struct fixture *fixture)
{
    uv_close((uv_handle_t *)&fixture->pump, NULL);
    stream_sockets_free(fixture->sockets);
    datagram_socket_close(fixture->datagrams);
    disk_free(fixture->disk);
    uv_close((uv_handle_t *)&fixture->keep_alive, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    block_memory_deinit(&fixture->memory);
    temporary_folder_drop(fixture->folder);
}

#define RUN_UNTIL(fixture, condition)                                                              \
    do                                                                                             \
        uv_run(&(fixture)->loop, UV_RUN_ONCE);                                                     \
    while (!(condition))

static void connect_both(struct fixture *fixture, enum transport transport)
{
    stream_sockets_connect(fixture->sockets, 1, &fixture->bound, transport);
    RUN_UNTIL(fixture, fixture->connected == 1 && fixture->accepted != 0);
    assert_true(fixture->accepted >= CONN_INBOUND_UTP);
}

static void send_file(struct fixture *fixture, uint64_t offset, uint32_t length, bool head)
{
    struct file_range range = {.file = 0, .length = length, .offset = offset};
    struct action action = {
        .type = ACTION_SEND, .conn = 1, .storage = 5, .ranges = &range, .range_count = 1};

    if (head)
        action.bytes = BYTES_LITERAL(HEAD);
    stream_sockets_send(fixture->sockets, &action);
}

static void heads_and_files_arrive_in_their_blocks(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    connect_both(&fixture, TRANSPORT_UTP);
    for (uint32_t at = 0; at < FILE_LENGTH; at += 100000) {
        uint32_t done = fixture.done;
        send_file(&fixture, at, 100000, at == 0);
        RUN_UNTIL(&fixture, fixture.done == done + 1);
    }
    RUN_UNTIL(&fixture, fixture.payload == FILE_LENGTH);
    assert_int_equal(fixture.sent, FILE_LENGTH + sizeof HEAD - 1);
    assert_int_equal(fixture.closed, 0);
    fixture_deinit(&fixture);
}

static void who_is_paused_reads_nothing_and_loses_nothing(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    connect_both(&fixture, TRANSPORT_UTP);
    stream_sockets_pause(fixture.sockets, fixture.accepted, true);
    /* All of it waits, in our ring and in its buffer. */
    for (uint32_t at = 0; at < 500000; at += 100000) {
        uint32_t done = fixture.done;
        send_file(&fixture, at, 100000, at == 0);
        RUN_UNTIL(&fixture, fixture.done == done + 1);
    }
    for (int i = 0; i < 20; i++)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_int_equal(fixture.head + fixture.payload, 0);
    stream_sockets_pause(fixture.sockets, fixture.accepted, false);
    RUN_UNTIL(&fixture, fixture.payload == 500000);
    fixture_deinit(&fixture);
}

static void an_end_is_told_after_all_that_came_before(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    connect_both(&fixture, TRANSPORT_UTP);
    send_file(&fixture, 0, 50000, true);
    RUN_UNTIL(&fixture, fixture.done == 1);
    stream_sockets_close(fixture.sockets, 1);
    RUN_UNTIL(&fixture, fixture.closed == 1);
    assert_int_equal(fixture.payload, 50000);
    assert_int_equal(fixture.closed_conn, fixture.accepted);
    assert_int_equal(fixture.close_error, FRESHET_ERROR_CLOSED);
    assert_int_equal(stream_sockets_count(fixture.sockets), 0);
    send_file(&fixture, 0, 10, true); /* to one that is gone */
    fixture_deinit(&fixture);
}

static void a_file_that_became_shorter_closes_the_connection(void **state)
{
    struct fixture fixture;
    char path[4096];

    (void)state;
    fixture_init(&fixture);
    connect_both(&fixture, TRANSPORT_UTP);
    snprintf(path, sizeof path, "%s/file", fixture.folder);
    assert_int_equal(truncate(path, 1000), 0);
    send_file(&fixture, 0, 100000, true);
    RUN_UNTIL(&fixture, fixture.closed >= 1);
    assert_int_equal(fixture.closed_conn, 1);
    assert_int_equal(fixture.close_error, FRESHET_ERROR_IO);
    fixture_deinit(&fixture);
}

static void where_tcp_is_refused_utp_is_tried(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    stream_sockets_connect(fixture.sockets, 2, &fixture.bound, TRANSPORT_TCP);
    RUN_UNTIL(&fixture, fixture.closed == 1);
    assert_int_equal(fixture.closed_conn, 2);
    assert_int_equal(fixture.close_error, FRESHET_ERROR_CONNECTION);
    connect_both(&fixture, TRANSPORT_ANY);
    assert_int_equal(fixture.closed, 1);
    fixture_deinit(&fixture);
}

static void nobody_there_is_told(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    fixture.bound.port = 9; /* discard: nobody in a test */
    stream_sockets_connect(fixture.sockets, 1, &fixture.bound, TRANSPORT_UTP);
    RUN_UNTIL(&fixture, fixture.closed == 1);
    assert_int_equal(fixture.close_error, FRESHET_ERROR_TIMEOUT);
    fixture_deinit(&fixture);
}

static void on_another_socket_old_connections_end_and_new_ones_begin(void **state)
{
    const struct address here = address_ipv4((const uint8_t[]){127, 0, 0, 1}, 0);
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    connect_both(&fixture, TRANSPORT_UTP);
    struct datagram_socket *before = fixture.datagrams;
    assert_int_equal(datagram_socket_open(&fixture.loop, &here, false, on_datagram, &fixture,
                                          &fixture.datagrams),
                     FRESHET_OK);
    stream_sockets_use_utp(fixture.sockets, fixture.datagrams, UTP_LEDBAT_PLUS);
    datagram_socket_close(before);
    assert_int_equal(fixture.closed, 2);
    assert_int_equal(fixture.close_error, FRESHET_ERROR_CONNECTION);
    fixture.bound = datagram_socket_address(fixture.datagrams);
    conn_id first = fixture.accepted;
    fixture.connected = fixture.closed = 0;
    fixture.accepted = 0;
    connect_both(&fixture, TRANSPORT_UTP);
    assert_int_not_equal(fixture.accepted, first);
    send_file(&fixture, 0, 50000, true);
    RUN_UNTIL(&fixture, fixture.payload == 50000);
    fixture_deinit(&fixture);
}

static void other_datagrams_are_left_alone(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    datagram_socket_send(fixture.datagrams, &fixture.bound,
                         BYTES_LITERAL("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t1:a1:y1:qe"));
    datagram_socket_send(fixture.datagrams, &fixture.bound,
                         BYTES_LITERAL("\0\0\0\1 a tracker's reply"));
    RUN_UNTIL(&fixture, fixture.other_datagrams == 2);
    fixture_deinit(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_and_files_arrive_in_their_blocks),
        cmocka_unit_test(who_is_paused_reads_nothing_and_loses_nothing),
        cmocka_unit_test(an_end_is_told_after_all_that_came_before),
        cmocka_unit_test(a_file_that_became_shorter_closes_the_connection),
        cmocka_unit_test(where_tcp_is_refused_utp_is_tried),
        cmocka_unit_test(nobody_there_is_told),
        cmocka_unit_test(on_another_socket_old_connections_end_and_new_ones_begin),
        cmocka_unit_test(other_datagrams_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
