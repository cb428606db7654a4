/* SPDX-License-Identifier: MIT */
/*
 * Torrents on their way into the engine. The .torrent is read and parsed, the torrent claimed and
 * its record found on a worker; only the command is given on the loop. The catalog closes none
 * before it has heard that it is open.
 */
#include "host/daemon_service_state.h"

#include "core/base/memory.h"
#include "core/metainfo/torrent_writer.h"
#include "core/storage/storage.h"
#include "host/clock.h"
#include "host/daemon_content.h"
#include "host/daemon_log.h"
#include "host/payload_move.h"
#include "host/root_path.h"

#include <stdio.h>
#include <string.h>

struct daemon_opening {
    struct list_node node;
    struct work work;
    struct daemon_service *daemon;
    torrent_id id;
    struct torrent_options options; /* what it points at is below */
    struct daemon_content_source source;
    uint8_t *priorities;
    char *folder_done; /* of the row, for the probe */
    bool forget_record, wants_probe;
    uint64_t after_change; /* waits until so much is durable: the .torrent that is to be read, and
                              later which files were there */
    bool is_loaded;
    bool is_waiting; /* for that, or until the engine lets go of the one before */
    /* What the worker made. */
    char root[LIMIT_PATH_LENGTH + 1];
    struct metainfo *metainfo;
    uint8_t *existing;
    bool is_done_folder; /* it was found where it was to go, and stays there */
    struct session_claim claim;
    enum freshet_error error;
    char text[SESSION_TEXT_SIZE];
};

/* Which of its files are below a root; NULL: it could not be found out. */
static uint8_t *probe_root(struct daemon_opening *opening, const char *root)
{
    char part_name[STORAGE_PART_NAME_SIZE];
    uint32_t count = opening->metainfo->geometry.file_count;
    const char **paths = daemon_content_paths(opening->metainfo);
    uint8_t *existing = memory_new((size_t)count + 1);

    storage_part_name(opening->metainfo, part_name);
    struct payload_task task = {.operation = PAYLOAD_PROBE,
                                .root = root,
                                .paths = paths,
                                .file_count = count,
                                .part_name = part_name,
                                .ret_existing = existing};
    payload_move_run(&task);
    memory_free(paths);
    if (!task.error)
        return existing;
    memory_free(existing); /* then no file is taken for ours */
    return NULL;
}

static bool has_any(const struct daemon_opening *opening, const uint8_t *existing)
{
    return existing &&
           memchr(existing, 1, (size_t)opening->metainfo->geometry.file_count + 1) != NULL;
}

/* Which of its files were there before freshet wrote any: in the folder of those that are not
 * complete, and where they go in the end; whoever has them there wants them found. */
static void opening_probe(struct daemon_opening *opening)
{
    char root[LIMIT_PATH_LENGTH + 1];

    opening->existing = probe_root(opening, opening->root);
    if (!opening->folder_done || has_any(opening, opening->existing) ||
        root_path_resolve(opening->folder_done, root))
        return;
    uint8_t *existing = probe_root(opening, root);
    if (has_any(opening, existing)) {
        memory_free(opening->existing);
        opening->existing = existing;
        opening->is_done_folder = true;
        memcpy(opening->root, root, sizeof opening->root);
    } else {
        memory_free(existing);
    }
}

static void opening_run(struct work *work)
{
    struct daemon_opening *opening = LIST_ELEMENT(work, struct daemon_opening, work);
    struct state_store *state = session_state(opening->daemon->session);
    struct session_torrent_options options = {.id = opening->id,
                                              .forget_record = opening->forget_record};
    char reason[METAINFO_REASON_SIZE];

    opening->error = daemon_content_load(state, &opening->source, &opening->metainfo, reason);
    if (opening->error) {
        snprintf(opening->text, sizeof opening->text, "%s", reason);
        return;
    }
    opening->error = root_path_resolve(opening->source.folder, opening->root);
    if (opening->error) {
        snprintf(opening->text, sizeof opening->text, "%.300s: %s", opening->source.folder,
                 error_text(opening->error));
        return;
    }
    if (opening->wants_probe)
        opening_probe(opening);
    opening->error =
        session_torrents_claim(opening->daemon->session, opening->metainfo, opening->root, &options,
                               opening->text, &opening->claim);
}

static void opening_free(struct daemon_opening *opening)
{
    metainfo_free(opening->metainfo);
    memory_free(opening->existing);
    memory_free(opening->folder_done);
    daemon_content_source_deinit(&opening->source);
    memory_free(opening->priorities);
    memory_free(opening);
}

static void opening_end(struct daemon_opening *opening)
{
    list_remove(&opening->daemon->openings, &opening->node);
    opening_free(opening);
}

