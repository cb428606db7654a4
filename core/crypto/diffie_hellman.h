/* SPDX-License-Identifier: MIT */
/*
 * The key exchange of message stream encryption: Diffie and Hellman's, modulo a prime of 768 bits,
 * with generator 2. It agrees on a key for hiding, not for keeping secrets: the prime is too small
 * for that and nobody proves who he is, so the time that it takes may tell of the exponent here.
 */
#ifndef FRESHET_CRYPTO_DIFFIE_HELLMAN_H
#define FRESHET_CRYPTO_DIFFIE_HELLMAN_H

#include <stdint.h>

#define DIFFIE_HELLMAN_SIZE          96 /* of a public or shared number, big-endian, with its zeros */
#define DIFFIE_HELLMAN_EXPONENT_SIZE 20 /* big-endian, random */

/* 2 to the exponent. */
void diffie_hellman_public(const uint8_t exponent[DIFFIE_HELLMAN_EXPONENT_SIZE],
                           uint8_t ret_number[DIFFIE_HELLMAN_SIZE]);
/* The other side's public number (any 96 bytes) to the exponent. */
void diffie_hellman_shared(const uint8_t exponent[DIFFIE_HELLMAN_EXPONENT_SIZE],
                           const uint8_t other[DIFFIE_HELLMAN_SIZE],
                           uint8_t ret_number[DIFFIE_HELLMAN_SIZE]);

#endif
