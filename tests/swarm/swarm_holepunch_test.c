/* SPDX-License-Identifier: MIT */
/* Holepunch (BEP 55) as who asks, as the relay, as who is told, and among liars. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/wire_extension.h"
#include "core/wire/wire_holepunch.h"
#include "core/wire/wire_pex.h"
#include "tests/engine/lone_engine.h"

#define PUNCH_ID 11 /* of the bench's peers */
#define PORT     777

static struct address at(const char *text)
{
    struct address address;
    if (!address_from_text(text, false, &address))
        abort();
    return address;
}

static struct lone_engine *new_bench(void)
{
    struct lone_engine *lone = lone_prepare(false);
    lone->has_utp = true;
    lone_begin(lone, NULL, NULL);
    return lone;
}

enum arrival { BY_TCP, BY_UTP };

static void tell_extensions(struct lone_engine *lone, uint32_t index, uint8_t punch_id,
                            uint16_t port)
{
    struct buffer out = {0}, payload = {0};
    struct wire_extension_handshake extension;
    wire_extension_handshake_init(&extension);
    extension.port = port;
    extension.named[WIRE_EXTENSION_UT_HOLEPUNCH] = punch_id != 0;
    extension.ids[WIRE_EXTENSION_UT_HOLEPUNCH] = punch_id;
    wire_extension_encode(&payload, &extension);
    wire_message_put_extended(&out, 0, buffer_bytes(&payload));
    buffer_deinit(&payload);
    lone_feed_buffer(lone, index, &out);
}

/* Somebody comes from `address` and listens at `port`; 0: says nothing of it. */
static uint32_t arrive_with(struct lone_engine *lone, const char *address, enum arrival how,
                            uint8_t punch_id, uint16_t port)
{
    conn_id conn = (how == BY_UTP ? CONN_INBOUND_UTP : CONN_INBOUND) + lone->conn_count;
    uint32_t index = lone_new_conn(lone, conn);
    struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = at(address)};
    engine_input(lone->engine, lone->now, &event);
    struct wire_handshake handshake = {.fast = true, .extension = true};
    memcpy(handshake.info_hash, lone->info_hash, 20);
    memset(handshake.peer_id, (int)index + 1, 20);
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(&handshake, bytes);
    lone_feed(lone, index, bytes, sizeof bytes);
    lone_say(lone, index, WIRE_HAVE_NONE);
    tell_extensions(lone, index, punch_id, port);
    return index;
}

static uint32_t arrive_as(struct lone_engine *lone, const char *address, enum arrival how,
                          uint8_t punch_id)
{
    return arrive_with(lone, address, how, punch_id, PORT);
}

static uint32_t arrive(struct lone_engine *lone, const char *address)
{
    return arrive_as(lone, address, BY_UTP, PUNCH_ID);
}

static void say(struct lone_engine *lone, uint32_t index, enum wire_holepunch_type type,
                const char *address)
{
    struct buffer out = {0};
    struct wire_holepunch message = {.type = type, .address = at(address)};
    if (type == WIRE_HOLEPUNCH_ERROR)
        message.error = WIRE_HOLEPUNCH_NOT_CONNECTED;
    wire_holepunch_put(&out, WIRE_EXTENSION_UT_HOLEPUNCH, &message);
    lone_feed_buffer(lone, index, &out);
}

/* Takes what was sent to the peer; the number of messages of holepunch in it, and the last. */
static uint32_t take(struct lone_engine *lone, uint32_t index, struct wire_holepunch *ret_message)
{
    uint32_t count = 0;
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(&lone->sent[index]));
    if (cursor_left(&cursor) >= 68 && cursor.at[0] == 19)
        cursor_bytes(&cursor, 68);
    while (cursor_left(&cursor) >= 4) {
        struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
        if (message.length < 2 || message.data[0] != WIRE_EXTENDED || message.data[1] != PUNCH_ID)
            continue;
        count++;
        struct bytes payload = {message.data + 2, message.length - 2};
        assert_int_equal(wire_holepunch_decode(payload, ret_message), FRESHET_OK);
    }
    lone_forget_sent(lone, index);
    return count;
}

