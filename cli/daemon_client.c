/* SPDX-License-Identifier: MIT */
#include "cli/daemon_client.h"

#include <curl/curl.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "cli/message.h"
#include "cli/terminal.h"
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/root_path.h"
#include "host/rpc_socket.h"
#include "host/state_store.h"

#define SESSION_HEADER "X-Transmission-Session-Id"
#define ANSWER_MAX     (256u * MIB)
#define HASH_DIGITS    6u              /* fewer name no torrent */
#define PATIENCE_NS    (3 * SECOND_NS) /* then it is said what is waited for */
#define LOG_TIMEOUT_MS 2000L

struct daemon_client {
    CURL *easy;
    struct buffer body;
    char socket[sizeof((struct sockaddr_un *)0)->sun_path];
    char session[128]; /* "X-Transmission-Session-Id: ..." as the daemon told it, or "" */
    bool is_quiet;
    char words[512]; /* of what went wrong last */
    int64_t asked_ns;
    bool has_waited; /* and was told why, of this request */
};

__attribute__((format(printf, 2, 3))) static void say(struct daemon_client *client,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(client->words, sizeof client->words, format, arguments);
    va_end(arguments);
    if (!client->is_quiet)
        message_error("%s", client->words);
}

void daemon_client_quiet(struct daemon_client *client, bool is_quiet)
{
    client->is_quiet = is_quiet;
}

const char *daemon_client_words(const struct daemon_client *client)
{
    return client->words;
}

/* ---- the line ---- */

static enum exit_code find_socket(const struct command_call *call, char *ret_path, size_t size)
{
    const char *given = command_value(call, "socket"), *state = command_value(call, "state");
    char folder[LIMIT_PATH_LENGTH + 1] = "", path[LIMIT_PATH_LENGTH + 1];

    if (given) {
        snprintf(path, sizeof path, "%s", given);
    } else if (state) {
        snprintf(path, sizeof path, "%.4000s/freshet.sock", state);
    } else {
        if (!state_store_default_folder(folder) && !getenv("XDG_RUNTIME_DIR"))
            return command_usage_error("no place for the daemon's socket: set XDG_RUNTIME_DIR or "
                                       "HOME, or use --socket");
        rpc_socket_default_path(folder, path);
    }
    if ((size_t)snprintf(ret_path, size, "%s", path) >= size)
        return command_usage_error("the socket's path is too long (%zu bytes at most)", size - 1);
    return EXIT_CODE_OK;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct daemon_client *client = context;

    if (client->body.length + size * count > ANSWER_MAX)
        return 0;
    buffer_append(&client->body, bytes, size * count);
    return size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct daemon_client *client = context;
    size_t length = size * count, name = sizeof SESSION_HEADER - 1;

    if (length > name && length < sizeof client->session &&
        strncasecmp(bytes, SESSION_HEADER, name) == 0) {
        memcpy(client->session, bytes, length);
        client->session[length] = '\0';
        client->session[strcspn(client->session, "\r\n")] = '\0';
    }
    return length;
}

