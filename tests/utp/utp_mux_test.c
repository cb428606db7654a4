/* SPDX-License-Identifier: MIT */
/* Beginnings and ends of connections, and those who mean harm. */
#include "tests/utp/utp_network.h"

#define KILO 1000u

struct pair {
    struct network net;
    struct net_stream *out, *in;
};

/* `head`: the options' accepted_head. */
static void open_pair_with_head(struct pair *pair, uint16_t head, uint64_t total)
{
    net_init(&pair->net, 23);
    pair->net.head = head;
    net_add(&pair->net, UTP_LEDBAT_PLUS, 0);
    net_add(&pair->net, UTP_LEDBAT_PLUS, 0);
    pair->out = net_connect(&pair->net, 0, 1, 1, total);
    net_run(&pair->net, pair->net.now + SECOND_NS);
    pair->in = net_accepted(&pair->net, 1, 0);
    assert_non_null(pair->in);
    assert_true(pair->out->open);
}

static void open_pair(struct pair *pair, uint64_t total)
{
    open_pair_with_head(pair, 0, total);
}

static void both_ends_know_a_connection_by_one_number(void **state)
{
    (void)state;
    struct pair pair;
    struct utp_status out, in;
    open_pair(&pair, KILO);
    assert_true(utp_mux_status(pair.net.ends[0].mux, pair.out->conn, &out));
    assert_true(utp_mux_status(pair.net.ends[1].mux, pair.in->conn, &in));
    assert_int_equal(out.syn_id, in.syn_id);
    net_check(&pair.net);
    net_deinit(&pair.net);
}

static void close_pair(struct pair *pair)
{
    net_check(&pair->net);
    net_deinit(&pair->net);
}

static void close_stream(struct network *net, struct net_stream *stream)
{
    utp_mux_close(net->ends[stream->end].mux, net->now, stream->conn);
    stream->closed = true;
    net_settle(net, stream->end);
}

/* A packet of our own making to end `to`, as if from end `from`. */
static void forge(struct network *net, uint8_t from, uint8_t to, const struct utp_packet *packet)
{
    uint8_t bytes[2000];
    uint8_t head[UTP_HEAD_MAX];
    size_t length = utp_packet_write_head(packet, head);
    memcpy(bytes, head, length);
    if (packet->payload.length)
        memcpy(bytes + length, packet->payload.data, packet->payload.length);
    utp_mux_input(net->ends[to].mux, net->now,
                  &(struct utp_path){.remote = net->ends[from].address},
                  (struct bytes){bytes, length + packet->payload.length});
    net_settle(net, to);
}

/* The last packet that end 0 sent. */
static struct utp_packet last_sent;

static void remember(struct network *net, struct net_packet *packet)
{
    (void)net;
    if (packet->from == 0)
        assert_int_equal(
            utp_packet_parse((struct bytes){packet->bytes, packet->length}, &last_sent), 0);
    last_sent.payload.length = last_sent.sack.length = 0;
}

static void both_ends_end_and_nothing_is_left(void **state)
{
    (void)state;
    for (uint32_t loss = 0; loss <= 100000; loss += 25000) {
        struct pair pair;
        open_pair(&pair, 0);
        pair.net.loss_ppm = loss;
        pair.out->total = 60 * KILO;
        pair.out->close_when_done = true;
        net_write(&pair.net, pair.out);
        net_run(&pair.net, pair.net.now + 20 * SECOND_NS);
        assert_int_equal(pair.in->read, 60 * KILO);
        assert_true(pair.in->ended);
        assert_false(pair.in->closed);
        close_stream(&pair.net, pair.in);
        net_run(&pair.net, pair.net.now + 40 * SECOND_NS);
        assert_int_equal(utp_mux_count(pair.net.ends[0].mux), 0);
        assert_int_equal(utp_mux_count(pair.net.ends[1].mux), 0);
        assert_int_equal(utp_mux_memory(pair.net.ends[0].mux), 0);
        close_pair(&pair);
    }
}

/* Lengths of the packets with payload that an end sent, in order. */
static uint32_t lengths[2][4], length_count[2];

