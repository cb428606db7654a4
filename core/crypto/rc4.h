/* SPDX-License-Identifier: MIT */
/*
 * RC4, the stream cipher of message stream encryption. It hides what is spoken from a filter on the
 * way and protects nothing else. Encrypting and decrypting are the same: the bytes are mixed with a
 * stream that depends on the key and on how many bytes went before.
 */
#ifndef FRESHET_CRYPTO_RC4_H
#define FRESHET_CRYPTO_RC4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rc4 {
    uint32_t state[256]; /* bytes, each in a word: half as fast again as an array of bytes */
    uint8_t i, j;
};

/* length: 1 to 256 bytes. */
void rc4_init(struct rc4 *rc4, const uint8_t *key, size_t length);
/* Goes over that many bytes of the stream. */
void rc4_skip(struct rc4 *rc4, size_t length);
/* In place. */
void rc4_apply(struct rc4 *rc4, uint8_t *bytes, size_t length);
/* Will both make the same of all that follows? */
bool rc4_equal(const struct rc4 *a, const struct rc4 *b);

#endif
