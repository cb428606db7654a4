/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/mse.h"
#include "tests/wire/mse_other_side.h"

#include <string.h>

#define BOTH (MSE_PLAINTEXT | MSE_RC4)

static const uint8_t skey[MSE_SKEY_SIZE] = "the torrent's hash..";
static const struct bytes words = BYTES_LITERAL("the first words, as long as a handshake is");

static struct mse *new_initiator(uint32_t methods, uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed);
    return mse_new(&(struct mse_options){.methods = methods, .skey = skey}, &rng);
}

static struct mse *new_responder(uint32_t methods, bool prefers_rc4, uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed);
    return mse_new(&(struct mse_options){.methods = methods, .prefers_rc4 = prefers_rc4}, &rng);
}

/* Reads what there is; tells a responder that asks the one torrent that there is. */
static enum mse_progress read_on(struct mse *mse, struct bytes *input)
{
    enum mse_progress progress = mse_read(mse, input);
    uint8_t name[SHA1_SIZE];
    mse_check(mse);
    mse_key_name(skey, name);
    if (progress != MSE_ASKS || memcmp(mse_name(mse), name, sizeof name) != 0)
        return progress;
    mse_set_skey(mse, skey);
    progress = mse_read(mse, input);
    mse_check(mse);
    return progress;
}

/* Carries what one has to say to the other, `cut` bytes at a time. */
static enum mse_progress carry(struct mse *from, struct mse *to, size_t cut)
{
    struct buffer out = {0};
    enum mse_progress progress = MSE_MORE;
    mse_take_output(from, &out);
    for (size_t at = 0; at < out.length && progress == MSE_MORE; at += cut) {
        size_t length = out.length - at < cut ? out.length - at : cut;
        struct bytes input = {out.data + at, length};
        progress = read_on(to, &input);
        assert_true(progress == MSE_FAILED || input.length == 0);
    }
    buffer_deinit(&out);
    return progress;
}

static void assert_streams_agree(const struct mse *a, const struct mse *b)
{
    if (mse_method(a) != MSE_RC4)
        return;
    assert_true(rc4_equal(mse_encrypts(a), mse_decrypts(b)));
    assert_true(rc4_equal(mse_encrypts(b), mse_decrypts(a)));
    assert_false(rc4_equal(mse_encrypts(a), mse_encrypts(b)));
}

static void shake_hands(uint32_t offered, uint32_t taken, bool prefers_rc4, size_t cut,
                        uint64_t seed, uint32_t expected)
{
    struct mse *a = new_initiator(offered, seed), *b = new_responder(taken, prefers_rc4, seed + 1);
    assert_true(mse_set_initial(a, words));
    assert_int_equal(carry(a, b, cut), MSE_MORE);
    assert_int_equal(carry(b, a, cut), MSE_MORE);
    if (expected == 0) {
        assert_int_equal(carry(a, b, cut), MSE_FAILED);
    } else {
        assert_int_equal(carry(a, b, cut), MSE_DONE);
        assert_int_equal(carry(b, a, cut), MSE_DONE);
        assert_int_equal(mse_method(a), expected);
        assert_int_equal(mse_method(b), expected);
        assert_true(bytes_equal(mse_initial(b), words));
        assert_int_equal(mse_initial(a).length, 0);
        assert_streams_agree(a, b);
    }
    mse_free(a);
    mse_free(b);
}

