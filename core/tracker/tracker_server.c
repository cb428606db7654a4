/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_server.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/bencode/bencode_writer.h"
#include "core/tracker/peer_store.h"
#include "core/tracker/tracker_query.h"
#include "core/tracker/tracker_udp.h"

#include <string.h>

struct tracker_server {
    struct tracker_server_options options;
    struct address proxies[LIMIT_TRACKER_PROXIES];
    struct tracker_allow_list allowed;
    bool is_closed; /* only `allowed` is served */
    struct peer_store *store;
    struct tracker_server_stats stats;
    struct peer_answer answer; /* of the announce in hand */
};

/* Why not, in words, and when to come back. */
struct refusal {
    const char *reason;
    int64_t retry_minutes; /* 0: never */
};

#define RETRY_NEVER 0
#define RETRY_FULL  10
#define RETRY_LIST  30 /* the list may be changed while we run */

struct tracker_server *tracker_server_new(const struct tracker_server_options *options)
{
    CHECK(options->proxy_count <= LIMIT_TRACKER_PROXIES);
    struct tracker_server *server = memory_new(sizeof *server);
    server->options = *options;
    if (server->options.interval_s == 0)
        server->options.interval_s = LIMIT_ANNOUNCE_INTERVAL_S;
    if (options->proxy_count > 0)
        memcpy(server->proxies, options->proxies, options->proxy_count * sizeof *server->proxies);
    server->options.proxies = server->proxies;
    /* Time for one lost announce, and to be late. */
    int64_t life_ns = 2 * (int64_t)server->options.interval_s * SECOND_NS + 60 * SECOND_NS;
    server->store = peer_store_new(&(struct peer_store_options){
        .seed = options->seed,
        .life_ns = life_ns,
        .swarms_max = options->swarms_max,
        .peers_max = options->peers_max,
    });
    return server;
}

void tracker_server_free(struct tracker_server *server)
{
    if (server == NULL)
        return;
    peer_store_free(server->store);
    tracker_allow_list_deinit(&server->allowed);
    memory_free(server);
}

void tracker_server_allow(struct tracker_server *server, struct tracker_allow_list *list)
{
    tracker_allow_list_deinit(&server->allowed);
    server->allowed = *list;
    *list = (struct tracker_allow_list){0};
    server->is_closed = true;
}

static bool is_allowed(const struct tracker_server *server, const uint8_t *info_hash)
{
    return !server->is_closed || tracker_allow_list_has(&server->allowed, info_hash);
}

/* --- What HTTP and UDP share --- */

static struct address source_of(const struct tracker_server *server, const struct address *from,
                                const struct tracker_announce *announce)
{
    struct address source = *from;
    if (announce->ip.family != ADDRESS_NONE)
        for (uint32_t i = 0; i < server->options.proxy_count; i++)
            if (address_same_ip(&server->proxies[i], from))
                source = announce->ip;
    source.port = announce->port;
    return source;
}

static enum peer_kind kind_of(const struct tracker_announce *announce)
{
    if (announce->left == 0)
        return PEER_KIND_SEED;
    return announce->event == TRACKER_EVENT_PAUSED ? PEER_KIND_PAUSED : PEER_KIND_DOWNLOADER;
}

static uint32_t wanted_of(const struct tracker_announce *announce)
{
    if (announce->numwant < 0)
        return LIMIT_TRACKER_PEERS_DEFAULT;
    if (announce->numwant > (int32_t)LIMIT_TRACKER_PEERS)
        return LIMIT_TRACKER_PEERS;
    return (uint32_t)announce->numwant;
}