static void opening_add(struct daemon_opening *opening)
{
    struct daemon_service *daemon = opening->daemon;

    opening->options.root = opening->root;
    opening->options.file_priorities = opening->priorities;
    session_torrents_add_claimed(daemon->session, opening->metainfo, &opening->options, opening->id,
                                 &opening->claim);
    opening->metainfo = NULL;
    daemon_known_forget(daemon, opening->id);
    catalog_on_opened(daemon->catalog, opening->id, FRESHET_OK, "", clock_now());
    daemon_trackers_on_opened(daemon, opening->id);
    opening_end(opening);
}

/* It is known which files were there before: that is to be durable before the engine makes others,
 * else a kill in between would make them look like files of somebody's. */
static void opening_loaded(struct daemon_opening *opening)
{
    struct daemon_service *daemon = opening->daemon;

    if (!opening->existing) {
        opening_add(opening);
        return;
    }
    if (opening->is_done_folder)
        catalog_on_found_done(daemon->catalog, opening->id, opening->folder_done);
    catalog_on_found(daemon->catalog, opening->id, opening->existing,
                     opening->metainfo->geometry.file_count);
    opening->after_change = catalog_change(daemon->catalog);
    opening->is_loaded = opening->is_waiting = true;
}

static void opening_done(struct work *work)
{
    struct daemon_opening *opening = LIST_ELEMENT(work, struct daemon_opening, work);
    struct daemon_service *daemon = opening->daemon;
    bool is_wanted =
        !work->cancelled && !daemon->is_stopping && catalog_find(daemon->catalog, opening->id);

    if (is_wanted && !opening->error) {
        opening_loaded(opening);
    } else {
        if (is_wanted)
            catalog_on_opened(daemon->catalog, opening->id, opening->error, opening->text,
                              clock_now());
        else if (!work->cancelled && !opening->error)
            session_torrents_unclaim(&opening->claim);
        opening_end(opening);
    }
    daemon_service_wake(daemon);
}

/* Has the engine one of this number that is on its way out? */
static bool is_leaving(struct daemon_service *daemon, torrent_id id)
{
    struct torrent_status status;

    return engine_torrent_status(session_engine(daemon->session), id, &status) &&
           status.phase == PHASE_STOPPING;
}

static void opening_start(struct daemon_opening *opening)
{
    struct daemon_service *daemon = opening->daemon;

    opening->is_waiting = catalog_saved(daemon->catalog) < opening->after_change ||
                          (!opening->is_loaded && is_leaving(daemon, opening->id));
    if (opening->is_waiting)
        return;
    if (opening->is_loaded)
        opening_add(opening);
    else
        worker_pool_submit(daemon->state_worker, &opening->work);
}

void daemon_open(struct daemon_service *daemon, const struct catalog_action *action)
{
    const struct catalog_torrent *torrent = action->torrent;
    struct daemon_opening *opening = memory_new(sizeof *opening);

    opening->daemon = daemon;
    opening->id = torrent->id;
    opening->options = action->options;
    opening->options.peers = daemon->options.peers;
    opening->options.peer_count = daemon->options.peer_count;
    opening->options.resume = NULL;
    daemon_content_source_init(&opening->source, torrent);
    if (action->options.file_priorities)
        opening->priorities = memory_copy(action->options.file_priorities, torrent->file_count);
    opening->forget_record = action->forget_record;
    opening->after_change = catalog_change(daemon->catalog);
    opening->wants_probe = torrent->made == NULL;
    if (torrent->folder_done)
        opening->folder_done = memory_copy(torrent->folder_done, strlen(torrent->folder_done) + 1);
    opening->work.run = opening_run;
    opening->work.done = opening_done;
    list_append(&daemon->openings, &opening->node);
    opening_start(opening);
}

void daemon_open_waiting(struct daemon_service *daemon)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&daemon->openings); node; node = next) {
        struct daemon_opening *opening = LIST_ELEMENT(node, struct daemon_opening, node);
        next = list_next(&daemon->openings, node);
        if (opening->is_waiting)
            opening_start(opening);
    }
}

void daemon_open_drop(struct daemon_service *daemon)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&daemon->openings); node; node = next) {
        struct daemon_opening *opening = LIST_ELEMENT(node, struct daemon_opening, node);
        next = list_next(&daemon->openings, node);
        if (!opening->is_waiting)
            continue; /* its worker tells */
        if (opening->is_loaded)
            session_torrents_unclaim(&opening->claim);
        opening_end(opening);
    }
}