static void mse_agrees_on_what_both_want(void **state)
{
    (void)state;
    static const struct {
        uint32_t offered, taken;
        bool prefers_rc4;
        uint32_t expected;
    } cases[] = {
        {BOTH, BOTH, true, MSE_RC4},        {BOTH, BOTH, false, MSE_PLAINTEXT},
        {BOTH, MSE_RC4, false, MSE_RC4},    {BOTH, MSE_PLAINTEXT, true, MSE_PLAINTEXT},
        {MSE_RC4, BOTH, false, MSE_RC4},    {MSE_PLAINTEXT, BOTH, true, MSE_PLAINTEXT},
        {MSE_RC4, MSE_RC4, false, MSE_RC4}, {MSE_PLAINTEXT, MSE_PLAINTEXT, false, MSE_PLAINTEXT},
        {MSE_RC4, MSE_PLAINTEXT, false, 0}, {MSE_PLAINTEXT, MSE_RC4, true, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint64_t seed = 1; seed <= 10; seed++)
            shake_hands(cases[i].offered, cases[i].taken, cases[i].prefers_rc4, SIZE_MAX / 2, seed,
                        cases[i].expected);
}

static void mse_may_be_cut_anywhere(void **state)
{
    (void)state;
    static const size_t cuts[] = {1, 2, 3, 7, 19, 20, 96, 97, 500, 1400};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        for (uint64_t seed = 1; seed <= 4; seed++) {
            shake_hands(BOTH, BOTH, true, cuts[i], seed, MSE_RC4);
            shake_hands(BOTH, BOTH, false, cuts[i], seed, MSE_PLAINTEXT);
        }
}

static void mse_pads_with_any_length_up_to_its_bound(void **state)
{
    (void)state;
    size_t least = SIZE_MAX, most = 0;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct buffer out = {0};
        struct mse *mse = new_initiator(BOTH, seed);
        assert_true(mse_take_output(mse, &out));
        assert_false(mse_take_output(mse, &out));
        least = out.length < least ? out.length : least;
        most = out.length > most ? out.length : most;
        buffer_deinit(&out);
        mse_free(mse);
    }
    assert_in_range(least, DIFFIE_HELLMAN_SIZE, DIFFIE_HELLMAN_SIZE + 16);
    assert_in_range(most, DIFFIE_HELLMAN_SIZE + MSE_PAD_MAX - 16,
                    DIFFIE_HELLMAN_SIZE + MSE_PAD_MAX);
}

static void mse_says_when_first_words_come_too_late(void **state)
{
    (void)state;
    struct mse *a = new_initiator(BOTH, 1), *b = new_responder(BOTH, true, 2);
    carry(a, b, SIZE_MAX / 2);
    carry(b, a, SIZE_MAX / 2);
    assert_false(mse_set_initial(a, words));
    assert_int_equal(carry(a, b, SIZE_MAX / 2), MSE_DONE);
    assert_int_equal(mse_initial(b).length, 0);
    assert_int_equal(carry(b, a, SIZE_MAX / 2), MSE_DONE);
    assert_streams_agree(a, b);
    mse_free(a);
    mse_free(b);
}

static void mse_leaves_what_follows_to_the_stream(void **state)
{
    (void)state;
    struct mse *a = new_initiator(BOTH, 3), *b = new_responder(BOTH, true, 4);
    struct buffer out = {0};
    carry(a, b, SIZE_MAX / 2);
    carry(b, a, SIZE_MAX / 2);
    mse_take_output(a, &out);
    buffer_append_text(&out, "more");
    struct bytes input = buffer_bytes(&out);
    assert_int_equal(read_on(b, &input), MSE_DONE);
    assert_int_equal(input.length, 4);
    assert_memory_equal(input.data, "more", 4);
    assert_int_equal(mse_read(b, &input), MSE_DONE);
    assert_int_equal(input.length, 4);
    buffer_deinit(&out);
    mse_free(a);
    mse_free(b);
}

/* ---- against an other side that is written by hand, and may be wrong ---- */

/* A responder that has the other side's public number, and it the responder's. */
static struct mse *meet(struct mse_other_side *side, size_t padding)
{
    struct mse *mse = new_responder(BOTH, true, 9);
    struct buffer said = {0}, sent = {0};
    other_side_init(side, 0x42, skey);
    other_side_put_public(side, padding, &said);
    struct bytes input = buffer_bytes(&said);
    assert_int_equal(read_on(mse, &input), MSE_MORE);
    mse_take_output(mse, &sent);
    other_side_take_public(side, sent.data, true);
    buffer_deinit(&said);
    buffer_deinit(&sent);
    return mse;
}

static enum mse_progress say(struct mse *mse, struct buffer *out)
{
    struct bytes input = buffer_bytes(out);
    enum mse_progress progress = read_on(mse, &input);
    buffer_deinit(out);
    return progress;
}

