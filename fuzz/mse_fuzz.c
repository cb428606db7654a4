/* SPDX-License-Identifier: MIT */
/* planted: core/wire/mse.c */
/* finds: internal check failed: mse->state != STATE_PAD || mse->need <= MSE_PAD_MAX :: mse.c */
/* covers: core/wire/mse.c core/wire/mse_key.c */
/* max_len: 4096 */
/*
 * The handshake of message stream encryption, in both roles, against an other side that knows how
 * to encrypt (tests/wire/mse_other_side.h). The first byte says which role the machine has, what it
 * offers or takes and how what comes is cut; what follows are steps: bytes as they are, right
 * steps, and right steps with fields, lengths and words from the input. A second machine is fed the
 * same bytes one at a time and must say the same. Where the top bit is set, two machines speak to
 * one another instead, and must agree.
 */
#include "core/base/check.h"
#include "tests/wire/mse_other_side.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t skey[MSE_SKEY_SIZE] = "a torrent's own hash";

static struct mse *make(uint8_t mode, bool is_initiator, uint64_t seed)
{
    struct rng rng;
    struct mse_options options = {.methods = 1u + (mode >> 1 & 3u) % 3u,
                                  .prefers_rc4 = mode & 8,
                                  .skey = is_initiator ? skey : NULL};
    rng_init(&rng, seed);
    return mse_new(&options, &rng);
}

/* Tells a responder that asks for our torrent what it is. */
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

/* `cut` bytes at a time, each from a heap block of just this size; what is left in *ret_left. */
static enum mse_progress feed(struct mse *mse, struct bytes bytes, size_t cut, size_t *ret_left)
{
    enum mse_progress progress = MSE_MORE;
    size_t at = 0;
    while (at < bytes.length && progress == MSE_MORE) {
        size_t length = bytes.length - at < cut ? bytes.length - at : cut;
        uint8_t *copy = malloc(length);
        memcpy(copy, bytes.data + at, length);
        struct bytes input = {copy, length};
        progress = read_on(mse, &input);
        CHECK(progress != MSE_MORE || input.length == 0);
        at += length - input.length;
        free(copy);
    }
    *ret_left = bytes.length - at;
    return progress;
}

/* ---- two machines ---- */

static bool carry(struct mse *from, struct mse *to, size_t cut, enum mse_progress *ret_progress)
{
    struct buffer out = {0};
    size_t left;
    bool any = mse_take_output(from, &out);
    if (any)
        *ret_progress = feed(to, buffer_bytes(&out), cut, &left);
    buffer_deinit(&out);
    return any;
}

static void speak_to_one_another(const uint8_t *data, size_t size)
{
    struct mse *a = make(data[0], true, data[1]), *b = make(data[2], false, 1000u + data[1]);
    enum mse_progress of_a = MSE_MORE, of_b = MSE_MORE;
    struct bytes words = {data + 4, size - 4 < MSE_INITIAL_MAX ? size - 4 : MSE_INITIAL_MAX};
    CHECK(mse_set_initial(a, words));
    size_t cut = 1u + data[3];
    bool any = true;
    while (any) {
        any = carry(a, b, cut, &of_b);
        any = carry(b, a, cut, &of_a) || any;
    }
    CHECK((of_a == MSE_DONE) == (of_b == MSE_DONE));
    if (of_a == MSE_DONE) {
        CHECK(mse_method(a) == mse_method(b));
        CHECK(bytes_equal(mse_initial(b), words));
        if (mse_method(a) == MSE_RC4) {
            CHECK(rc4_equal(mse_encrypts(a), mse_decrypts(b)));
            CHECK(rc4_equal(mse_encrypts(b), mse_decrypts(a)));
        }
    }
    mse_free(a);
    mse_free(b);
}

/* ---- one machine ---- */

struct run {
    struct mse *mse, *twin;
    struct mse_other_side side;
    bool is_initiator; /* the machine */
    bool has_met;      /* the other side knows the machine's number */
    enum mse_progress progress;
    size_t cut;
};

/* The machine's number, when it has been said. */
static void look(struct run *run)
{
    struct buffer out = {0}, same = {0};
    CHECK(mse_take_output(run->mse, &out) == mse_take_output(run->twin, &same));
    CHECK(bytes_equal(buffer_bytes(&out), buffer_bytes(&same)));
    if (out.length && !run->has_met) {
        other_side_take_public(&run->side, out.data, !run->is_initiator);
        run->has_met = true;
    }
    buffer_deinit(&out);
    buffer_deinit(&same);
}

static void say(struct run *run, struct buffer *out)
{
    size_t left, left_of_twin;
    if (run->progress == MSE_MORE && out->length) {
        run->progress = feed(run->mse, buffer_bytes(out), run->cut, &left);
        CHECK(feed(run->twin, buffer_bytes(out), 1, &left_of_twin) == run->progress);
        CHECK(run->progress != MSE_DONE || left == left_of_twin);
    }
    buffer_deinit(out);
    look(run);
}

static void step(struct run *run, uint8_t what, struct bytes bytes)
{
    struct buffer out = {0}, plain = {0};
    uint32_t word = bytes.length >= 2 ? (uint32_t)bytes.data[0] << 8 | bytes.data[1] : 0;
    switch (what & 7) {
    case 0: buffer_append(&out, bytes.data, bytes.length); break;
    case 1: other_side_put_public(&run->side, word & 0x3ff, &out); break;
    case 2: other_side_put_hashes(&run->side, &out); break;
    case 3: other_side_put_head(&plain, what >> 3 & 3, word, what & 32 ? word & 0x3ff : 0); break;
    case 4: other_side_put_u16(&plain, word); break;
    case 5: buffer_append(&plain, bytes.data, bytes.length); break;
    case 6: other_side_put_request(&run->side, what >> 3 & 3, bytes, &out); break;
    case 7: /* a torrent that nobody has */
        run->side.skey[0] ^= 1;
        other_side_put_hashes(&run->side, &out);
        run->side.skey[0] ^= 1;
        break;
    }
    if (plain.length)
        other_side_put_hidden(&run->side, &plain, &out);
    say(run, &out);
}

static void meet_other_side(const uint8_t *data, size_t size)
{
    bool is_initiator = data[0] & 1;
    struct run run = {.mse = make(data[0], is_initiator, 5),
                      .twin = make(data[0], is_initiator, 5),
                      .is_initiator = is_initiator,
                      .cut = data[0] & 16 ? 7 : SIZE_MAX / 2};
    struct bytes words = BYTES_LITERAL("first words");
    size_t at = 1;
    other_side_init(&run.side, data[0], skey);
    if (is_initiator && data[0] & 32) {
        CHECK(mse_set_initial(run.mse, words));
        CHECK(mse_set_initial(run.twin, words));
    }
    look(&run);
    if (!is_initiator && data[0] & 64) /* most of what is interesting lies behind the first step */
        step(&run, 1, (struct bytes){data, 0});
    for (uint32_t steps = 0; at + 2 <= size && steps < 64; steps++) {
        uint8_t what = data[at++];
        size_t length = data[at++];
        length = length < size - at ? length : size - at;
        step(&run, what, (struct bytes){data + at, length});
        at += length;
    }
    mse_free(run.mse);
    mse_free(run.twin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    if (data[0] & 128)
        speak_to_one_another(data, size);
    else
        meet_other_side(data, size);
    return 0;
}
