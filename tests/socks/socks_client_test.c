/* SPDX-License-Identifier: MIT */
/* The bytes of RFC 1928 and 1929, one after another and cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/socks/socks_client.h"

static const struct socks_login person = {"ann", "secret"};
static const uint8_t ip[4] = {192, 0, 2, 7};

static void expect_output(struct socks_client *client, const void *bytes, size_t length)
{
    uint8_t out[SOCKS_REQUEST_MAX];

    assert_int_equal(socks_client_output(client, out), length);
    assert_memory_equal(out, bytes, length);
    assert_int_equal(socks_client_output(client, out), 0);
}

/* As the host does: never more than is wanted. Returns how many bytes were taken. */
static size_t feed(struct socks_client *client, const void *bytes, size_t length, size_t step)
{
    const uint8_t *data = bytes;
    size_t at = 0;

    while (at < length) {
        size_t wants = socks_client_wants(client);
        if (wants > step)
            wants = step;
        if (wants > length - at)
            wants = length - at;
        if (wants == 0)
            break;
        if (socks_client_input(client, (struct bytes){data + at, wants}) != FRESHET_OK)
            return at + wants;
        at += wants;
    }
    return at;
}

#define FEED(client, text) feed(client, text, sizeof(text) - 1, 1000)
#define OUT(client, text)  expect_output(client, text, sizeof(text) - 1)

static struct socks_client client_new(enum socks_command command, const struct socks_login *login)
{
    struct socks_client client;
    struct address to = address_ipv4(ip, 6881);

    socks_client_init(&client, command, &to, login);
    return client;
}

static struct socks_client client_at_request(void)
{
    struct socks_client client = client_new(SOCKS_CONNECT, NULL);

    OUT(&client, "\x05\x01\x00");
    FEED(&client, "\x05\x00");
    OUT(&client, "\x05\x01\x00\x01\xc0\x00\x02\x07\x1a\xe1");
    return client;
}

static void socks_connects_without_a_login(void **state)
{
    struct socks_client client = client_at_request();

    (void)state;
    assert_int_equal(FEED(&client, "\x05\x00\x00\x01\x0a\x00\x00\x01\x12\x34payload"), 10);
    assert_int_equal(client.state, SOCKS_DONE);
    assert_int_equal(client.bound.port, 0x1234);
    assert_int_equal(client.bound.ip[0], 10);
    assert_int_equal(socks_client_wants(&client), 0);
}

static void socks_says_who_it_is(void **state)
{
    struct socks_client client = client_new(SOCKS_UDP_ASSOCIATE, &person);

    (void)state;
    OUT(&client, "\x05\x02\x00\x02");
    assert_int_equal(FEED(&client, "\x05\x02"), 2);
    OUT(&client, "\x01\x03"
                 "ann\x06secret");
    assert_int_equal(FEED(&client, "\x01\x00"), 2);
    OUT(&client, "\x05\x03\x00\x01\xc0\x00\x02\x07\x1a\xe1");
    assert_int_equal(FEED(&client, "\x05\x00\x00\x03\x04host\x00\x50"), 11);
    assert_int_equal(client.state, SOCKS_DONE);
    assert_int_equal(client.bound.family, ADDRESS_NONE);
    assert_int_equal(client.bound.port, 0x50);
}

