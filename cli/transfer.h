/* SPDX-License-Identifier: MIT */
/*
 * What `get` and `seed` have in common: a session with some torrents, its options, progress, the
 * ways in which it ends, and the exit code. `get` adds what to download, `seed` what is there.
 */
#ifndef FRESHET_CLI_TRANSFER_H
#define FRESHET_CLI_TRANSFER_H

#include "cli/command.h"
#include "cli/torrent_source.h"
#include "core/metainfo/magnet.h"

/* What every command has that finds peers, for its table. */
#define TRANSFER_NETWORK_OPTIONS                                                                   \
    {"peer", 0, "ADDR:PORT", "a peer to try first", .repeatable = true},                           \
        {"listen", 0, "ADDR:PORT", "listen there, TCP and UDP; port 0 picks one",                  \
         .repeatable = false},                                                                     \
        {"bootstrap", 0, "HOST:PORT", "enter the DHT there; remembered for the next time",         \
         .repeatable = true},                                                                      \
        {"no-dht", 0, NULL, "do not use the DHT", .repeatable = false},                            \
        {"no-lsd", 0, NULL, "do not look for peers in the local network", .repeatable = false},    \
        {"no-pex", 0, NULL, "do not tell peers of peers", .repeatable = false},                    \
        {"ip-filter", 0, "FILE", "have nothing to do with the addresses in this list",             \
         .repeatable = false},                                                                     \
        {"no-portmap", 0, NULL, "do not ask the router to let peers in (NAT-PMP, UPnP)",           \
         .repeatable = false},                                                                     \
        {"proxy", 0, "socks5://[USER:PASSWORD@]HOST[:PORT]",                                       \
         "go out through it alone, and listen nowhere; it looks names up", .repeatable = false},   \
        {"interface", 0, "NAME",                                                                   \
         "go out by that interface alone, or by the one with that address; names of "              \
         "hosts are asked of the system's resolver, as ever",                                      \
         .repeatable = false},                                                                     \
        {"transport", 0, "tcp|utp|both", "speak to peers over TCP, uTP or what answers first",     \
         .repeatable = false},                                                                     \
        {"utp-congestion", 0, "ledbat++|ledbat",                                                   \
         "how uTP yields to others; ledbat++, the default, shares better", .repeatable = false},   \
        {"encryption", 0, "require|prefer|allow|off",                                              \
         "hide connections from filters on the way; allow dials in the clear, takes both, and "    \
         "hides where the other end wants it (default allow)",                                     \
         .repeatable = false},                                                                     \
    {                                                                                              \
        "state", 0, "DIR", "keep progress there", .repeatable = false                              \
    }

/* The options that `get` and `seed` have. */
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
        {"upload-slots", 0, "N", "send to so many peers at a time; 0: never send",                 \
         .repeatable = false},                                                                     \
        {"unchecked", 0, NULL, "trust that the data is there and good, hash nothing at the start", \
         .repeatable = false},                                                                     \
        {"progress", 0, "auto|bar|plain|json|none", "how to show progress", .repeatable = false},  \
        {"verbose", 'v', NULL, "a strip of the pieces below each bar", .repeatable = false},       \
        TRANSFER_NETWORK_OPTIONS

struct transfer;

enum transfer_kind { TRANSFER_GET, TRANSFER_SEED };

/* Reads the options; NULL after saying what is wrong, with the exit code in *ret_code. Nothing has
 * been touched yet: transfer_open does that. */
struct transfer *transfer_new(const struct command_call *call, enum transfer_kind kind,
                              enum exit_code *ret_code);
void transfer_free(struct transfer *transfer);
/* The way that everything takes. */
const struct network_route *transfer_route(const struct transfer *transfer);
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
/* Adds one of which only the magnet link is known (taken): its metadata is fetched first, then the
 * handler below is asked what to do with it. */
enum exit_code transfer_add_magnet(struct transfer *transfer, struct magnet *magnet,
                                   const char *root);
/* The metadata of a magnet link is there: which files? *ret_priorities (NULL: all) is taken. */
typedef enum exit_code transfer_chooser(void *context, const struct metainfo *metainfo,
                                        const struct magnet *magnet, uint8_t **ret_priorities);
void transfer_set_chooser(struct transfer *transfer, transfer_chooser *choose, void *context);
/* Shows a torrent's magnet link when the run begins. */
void transfer_show_magnet(struct transfer *transfer, const struct metainfo *metainfo);
/* Runs until the end and returns the exit code. */
enum exit_code transfer_run(struct transfer *transfer);

#endif
