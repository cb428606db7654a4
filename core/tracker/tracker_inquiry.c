/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_inquiry.h"

#include "core/base/check.h"
#include "core/tracker/tracker_http.h"

#include <string.h>

/* How long a family that failed beside one that answered is left out. */
#define ROUTE_DEAD_NS (3600 * SECOND_NS)

void tracker_inquiry_init(struct tracker_inquiry *inquiry,
                          const struct tracker_client_options *options, struct rng *rng)
{
    *inquiry = (struct tracker_inquiry){.options = options, .rng = rng};
    list_init(&inquiry->jobs);
}

void tracker_inquiry_deinit(struct tracker_inquiry *inquiry)
{
    tracker_inquiry_end(inquiry);
    struct list_node *node;
    while ((node = list_first(&inquiry->jobs)) != NULL)
        tracker_job_drop(&inquiry->jobs, LIST_ELEMENT(node, struct tracker_job, node));
}

static struct tracker_job *new_job(struct tracker_inquiry *inquiry, struct buffer *text)
{
    return tracker_job_add(&inquiry->jobs, (*inquiry->options->job_next)++, text);
}

static bool is_waiting(const struct tracker_request *request)
{
    return request->state < TRACKER_REQUEST_OK;
}

static void fail(struct tracker_request *request, enum freshet_error error)
{
    request->state = TRACKER_REQUEST_FAILED;
    request->error = error;
    request->has_packet = false;
}

static void succeed(struct tracker_request *request)
{
    request->state = TRACKER_REQUEST_OK;
    request->has_packet = false;
}

static struct tracker_route *route_of(const struct tracker_inquiry *inquiry,
                                      const struct tracker_request *request)
{
    return &inquiry->entry->routes[request->family];
}

static void fill_announce(const struct tracker_inquiry *inquiry,
                          const struct tracker_request *request, struct tracker_announce *announce)
{
    const struct tracker_client_options *options = inquiry->options;
    *announce = (struct tracker_announce){
        .uploaded = inquiry->stats.uploaded,
        .downloaded = inquiry->stats.downloaded,
        .left = inquiry->stats.left,
        .event = inquiry->event,
        .key = options->key,
        .numwant = inquiry->event == TRACKER_EVENT_STOPPED ? 0 : inquiry->stats.numwant,
        .port = inquiry->stats.port,
        .tracker_id = buffer_bytes(&inquiry->entry->tracker_id),
    };
    memcpy(announce->info_hash, options->info_hashes[request->hash_index], TRACKER_HASH_SIZE);
    memcpy(announce->peer_id, options->peer_id, TRACKER_PEER_ID_SIZE);
}

static void start_fetch(struct tracker_inquiry *inquiry, struct tracker_request *request)
{
    static const uint8_t numbers[TRACKER_FAMILY_COUNT] = {ADDRESS_IPV4, ADDRESS_IPV6};
    struct buffer url = {0};
    enum freshet_error error;
    if (inquiry->is_scrape) {
        error = tracker_http_scrape_url(inquiry->entry->url, inquiry->options->info_hashes[0],
                                        inquiry->options->info_hash_count, &url);
    } else {
        struct tracker_announce announce;
        fill_announce(inquiry, request, &announce);
        error = tracker_http_announce_url(inquiry->entry->url, &announce, &url);
    }
    if (error != FRESHET_OK) {
        buffer_deinit(&url);
        fail(request, error);
        return;
    }
    struct tracker_job *job = new_job(inquiry, &url);
    job->request = request;
    job->fetch = (struct fetch_job){
        .id = job->id,
        .url = (const char *)job->text.data,
        .timeout_ns = inquiry->is_hurried ? LIMIT_TRACKER_STOP_NS : LIMIT_TRACKER_TIMEOUT_NS,
        .body_max = LIMIT_TRACKER_REPLY,
        .is_tracker = true,
        .family = inquiry->is_scrape ? 0 : numbers[request->family],
    };
    request->state = TRACKER_REQUEST_FETCHING;
}

static void start_resolve(struct tracker_inquiry *inquiry)
{
    struct buffer host = {0};
    buffer_append_text(&host, inquiry->entry->parts.host);
    struct tracker_job *job = new_job(inquiry, &host);
    job->resolve = (struct resolve_job){
        .id = job->id,
        .host = (const char *)job->text.data,
        .port = inquiry->entry->parts.port,
    };
}

