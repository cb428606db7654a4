/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/socket_address.h"
#include "host/stream_sockets.h"
#include "tests/host/temporary_folder.h"

#include <errno.h>
#include <netinet/in.h>

#define FILE_LENGTH 300000u

/* Sockets with a pretend engine: a script of what comes next on the one connection. */
struct fixture {
    uv_loop_t loop;
    uv_timer_t keep_alive;
    struct block_memory memory;
    struct disk *disk;
    struct stream_sockets *sockets;
    struct address bound;
    char *folder;
    struct storage_file file;
    struct storage_layout layout;
    struct file_stat stats[2];
    job_id job_done;

    struct receive_plan plans[8]; /* length 0: `protocol` bytes are taken, then the next plan */
    uint32_t protocol[8];
    size_t plan_now, plan_count;
    uint8_t received[70000];
    size_t received_length;
    size_t decrypt_at; /* after so many bytes were received; 0: never */
    struct rc4 cipher;
    uint32_t payload;
    conn_id conn;
    uint32_t accepted, connected, closed, sent, done;
    enum freshet_error close_error;
};

static void on_job_done(void *context, struct event *event)
{
    ((struct fixture *)context)->job_done = event->job;
}

static void next_plan(struct fixture *fixture)
{
    if (fixture->plan_now < fixture->plan_count)
        fixture->plan_now++;
}

static void on_received(struct fixture *fixture, struct event *event)
{
    bool last = fixture->plan_now >= fixture->plan_count;
    size_t wanted = last ? event->bytes.length : fixture->protocol[fixture->plan_now];

    event->consumed = event->bytes.length < wanted ? event->bytes.length : wanted;
    assert_true(fixture->received_length + event->consumed <= sizeof fixture->received);
    memcpy(fixture->received + fixture->received_length, event->bytes.data, event->consumed);
    bool was_before = fixture->received_length < fixture->decrypt_at;
    fixture->received_length += event->consumed;
    if (was_before && fixture->received_length >= fixture->decrypt_at)
        event->decrypt = &fixture->cipher;
    if (last)
        return;
    fixture->protocol[fixture->plan_now] -= (uint32_t)event->consumed;
    if (fixture->protocol[fixture->plan_now] == 0)
        next_plan(fixture);
}

static void on_payload(struct fixture *fixture, const struct event *event)
{
    struct receive_plan *plan = &fixture->plans[fixture->plan_now];

    assert_true(event->length <= plan->length);
    fixture->payload += event->length;
    plan->length -= event->length;
    plan->offset += event->length;
    if (plan->length == 0)
        next_plan(fixture);
}

static void on_event(void *context, struct event *event)
{
    struct fixture *fixture = context;

    switch (event->type) {
    case EVENT_ACCEPTED:
        fixture->accepted++;
        fixture->conn = event->conn;
        break;
    case EVENT_CONNECTED: fixture->connected++; break;
    case EVENT_CLOSED:
        fixture->closed++;
        fixture->close_error = event->error;
        break;
    case EVENT_RECEIVED: on_received(fixture, event); break;
    case EVENT_PAYLOAD: on_payload(fixture, event); break;
    case EVENT_SENT:
        fixture->sent += event->length;
        fixture->done += event->done;
        break;
    default: fail();
    }
}

static void on_plan(void *context, conn_id conn, struct receive_plan *ret_plan)
{
    struct fixture *fixture = context;

    (void)conn;
    if (fixture->plan_now < fixture->plan_count)
        *ret_plan = fixture->plans[fixture->plan_now];
}

static void on_keep_alive(uv_timer_t *timer)
{
    (void)timer;
}

static uint8_t file_byte(uint32_t at)
{
    return (uint8_t)(at * 13 + at / 977);
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
    while (fixture->job_done != 1)
        uv_run(&fixture->loop, UV_RUN_ONCE);
}

