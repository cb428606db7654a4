/* SPDX-License-Identifier: MIT */
#include "core/wire/mse.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

#define VC_SIZE        8u  /* the verification constant: zeros */
#define HEAD_REQUEST   14u /* VC, provided, len(PadC) */
#define HEAD_ANSWER    6u  /* selected, len(PadD); its VC was what was searched for */
#define INITIAL_LENGTH 2u

/* In the order in which they are passed through; an initiator leaves out what is not its own. */
enum mse_state {
    STATE_KEY,            /* the other's public number */
    STATE_SYNC,           /* padding, and the pattern that ends it */
    STATE_NAME,           /* responder: which torrent */
    STATE_ASKS,           /* responder: until it is told SKEY */
    STATE_HEAD,           /* encrypted from here on */
    STATE_PAD,            /* PadC, PadD */
    STATE_INITIAL_LENGTH, /* responder */
    STATE_INITIAL,        /* responder */
    STATE_DONE,
    STATE_FAILED,
};

struct mse {
    bool is_initiator, has_skey, prefers_rc4;
    enum mse_state state;
    uint32_t methods, method; /* offered or taken; agreed: 0 until then */
    uint8_t exponent[DIFFIE_HELLMAN_EXPONENT_SIZE];
    uint8_t shared[DIFFIE_HELLMAN_SIZE];
    uint8_t skey[MSE_SKEY_SIZE];
    struct rng rng; /* of the paddings */
    struct rc4 decrypts, encrypts;
    uint8_t part[DIFFIE_HELLMAN_SIZE]; /* of what the state waits for */
    uint32_t have, need;
    uint8_t pattern[SHA1_SIZE]; /* STATE_SYNC: `need` bytes that end the padding */
    uint32_t skipped;           /* bytes looked at for it */
    struct buffer initial;      /* ours to send, or theirs as it comes in */
    struct buffer out;
};

static void put_padding(struct mse *mse)
{
    uint8_t padding[MSE_PAD_MAX];
    uint32_t length = rng_below(&mse->rng, MSE_PAD_MAX + 1);
    rng_fill(&mse->rng, padding, length);
    buffer_append(&mse->out, padding, length);
}

static void put_public(struct mse *mse)
{
    uint8_t number[DIFFIE_HELLMAN_SIZE];
    diffie_hellman_public(mse->exponent, number);
    buffer_append(&mse->out, number, sizeof number);
    put_padding(mse);
}

static void await(struct mse *mse, enum mse_state state, uint32_t need)
{
    mse->state = state;
    mse->have = 0;
    mse->need = need;
}

struct mse *mse_new(const struct mse_options *options, struct rng *rng)
{
    CHECK(options->methods != 0 && (options->methods & ~(MSE_PLAINTEXT | MSE_RC4)) == 0);
    struct mse *mse = memory_new(sizeof *mse);
    mse->is_initiator = options->skey != NULL;
    mse->methods = options->methods;
    mse->prefers_rc4 = options->prefers_rc4;
    rng_fill(rng, mse->exponent, sizeof mse->exponent);
    rng_init(&mse->rng, rng_u64(rng));
    await(mse, STATE_KEY, DIFFIE_HELLMAN_SIZE);
    if (mse->is_initiator) {
        mse_set_skey(mse, options->skey);
        put_public(mse);
    }
    return mse;
}

void mse_free(struct mse *mse)
{
    if (mse == NULL)
        return;
    buffer_deinit(&mse->initial);
    buffer_deinit(&mse->out);
    memory_free(mse);
}

bool mse_set_initial(struct mse *mse, struct bytes initial)
{
    CHECK(mse->is_initiator && mse->initial.length == 0);
    CHECK(initial.length <= MSE_INITIAL_MAX);
    if (mse->state != STATE_KEY)
        return false;
    buffer_append(&mse->initial, initial.data, initial.length);
    return true;
}

const uint8_t *mse_name(const struct mse *mse)
{
    CHECK(mse->state == STATE_ASKS);
    return mse->part;
}

void mse_set_skey(struct mse *mse, const uint8_t skey[MSE_SKEY_SIZE])
{
    CHECK(!mse->has_skey);
    memcpy(mse->skey, skey, MSE_SKEY_SIZE);
    mse->has_skey = true;
    if (mse->is_initiator)
        return;
    CHECK(mse->state == STATE_ASKS);
    mse_key_cipher(mse->shared, mse->skey, true, &mse->decrypts);
    mse_key_cipher(mse->shared, mse->skey, false, &mse->encrypts);
    await(mse, STATE_HEAD, HEAD_REQUEST);
}

