/* SPDX-License-Identifier: MIT */
#include "host/stream_cipher.h"

#include "core/base/check.h"
#include "core/base/memory.h"

void stream_cipher_free(struct stream_cipher *cipher)
{
    if (!cipher)
        return;
    memory_free(cipher->chunk);
    memory_free(cipher);
}

static struct stream_cipher *stream_cipher_of(struct stream_cipher **cipher)
{
    if (!*cipher)
        *cipher = memory_new(sizeof **cipher);
    return *cipher;
}

void stream_cipher_decrypt_with(struct stream_cipher **cipher, const struct rc4 *in)
{
    struct stream_cipher *own = stream_cipher_of(cipher);

    own->in = *in;
    own->decrypts = true;
}

void stream_cipher_encrypt_with(struct stream_cipher **cipher, const struct rc4 *out)
{
    struct stream_cipher *own = stream_cipher_of(cipher);

    own->out = *out;
    own->encrypts = true;
}

void stream_cipher_decrypt(struct stream_cipher *cipher, uint8_t *bytes, size_t length)
{
    if (cipher && cipher->decrypts)
        rc4_apply(&cipher->in, bytes, length);
}

bool stream_cipher_encrypts(const struct stream_cipher *cipher)
{
    return cipher && cipher->encrypts;
}

struct bytes stream_cipher_pending(const struct stream_cipher *cipher)
{
    size_t length = cipher->chunk_length - cipher->chunk_sent;

    return (struct bytes){length > 0 ? cipher->chunk + cipher->chunk_sent : NULL, length};
}

void stream_cipher_sent(struct stream_cipher *cipher, size_t length)
{
    cipher->chunk_sent += length;
    CHECK(cipher->chunk_sent <= cipher->chunk_length);
}

uint8_t *stream_cipher_chunk(struct stream_cipher *cipher)
{
    CHECK(cipher->chunk_sent == cipher->chunk_length);
    if (!cipher->chunk)
        cipher->chunk = memory_new(STREAM_CHUNK_BYTES);
    return cipher->chunk;
}

void stream_cipher_encrypt(struct stream_cipher *cipher, size_t length)
{
    rc4_apply(&cipher->out, cipher->chunk, length);
    cipher->chunk_length = length;
    cipher->chunk_sent = 0;
}