static void expect(struct lone_engine *lone, uint32_t index, enum wire_holepunch_type type,
                   const char *address, enum wire_holepunch_error error)
{
    struct wire_holepunch message;
    struct address expected = at(address);
    assert_int_equal(take(lone, index, &message), 1);
    assert_int_equal(message.type, type);
    assert_int_equal(message.error, error);
    assert_true(address_equal(&message.address, &expected));
}

static void expect_nothing(struct lone_engine *lone, uint32_t index)
{
    struct wire_holepunch message;
    assert_int_equal(take(lone, index, &message), 0);
}

static bool is_named(struct lone_engine *lone, uint32_t index)
{
    static const char name[] = "12:ut_holepunch";
    const struct buffer *sent = &lone->sent[index];
    for (size_t i = 0; i + sizeof name - 1 <= sent->length; i++)
        if (memcmp(sent->data + i, name, sizeof name - 1) == 0)
            return true;
    return false;
}

static void tell_contact(struct lone_engine *lone, uint32_t index, const char *address,
                         uint8_t flags)
{
    struct wire_pex pex = {.added_count = 1};
    struct buffer out = {0};
    pex.added[0] = (struct wire_pex_contact){at(address), flags};
    wire_pex_put(&out, WIRE_EXTENSION_UT_PEX, &pex);
    lone_feed_buffer(lone, index, &out);
}

/* The connection that was tried last does not come about. */
static void fail_last(struct lone_engine *lone)
{
    uint32_t index = lone->conn_count - 1;
    struct event event = {
        .type = EVENT_CLOSED, .conn = lone->conns[index], .error = FRESHET_ERROR_TIMEOUT};
    assert_true(lone->conns[index] < CONN_INBOUND);
    engine_input(lone->engine, lone->now, &event);
    lone->closed[index] = true;
    lone_run(lone);
}

static void expect_dial(struct lone_engine *lone, uint32_t count, const char *address,
                        enum transport transport)
{
    struct address expected = at(address);
    assert_int_equal(lone->connect_count, count);
    assert_true(address_equal(&lone->connects[count - 1], &expected));
    assert_int_equal(lone->transports[count - 1], transport);
}

/* ---- the relay ---- */

static void swarm_holepunch_brings_two_together(void **state)
{
    (void)state;
    struct lone_engine *lone = new_bench();
    uint32_t asking = arrive(lone, "5.0.0.1:1000"), target = arrive(lone, "6.0.0.1:2000");
    assert_true(is_named(lone, asking));
    /* By where it listens, as peer exchange has it; each hears where the other is seen. */
    say(lone, asking, WIRE_HOLEPUNCH_RENDEZVOUS, "6.0.0.1:777");
    expect(lone, asking, WIRE_HOLEPUNCH_CONNECT, "6.0.0.1:2000", 0);
    expect(lone, target, WIRE_HOLEPUNCH_CONNECT, "5.0.0.1:1000", 0);
    /* Beside TCP there is only the port that it says. */
    uint32_t beside = arrive_as(lone, "7.0.0.1:3000", BY_TCP, PUNCH_ID);
    say(lone, beside, WIRE_HOLEPUNCH_RENDEZVOUS, "6.0.0.1:2000");
    expect(lone, target, WIRE_HOLEPUNCH_CONNECT, "7.0.0.1:777", 0);
    expect(lone, beside, WIRE_HOLEPUNCH_CONNECT, "6.0.0.1:2000", 0);
    assert_int_equal(lone->connect_count, 0);
    lone_free(lone);
}

