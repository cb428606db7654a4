/* SPDX-License-Identifier: MIT */
/*
 * Asks one node of the DHT as fast as it answers, or at a given rate, from many loopback addresses,
 * and counts the answers. Usage: dht_flood ADDRESS PORT ping|find_node|get_peers SECONDS SOURCES
 * RATE (queries a second; 0: as fast as it answers). Prints one JSON object.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOURCES_MAX 1024
#define WINDOW      4   /* open questions of a source */
#define STALE_S     0.1 /* an answer that has not come by then does not come */

struct source {
    int fd;
    uint8_t id[20];
    int open;
    double asked;
};

static struct source sources[SOURCES_MAX];
static struct pollfd polls[SOURCES_MAX];
static unsigned long sent, replies;
static uint64_t random_state = 88172645463325252u;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fill_random(uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        bytes[i] = (uint8_t)(random_state >> 32);
    }
}

static size_t append(char *packet, size_t length, const void *bytes, size_t count)
{
    memcpy(packet + length, bytes, count);
    return length + count;
}

/* A query as any client sends it: keys in order, a transaction of four bytes. */
static size_t make_query(char packet[256], const char *kind, const struct source *source)
{
    static const char ends[][20] = {"ping", "find_node", "get_peers"};
    const char *key = strcmp(kind, ends[1]) == 0 ? "6:target20:" : "9:info_hash20:";
    uint8_t target[20];
    size_t length = append(packet, 0, "d1:ad2:id20:", 12);
    length = append(packet, length, source->id, 20);
    if (strcmp(kind, ends[0]) != 0) {
        fill_random(target, sizeof target);
        length = append(packet, length, key, strlen(key));
        length = append(packet, length, target, 20);
    }
    length += (size_t)sprintf(packet + length, "e1:q%zu:%s1:t4:%04lx1:y1:qe", strlen(kind), kind,
                              sent & 0xffff);
    return length;
}

static void ask(struct source *source, const char *kind, double time)
{
    char packet[256];
    size_t length = make_query(packet, kind, source);
    if (send(source->fd, packet, length, MSG_DONTWAIT) == (ssize_t)length) {
        sent++;
        source->open++;
        source->asked = time;
    }
}

/* The node's own questions: a source that answers them is a node, and fills its table. */
static void answer(const struct source *source, const char *packet, size_t length)
{
    char reply[256];
    const char *transaction = memmem(packet, length, "1:t", 3);
    char *colon = NULL;
    if (!transaction)
        return;
    unsigned long count = strtoul(transaction + 3, &colon, 10);
    if (*colon != ':' || count > 32 || colon + 1 + count > packet + length)
        return;
    size_t used = append(reply, 0, "d1:rd2:id20:", 12);
    used = append(reply, used, source->id, 20);
    used = append(reply, used, "e1:t", 4);
    used = append(reply, used, transaction + 3, (size_t)(colon + 1 + count - transaction - 3));
    used = append(reply, used, "1:y1:re", 7);
    (void)send(source->fd, reply, used, MSG_DONTWAIT);
}

static void hear(struct source *source)
{
    char packet[2048];
    for (;;) {
        ssize_t length = recv(source->fd, packet, sizeof packet - 1, MSG_DONTWAIT);
        if (length <= 0)
            return;
        packet[length] = '\0';
        if (memmem(packet, (size_t)length, "1:y1:r", 6)) {
            replies++;
            source->open -= source->open > 0;
        } else if (memmem(packet, (size_t)length, "1:y1:q", 6)) {
            answer(source, packet, (size_t)length);
        }
    }
}

static bool open_sources(const char *host, int port, int count)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, host, &to.sin_addr);
    for (int i = 0; i < count; i++) {
        struct sockaddr_in from = {.sin_family = AF_INET};
        from.sin_addr.s_addr = htonl(0x7f030001u + (uint32_t)(i / 250 * 256 + i % 250));
        sources[i].fd = socket(AF_INET, SOCK_DGRAM, 0);
        if (bind(sources[i].fd, (struct sockaddr *)&from, sizeof from) != 0 ||
            connect(sources[i].fd, (struct sockaddr *)&to, sizeof to) != 0)
            return false;
        fill_random(sources[i].id, sizeof sources[i].id);
        polls[i] = (struct pollfd){.fd = sources[i].fd, .events = POLLIN};
    }
    return true;
}

static void ask_as_fast_as_it_answers(int count, const char *kind, double end)
{
    for (double time = now(); time < end; time = now()) {
        for (int i = 0; i < count; i++) {
            if (time - sources[i].asked > STALE_S)
                sources[i].open = 0;
            while (sources[i].open < WINDOW) {
                int before = sources[i].open;
                ask(&sources[i], kind, time);
                if (sources[i].open == before)
                    break;
            }
        }
        poll(polls, (nfds_t)count, 10);
        for (int i = 0; i < count; i++)
            if (polls[i].revents)
                hear(&sources[i]);
    }
}

static void ask_at_a_rate(int count, const char *kind, double start, double end, double rate)
{
    int turn = 0;
    for (double time = start; time < end; time = now()) {
        unsigned long due = (unsigned long)((time - start) * rate);
        for (; sent < due; turn = (turn + 1) % count)
            ask(&sources[turn], kind, time);
        poll(polls, (nfds_t)count, 1);
        for (int i = 0; i < count; i++)
            if (polls[i].revents)
                hear(&sources[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    int count = atoi(argv[5]);
    double rate = atof(argv[6]);
    if (count < 1 || count > SOURCES_MAX || !open_sources(argv[1], atoi(argv[2]), count)) {
        perror("sources");
        return 1;
    }
    double start = now(), end = start + atof(argv[4]);
    if (rate > 0)
        ask_at_a_rate(count, argv[3], start, end, rate);
    else
        ask_as_fast_as_it_answers(count, argv[3], end);
    printf("{\"sent\": %lu, \"replies\": %lu, \"seconds\": %.3f}\n", sent, replies, now() - start);
    return 0;
}
