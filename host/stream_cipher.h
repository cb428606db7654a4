/* SPDX-License-Identifier: MIT */
/*
 * The ciphers of a stream whose handshake agreed on RC4 (core/wire/mse.h): what came in is
 * decrypted where it lies, before anybody looks at it; what goes out is copied to a chunk,
 * encrypted there, and sent from there, since what the cipher has passed has to go out as it is. A
 * stream without them is NULL here, and costs nothing.
 */
#ifndef FRESHET_HOST_STREAM_CIPHER_H
#define FRESHET_HOST_STREAM_CIPHER_H

#include "core/base/bytes.h"
#include "core/crypto/rc4.h"

#define STREAM_CHUNK_BYTES 32768u /* a block and its header, and some more of a larger request */

struct stream_cipher {
    bool decrypts, encrypts;
    struct rc4 in, out;
    uint8_t *chunk; /* encrypted, on its way out; NULL: none was needed yet */
    size_t chunk_length, chunk_sent;
};

void stream_cipher_free(struct stream_cipher *cipher);
/* Each of these makes the ciphers where there are none yet. From the next byte on. */
void stream_cipher_decrypt_with(struct stream_cipher **cipher, const struct rc4 *in);
void stream_cipher_encrypt_with(struct stream_cipher **cipher, const struct rc4 *out);

/* The next bytes that came in, in place. */
void stream_cipher_decrypt(struct stream_cipher *cipher, uint8_t *bytes, size_t length);
bool stream_cipher_encrypts(const struct stream_cipher *cipher);

/* What is encrypted and has not gone out yet. */
struct bytes stream_cipher_pending(const struct stream_cipher *cipher);
/* So much of it has. */
void stream_cipher_sent(struct stream_cipher *cipher, size_t length);
/* When nothing is pending: room for STREAM_CHUNK_BYTES, then how many were put there. */
uint8_t *stream_cipher_chunk(struct stream_cipher *cipher);
void stream_cipher_encrypt(struct stream_cipher *cipher, size_t length);

#endif
