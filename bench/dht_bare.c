/* SPDX-License-Identifier: MIT */
/*
 * The DHT's core without anything around it. What a node lets strangers have is bounded (five
 * answers a second a source, 8,000 bytes a second in all): here its clock runs ahead, so that the
 * bounds are kept and never reached, and what is measured is work.
 *
 *     dht_bare core            one JSON object: queries, look-ups, memory, in one process
 *     dht_bare serve ADDRESS   a node behind a plain socket; prints its port, runs until killed
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "core/base/memory.h"
#include "core/dht/dht_node.h"

#define NODES   500u
#define LOOKUPS 2000u
#define ROUNDS  10u   /* each with another node of the network */
#define QUERIES 6000u /* a round: ten minutes, in which no node of a table grows old */
#define GAP_NS  (100 * MILLISECOND_NS) /* between queries, so that all are within the bounds */
#define STORED  50u                    /* peers of the torrent that is asked for */
#define ASKERS  60000u                 /* addresses from here on ask; below are the nodes */
#define HASTE   5000                   /* how much faster the clock of `serve` runs */

static double cpu_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct dht_node *new_node(uint32_t number)
{
    struct dht_node_options options = {.family = ADDRESS_IPV4, .seed = number + 1};
    memset(options.secret, (int)number, sizeof options.secret);
    return dht_node_new(&options);
}

static struct address address_of(uint32_t number)
{
    return address_ipv4((uint8_t[4]){10, 1, (uint8_t)(number >> 8), (uint8_t)number}, 6881);
}

static void drop_outputs(struct dht_node *node, int64_t now)
{
    struct action action;
    while (dht_node_output(node, now, &action))
        continue;
}

static void give(struct dht_node *node, int64_t now, uint32_t from, struct bytes bytes)
{
    struct event event = {.type = EVENT_DATAGRAM, .remote = address_of(from), .bytes = bytes};
    dht_node_input(node, now, &event);
}

/* --- A network in one process, over a wire without delay --- */

struct flight {
    struct flight *next;
    uint32_t from, to;
    size_t length;
    uint8_t bytes[];
};

static struct dht_node *nodes[NODES];
static struct flight *first, *last;
static unsigned long packets;

static void take_outputs(uint32_t from, int64_t now)
{
    struct action action;
    while (dht_node_output(nodes[from], now, &action)) {
        struct flight *flight = memory_new(sizeof *flight + action.bytes.length);
        flight->from = from;
        flight->to = (uint32_t)(action.remote.ip[2] << 8 | action.remote.ip[3]);
        flight->length = action.bytes.length;
        memcpy(flight->bytes, action.bytes.data, action.bytes.length);
        *(first ? &last->next : &first) = flight;
        last = flight;
        packets++;
    }
}

static void carry_all(int64_t now)
{
    while (first) {
        struct flight *flight = first;
        first = flight->next;
        give(nodes[flight->to], now, flight->from, (struct bytes){flight->bytes, flight->length});
        take_outputs(flight->to, now);
        memory_free(flight);
    }
}

static int64_t build_network(void)
{
    int64_t now = SECOND_NS;
    struct dht_result result;
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[i] = new_node(i);
        dht_node_tick(nodes[i], now);
    }
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t i = 1; i < NODES; i++, now += SECOND_NS / 4) {
            struct address known = address_of((i * 7919u + round) % i);
            struct dht_id own = dht_node_id(nodes[i]);
            dht_node_add_address(nodes[i], &known, now);
            take_outputs(i, now);
            carry_all(now);
            dht_node_find_node(nodes[i], now, &own);
            take_outputs(i, now);
            carry_all(now);
            while (dht_node_result(nodes[i], &result))
                continue;
        }
    return now;
}

/* On return nobody's table has changed but by what was met on the way. */
static void measure_lookups(int64_t now)
{
    struct dht_result result;
    struct rng rng;
    unsigned long done = 0, asked = 0;
    size_t memory = 0;

    for (uint32_t i = 0; i < NODES; i++)
        memory += dht_node_memory(nodes[i]);
    rng_init(&rng, 5);
    packets = 0;
    double before = cpu_seconds();
    for (uint32_t i = 0; i < LOOKUPS; i++, now += GAP_NS) {
        uint32_t from = rng_below(&rng, NODES);
        struct dht_id hash;
        rng_fill(&rng, hash.bytes, DHT_ID_SIZE);
        dht_node_get_peers(nodes[from], now, &hash, 0);
        take_outputs(from, now);
        carry_all(now);
        while (dht_node_result(nodes[from], &result))
            if (result.type == DHT_RESULT_DONE) {
                done++;
                asked += result.asked;
            }
    }
    double seconds = cpu_seconds() - before;
    printf("\"lookups\": {\"nodes\": %u, \"done\": %lu, \"cpu_us\": %.2f, \"asked\": %.2f, "
           "\"packets\": %.2f}, \"memory\": {\"bytes_a_node\": %zu}",
           NODES, done, seconds * 1e6 / LOOKUPS, (double)asked / LOOKUPS, (double)packets / LOOKUPS,
           memory / NODES);
}

/* --- One node that is asked --- */