static void mse_answers_a_handshake_written_by_hand(void **state)
{
    (void)state;
    for (size_t padding = 0; padding <= MSE_PAD_MAX; padding += 64) {
        struct mse_other_side side;
        struct buffer out = {0}, sent = {0};
        uint32_t method = 0;
        size_t end = 0;
        struct mse *mse = meet(&side, padding);
        other_side_put_request(&side, BOTH, words, &out);
        assert_int_equal(say(mse, &out), MSE_DONE);
        assert_true(bytes_equal(mse_initial(mse), words));
        assert_true(rc4_equal(mse_decrypts(mse), &side.out));
        /* Its public number was taken before; anything stands for it here. */
        for (size_t i = 0; i < DIFFIE_HELLMAN_SIZE; i++)
            buffer_append_u8(&sent, 0);
        mse_take_output(mse, &sent);
        assert_true(other_side_find_answer(&side, buffer_bytes(&sent), &method, &end));
        assert_int_equal(method, MSE_RC4);
        assert_int_equal(end, sent.length);
        assert_true(rc4_equal(mse_encrypts(mse), &side.in));
        buffer_deinit(&sent);
        mse_free(mse);
    }
}

static void mse_ends_an_endless_padding(void **state)
{
    (void)state;
    struct mse_other_side side;
    struct mse *mse = meet(&side, 0);
    uint8_t byte = 0x55;
    for (size_t i = 1; i < MSE_PAD_MAX + SHA1_SIZE; i++) {
        struct bytes input = {&byte, 1};
        assert_int_equal(mse_read(mse, &input), MSE_MORE);
    }
    struct bytes input = {&byte, 1};
    assert_int_equal(mse_read(mse, &input), MSE_FAILED);
    mse_free(mse);

    mse = new_initiator(BOTH, 1);
    uint8_t number[DIFFIE_HELLMAN_SIZE] = {7};
    input = (struct bytes){number, sizeof number};
    assert_int_equal(mse_read(mse, &input), MSE_MORE);
    for (size_t i = 1; i < MSE_PAD_MAX + 8; i++) {
        input = (struct bytes){&byte, 1};
        assert_int_equal(mse_read(mse, &input), MSE_MORE);
    }
    input = (struct bytes){&byte, 1};
    assert_int_equal(mse_read(mse, &input), MSE_FAILED);
    mse_free(mse);
}

/* The same number of bytes as a good third step, with one field of it wrong. */
static enum mse_progress say_wrongly(uint32_t methods, uint32_t padding_said, uint32_t initial_said,
                                     size_t flipped)
{
    struct mse_other_side side;
    struct buffer plain = {0}, out = {0};
    struct mse *mse = meet(&side, 10);
    other_side_put_hashes(&side, &out);
    other_side_put_head(&plain, methods, padding_said, 0);
    other_side_put_u16(&plain, initial_said);
    if (flipped < plain.length)
        plain.data[flipped] ^= 1;
    other_side_put_hidden(&side, &plain, &out);
    enum mse_progress progress = say(mse, &out);
    mse_free(mse);
    return progress;
}

static void mse_refuses_fields_that_are_wrong(void **state)
{
    (void)state;
    assert_int_equal(say_wrongly(MSE_RC4, 0, 0, SIZE_MAX), MSE_DONE);
    for (size_t i = 0; i < 8; i++) /* VC */
        assert_int_equal(say_wrongly(MSE_RC4, 0, 0, i), MSE_FAILED);
    assert_int_equal(say_wrongly(0, 0, 0, SIZE_MAX), MSE_FAILED);
    assert_int_equal(say_wrongly(4, 0, 0, SIZE_MAX), MSE_FAILED);
    assert_int_equal(say_wrongly(0xfffffffe, 0, 0, SIZE_MAX), MSE_DONE); /* RC4 is among them */
    assert_int_equal(say_wrongly(MSE_RC4, MSE_PAD_MAX, 0, SIZE_MAX), MSE_MORE);
    assert_int_equal(say_wrongly(MSE_RC4, MSE_PAD_MAX + 1, 0, SIZE_MAX), MSE_FAILED);
    assert_int_equal(say_wrongly(MSE_RC4, 0, MSE_INITIAL_MAX, SIZE_MAX), MSE_MORE);
    assert_int_equal(say_wrongly(MSE_RC4, 0, MSE_INITIAL_MAX + 1, SIZE_MAX), MSE_FAILED);
}