/* ---- what is sent ---- */

/* Encrypts what was appended to the output since `from`. */
static void hide_from(struct mse *mse, size_t from)
{
    rc4_apply(&mse->encrypts, mse->out.data + from, mse->out.length - from);
}

/* VC, a method (or set of them), a padding with its length before it. */
static void put_head(struct mse *mse, uint32_t methods)
{
    static const uint8_t vc[VC_SIZE];
    uint8_t padding[MSE_PAD_MAX], fields[6];
    uint32_t length = rng_below(&mse->rng, MSE_PAD_MAX + 1);
    struct writer writer;
    rng_fill(&mse->rng, padding, length);
    writer_init(&writer, fields, sizeof fields);
    writer_u32(&writer, methods);
    writer_u16(&writer, (uint16_t)length);
    buffer_append(&mse->out, vc, sizeof vc);
    buffer_append(&mse->out, fields, sizeof fields);
    buffer_append(&mse->out, padding, length);
}

static void put_request(struct mse *mse)
{
    uint8_t hash[SHA1_SIZE], length[INITIAL_LENGTH];
    mse_key_sync(mse->shared, hash);
    buffer_append(&mse->out, hash, sizeof hash);
    mse_key_name(mse->skey, hash);
    mse_key_veil(mse->shared, hash);
    buffer_append(&mse->out, hash, sizeof hash);
    size_t hidden = mse->out.length;
    put_head(mse, mse->methods);
    length[0] = (uint8_t)(mse->initial.length >> 8);
    length[1] = (uint8_t)mse->initial.length;
    buffer_append(&mse->out, length, sizeof length);
    buffer_append(&mse->out, mse->initial.data, mse->initial.length);
    buffer_deinit(&mse->initial);
    hide_from(mse, hidden);
}

static void put_answer(struct mse *mse)
{
    size_t hidden = mse->out.length;
    put_head(mse, mse->method);
    hide_from(mse, hidden);
}

/* ---- what comes in ---- */

static void take_key(struct mse *mse)
{
    diffie_hellman_shared(mse->exponent, mse->part, mse->shared);
    mse->skipped = 0;
    if (mse->is_initiator) {
        mse_key_cipher(mse->shared, mse->skey, true, &mse->encrypts);
        mse_key_cipher(mse->shared, mse->skey, false, &mse->decrypts);
        put_request(mse);
        memset(mse->pattern, 0, VC_SIZE);
        rc4_apply(&mse->decrypts, mse->pattern, VC_SIZE);
        await(mse, STATE_SYNC, VC_SIZE);
    } else {
        put_public(mse);
        mse_key_sync(mse->shared, mse->pattern);
        await(mse, STATE_SYNC, SHA1_SIZE);
    }
}

/* Byte by byte: `part` holds the last `need` bytes at most. */
static void search(struct mse *mse, struct bytes *input)
{
    while (input->length > 0 && mse->state == STATE_SYNC) {
        if (mse->have == mse->need)
            memmove(mse->part, mse->part + 1, --mse->have);
        mse->part[mse->have++] = *input->data++;
        input->length--;
        mse->skipped++;
        if (mse->have == mse->need && memcmp(mse->part, mse->pattern, mse->need) == 0)
            await(mse, mse->is_initiator ? STATE_HEAD : STATE_NAME,
                  mse->is_initiator ? HEAD_ANSWER : SHA1_SIZE);
        else if (mse->skipped == MSE_PAD_MAX + mse->need)
            mse->state = STATE_FAILED;
    }
}

static void take_name(struct mse *mse)
{
    mse_key_veil(mse->shared, mse->part);
    mse->state = STATE_ASKS;
}

/* One of the methods that both know; 0: there is none. */
static uint32_t choose(const struct mse *mse, uint32_t offered)
{
    uint32_t common = offered & mse->methods;
    if (mse->is_initiator) /* the other side has chosen, and chose one thing */
        return common == offered && common != (MSE_PLAINTEXT | MSE_RC4) ? common : 0;
    if (common == (MSE_PLAINTEXT | MSE_RC4))
        return mse->prefers_rc4 ? MSE_RC4 : MSE_PLAINTEXT;
    return common;
}

