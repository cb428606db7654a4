/* SPDX-License-Identifier: MIT */
/* The private key of mutable items in a file: 64 hex digits (the seed of ed25519) and a line end,
 * readable by its owner alone. */
#ifndef FRESHET_CLI_DHT_KEY_FILE_H
#define FRESHET_CLI_DHT_KEY_FILE_H

#include "cli/exit_code.h"
#include "host/ed25519.h"

/* Reads the pair, or makes one and the file when there is none. Says what is wrong and returns the
 * exit code, EXIT_CODE_OK when there is a pair. */
int dht_key_file_open(const char *path, struct ed25519_pair *ret_pair);

#endif