static void swarm_holepunch_says_why_not(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        enum wire_holepunch_error error;
    } cases[] = {
        {"8.0.0.1:777", WIRE_HOLEPUNCH_NOT_CONNECTED},
        {"7.0.0.1:777", WIRE_HOLEPUNCH_NO_SUPPORT},
        {"9.9.9.9:9", WIRE_HOLEPUNCH_NO_SELF},
        {"5.0.0.1:777", WIRE_HOLEPUNCH_NO_SUCH_PEER},
        {"6.0.0.1:0", WIRE_HOLEPUNCH_NO_SUCH_PEER},
        {"0.0.0.0:1", WIRE_HOLEPUNCH_NO_SUCH_PEER},
        {"239.1.1.1:1", WIRE_HOLEPUNCH_NO_SUCH_PEER},
        {"10.0.0.1:777", WIRE_HOLEPUNCH_NO_SUCH_PEER}, /* our neighbour, and none of the world's */
    };
    struct lone_engine *lone = new_bench();
    struct event event = {.type = EVENT_LISTENING, .local = at("9.9.9.9:9")};
    engine_input(lone->engine, lone->now, &event);
    uint32_t asking = arrive(lone, "5.0.0.1:1000");
    uint32_t neighbour = arrive(lone, "10.0.0.1:1000");
    uint32_t mute = arrive_as(lone, "7.0.0.1:3000", BY_UTP, 0);
    lone_forget_sent(lone, asking);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        say(lone, asking, WIRE_HOLEPUNCH_RENDEZVOUS, cases[i].address);
        expect(lone, asking, WIRE_HOLEPUNCH_ERROR, cases[i].address, cases[i].error);
    }
    expect_nothing(lone, neighbour);
    /* Who does not know the extension cannot ask. */
    say(lone, mute, WIRE_HOLEPUNCH_RENDEZVOUS, "5.0.0.1:777");
    expect_nothing(lone, asking);
    expect_nothing(lone, mute);
    lone_free(lone);
}

static void swarm_holepunch_relays_so_many_a_minute(void **state)
{
    (void)state;
    struct wire_holepunch message;
    struct lone_engine *lone = new_bench();
    uint32_t flood = arrive(lone, "5.0.0.1:1000"), target = arrive(lone, "6.0.0.1:2000");
    uint32_t other = arrive(lone, "7.0.0.1:2000");
    for (uint32_t i = 0; i < 500; i++)
        say(lone, flood, WIRE_HOLEPUNCH_RENDEZVOUS, "6.0.0.1:2000");
    assert_int_equal(take(lone, target, &message), LIMIT_HOLEPUNCH_PER_GROUP);
    assert_int_equal(take(lone, flood, &message), LIMIT_HOLEPUNCH_PER_GROUP);
    /* One does not bother many, */
    say(lone, flood, WIRE_HOLEPUNCH_RENDEZVOUS, "7.0.0.1:2000");
    expect_nothing(lone, other);
    /* nor is in the way of others; */
    say(lone, other, WIRE_HOLEPUNCH_RENDEZVOUS, "6.0.0.1:2000");
    expect(lone, target, WIRE_HOLEPUNCH_CONNECT, "7.0.0.1:2000", 0);
    expect(lone, other, WIRE_HOLEPUNCH_CONNECT, "6.0.0.1:2000", 0);
    /* and many together bother one no more than so often. */
    uint32_t heard = 0;
    for (uint32_t i = 0; i < 40; i++) {
        char text[ADDRESS_TEXT_SIZE];
        snprintf(text, sizeof text, "20.%u.0.1:80", i);
        uint32_t one = arrive(lone, text);
        for (uint32_t k = 0; k < 10; k++)
            say(lone, one, WIRE_HOLEPUNCH_RENDEZVOUS, "6.0.0.1:2000");
        heard += take(lone, target, &message);
    }
    assert_int_equal(heard, LIMIT_HOLEPUNCH_PER_GROUP * LIMIT_HOLEPUNCH_GROUPS -
                                LIMIT_HOLEPUNCH_PER_GROUP - 1);
    lone->now += 61 * SECOND_NS;
    say(lone, flood, WIRE_HOLEPUNCH_RENDEZVOUS, "6.0.0.1:2000");
    assert_int_equal(take(lone, target, &message), 1);
    lone_free(lone);
}

