/* SPDX-License-Identifier: MIT */
#include "core/engine/greeting.h"

#include "core/base/memory.h"

#include <string.h>

void greeting_init(struct greetings *greetings, uint64_t seed)
{
    list_init(&greetings->list);
    map_init(&greetings->by_conn, sizeof(conn_id), seed);
}

void greeting_deinit(struct greetings *greetings)
{
    struct list_node *node;
    while ((node = list_first(&greetings->list)))
        greeting_remove(greetings, LIST_ELEMENT(node, struct greeting, node));
    map_deinit(&greetings->by_conn);
}

static uint32_t count_from(const struct greetings *greetings, const struct address *remote)
{
    size_t network = remote->family == ADDRESS_IPV4 ? 4 : 8;
    uint32_t count = 0;
    for (struct list_node *node = list_first(&greetings->list); node;
         node = list_next(&greetings->list, node)) {
        const struct greeting *greeting = LIST_ELEMENT(node, struct greeting, node);
        count += greeting->remote.family == remote->family &&
                 memcmp(greeting->remote.ip, remote->ip, network) == 0;
    }
    return count;
}

struct greeting *greeting_add(struct greetings *greetings, conn_id conn,
                              const struct address *remote, int64_t now)
{
    if (greetings->list.length >= GREETINGS_MAX ||
        count_from(greetings, remote) >= GREETINGS_NETWORK_MAX)
        return NULL;
    struct greeting *greeting = memory_new(sizeof *greeting);
    greeting->conn = conn;
    greeting->remote = *remote;
    greeting->deadline_ns = now + LIMIT_TIMEOUT_HANDSHAKE_NS;
    wire_handshake_reader_init(&greeting->reader);
    list_append(&greetings->list, &greeting->node);
    map_put(&greetings->by_conn, &conn, greeting);
    return greeting;
}

struct greeting *greeting_find(const struct greetings *greetings, conn_id conn)
{
    return map_get(&greetings->by_conn, &conn);
}

void greeting_remove(struct greetings *greetings, struct greeting *greeting)
{
    map_remove(&greetings->by_conn, &greeting->conn);
    list_remove(&greetings->list, &greeting->node);
    memory_free(greeting);
}

struct greeting *greeting_overdue(const struct greetings *greetings, int64_t now)
{
    struct list_node *node = list_first(&greetings->list);
    struct greeting *first = node ? LIST_ELEMENT(node, struct greeting, node) : NULL;
    return first && first->deadline_ns <= now ? first : NULL;
}

int64_t greeting_deadline(const struct greetings *greetings)
{
    struct list_node *node = list_first(&greetings->list);
    return node ? LIST_ELEMENT(node, struct greeting, node)->deadline_ns : INT64_MAX;
}