static void fill_store(struct dht_node *node, int64_t now, const struct dht_id *hash)
{
    struct krpc_message reply;
    struct action action;
    for (uint32_t i = 0; i < STORED; i++, now += GAP_NS) {
        struct buffer out = {0};
        struct krpc_message query;
        uint8_t token[LIMIT_DHT_TOKEN];
        size_t length = 0;
        krpc_init(&query, KRPC_QUERY);
        query.method = KRPC_GET_PEERS;
        query.transaction = BYTES_LITERAL("aaaa");
        query.has_target = true;
        query.target = *hash;
        krpc_write(&query, &out);
        give(node, now, ASKERS + i, buffer_bytes(&out));
        while (dht_node_output(node, now, &action))
            if (krpc_parse(action.bytes, &reply) == FRESHET_OK && reply.token.length) {
                length = reply.token.length;
                memcpy(token, reply.token.data, length);
            }
        query.method = KRPC_ANNOUNCE_PEER;
        query.token = (struct bytes){token, length};
        query.port = 7000;
        buffer_clear(&out);
        krpc_write(&query, &out);
        give(node, now, ASKERS + i, buffer_bytes(&out));
        drop_outputs(node, now);
        buffer_deinit(&out);
    }
}

static void make_queries(struct buffer queries[QUERIES], enum krpc_method method,
                         const struct dht_id *hash)
{
    struct krpc_message query;
    struct rng rng;
    rng_init(&rng, 3);
    krpc_init(&query, KRPC_QUERY);
    query.method = method;
    query.transaction = BYTES_LITERAL("aaaa");
    query.has_target = method != KRPC_PING;
    for (uint32_t i = 0; i < QUERIES; i++) {
        rng_fill(&rng, query.id.bytes, DHT_ID_SIZE);
        rng_fill(&rng, query.target.bytes, DHT_ID_SIZE);
        if (hash)
            query.target = *hash;
        buffer_clear(&queries[i]);
        krpc_write(&query, &queries[i]);
    }
}

/* Each query from another address: the node pings all who would be nodes to it, as it does. */
static double measure_round(struct dht_node *node, int64_t now,
                            const struct buffer queries[QUERIES])
{
    double before = cpu_seconds();
    for (uint32_t i = 0; i < QUERIES; i++, now += GAP_NS) {
        give(node, now, ASKERS + i % 5000, buffer_bytes(&queries[i]));
        drop_outputs(node, now);
        if (i % 10 == 0)
            dht_node_tick(node, now);
    }
    return cpu_seconds() - before;
}

static void measure_queries(const char *name, enum krpc_method method, bool has_peers, int64_t now,
                            uint32_t first_node)
{
    static struct buffer queries[QUERIES];
    struct dht_node_stats stats;
    struct dht_id hash = {{9}};
    unsigned long long asked = 0, refused = 0;
    double best = 1e9;

    make_queries(queries, method, has_peers ? &hash : NULL);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct dht_node *node = nodes[first_node + round];
        if (has_peers)
            fill_store(node, now, &hash);
        dht_node_stats(node, now, &stats);
        asked -= stats.queries_in;
        refused -= stats.queries_refused;
        double seconds = measure_round(node, now + STORED * GAP_NS, queries);
        dht_node_stats(node, now, &stats);
        asked += stats.queries_in;
        refused += stats.queries_refused;
        best = seconds < best ? seconds : best;
    }
    printf("\"%s\": {\"cpu_us\": %.3f, \"asked\": %llu, \"refused\": %llu}", name,
           best * 1e6 / QUERIES, asked, refused);
}

static int measure(void)
{
    int64_t now = build_network();

    printf("{");
    measure_lookups(now);
    now += LOOKUPS * GAP_NS;
    printf(", \"queries\": {");
    measure_queries("ping", KRPC_PING, false, now, 0);
    printf(", ");
    measure_queries("find_node", KRPC_FIND_NODE, false, now, ROUNDS);
    printf(", ");
    measure_queries("get_peers", KRPC_GET_PEERS, false, now, 2 * ROUNDS);
    printf(", ");
    measure_queries("get_peers of 50", KRPC_GET_PEERS, true, now, 3 * ROUNDS);
    printf("}}\n");
    return 0;
}

/* --- Behind a socket --- */

static int64_t hasty_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return ((int64_t)time.tv_sec * SECOND_NS + time.tv_nsec) % (1000000 * SECOND_NS) * HASTE;
}

static void send_outputs(struct dht_node *node, int fd, int64_t now)
{
    struct action action;
    while (dht_node_output(node, now, &action)) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(action.remote.port)};
        memcpy(&to.sin_addr, action.remote.ip, 4);
        (void)sendto(fd, action.bytes.data, action.bytes.length, MSG_DONTWAIT,
                     (struct sockaddr *)&to, sizeof to);
    }
}

static int serve(const char *host)
{
    struct sockaddr_in own = {.sin_family = AF_INET}, from;
    socklen_t length = sizeof own;
    uint8_t packet[2048];
    struct dht_node *node = new_node(7);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    int64_t ticked = 0;

    inet_pton(AF_INET, host, &own.sin_addr);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0)
        return 1;
    getsockname(fd, (struct sockaddr *)&own, &length);
    printf("%d\n", ntohs(own.sin_port));
    fflush(stdout);
    for (;;) {
        socklen_t from_length = sizeof from;
        ssize_t got =
            recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &from_length);
        int64_t now = hasty_now();
        if (got <= 0)
            continue;
        struct event event = {
            .type = EVENT_DATAGRAM,
            .remote = address_ipv4((const uint8_t *)&from.sin_addr, ntohs(from.sin_port)),
            .bytes = {packet, (size_t)got}};
        dht_node_input(node, now, &event);
        if (now - ticked > SECOND_NS) {
            dht_node_tick(node, now);
            ticked = now;
        }
        send_outputs(node, fd, now);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "core") == 0)
        return measure();
    if (argc == 3 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2]);
    fprintf(stderr, "usage: dht_bare core | serve ADDRESS\n");
    return 2;
}