static void swarm_holepunch_knows_no_way_to_who_names_no_port(void **state)
{
    (void)state;
    struct lone_engine *lone = new_bench();
    uint32_t asking = arrive(lone, "5.0.0.1:1000");
    uint32_t target = arrive_with(lone, "6.0.0.1:2000", BY_TCP, PUNCH_ID, 0);
    lone_forget_sent(lone, target);
    say(lone, asking, WIRE_HOLEPUNCH_RENDEZVOUS, "6.0.0.1:2000");
    expect(lone, asking, WIRE_HOLEPUNCH_ERROR, "6.0.0.1:2000", WIRE_HOLEPUNCH_NO_SUCH_PEER);
    expect_nothing(lone, target);
    say(lone, target, WIRE_HOLEPUNCH_RENDEZVOUS, "5.0.0.1:1000");
    expect(lone, target, WIRE_HOLEPUNCH_ERROR, "5.0.0.1:1000", WIRE_HOLEPUNCH_NO_SUCH_PEER);
    expect_nothing(lone, asking);
    lone_free(lone);
}

/* ---- who asks ---- */

static void swarm_holepunch_asks_who_told_when_nobody_answers(void **state)
{
    (void)state;
    struct lone_engine *lone = new_bench();
    uint32_t relay = arrive(lone, "5.0.0.1:1000");
    lone_forget_sent(lone, relay);
    tell_contact(lone, relay, "6.0.0.1:6000", WIRE_PEX_HOLEPUNCH);
    lone_wait(lone, 2 * SECOND_NS);
    expect_dial(lone, 1, "6.0.0.1:6000", TRANSPORT_ANY);
    expect_nothing(lone, relay);
    fail_last(lone);
    expect(lone, relay, WIRE_HOLEPUNCH_RENDEZVOUS, "6.0.0.1:6000", 0);
    say(lone, relay, WIRE_HOLEPUNCH_CONNECT, "6.0.0.1:6000");
    expect_dial(lone, 2, "6.0.0.1:6000", TRANSPORT_UTP);
    /* That failed too: nobody is asked for the sake of the hole itself. */
    fail_last(lone);
    expect_nothing(lone, relay);
    lone_free(lone);
}

static void swarm_holepunch_asks_a_few_times_only(void **state)
{
    (void)state;
    struct wire_holepunch message;
    struct lone_engine *lone = new_bench();
    uint32_t relay = arrive(lone, "5.0.0.1:1000"), asked = 0;
    lone_forget_sent(lone, relay);
    tell_contact(lone, relay, "6.0.0.1:6000", WIRE_PEX_HOLEPUNCH);
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t before = lone->connect_count;
        struct address candidate = at("6.0.0.1:6000");
        struct engine_command command = {
            .type = COMMAND_ADD_PEERS, .torrent = 1, .peers = &candidate, .peer_count = 1};
        struct event event = {.type = EVENT_COMMAND, .command = &command};
        engine_input(lone->engine, lone->now, &event);
        for (uint32_t second = 0; second < 60 && lone->connect_count == before; second++) {
            lone_wait(lone, SECOND_NS);
            lone_say(lone, relay, WIRE_KEEPALIVE);
        }
        assert_int_equal(lone->connect_count, before + 1);
        fail_last(lone);
        asked += take(lone, relay, &message);
    }
    assert_int_equal(asked, LIMIT_HOLEPUNCH_TRIES);
    lone_free(lone);
}

