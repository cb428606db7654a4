/* SPDX-License-Identifier: MIT */
/*
 * What opens the files of one torrent over HTTP, and nothing else: a player knows no token, and the
 * token is not to stand in links, nor anything from which one that a person chose could be guessed.
 * Who may do everything is told the key; it is good as long as the daemon's secret.
 *
 *     key = SHA-256(secret, "freshet stream", the torrent's 32 bytes), the first 16 bytes in hex
 */
#ifndef FRESHET_STREAM_STREAM_KEY_H
#define FRESHET_STREAM_STREAM_KEY_H

#include <stdbool.h>
#include <stdint.h>

#define STREAM_SECRET_SIZE 32u
#define STREAM_KEY_SIZE    33u /* with the NUL */

/* From a text that nobody can guess. */
void stream_key_secret(const char *text, uint8_t ret_secret[STREAM_SECRET_SIZE]);
void stream_key_make(const uint8_t secret[STREAM_SECRET_SIZE], const uint8_t torrent[32],
                     char ret_key[STREAM_KEY_SIZE]);
/* Takes as long whatever differs. */
bool stream_key_is_good(const uint8_t secret[STREAM_SECRET_SIZE], const uint8_t torrent[32],
                        const char *key);

#endif
