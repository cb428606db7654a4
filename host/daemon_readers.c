/* SPDX-License-Identifier: MIT */
/*
 * Who reads files of torrents while they come (rpc_files.h). A reader asks for bytes at a place; if
 * their piece is verified a worker reads them, else it waits, and the engine is told where it and
 * its kin are (services/stream/stream_windows.h) whenever one of them has come a good step further
 * or has jumped.
 */
#include "host/daemon_service_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/rpc_files.h"
#include "host/session_read.h"
#include "services/stream/stream_windows.h"

#include <stdio.h>
#include <string.h>

#define LOOK_MS 50
#define IDLE_NS (30 * SECOND_NS) /* who has read nothing for so long makes room for others */

struct rpc_reader {
    struct list_node node;
    struct daemon_service *daemon;
    torrent_id id;
    file_index file;
    uint64_t start; /* of the file in linear space */
    uint64_t offset, most;
    uint64_t told; /* the engine knows that it is there */
    int64_t idle_since_ns;
    bool has_told, is_waiting, is_reading, is_closed, is_evicted;
    struct session_reading reading;
    rpc_reader_done *done;
    void *done_context;
    uint8_t bytes[RPC_FILES_READ];
};

struct daemon_readers {
    struct list all;
    uv_timer_t look; /* while somebody waits */
};

/* NULL: it does not run (any more). */
static const struct metainfo *metainfo_of(struct daemon_service *daemon, torrent_id id)
{
    const struct catalog_torrent *torrent = catalog_find(daemon->catalog, id);

    if (!torrent || !torrent->open || torrent->metadata_missing)
        return NULL;
    return engine_torrent_metainfo(session_engine(daemon->session), id);
}

static bool is_unwanted(const struct catalog_torrent *torrent, uint32_t file)
{
    return torrent->priorities && file < torrent->file_count &&
           torrent->priorities[file] == CATALOG_PRIORITY_UNWANTED;
}

static void tell_windows(struct daemon_service *daemon, torrent_id id)
{
    const struct metainfo *metainfo = metainfo_of(daemon, id);
    struct stream_place places[LIMIT_FILE_READERS];
    struct piece_window windows[LIMIT_PIECE_WINDOWS];
    uint32_t count = 0;

    if (!metainfo)
        return;
    struct list *all = &daemon->readers->all;
    for (struct list_node *node = list_first(all); node; node = list_next(all, node)) {
        const struct rpc_reader *reader = LIST_ELEMENT(node, struct rpc_reader, node);
        if (reader->id == id && !reader->is_evicted && count < LIMIT_FILE_READERS)
            places[count++] = (struct stream_place){reader->file, reader->offset};
    }
    struct engine_command command = {
        .type = COMMAND_SET_WINDOWS,
        .torrent = id,
        .windows = windows,
        .window_count = stream_windows(&metainfo->geometry, places, count, windows),
    };
    session_command(daemon->session, &command);
}

static void tell_place(struct rpc_reader *reader)
{
    if (reader->has_told && reader->offset >= reader->told &&
        reader->offset - reader->told < STREAM_STEP)
        return;
    reader->has_told = true;
    reader->told = reader->offset;
    tell_windows(reader->daemon, reader->id);
}

static void finish_read(struct rpc_reader *reader, size_t length)
{
    reader->is_waiting = false;
    reader->idle_since_ns = clock_now();
    reader->done(reader->done_context, reader->bytes, length);
}

/* Nothing more will come: the torrent stopped, went or is another one by now, its disk failed, or
 * nobody wants the file any more. */
static bool is_gone(const struct rpc_reader *reader)
{
    const struct metainfo *metainfo = metainfo_of(reader->daemon, reader->id);
    const struct catalog_torrent *torrent = catalog_find(reader->daemon->catalog, reader->id);

    return reader->is_evicted || !metainfo || reader->file >= metainfo->geometry.file_count ||
           metainfo->geometry.files[reader->file].offset != reader->start ||
           torrent->status.phase == PHASE_ERROR || is_unwanted(torrent, reader->file);
}