static void measure(struct network *net, struct net_packet *packet)
{
    struct utp_packet parsed;
    (void)net;
    assert_int_equal(utp_packet_parse((struct bytes){packet->bytes, packet->length}, &parsed), 0);
    if (parsed.type == UTP_DATA && parsed.payload.length && length_count[packet->from] < 4)
        lengths[packet->from][length_count[packet->from]++] = (uint32_t)parsed.payload.length;
}

static void what_an_accepted_one_says_first_goes_alone(void **state)
{
    struct pair pair;
    (void)state;
    open_pair_with_head(&pair, 68, 0);
    pair.net.filter = measure;
    pair.in->total = pair.out->total = 400;
    net_write(&pair.net, pair.in);
    net_write(&pair.net, pair.out);
    net_settle(&pair.net, 0);
    net_settle(&pair.net, 1);
    net_run(&pair.net, pair.net.now + SECOND_NS);
    assert_int_equal(pair.out->read, 400);
    assert_int_equal(pair.in->read, 400);
    assert_int_equal(length_count[0], 1);
    assert_int_equal(lengths[0][0], 400);
    assert_int_equal(length_count[1], 2);
    assert_int_equal(lengths[1][0], 68);
    assert_int_equal(lengths[1][1], 332);
    close_pair(&pair);
}

/* One has ended; the other half goes on. */
static void a_half_open_connection_still_carries(void **state)
{
    struct pair pair;
    (void)state;
    open_pair(&pair, 0);
    pair.in->total = 100 * KILO;
    net_write(&pair.net, pair.in);
    close_stream(&pair.net, pair.in); /* written: it still goes out */
    net_run(&pair.net, pair.net.now + 5 * SECOND_NS);
    assert_int_equal(pair.out->read, 100 * KILO);
    assert_true(pair.out->ended);
    /* The end is told once, and we may write on to one who drops it: it acknowledges. */
    pair.out->total = 50 * KILO;
    net_write(&pair.net, pair.out);
    net_run(&pair.net, pair.net.now + 5 * SECOND_NS);
    struct utp_status status;
    assert_true(utp_mux_status(pair.net.ends[0].mux, 1, &status));
    assert_int_equal(status.flight, 0);
    close_stream(&pair.net, pair.out);
    net_run(&pair.net, pair.net.now + 10 * SECOND_NS);
    assert_int_equal(utp_mux_count(pair.net.ends[0].mux), 0);
    assert_int_equal(utp_mux_count(pair.net.ends[1].mux), 0);
    close_pair(&pair);
}

static void the_end_is_told_after_the_last_byte_is_read(void **state)
{
    struct pair pair;
    (void)state;
    open_pair(&pair, 0);
    pair.in->reads_slowly = true;
    pair.out->total = 5 * KILO;
    pair.out->close_when_done = true;
    net_write(&pair.net, pair.out);
    net_run(&pair.net, pair.net.now + SECOND_NS);
    assert_false(pair.in->ended);
    net_read(&pair.net, pair.in);
    net_settle(&pair.net, 1);
    assert_int_equal(pair.in->read, 5 * KILO);
    assert_true(pair.in->ended);
    close_pair(&pair);
}

static void one_who_does_not_end_is_given_up(void **state)
{
    struct pair pair;
    (void)state;
    open_pair(&pair, 0);
    close_stream(&pair.net, pair.out);
    net_run(&pair.net, pair.net.now + 29 * SECOND_NS);
    assert_int_equal(utp_mux_count(pair.net.ends[0].mux), 1);
    assert_true(pair.in->ended);
    net_run(&pair.net, pair.net.now + 2 * SECOND_NS);
    assert_int_equal(utp_mux_count(pair.net.ends[0].mux), 0);
    assert_true(pair.in->closed); /* by our reset */
    assert_int_equal(pair.in->error, FRESHET_ERROR_CONNECTION);
    close_pair(&pair);
}

static void silence_ends_a_connection(void **state)
{
    struct pair pair;
    (void)state;
    open_pair(&pair, 0);
    pair.net.ends[1].is_deaf = true;
    pair.out->total = 5 * KILO;
    net_write(&pair.net, pair.out);
    net_run(&pair.net, pair.net.now + 120 * SECOND_NS);
    assert_true(pair.out->closed);
    assert_int_equal(pair.out->error, FRESHET_ERROR_TIMEOUT);
    close_pair(&pair);
}

