/* SPDX-License-Identifier: MIT */
/*
 * The inside of the state, shared by the state_store*.c files and by nobody else.
 *   state_store.c           records as they are written and taken; torrents, numbers, blobs
 *   state_store_room.c      what is done on a full disk
 *   state_store_recovery.c  the file, whatever has become of it
 *   state_store_relocate.c  a record goes to another root
 */
#ifndef FRESHET_HOST_STATE_STORE_STATE_H
#define FRESHET_HOST_STATE_STORE_STATE_H

#include "host/state_reserve.h"
#include "host/state_store.h"

#include <pthread.h>
#include <sqlite3.h>

#define STATE_STAT_SIZE 25u /* exists, size, mtime, inode; big-endian */

struct state_store {
    sqlite3 *database;
    pthread_mutex_t lock;
    char folder[LIMIT_PATH_LENGTH + 1];
    char trouble[STATE_TEXT_SIZE]; /* what was found and done when it was opened */
    struct state_reserve reserve;
};

/* Opens state.db of the folder at our schema; whatever has become of the file. `ret_text`: why not,
 * or what was found and done; "" when all was well. */
enum freshet_error state_store_recovery_open(const char *folder, char ret_text[STATE_TEXT_SIZE],
                                             sqlite3 **ret_database);
/* Prepares with the key bound as ?1 and ?2 (root may be NULL). Called with the lock held. */
sqlite3_stmt *state_store_prepare(struct state_store *store, const char *query,
                                  const uint8_t *info_hash, const char *root);
/* Runs a statement that gives no rows. NULL: it could not be prepared. Outside of a transaction it
 * is one of its own, with room from the reserve if need be. */
enum freshet_error state_store_run(struct state_store *store, sqlite3_stmt *statement);
/* After what failed and was undone, with the lock held: true: there may be room for it now.
 * `tries`: 0 at first. */
bool state_store_make_room(struct state_store *store, enum freshet_error error, unsigned *tries);
/* file_count + 1 entries of the record. */
void state_store_encode_stats(const struct resume_record *record, struct writer *writer);
void state_store_decode_stats(struct bytes bytes, struct file_stat *ret_stats);

#endif
