/* SPDX-License-Identifier: MIT */
/*
 * What both sides of a handshake of message stream encryption make of S, the number that they share
 * (diffie_hellman), and SKEY, the info-hash that only who has the torrent knows. Pure functions;
 * mse.h is the handshake.
 */
#ifndef FRESHET_WIRE_MSE_KEY_H
#define FRESHET_WIRE_MSE_KEY_H

#include "core/crypto/diffie_hellman.h"
#include "core/crypto/rc4.h"
#include "core/crypto/sha1.h"

#define MSE_SKEY_SIZE 20 /* v1, or the first 20 bytes of v2, as in the handshake of BEP 3 */

/* HASH("req1", S): by it the responder finds the end of the padding. */
void mse_key_sync(const uint8_t shared[DIFFIE_HELLMAN_SIZE], uint8_t ret_hash[SHA1_SIZE]);
/* HASH("req2", SKEY): a torrent's name for who does not know its info-hash yet. */
void mse_key_name(const uint8_t skey[MSE_SKEY_SIZE], uint8_t ret_name[SHA1_SIZE]);
/* A name xor HASH("req3", S): what is sent of it. The same call takes it off again. */
void mse_key_veil(const uint8_t shared[DIFFIE_HELLMAN_SIZE], uint8_t name[SHA1_SIZE]);
/* The cipher of the bytes that the initiator (else: the responder) sends, its first 1024 bytes
 * gone. */
void mse_key_cipher(const uint8_t shared[DIFFIE_HELLMAN_SIZE], const uint8_t skey[MSE_SKEY_SIZE],
                    bool of_initiator, struct rc4 *ret_cipher);

#endif