static void nobody_there_is_a_timeout_after_three_tries(void **state)
{
    struct network net;
    (void)state;
    net_init(&net, 29);
    net_add(&net, UTP_LEDBAT, 0);
    net_add(&net, UTP_LEDBAT, 0);
    net.ends[1].is_deaf = true;
    struct net_stream *out = net_connect(&net, 0, 1, 1, 0);
    net_run(&net, net.now + 20 * SECOND_NS);
    assert_true(out->closed);
    assert_int_equal(out->error, FRESHET_ERROR_TIMEOUT);
    assert_int_equal(net.ends[0].packets_out, 3);
    assert_int_equal(utp_mux_count(net.ends[0].mux), 0);
    net_deinit(&net);
}

/* One who keeps what a SYN began (we keep nothing): end 0 hears its answer late. */
static void who_answers_a_dial_that_is_over_hears_a_reset(void **state)
{
    struct network net;
    (void)state;
    net_init(&net, 31);
    net_add(&net, UTP_LEDBAT, 0);
    net_add(&net, UTP_LEDBAT, 0);
    net.ends[1].is_deaf = true;
    net.filter = remember;
    struct net_stream *out = net_connect(&net, 0, 1, 1, 0);
    net_settle(&net, 0);
    struct utp_packet syn = last_sent;
    assert_int_equal(syn.type, UTP_SYN);
    close_stream(&net, out);
    assert_int_equal(net.ends[0].packets_out, 1);
    struct utp_packet answer = {.type = UTP_STATE, .id = syn.id, .seq = 700, .ack = syn.seq};
    forge(&net, 1, 0, &answer);
    assert_int_equal(net.ends[0].packets_out, 2);
    assert_int_equal(last_sent.type, UTP_RESET);
    assert_int_equal(last_sent.id, (uint16_t)(syn.id + 1));
    assert_int_equal(last_sent.ack, 699);
    assert_int_equal(utp_mux_count(net.ends[0].mux), 0);
    close_stream(&net, net_connect(&net, 0, 1, 2, 0)); /* before its SYN: nobody was asked */
    assert_int_equal(net.ends[0].packets_out, 2);
    assert_int_equal(utp_mux_count(net.ends[0].mux), 0);
    out = net_connect(&net, 0, 1, 3, 0);
    net_settle(&net, 0);
    close_stream(&net, out);
    net_run(&net, net.now + 40 * SECOND_NS); /* no answer: no SYN more, and it is forgotten */
    assert_int_equal(net.ends[0].packets_out, 3);
    assert_int_equal(utp_mux_count(net.ends[0].mux), 0);
    net_deinit(&net);
}

static void who_was_forgotten_hears_a_reset(void **state)
{
    struct pair pair;
    struct utp_mux_options options = {.seed = 1, .inbound_first = NET_INBOUND, .accepts = true};
    (void)state;
    open_pair(&pair, 0);
    utp_mux_free(pair.net.ends[1].mux);
    pair.net.ends[1].mux = utp_mux_new(&options);
    pair.out->total = 100;
    net_write(&pair.net, pair.out);
    net_run(&pair.net, pair.net.now + SECOND_NS);
    assert_true(pair.out->closed);
    assert_int_equal(pair.out->error, FRESHET_ERROR_CONNECTION);
    close_pair(&pair);
}

static void a_flood_of_syns_leaves_nothing_and_gets_no_more_than_it_sent(void **state)
{
    struct network net;
    (void)state;
    net_init(&net, 31);
    net_add(&net, UTP_LEDBAT, 0);
    net_add(&net, UTP_LEDBAT, 0);
    uint64_t in = 0;
    for (uint32_t i = 0; i < 100000; i++) {
        struct utp_packet syn = {.type = UTP_SYN, .id = (uint16_t)i, .seq = (uint16_t)(i * 7)};
        forge(&net, 0, 1, &syn);
        in += UTP_HEADER_SIZE;
    }
    assert_int_equal(utp_mux_count(net.ends[1].mux), 0);
    assert_int_equal(utp_mux_memory(net.ends[1].mux), 0);
    assert_int_equal(utp_mux_deadline(net.ends[1].mux), HEAP_NEVER);
    assert_true(net.ends[1].bytes_out <= in);
    net_deinit(&net);
}

