/* SPDX-License-Identifier: MIT */
#include "cli/torrent_source.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/torrent_file.h"
#include "core/base/memory.h"
#include "core/base/url.h"
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
        const char *hint = ret_source->hint;
        message_error("%s: no torrent: %s%s%s%s", what, reason[0] ? reason : error_text(error),
                      hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
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

static enum exit_code source_from_url(const char *url, const struct network_route *wanted,
                                      struct buffer *bytes)
{
    struct network_route route = wanted ? *wanted : (struct network_route){0};
    char text[NETWORK_ROUTE_TEXT];
    struct source_fetch fetch = {.bytes = bytes};
    struct fetch_job job = {
        .id = 1, .url = url, .timeout_ns = FETCH_TIMEOUT_NS, .body_max = LIMIT_TORRENT_FILE_SIZE};
    uv_loop_t loop;

    if (network_route_open(&route, text)) {
        message_error("%s", text);
        return EXIT_CODE_NETWORK;
    }
    uv_loop_init(&loop);
    struct http_fetch *http = http_fetch_new(&loop, NULL, source_on_fetched, &fetch);
    http_fetch_set_route(http, &route);
    http_fetch_start_for_person(http, &job, NULL);
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

/* 40 or 64 hex digits, 32 of base32: but a file of that name is meant first. */
static bool source_is_hash(const char *operand)
{
    static const char base32[] = "234567abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t length = strlen(operand);

    return (length == 32 || length == 40 || length == 64) &&
           strspn(operand, length == 32 ? base32 : "0123456789abcdefABCDEF") == length &&
           access(operand, F_OK) != 0;
}

/* The .torrent of an earlier run; false: there is none, or it is not the link's. */
static bool source_from_state(const char *operand, const struct magnet *magnet,
                              const char *state_folder, struct torrent_source *ret_source)
{
    char folder[LIMIT_PATH_LENGTH + 1], text[STATE_TEXT_SIZE];
    struct state_store *store = NULL;
    struct buffer bytes = {0};
    uint8_t key[32] = {0};
    enum freshet_error error = FRESHET_ERROR_NOT_FOUND;

    if (magnet->has_v2)
        memcpy(key, magnet->info_hash_v2, 32);
    else
        memcpy(key, magnet->info_hash_v1, 20);
    if (state_folder || state_store_default_folder(folder))
        error = state_store_open(state_folder ? state_folder : folder, text, &store);
    if (!error)
        error = state_store_get_torrent(store, key, &bytes);
    state_store_close(store);
    if (!error && torrent_source_parse(operand, &bytes, ret_source) != EXIT_CODE_OK)
        error = FRESHET_ERROR_SYNTAX;
    if (!error && magnet_matches(magnet, ret_source->metainfo))
        return true;
    if (!error)
        torrent_source_deinit(ret_source);
    buffer_deinit(&bytes);
    return false;
}

static enum exit_code source_from_magnet(const char *operand, const char *state_folder,
                                         struct torrent_source *ret_source,
                                         struct magnet **ret_magnet)
{
    char reason[METAINFO_REASON_SIZE];
    struct magnet *magnet = NULL;

    if (magnet_parse((struct bytes){(const uint8_t *)operand, strlen(operand)}, &magnet, reason)) {
        message_error("%.80s: %s", operand, reason);
        return EXIT_CODE_BAD_INPUT;
    }
    if (source_from_state(operand, magnet, state_folder, ret_source)) {
        magnet_free(magnet);
        return EXIT_CODE_OK;
    }
    if (ret_magnet == NULL) {
        magnet_free(magnet);
        message_error("%.80s: only a hash is known of it, not what it is (freshet get fetches it)",
                      operand);
        return EXIT_CODE_USAGE;
    }
    *ret_magnet = magnet;
    return EXIT_CODE_OK;
}

/* "file:///a%20b", as desktops name files; false: it is none, or of another machine. */
static bool source_path_of_url(const char *url, char ret_path[LIMIT_PATH_LENGTH + 1])
{
    size_t length = 0;

    if (strncasecmp(url, "file://", 7) != 0)
        return false;
    url += strncasecmp(url, "file://localhost/", 17) == 0 ? 16 : 7;
    if (*url != '/')
        return false;
    for (; *url && length < LIMIT_PATH_LENGTH; url++) {
        uint8_t byte = (uint8_t)*url;
        if (*url == '%') {
            size_t digits = strnlen(url + 1, 2);
            if (!bytes_from_hex((struct bytes){(const uint8_t *)url + 1, digits}, &byte, 1) ||
                byte == '\0')
                return false;
            url += 2;
        }
        ret_path[length++] = (char)byte;
    }
    ret_path[length] = '\0';
    return *url == '\0';
}

enum exit_code torrent_source_load(const char *operand, const char *state_folder,
                                   struct torrent_source *ret_source, struct magnet **ret_magnet)
{
    char path[LIMIT_PATH_LENGTH + 1];
    struct buffer bytes = {0};
    enum exit_code code;

    if (source_path_of_url(operand, path))
        operand = path;
    if (magnet_is((struct bytes){(const uint8_t *)operand, strlen(operand)}) ||
        source_is_hash(operand))
        return source_from_magnet(operand, state_folder, ret_source, ret_magnet);
    if (url_is_http(operand))
        code = source_from_url(operand, ret_source->route, &bytes);
    else
        code = torrent_file_read(operand, &bytes);
    if (code) {
        buffer_deinit(&bytes);
        return code;
    }
    return torrent_source_parse(strcmp(operand, "-") == 0 ? "standard input" : operand, &bytes,
                                ret_source);
}