/* May the tracker be asked over this family? The last way in is never closed. */
static bool is_open(const struct tracker_inquiry *inquiry, uint32_t family, int64_t now)
{
    const struct tracker_entry *entry = inquiry->entry;
    enum address_family numeric = entry->parts.family;
    if (family == TRACKER_FAMILY_IPV6 && inquiry->options->no_ipv6)
        return false;
    if (numeric != ADDRESS_NONE)
        return (numeric == ADDRESS_IPV6) == (family == TRACKER_FAMILY_IPV6);
    return entry->routes[family].dead_until_ns <= now;
}

static void add_request(struct tracker_inquiry *inquiry, uint32_t hash_index, uint32_t family)
{
    struct tracker_request *request = &inquiry->requests[inquiry->request_count++];
    *request = (struct tracker_request){.hash_index = hash_index, .family = family};
    tracker_reply_init(&request->reply);
    if (inquiry->entry->parts.scheme == TRACKER_SCHEME_HTTP)
        start_fetch(inquiry, request);
    else
        request->state = TRACKER_REQUEST_RESOLVING;
}

static void begin(struct tracker_inquiry *inquiry, int64_t now, struct tracker_entry *entry)
{
    CHECK(inquiry->entry == NULL);
    inquiry->entry = entry;
    inquiry->request_count = 0;
    /* One scrape tells of all hashes, and both families would tell the same. */
    uint32_t hash_count = inquiry->is_scrape ? 1 : inquiry->options->info_hash_count;
    for (uint32_t hash = 0; hash < hash_count; hash++)
        for (uint32_t family = 0; family < TRACKER_FAMILY_COUNT; family++)
            if (is_open(inquiry, family, now) &&
                !(inquiry->is_scrape && inquiry->request_count > 0))
                add_request(inquiry, hash, family);
    if (inquiry->request_count > 0 && entry->parts.scheme == TRACKER_SCHEME_UDP)
        start_resolve(inquiry);
}

void tracker_inquiry_announce(struct tracker_inquiry *inquiry, int64_t now,
                              struct tracker_entry *entry, enum tracker_event event,
                              const struct tracker_client_stats *stats)
{
    inquiry->is_scrape = false;
    inquiry->is_hurried = event == TRACKER_EVENT_STOPPED;
    inquiry->event = event;
    inquiry->stats = *stats;
    begin(inquiry, now, entry);
}

void tracker_inquiry_scrape(struct tracker_inquiry *inquiry, int64_t now,
                            struct tracker_entry *entry)
{
    inquiry->is_scrape = true;
    inquiry->is_hurried = false;
    begin(inquiry, now, entry);
}

void tracker_inquiry_end(struct tracker_inquiry *inquiry)
{
    for (uint32_t i = 0; i < inquiry->request_count; i++)
        tracker_reply_deinit(&inquiry->requests[i].reply);
    inquiry->request_count = 0;
    inquiry->entry = NULL;
    tracker_job_abandon_all(&inquiry->jobs);
}

bool tracker_inquiry_is_finished(const struct tracker_inquiry *inquiry)
{
    for (uint32_t i = 0; i < inquiry->request_count; i++)
        if (is_waiting(&inquiry->requests[i]))
            return false;
    return inquiry->entry != NULL;
}

struct tracker_request *tracker_inquiry_take(struct tracker_inquiry *inquiry)
{
    for (uint32_t i = 0; i < inquiry->request_count; i++) {
        struct tracker_request *request = &inquiry->requests[i];
        if (!is_waiting(request) && !request->is_told) {
            request->is_told = true;
            return request;
        }
    }
    return NULL;
}

bool tracker_inquiry_is_ok(const struct tracker_inquiry *inquiry)
{
    for (uint32_t i = 0; i < inquiry->request_count; i++)
        if (inquiry->requests[i].state == TRACKER_REQUEST_OK)
            return true;
    return false;
}

const struct tracker_request *tracker_inquiry_worst(const struct tracker_inquiry *inquiry)
{
    const struct tracker_request *worst = NULL;
    for (uint32_t i = 0; i < inquiry->request_count; i++) {
        const struct tracker_request *request = &inquiry->requests[i];
        if (request->state != TRACKER_REQUEST_FAILED)
            continue;
        bool says_more = worst == NULL || (request->reply.failed && !worst->reply.failed) ||
                         (worst->error == FRESHET_ERROR_RESOLVE && !worst->reply.failed);
        if (says_more)
            worst = request;
    }
    return worst;
}

bool tracker_inquiry_has_jobs(const struct tracker_inquiry *inquiry)
{
    return !list_is_empty(&inquiry->jobs);
}