/* One who forges its address sees no answer and has to guess. */
static void guesses_open_no_connection(void **state)
{
    struct network net;
    uint64_t in = 0;
    (void)state;
    net_init(&net, 37);
    net_add(&net, UTP_LEDBAT, 0);
    net_add(&net, UTP_LEDBAT, 0);
    for (uint32_t i = 0; i < 65536; i++) {
        struct utp_packet data = {
            .type = UTP_DATA, .id = 8, .seq = 2, .ack = (uint16_t)i, .time_us = i * 65536};
        forge(&net, 0, 1, &data);
        in += UTP_HEADER_SIZE;
    }
    /* Each number was tried, with a clock that may be right by chance: one in 500. */
    assert_true(utp_mux_count(net.ends[1].mux) <= 1);
    assert_true(net.ends[1].bytes_out <= in);
    net_deinit(&net);
}

static void resets_that_name_no_packet_of_ours_are_refused(void **state)
{
    struct pair pair;
    (void)state;
    open_pair(&pair, 0);
    pair.net.filter = remember;
    pair.out->total = 3 * KILO;
    net_write(&pair.net, pair.out);
    net_run(&pair.net, pair.net.now + SECOND_NS);
    /* To end 1 as if from end 0; end 1 has sent no data: its number is what 0 acknowledges + 1. */
    struct utp_packet reset = {.type = UTP_RESET, .id = last_sent.id};
    for (uint32_t i = 3; i < 65530; i += 11) {
        reset.ack = (uint16_t)(last_sent.ack + i);
        forge(&pair.net, 0, 1, &reset);
    }
    assert_false(pair.in->closed);
    reset.ack = last_sent.ack;
    forge(&pair.net, 0, 1, &reset);
    assert_true(pair.in->closed);
    assert_int_equal(pair.in->error, FRESHET_ERROR_CONNECTION);
    close_pair(&pair);
}

/* Acknowledges each packet of the other's before it was sent. */
static void boast(struct network *net, struct net_packet *packet)
{
    (void)net;
    if (packet->from != 1 || packet->length < UTP_HEADER_SIZE)
        return;
    uint32_t ack = (uint32_t)(packet->bytes[18] << 8 | packet->bytes[19]) + 600;
    packet->bytes[18] = (uint8_t)(ack >> 8);
    packet->bytes[19] = (uint8_t)ack;
}

static void acknowledgements_of_what_was_never_sent_do_not_speed_us_up(void **state)
{
    struct pair pair;
    (void)state;
    open_pair(&pair, 0);
    pair.net.filter = boast;
    uint64_t before = pair.net.ends[0].bytes_out;
    pair.out->total = 1000 * KILO;
    net_write(&pair.net, pair.out);
    net_run(&pair.net, pair.net.now + 600 * SECOND_NS);
    assert_true(pair.out->closed);
    assert_true(pair.net.ends[0].bytes_out - before < 100 * KILO);
    close_pair(&pair);
}

static void liars_are_shown_out(void **state)
{
    struct pair pair;
    (void)state;
    open_pair(&pair, 0);
    pair.net.filter = remember;
    pair.out->total = 100;
    net_write(&pair.net, pair.out);
    net_run(&pair.net, pair.net.now + SECOND_NS);
    for (uint32_t i = 0; i < LIMIT_UTP_ACKS_UNSENT; i++) {
        struct utp_packet lie = last_sent;
        assert_false(pair.in->closed);
        lie.type = UTP_STATE;
        lie.ack = (uint16_t)(last_sent.ack + 1 + i);
        forge(&pair.net, 0, 1, &lie);
    }
    assert_true(pair.in->closed);
    assert_int_equal(pair.in->error, FRESHET_ERROR_PROTOCOL);
    close_pair(&pair);
}