static void fixture_init(struct fixture *fixture, uint32_t connections_max)
{
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
                                             .connections_max = connections_max,
                                             .event = on_event,
                                             .receive_plan = on_plan,
                                             .context = fixture};
    fixture->sockets = stream_sockets_new(&options);
    struct address any = address_ipv4((const uint8_t[]){127, 0, 0, 1}, 0);
    assert_int_equal(stream_sockets_listen(fixture->sockets, &any, &fixture->bound), FRESHET_OK);
    open_storage(fixture);
}

static void fixture_deinit(struct fixture *fixture)
{
    stream_sockets_free(fixture->sockets);
    disk_free(fixture->disk);
    uv_close((uv_handle_t *)&fixture->keep_alive, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    block_memory_deinit(&fixture->memory);
    temporary_folder_drop(fixture->folder);
}

static int plain_connect(const struct fixture *fixture)
{
    struct sockaddr_storage to;
    socklen_t length = socket_address_to(&fixture->bound, false, &to);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&to, length), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

#define RUN_UNTIL(fixture, condition)                                                              \
    do                                                                                             \
        uv_run(&(fixture)->loop, UV_RUN_ONCE);                                                     \
    while (!(condition))

static void stream_sockets_put_payload_where_the_plan_says(void **state)
{
    struct fixture fixture;
    static uint8_t bytes[40000];

    (void)state;
    fixture_init(&fixture, 8);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 255);
    fixture.plan_count = 5;
    fixture.plans[0].block = BLOCK_NONE;
    fixture.protocol[0] = 10;
    fixture.plans[1] = (struct receive_plan){.block = 3, .offset = 100, .length = 5000};
    fixture.plans[2] = (struct receive_plan){.block = BLOCK_NONE, .length = 20000};
    fixture.protocol[3] = 7;
    fixture.plans[3].block = BLOCK_NONE;
    fixture.plans[4] = (struct receive_plan){.block = 4, .offset = 0, .length = 14000};
    int fd = plain_connect(&fixture);
    for (size_t done = 0; done < sizeof bytes;) { /* in odd parts */
        size_t part = done % 3000 + 1 < sizeof bytes - done ? done % 3000 + 1 : sizeof bytes - done;
        ssize_t wrote = write(fd, bytes + done, part);
        if (wrote > 0)
            done += (size_t)wrote;
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
    }
    RUN_UNTIL(&fixture, fixture.received_length + fixture.payload == sizeof bytes);
    assert_int_equal(fixture.payload, 39000);
    assert_memory_equal(fixture.received, bytes, 10);
    assert_memory_equal(block_memory_at(&fixture.memory, 3) + 100, bytes + 10, 5000);
    assert_memory_equal(fixture.received + 10, bytes + 25010, 7);
    assert_memory_equal(block_memory_at(&fixture.memory, 4), bytes + 25017, 14000);
    assert_memory_equal(fixture.received + 17, bytes + 39017, 983);
    close(fd);
    RUN_UNTIL(&fixture, fixture.closed == 1);
    assert_int_equal(fixture.close_error, FRESHET_ERROR_CLOSED);
    assert_int_equal(stream_sockets_count(fixture.sockets), 0);
    fixture_deinit(&fixture);
}

static void send_all(struct fixture *fixture, int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t wrote = write(fd, bytes, length);
        if (wrote > 0) {
            bytes += wrote;
            length -= (size_t)wrote;
        }
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
}

/* A limit that is reached in the middle of a turn: what follows stays in the socket. */
static void stream_sockets_read_at_most_a_block_past_a_limit(void **state)
{
    struct fixture fixture;
    static uint8_t bytes[4 * LIMIT_BLOCK_SIZE];

    (void)state;
    fixture_init(&fixture, 8);
    fixture.plan_count = 2;
    fixture.plans[0] = (struct receive_plan){.block = 3, .length = 5000, .is_limited = true};
    fixture.plans[1] = (struct receive_plan){.block = BLOCK_NONE, .is_limited = true, .held = true};
    fixture.protocol[1] = sizeof bytes;
    int fd = plain_connect(&fixture);
    send_all(&fixture, fd, bytes, sizeof bytes);
    RUN_UNTIL(&fixture, fixture.payload == 5000);
    for (int i = 0; i < 20; i++)
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
    assert_in_range(fixture.payload + fixture.received_length, 5000, 5000 + LIMIT_BLOCK_SIZE);
    fixture.plans[1].held = false;
    RUN_UNTIL(&fixture, fixture.payload + fixture.received_length == sizeof bytes);
    close(fd);
    RUN_UNTIL(&fixture, fixture.closed == 1);
    fixture_deinit(&fixture);
}

