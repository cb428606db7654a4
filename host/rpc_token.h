/* SPDX-License-Identifier: MIT */
/*
 * The secrets by which a client of the RPC shows that it may: made at the first start, kept in the
 * state folder, readable by its owner alone.
 */
#ifndef FRESHET_HOST_RPC_TOKEN_H
#define FRESHET_HOST_RPC_TOKEN_H

#include "core/base/error.h"

#include <stdbool.h>

#define RPC_TOKEN_SIZE    65 /* with the end mark; longer ones are not read */
#define RPC_TOKEN_CONTROL "rpc-token"
#define RPC_TOKEN_READ    "rpc-token-read"
#define RPC_TOKEN_LINKS   "rpc-token-links" /* never shown: what keys of links are made from */

/* The token in folder/name; made when there is none and `make` is set, else NOT_FOUND. A file that
 * others may read is FRESHET_ERROR_PERMISSION. */
enum freshet_error rpc_token_load(const char *folder, const char *name, int make,
                                  char ret_token[RPC_TOKEN_SIZE]);
/* Can it be one that was made here? false: a person chose it, and it may be guessed. */
bool rpc_token_is_generated(const char *token);

#endif