static void swarm_holepunch_asks_nobody_who_cannot_help(void **state)
{
    (void)state;
    struct lone_engine *lone = new_bench();
    uint32_t mute = arrive_as(lone, "5.0.0.1:1000", BY_UTP, 0);
    uint32_t relay = arrive(lone, "5.0.0.2:1000");
    lone_forget_sent(lone, relay);
    /* The teller does not know how; the one told of does not; the teller is gone. */
    tell_contact(lone, mute, "6.0.0.1:6000", WIRE_PEX_HOLEPUNCH);
    lone_wait(lone, 2 * SECOND_NS);
    fail_last(lone);
    tell_contact(lone, relay, "6.0.0.2:6000", WIRE_PEX_UTP);
    lone_wait(lone, 2 * SECOND_NS);
    expect_dial(lone, 2, "6.0.0.2:6000", TRANSPORT_ANY);
    fail_last(lone);
    uint32_t leaver = arrive(lone, "5.0.0.3:1000");
    tell_contact(lone, leaver, "6.0.0.3:6000", WIRE_PEX_HOLEPUNCH);
    lone_wait(lone, 2 * SECOND_NS);
    expect_dial(lone, 3, "6.0.0.3:6000", TRANSPORT_ANY);
    uint32_t dialled = lone->conn_count - 1;
    struct event left = {
        .type = EVENT_CLOSED, .conn = lone->conns[leaver], .error = FRESHET_ERROR_CLOSED};
    engine_input(lone->engine, lone->now, &left);
    lone->closed[leaver] = true;
    assert_int_equal(dialled, lone->conn_count - 1);
    fail_last(lone);
    expect_nothing(lone, relay);
    expect_nothing(lone, mute);
    lone_free(lone);
}

static void swarm_holepunch_asks_no_more_who_said_no(void **state)
{
    (void)state;
    struct lone_engine *lone = new_bench();
    uint32_t relay = arrive(lone, "5.0.0.1:1000");
    lone_forget_sent(lone, relay);
    tell_contact(lone, relay, "6.0.0.1:6000", WIRE_PEX_HOLEPUNCH);
    lone_wait(lone, 2 * SECOND_NS);
    fail_last(lone);
    expect(lone, relay, WIRE_HOLEPUNCH_RENDEZVOUS, "6.0.0.1:6000", 0);
    say(lone, relay, WIRE_HOLEPUNCH_ERROR, "6.0.0.1:6000");
    lone_wait(lone, 70 * SECOND_NS);
    assert_int_equal(lone->connect_count, 2);
    fail_last(lone);
    expect_nothing(lone, relay);
    lone_free(lone);
}

static void swarm_holepunch_asks_by_turns(void **state)
{
    (void)state;
    struct wire_holepunch message;
    struct lone_engine *lone = new_bench();
    uint32_t relays[3] = {arrive(lone, "5.0.0.1:1000"), arrive(lone, "5.0.0.2:1000"),
                          arrive(lone, "5.0.0.3:1000")};
    for (uint32_t i = 0; i < 3; i++) {
        lone_forget_sent(lone, relays[i]);
        tell_contact(lone, relays[i], "6.0.0.1:6000", WIRE_PEX_HOLEPUNCH);
    }
    uint32_t asked[3] = {0};
    for (uint32_t round = 0; round < 2; round++) {
        uint32_t before = lone->connect_count;
        for (uint32_t second = 0; second < 90 && lone->connect_count == before; second++) {
            lone_wait(lone, SECOND_NS);
            for (uint32_t i = 0; i < 3; i++)
                lone_say(lone, relays[i], WIRE_KEEPALIVE);
        }
        fail_last(lone);
        for (uint32_t i = 0; i < 3; i++)
            asked[i] += take(lone, relays[i], &message);
    }
    assert_int_equal(asked[0], 1);
    assert_int_equal(asked[1], 1);
    assert_int_equal(asked[2], 0);
    lone_free(lone);
}

/* ---- who is told ---- */