static void read_some(int fd, uint8_t *bytes, size_t size, size_t *length)
{
    ssize_t got = read(fd, bytes + *length, size - *length);

    if (got > 0)
        *length += (size_t)got;
}

static void stream_sockets_send_header_files_and_padding(void **state)
{
    struct fixture fixture;
    static uint8_t got[140000];
    size_t length = 0;
    struct file_range ranges[] = {{0, 100000, 50000}, {FILE_PADDING, 9000, 0}, {0, 20000, 1}};

    (void)state;
    fixture_init(&fixture, 8);
    int fd = plain_connect(&fixture), small = 20000;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    RUN_UNTIL(&fixture, fixture.accepted == 1);
    struct action action = {.type = ACTION_SEND,
                            .conn = fixture.conn,
                            .bytes = BYTES_LITERAL("header"),
                            .storage = 5,
                            .ranges = ranges,
                            .range_count = 3};
    stream_sockets_send(fixture.sockets, &action);
    while (length < 129006) {
        uv_run(&fixture.loop, UV_RUN_NOWAIT);
        read_some(fd, got, sizeof got, &length);
    }
    assert_int_equal(length, 129006);
    RUN_UNTIL(&fixture, fixture.done == 1);
    assert_int_equal(fixture.sent, 129006);
    assert_memory_equal(got, "header", 6);
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(got[6 + i], file_byte(50000 + i));
    for (uint32_t i = 0; i < 9000; i++)
        assert_int_equal(got[100006 + i], 0);
    for (uint32_t i = 0; i < 20000; i++)
        assert_int_equal(got[109006 + i], file_byte(1 + i));
    close(fd);
    fixture_deinit(&fixture);
}

static void stream_sockets_send_a_block_of_a_thousand_ranges(void **state)
{
    struct fixture fixture;
    static uint8_t got[20000];
    size_t length = 0;
    struct file_range ranges[1000];

    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        ranges[i] = i % 10 == 9 ? (struct file_range){FILE_PADDING, 7, 0}
                                : (struct file_range){0, 16, 250 * i};
    fixture_init(&fixture, 8);
    int fd = plain_connect(&fixture);
    RUN_UNTIL(&fixture, fixture.accepted == 1);
    struct action action = {.type = ACTION_SEND,
                            .conn = fixture.conn,
                            .bytes = BYTES_LITERAL("header"),
                            .storage = 5,
                            .ranges = ranges,
                            .range_count = 1000};
    stream_sockets_send(fixture.sockets, &action);
    memset(ranges, 0xff, sizeof ranges); /* they are the caller's again */
    while (length < 6 + 900 * 16 + 100 * 7) {
        uv_run(&fixture.loop, UV_RUN_ONCE);
        read_some(fd, got, sizeof got, &length);
    }
    RUN_UNTIL(&fixture, fixture.done == 1);
    assert_int_equal(fixture.sent, 6 + 900 * 16 + 100 * 7);
    const uint8_t *at = got + 6;
    for (uint32_t i = 0; i < 1000; i++) {
        for (uint32_t j = 0; j < (i % 10 == 9 ? 7 : 16); j++)
            assert_int_equal(*at++, i % 10 == 9 ? 0 : file_byte(250 * i + j));
    }
    close(fd);
    fixture_deinit(&fixture);
}

