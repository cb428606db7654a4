/* SPDX-License-Identifier: MIT */
#include "library/library_torrents.h"

#include "core/base/memory.h"
#include "host/root_path.h"
#include "host/session.h"
#include "host/session_torrents.h"

#include <stdio.h>
#include <string.h>

void library_torrents_init(struct library_torrents *torrents)
{
    list_init(&torrents->list);
    torrents->next_id = 1;
}

static void drop(struct library_torrents *torrents, struct library_torrent *torrent)
{
    list_remove(&torrents->list, &torrent->node);
    magnet_free(torrent->magnet);
    memory_free(torrent);
}

void library_torrents_deinit(struct library_torrents *torrents)
{
    while (!list_is_empty(&torrents->list))
        drop(torrents, LIST_ELEMENT(list_first(&torrents->list), struct library_torrent, node));
}

struct library_torrent *library_torrents_find(const struct library_torrents *torrents, uint32_t id)
{
    for (struct list_node *node = list_first(&torrents->list); node;
         node = list_next(&torrents->list, node)) {
        struct library_torrent *torrent = LIST_ELEMENT(node, struct library_torrent, node);
        if (torrent->id == id)
            return torrent;
    }
    return NULL;
}

void library_torrents_forget(struct library_torrents *torrents, uint32_t id)
{
    struct library_torrent *torrent = library_torrents_find(torrents, id);

    if (torrent)
        drop(torrents, torrent);
}

static const struct library_torrent *find_key(const struct library_torrents *torrents,
                                              const uint8_t key[32])
{
    for (struct list_node *node = list_first(&torrents->list); node;
         node = list_next(&torrents->list, node)) {
        const struct library_torrent *torrent = LIST_ELEMENT(node, struct library_torrent, node);
        if (memcmp(torrent->key, key, 32) == 0)
            return torrent;
    }
    return NULL;
}

static void make_key(bool has_v2, const uint8_t v1[20], const uint8_t v2[32], uint8_t ret_key[32])
{
    memset(ret_key, 0, 32);
    memcpy(ret_key, has_v2 ? v2 : v1, has_v2 ? 32 : 20);
}

/* Makes room for it, or says that it is there. */
static enum freshet_result begin(struct library_torrents *torrents, const struct library_add *add,
                                 const uint8_t key[32], struct library_torrent **ret_torrent)
{
    const struct library_torrent *known = find_key(torrents, key);

    if (known) {
        *add->ret_torrent = known->id;
        snprintf(add->ret_text, FRESHET_TEXT_SIZE, "it is there already");
        return FRESHET_KNOWN;
    }
    struct library_torrent *torrent = memory_new(sizeof *torrent);
    enum freshet_error error = root_path_resolve(add->folder, torrent->folder);
    if (error) {
        snprintf(add->ret_text, FRESHET_TEXT_SIZE, "%.300s: %s", add->folder, error_text(error));
        memory_free(torrent);
        return FRESHET_DISK;
    }
    memcpy(torrent->key, key, 32);
    torrent->flags = add->flags;
    torrent->id = torrents->next_id++;
    list_append(&torrents->list, &torrent->node);
    *ret_torrent = torrent;
    return FRESHET_DONE;
}

/* Takes the metainfo when it succeeds. */
static enum freshet_error start(struct session *session, const struct library_torrent *torrent,
                                struct metainfo *metainfo, struct bytes bytes,
                                char ret_text[FRESHET_TEXT_SIZE])
{
    struct torrent_options options = {.root = torrent->folder,
                                      .paused = torrent->flags & FRESHET_PAUSE,
                                      .read_only = torrent->flags & FRESHET_SEED,
                                      .sequential = torrent->flags & FRESHET_SEQUENTIAL,
                                      .seed_ratio = -1,
                                      .seed_time_s = -1,
                                      .wait_for_space = true};
    struct session_torrent_options how = {.id = torrent->id, .torrent = bytes};

    return session_torrents_add(session, metainfo, &options, &how, ret_text);
}

static enum freshet_result result_of(enum freshet_error error)
{
    return error == FRESHET_OK           ? FRESHET_DONE
           : error == FRESHET_ERROR_BUSY ? FRESHET_BUSY
                                         : FRESHET_DISK;
}

