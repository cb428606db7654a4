/* SPDX-License-Identifier: MIT */
/* How rows and settings stand in the tables `catalog` and `settings`. Only catalog_store.c includes
 * it; its calls return results of SQLite's and are made with the database held. */
#ifndef FRESHET_HOST_CATALOG_STORE_COLUMNS_H
#define FRESHET_HOST_CATALOG_STORE_COLUMNS_H

#include "services/catalog/catalog.h"

struct sqlite3;
struct sqlite3_stmt;

/* The statement that catalog_store_columns_put runs for each row; the caller finalizes it. */
int catalog_store_columns_prepare(struct sqlite3 *database, struct sqlite3_stmt **ret_statement);
int catalog_store_columns_put(struct sqlite3_stmt *statement,
                              const struct catalog_torrent *torrent);
/* All rows by id; the caller frees them. */
int catalog_store_columns_get(struct sqlite3 *database, struct catalog_torrent **ret_rows,
                              uint32_t *ret_count);
int catalog_store_columns_put_settings(struct sqlite3 *database,
                                       const struct catalog_settings *settings);
/* What is not there has its default. */
int catalog_store_columns_get_settings(struct sqlite3 *database,
                                       struct catalog_settings *ret_settings, bool *ret_found);

#endif
