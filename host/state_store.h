/* SPDX-License-Identifier: MIT */
/*
 * What survives a stop or a crash: one SQLite file (WAL, synchronous=FULL) with a resume record for
 * each torrent and root, the .torrent bytes, a few settings, and small things by name (what a DHT
 * node knows). Several processes may share it;
 * one torrent below one root belongs to one process at a time (state_store_lock). A damaged file is
 * set aside, the last good copy is used, and both are told; never an empty start in silence. Calls
 * block; those on one store may come from any thread.
 */
#ifndef FRESHET_HOST_STATE_STORE_H
#define FRESHET_HOST_STATE_STORE_H

#include "core/door/door.h"
#include "host/storage_files.h"

#include <stdatomic.h>
#include <sys/types.h>

struct state_store;

#define STATE_TEXT_SIZE 512

/* Where state lives when nobody says: $XDG_STATE_HOME/freshet, else ~/.local/state/freshet. */
bool state_store_default_folder(char ret_folder[LIMIT_PATH_LENGTH + 1]);

/* With those above it, mode 0700, if need be. */
enum freshet_error state_store_make_folder(const char *folder);

/* Makes the folder if need be. `ret_text`: why it failed; on success "" or what was
 * found damaged and set aside. */
enum freshet_error state_store_open(const char *folder, char ret_text[STATE_TEXT_SIZE],
                                    struct state_store **ret_store);
/* What was found damaged or missing when it was opened, and what was done, in words; NULL: all was
 * well. */
const char *state_store_trouble(const struct state_store *store);
void state_store_close(struct state_store *store);

/* The room kept for it (state_reserve.h). Who opens the state to write payload wants it; all others
 * use what is there. */
struct state_reserve *state_store_reserve(struct state_store *store);

/* A copy of the whole state beside it (state.db.good), durable when it returns; the former copy
 * stays until then. Others may read and write meanwhile. Damage that is met on the way is an error,
 * and the former copy stays; so it is when `is_cancelled` (NULL: never), which is looked at all the
 * time, becomes true: CANCELLED. */
enum freshet_error state_store_keep_copy(struct state_store *store, const atomic_bool *is_cancelled,
                                         char ret_text[STATE_TEXT_SIZE]);
/* Whether there is no copy of the last 24 hours. */
bool state_store_copy_is_due(struct state_store *store, int64_t wall_s);

/* For modules of the host that keep tables of their own in it: the database, until the release. */
struct sqlite3;
struct sqlite3 *state_store_hold(struct state_store *store);
void state_store_release(struct state_store *store);
/* What a result of SQLite's is among our errors. */
enum freshet_error state_store_error(int code);
/* All or nothing: what `write` does, durable when it returns FRESHET_OK. On a full disk it is done
 * anew with room from the reserve, so that `write` may run several times. */
enum freshet_error state_store_transact(struct state_store *store,
                                        enum freshet_error (*write)(struct state_store *store,
                                                                    struct sqlite3 *database,
                                                                    const void *context),
                                        const void *context);

/* A record as it was written. `record` points into `memory`. */
struct state_record {
    struct resume_record record;
    struct root_identity root;
    void *memory;
};

/* FRESHET_ERROR_NOT_FOUND: none. Marks the record as in use (no longer clean) in the same
 * transaction, so that a crash from here on is seen as one. */
enum freshet_error state_store_take(struct state_store *store, const uint8_t info_hash[32],
                                    const char *root, struct state_record *ret_record);
/* The pieces of a record as they were written, by whoever; the record stays as it is. */
enum freshet_error state_store_pieces(struct state_store *store, const uint8_t info_hash[32],
                                      const char *root, struct buffer *ret_pieces);
void state_store_record_deinit(struct state_record *record);
/* One transaction, durable when it returns. */
enum freshet_error state_store_persist(struct state_store *store,
                                       const struct resume_record *record);
enum freshet_error state_store_forget(struct state_store *store, const uint8_t info_hash[32],
                                      const char *root);

/* The torrent's files are below another root now (payload_move.h has moved them): its record is the
 * one of that root, and says where that root is. `before` and `after`: the facts of the files, then
 * of the part store, in the old place and in the new one; where the record has other facts than
 * `before` it keeps them, so that what had changed behind our back is still seen as changed. One
 * transaction. A record that the new root had goes. NOT_FOUND: there is no record below `from`; the
 * one below `to`, if any, stays: so it may be called again after a crash. */
struct state_relocation {
    uint8_t info_hash[32];
    const char *from, *to; /* as root_path_resolve gives them */
    const struct file_stat *before, *after;
    uint32_t file_count; /* entries are one more */
};
enum freshet_error state_store_relocate(struct state_store *store,
                                        const struct state_relocation *relocation);

/* The .torrent file of an info-hash. The caller frees *ret_torrent with memory_free. */
enum freshet_error state_store_put_torrent(struct state_store *store, const uint8_t info_hash[32],
                                           struct bytes torrent);
enum freshet_error state_store_get_torrent(struct state_store *store, const uint8_t info_hash[32],
                                           struct buffer *ret_torrent);

int64_t state_store_number(struct state_store *store, const char *name, int64_t otherwise);
enum freshet_error state_store_set_number(struct state_store *store, const char *name,
                                          int64_t value);

/* Bytes by name, as a whole. NOT_FOUND: there are none; what is found is appended. */
enum freshet_error state_store_blob(struct state_store *store, const char *name,
                                    struct buffer *ret_blob);
/* One transaction, durable when it returns. */
enum freshet_error state_store_put_blob(struct state_store *store, const char *name,
                                        struct bytes blob);

/* Claims a torrent below a root for this process until the descriptor is given to
 * state_store_unlock or the process ends. FRESHET_ERROR_BUSY: *ret_pid has it. */
enum freshet_error state_store_lock(struct state_store *store, const uint8_t info_hash[32],
                                    const char *root, int *ret_lock, pid_t *ret_pid);
void state_store_unlock(int lock);

#endif
