/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/wire_holepunch.h"
#include "core/wire/wire_message.h"

#include <stdlib.h>
#include <string.h>

/* The layout of BEP 55: rendezvous with 1.2.3.4:6881. */
static const uint8_t rendezvous[] = {0, 0, 1, 2, 3, 4, 0x1a, 0xe1, 0, 0, 0, 0};
/* No such peer, [2001:db8::1]:80. */
static const uint8_t refusal[] = {2, 1, 0x20, 1, 0x0d, 0xb8, 0, 0,  0, 0, 0, 0,
                                  0, 0, 0,    0, 0,    1,    0, 80, 0, 0, 0, 1};

static enum freshet_error decode(const uint8_t *bytes, size_t length,
                                 struct wire_holepunch *ret_message)
{
    /* On the heap and no longer than it says: a byte read behind it shows. */
    uint8_t *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    enum freshet_error error = wire_holepunch_decode((struct bytes){copy, length}, ret_message);
    free(copy);
    return error;
}

static struct address at(const char *text)
{
    struct address address;
    assert_true(address_from_text(text, false, &address));
    return address;
}

static void wire_holepunch_reads_what_the_bep_says(void **state)
{
    (void)state;
    struct wire_holepunch message;
    struct address ipv4 = at("1.2.3.4:6881"), ipv6 = at("[2001:db8::1]:80");
    assert_int_equal(decode(rendezvous, sizeof rendezvous, &message), FRESHET_OK);
    assert_int_equal(message.type, WIRE_HOLEPUNCH_RENDEZVOUS);
    assert_int_equal(message.error, WIRE_HOLEPUNCH_NO_ERROR);
    assert_true(address_equal(&message.address, &ipv4));
    assert_int_equal(decode(refusal, sizeof refusal, &message), FRESHET_OK);
    assert_int_equal(message.type, WIRE_HOLEPUNCH_ERROR);
    assert_int_equal(message.error, WIRE_HOLEPUNCH_NO_SUCH_PEER);
    assert_true(address_equal(&message.address, &ipv6));
}

static void wire_holepunch_reads_messages_that_leave_the_error_out(void **state)
{
    (void)state;
    struct wire_holepunch message;
    uint8_t connect[sizeof rendezvous];
    memcpy(connect, rendezvous, sizeof connect);
    connect[0] = WIRE_HOLEPUNCH_CONNECT;
    assert_int_equal(decode(connect, sizeof connect - 4, &message), FRESHET_OK);
    assert_int_equal(message.type, WIRE_HOLEPUNCH_CONNECT);
    assert_int_equal(message.error, WIRE_HOLEPUNCH_NO_ERROR);
    /* One that says there is an error says which. */
    assert_int_equal(decode(refusal, sizeof refusal - 4, &message), FRESHET_ERROR_SYNTAX);
}

static void wire_holepunch_refuses_other_lengths(void **state)
{
    (void)state;
    struct wire_holepunch message;
    uint8_t longer[sizeof refusal + 1] = {0};
    for (size_t length = 0; length < sizeof rendezvous; length++)
        if (length != sizeof rendezvous - 4)
            assert_int_equal(decode(rendezvous, length, &message), FRESHET_ERROR_SYNTAX);
    for (size_t length = 0; length < sizeof refusal; length++)
        assert_int_equal(decode(refusal, length, &message), FRESHET_ERROR_SYNTAX);
    memcpy(longer, refusal, sizeof refusal);
    assert_int_equal(decode(longer, sizeof longer, &message), FRESHET_ERROR_SYNTAX);
}

static void wire_holepunch_refuses_unknown_numbers(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{0, 3}, {0, 255}, {1, 2}, {1, 255}, {23, 5}, {23, 0}, {20, 1}};
    struct wire_holepunch message;
    uint8_t bytes[sizeof refusal];
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        memcpy(bytes, refusal, sizeof bytes);
        bytes[changes[i].at] = changes[i].value;
        assert_int_equal(decode(bytes, sizeof bytes, &message), FRESHET_ERROR_SYNTAX);
    }
    /* A rendezvous has no error. */
    memcpy(bytes, rendezvous, sizeof rendezvous);
    bytes[sizeof rendezvous - 1] = 1;
    assert_int_equal(decode(bytes, sizeof rendezvous, &message), FRESHET_ERROR_SYNTAX);
}

static void wire_holepunch_leaves_its_output_alone_when_it_fails(void **state)
{
    (void)state;
    struct wire_holepunch message = {.type = WIRE_HOLEPUNCH_CONNECT, .address = at("9.9.9.9:9")};
    struct wire_holepunch before = message;
    assert_int_equal(decode(refusal, 7, &message), FRESHET_ERROR_SYNTAX);
    assert_memory_equal(&message, &before, sizeof message);
}

static void check_put(const struct wire_holepunch *message, const uint8_t *payload, size_t length)
{
    struct buffer out = {0};
    wire_holepunch_put(&out, 5, message);
    assert_int_equal(out.length, 6 + length);
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(&out));
    assert_int_equal(cursor_u32(&cursor), 2 + length);
    assert_int_equal(cursor_u8(&cursor), WIRE_EXTENDED);
    assert_int_equal(cursor_u8(&cursor), 5);
    assert_memory_equal(cursor.at, payload, length);
    buffer_deinit(&out);
}

static void wire_holepunch_writes_what_the_bep_says(void **state)
{
    (void)state;
    check_put(
        &(struct wire_holepunch){.type = WIRE_HOLEPUNCH_RENDEZVOUS, .address = at("1.2.3.4:6881")},
        rendezvous, sizeof rendezvous);
    check_put(&(struct wire_holepunch){.type = WIRE_HOLEPUNCH_ERROR,
                                       .address = at("[2001:db8::1]:80"),
                                       .error = WIRE_HOLEPUNCH_NO_SUCH_PEER},
              refusal, sizeof refusal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_holepunch_reads_what_the_bep_says),
        cmocka_unit_test(wire_holepunch_reads_messages_that_leave_the_error_out),
        cmocka_unit_test(wire_holepunch_refuses_other_lengths),
        cmocka_unit_test(wire_holepunch_refuses_unknown_numbers),
        cmocka_unit_test(wire_holepunch_leaves_its_output_alone_when_it_fails),
        cmocka_unit_test(wire_holepunch_writes_what_the_bep_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
