/* SPDX-License-Identifier: MIT */
/* planted: core/utp/utp_connection_input.c */
/* finds: internal check failed: packet->position == position :: utp_send_queue.c */
/*
 * Two ends and a network that does as the input says: each packet on its way is delivered, lost,
 * doubled or overtaken; the ends write, read, close, and wait; and somebody in between sends
 * packets of his own, random ones and ones whose numbers are nearly right. Without him every byte
 * that arrives is compared; with him only the invariants hold. covers: core/utp/utp_connection.c
 * core/utp/utp_connection_input.c core/utp/utp_mux.c core/utp/utp_send_queue.c
 * core/utp/utp_reorder.c core/utp/utp_packet.c max_len: 4096
 */
#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/utp/utp_mux.h"

#include <string.h>

#define STEPS_MAX  600u
#define AIR_MAX    64u
#define CONN       1u
#define INBOUND    0xc0000000u
#define BUFFER_MAX 16384u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct flying {
    uint8_t from;
    uint32_t length;
    uint8_t bytes[1500];
};

struct end {
    struct utp_mux *mux;
    struct address address;
    conn_id conn;
    bool has, closed, reads;
    uint64_t written, read;
};

struct run {
    struct end ends[2];
    struct flying *air[AIR_MAX]; /* in the order in which they were sent */
    uint32_t air_count;
    int64_t now;
    bool is_hostile;
    struct utp_packet last[2]; /* that each sent */
    struct utp_output output;
};

static uint8_t byte_at(const struct end *end, uint64_t position)
{
    return (uint8_t)(position * 31 + (position >> 8) + (end->conn == CONN));
}

static struct flying *take(struct run *run, uint32_t at)
{
    struct flying *flying = run->air[at];
    memmove(&run->air[at], &run->air[at + 1], (run->air_count - at - 1) * sizeof *run->air);
    run->air_count--;
    return flying;
}

static void post(struct run *run, uint8_t from, const uint8_t *bytes, uint32_t length)
{
    CHECK(length <= sizeof run->air[0]->bytes);
    if (run->air_count == AIR_MAX)
        memory_free(take(run, 0));
    struct flying *flying = memory_new(sizeof *flying);
    flying->from = from;
    flying->length = length;
    memcpy(flying->bytes, bytes, length);
    run->air[run->air_count++] = flying;
    CHECK(utp_packet_parse((struct bytes){flying->bytes, length}, &run->last[from]) == FRESHET_OK);
    run->last[from].sack = run->last[from].payload = (struct bytes){NULL, 0};
}

static void send_all(struct run *run, uint8_t from)
{
    static uint8_t whole[UTP_RUN_BYTES + 1500];
    const struct utp_output *output = &run->output;
    while (utp_mux_output(run->ends[from].mux, run->now, &run->output)) {
        uint32_t length = 0;
        for (uint32_t i = 0; i < output->piece_count; i++) {
            CHECK(length + output->pieces[i].length <= sizeof whole);
            memcpy(whole + length, output->pieces[i].data, output->pieces[i].length);
            length += (uint32_t)output->pieces[i].length;
        }
        CHECK(length == output->bytes);
        for (uint32_t at = 0; at < length; at += output->packet_size) {
            uint32_t left = length - at;
            post(run, from, whole + at, left < output->packet_size ? left : output->packet_size);
        }
    }
}

static void read_all(struct run *run, struct end *end)
{
    struct bytes bytes;
    while (end->has && (bytes = utp_mux_peek(end->mux, end->conn)).length) {
        size_t length = bytes.length > 1000 ? 1000 : bytes.length;
        const struct end *other = &run->ends[end == &run->ends[0]];
        for (size_t i = 0; i < length && !run->is_hostile; i++)
            CHECK(bytes.data[i] == byte_at(other, end->read + i));
        end->read += length;
        CHECK(run->is_hostile || end->read <= other->written);
        utp_mux_consume(end->mux, end->conn, length);
    }
}

static void settle(struct run *run, uint8_t which)
{
    struct end *end = &run->ends[which];
    struct utp_event event;
    while (utp_mux_event(end->mux, &event)) {
        if (event.what & UTP_EVENT_ACCEPTED && !end->has) {
            end->has = true;
            end->conn = event.conn;
        }
        if (event.conn != end->conn) {
            utp_mux_close(end->mux, run->now, event.conn); /* a hostile one's */
            continue;
        }
        CHECK(!end->closed);
        if (event.what & UTP_EVENT_READABLE && end->reads)
            read_all(run, end);
        if (event.what & UTP_EVENT_ENDED && !run->is_hostile)
            CHECK(end->read == run->ends[!which].written);
        if (event.what & UTP_EVENT_CLOSED)
            end->closed = true;
    }
    send_all(run, which);
    utp_mux_check(end->mux);
    struct utp_status status;
    if (end->has && utp_mux_status(end->mux, end->conn, &status))
        CHECK(status.flight <= BUFFER_MAX);
    CHECK(utp_mux_count(end->mux) <= 4);
    /* Rings, records of packets, and what waits of the other. */
    CHECK(utp_mux_memory(end->mux) <= (uint64_t)8 * (2 * BUFFER_MAX + 65536));
}

static void write_some(struct run *run, uint8_t which, uint32_t wanted)
{
    struct end *end = &run->ends[which];
    uint32_t length;
    uint8_t *at = end->has && !end->closed ? utp_mux_reserve(end->mux, end->conn, &length) : NULL;
    if (at == NULL)
        return;
    if (length > wanted)
        length = wanted;
    for (uint32_t i = 0; i < length; i++)
        at[i] = byte_at(end, end->written + i);
    end->written += length;
    utp_mux_commit(end->mux, end->conn, length);
    settle(run, which);
}