/* As after a handshake of encryption: ten bytes in the clear, then none, wherever they go. */
static void stream_sockets_decrypt_from_the_byte_that_is_said(void **state)
{
    struct fixture fixture;
    static uint8_t bytes[40000], wire[40000];

    (void)state;
    for (size_t step = 700; step <= sizeof wire; step += 13100) {
        fixture_init(&fixture, 8);
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = wire[i] = (uint8_t)(i * 31 + i / 255);
        rc4_init(&fixture.cipher, (const uint8_t *)"key", 3);
        struct rc4 other = fixture.cipher;
        rc4_apply(&other, wire + 10, sizeof wire - 10);
        fixture.decrypt_at = 10;
        fixture.plan_count = 5;
        fixture.plans[0].block = BLOCK_NONE;
        fixture.protocol[0] = 10;
        fixture.plans[1] = (struct receive_plan){.block = 3, .offset = 100, .length = 5000};
        fixture.plans[2] = (struct receive_plan){.block = BLOCK_NONE, .length = 20000};
        fixture.protocol[3] = 7;
        fixture.plans[3].block = BLOCK_NONE;
        fixture.plans[4] = (struct receive_plan){.block = 4, .offset = 0, .length = 14000};
        int fd = plain_connect(&fixture);
        for (size_t done = 0; done < sizeof wire;) {
            ssize_t wrote =
                write(fd, wire + done, step < sizeof wire - done ? step : sizeof wire - done);
            if (wrote > 0)
                done += (size_t)wrote;
            uv_run(&fixture.loop, UV_RUN_NOWAIT);
        }
        RUN_UNTIL(&fixture, fixture.received_length + fixture.payload == sizeof bytes);
        assert_memory_equal(fixture.received, bytes, 10);
        assert_memory_equal(block_memory_at(&fixture.memory, 3) + 100, bytes + 10, 5000);
        assert_memory_equal(fixture.received + 10, bytes + 25010, 7);
        assert_memory_equal(block_memory_at(&fixture.memory, 4), bytes + 25017, 14000);
        assert_memory_equal(fixture.received + 17, bytes + 39017, 983);
        close(fd);
        fixture_deinit(&fixture);
    }
}

static void finish_send(struct fixture *fixture, int fd, uint32_t done, uint8_t *got, size_t size,
                        size_t *length)
{
    while (fixture->done < done) {
        uv_run(&fixture->loop, UV_RUN_NOWAIT);
        read_some(fd, got, size, length);
    }
}

/* Through a small pipe: what was encrypted and did not fit goes out later as it is. */
static void stream_sockets_encrypt_each_later_send(void **state)
{
    struct fixture fixture;
    static uint8_t got[300000];
    size_t length = 0;
    struct rc4 cipher;
    struct file_range ranges[] = {{0, 100000, 50000}, {FILE_PADDING, 9000, 0}, {0, 20000, 1}};
    struct file_range many[100];

    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        many[i] = (struct file_range){0, 16, 250 * i};
    fixture_init(&fixture, 8);
    int fd = plain_connect(&fixture), small = 20000;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    RUN_UNTIL(&fixture, fixture.accepted == 1);
    struct action action = {.type = ACTION_SEND,
                            .conn = fixture.conn,
                            .bytes = BYTES_LITERAL("in the clear"),
                            .storage = 5,
                            .ranges = ranges};
    stream_sockets_send(fixture.sockets, &action);
    finish_send(&fixture, fd, 1, got, sizeof got, &length);
    rc4_init(&cipher, (const uint8_t *)"key", 3);
    stream_sockets_encrypt(fixture.sockets, fixture.conn, &cipher);
    action.bytes = BYTES_LITERAL("header");
    action.range_count = 3;
    stream_sockets_send(fixture.sockets, &action);
    finish_send(&fixture, fd, 2, got, sizeof got, &length);
    action.bytes = BYTES_LITERAL("more");
    action.ranges = many;
    action.range_count = 100;
    stream_sockets_send(fixture.sockets, &action);
    finish_send(&fixture, fd, 3, got, sizeof got, &length);
    while (length < 12 + 129006 + 1604)
        read_some(fd, got, sizeof got, &length);
    assert_int_equal(fixture.sent, 12 + 129006 + 1604);
    assert_memory_equal(got, "in the clear", 12);
    assert_memory_not_equal(got + 12, "header", 6);
    rc4_apply(&cipher, got + 12, 129006 + 1604);
    const uint8_t *at = got + 12;
    assert_memory_equal(at, "header", 6);
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(at[6 + i], file_byte(50000 + i));
    for (uint32_t i = 0; i < 9000; i++)
        assert_int_equal(at[100006 + i], 0);
    for (uint32_t i = 0; i < 20000; i++)
        assert_int_equal(at[109006 + i], file_byte(1 + i));
    at += 129006;
    assert_memory_equal(at, "more", 4);
    for (uint32_t i = 0; i < 1600; i++)
        assert_int_equal(at[4 + i], file_byte(250 * (i / 16) + i % 16));
    close(fd);
    fixture_deinit(&fixture);
}