/* A family that failed while the other answered is left out for a while: most often one of the two
 * does not lead anywhere from here, and its time-outs would slow every announce. */
static void judge_families(struct tracker_inquiry *inquiry, int64_t now)
{
    bool ok[TRACKER_FAMILY_COUNT] = {false}, dead[TRACKER_FAMILY_COUNT] = {false};
    for (uint32_t i = 0; i < inquiry->request_count; i++) {
        const struct tracker_request *request = &inquiry->requests[i];
        ok[request->family] |= request->state == TRACKER_REQUEST_OK;
        dead[request->family] |= request->state == TRACKER_REQUEST_FAILED && !request->reply.failed;
    }
    for (uint32_t family = 0; family < TRACKER_FAMILY_COUNT; family++) {
        struct tracker_route *route = &inquiry->entry->routes[family];
        if (ok[family]) {
            route->dead_until_ns = 0;
        } else if (dead[family]) {
            route->turn++;
            route->dead_until_ns = ok[1 - family] ? now + ROUTE_DEAD_NS : 0;
        }
    }
}

static void settle(struct tracker_inquiry *inquiry, int64_t now)
{
    if (!tracker_inquiry_is_finished(inquiry) || inquiry->is_scrape)
        return;
    judge_families(inquiry, now);
    if (!tracker_inquiry_is_ok(inquiry))
        for (uint32_t family = 0; family < TRACKER_FAMILY_COUNT; family++)
            inquiry->entry->routes[family].dead_until_ns = 0;
}

/* --- HTTP --- */

static enum freshet_error read_scrape(const struct tracker_inquiry *inquiry, struct bytes body,
                                      struct tracker_request *request)
{
    enum freshet_error error = FRESHET_ERROR_MISSING;
    for (uint32_t i = 0; i < inquiry->options->info_hash_count; i++) {
        enum freshet_error one =
            tracker_http_parse_scrape(body, inquiry->options->info_hashes[i], &request->scraped[i]);
        if (error != FRESHET_OK)
            error = one;
    }
    return error;
}

static void on_fetched(struct tracker_inquiry *inquiry, struct tracker_request *request,
                       const struct event *event)
{
    struct bytes body = event->result.fetched.body;
    /* Many trackers refuse with an HTTP error and still say why in the body. */
    if (event->error != FRESHET_OK && (event->error != FRESHET_ERROR_HTTP || body.length == 0)) {
        fail(request, event->error);
    } else if (inquiry->is_scrape) {
        enum freshet_error error = read_scrape(inquiry, body, request);
        if (error == FRESHET_OK)
            succeed(request);
        else
            fail(request, error);
    } else {
        enum freshet_error error = tracker_http_parse_reply(body, &request->reply);
        if (error != FRESHET_OK)
            fail(request, event->error != FRESHET_OK ? event->error : error);
        else if (request->reply.failed || event->error != FRESHET_OK)
            fail(request, event->error != FRESHET_OK && !request->reply.failed
                              ? event->error
                              : FRESHET_ERROR_REFUSED);
        else
            succeed(request);
    }
    if (request->state == TRACKER_REQUEST_FAILED && request->reply.retry_s == 0 &&
        event->error == FRESHET_ERROR_HTTP && event->result.fetched.retry_after_s > 0)
        request->reply.retry_s = event->result.fetched.retry_after_s;
}

/* --- UDP --- */

static int64_t try_ns(const struct tracker_inquiry *inquiry, const struct tracker_request *request)
{
    if (inquiry->is_hurried)
        return LIMIT_TRACKER_STOP_NS;
    return LIMIT_UDP_TRACKER_TIMEOUT_NS << request->tries;
}

static void send(struct tracker_inquiry *inquiry, struct tracker_request *request, int64_t now)
{
    struct tracker_route *route = route_of(inquiry, request);
    bool has_id =
        now < route->connection_until_ns && address_equal(&route->address, &request->remote);
    request->state = has_id ? TRACKER_REQUEST_ASKING : TRACKER_REQUEST_CONNECTING;
    request->transaction_id = (uint32_t)rng_u64(inquiry->rng);
    request->has_packet = true;
    request->timeout_ns = now + try_ns(inquiry, request);
}