/* All but the next packet, as far ahead and as much as it likes. */
static void what_is_held_out_of_order_is_bounded(void **state)
{
    static uint8_t filler[1400];
    struct pair pair;
    (void)state;
    open_pair(&pair, 0);
    pair.net.filter = remember;
    pair.out->total = 100;
    net_write(&pair.net, pair.out);
    net_run(&pair.net, pair.net.now + SECOND_NS);
    pair.net.filter = NULL;
    pair.net.ends[0].is_deaf = true;
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t i = 2; i < 65000; i++) {
            struct utp_packet packet = last_sent;
            packet.type = UTP_DATA;
            packet.seq = (uint16_t)(last_sent.seq + i);
            packet.payload = (struct bytes){filler, sizeof filler};
            forge(&pair.net, 0, 1, &packet);
        }
    assert_true(utp_mux_memory(pair.net.ends[1].mux) < LIMIT_UTP_BUFFER + 65536);
    net_check(&pair.net);
    close_pair(&pair);
}

static void too_many_connections_are_refused(void **state)
{
    struct network net;
    struct utp_mux_options options = {
        .seed = 5, .inbound_first = NET_INBOUND, .accepts = true, .connections_max = 3};
    (void)state;
    net_init(&net, 41);
    net_add(&net, UTP_LEDBAT, 0);
    net_add(&net, UTP_LEDBAT, 0);
    utp_mux_free(net.ends[1].mux);
    net.ends[1].mux = utp_mux_new(&options);
    for (conn_id id = 1; id <= 4; id++)
        net_connect(&net, 0, 1, id, 100);
    net_run(&net, net.now + 20 * SECOND_NS);
    assert_int_equal(utp_mux_count(net.ends[1].mux), 3);
    uint32_t closed = 0;
    for (conn_id id = 1; id <= 4; id++)
        closed += net_stream_of(&net, 0, id)->closed;
    assert_int_equal(closed, 1); /* by a reset, as soon as it speaks */
    utp_mux_set_accepts(net.ends[1].mux, false);
    net_check(&net);
    net_deinit(&net);
}

/* The last FIN that end 0 sent, and the last packet of end 1. */
static struct utp_packet fin_of_0, last_of_1;

static void overhear(struct network *net, struct net_packet *packet)
{
    struct utp_packet parsed;
    (void)net;
    assert_int_equal(utp_packet_parse((struct bytes){packet->bytes, packet->length}, &parsed), 0);
    parsed.payload.length = parsed.sack.length = 0;
    if (packet->from == 0 && parsed.type == UTP_FIN)
        fin_of_0 = parsed;
    if (packet->from == 1)
        last_of_1 = parsed;
}

/* Its place goes to one who has proven where it is. */
static void an_unproven_syn_leaves_a_lingering_connection_alone(void **state)
{
    struct network net;
    struct utp_mux_options options = {
        .seed = 5, .inbound_first = NET_INBOUND, .accepts = true, .connections_max = 1};
    (void)state;
    net_init(&net, 43);
    for (int i = 0; i < 3; i++)
        net_add(&net, UTP_LEDBAT, 0);
    utp_mux_free(net.ends[1].mux);
    net.ends[1].mux = utp_mux_new(&options);
    net.filter = overhear;
    struct net_stream *out = net_connect(&net, 0, 1, 1, 100);
    net_run(&net, net.now + SECOND_NS);
    close_stream(&net, net_accepted(&net, 1, 0));
    close_stream(&net, out);
    net_run(&net, net.now + SECOND_NS);
    assert_int_equal(utp_mux_count(net.ends[1].mux), 1); /* both have ended: it lingers */
    assert_int_equal(fin_of_0.type, UTP_FIN);

    for (uint32_t i = 0; i < 100; i++) {
        struct utp_packet syn = {.type = UTP_SYN, .id = (uint16_t)(2 * i), .seq = (uint16_t)i};
        last_of_1.type = UTP_RESET;
        forge(&net, 2, 1, &syn);
        assert_int_equal(last_of_1.type, UTP_STATE); /* it may prove itself */
        assert_int_equal(utp_mux_count(net.ends[1].mux), 1);
    }
    forge(&net, 0, 1, &fin_of_0);
    assert_int_equal(last_of_1.type, UTP_STATE); /* still there, and acknowledges again */

    out = net_connect(&net, 2, 1, 1, 100);
    net_run(&net, net.now + SECOND_NS / 2);
    struct net_stream *in = net_accepted(&net, 1, 1);
    assert_non_null(in);
    assert_int_equal(in->read, 100);
    assert_int_equal(utp_mux_count(net.ends[1].mux), 1);
    forge(&net, 0, 1, &fin_of_0);
    assert_int_equal(last_of_1.type, UTP_RESET);
    net_check(&net);
    net_deinit(&net);
}