static void deliver(struct run *run, uint32_t at, bool keep)
{
    struct flying copy = *run->air[at];
    uint8_t to = !copy.from;
    if (!keep)
        memory_free(take(run, at));
    /* Exactly as long as it is, so that reading behind it is seen. */
    uint8_t *bytes = memory_copy(copy.bytes, copy.length);
    utp_mux_input(run->ends[to].mux, run->now,
                  &(struct utp_path){.remote = run->ends[copy.from].address},
                  (struct bytes){bytes, copy.length});
    settle(run, to);
    memory_free(bytes);
}

/* The one in between: a packet like the last one of that end, changed. */
static void forge(struct run *run, uint8_t from, const uint8_t *bytes, size_t length)
{
    struct utp_packet packet = run->last[from];
    uint8_t whole[UTP_HEAD_MAX + 600] = {0};
    uint8_t to = !from;
    if (length >= 5) {
        packet.type = (enum utp_type)(bytes[0] % 5);
        packet.seq = (uint16_t)(packet.seq + (int8_t)bytes[1] * (bytes[0] & 0x80 ? 100 : 1));
        packet.ack = (uint16_t)(packet.ack + (int8_t)bytes[2] * (bytes[0] & 0x40 ? 100 : 1));
        packet.window = (uint32_t)bytes[3] * 64;
        packet.id = (uint16_t)(packet.id + bytes[4] % 3 - 1 * (bytes[4] % 3 != 0));
        packet.sack = length >= 13 && bytes[0] & 0x20 ? (struct bytes){bytes + 5, 8}
                                                      : (struct bytes){NULL, 0};
    }
    size_t head = utp_packet_write_head(&packet, whole);
    size_t payload = packet.type == UTP_DATA ? length * 2 : 0;
    uint8_t *copy = memory_copy(whole, head + payload);
    utp_mux_input(run->ends[to].mux, run->now,
                  &(struct utp_path){.remote = run->ends[from].address},
                  (struct bytes){copy, head + payload});
    settle(run, to);
    memory_free(copy);
}

static void raw(struct run *run, uint8_t from, const uint8_t *bytes, size_t length)
{
    uint8_t *copy = memory_copy(bytes, length);
    utp_mux_input(run->ends[!from].mux, run->now,
                  &(struct utp_path){.remote = run->ends[from].address},
                  (struct bytes){copy, length});
    settle(run, !from);
    memory_free(copy);
}

static void wait_for(struct run *run, int64_t wait)
{
    run->now += wait;
    for (uint8_t i = 0; i < 2; i++) {
        utp_mux_tick(run->ends[i].mux, run->now);
        settle(run, i);
    }
}

static void step(struct run *run, uint8_t what, const uint8_t *bytes, size_t length)
{
    uint8_t which = what & 1, more = what >> 4;
    struct end *end = &run->ends[which];
    uint32_t at = run->air_count ? more % run->air_count : 0;
    switch (what >> 1 & 7) {
    case 0: /* most of what flies arrives */
        for (uint32_t i = 0; i <= more && run->air_count; i++)
            deliver(run, 0, false);
        break;
    case 1:
        if (run->air_count)
            deliver(run, at, which);
        break;
    case 2:
        if (run->air_count)
            memory_free(take(run, at));
        break;
    case 3: wait_for(run, (int64_t)(1u << more) * MILLISECOND_NS); break;
    case 4: write_some(run, which, (more + 1u) * 700); break;
    case 5:
        end->reads = more & 1;
        if (!end->closed)
            read_all(run, end);
        settle(run, which);
        break;
    case 6:
        if (run->is_hostile)
            (more & 1 ? raw : forge)(run, which, bytes, length);
        break;
    default:
        if (more >= 14)
            utp_mux_set_accepts(end->mux, more == 14);
        if (more != 7 || !end->has || end->closed)
            break;
        utp_mux_close(end->mux, run->now, end->conn);
        end->closed = true;
        settle(run, which);
    }
}

static void begin(struct run *run, uint8_t mode)
{
    run->now = 1000 * SECOND_NS;
    run->is_hostile = mode & 1;
    for (uint8_t i = 0; i < 2; i++) {
        struct utp_mux_options options = {.seed = mode + i,
                                          .policy = mode & 2 ? UTP_LEDBAT : UTP_LEDBAT_PLUS,
                                          .buffer_max = BUFFER_MAX,
                                          .connections_max = 4,
                                          .inbound_first = INBOUND,
                                          .accepts = true};
        run->ends[i].mux = utp_mux_new(&options);
        run->ends[i].address = address_ipv4((uint8_t[]){10, 0, 0, i}, 1);
        run->ends[i].reads = true;
    }
    run->ends[0].conn = CONN;
    run->ends[0].has = true;
    CHECK(utp_mux_connect(run->ends[0].mux, run->now, CONN, &run->ends[1].address) == FRESHET_OK);
    settle(run, 0);
    while (run->air_count && mode & 4)
        deliver(run, 0, false);
    if (mode & 8)
        write_some(run, 0, 12000);
    if (mode & 16)
        write_some(run, 1, 12000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct run *run = memory_new(sizeof *run);
    begin(run, data[0]);
    size_t at = 1;
    for (uint32_t steps = 0; at < size && steps < STEPS_MAX; steps++) {
        uint8_t what = data[at++];
        size_t length = 0;
        if ((what >> 1 & 7) == 6 && at < size) {
            length = data[at++];
            length = length < size - at ? length : size - at;
        }
        step(run, what, data + at, length);
        at += length;
    }
    for (uint8_t i = 0; i < 2; i++)
        utp_mux_free(run->ends[i].mux);
    while (run->air_count)
        memory_free(take(run, 0));
    memory_free(run);
    return 0;
}
