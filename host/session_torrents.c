/* SPDX-License-Identifier: MIT */
#include "host/session_torrents.h"

#include "core/base/memory.h"
#include "core/metainfo/torrent_writer.h"
#include "host/root_lock.h"
#include "host/session_parts.h"

#include <stdio.h>
#include <string.h>

static void session_torrent_key(const struct metainfo *metainfo, uint8_t ret_key[32])
{
    memset(ret_key, 0, 32);
    if (metainfo->has_v2)
        memcpy(ret_key, metainfo->info_hash_v2, 32);
    else
        memcpy(ret_key, metainfo->info_hash_v1, 20);
}

static struct session_torrent *session_find(struct session *session, torrent_id id)
{
    for (struct list_node *node = list_first(&session->torrents); node;
         node = list_next(&session->torrents, node)) {
        struct session_torrent *torrent = LIST_ELEMENT(node, struct session_torrent, node);
        if (torrent->id == id)
            return torrent;
    }
    return NULL;
}

static enum freshet_error session_lock(struct session *session, const uint8_t key[32],
                                       const char *root, int *ret_lock,
                                       char ret_text[SESSION_TEXT_SIZE])
{
    pid_t pid = 0;
    enum freshet_error error = state_store_lock(session->state, key, root, ret_lock, &pid);

    /* Who keeps another state has no lock in ours. A root that is not there yet is locked when it
     * is made. */
    if (!error && (error = root_lock_look(root, key, &pid)) != FRESHET_OK)
        state_store_unlock(*ret_lock);
    if (error == FRESHET_ERROR_BUSY)
        snprintf(ret_text, SESSION_TEXT_SIZE, "process %ld already works on this torrent in %.200s",
                 (long)pid, root);
    else if (error)
        snprintf(ret_text, SESSION_TEXT_SIZE, "cannot lock the state: %s", error_text(error));
    return error;
}

/* Keeps the .torrent under its key, and a hybrid's under its v1 hash too, by which people know it.
 */
static enum freshet_error session_remember(struct session *session, const struct metainfo *metainfo,
                                           const uint8_t key[32], struct bytes torrent)
{
    uint8_t v1_key[32] = {0};

    if (torrent.length == 0)
        return FRESHET_OK;
    enum freshet_error error = state_store_put_torrent(session->state, key, torrent);
    if (error || !metainfo->has_v1 || !metainfo->has_v2)
        return error;
    memcpy(v1_key, metainfo->info_hash_v1, 20);
    return state_store_put_torrent(session->state, v1_key, torrent);
}

/* What is recorded; no record is no error. */
static enum freshet_error session_recall(struct session *session, const uint8_t key[32],
                                         const char *root, bool forget,
                                         struct state_record *ret_record)
{
    memset(ret_record, 0, sizeof *ret_record);
    if (forget)
        return state_store_forget(session->state, key, root);
    enum freshet_error error = state_store_take(session->state, key, root, ret_record);
    return error == FRESHET_ERROR_NOT_FOUND ? FRESHET_OK : error;
}

enum freshet_error session_torrents_claim(struct session *session, const struct metainfo *metainfo,
                                          const char *root,
                                          const struct session_torrent_options *torrent,
                                          char ret_text[SESSION_TEXT_SIZE],
                                          struct session_claim *ret_claim)
{
    struct session_claim claim = {.lock = -1};

    session_torrent_key(metainfo, claim.key);
    enum freshet_error error = session_lock(session, claim.key, root, &claim.lock, ret_text);
    if (error)
        return error;
    error = session_remember(session, metainfo, claim.key, torrent->torrent);
    if (!error)
        error = session_recall(session, claim.key, root, torrent->forget_record, &claim.record);
    if (error) {
        snprintf(ret_text, SESSION_TEXT_SIZE, "cannot use the state: %s", error_text(error));
        state_store_unlock(claim.lock);
        return error;
    }
    *ret_claim = claim;
    return FRESHET_OK;
}

void session_torrents_unclaim(struct session_claim *claim)
{
    state_store_record_deinit(&claim->record);
    state_store_unlock(claim->lock);
}

void session_torrents_add_claimed(struct session *session, struct metainfo *metainfo,
                                  const struct torrent_options *options, torrent_id id,
                                  struct session_claim *claim)
{
    struct torrent_options filled = *options;

    filled.resume = claim->record.memory ? &claim->record.record : NULL;
    if (claim->record.memory)
        disk_expect_root(session->disk, options->root, &claim->record.root);
    struct session_torrent *claimed = memory_new(sizeof *claimed + strlen(options->root) + 1);
    claimed->id = id;
    claimed->lock = claim->lock;
    memcpy(claimed->info_hash, claim->key, 32);
    strcpy(claimed->root, options->root);
    list_append(&session->torrents, &claimed->node);
    struct engine_command command = {
        .type = COMMAND_ADD_TORRENT, .torrent = id, .metainfo = metainfo, .options = &filled};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    session_parts_input(session, &event);
    state_store_record_deinit(&claim->record);
}

enum freshet_error session_torrents_add(struct session *session, struct metainfo *metainfo,
                                        const struct torrent_options *options,
                                        const struct session_torrent_options *torrent,
                                        char ret_text[SESSION_TEXT_SIZE])
{
    struct session_claim claim;
    enum freshet_error error =
        session_torrents_claim(session, metainfo, options->root, torrent, ret_text, &claim);

    if (!error)
        session_torrents_add_claimed(session, metainfo, options, torrent->id, &claim);
    return error;
}

void session_torrents_add_magnet(struct session *session,
                                 const struct session_magnet_options *options)
{
    struct engine_command command = {.type = COMMAND_ADD_MAGNET,
                                     .torrent = options->id,
                                     .magnet = options->magnet,
                                     .metainfo = options->metainfo,
                                     .peers = options->peers,
                                     .peer_count = options->peer_count,
                                     .transport = options->transport};
    struct event event = {.type = EVENT_COMMAND, .command = &command};

    session_parts_input(session, &event);
}

enum freshet_error session_torrents_take_metadata(struct session *session, torrent_id id,
                                                  const struct magnet *magnet,
                                                  struct metainfo **ret_metainfo,
                                                  struct buffer *ret_torrent)
{
    struct metainfo *fetched = engine_take_metadata(session->engine, id);
    char reason[METAINFO_REASON_SIZE];

    if (!fetched)
        return FRESHET_ERROR_MISSING;
    torrent_writer_write(fetched, magnet, ret_torrent);
    metainfo_free(fetched);
    return metainfo_parse(buffer_bytes(ret_torrent), ret_metainfo, reason);
}

enum freshet_error session_torrents_remember(struct session *session,
                                             const struct metainfo *metainfo, struct bytes torrent)
{
    uint8_t key[32];

    session_torrent_key(metainfo, key);
    return session_remember(session, metainfo, key, torrent);
}

static void session_drop(struct session *session, struct session_torrent *torrent)
{
    list_remove(&session->torrents, &torrent->node);
    state_store_unlock(torrent->lock);
    memory_free(torrent);
}

void session_torrents_on_removed(struct session *session, torrent_id id)
{
    struct session_torrent *torrent = session_find(session, id);

    if (torrent)
        session_drop(session, torrent);
}

void session_torrents_forget_all(struct session *session)
{
    while (!list_is_empty(&session->torrents))
        session_drop(session,
                     LIST_ELEMENT(list_first(&session->torrents), struct session_torrent, node));
}