static void stream_sockets_close_when_a_file_to_encrypt_became_shorter(void **state)
{
    struct fixture fixture;
    char path[TEMPORARY_PATH];
    struct rc4 cipher;
    struct file_range range = {0, 100000, 100000};

    (void)state;
    fixture_init(&fixture, 8);
    int fd = plain_connect(&fixture);
    RUN_UNTIL(&fixture, fixture.accepted == 1);
    rc4_init(&cipher, (const uint8_t *)"key", 3);
    stream_sockets_encrypt(fixture.sockets, fixture.conn, &cipher);
    assert_int_equal(truncate(temporary_path(fixture.folder, "file", path), 100001), 0);
    struct action action = {.type = ACTION_SEND,
                            .conn = fixture.conn,
                            .bytes = BYTES_LITERAL("h"),
                            .storage = 5,
                            .ranges = &range,
                            .range_count = 1};
    stream_sockets_send(fixture.sockets, &action);
    RUN_UNTIL(&fixture, fixture.closed == 1);
    assert_int_equal(fixture.close_error, FRESHET_ERROR_IO);
    close(fd);
    fixture_deinit(&fixture);
}

static void stream_sockets_close_while_a_block_is_gathered(void **state)
{
    struct fixture fixture;
    struct file_range ranges[100];

    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        ranges[i] = (struct file_range){0, 16, FILE_LENGTH - 16 + i};
    fixture_init(&fixture, 8);
    int fd = plain_connect(&fixture);
    RUN_UNTIL(&fixture, fixture.accepted == 1);
    struct action action = {.type = ACTION_SEND,
                            .conn = fixture.conn,
                            .bytes = BYTES_LITERAL("header"),
                            .storage = 5,
                            .ranges = ranges,
                            .range_count = 100};
    stream_sockets_send(fixture.sockets, &action);
    stream_sockets_close(fixture.sockets, fixture.conn);
    /* Another one asks for what the file does not have. */
    int other = plain_connect(&fixture);
    RUN_UNTIL(&fixture, fixture.accepted == 2);
    action.conn = fixture.conn;
    stream_sockets_send(fixture.sockets, &action);
    RUN_UNTIL(&fixture, fixture.closed == 1);
    assert_int_equal(fixture.close_error, FRESHET_ERROR_IO);
    close(fd);
    close(other);
    fixture_deinit(&fixture);
}

static void stream_sockets_close_when_a_file_became_shorter(void **state)
{
    struct fixture fixture;
    char path[TEMPORARY_PATH];
    struct file_range range = {0, 16384, 100000};

    (void)state;
    fixture_init(&fixture, 8);
    int fd = plain_connect(&fixture);
    RUN_UNTIL(&fixture, fixture.accepted == 1);
    assert_int_equal(truncate(temporary_path(fixture.folder, "file", path), 1000), 0);
    struct action action = {.type = ACTION_SEND,
                            .conn = fixture.conn,
                            .bytes = BYTES_LITERAL("h"),
                            .storage = 5,
                            .ranges = &range,
                            .range_count = 1};
    stream_sockets_send(fixture.sockets, &action);
    RUN_UNTIL(&fixture, fixture.closed == 1);
    assert_int_equal(fixture.close_error, FRESHET_ERROR_IO);
    close(fd);
    fixture_deinit(&fixture);
}