static bool pick_address(const struct event *event, uint32_t family, uint32_t turn,
                         struct address *ret_address)
{
    uint8_t wanted = family == TRACKER_FAMILY_IPV6 ? ADDRESS_IPV6 : ADDRESS_IPV4;
    uint32_t count = event->result.resolved.count, fitting = 0;
    if (count > RESOLVE_ADDRESSES_MAX)
        count = RESOLVE_ADDRESSES_MAX;
    for (uint32_t i = 0; i < count; i++)
        fitting += event->result.resolved.addresses[i].family == wanted;
    if (fitting == 0)
        return false;
    uint32_t skip = turn % fitting;
    for (uint32_t i = 0; i < count; i++) {
        const struct address *address = &event->result.resolved.addresses[i];
        if (address->family == wanted && skip-- == 0) {
            *ret_address = *address;
            return true;
        }
    }
    return false;
}

static void on_resolved(struct tracker_inquiry *inquiry, int64_t now, const struct event *event)
{
    for (uint32_t i = 0; i < inquiry->request_count; i++) {
        struct tracker_request *request = &inquiry->requests[i];
        if (event->error != FRESHET_OK) {
            fail(request, event->error);
        } else if (!pick_address(event, request->family, route_of(inquiry, request)->turn,
                                 &request->remote)) {
            fail(request, FRESHET_ERROR_RESOLVE);
        } else {
            request->remote.port = inquiry->entry->parts.port;
            send(inquiry, request, now);
            request->is_id_reused = request->state == TRACKER_REQUEST_ASKING;
        }
    }
}

static void on_connected(struct tracker_inquiry *inquiry, struct tracker_request *request,
                         int64_t now, uint64_t connection_id)
{
    struct tracker_route *route = route_of(inquiry, request);
    route->address = request->remote;
    route->connection_id = connection_id;
    route->connection_until_ns = now + LIMIT_UDP_TRACKER_ID_NS;
    request->is_id_reused = false;
    send(inquiry, request, now);
}

static void on_refused(struct tracker_inquiry *inquiry, struct tracker_request *request,
                       int64_t now, const struct tracker_udp_head *head)
{
    /* The tracker may have a new secret since: the id is worth one more try with a fresh one. */
    if (request->is_id_reused) {
        request->is_id_reused = false;
        route_of(inquiry, request)->connection_until_ns = 0;
        send(inquiry, request, now);
        return;
    }
    (void)tracker_udp_parse_announce(head, ADDRESS_IPV4, &request->reply);
    fail(request, FRESHET_ERROR_REFUSED);
}

static void on_answer(struct tracker_inquiry *inquiry, struct tracker_request *request,
                      const struct tracker_udp_head *head)
{
    enum freshet_error error = FRESHET_OK;
    if (inquiry->is_scrape) {
        for (uint32_t i = 0; i < inquiry->options->info_hash_count && error == FRESHET_OK; i++)
            error = tracker_udp_parse_scrape(head, i, &request->scraped[i]);
    } else {
        error = tracker_udp_parse_announce(head, (enum address_family)request->remote.family,
                                           &request->reply);
        if (error != FRESHET_OK)
            tracker_reply_deinit(&request->reply);
    }
    if (error == FRESHET_OK)
        succeed(request);
    /* Else: nonsense from the right place; the time-out decides, as if nothing had come. */
}

static struct tracker_request *find_request(struct tracker_inquiry *inquiry,
                                            const struct address *remote, uint32_t transaction_id)
{
    for (uint32_t i = 0; i < inquiry->request_count; i++) {
        struct tracker_request *request = &inquiry->requests[i];
        bool is_udp = request->state == TRACKER_REQUEST_CONNECTING ||
                      request->state == TRACKER_REQUEST_ASKING;
        if (is_udp && request->transaction_id == transaction_id &&
            address_equal(&request->remote, remote))
            return request;
    }
    return NULL;
}

static bool on_datagram(struct tracker_inquiry *inquiry, int64_t now, const struct event *event)
{
    struct tracker_udp_head head;
    /* Every datagram of the engine may come by here: those that wait for none cost nothing. */
    if (inquiry->request_count == 0 || tracker_udp_parse_head(event->bytes, &head) != FRESHET_OK)
        return false;
    struct tracker_request *request = find_request(inquiry, &event->remote, head.transaction_id);
    if (request == NULL)
        return false;
    if (head.action == TRACKER_UDP_ERROR)
        on_refused(inquiry, request, now, &head);
    else if (request->state == TRACKER_REQUEST_ASKING)
        on_answer(inquiry, request, &head);
    else if (head.action == TRACKER_UDP_CONNECT)
        on_connected(inquiry, request, now, head.connection_id);
    settle(inquiry, now);
    return true;
}

