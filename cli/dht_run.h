/* SPDX-License-Identifier: MIT */
/*
 * What the verbs of `freshet dht` have in common: a node that passes by (host/dht_service.h) on
 * both families, begins its errand as soon as somebody has answered, and ends when all that was
 * begun is done or the time is over. A verb is what it begins, what it makes of results, and what
 * it says at the end.
 */
#ifndef FRESHET_CLI_DHT_RUN_H
#define FRESHET_CLI_DHT_RUN_H

#include <jansson.h>

#include "cli/command.h"
#include "host/dht_service.h"

struct dht_run;

struct dht_verb {
    /* It asks an address that the person gave: there is nobody to begin with and nothing to read
     * from the state. */
    bool is_direct;
    /* A node is ready: the commands that it is given are told by dht_run_began. */
    void (*begin)(struct dht_run *run, struct dht_node *node);
    /* Each result of them. The last may be followed by another command. */
    void (*take)(struct dht_run *run, struct dht_node *node, const struct dht_result *result);
    /* Somebody has answered, and now it is over: says what came of it; returns the exit code. */
    int (*end)(struct dht_run *run);
};

struct dht_run {
    const struct command_call *call;
    const struct dht_verb *verb;
    void *context; /* the verb's own */
    bool is_json;
    bool is_late;     /* the time was over before all was done */
    bool was_silent;  /* nobody answered at first */
    int64_t retry_ns; /* when it is tried again; 0: it is not */
    uint32_t began;
    uint32_t open;
    uint32_t asked;
    uint32_t answered;
    uint32_t stored;
    int64_t refusal; /* what the last who refused to store said; 0: nobody did */
    int64_t start_ns;
    int64_t timeout_ns;
    struct dht_service *service;
};

/* Says what is wrong with the command line or the network; returns the exit code. */
int dht_run(const struct command_call *call, const struct dht_verb *verb, void *context);
/* 0, which a node says when it can begin nothing more, does not count. */
void dht_run_began(struct dht_run *run, uint32_t number);
/* The verb has what it wanted; nothing more is waited for. */
void dht_run_enough(struct dht_run *run);

/* The options of all verbs, as lines of an option table. */
#define DHT_RUN_OPTIONS                                                                            \
    {.name = "bootstrap",                                                                          \
     .argument = "HOST:PORT",                                                                      \
     .help = "begin at this node, and at no other",                                                \
     .repeatable = true},                                                                          \
        {.name = "listen",                                                                         \
         .argument = "ADDR:PORT",                                                                  \
         .help = "speak from there; port 0 takes a free one, :PORT means every address"},          \
        {.name = "timeout", .argument = "TIME", .help = "give up after this (20s)"},               \
        {.name = "state",                                                                          \
         .argument = "DIR",                                                                        \
         .help = "folder of the state, where nodes are known from ($XDG_STATE_HOME/freshet)"},     \
    {                                                                                              \
        .name = "json", .help = "one JSON object a line"                                           \
    }

/* Parts that the standing node needs, too. false after saying what is wrong. */
bool dht_run_read_listen(const struct command_call *call, struct address *ret_listen,
                         uint16_t *ret_port);
bool dht_run_read_names(const struct command_call *call, const char *ret_names[LIMIT_DHT_NAMES],
                        uint32_t *ret_count);
/* "ADDR:PORT" of an operand. */
bool dht_run_read_address(const char *text, struct address *ret_address);
/* An info-hash in any spelling, or a magnet link's: the v1 hash, else the v2 one cut to 20 bytes.
 * EXIT_CODE_OK, or the code after saying what is wrong. */
int dht_run_read_info_hash(const char *text, struct dht_id *ret_hash);
/* 40 hex digits. */
bool dht_run_read_target(const char *text, struct dht_id *ret_target);

#define DHT_RUN_ID_SIZE (2 * DHT_ID_SIZE + 1)
const char *dht_run_id_text(const struct dht_id *id, char text[DHT_RUN_ID_SIZE]);
/* Prints the object as a line at once, and lets go of it. */
void dht_run_print_json(json_t *object);
/* "libtorrent 2.0.8" where that can be told from the four bytes, else their letters and hex. */
#define DHT_RUN_CLIENT_SIZE 64
const char *dht_run_client_text(struct bytes version, char text[DHT_RUN_CLIENT_SIZE]);

#endif