static void take_head(struct mse *mse)
{
    static const uint8_t vc[VC_SIZE];
    struct cursor cursor;
    cursor_init(&cursor, (struct bytes){mse->part, mse->need});
    bool is_true =
        mse->is_initiator || memcmp(cursor_bytes(&cursor, VC_SIZE).data, vc, VC_SIZE) == 0;
    mse->method = choose(mse, cursor_u32(&cursor));
    uint16_t padding = cursor_u16(&cursor);
    bool is_padded = padding <= MSE_PAD_MAX;
#ifdef FRESHET_PLANTED_BUG
    is_padded = true; /* takes any length */
#endif
    if (!is_true || mse->method == 0 || !is_padded)
        mse->state = STATE_FAILED;
    else
        await(mse, STATE_PAD, padding);
}

static void finish(struct mse *mse)
{
    mse->state = STATE_DONE;
    if (!mse->is_initiator)
        put_answer(mse);
}

static void take_initial_length(struct mse *mse)
{
    uint32_t length = (uint32_t)mse->part[0] << 8 | mse->part[1];
    if (length > MSE_INITIAL_MAX)
        mse->state = STATE_FAILED;
    else
        await(mse, STATE_INITIAL, length);
}

/* Takes what there is of the `need` bytes; true: they are complete. Only a fixed part is kept. */
static bool collect(struct mse *mse, struct bytes *input)
{
    size_t take = mse->need - mse->have;
    take = take < input->length ? take : input->length;
    uint8_t plain[MSE_PAD_MAX];
    take = take < sizeof plain ? take : sizeof plain;
    if (take)
        memcpy(plain, input->data, take);
    if (mse->state >= STATE_HEAD)
        rc4_apply(&mse->decrypts, plain, take);
    if (mse->state == STATE_INITIAL)
        buffer_append(&mse->initial, plain, take);
    else if (mse->state != STATE_PAD && take)
        memcpy(mse->part + mse->have, plain, take);
    input->data = take ? input->data + take : input->data;
    input->length -= take;
    mse->have += (uint32_t)take;
    return mse->have == mse->need;
}

static void take_part(struct mse *mse)
{
    switch (mse->state) {
    case STATE_KEY: take_key(mse); break;
    case STATE_NAME: take_name(mse); break;
    case STATE_HEAD: take_head(mse); break;
    case STATE_PAD:
        if (mse->is_initiator)
            finish(mse);
        else
            await(mse, STATE_INITIAL_LENGTH, INITIAL_LENGTH);
        break;
    case STATE_INITIAL_LENGTH: take_initial_length(mse); break;
    case STATE_INITIAL: finish(mse); break;
    default: CHECK(!"a state that waits for a part");
    }
}

enum mse_progress mse_read(struct mse *mse, struct bytes *input)
{
    for (;;) {
        switch (mse->state) {
        case STATE_ASKS: return MSE_ASKS;
        case STATE_DONE: return MSE_DONE;
        case STATE_FAILED: return MSE_FAILED;
        case STATE_SYNC:
            search(mse, input);
            if (mse->state == STATE_SYNC)
                return MSE_MORE;
            break;
        default:
            if (collect(mse, input))
                take_part(mse);
            else if (input->length == 0)
                return MSE_MORE;
            break;
        }
    }
}

bool mse_take_output(struct mse *mse, struct buffer *out)
{
    if (mse->out.length == 0)
        return false;
    buffer_append(out, mse->out.data, mse->out.length);
    buffer_clear(&mse->out);
    return true;
}

/* ---- what came of it ---- */

struct bytes mse_initial(const struct mse *mse)
{
    CHECK(mse->state == STATE_DONE);
    return buffer_bytes(&mse->initial);
}

uint32_t mse_method(const struct mse *mse)
{
    CHECK(mse->state == STATE_DONE);
    return mse->method;
}

const struct rc4 *mse_decrypts(const struct mse *mse)
{
    CHECK(mse->state == STATE_DONE && mse->method == MSE_RC4);
    return &mse->decrypts;
}

const struct rc4 *mse_encrypts(const struct mse *mse)
{
    CHECK(mse->state == STATE_DONE && mse->method == MSE_RC4);
    return &mse->encrypts;
}

void mse_check(const struct mse *mse)
{
    CHECK(mse->have <= mse->need);
    CHECK(mse->state >= STATE_PAD || mse->need <= sizeof mse->part);
    CHECK(mse->state != STATE_PAD || mse->need <= MSE_PAD_MAX);
    CHECK(mse->initial.length <= MSE_INITIAL_MAX);
    CHECK(mse->state != STATE_DONE || mse->method == MSE_PLAINTEXT || mse->method == MSE_RC4);
    CHECK((mse->method & ~mse->methods) == 0);
    CHECK(mse->has_skey || mse->state <= STATE_ASKS || mse->state == STATE_FAILED);
}