static bool on_job(struct tracker_inquiry *inquiry, int64_t now, const struct event *event)
{
    struct tracker_job *job = tracker_job_find(&inquiry->jobs, event->job);
    if (job == NULL)
        return false;
    if (!job->is_abandoned && job->request)
        on_fetched(inquiry, job->request, event);
    else if (!job->is_abandoned)
        on_resolved(inquiry, now, event);
    tracker_job_drop(&inquiry->jobs, job);
    settle(inquiry, now);
    return true;
}

bool tracker_inquiry_input(struct tracker_inquiry *inquiry, int64_t now, const struct event *event)
{
    if (event->type == EVENT_JOB_DONE)
        return on_job(inquiry, now, event);
    if (event->type == EVENT_DATAGRAM)
        return on_datagram(inquiry, now, event);
    return false;
}

void tracker_inquiry_tick(struct tracker_inquiry *inquiry, int64_t now)
{
    bool changed = false;
    for (uint32_t i = 0; i < inquiry->request_count; i++) {
        struct tracker_request *request = &inquiry->requests[i];
        bool is_udp = request->state == TRACKER_REQUEST_CONNECTING ||
                      request->state == TRACKER_REQUEST_ASKING;
        if (!is_udp || request->timeout_ns > now)
            continue;
        changed = true;
        request->tries++;
        /* Once the tracker has answered one way, the other ways are not worth a long wait. */
        if (inquiry->is_hurried || request->tries >= LIMIT_UDP_TRACKER_TRIES ||
            tracker_inquiry_is_ok(inquiry))
            fail(request, FRESHET_ERROR_TIMEOUT);
        else
            send(inquiry, request, now);
    }
    if (changed)
        settle(inquiry, now);
}

int64_t tracker_inquiry_deadline(const struct tracker_inquiry *inquiry)
{
    int64_t deadline = INT64_MAX;
    for (uint32_t i = 0; i < inquiry->request_count; i++) {
        const struct tracker_request *request = &inquiry->requests[i];
        bool is_udp = request->state == TRACKER_REQUEST_CONNECTING ||
                      request->state == TRACKER_REQUEST_ASKING;
        if (is_udp && request->timeout_ns < deadline)
            deadline = request->timeout_ns;
    }
    return deadline;
}

/* BEP 41 is for paths that say more than every client knows anyway. */
static struct bytes url_data(const struct tracker_entry *entry)
{
    struct bytes path = entry->parts.path_and_query;
    if (bytes_is(path, "/") || bytes_is(path, "/announce"))
        return (struct bytes){NULL, 0};
    return path;
}

static void write_packet(struct tracker_inquiry *inquiry, struct tracker_request *request,
                         struct action *ret_action)
{
    struct writer writer;
    writer_init(&writer, inquiry->packet, sizeof inquiry->packet);
    uint64_t id = route_of(inquiry, request)->connection_id;
    if (request->state == TRACKER_REQUEST_CONNECTING) {
        tracker_udp_write_connect(&writer, request->transaction_id);
    } else if (inquiry->is_scrape) {
        tracker_udp_write_scrape(&writer, id, request->transaction_id,
                                 inquiry->options->info_hashes[0],
                                 inquiry->options->info_hash_count);
    } else {
        struct tracker_announce announce;
        fill_announce(inquiry, request, &announce);
        tracker_udp_write_announce(&writer, id, request->transaction_id, &announce,
                                   url_data(inquiry->entry));
    }
    CHECK(!writer.failed);
    request->has_packet = false;
    *ret_action = (struct action){
        .type = ACTION_SEND_DATAGRAM,
        .remote = request->remote,
        .bytes = {inquiry->packet, writer_length(&writer)},
    };
}

bool tracker_inquiry_output(struct tracker_inquiry *inquiry, int64_t now, struct action *ret_action)
{
    (void)now;
    if (tracker_job_output(&inquiry->jobs, ret_action))
        return true;
    for (uint32_t i = 0; i < inquiry->request_count; i++)
        if (inquiry->requests[i].has_packet) {
            write_packet(inquiry, &inquiry->requests[i], ret_action);
            return true;
        }
    return false;
}

void tracker_inquiry_check(const struct tracker_inquiry *inquiry)
{
    CHECK(inquiry->request_count <= TRACKER_REQUESTS_MAX);
    CHECK(inquiry->entry != NULL || inquiry->request_count == 0);
    for (uint32_t i = 0; i < inquiry->request_count; i++)
        CHECK(!inquiry->requests[i].has_packet || is_waiting(&inquiry->requests[i]));
}