/* Fills server->answer; false, and a refusal, when the announce is not taken. */
static bool take_announce(struct tracker_server *server, int64_t now, const struct address *source,
                          const struct tracker_announce *announce, uint32_t wanted,
                          struct refusal *ret_refusal)
{
    if (announce->port == 0) {
        *ret_refusal = (struct refusal){"port must be 1 to 65535", RETRY_NEVER};
        return false;
    }
    if (!is_allowed(server, announce->info_hash)) {
        *ret_refusal = (struct refusal){"torrent is not served here", RETRY_LIST};
        return false;
    }
    struct peer_visit visit = {
        .info_hash = announce->info_hash,
        .address = *source,
        .peer_id = announce->peer_id,
        .key = announce->key,
        .kind = kind_of(announce),
        .event = announce->event,
        .wanted = wanted,
    };
    switch (peer_store_announce(server->store, now, &visit, &server->answer)) {
    case FRESHET_OK: return true;
    case FRESHET_ERROR_REFUSED:
        *ret_refusal = (struct refusal){"too many peers from your address", RETRY_FULL};
        return false;
    default: *ret_refusal = (struct refusal){"tracker is full", RETRY_FULL}; return false;
    }
}

/* --- UDP --- */

/* Cut so that it is never longer than what came in: an unproven source must gain nothing. */
static void write_error(struct tracker_server *server, struct writer *writer,
                        uint32_t transaction_id, const char *text, size_t most)
{
    server->stats.refused++;
    writer->end = writer->start + (most < LIMIT_TRACKER_DATAGRAM ? most : LIMIT_TRACKER_DATAGRAM);
    tracker_udp_write_error(writer, transaction_id,
                            (struct bytes){(const uint8_t *)text, strlen(text)});
}

static void answer_announce(struct tracker_server *server, int64_t now, const struct address *from,
                            const struct tracker_udp_request *request, struct writer *writer)
{
    struct refusal refusal;
    struct address source = source_of(server, from, &request->announce);
    uint32_t wanted = wanted_of(&request->announce);
    /* The family of the socket decides how long an entry is (BEP 15). */
    size_t entry_size = from->family == ADDRESS_IPV6 ? 18 : 6;
    size_t room = (LIMIT_TRACKER_DATAGRAM - TRACKER_UDP_REPLY_HEADER) / entry_size;
    if (source.family != from->family)
        wanted = 0;
    if (!take_announce(server, now, &source, &request->announce,
                       wanted < room ? wanted : (uint32_t)room, &refusal)) {
        write_error(server, writer, request->transaction_id, refusal.reason,
                    LIMIT_TRACKER_DATAGRAM);
        return;
    }
    server->stats.announces++;
    struct address peers[LIMIT_TRACKER_PEERS];
    for (uint32_t i = 0; i < server->answer.peer_count; i++)
        peers[i] = server->answer.peers[i]->address;
    tracker_udp_write_announce_reply(writer, request->transaction_id, server->options.interval_s,
                                     &server->answer.counts, (enum address_family)from->family,
                                     peers, server->answer.peer_count);
}

static void answer_scrape(struct tracker_server *server, const struct tracker_udp_request *request,
                          struct writer *writer)
{
    struct tracker_counts counts[LIMIT_SCRAPE_HASHES] = {0};
    uint32_t count = (uint32_t)(request->hashes.length / TRACKER_HASH_SIZE);
    if (request->has_too_many) {
        write_error(server, writer, request->transaction_id, TRACKER_SCRAPE_TOO_MANY,
                    LIMIT_TRACKER_DATAGRAM);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *hash = request->hashes.data + (size_t)i * TRACKER_HASH_SIZE;
        if (is_allowed(server, hash))
            peer_store_counts(server->store, hash, &counts[i]);
    }
    server->stats.scrapes++;
    tracker_udp_write_scrape_reply(writer, request->transaction_id, counts, count);
}

