/* SPDX-License-Identifier: MIT */
/* A row of the list as it is told: copied on the engine's thread, written on a worker. */
#ifndef FRESHET_API_API_ROW_H
#define FRESHET_API_API_ROW_H

#include "services/catalog/catalog.h"
#include "services/rpc/call_arena.h"
#include "services/rpc/json_writer.h"

struct api_row {
    torrent_id id;
    const char *hash, *name, *trouble_text;
    const char *const *labels;
    uint32_t label_count;
    enum catalog_phase phase;
    enum catalog_trouble trouble;
    bool running, complete, is_private, metadata_missing, choose_files;
    double progress, ratio;
    uint64_t total, wanted, verified, downloaded, uploaded, rate_down, rate_up;
    int64_t eta_s; /* -1: not known */
    uint32_t peers, peers_down, peers_up, seeds, queue;
    int64_t added_s, done_s, active_s;
};

const char *api_phase_name(enum catalog_phase phase);
const char *api_trouble_name(enum catalog_trouble trouble);
double api_row_progress(const struct catalog_torrent *torrent);
double api_row_ratio(const struct catalog_torrent *torrent);
/* Seconds, or -1. */
int64_t api_row_eta(const struct catalog_torrent *torrent);
void api_row_copy(const struct catalog_torrent *torrent, struct call_arena *arena,
                  struct api_row *ret_row);
/* The members, without the braces. */
void api_row_write(const struct api_row *row, struct json_writer *json);
/* "null" where JSON has no better word. */
void api_write_null(struct json_writer *json, const char *key);
void api_write_text_or_null(struct json_writer *json, const char *key, const char *text);

#endif
