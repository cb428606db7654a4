/* SPDX-License-Identifier: MIT */
#include "cli/torrent_source.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/torrent_file.h"
#include "core/base/memory.h"
#include "host/http_fetch.h"
#include "host/state_store.h"

#define FETCH_TIMEOUT_NS (60 * SECOND_NS)

enum exit_code torrent_source_parse(const char *what, struct buffer *bytes,
                                    struct torrent_source *ret_source)
{
    char reason[METAINFO_REASON_SIZE] = "";
    struct metainfo *metainfo = NULL;
    enum freshet_error error = metainfo_parse(buffer_bytes(bytes), &metainfo, reason);

    if (error) {
        message_error("%s: no torrent: %s", what, reason[0] ? reason : error_text(error));
        buffer_deinit(bytes);
        return EXIT_CODE_BAD_INPUT;
    }
    ret_source->metainfo = metainfo;
    ret_source->bytes = *bytes;
    *bytes = (struct buffer){0};
    return EXIT_CODE_OK;
}

void torrent_source_deinit(struct torrent_source *source)
{
    metainfo_free(source->metainfo);
    buffer_deinit(&source->bytes);
    source->metainfo = NULL;
}

struct source_fetch {
    struct buffer *bytes;
    enum freshet_error error;
    int status;
    bool done;
};

static void source_on_fetched(void *context, struct event *event)
{
    struct source_fetch *fetch = context;

    fetch->done = true;
    fetch->error = event->error;
    fetch->status = event->result.fetched.status;
    if (!event->error)
        buffer_append(fetch->bytes, event->result.fetched.body.data,
                      event->result.fetched.body.length);
}

static enum exit_code source_from_url(const char *url, struct buffer *bytes)
{
    struct source_fetch fetch = {.bytes = bytes};
    struct fetch_job job = {
        .id = 1, .url = url, .timeout_ns = FETCH_TIMEOUT_NS, .body_max = LIMIT_TORRENT_FILE_SIZE};
    uv_loop_t loop;

    uv_loop_init(&loop);
    struct http_fetch *http = http_fetch_new(&loop, NULL, source_on_fetched, &fetch);
    http_fetch_start_for_person(http, &job);
    while (!fetch.done)
        uv_run(&loop, UV_RUN_ONCE);
    http_fetch_free(http);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    if (!fetch.error)
        return EXIT_CODE_OK;
    if (fetch.error == FRESHET_ERROR_HTTP)
        message_error("%s: the server answered %d", url, fetch.status);
    else
        message_error_code(url, fetch.error);
    return EXIT_CODE_NETWORK;
}

/* 40 or 64 hex digits. */
static bool source_is_hash(const char *operand, uint8_t ret_hash[32])
{
    size_t length = strlen(operand);

    memset(ret_hash, 0, 32);
    if (length != 40 && length != 64)
        return false;
    return bytes_from_hex((struct bytes){(const uint8_t *)operand, length}, ret_hash, length / 2);
}

static enum exit_code source_from_state(const char *operand, const uint8_t hash[32],
                                        const char *state_folder, struct buffer *bytes)
{
    char folder[LIMIT_PATH_LENGTH + 1], text[STATE_TEXT_SIZE];
    struct state_store *store = NULL;
    enum freshet_error error = FRESHET_ERROR_NOT_FOUND;

    if (state_folder || state_store_default_folder(folder))
        error = state_store_open(state_folder ? state_folder : folder, text, &store);
    if (!error)
        error = state_store_get_torrent(store, hash, bytes);
    state_store_close(store);
    if (!error)
        return EXIT_CODE_OK;
    message_error("%s: not known here (finding a torrent by its hash alone comes with a later "
                  "version; give its .torrent)",
                  operand);
    return EXIT_CODE_USAGE;
}

enum exit_code torrent_source_load(const char *operand, const char *state_folder,
                                   struct torrent_source *ret_source)
{
    struct buffer bytes = {0};
    uint8_t hash[32];
    enum exit_code code;

    if (strncasecmp(operand, "magnet:", 7) == 0) {
        message_error("magnet links come with a later version (give the .torrent file or its URL)");
        return EXIT_CODE_USAGE;
    }
    if (strncasecmp(operand, "http://", 7) == 0 || strncasecmp(operand, "https://", 8) == 0)
        code = source_from_url(operand, &bytes);
    else if (source_is_hash(operand, hash) && access(operand, F_OK) != 0)
        code = source_from_state(operand, hash, state_folder, &bytes);
    else
        code = torrent_file_read(operand, &bytes);
    if (code) {
        buffer_deinit(&bytes);
        return code;
    }
    return torrent_source_parse(strcmp(operand, "-") == 0 ? "standard input" : operand, &bytes,
                                ret_source);
}