static void socks_names_an_ipv6_address(void **state)
{
    static const uint8_t there[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    struct address to = address_ipv6(there, 80);
    struct socks_client client;

    (void)state;
    socks_client_init(&client, SOCKS_CONNECT, &to, NULL);
    OUT(&client, "\x05\x01\x00");
    FEED(&client, "\x05\x00");
    OUT(&client, "\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50");
    FEED(&client, "\x05\x00\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x00\x51");
    assert_int_equal(client.state, SOCKS_DONE);
    assert_int_equal(client.bound.family, ADDRESS_IPV6);
    assert_int_equal(client.bound.port, 0x51);
}

static void socks_takes_answers_byte_by_byte(void **state)
{
    static const char reply[] = "\x05\x00\x00\x01\x0a\x00\x00\x01\x12\x34";
    struct socks_client client = client_at_request();

    (void)state;
    for (size_t i = 0; i < sizeof reply - 1; i++) {
        assert_int_equal(client.state, SOCKS_REQUEST);
        assert_int_equal(feed(&client, reply + i, 1, 1), 1);
    }
    assert_int_equal(client.state, SOCKS_DONE);
}

static void socks_tells_why_the_proxy_will_not(void **state)
{
    static const enum freshet_error errors[] = {
        [1] = FRESHET_ERROR_CONNECTION,  [2] = FRESHET_ERROR_REFUSED,
        [3] = FRESHET_ERROR_CONNECTION,  [4] = FRESHET_ERROR_CONNECTION,
        [5] = FRESHET_ERROR_CONNECTION,  [6] = FRESHET_ERROR_TIMEOUT,
        [7] = FRESHET_ERROR_UNSUPPORTED, [8] = FRESHET_ERROR_UNSUPPORTED,
        [9] = FRESHET_ERROR_CONNECTION,
    };

    (void)state;
    for (uint8_t reply = 1; reply < 10; reply++) {
        uint8_t bytes[10] = {5, reply, 0, 1};
        struct socks_client client = client_at_request();
        feed(&client, bytes, sizeof bytes, 100);
        assert_int_equal(client.state, SOCKS_FAILED);
        assert_int_equal(client.error, errors[reply]);
        assert_int_equal(socks_client_wants(&client), 0);
    }
}

static void socks_refuses_what_is_no_answer(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        enum freshet_error error;
    } methods[] = {
        {"\x04\x00", FRESHET_ERROR_SYNTAX},
        {"\x05\xff", FRESHET_ERROR_REFUSED},
        {"\x05\x02", FRESHET_ERROR_PROTOCOL}, /* there is no login to say */
        {"\x05\x01", FRESHET_ERROR_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct socks_client client = client_new(SOCKS_CONNECT, NULL);
        OUT(&client, "\x05\x01\x00");
        feed(&client, methods[i].bytes, 2, 2);
        assert_int_equal(client.error, methods[i].error);
    }
    static const char replies[][5] = {
        {4, 0, 0, 1, 1}, {5, 0, 1, 1, 1}, {5, 0, 0, 2, 1}, {5, 0, 0, 0, 1}, {5, 0, 0, 5, 1}};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct socks_client client = client_at_request();
        feed(&client, replies[i], 5, 5);
        assert_int_equal(client.error, FRESHET_ERROR_SYNTAX);
    }
}

static void socks_fails_with_a_wrong_password(void **state)
{
    (void)state;
    for (uint8_t version = 0; version < 2; version++) {
        struct socks_client client = client_new(SOCKS_CONNECT, &person);
        uint8_t answer[2] = {version, 1};
        OUT(&client, "\x05\x02\x00\x02");
        FEED(&client, "\x05\x02");
        OUT(&client, "\x01\x03"
                     "ann\x06secret");
        feed(&client, answer, 2, 2);
        assert_int_equal(client.error, version ? FRESHET_ERROR_REFUSED : FRESHET_ERROR_SYNTAX);
    }
}

static void socks_says_the_longest_login(void **state)
{
    struct socks_login login;
    struct socks_client client;
    uint8_t out[SOCKS_REQUEST_MAX];

    (void)state;
    memset(&login, 'x', sizeof login);
    login.user[SOCKS_WORD_MAX] = login.password[SOCKS_WORD_MAX] = '\0';
    client = client_new(SOCKS_CONNECT, &login);
    socks_client_output(&client, out);
    FEED(&client, "\x05\x02");
    assert_int_equal(socks_client_output(&client, out), SOCKS_REQUEST_MAX);
    FEED(&client, "\x01\x00");
    socks_client_output(&client, out);
    uint8_t longest[SOCKS_ANSWER_MAX] = {5, 0, 0, 3, 255};
    assert_int_equal(feed(&client, longest, sizeof longest, 1000), sizeof longest);
    assert_int_equal(client.state, SOCKS_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(socks_connects_without_a_login),
        cmocka_unit_test(socks_says_who_it_is),
        cmocka_unit_test(socks_names_an_ipv6_address),
        cmocka_unit_test(socks_takes_answers_byte_by_byte),
        cmocka_unit_test(socks_tells_why_the_proxy_will_not),
        cmocka_unit_test(socks_refuses_what_is_no_answer),
        cmocka_unit_test(socks_fails_with_a_wrong_password),
        cmocka_unit_test(socks_says_the_longest_login),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