/* Where its next bytes lie, cut off at the piece's end. false: they are not verified. */
static bool find_bytes(const struct rpc_reader *reader, struct file_range *ret_range)
{
    const struct geometry *geometry = &metainfo_of(reader->daemon, reader->id)->geometry;
    uint64_t at = reader->start + reader->offset;
    piece_index piece = geometry_piece_at(geometry, at);
    uint32_t begin = (uint32_t)(at - (uint64_t)piece * geometry->piece_length);
    uint64_t length = geometry->piece_length - begin;

    length = length < reader->most ? length : reader->most;
    return engine_torrent_range(session_engine(reader->daemon->session), reader->id, piece, begin,
                                (uint32_t)length, ret_range);
}

static void on_read(struct session_reading *reading, enum freshet_error error);
static void on_look(uv_timer_t *timer);

/* Of one that is not gone. false: it waits on. */
static bool begin_read(struct rpc_reader *reader)
{
    tell_place(reader);
    if (!find_bytes(reader, &reader->reading.range))
        return false;
    reader->reading.done = on_read;
    if (!session_read(reader->daemon->session, reader->id, &reader->reading, reader->bytes))
        return false;
    reader->is_waiting = false;
    reader->is_reading = true;
    return true;
}

static void wait_on(struct rpc_reader *reader)
{
    uv_timer_t *timer = &reader->daemon->readers->look;

    reader->is_waiting = true;
    if (!uv_is_active((uv_handle_t *)timer))
        uv_timer_start(timer, on_look, LOOK_MS, LOOK_MS);
}

static void on_read(struct session_reading *reading, enum freshet_error error)
{
    struct rpc_reader *reader = LIST_ELEMENT(reading, struct rpc_reader, reading);
    struct file_range range;

    reader->is_reading = false;
    if (reader->is_closed)
        memory_free(reader);
    else if (error)
        finish_read(reader, 0);
    else if (is_gone(reader) || !find_bytes(reader, &range))
        wait_on(reader); /* its piece was lost meanwhile */
    else
        finish_read(reader, reading->range.length);
}

/* Nobody goes in what this calls: who hears of an end closes its reader in a later turn. */
static void look(struct daemon_service *daemon)
{
    struct list *all = &daemon->readers->all;
    bool anybody = false;

    for (struct list_node *node = list_first(all); node; node = list_next(all, node)) {
        struct rpc_reader *reader = LIST_ELEMENT(node, struct rpc_reader, node);
        if (!reader->is_waiting)
            continue;
        if (is_gone(reader))
            finish_read(reader, 0);
        else
            anybody |= !begin_read(reader);
    }
    if (!anybody)
        uv_timer_stop(&daemon->readers->look);
}

static void on_look(uv_timer_t *timer)
{
    look(timer->data);
}

/* ---- what the RPC's server calls ---- */

/* Why it has no reader now. */
static unsigned not_now(const struct catalog_torrent *torrent, const char **ret_text)
{
    if (torrent->metadata_missing) {
        *ret_text = "it is not known yet what is in the torrent\n";
        return 409;
    }
    switch (torrent->phase) {
    case CATALOG_DOWNLOADING:
    case CATALOG_SEEDING:
    case CATALOG_CHECKING: *ret_text = "the torrent is being opened: try again\n"; return 503;
    case CATALOG_STOPPED: *ret_text = "the torrent is stopped: start it to read its files\n"; break;
    default: *ret_text = "the torrent waits: start it now to read its files\n"; break;
    }
    return 409;
}

/* Whoever has read nothing for the longest time, if it is long: its player sleeps, and asks anew
 * when it goes on. NULL: all of them are at it. `id` 0: of any torrent. */
static struct rpc_reader *find_idle(struct daemon_service *daemon, torrent_id id)
{
    struct list *all = &daemon->readers->all;
    struct rpc_reader *found = NULL;

    for (struct list_node *node = list_first(all); node; node = list_next(all, node)) {
        struct rpc_reader *reader = LIST_ELEMENT(node, struct rpc_reader, node);
        if (!reader->is_waiting && !reader->is_reading && !reader->is_evicted &&
            (id == 0 || reader->id == id) && clock_now() - reader->idle_since_ns > IDLE_NS &&
            (!found || reader->idle_since_ns < found->idle_since_ns))
            found = reader;
    }
    return found;
}