static void stream_sockets_read_nothing_while_paused(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture, 8);
    int fd = plain_connect(&fixture);
    RUN_UNTIL(&fixture, fixture.accepted == 1);
    stream_sockets_pause(fixture.sockets, fixture.conn, true);
    assert_int_equal(write(fd, "hello", 5), 5);
    for (int i = 0; i < 5; i++)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_int_equal(fixture.received_length, 0);
    stream_sockets_pause(fixture.sockets, fixture.conn, false);
    RUN_UNTIL(&fixture, fixture.received_length == 5);
    close(fd);
    fixture_deinit(&fixture);
}

static void stream_sockets_connect_to_one_another(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture, 8);
    stream_sockets_connect(fixture.sockets, 1, &fixture.bound, TRANSPORT_TCP);
    RUN_UNTIL(&fixture, fixture.connected == 1 && fixture.accepted == 1);
    assert_true(fixture.conn >= CONN_INBOUND);
    struct action action = {
        .type = ACTION_SEND, .conn = 1, .bytes = BYTES_LITERAL("over the wire")};
    stream_sockets_send(fixture.sockets, &action);
    RUN_UNTIL(&fixture, fixture.received_length == 13);
    assert_memory_equal(fixture.received, "over the wire", 13);
    stream_sockets_close(fixture.sockets, 1);
    RUN_UNTIL(&fixture, fixture.closed == 1);
    stream_sockets_close(fixture.sockets, 1);
    stream_sockets_send(fixture.sockets, &action);
    fixture_deinit(&fixture);
}

static void stream_sockets_tell_a_refused_connection(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture, 8);
    stream_sockets_stop_listening(fixture.sockets);
    stream_sockets_connect(fixture.sockets, 1, &fixture.bound, TRANSPORT_TCP);
    while (fixture.closed == 0)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_int_equal(fixture.close_error, FRESHET_ERROR_CONNECTION);
    assert_int_equal(fixture.connected, 0);
    fixture_deinit(&fixture);
}

static void stream_sockets_refuse_more_than_their_number(void **state)
{
    struct fixture fixture;
    int fds[5];
    uint8_t byte;

    (void)state;
    fixture_init(&fixture, 3);
    for (int i = 0; i < 5; i++)
        fds[i] = plain_connect(&fixture);
    int ended = 0;
    while (ended < 2) {
        uv_run(&fixture.loop, UV_RUN_ONCE);
        ended = 0;
        for (int i = 0; i < 5; i++)
            ended += read(fds[i], &byte, 1) == 0 || errno == ECONNRESET;
    }
    assert_int_equal(fixture.accepted, 3);
    assert_int_equal(stream_sockets_count(fixture.sockets), 3);
    for (int i = 0; i < 5; i++)
        close(fds[i]);
    fixture_deinit(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_sockets_put_payload_where_the_plan_says),
        cmocka_unit_test(stream_sockets_read_at_most_a_block_past_a_limit),
        cmocka_unit_test(stream_sockets_send_header_files_and_padding),
        cmocka_unit_test(stream_sockets_send_a_block_of_a_thousand_ranges),
        cmocka_unit_test(stream_sockets_decrypt_from_the_byte_that_is_said),
        cmocka_unit_test(stream_sockets_encrypt_each_later_send),
        cmocka_unit_test(stream_sockets_close_when_a_file_to_encrypt_became_shorter),
        cmocka_unit_test(stream_sockets_close_while_a_block_is_gathered),
        cmocka_unit_test(stream_sockets_close_when_a_file_became_shorter),
        cmocka_unit_test(stream_sockets_read_nothing_while_paused),
        cmocka_unit_test(stream_sockets_connect_to_one_another),
        cmocka_unit_test(stream_sockets_tell_a_refused_connection),
        cmocka_unit_test(stream_sockets_refuse_more_than_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