static void swarm_holepunch_goes_out_at_once_when_told(void **state)
{
    (void)state;
    struct lone_engine *lone = new_bench();
    uint32_t relay = arrive(lone, "5.0.0.1:1000");
    say(lone, relay, WIRE_HOLEPUNCH_CONNECT, "6.0.0.1:6000");
    expect_dial(lone, 1, "6.0.0.1:6000", TRANSPORT_UTP);
    assert_int_equal(lone_status(lone).known_by_source[PEER_SOURCE_PEX], 1);
    /* It is on its way. */
    say(lone, relay, WIRE_HOLEPUNCH_CONNECT, "6.0.0.1:6000");
    assert_int_equal(lone->connect_count, 1);
    lone_free(lone);
}

static void swarm_holepunch_that_fails_spoils_nobody(void **state)
{
    (void)state;
    struct lone_engine *lone = new_bench();
    uint32_t liar = arrive(lone, "5.0.0.1:1000");
    for (uint32_t i = 0; i < 10; i++) {
        say(lone, liar, WIRE_HOLEPUNCH_CONNECT, "6.0.0.1:6000");
        assert_int_equal(lone->connect_count, i + 1);
        fail_last(lone);
        /* Known by others' word it is as good as ever. */
        if (i == 0)
            tell_contact(lone, liar, "6.0.0.1:6000", 0);
    }
    lone_wait(lone, 70 * SECOND_NS);
    expect_dial(lone, 11, "6.0.0.1:6000", TRANSPORT_ANY);
    lone_free(lone);
}

static void swarm_holepunch_knows_who_came_through_the_hole(void **state)
{
    (void)state;
    struct lone_engine *lone = new_bench();
    uint32_t relay = arrive(lone, "5.0.0.1:1000");
    /* From where its NAT sends, not from where it says that it listens. */
    uint32_t here = arrive(lone, "6.0.0.1:6000");
    tell_contact(lone, relay, "6.0.0.1:6000", WIRE_PEX_HOLEPUNCH);
    for (uint32_t second = 0; second < 120; second++) {
        lone_wait(lone, SECOND_NS);
        lone_say(lone, relay, WIRE_KEEPALIVE);
        lone_say(lone, here, WIRE_KEEPALIVE);
    }
    assert_int_equal(lone->connect_count, 0);
    lone_free(lone);
}

static void swarm_holepunch_leaves_a_dial_alone(void **state)
{
    (void)state;
    struct lone_engine *lone = new_bench();
    uint32_t relay = arrive(lone, "5.0.0.1:1000");
    tell_contact(lone, relay, "6.0.0.1:6000", 0);
    lone_wait(lone, 2 * SECOND_NS);
    expect_dial(lone, 1, "6.0.0.1:6000", TRANSPORT_ANY);
    uint32_t dialled = lone->conn_count - 1;
    say(lone, relay, WIRE_HOLEPUNCH_CONNECT, "6.0.0.1:6000");
    lone_wait(lone, 5 * SECOND_NS);
    assert_int_equal(lone->connect_count, 1);
    assert_false(lone->closed[dialled]);
    lone_free(lone);
}

static void swarm_holepunch_does_not_go_where_it_should_not(void **state)
{
    (void)state;
    static const char *const places[] = {
        "9.9.9.9:9",          /* ourselves */
        "7.0.0.1:777",        /* here already, by where it listens, */
        "7.0.0.1:3000",       /* and by where it came from */
        "10.0.0.1:80",        /* a neighbour: a stranger does not send us there */
        "127.0.0.1:80",       /* our own machine */
        "169.254.169.254:80", /* a cloud's metadata service */
        "239.1.1.1:1",        /* many */
        "0.0.0.0:1",          /* nobody */
        "6.0.0.1:0",          /* no port */
        "[fd00:ec2::254]:80", /* as above, for IPv6 */
        "[fe80::1]:80",
    };
    struct lone_engine *lone = new_bench();
    struct event event = {.type = EVENT_LISTENING, .local = at("9.9.9.9:9")};
    engine_input(lone->engine, lone->now, &event);
    uint32_t relay = arrive(lone, "5.0.0.1:1000");
    arrive(lone, "7.0.0.1:3000");
    uint32_t mute = arrive_as(lone, "5.0.0.2:1000", BY_UTP, 0);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        say(lone, relay, WIRE_HOLEPUNCH_CONNECT, places[i]);
    say(lone, mute, WIRE_HOLEPUNCH_CONNECT, "6.0.0.1:6000"); /* it never said that it knows how */
    lone_wait(lone, 5 * SECOND_NS);
    assert_int_equal(lone->connect_count, 0);
    say(lone, relay, WIRE_HOLEPUNCH_CONNECT, "6.0.0.1:6000");
    assert_int_equal(lone->connect_count, 1);
    lone_free(lone);
}