size_t tracker_server_datagram(struct tracker_server *server, int64_t now,
                               const struct address *from, struct bytes datagram,
                               uint8_t reply[LIMIT_TRACKER_DATAGRAM])
{
    struct tracker_udp_request request;
    struct writer writer;
    if (tracker_udp_parse_request(datagram, &request) != FRESHET_OK || from->port == 0) {
        server->stats.ignored++;
        return 0;
    }
    tracker_server_tick(server, now);
    writer_init(&writer, reply, LIMIT_TRACKER_DATAGRAM);
    const uint8_t *secret = server->options.secret;
    if (request.action == TRACKER_UDP_CONNECT) {
        server->stats.connects++;
        tracker_udp_write_connect_reply(&writer, request.transaction_id,
                                        tracker_connection_id_make(secret, from, now));
    } else if (!tracker_connection_id_is_good(secret, from, now, request.connection_id)) {
        write_error(server, &writer, request.transaction_id, "connection id is not valid",
                    datagram.length);
    } else if (request.action == TRACKER_UDP_ANNOUNCE) {
        answer_announce(server, now, from, &request, &writer);
    } else {
        answer_scrape(server, &request, &writer);
    }
    CHECK(!writer.failed);
    return writer_length(&writer);
}

/* --- HTTP --- */

static void put_integer(struct buffer *body, const char *key, int64_t value)
{
    bencode_writer_key(body, key);
    bencode_writer_integer(body, value);
}

static void put_external_ip(struct buffer *body, const struct address *address)
{
    bencode_writer_key(body, "external ip");
    bencode_writer_string(body, (struct bytes){address->ip, address_ip_length(address)});
}

static void answer_refusal(struct tracker_server *server, const struct refusal *refusal,
                           struct tracker_server_answer *answer)
{
    server->stats.refused++;
    bencode_writer_dict(&answer->body);
    bencode_writer_key(&answer->body, "failure reason");
    bencode_writer_text(&answer->body, refusal->reason);
    bencode_writer_key(&answer->body, "retry in");
    if (refusal->retry_minutes == RETRY_NEVER)
        bencode_writer_text(&answer->body, "never");
    else
        bencode_writer_integer(&answer->body, refusal->retry_minutes);
    bencode_writer_end(&answer->body);
}

static void put_compact_peers(struct buffer *body, const struct peer_answer *found, uint8_t family)
{
    uint8_t compact[18 * LIMIT_TRACKER_PEERS];
    size_t length = 0;
    for (uint32_t i = 0; i < found->peer_count; i++)
        length += address_to_compact(&found->peers[i]->address, compact + length);
    struct bytes none = {NULL, 0}, all = {compact, length};
    /* `peers` is always there: clients of BEP 3 count on it. */
    bencode_writer_key(body, "peers");
    bencode_writer_string(body, family == ADDRESS_IPV4 ? all : none);
    if (family == ADDRESS_IPV6) {
        bencode_writer_key(body, "peers6");
        bencode_writer_string(body, all);
    }
}

static void put_dict_peers(struct buffer *body, const struct peer_answer *found, bool no_peer_id)
{
    bencode_writer_key(body, "peers");
    bencode_writer_list(body);
    for (uint32_t i = 0; i < found->peer_count; i++) {
        const struct stored_peer *peer = found->peers[i];
        char ip[ADDRESS_TEXT_SIZE];
        address_ip_to_text(&peer->address, ip);
        bencode_writer_dict(body);
        bencode_writer_key(body, "ip");
        bencode_writer_text(body, ip);
        if (!no_peer_id) {
            bencode_writer_key(body, "peer id");
            bencode_writer_string(body, (struct bytes){peer->peer_id, TRACKER_PEER_ID_SIZE});
        }
        put_integer(body, "port", peer->address.port);
        bencode_writer_end(body);
    }
    bencode_writer_end(body);
}

/* A peer that is alone may ask again sooner than the others. */
static int64_t interval_min(const struct tracker_server *server)
{
    int64_t floor_s = LIMIT_ANNOUNCE_FLOOR_NS / SECOND_NS;
    return server->options.interval_s < floor_s ? server->options.interval_s : floor_s;
}