static bool has_room(struct daemon_service *daemon, torrent_id id, uint32_t most)
{
    uint32_t count = 0;
    struct list *all = &daemon->readers->all;

    for (struct list_node *node = list_first(all); node; node = list_next(all, node)) {
        const struct rpc_reader *reader = LIST_ELEMENT(node, struct rpc_reader, node);
        count += !reader->is_evicted && (id == 0 || reader->id == id);
    }
    if (count < most)
        return true;
    struct rpc_reader *idle = find_idle(daemon, id);
    if (idle)
        idle->is_evicted = true;
    return idle != NULL;
}

static unsigned may_open(struct daemon_service *daemon, const struct catalog_torrent *torrent,
                         uint32_t file, const char **ret_text)
{
    if (is_unwanted(torrent, file)) {
        *ret_text = "the file is not chosen for download\n";
        return 409;
    }
    if (!has_room(daemon, torrent->id, LIMIT_FILE_READERS) ||
        !has_room(daemon, 0, LIMIT_FILE_READERS_ALL)) {
        *ret_text = "too many are reading already\n";
        return 503;
    }
    return 0;
}

static void describe(const struct catalog_torrent *torrent, const struct metainfo *metainfo,
                     uint32_t file, struct rpc_file *ret_file)
{
    const char *path = metainfo->files[file].path, *slash = strrchr(path, '/');

    ret_file->length = metainfo->files[file].length;
    snprintf(ret_file->name, sizeof ret_file->name, "%s", slash ? slash + 1 : path);
    snprintf(ret_file->tag, sizeof ret_file->tag, "\"%s-%u\"", torrent->hash, file);
}

static unsigned open_reader(void *context, torrent_id id, uint32_t file, struct rpc_file *ret_file,
                            struct rpc_reader **ret_reader, const char **ret_text)
{
    struct daemon_service *daemon = context;
    const struct catalog_torrent *torrent = catalog_find(daemon->catalog, id);
    const struct metainfo *metainfo = torrent ? metainfo_of(daemon, id) : NULL;

    *ret_text = NULL;
    if (!torrent)
        return 404;
    if (!metainfo)
        return not_now(torrent, ret_text);
    if (file >= metainfo->geometry.file_count || metainfo->files[file].padding)
        return 404;
    describe(torrent, metainfo, file, ret_file);
    if (!ret_reader)
        return 0;
    unsigned status = may_open(daemon, torrent, file, ret_text);
    if (status)
        return status;
    struct rpc_reader *reader = memory_new(sizeof *reader);
    reader->daemon = daemon;
    reader->id = id;
    reader->file = file;
    reader->start = metainfo->geometry.files[file].offset;
    reader->idle_since_ns = clock_now();
    list_append(&daemon->readers->all, &reader->node);
    *ret_reader = reader;
    return 0;
}

static void read_on(struct rpc_reader *reader, uint64_t offset, uint64_t most,
                    rpc_reader_done *done, void *done_context)
{
    CHECK(!reader->is_waiting && !reader->is_reading);
    reader->offset = offset;
    reader->most = most < RPC_FILES_READ ? most : RPC_FILES_READ;
    reader->done = done;
    reader->done_context = done_context;
    reader->is_waiting = true;
    if (is_gone(reader) || !begin_read(reader))
        wait_on(reader);
}

static void close_reader(struct rpc_reader *reader)
{
    struct daemon_service *daemon = reader->daemon;

    list_remove(&daemon->readers->all, &reader->node);
    reader->is_closed = true;
    if (reader->has_told && !daemon->is_stopping)
        tell_windows(daemon, reader->id);
    if (!reader->is_reading)
        memory_free(reader);
}

/* ---- life ---- */

struct daemon_readers *daemon_readers_new(struct daemon_service *daemon,
                                          struct rpc_files *ret_files)
{
    struct daemon_readers *readers = memory_new(sizeof *readers);

    list_init(&readers->all);
    CHECK(uv_timer_init(session_loop(daemon->session), &readers->look) == 0);
    readers->look.data = daemon;
    *ret_files = (struct rpc_files){open_reader, read_on, close_reader, daemon};
    return readers;
}

static void on_closed(uv_handle_t *handle)
{
    memory_free(LIST_ELEMENT((uv_timer_t *)handle, struct daemon_readers, look));
}

void daemon_readers_close(struct daemon_readers *readers)
{
    if (readers)
        uv_close((uv_handle_t *)&readers->look, on_closed);
}
