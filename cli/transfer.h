/* SPDX-License-Identifier: MIT */
/*
 * What `get` and `seed` have in common: a session with some torrents, its options, progress, the
 * ways in which it ends, and the exit code. `get` adds what to download, `seed` what is there.
 */
#ifndef FRESHET_CLI_TRANSFER_H
#define FRESHET_CLI_TRANSFER_H

#include "cli/command.h"
#include "cli/torrent_source.h"

/* The options that both commands have, for their tables. */
#define TRANSFER_OPTIONS                                                                           \
    {"down-limit", 'l', "RATE", "receive at most so much a second, all torrents together",         \
     .repeatable = false},                                                                         \
        {"up-limit", 'u', "RATE", "send at most so much a second, all torrents together",          \
         .repeatable = false},                                                                     \
        {"torrent-down-limit", 0, "RATE", "receive at most so much a second, each torrent",        \
         .repeatable = false},                                                                     \
        {"torrent-up-limit", 0, "RATE", "send at most so much a second, each torrent",             \
         .repeatable = false},                                                                     \
        {"seed-ratio", 0, "RATIO", "stop when so many times the size was sent",                    \
         .repeatable = false},                                                                     \
        {"seed-time", 0, "TIME", "stop after seeding so long", .repeatable = false},               \
        {"peer", 0, "ADDR:PORT", "a peer to try first", .repeatable = true},                       \
        {"listen", 0, "ADDR:PORT", "listen there, TCP and UDP; port 0 picks one",                  \
         .repeatable = false},                                                                     \
        {"upload-slots", 0, "N", "send to so many peers at a time; 0: never send",                 \
         .repeatable = false},                                                                     \
        {"unchecked", 0, NULL, "trust that the data is there and good, hash nothing at the start", \
         .repeatable = false},                                                                     \
        {"state", 0, "DIR", "keep progress there", .repeatable = false},                           \
        {"progress", 0, "auto|bar|plain|json|none", "how to show progress", .repeatable = false},  \
        {"no-dht", 0, NULL, "accepted: there is no DHT yet", .hidden = true},                      \
        {"no-lsd", 0, NULL, "accepted: there is no local discovery yet", .hidden = true},          \
        {"no-pex", 0, NULL, "accepted: there is no peer exchange yet", .hidden = true},            \
        {"no-portmap", 0, NULL, "accepted: there is no port mapping yet", .hidden = true},         \
        {"transport", 0, "tcp", "accepted: TCP is the only one yet", .hidden = true},              \
    {                                                                                              \
        "encryption", 0, "off|allow", "accepted: there is no encryption yet", .hidden = true       \
    }

struct transfer;

enum transfer_kind { TRANSFER_GET, TRANSFER_SEED };

/* Reads the options; NULL after saying what is wrong, with the exit code in *ret_code. Nothing has
 * been touched yet: transfer_open does that. */
struct transfer *transfer_new(const struct command_call *call, enum transfer_kind kind,
                              enum exit_code *ret_code);
void transfer_free(struct transfer *transfer);
/* --state, or NULL. */
const char *transfer_state_folder(const struct command_call *call);

struct transfer_content {
    const char *root;    /* the folder that holds the torrent's name */
    uint8_t *priorities; /* taken; NULL: all files */
    bool just_hashed;    /* the torrent was made of what is there a moment ago */
};

/* Adds a torrent to be run. Takes the source's metainfo and bytes. */
enum exit_code transfer_add(struct transfer *transfer, struct torrent_source *source,
                            const struct transfer_content *content);
/* Shows a torrent's magnet link when the run begins. */
void transfer_show_magnet(struct transfer *transfer, const struct metainfo *metainfo);
/* Runs until the end and returns the exit code. */
enum exit_code transfer_run(struct transfer *transfer);

#endif