/* There is metainfo, whole or without its piece layers. Takes it. */
static enum freshet_error begin_metainfo(struct session *session, struct library_torrent *torrent,
                                         struct metainfo *metainfo, struct bytes bytes,
                                         char ret_text[FRESHET_TEXT_SIZE])
{
    if (metainfo->layers_missing) {
        struct session_magnet_options options = {.id = torrent->id, .metainfo = metainfo};
        session_torrents_add_magnet(session, &options);
        return FRESHET_OK;
    }
    enum freshet_error error = start(session, torrent, metainfo, bytes, ret_text);
    if (error)
        metainfo_free(metainfo);
    return error;
}

enum freshet_result library_torrents_add_bytes(struct library_torrents *torrents,
                                               const struct library_add *add, struct buffer *bytes)
{
    char reason[METAINFO_REASON_SIZE] = "";
    struct library_torrent *torrent;
    struct metainfo *metainfo = NULL;
    uint8_t key[32];
    enum freshet_error error = metainfo_parse(buffer_bytes(bytes), &metainfo, reason);

    if (error) {
        snprintf(add->ret_text, FRESHET_TEXT_SIZE, "no torrent: %s",
                 reason[0] ? reason : error_text(error));
        buffer_deinit(bytes);
        return FRESHET_BAD_TORRENT;
    }
    make_key(metainfo->has_v2, metainfo->info_hash_v1, metainfo->info_hash_v2, key);
    enum freshet_result result = begin(torrents, add, key, &torrent);
    if (result) {
        metainfo_free(metainfo);
        buffer_deinit(bytes);
        return result;
    }
    error = begin_metainfo(add->session, torrent, metainfo, buffer_bytes(bytes), add->ret_text);
    buffer_deinit(bytes);
    if (error)
        drop(torrents, torrent);
    else
        *add->ret_torrent = torrent->id;
    return result_of(error);
}

static uint32_t peers_of(const struct magnet *magnet, struct address peers[LIMIT_MAGNET_PEERS])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < magnet->peer_count && count < LIMIT_MAGNET_PEERS; i++)
        count += address_from_text(magnet->peers[i], false, &peers[count]);
    return count;
}

enum freshet_result library_torrents_add_link(struct library_torrents *torrents,
                                              const struct library_add *add, const char *link)
{
    char reason[METAINFO_REASON_SIZE] = "";
    struct address peers[LIMIT_MAGNET_PEERS];
    struct library_torrent *torrent;
    struct magnet *magnet = NULL;
    uint8_t key[32];

    if (magnet_parse((struct bytes){(const uint8_t *)link, strlen(link)}, &magnet, reason)) {
        snprintf(add->ret_text, FRESHET_TEXT_SIZE, "no magnet link: %s", reason);
        return FRESHET_BAD_TORRENT;
    }
    make_key(magnet->has_v2, magnet->info_hash_v1, magnet->info_hash_v2, key);
    enum freshet_result result = begin(torrents, add, key, &torrent);
    if (result) {
        magnet_free(magnet);
        return result;
    }
    torrent->magnet = magnet;
    struct session_magnet_options options = {
        .id = torrent->id, .magnet = magnet, .peers = peers, .peer_count = peers_of(magnet, peers)};
    session_torrents_add_magnet(add->session, &options);
    *add->ret_torrent = torrent->id;
    return FRESHET_DONE;
}

bool library_torrents_known(struct library_torrents *torrents, struct session *session, uint32_t id,
                            char ret_text[FRESHET_TEXT_SIZE])
{
    struct library_torrent *torrent = library_torrents_find(torrents, id);
    struct metainfo *metainfo = NULL;
    struct buffer bytes = {0};

    if (!torrent)
        return false;
    enum freshet_error error =
        session_torrents_take_metadata(session, id, torrent->magnet, &metainfo, &bytes);
    if (error) {
        snprintf(ret_text, FRESHET_TEXT_SIZE, "the metadata makes no torrent: %s",
                 error_text(error));
    } else {
        make_key(metainfo->has_v2, metainfo->info_hash_v1, metainfo->info_hash_v2, torrent->key);
        error = start(session, torrent, metainfo, buffer_bytes(&bytes), ret_text);
        if (error)
            metainfo_free(metainfo);
    }
    buffer_deinit(&bytes);
    return error == FRESHET_OK;
}
