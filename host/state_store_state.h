/* SPDX-License-Identifier: MIT */
/* What the files of the state store share. */
#ifndef FRESHET_HOST_STATE_STORE_STATE_H
#define FRESHET_HOST_STATE_STORE_STATE_H

#include "host/state_store.h"

#include <pthread.h>
#include <sqlite3.h>

struct state_store {
    sqlite3 *database;
    pthread_mutex_t lock;
    char folder[LIMIT_PATH_LENGTH + 1];
};

/* Opens state.db of the folder at our schema; whatever has become of the file. `ret_text`: why not,
 * or what was found and done; "" when all was well. */
enum freshet_error state_store_recovery_open(const char *folder, char ret_text[STATE_TEXT_SIZE],
                                             sqlite3 **ret_database);

#endif