static void swarm_holepunch_is_not_sent_around_the_world(void **state)
{
    (void)state;
    struct lone_engine *lone = new_bench();
    uint32_t relay = arrive(lone, "5.0.0.1:1000");
    char text[ADDRESS_TEXT_SIZE];
    for (uint32_t i = 0; i < 200; i++) {
        snprintf(text, sizeof text, "20.%u.0.1:80", i);
        say(lone, relay, WIRE_HOLEPUNCH_CONNECT, text);
    }
    /* As many as may be under way, by whatever relays; */
    assert_int_equal(lone->connect_count, LIMIT_HOLEPUNCH_DIALS);
    fail_last(lone);
    lone_wait(lone, 2 * SECOND_NS);
    say(lone, relay, WIRE_HOLEPUNCH_CONNECT, "30.0.0.1:80");
    /* and this one has had its say for the minute. */
    assert_int_equal(lone->connect_count, LIMIT_HOLEPUNCH_DIALS);
    uint32_t other = arrive(lone, "5.0.0.2:1000");
    say(lone, other, WIRE_HOLEPUNCH_CONNECT, "31.0.0.1:80");
    assert_int_equal(lone->connect_count, LIMIT_HOLEPUNCH_DIALS + 1);
    assert_false(lone->closed[relay]);
    lone_free(lone);
}

static void swarm_holepunch_ignores_what_it_does_not_understand(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct lone_engine *lone = new_bench();
    uint32_t relay = arrive(lone, "5.0.0.1:1000");
    wire_message_put_extended(&out, WIRE_EXTENSION_UT_HOLEPUNCH, BYTES_LITERAL("\1\0\6\0"));
    wire_message_put_extended(&out, WIRE_EXTENSION_UT_HOLEPUNCH, BYTES_LITERAL(""));
    lone_feed_buffer(lone, relay, &out);
    assert_false(lone->closed[relay]);
    assert_int_equal(lone->connect_count, 0);
    lone_free(lone);
}

/* ---- who stays out ---- */

/* Of one that is prepared; ends it. */
static void check_silence(struct lone_engine *lone, enum transport transport)
{
    struct torrent_options options = {
        .root = "/r", .transport = transport, .seed_ratio = -1, .seed_time_s = -1};
    lone_begin(lone, NULL, &options);
    uint32_t asking = arrive_as(lone, "5.0.0.1:1000", BY_TCP, PUNCH_ID),
             target = arrive_as(lone, "6.0.0.1:2000", BY_TCP, PUNCH_ID);
    assert_false(lone->closed[asking] || lone->closed[target]);
    assert_false(is_named(lone, asking));
    say(lone, asking, WIRE_HOLEPUNCH_RENDEZVOUS, "6.0.0.1:2000");
    say(lone, asking, WIRE_HOLEPUNCH_CONNECT, "8.0.0.1:8000");
    lone_wait(lone, 5 * SECOND_NS);
    expect_nothing(lone, asking);
    expect_nothing(lone, target);
    assert_int_equal(lone->connect_count, 0);
    lone_free(lone);
}

static void swarm_holepunch_stays_out_of_private_torrents(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    lone->has_utp = lone->is_private = true;
    check_silence(lone, TRANSPORT_ANY);
}

