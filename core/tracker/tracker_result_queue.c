/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_result_queue.h"

#include "core/base/memory.h"

struct tracker_queued_result {
    struct list_node node;
    struct tracker_result result; /* its spans are set when it is taken */
    struct buffer url;
    struct tracker_reply reply;
};

#define QUEUED_OF(node) LIST_ELEMENT(node, struct tracker_queued_result, node)

static void free_queued(struct tracker_queued_result *queued)
{
    if (queued == NULL)
        return;
    buffer_deinit(&queued->url);
    tracker_reply_deinit(&queued->reply);
    memory_free(queued);
}

static struct tracker_queued_result *pop(struct tracker_result_queue *queue)
{
    struct list_node *node = list_first(&queue->waiting);
    if (node == NULL)
        return NULL;
    list_remove(&queue->waiting, node);
    return QUEUED_OF(node);
}

static struct tracker_queued_result *add(struct tracker_result_queue *queue, struct bytes url,
                                         enum tracker_result_type type)
{
    if (queue->waiting.length == LIMIT_TRACKER_RESULTS)
        free_queued(pop(queue));
    struct tracker_queued_result *queued = memory_new(sizeof *queued);
    queued->result.type = type;
    buffer_append(&queued->url, url.data, url.length);
    tracker_reply_init(&queued->reply);
    list_append(&queue->waiting, &queued->node);
    return queued;
}

void tracker_result_queue_init(struct tracker_result_queue *queue)
{
    list_init(&queue->waiting);
    queue->given = NULL;
}

void tracker_result_queue_deinit(struct tracker_result_queue *queue)
{
    free_queued(queue->given);
    while (!list_is_empty(&queue->waiting))
        free_queued(pop(queue));
    queue->given = NULL;
}

void tracker_result_queue_add_reply(struct tracker_result_queue *queue, struct bytes url,
                                    uint32_t hash_index, int64_t interval_s,
                                    struct tracker_reply *reply)
{
    struct tracker_queued_result *queued = add(queue, url, TRACKER_RESULT_OK);
    queued->result.hash_index = hash_index;
    queued->result.interval_s = interval_s;
    queued->result.has_counts = reply->has_counts;
    queued->result.has_downloaded = reply->has_downloaded;
    queued->result.counts = reply->counts;
    queued->result.external_ip = reply->external_ip;
    /* The peers move; the rest is small and still wanted by the schedule. */
    queued->reply.peers = reply->peers;
    queued->reply.peer_count = reply->peer_count;
    queued->reply.peer_capacity = reply->peer_capacity;
    reply->peers = NULL;
    reply->peer_count = 0;
    reply->peer_capacity = 0;
    tracker_reply_set_text(&queued->reply, buffer_bytes(&reply->text));
}

void tracker_result_queue_add_scrape(struct tracker_result_queue *queue, struct bytes url,
                                     const struct tracker_counts *counts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct tracker_queued_result *queued = add(queue, url, TRACKER_RESULT_SCRAPE);
        queued->result.hash_index = i;
        queued->result.has_counts = true;
        queued->result.has_downloaded = true;
        queued->result.counts = counts[i];
    }
}

void tracker_result_queue_add_switched(struct tracker_result_queue *queue, struct bytes url)
{
    add(queue, url, TRACKER_RESULT_SWITCHED);
}

void tracker_result_queue_add_error(struct tracker_result_queue *queue, struct bytes url,
                                    enum freshet_error error, struct bytes text)
{
    struct tracker_queued_result *queued = add(queue, url, TRACKER_RESULT_ERROR);
    queued->result.error = error;
    tracker_reply_set_text(&queued->reply, text);
}

bool tracker_result_queue_take(struct tracker_result_queue *queue,
                               struct tracker_result *ret_result)
{
    free_queued(queue->given);
    queue->given = pop(queue);
    struct tracker_queued_result *queued = queue->given;
    if (queued == NULL)
        return false;
    *ret_result = queued->result;
    ret_result->url = buffer_bytes(&queued->url);
    ret_result->text = buffer_bytes(&queued->reply.text);
    ret_result->peers = queued->reply.peers;
    ret_result->peer_count = queued->reply.peer_count;
    return true;
}