static void open_line(struct daemon_client *client)
{
    client->easy = curl_easy_init();
    CHECK(client->easy != NULL);
    curl_easy_setopt(client->easy, CURLOPT_UNIX_SOCKET_PATH, client->socket);
    curl_easy_setopt(client->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(client->easy, CURLOPT_WRITEDATA, client);
    curl_easy_setopt(client->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(client->easy, CURLOPT_HEADERDATA, client);
}

/* Why the daemon's state is not written, as its log says; false: it is, or nobody knows. */
static bool state_trouble(const struct daemon_client *client, char ret_text[128])
{
    struct daemon_client *other = memory_new(sizeof *other);
    bool is_bad = false;
    json_t *line;
    size_t index;

    memcpy(other->socket, client->socket, sizeof other->socket);
    open_line(other);
    curl_easy_setopt(other->easy, CURLOPT_TIMEOUT_MS, LOG_TIMEOUT_MS);
    curl_easy_setopt(other->easy, CURLOPT_URL, "http://localhost/api/v1/log");
    json_t *log = curl_easy_perform(other->easy) == CURLE_OK
                      ? json_loadb((const char *)other->body.data, other->body.length, 0, NULL)
                      : NULL;
    json_array_foreach(json_object_get(log, "lines"), index, line)
    {
        const char *event = daemon_client_text(line, "event");
        if (strcmp(event, "state-not-written") == 0)
            snprintf(ret_text, 128, "%s",
                     daemon_client_text(json_object_get(line, "fields"), "error"));
        if (strcmp(event, "state-not-written") == 0 || strcmp(event, "state-written") == 0)
            is_bad = strcmp(event, "state-not-written") == 0;
    }
    json_decref(log);
    daemon_client_free(other);
    return is_bad;
}

/* What changes something is answered when it is durable, which a full disk holds up. */
static int on_progress(void *context, curl_off_t download_total, curl_off_t download_now,
                       curl_off_t upload_total, curl_off_t upload_now)
{
    struct daemon_client *client = context;
    char text[128], shown[256];

    (void)download_total, (void)upload_total, (void)upload_now;
    if (client->has_waited || client->is_quiet || download_now > 0 ||
        clock_now() - client->asked_ns < PATIENCE_NS)
        return 0;
    client->asked_ns = clock_now(); /* again after as long, if there is nothing to say yet */
    client->has_waited = state_trouble(client, text);
    if (client->has_waited)
        message_note("the daemon cannot write its state (%s); this waits until it can",
                     terminal_safe_text(text, shown, sizeof shown));
    return 0;
}

enum exit_code daemon_client_new(const struct command_call *call, struct daemon_client **ret_client)
{
    struct daemon_client *client = memory_new(sizeof *client);
    enum exit_code code = find_socket(call, client->socket, sizeof client->socket);

    if (code) {
        memory_free(client);
        return code;
    }
    open_line(client);
    curl_easy_setopt(client->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(client->easy, CURLOPT_XFERINFODATA, client);
    curl_easy_setopt(client->easy, CURLOPT_NOPROGRESS, 0L);
    *ret_client = client;
    return EXIT_CODE_OK;
}

void daemon_client_free(struct daemon_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    buffer_deinit(&client->body);
    memory_free(client);
}

/* One request. */
static enum exit_code ask(struct daemon_client *client, const char *method, const char *path,
                          const char *body, long *ret_status)
{
    char url[512];
    struct curl_slist *headers = NULL;

    snprintf(url, sizeof url, "http://localhost%s", path);
    buffer_clear(&client->body);
    headers = curl_slist_append(headers, "X-Requested-With: freshet");
    headers = curl_slist_append(headers, "Expect:");
    if (body)
        headers = curl_slist_append(headers, "Content-Type: application/json");
    if (client->session[0])
        headers = curl_slist_append(headers, client->session);
    curl_easy_setopt(client->easy, CURLOPT_URL, url);
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(client->easy, CURLOPT_HTTPGET, 1L);
    if (body) {
        curl_easy_setopt(client->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
        curl_easy_setopt(client->easy, CURLOPT_POSTFIELDS, body);
    }
    curl_easy_setopt(client->easy, CURLOPT_CUSTOMREQUEST, method);
    client->asked_ns = clock_now();
    client->has_waited = false;
    CURLcode result = curl_easy_perform(client->easy);
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, ret_status);
    curl_slist_free_all(headers);
    if (result == CURLE_OK)
        return EXIT_CODE_OK;
    if (result == CURLE_COULDNT_CONNECT)
        say(client, "no daemon listens on %s (start one with 'freshet daemon')", client->socket);
    else
        say(client, "the daemon on %s does not answer: %s", client->socket,
            curl_easy_strerror(result));
    return EXIT_CODE_NETWORK;
}

/* The daemon wants its session id back: a request that does not know it is answered with 409. */
static enum exit_code ask_with_session(struct daemon_client *client, const char *path,
                                       const char *body)
{
    const char *method = body ? "POST" : "GET";
    long status = 0;
    enum exit_code code = ask(client, method, path, body, &status);

    if (code == EXIT_CODE_OK && status == 409)
        code = ask(client, method, path, body, &status);
    if (code)
        return code;
    if (status < 200 || status > 299) {
        say(client, "the daemon on %s says no (HTTP %ld)", client->socket, status);
        return EXIT_CODE_REFUSED;
    }
    return EXIT_CODE_OK;
}

enum exit_code daemon_client_get(struct daemon_client *client, const char *path,
                                 struct buffer *ret_body)
{
    enum exit_code code = ask_with_session(client, path, NULL);

    if (!code)
        buffer_append(ret_body, client->body.data, client->body.length);
    return code;
}

void daemon_client_note_trouble(struct daemon_client *client)
{
    struct buffer body = {0};
    char shown[2048];
    bool was_quiet = client->is_quiet;

    client->is_quiet = true;
    if (daemon_client_get(client, "/local", &body) == EXIT_CODE_OK) {
        json_t *where = json_loadb((const char *)body.data, body.length, 0, NULL);
        const char *trouble = daemon_client_text(where, "state_trouble");
        if (trouble[0])
            message_note("when the daemon started, %s (until its next start 'freshet doctor' says "
                         "what to do)",
                         terminal_safe_text(trouble, shown, sizeof shown));
        json_decref(where);
    }
    client->is_quiet = was_quiet;
    buffer_deinit(&body);
}

/* ---- calls ---- */

static enum exit_code take_answer(struct daemon_client *client, json_t **ret_result)
{
    json_error_t where;
    json_t *answer = json_loadb((const char *)client->body.data, client->body.length, 0, &where);
    json_t *error = json_object_get(answer, "error"), *result = json_object_get(answer, "result");

    if (!answer || (!error && !result)) {
        say(client, "the daemon's answer is no answer: %s", answer ? "no result" : where.text);
        json_decref(answer);
        return EXIT_CODE_OTHER;
    }
    if (error) {
        const char *text = daemon_client_text(json_object_get(error, "data"), "error_string");
        say(client, "%s", text[0] ? text : daemon_client_text(error, "message"));
        json_decref(answer);
        return EXIT_CODE_REFUSED;
    }
    if (ret_result)
        *ret_result = json_incref(result);
    json_decref(answer);
    return EXIT_CODE_OK;
}

enum exit_code daemon_client_call(struct daemon_client *client, const char *method, json_t *params,
                                  json_t **ret_result)
{
    json_t *request = json_pack("{s:s, s:s, s:i}", "jsonrpc", "2.0", "method", method, "id", 1);

    if (params)
        json_object_set_new(request, "params", params);
    char *body = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    CHECK(body != NULL);
    enum exit_code code = ask_with_session(client, "/transmission/rpc", body);
    free(body);
    return code ? code : take_answer(client, ret_result);
}

enum exit_code daemon_client_api(struct daemon_client *client, const char *method, const char *path,
                                 json_t *body, json_t **ret_result)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL, whole[256];
    long status = 0;

    json_decref(body);
    snprintf(whole, sizeof whole, "/api/v1%s", path);
    enum exit_code code = ask(client, method, whole, text, &status);
    free(text);
    if (code)
        return code;
    json_error_t where;
    json_t *answer = json_loadb((const char *)client->body.data, client->body.length, 0, &where);
    if (status < 200 || status > 299) {
        const char *error = daemon_client_text(answer, "error");
        if (error[0])
            say(client, "%s", error);
        else
            say(client, "the daemon on %s says no (HTTP %ld)", client->socket, status);
        code = EXIT_CODE_REFUSED;
    } else if (!json_is_object(answer)) {
        say(client, "the daemon's answer is no answer: %s", answer ? "no object" : where.text);
        code = EXIT_CODE_OTHER;
    } else if (ret_result) {
        *ret_result = json_incref(answer);
    }
    json_decref(answer);
    return code;
}

static json_t *field_list(const char *const *fields)
{
    json_t *list = json_pack("[s, s, s]", "id", "name", "hash_string");

    for (size_t i = 0; fields && fields[i]; i++)
        json_array_append_new(list, json_string(fields[i]));
    return list;
}

/* `ids`: NULL: all; borrowed. */
static enum exit_code get_rows(struct daemon_client *client, json_t *ids, const char *const *fields,
                               json_t **ret_rows)
{
    json_t *params = json_pack("{s:o}", "fields", field_list(fields)), *result;

    if (ids)
        json_object_set(params, "ids", ids);
    enum exit_code code = daemon_client_call(client, "torrent_get", params, &result);
    if (code)
        return code;
    *ret_rows = json_incref(json_object_get(result, "torrents"));
    json_decref(result);
    if (json_is_array(*ret_rows))
        return EXIT_CODE_OK;
    say(client, "the daemon's answer has no list of torrents");
    json_decref(*ret_rows);
    return EXIT_CODE_OTHER;
}

enum exit_code daemon_client_torrents(struct daemon_client *client, const char *const *fields,
                                      json_t **ret_rows)
{
    return get_rows(client, NULL, fields, ret_rows);
}

/* ---- the torrents that a person names ---- */

static bool is_hex(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF") == strlen(text);
}

static bool is_number(const char *text)
{
    return text[0] && strspn(text, "0123456789") == strlen(text);
}

/* How well the operand names the row: 0 not at all; a number or a whole name beats a beginning. */
static int match_row(const char *operand, const json_t *row)
{
    const char *name = daemon_client_text(row, "name");
    size_t length = strlen(operand);

    if (is_number(operand) && strtod(operand, NULL) == daemon_client_number(row, "id"))
        return 3;
    if (strcmp(operand, name) == 0)
        return 2;
    if (length >= HASH_DIGITS && is_hex(operand) &&
        strncasecmp(operand, daemon_client_text(row, "hash_string"), length) == 0)
        return 1;
    return length > 0 && strncmp(operand, name, length) == 0;
}

static enum exit_code find_one(const json_t *rows, const char *operand, json_t **ret_row)
{
    int best = 0;
    size_t index, count = 0;
    json_t *row;

    json_array_foreach((json_t *)(uintptr_t)rows, index, row)
    {
        int match = match_row(operand, row);
        if (match > best) {
            best = match;
            count = 0;
        }
        if (match && match == best && count++ == 0)
            *ret_row = row;
    }
    if (count == 1)
        return EXIT_CODE_OK;
    if (count == 0)
        message_error("no torrent '%.80s' ('freshet ls' lists them)", operand);
    else
        message_error("%zu torrents are called '%.80s' (use the number that 'freshet ls' shows)",
                      count, operand);
    return EXIT_CODE_NO_TORRENT;
}

enum exit_code daemon_client_named(struct daemon_client *client, const struct command_call *call,
                                   size_t spared, json_t **ret_rows)
{
    json_t *rows, *row = NULL;
    enum exit_code code = daemon_client_torrents(client, NULL, &rows);

    if (code)
        return code;
    json_t *named = json_array();
    for (size_t i = 0; i + spared < command_operand_count(call) && !code; i++) {
        code = find_one(rows, command_operand(call, i), &row);
        if (!code)
            json_array_append(named, row);
    }
    json_decref(rows);
    if (code)
        json_decref(named);
    else
        *ret_rows = named;
    return code;
}

json_t *daemon_client_ids(const json_t *rows)
{
    json_t *ids = json_array(), *row;
    size_t index;

    json_array_foreach((json_t *)(uintptr_t)rows, index, row)
        json_array_append(ids, json_object_get(row, "id"));
    return ids;
}

enum exit_code daemon_client_rows(struct daemon_client *client, const struct command_call *call,
                                  const char *const *fields, json_t **ret_rows)
{
    json_t *named;
    enum exit_code code = daemon_client_named(client, call, 0, &named);

    if (code)
        return code;
    json_t *ids = daemon_client_ids(named);
    code = get_rows(client, ids, fields, ret_rows);
    json_decref(ids);
    json_decref(named);
    return code;
}

json_t *daemon_client_base64(struct bytes bytes)
{
    CHECK(bytes.length <= LIMIT_TORRENT_FILE_SIZE);
    char *text = memory_new(bytes.length / 3 * 4 + 5);
    int length = EVP_EncodeBlock((unsigned char *)text, bytes.data, (int)bytes.length);
    json_t *json = json_stringn(text, (size_t)length);

    memory_free(text);
    return json;
}

enum exit_code daemon_client_put_folder(const struct command_call *call, json_t *object,
                                        const char *key)
{
    char folder[LIMIT_PATH_LENGTH + 1];

    if (!command_has(call, "output"))
        return EXIT_CODE_OK;
    enum freshet_error error = root_path_resolve(command_value(call, "output"), folder);
    if (error) {
        message_error_code(command_value(call, "output"), error);
        return EXIT_CODE_DISK;
    }
    json_object_set_new(object, key, json_string(folder));
    return EXIT_CODE_OK;
}

json_t *daemon_client_values(const struct command_call *call, const char *option)
{
    json_t *list = json_array();

    for (size_t i = 0; i < command_value_count(call, option); i++)
        json_array_append_new(list, json_string(command_value_at(call, option, i)));
    return list;
}

void daemon_client_print(json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
}

double daemon_client_number(const json_t *row, const char *key)
{
    return json_number_value(json_object_get(row, key));
}

const char *daemon_client_text(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    return text ? text : "";
}

const char *daemon_client_ratio(const json_t *row, const char *none, char ret_text[16])
{
    double ratio = daemon_client_number(row, "upload_ratio");

    /* Below 0 Transmission has words: there is none, or it is endless. */
    if (ratio < -1.5)
        snprintf(ret_text, 16, "endless");
    else if (ratio < 0)
        snprintf(ret_text, 16, "%s", none);
    else
        snprintf(ret_text, 16, "%.2f", ratio);
    return ret_text;
}

const char *daemon_client_state(const json_t *row)
{
    static const char *const words[] = {"stopped",     "queued to check", "checking", "queued",
                                        "downloading", "queued to seed",  "seeding"};
    int status = (int)daemon_client_number(row, "status");

    if (daemon_client_number(row, "error") == 3)
        return "trouble";
    return status >= 0 && status < (int)(sizeof words / sizeof words[0]) ? words[status] : "?";
}