static void swarm_holepunch_needs_utp(void **state)
{
    (void)state;
    check_silence(lone_prepare(false), TRANSPORT_ANY);
}

/* Behind a proxy there is uTP, and no hole. */
static void swarm_holepunch_may_be_none_with_utp(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    lone->has_utp = lone->no_holepunch = true;
    check_silence(lone, TRANSPORT_ANY);
}

static void swarm_holepunch_stays_out_of_torrents_by_tcp(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    lone->has_utp = true;
    check_silence(lone, TRANSPORT_TCP);
}

/* Whoever was told of the extension before hears no more of it. */
static void swarm_holepunch_ends_when_tcp_alone_is_wanted(void **state)
{
    (void)state;
    struct torrent_tuning tuning = {
        .transport = TRANSPORT_TCP, .seed_ratio = -1, .seed_time_s = -1};
    struct engine_command command = {.type = COMMAND_SET_OPTIONS, .torrent = 1, .tuning = &tuning};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    struct lone_engine *lone = new_bench();
    uint32_t relay = arrive_as(lone, "5.0.0.1:1000", BY_TCP, PUNCH_ID);
    assert_true(is_named(lone, relay));
    say(lone, relay, WIRE_HOLEPUNCH_CONNECT, "6.0.0.9:6000");
    expect_dial(lone, 1, "6.0.0.9:6000", TRANSPORT_UTP);
    uint32_t dialled = lone->conn_count - 1;
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    assert_true(lone->closed[dialled]);
    assert_false(lone->closed[relay]);
    lone_wait(lone, 2 * SECOND_NS);
    expect_dial(lone, 2, "6.0.0.9:6000", TRANSPORT_TCP);
    lone_forget_sent(lone, relay);
    tell_contact(lone, relay, "6.0.0.1:6000", WIRE_PEX_HOLEPUNCH);
    lone_wait(lone, 2 * SECOND_NS);
    expect_dial(lone, 3, "6.0.0.1:6000", TRANSPORT_TCP);
    fail_last(lone);
    expect_nothing(lone, relay);
    say(lone, relay, WIRE_HOLEPUNCH_CONNECT, "6.0.0.2:6000");
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(lone->connect_count, 3);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swarm_holepunch_brings_two_together),
        cmocka_unit_test(swarm_holepunch_says_why_not),
        cmocka_unit_test(swarm_holepunch_relays_so_many_a_minute),
        cmocka_unit_test(swarm_holepunch_knows_no_way_to_who_names_no_port),
        cmocka_unit_test(swarm_holepunch_asks_by_turns),
        cmocka_unit_test(swarm_holepunch_asks_who_told_when_nobody_answers),
        cmocka_unit_test(swarm_holepunch_asks_a_few_times_only),
        cmocka_unit_test(swarm_holepunch_asks_nobody_who_cannot_help),
        cmocka_unit_test(swarm_holepunch_asks_no_more_who_said_no),
        cmocka_unit_test(swarm_holepunch_goes_out_at_once_when_told),
        cmocka_unit_test(swarm_holepunch_leaves_a_dial_alone),
        cmocka_unit_test(swarm_holepunch_that_fails_spoils_nobody),
        cmocka_unit_test(swarm_holepunch_knows_who_came_through_the_hole),
        cmocka_unit_test(swarm_holepunch_does_not_go_where_it_should_not),
        cmocka_unit_test(swarm_holepunch_is_not_sent_around_the_world),
        cmocka_unit_test(swarm_holepunch_ignores_what_it_does_not_understand),
        cmocka_unit_test(swarm_holepunch_stays_out_of_private_torrents),
        cmocka_unit_test(swarm_holepunch_needs_utp),
        cmocka_unit_test(swarm_holepunch_may_be_none_with_utp),
        cmocka_unit_test(swarm_holepunch_stays_out_of_torrents_by_tcp),
        cmocka_unit_test(swarm_holepunch_ends_when_tcp_alone_is_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