static void answer_http_announce(struct tracker_server *server, int64_t now,
                                 const struct address *from,
                                 const struct tracker_announce *announce,
                                 struct tracker_server_answer *answer)
{
    struct refusal refusal;
    struct address source = source_of(server, from, announce);
    if (!take_announce(server, now, &source, announce, wanted_of(announce), &refusal)) {
        answer_refusal(server, &refusal, answer);
        return;
    }
    server->stats.announces++;
    const struct tracker_counts *counts = &server->answer.counts;
    bencode_writer_dict(&answer->body);
    put_integer(&answer->body, "complete", counts->complete);
    put_integer(&answer->body, "downloaded", counts->downloaded);
    put_external_ip(&answer->body, &source);
    put_integer(&answer->body, "incomplete", counts->incomplete);
    put_integer(&answer->body, "interval", server->options.interval_s);
    put_integer(&answer->body, "min interval", interval_min(server));
    if (announce->is_compact)
        put_compact_peers(&answer->body, &server->answer, source.family);
    else
        put_dict_peers(&answer->body, &server->answer, announce->no_peer_id);
    bencode_writer_end(&answer->body);
}

static void answer_http_scrape(struct tracker_server *server, const struct tracker_query *query,
                               struct tracker_server_answer *answer)
{
    server->stats.scrapes++;
    bencode_writer_dict(&answer->body);
    bencode_writer_key(&answer->body, "files");
    bencode_writer_dict(&answer->body);
    for (uint32_t i = 0; i < query->hash_count; i++) {
        struct tracker_counts counts;
        if (!is_allowed(server, query->hashes[i]))
            continue;
        peer_store_counts(server->store, query->hashes[i], &counts);
        bencode_writer_string(&answer->body, (struct bytes){query->hashes[i], TRACKER_HASH_SIZE});
        bencode_writer_dict(&answer->body);
        put_integer(&answer->body, "complete", counts.complete);
        put_integer(&answer->body, "downloaded", counts.downloaded);
        put_integer(&answer->body, "downloaders", counts.downloaders);
        put_integer(&answer->body, "incomplete", counts.incomplete);
        bencode_writer_end(&answer->body);
    }
    bencode_writer_end(&answer->body);
    bencode_writer_end(&answer->body);
}

void tracker_server_http(struct tracker_server *server, int64_t now, const struct address *from,
                         struct bytes target, struct tracker_server_answer *ret_answer)
{
    struct tracker_query query;
    struct tracker_server_answer *answer = ret_answer;
    answer->status = 200;
    buffer_clear(&answer->body);
    tracker_server_tick(server, now);
    enum freshet_error error = tracker_query_parse(target, &query);
    if (error == FRESHET_ERROR_LIMIT || error == FRESHET_ERROR_UNSUPPORTED) {
        server->stats.ignored++;
        answer->status = error == FRESHET_ERROR_LIMIT ? 414 : 404;
        buffer_append_text(&answer->body, query.problem);
    } else if (error != FRESHET_OK) {
        answer_refusal(server, &(struct refusal){query.problem, RETRY_NEVER}, answer);
    } else if (query.type == TRACKER_QUERY_ANNOUNCE) {
        answer_http_announce(server, now, from, &query.announce, answer);
    } else {
        answer_http_scrape(server, &query, answer);
    }
}

void tracker_server_tick(struct tracker_server *server, int64_t now)
{
    peer_store_tick(server->store, now);
}

int64_t tracker_server_deadline(const struct tracker_server *server)
{
    return peer_store_deadline(server->store);
}

void tracker_server_stats(const struct tracker_server *server,
                          struct tracker_server_stats *ret_stats)
{
    *ret_stats = server->stats;
    ret_stats->peers = peer_store_peer_count(server->store);
    ret_stats->torrents = peer_store_swarm_count(server->store);
}

void tracker_server_check(const struct tracker_server *server)
{
    peer_store_check(server->store);
    CHECK(server->stats.announces <= UINT64_MAX / 2);
}
