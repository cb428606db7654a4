/* SPDX-License-Identifier: MIT */
/* planted: core/tracker/tracker_udp.c */
/* finds: heap-buffer-overflow :: in tracker_udp_parse_scrape */
/* covers: core/tracker/tracker_udp.c */
/* max_len: 2048 */
/* A datagram read as a tracker's reply and as a client's request; what is understood of a request
 * is written again and must be read as the same. Byte 0 chooses the family and a scrape's index. */
#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/tracker/tracker_udp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reply(struct bytes packet, uint8_t choice)
{
    struct tracker_udp_head head;
    struct tracker_reply reply;
    struct tracker_counts counts;
    enum address_family family = choice & 0x80 ? ADDRESS_IPV6 : ADDRESS_IPV4;
    if (tracker_udp_parse_head(packet, &head) != FRESHET_OK)
        return;
    if (tracker_udp_parse_announce(&head, family, &reply) == FRESHET_OK) {
        CHECK(reply.peer_count <= packet.length / 6);
        CHECK(reply.text.length <= LIMIT_TRACKER_TEXT);
        uint8_t again[2048];
        struct writer writer;
        writer_init(&writer, again, sizeof again);
        if (reply.failed)
            tracker_udp_write_error(&writer, head.transaction_id, buffer_bytes(&reply.text));
        else
            tracker_udp_write_announce_reply(&writer, head.transaction_id,
                                             (uint32_t)reply.interval_s, &reply.counts, family,
                                             reply.peers, reply.peer_count);
        CHECK(writer_length(&writer) <= packet.length);
    }
    tracker_reply_deinit(&reply);
    if (tracker_udp_parse_scrape(&head, choice & 0x7f, &counts) == FRESHET_OK)
        CHECK(head.body.length >= ((size_t)(choice & 0x7f) + 1) * 12);
}

static void write_again(struct writer *writer, const struct tracker_udp_request *request)
{
    struct bytes url = {request->url_data, request->url_data_length};
    switch (request->action) {
    case TRACKER_UDP_CONNECT: tracker_udp_write_connect(writer, request->transaction_id); break;
    case TRACKER_UDP_ANNOUNCE:
        tracker_udp_write_announce(writer, request->connection_id, request->transaction_id,
                                   &request->announce, url);
        break;
    default:
        tracker_udp_write_scrape(writer, request->connection_id, request->transaction_id,
                                 request->hashes.data,
                                 (uint32_t)(request->hashes.length / TRACKER_HASH_SIZE));
    }
}

static void check_request(struct bytes packet)
{
    static struct tracker_udp_request first, second;
    uint8_t again[4096];
    struct writer writer;
    if (tracker_udp_parse_request(packet, &first) != FRESHET_OK)
        return;
    CHECK(first.url_data_length <= TRACKER_UDP_URL_DATA_MAX);
    CHECK(first.hashes.length <= (size_t)LIMIT_SCRAPE_HASHES * TRACKER_HASH_SIZE);
    writer_init(&writer, again, sizeof again);
    write_again(&writer, &first);
    CHECK(!writer.failed);
    CHECK(tracker_udp_parse_request((struct bytes){again, writer_length(&writer)}, &second) ==
          FRESHET_OK);
    CHECK(first.action == second.action);
    CHECK(first.transaction_id == second.transaction_id);
    CHECK(first.announce.left == second.announce.left);
    CHECK(first.announce.numwant == second.announce.numwant);
    CHECK(first.announce.event == second.announce.event);
    CHECK(first.url_data_length == second.url_data_length);
    CHECK(memcmp(first.url_data, second.url_data, first.url_data_length) == 0);
    CHECK(bytes_equal(first.hashes, second.hashes));
    struct tracker_counts counts[LIMIT_SCRAPE_HASHES] = {0};
    writer_init(&writer, again, sizeof again);
    tracker_udp_write_connect_reply(&writer, first.transaction_id, first.connection_id);
    tracker_udp_write_scrape_reply(&writer, first.transaction_id, counts,
                                   (uint32_t)(first.hashes.length / TRACKER_HASH_SIZE));
    CHECK(!writer.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint8_t *exact = memory_copy(data + 1, size - 1);
    struct bytes packet = {exact, size - 1};
    check_reply(packet, data[0]);
    check_request(packet);
    memory_free(exact);
    return 0;
}
