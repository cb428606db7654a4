/* SPDX-License-Identifier: MIT */
#include "cli/progress_json.h"

#include <jansson.h>
#include <stdlib.h>

#include "cli/output.h"

static void progress_json_print(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);

    output_printf("%s\n", text ? text : "{}");
    output_flush();
    free(text);
    json_decref(object);
}

static const char *phase_word(enum torrent_phase phase)
{
    static const char *const words[] = {"metadata", "opening", "checking", "downloading", "seeding",
                                        "paused",   "absent",  "error",    "stopping"};

    return words[phase];
}

static void set_number(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void set_seconds(json_t *object, int64_t elapsed_ns)
{
    json_object_set_new(object, "seconds", json_real((double)elapsed_ns / (double)SECOND_NS));
}

/* How many addresses came from where. */
static json_t *sources_object(const uint32_t counts[PEER_SOURCE_COUNT])
{
    static const char *const words[PEER_SOURCE_COUNT] = {"user",    "lan", "tracker", "resume",
                                                         "inbound", "dht", "exchange"};
    json_t *object = json_object();

    for (int i = 0; i < PEER_SOURCE_COUNT; i++)
        if (counts[i])
            set_number(object, words[i], counts[i]);
    return object;
}

static json_t *count_or_null(bool known, uint32_t count)
{
    return known ? json_integer((json_int_t)count) : json_null();
}

/* The whole swarm as the tracker counts it; null: no tracker has said. */
static json_t *swarm_object(const struct torrent_status *status)
{
    json_t *object = json_object();

    json_object_set_new(object, "seeders",
                        count_or_null(status->swarm_known, status->swarm_seeders));
    json_object_set_new(object, "leechers",
                        count_or_null(status->swarm_known, status->swarm_leechers));
    json_object_set_new(object, "downloaded",
                        count_or_null(status->swarm_downloads_known, status->swarm_downloads));
    return object;
}

static json_t *torrent_object(const char *event, const struct progress_line *line)
{
    const struct torrent_status *status = &line->status;
    json_t *object = json_object();

    if (event)
        json_object_set_new(object, "event", json_string(event));
    json_object_set_new(object, "info_hash", json_string(line->info_hash));
    json_object_set_new(object, "name", json_string(line->name));
    json_object_set_new(object, "phase", json_string(phase_word(status->phase)));
    set_number(object, "wanted", status->wanted_bytes);
    set_number(object, "verified", status->verified_bytes);
    set_number(object, "durable", status->durable_bytes);
    set_number(object, "checked", status->checked_bytes);
    set_number(object, "uploaded", status->uploaded);
    set_number(object, "downloaded", status->downloaded);
    set_number(object, "wasted", status->wasted);
    set_number(object, "download_rate", status->download_rate);
    set_number(object, "upload_rate", status->upload_rate);
    set_number(object, "peers", status->peers);
    json_object_set_new(object, "swarm", swarm_object(status));
    json_object_set_new(object, "peers_from", sources_object(status->peers_by_source));
    json_object_set_new(object, "known_from", sources_object(status->known_by_source));
    json_object_set_new(object, "complete", json_boolean(status->complete));
    return object;
}

void progress_json_ready(const char *listen)
{
    progress_json_print(json_pack("{s:s,s:s?}", "event", "ready", "listen", listen));
}

void progress_json_magnet(const char *link)
{
    progress_json_print(json_pack("{s:s,s:s}", "event", "magnet", "link", link));
}

void progress_json_line(const char *event, const struct progress_line *line)
{
    progress_json_print(torrent_object(event, line));
}

void progress_json_done(int64_t elapsed_ns, const struct progress_line *line)
{
    json_t *object = torrent_object("done", line);

    set_seconds(object, elapsed_ns);
    progress_json_print(object);
}

static json_t *peers_array(const struct progress_peer *peers, size_t peer_count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < peer_count; i++) {
        char text[ADDRESS_TEXT_SIZE];
        json_t *object = json_object();
        address_to_text(&peers[i].address, text);
        json_object_set_new(object, "address", json_string(text));
        json_object_set_new(object, "info_hash", json_string(peers[i].info_hash));
        set_number(object, "uploaded", peers[i].uploaded);
        set_number(object, "downloaded", peers[i].downloaded);
        json_array_append_new(array, object);
    }
    return array;
}

void progress_json_stats(int64_t elapsed_ns, const struct progress_line *lines, size_t count,
                         const struct progress_peer *peers, size_t peer_count)
{
    json_t *object = json_object(), *torrents = json_array();
    uint64_t uploaded = 0, downloaded = 0, wasted = 0;

    for (size_t i = 0; i < count; i++) {
        uploaded += lines[i].status.uploaded;
        downloaded += lines[i].status.downloaded;
        wasted += lines[i].status.wasted;
        json_array_append_new(torrents, torrent_object(NULL, &lines[i]));
    }
    json_object_set_new(object, "event", json_string("stats"));
    set_number(object, "uploaded", uploaded);
    set_number(object, "downloaded", downloaded);
    set_number(object, "wasted", wasted);
    set_seconds(object, elapsed_ns);
    json_object_set_new(object, "torrents", torrents);
    json_object_set_new(object, "peers", peers_array(peers, peer_count));
    progress_json_print(object);
}
