/* SPDX-License-Identifier: MIT */
/*
 * Writing on a full disk. First the log is written back into the database: then it begins anew and
 * needs no more room than it has. If that is not enough, the reserve is given up piece by piece.
 * Who writes payload waits as soon as a piece is missing (state_reserve.h), so the room is the
 * state's.
 */
#include "host/state_store_state.h"

#include <errno.h>

static bool is_full(sqlite3 *database, enum freshet_error error)
{
    /* SQLite has no word of its own for a full quota. */
    int number = error == FRESHET_ERROR_IO ? sqlite3_system_errno(database) : 0;

    return error == FRESHET_ERROR_NO_SPACE || number == ENOSPC || number == EDQUOT;
}

bool state_store_make_room(struct state_store *store, enum freshet_error error, unsigned *tries)
{
    if (!is_full(store->database, error))
        return false;
    if ((*tries)++ > 0 && !state_reserve_give(&store->reserve))
        return false;
    sqlite3_wal_checkpoint_v2(store->database, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return true;
}

enum freshet_error state_store_run(struct state_store *store, sqlite3_stmt *statement)
{
    bool is_alone = sqlite3_get_autocommit(store->database) != 0;
    enum freshet_error error;
    unsigned tries = 0;

    if (!statement)
        return state_store_error(sqlite3_errcode(store->database));
    do {
        error = state_store_error(sqlite3_step(statement));
        sqlite3_reset(statement);
    } while (is_alone && error && state_store_make_room(store, error, &tries));
    sqlite3_finalize(statement);
    if (is_alone && !error)
        state_reserve_mend(&store->reserve);
    return error;
}

enum freshet_error state_store_transact(struct state_store *store,
                                        enum freshet_error (*write)(struct state_store *store,
                                                                    sqlite3 *database,
                                                                    const void *context),
                                        const void *context)
{
    sqlite3 *database = state_store_hold(store);
    enum freshet_error error;
    unsigned tries = 0;

    do {
        error = state_store_error(sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL));
        if (!error)
            error = write(store, database, context);
        if (!error)
            error = state_store_error(sqlite3_exec(database, "COMMIT", NULL, NULL, NULL));
        if (error && !sqlite3_get_autocommit(database))
            sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    } while (error && state_store_make_room(store, error, &tries));
    if (!error)
        state_reserve_mend(&store->reserve);
    state_store_release(store);
    return error;
}
