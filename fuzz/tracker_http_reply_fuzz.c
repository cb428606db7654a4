/* SPDX-License-Identifier: MIT */
/* planted: core/tracker/tracker_http.c */
/* finds: heap-buffer-overflow :: in read_external_ip */
/* covers: core/tracker/tracker_http.c core/tracker/tracker_reply.c core/tracker/tracker_url.c */
/* max_len: 8192 */
/* What a tracker sends over HTTP. Byte 0 is the length of a URL, which follows; the rest is a body,
 * read as the answer of an announce and of a scrape. */
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/tracker/tracker_http.h"
#include "core/tracker/tracker_url.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t hash[20] = "aaaaaaaaaaaaaaaaaaaa";

static void check_url(struct bytes url)
{
    struct tracker_url parts;
    struct buffer out = {0};
    struct tracker_announce announce = {.port = 6881, .left = UINT64_MAX, .numwant = 50};
    announce.event = (enum tracker_event)(url.length % TRACKER_EVENT_COUNT);
    announce.tracker_id = url;
    if (tracker_url_parse(url, &parts) == FRESHET_OK) {
        CHECK(strlen(parts.host) > 0);
        CHECK(parts.port != 0);
    }
    CHECK(tracker_http_announce_url(url, &announce, &out) == FRESHET_OK);
    /* What we put behind the URL is plain; its fragment is not sent. */
    const uint8_t *fragment = url.length ? memchr(url.data, '#', url.length) : NULL;
    for (size_t i = fragment ? (size_t)(fragment - url.data) : url.length; i < out.length; i++)
        CHECK(out.data[i] > ' ' && out.data[i] < 0x7f);
    buffer_clear(&out);
    if (tracker_http_scrape_url(url, hash, 1, &out) == FRESHET_OK)
        CHECK(out.length > 20);
    buffer_deinit(&out);
}

static void check_reply(struct bytes body)
{
    struct tracker_reply reply;
    if (tracker_http_parse_reply(body, &reply) == FRESHET_OK) {
        CHECK(reply.peer_count <= LIMIT_TRACKER_REPLY_PEERS);
        CHECK(reply.text.length <= LIMIT_TRACKER_TEXT);
        CHECK(reply.tracker_id.length <= LIMIT_TRACKER_ID);
        CHECK(reply.interval_s >= 0);
        CHECK(reply.retry_s >= 0);
        CHECK(!reply.failed || reply.peer_count == 0);
        for (uint32_t i = 0; i < reply.peer_count; i++)
            CHECK(reply.peers[i].port != 0);
    }
    tracker_reply_deinit(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tracker_counts counts;
    if (size < 1)
        return 0;
    size_t url_length = data[0] < size ? data[0] : size - 1;
    check_url((struct bytes){data + 1, url_length});
    size_t body_length = size - 1 - url_length;
    uint8_t *exact = memory_copy(data + 1 + url_length, body_length);
    struct bytes body = {exact, body_length};
    check_reply(body);
    (void)tracker_http_parse_scrape(body, hash, &counts);
    memory_free(exact);
    return 0;
}
