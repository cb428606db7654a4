/* SPDX-License-Identifier: MIT */
#include "host/dht_bootstrap.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define BLOB "dht.bootstrap"

static const char *const routers[] = {
    "router.bittorrent.com:6881",
    "dht.libtorrent.org:25401",
    "dht.transmissionbt.com:6881",
    "router.utorrent.com:6881",
};

/* Cuts "HOST:PORT" in place; NULL: it is none. */
static const char *cut(char *text, uint16_t *ret_port)
{
    char *colon = strrchr(text, ':'), *end;
    if (colon == NULL || colon == text || colon[1] < '0' || colon[1] > '9')
        return NULL;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (*end != '\0' || port == 0 || port > UINT16_MAX)
        return NULL;
    *colon = '\0';
    *ret_port = (uint16_t)port;
    if (text[0] == '[') {
        if (colon[-1] != ']')
            return NULL;
        colon[-1] = '\0';
        text++;
    } else if (strchr(text, ':')) {
        return NULL; /* an IPv6 address without brackets: which colon is the port's? */
    }
    size_t length = strlen(text);
    return length > 0 && length <= LIMIT_HOST_LENGTH ? text : NULL;
}

bool dht_bootstrap_is_name(const char *text)
{
    char *copy = memory_copy(text, strlen(text) + 1);
    uint16_t port;
    bool is_name = cut(copy, &port) != NULL && strpbrk(copy, " \t\r\n/") == NULL;
    memory_free(copy);
    return is_name;
}

static void add(struct dht_bootstrap *bootstrap, const char *text, size_t length)
{
    uint16_t port;
    if (bootstrap->count == LIMIT_DHT_NAMES)
        return;
    char *copy = memory_new(length + 1);
    memcpy(copy, text, length);
    const char *host = cut(copy, &port);
    if (host == NULL) {
        memory_free(copy);
        return;
    }
    bootstrap->memory[bootstrap->count] = copy;
    bootstrap->names[bootstrap->count++] = (struct engine_dht_name){host, port};
}

static void keep(struct state_store *state, const char *const *given, uint32_t count)
{
    struct buffer lines = {0};
    for (uint32_t i = 0; i < count; i++) {
        buffer_append_text(&lines, given[i]);
        buffer_append_u8(&lines, '\n');
    }
    /* Not kept is no harm: it is asked for again. */
    state_store_put_blob(state, BLOB, buffer_bytes(&lines));
    buffer_deinit(&lines);
}

void dht_bootstrap_load(struct dht_bootstrap *bootstrap, struct state_store *state,
                        const char *const *given, uint32_t count, const struct address *listen)
{
    struct buffer lines = {0};
    *bootstrap = (struct dht_bootstrap){0};
    if (count && state)
        keep(state, given, count);
    for (uint32_t i = 0; i < count; i++)
        add(bootstrap, given[i], strlen(given[i]));
    if (count == 0 && state && state_store_blob(state, BLOB, &lines) == FRESHET_OK) {
        const char *at = (const char *)lines.data, *end = at + lines.length;
        for (const char *line = at; line < end; line = at) {
            while (at < end && *at != '\n')
                at++;
            add(bootstrap, line, (size_t)(at - line));
            at += at < end;
        }
    }
    buffer_deinit(&lines);
    if (bootstrap->count == 0 && !address_is_loopback(listen))
        for (size_t i = 0; i < sizeof routers / sizeof routers[0]; i++)
            add(bootstrap, routers[i], strlen(routers[i]));
}

void dht_bootstrap_deinit(struct dht_bootstrap *bootstrap)
{
    for (uint32_t i = 0; i < bootstrap->count; i++)
        memory_free(bootstrap->memory[i]);
    *bootstrap = (struct dht_bootstrap){0};
}