void daemon_open_tune(struct daemon_service *daemon, const struct catalog_action *action)
{
    const struct torrent_options *options = &action->options;
    struct torrent_tuning tuning = {
        .sequential = options->sequential,
        .super_seed = options->super_seed,
        .upload_slots = options->upload_slots,
        .peers_max = options->peers_max,
        .share = options->share,
        .transport = options->transport,
        .seed_ratio = options->seed_ratio,
        .seed_time_s = options->seed_time_s,
    };
    struct engine_command tune = {
        .type = COMMAND_SET_OPTIONS, .torrent = action->torrent->id, .tuning = &tuning};
    struct engine_command limits = {.type = COMMAND_SET_LIMITS,
                                    .torrent = action->torrent->id,
                                    .upload_limit = options->upload_limit,
                                    .download_limit = options->download_limit};
    struct engine_command priorities = {.type = COMMAND_SET_PRIORITIES,
                                        .torrent = action->torrent->id,
                                        .file_priorities = options->file_priorities};

    session_command(daemon->session, &tune);
    session_command(daemon->session, &limits);
    if (options->file_priorities)
        session_command(daemon->session, &priorities);
}

/* ---- magnet links ---- */

void daemon_open_magnet(struct daemon_service *daemon, const struct catalog_action *action)
{
    const struct catalog_torrent *torrent = action->torrent;
    struct address peers[LIMIT_MAGNET_PEERS + 64];
    struct magnet *magnet = NULL;
    char reason[METAINFO_REASON_SIZE];
    uint32_t count = 0;
    enum freshet_error error = magnet_parse(
        (struct bytes){(const uint8_t *)torrent->magnet, strlen(torrent->magnet)}, &magnet, reason);

    if (!error) {
        for (; count < daemon->options.peer_count && count < 64; count++)
            peers[count] = daemon->options.peers[count];
        for (uint32_t i = 0; i < magnet->peer_count; i++)
            count += address_from_text(magnet->peers[i], false, &peers[count]);
        struct session_magnet_options options = {.id = torrent->id,
                                                 .magnet = magnet,
                                                 .peers = peers,
                                                 .peer_count = count,
                                                 .transport = torrent->wishes.transport};
        session_torrents_add_magnet(daemon->session, &options);
    }
    magnet_free(magnet);
    torrent_id id = action->id ? action->id : torrent->id;
    catalog_on_opened(daemon->catalog, id, error, error ? reason : "", clock_now());
    if (!error)
        daemon_trackers_on_opened(daemon, id);
}

/* Metadata that has come: made a .torrent, kept, and read again as every later start will. */
struct daemon_metadata {
    struct work work;
    struct daemon_service *daemon;
    torrent_id id;
    struct metainfo *fetched, *metainfo;
    char *link;
    enum freshet_error error;
    char reason[METAINFO_REASON_SIZE];
};

static void metadata_run(struct work *work)
{
    struct daemon_metadata *metadata = LIST_ELEMENT(work, struct daemon_metadata, work);
    struct buffer torrent = {0};
    struct magnet *magnet = NULL;

    metadata->error =
        magnet_parse((struct bytes){(const uint8_t *)metadata->link, strlen(metadata->link)},
                     &magnet, metadata->reason);
    if (!metadata->error) {
        torrent_writer_write(metadata->fetched, magnet, &torrent);
        metadata->error =
            metainfo_parse(buffer_bytes(&torrent), &metadata->metainfo, metadata->reason);
    }
    if (!metadata->error)
        metadata->error = session_torrents_remember(metadata->daemon->session, metadata->metainfo,
                                                    buffer_bytes(&torrent));
    if (metadata->error && !metadata->reason[0])
        snprintf(metadata->reason, sizeof metadata->reason, "%s", error_text(metadata->error));
    magnet_free(magnet);
    buffer_deinit(&torrent);
}

static void metadata_done(struct work *work)
{
    struct daemon_metadata *metadata = LIST_ELEMENT(work, struct daemon_metadata, work);
    struct daemon_service *daemon = metadata->daemon;

    if (!work->cancelled && catalog_find(daemon->catalog, metadata->id)) {
        if (metadata->error)
            catalog_on_opened(daemon->catalog, metadata->id, metadata->error, metadata->reason,
                              clock_now());
        else
            catalog_on_metadata(daemon->catalog, metadata->id, metadata->metainfo, clock_now());
    }
    metainfo_free(metadata->fetched);
    metainfo_free(metadata->metainfo);
    memory_free(metadata->link);
    memory_free(metadata);
    daemon_service_wake(daemon);
}

void daemon_open_metadata(struct daemon_service *daemon, torrent_id id)
{
    const struct catalog_torrent *torrent = catalog_find(daemon->catalog, id);
    struct metainfo *fetched = engine_take_metadata(session_engine(daemon->session), id);

    if (!torrent || !torrent->magnet || !fetched) {
        metainfo_free(fetched);
        return;
    }
    struct daemon_metadata *metadata = memory_new(sizeof *metadata);
    metadata->daemon = daemon;
    metadata->id = id;
    metadata->fetched = fetched;
    metadata->link = memory_copy(torrent->magnet, strlen(torrent->magnet) + 1);
    metadata->work.run = metadata_run;
    metadata->work.done = metadata_done;
    worker_pool_submit(daemon->state_worker, &metadata->work);
}
