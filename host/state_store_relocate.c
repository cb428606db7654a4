/* SPDX-License-Identifier: MIT */
#include "host/state_store_state.h"

#include "core/base/memory.h"

#include <string.h>
#include <sys/stat.h>

static bool same_facts(const struct file_stat *a, const struct file_stat *b)
{
    return a->exists == b->exists && a->size == b->size && a->mtime_ns == b->mtime_ns &&
           a->inode == b->inode;
}

/* The facts that the record will have: those of the new place where the old ones were as recorded.
 */
static uint8_t *relocated_stats(struct bytes recorded, const struct state_relocation *relocation)
{
    uint32_t count = relocation->file_count + 1;
    struct file_stat *stats = memory_new_array(count, sizeof *stats);
    uint8_t *encoded = memory_new(recorded.length);
    struct writer writer;

    state_store_decode_stats(recorded, stats);
    for (uint32_t i = 0; i < count; i++)
        if (stats[i].exists && same_facts(&stats[i], &relocation->before[i]))
            stats[i] = relocation->after[i];
    writer_init(&writer, encoded, recorded.length);
    state_store_encode_stats(
        &(struct resume_record){.stats = stats, .file_count = relocation->file_count}, &writer);
    memory_free(stats);
    return encoded;
}

/* Within the transaction. */
static enum freshet_error state_relocate(struct state_store *store, sqlite3 *database,
                                         const void *context)
{
    const struct state_relocation *relocation = context;
    size_t size = ((size_t)relocation->file_count + 1) * STATE_STAT_SIZE;
    struct stat root = {0};
    uint8_t *stats = NULL;
    enum freshet_error error;

    bool root_known = stat(relocation->to, &root) == 0;
    sqlite3_stmt *row =
        state_store_prepare(store, "SELECT stats FROM records WHERE info_hash=?1 AND root=?2",
                            relocation->info_hash, relocation->from);
    int code = row ? sqlite3_step(row) : sqlite3_errcode(database);
    if (code == SQLITE_ROW && (size_t)sqlite3_column_bytes(row, 0) == size)
        stats = relocated_stats((struct bytes){sqlite3_column_blob(row, 0), size}, relocation);
    sqlite3_finalize(row);
    if (code == SQLITE_DONE)
        return FRESHET_ERROR_NOT_FOUND;
    if (!stats)
        return code == SQLITE_ROW ? FRESHET_ERROR_CONFLICT : state_store_error(code);
    error = state_store_run(
        store, state_store_prepare(store, "DELETE FROM records WHERE info_hash=?1 AND root=?2",
                                   relocation->info_hash, relocation->to));
    if (!error) {
        row = state_store_prepare(
            store,
            "UPDATE records SET root=?3, stats=?4, root_device=?5, root_inode=?6 "
            "WHERE info_hash=?1 AND root=?2",
            relocation->info_hash, relocation->from);
        if (row) {
            sqlite3_bind_text(row, 3, relocation->to, -1, SQLITE_STATIC);
            sqlite3_bind_blob64(row, 4, stats, size, SQLITE_STATIC);
            sqlite3_bind_int64(row, 5, root_known ? (sqlite3_int64)root.st_dev : 0);
            sqlite3_bind_int64(row, 6, root_known ? (sqlite3_int64)root.st_ino : 0);
        }
        error = state_store_run(store, row);
    }
    memory_free(stats);
    return error;
}

enum freshet_error state_store_relocate(struct state_store *store,
                                        const struct state_relocation *relocation)
{
    if (strcmp(relocation->from, relocation->to) == 0)
        return FRESHET_ERROR_USAGE;
    return state_store_transact(store, state_relocate, relocation);
}
