/* SPDX-License-Identifier: MIT */
/*
 * The other side of a handshake of MSE as a test wants it: an initiator or responder that is
 * written a second time, straight from the picture in mse.h, whose every field may be wrong.
 */
#ifndef FRESHET_TESTS_MSE_OTHER_SIDE_H
#define FRESHET_TESTS_MSE_OTHER_SIDE_H

#include "core/base/bytes.h"
#include "core/wire/mse.h"

#include <string.h>

struct mse_other_side {
    uint8_t exponent[DIFFIE_HELLMAN_EXPONENT_SIZE];
    uint8_t shared[DIFFIE_HELLMAN_SIZE];
    uint8_t skey[MSE_SKEY_SIZE];
    struct rc4 in, out;
};

static inline void other_side_init(struct mse_other_side *side, uint8_t seed, const uint8_t *skey)
{
    memset(side, 0, sizeof *side);
    memset(side->exponent, seed, sizeof side->exponent);
    memcpy(side->skey, skey, MSE_SKEY_SIZE);
}

/* Our public number and `padding` bytes of it. */
static inline void other_side_put_public(const struct mse_other_side *side, size_t padding,
                                         struct buffer *out)
{
    uint8_t number[DIFFIE_HELLMAN_SIZE];
    diffie_hellman_public(side->exponent, number);
    buffer_append(out, number, sizeof number);
    for (size_t i = 0; i < padding; i++)
        buffer_append_u8(out, 0x55);
}

/* What the machine sent begins with its public number. */
static inline void other_side_take_public(struct mse_other_side *side, const uint8_t *number,
                                          bool is_initiator)
{
    diffie_hellman_shared(side->exponent, number, side->shared);
    mse_key_cipher(side->shared, side->skey, is_initiator, &side->out);
    mse_key_cipher(side->shared, side->skey, !is_initiator, &side->in);
}

static inline void other_side_put_u16(struct buffer *out, uint32_t value)
{
    buffer_append_u8(out, (uint8_t)(value >> 8));
    buffer_append_u8(out, (uint8_t)value);
}

/* Appends the bytes, encrypted. */
static inline void other_side_put_hidden(struct mse_other_side *side, struct buffer *plain,
                                         struct buffer *out)
{
    rc4_apply(&side->out, plain->data, plain->length);
    buffer_append(out, plain->data, plain->length);
    buffer_deinit(plain);
}

/* VC, methods and a padding of the length that is said, or another. */
static inline void other_side_put_head(struct buffer *plain, uint32_t methods,
                                       uint32_t padding_said, size_t padding)
{
    static const uint8_t zeros[8];
    buffer_append(plain, zeros, sizeof zeros);
    other_side_put_u16(plain, methods >> 16);
    other_side_put_u16(plain, methods);
    other_side_put_u16(plain, padding_said);
    for (size_t i = 0; i < padding; i++)
        buffer_append_u8(plain, 0x77);
}

/* The two hashes of the third step. */
static inline void other_side_put_hashes(const struct mse_other_side *side, struct buffer *out)
{
    uint8_t hash[SHA1_SIZE];
    mse_key_sync(side->shared, hash);
    buffer_append(out, hash, sizeof hash);
    mse_key_name(side->skey, hash);
    mse_key_veil(side->shared, hash);
    buffer_append(out, hash, sizeof hash);
}

/* The whole third step with these first words. */
static inline void other_side_put_request(struct mse_other_side *side, uint32_t methods,
                                          struct bytes initial, struct buffer *out)
{
    struct buffer plain = {0};
    other_side_put_hashes(side, out);
    other_side_put_head(&plain, methods, 3, 3);
    other_side_put_u16(&plain, (uint32_t)initial.length);
    buffer_append(&plain, initial.data, initial.length);
    other_side_put_hidden(side, &plain, out);
}

/* Finds the fourth step in what the machine sent: where VC begins, as a responder's padding has any
 * length. false: it is not there. `in` is behind it then, and *ret_end where the stream begins. */
static inline bool other_side_find_answer(struct mse_other_side *side, struct bytes sent,
                                          uint32_t *ret_method, size_t *ret_end)
{
    uint8_t pattern[8] = {0}, head[6], padding[MSE_PAD_MAX];
    rc4_apply(&side->in, pattern, sizeof pattern);
    for (size_t at = DIFFIE_HELLMAN_SIZE; at + 14 <= sent.length; at++) {
        if (memcmp(sent.data + at, pattern, sizeof pattern) != 0)
            continue;
        memcpy(head, sent.data + at + 8, sizeof head);
        rc4_apply(&side->in, head, sizeof head);
        size_t length = (size_t)head[4] << 8 | head[5];
        if (length > sizeof padding || at + 14 + length > sent.length)
            return false;
        memcpy(padding, sent.data + at + 14, length);
        rc4_apply(&side->in, padding, length);
        *ret_method = (uint32_t)head[2] << 8 | head[3];
        *ret_end = at + 14 + length;
        return true;
    }
    return false;
}

#endif