static void mse_knows_no_torrent_that_nobody_named(void **state)
{
    (void)state;
    struct mse_other_side side;
    struct buffer out = {0};
    struct mse *mse = meet(&side, 10);
    memset(side.skey, 0x11, sizeof side.skey);
    other_side_put_request(&side, BOTH, words, &out);
    assert_int_equal(say(mse, &out), MSE_ASKS);
    mse_free(mse);
}

static void mse_is_not_deceived_by_a_replay(void **state)
{
    (void)state;
    struct mse_other_side side;
    struct buffer out = {0}, again = {0};
    struct rng rng;
    struct mse *mse = meet(&side, 10);
    other_side_put_request(&side, BOTH, words, &out);
    for (size_t i = 0; i < MSE_PAD_MAX; i++)
        buffer_append_u8(&out, 0);
    other_side_put_public(&side, 10, &again);
    buffer_append(&again, out.data, out.length);
    assert_int_equal(say(mse, &out), MSE_DONE);
    mse_free(mse);
    /* Every byte as before, to one that has another number of its own. */
    rng_init(&rng, 10);
    mse = mse_new(&(struct mse_options){.methods = BOTH}, &rng);
    assert_int_equal(say(mse, &again), MSE_FAILED);
    mse_free(mse);
}

/* An initiator that has heard the other side's public number and `padding` bytes. */
static struct mse *be_met(struct mse_other_side *side, uint32_t methods, size_t padding)
{
    struct mse *mse = new_initiator(methods, 11);
    struct buffer said = {0}, sent = {0};
    other_side_init(side, 0x43, skey);
    mse_take_output(mse, &sent);
    other_side_take_public(side, sent.data, false);
    other_side_put_public(side, padding, &said);
    assert_int_equal(say(mse, &said), MSE_MORE);
    buffer_deinit(&sent);
    return mse;
}

static enum mse_progress answer(uint32_t offered, uint32_t selected, uint32_t padding_said)
{
    struct mse_other_side side;
    struct buffer plain = {0}, out = {0};
    struct mse *mse = be_met(&side, offered, 300);
    other_side_put_head(&plain, selected, padding_said, 0);
    other_side_put_hidden(&side, &plain, &out);
    enum mse_progress progress = say(mse, &out);
    mse_free(mse);
    return progress;
}

static void mse_takes_only_an_answer_to_what_it_offered(void **state)
{
    (void)state;
    assert_int_equal(answer(BOTH, MSE_RC4, 0), MSE_DONE);
    assert_int_equal(answer(BOTH, MSE_PLAINTEXT, 0), MSE_DONE);
    assert_int_equal(answer(BOTH, BOTH, 0), MSE_FAILED);
    assert_int_equal(answer(BOTH, 0, 0), MSE_FAILED);
    assert_int_equal(answer(BOTH, 4, 0), MSE_FAILED);
    assert_int_equal(answer(MSE_RC4, MSE_PLAINTEXT, 0), MSE_FAILED);
    assert_int_equal(answer(MSE_PLAINTEXT, MSE_RC4, 0), MSE_FAILED);
    assert_int_equal(answer(BOTH, MSE_RC4, MSE_PAD_MAX), MSE_MORE);
    assert_int_equal(answer(BOTH, MSE_RC4, MSE_PAD_MAX + 1), MSE_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mse_agrees_on_what_both_want),
        cmocka_unit_test(mse_may_be_cut_anywhere),
        cmocka_unit_test(mse_pads_with_any_length_up_to_its_bound),
        cmocka_unit_test(mse_says_when_first_words_come_too_late),
        cmocka_unit_test(mse_leaves_what_follows_to_the_stream),
        cmocka_unit_test(mse_answers_a_handshake_written_by_hand),
        cmocka_unit_test(mse_ends_an_endless_padding),
        cmocka_unit_test(mse_refuses_fields_that_are_wrong),
        cmocka_unit_test(mse_knows_no_torrent_that_nobody_named),
        cmocka_unit_test(mse_is_not_deceived_by_a_replay),
        cmocka_unit_test(mse_takes_only_an_answer_to_what_it_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