/* Writes until there is no room, whatever lies there. */
static uint64_t fill(struct utp_mux *mux, conn_id conn)
{
    uint64_t written = 0;
    uint32_t length;
    while (utp_mux_reserve(mux, conn, &length)) {
        utp_mux_commit(mux, conn, length);
        written += length;
    }
    return written;
}

static bool hears_of_room(struct utp_mux *mux, conn_id conn)
{
    struct utp_event event;
    bool hears = false;
    while (utp_mux_event(mux, &event))
        hears = hears || (event.conn == conn && event.what & UTP_EVENT_WRITABLE);
    return hears;
}

/* One that has nothing in flight hears no acknowledgement: only the memory of others wakes it. */
static void a_writer_that_found_no_memory_is_woken_when_there_is_some(void **state)
{
    struct utp_mux *mux = utp_mux_new(&(struct utp_mux_options){.seed = 7});
    const conn_id full = LIMIT_UTP_MEMORY / LIMIT_UTP_BUFFER, starved = full + 1;
    static struct utp_output output;
    uint32_t length;
    (void)state;
    for (conn_id id = 1; id <= starved; id++) {
        struct address remote = address_ipv4((uint8_t[4]){10, 0, 0, 1}, (uint16_t)(1000 + id));
        assert_int_equal(utp_mux_connect(mux, SECOND_NS, id, &remote), FRESHET_OK);
    }
    for (conn_id id = 1; id <= full; id++)
        assert_int_equal(fill(mux, id), LIMIT_UTP_BUFFER);
    assert_int_equal(utp_mux_memory(mux), LIMIT_UTP_MEMORY);
    assert_null(utp_mux_reserve(mux, starved, &length));
    assert_int_equal(length, 0);
    assert_false(hears_of_room(mux, starved));

    utp_mux_close(mux, SECOND_NS, 1); /* nobody was asked yet: gone with the next output */
    assert_false(hears_of_room(mux, starved));
    while (utp_mux_output(mux, SECOND_NS, &output))
        continue;
    assert_int_equal(utp_mux_count(mux), full);
    assert_true(hears_of_room(mux, starved));
    assert_int_equal(fill(mux, starved), LIMIT_UTP_BUFFER);
    assert_true(utp_mux_memory(mux) <= LIMIT_UTP_MEMORY);
    utp_mux_check(mux);
    utp_mux_free(mux);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_know_a_connection_by_one_number),
        cmocka_unit_test(both_ends_end_and_nothing_is_left),
        cmocka_unit_test(what_an_accepted_one_says_first_goes_alone),
        cmocka_unit_test(a_half_open_connection_still_carries),
        cmocka_unit_test(the_end_is_told_after_the_last_byte_is_read),
        cmocka_unit_test(one_who_does_not_end_is_given_up),
        cmocka_unit_test(silence_ends_a_connection),
        cmocka_unit_test(nobody_there_is_a_timeout_after_three_tries),
        cmocka_unit_test(who_answers_a_dial_that_is_over_hears_a_reset),
        cmocka_unit_test(who_was_forgotten_hears_a_reset),
        cmocka_unit_test(a_flood_of_syns_leaves_nothing_and_gets_no_more_than_it_sent),
        cmocka_unit_test(guesses_open_no_connection),
        cmocka_unit_test(resets_that_name_no_packet_of_ours_are_refused),
        cmocka_unit_test(acknowledgements_of_what_was_never_sent_do_not_speed_us_up),
        cmocka_unit_test(liars_are_shown_out),
        cmocka_unit_test(what_is_held_out_of_order_is_bounded),
        cmocka_unit_test(too_many_connections_are_refused),
        cmocka_unit_test(an_unproven_syn_leaves_a_lingering_connection_alone),
        cmocka_unit_test(a_writer_that_found_no_memory_is_woken_when_there_is_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
