/* SPDX-License-Identifier: MIT */
/*
 * What every command has that drives a running daemon: a line to it over its Unix socket, on which
 * JSON-RPC 2.0 is spoken (Transmission's methods), and the torrents that a person names.
 */
#ifndef FRESHET_CLI_DAEMON_CLIENT_H
#define FRESHET_CLI_DAEMON_CLIENT_H

#include <jansson.h>

#include "cli/command.h"
#include "core/base/bytes.h"

/* The options of those commands, for their tables: where it is, and of those that print. */
#define DAEMON_CLIENT_PLACE_OPTIONS                                                                \
    {"socket", 0, "PATH", "the daemon's socket, default freshet.sock in $XDG_RUNTIME_DIR",         \
     .repeatable = false},                                                                         \
    {                                                                                              \
        "state", 0, "DIR", "the daemon's state folder", .repeatable = false                        \
    }
#define DAEMON_CLIENT_OPTIONS                                                                      \
    {"json", 0, NULL, "print JSON", .repeatable = false}, DAEMON_CLIENT_PLACE_OPTIONS

struct daemon_client;

/* Nothing is said yet; it fails only for want of a path, and says so. */
enum exit_code daemon_client_new(const struct command_call *call,
                                 struct daemon_client **ret_client);
void daemon_client_free(struct daemon_client *client);

/* Says nothing on stderr any more (a screen is drawn there): the words are asked for instead. */
void daemon_client_quiet(struct daemon_client *client, bool is_quiet);
/* Of what went wrong last, or "". */
const char *daemon_client_words(const struct daemon_client *client);

/* Calls a method and waits; takes params (NULL: none). What goes wrong is said on stderr. The
 * caller owns *ret_result (may be NULL when nobody wants it). */
enum exit_code daemon_client_call(struct daemon_client *client, const char *method, json_t *params,
                                  json_t **ret_result);
/* A note on stderr when the state was damaged or missing as the daemon started: what it shows may
 * not be all that there was. */
void daemon_client_note_trouble(struct daemon_client *client);
/* The body of a GET, as it is. */
enum exit_code daemon_client_get(struct daemon_client *client, const char *path,
                                 struct buffer *ret_body);

/* Calls /api/v1 and a path below it; takes the body (NULL: none). As daemon_client_call. */
enum exit_code daemon_client_api(struct daemon_client *client, const char *method, const char *path,
                                 json_t *body, json_t **ret_result);

/* Rows of all torrents with these fields (and id, name, hash_string). `fields` ends with NULL. */
enum exit_code daemon_client_torrents(struct daemon_client *client, const char *const *fields,
                                      json_t **ret_rows);
/* The torrents that the operands name, all but the last `spared`, in their order: a number, the
 * beginning of one name, or at least 6 hex digits of a hash. Rows with id, name and hash_string.
 * Says which operand names none, or several. */
enum exit_code daemon_client_named(struct daemon_client *client, const struct command_call *call,
                                   size_t spared, json_t **ret_rows);
/* The numbers of rows. */
json_t *daemon_client_ids(const json_t *rows);
/* The rows of all that the operands name, with fields. */
enum exit_code daemon_client_rows(struct daemon_client *client, const struct command_call *call,
                                  const char *const *fields, json_t **ret_rows);

/* Bytes of a .torrent file as the daemon takes them. */
json_t *daemon_client_base64(struct bytes bytes);
/* The folder that --output names, where it is given, as member `key`. */
enum exit_code daemon_client_put_folder(const struct command_call *call, json_t *object,
                                        const char *key);
/* The values of a repeatable option. */
json_t *daemon_client_values(const struct command_call *call, const char *option);

/* Prints and gives back. */
void daemon_client_print(json_t *json);

/* Of a row; 0 or "" where there is none. Numbers of either kind. */
double daemon_client_number(const json_t *row, const char *key);
const char *daemon_client_text(const json_t *row, const char *key);
/* "0.31"; `none` where there is nothing to be measured by. */
const char *daemon_client_ratio(const json_t *row, const char *none, char ret_text[16]);
/* In a word: "downloading", "queued" ... */
const char *daemon_client_state(const json_t *row);

#endif
