/* SPDX-License-Identifier: MIT */
#include "cli/transfer_state.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/on_done.h"
#include "cli/output.h"
#include "cli/piece_strip.h"
#include "cli/terminal.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/root_path.h"
#include "host/session_torrents.h"

const char *transfer_state_folder(const struct command_call *call)
{
    return command_value(call, "state");
}

struct transfer *transfer_new(const struct command_call *call, enum transfer_kind kind,
                              enum exit_code *ret_code)
{
    struct transfer *transfer = memory_new(sizeof *transfer);

    transfer->kind = kind;
    if (!transfer_options_read(call, kind == TRANSFER_GET, &transfer->options)) {
        memory_free(transfer);
        *ret_code = EXIT_CODE_USAGE;
        return NULL;
    }
    transfer->torrents = memory_new_array(TORRENTS_MAX, sizeof(struct transfer_torrent *));
    transfer->progress = progress_new(transfer->options.progress);
    transfer->on_done.command = transfer->options.on_done;
    return transfer;
}

struct transfer_torrent *transfer_torrent_new(const struct transfer *transfer)
{
    struct transfer_torrent *torrent = memory_new(sizeof *torrent);

    if (transfer->options.verbose)
        torrent->strip = memory_new(PIECE_STRIP_SIZE);
    return torrent;
}

void transfer_torrent_free(struct transfer_torrent *torrent)
{
    torrent_source_deinit(&torrent->source);
    magnet_free(torrent->magnet);
    memory_free(torrent->name);
    memory_free(torrent->priorities);
    memory_free(torrent->strip);
    memory_free(torrent);
}

void transfer_free(struct transfer *transfer)
{
    if (!transfer)
        return;
    session_free(transfer->session);
    for (size_t i = 0; i < transfer->count; i++)
        transfer_torrent_free(transfer->torrents[i]);
    memory_free(transfer->torrents);
    transfer_peers_deinit(&transfer->peers);
    progress_free(transfer->progress);
    memory_free(transfer);
}

/* The same torrent in the same folder, named twice? */
static bool transfer_has(const struct transfer *transfer, const struct transfer_torrent *torrent)
{
    for (size_t i = 0; i < transfer->count; i++)
        if (strcmp(transfer->torrents[i]->info_hash, torrent->info_hash) == 0 &&
            strcmp(transfer->torrents[i]->root, torrent->root) == 0)
            return true;
    return false;
}

void transfer_show_magnet(struct transfer *transfer, const struct metainfo *metainfo)
{
    struct buffer link = {0};

    magnet_format_metainfo(metainfo, &link);
    buffer_append_u8(&link, '\0');
    progress_magnet(transfer->progress, (const char *)link.data);
    buffer_deinit(&link);
}

static bool is_no_folder(const char *path)
{
    struct stat stat_of;

    return stat(path, &stat_of) == 0 && !S_ISDIR(stat_of.st_mode);
}

enum exit_code transfer_keep(struct transfer *transfer, struct transfer_torrent *torrent,
                             const char *root)
{
    enum freshet_error error = root_path_resolve(root, torrent->root);
    enum exit_code code = EXIT_CODE_OK;

    if (error) {
        message_error_code(root, error);
        code = EXIT_CODE_DISK;
    } else if (is_no_folder(torrent->root)) {
        message_error("%s: is no folder", root);
        code = EXIT_CODE_DISK;
    } else if (transfer->count == TORRENTS_MAX) {
        message_error("too many torrents at once (%d at most)", TORRENTS_MAX);
        code = EXIT_CODE_USAGE;
    }
    if (code || transfer_has(transfer, torrent))
        transfer_torrent_free(torrent);
    else
        transfer->torrents[transfer->count++] = torrent;
    return code;
}

enum exit_code transfer_add(struct transfer *transfer, struct torrent_source *source,
                            const struct transfer_content *content)
{
    const struct metainfo *metainfo = source->metainfo;
    struct transfer_torrent *torrent = transfer_torrent_new(transfer);

    if (metainfo->has_v1)
        bytes_to_hex(metainfo->info_hash_v1, 20, torrent->info_hash);
    else
        bytes_to_hex(metainfo->info_hash_v2, 32, torrent->info_hash);
    torrent->name = memory_copy(metainfo->name, strlen(metainfo->name) + 1);
    torrent->priorities = content->priorities;
    torrent->just_hashed = content->just_hashed;
    torrent->source = *source;
    *source = (struct torrent_source){0};
    return transfer_keep(transfer, torrent, content->root);
}

/* ---- while it runs ---- */

struct transfer_torrent *transfer_find(const struct transfer *transfer, torrent_id id)
{
    return id > 0 && id <= transfer->count ? transfer->torrents[id - 1] : NULL;
}

void transfer_look(struct transfer *transfer, size_t index)
{
    struct transfer_torrent *torrent = transfer->torrents[index];

    engine_torrent_status(session_engine(transfer->session), (torrent_id)index + 1,
                          &torrent->status);
    if (torrent->strip)
        piece_strip_text(torrent->status.pieces, torrent->status.pieces_total,
                         terminal_width(STDOUT_FILENO) - 1, terminal_is_utf8(), torrent->strip);
    torrent->status.pieces = NULL; /* borrowed, and soon stale */
}

void transfer_line(const struct transfer_torrent *torrent, struct progress_line *ret_line)
{
    *ret_line = (struct progress_line){.name = torrent->name,
                                       .info_hash = torrent->info_hash,
                                       .status = torrent->status,
                                       .strip = torrent->strip};
    /* Files that hold nothing may still be to be made when every byte is there; and what was
     * complete may have been spoilt since. */
    ret_line->status.complete = torrent->complete && torrent->status.complete;
}

static void transfer_look_at_all(struct transfer *transfer)
{
    for (size_t i = 0; i < transfer->count; i++)
        transfer_look(transfer, i);
}

static void transfer_stop(struct transfer *transfer)
{
    if (transfer->stopping)
        return;
    transfer->stopping = true;
    transfer_look_at_all(transfer);
    session_shutdown(transfer->session);
}

/* Stops when no torrent has anything left to do. */
void transfer_stop_if_over(struct transfer *transfer)
{
    for (size_t i = 0; i < transfer->count; i++)
        if (!transfer->torrents[i]->over)
            return;
    transfer_stop(transfer);
}

void transfer_fail(struct transfer *transfer, struct transfer_torrent *torrent, enum exit_code code)
{
    torrent->failed = torrent->over = true;
    torrent->code = code;
    if (transfer->code == EXIT_CODE_OK)
        transfer->code = code;
    transfer_stop_if_over(transfer);
}

/* Has nothing come for too long? */
static void transfer_check_timeout(struct transfer *transfer, int64_t now)
{
    uint64_t moved = 0;
    bool checking = false;

    for (size_t i = 0; i < transfer->count; i++) {
        const struct torrent_status *status = &transfer->torrents[i]->status;
        moved += status->downloaded + status->checked_bytes + status->durable_bytes +
                 status->metadata_bytes + status->layers;
        checking = checking || status->phase == PHASE_CHECKING;
    }
    if (moved != transfer->moved_bytes || checking) {
        transfer->moved_bytes = moved;
        transfer->moved_ns = now;
    }
    if (transfer->options.timeout_ns == 0 || transfer->stopping ||
        now - transfer->moved_ns < transfer->options.timeout_ns)
        return;
    for (size_t i = 0; i < transfer->count; i++)
        if (!transfer->torrents[i]->complete)
            transfer->timed_out = true;
    if (transfer->timed_out)
        transfer_stop(transfer);
}

static void transfer_show(struct transfer *transfer, int64_t now)
{
    struct progress_line *lines = memory_new_array(transfer->count, sizeof *lines);

    for (size_t i = 0; i < transfer->count; i++)
        transfer_line(transfer->torrents[i], &lines[i]);
    progress_show(transfer->progress, now, lines, transfer->count);
    memory_free(lines);
}

static void transfer_on_tick(void *context)
{
    struct transfer *transfer = context;
    int64_t now = clock_now();

    if (!transfer->stopping)
        transfer_look_at_all(transfer);
    transfer_show(transfer, now);
    transfer_check_timeout(transfer, now);
}

static enum exit_code transfer_end_code(const struct transfer *transfer)
{
    if (transfer->code != EXIT_CODE_OK)
        return transfer->code;
    if (transfer->kind == TRANSFER_SEED)
        return EXIT_CODE_OK;
    for (size_t i = 0; i < transfer->count; i++)
        if (!transfer->torrents[i]->complete)
            return transfer->timed_out ? EXIT_CODE_NETWORK : EXIT_CODE_UNFINISHED;
    return EXIT_CODE_OK;
}

static void transfer_on_signal(void *context, int signal_number)
{
    struct transfer *transfer = context;

    (void)signal_number;
    if (transfer->interrupted) {
        output_flush();
        _exit(transfer_end_code(transfer));
    }
    transfer->interrupted = true;
    transfer_stop(transfer);
}

/* ---- from beginning to end ---- */

/* Memory for blocks on their way to the disk: the usual, or for very large pieces one of them and
 * half of the usual. Pages cost something only once they are used. */
static uint32_t transfer_pool_blocks(const struct transfer *transfer)
{
    uint32_t blocks = LIMIT_POOL_BLOCKS;

    for (size_t i = 0; i < transfer->count; i++) {
        const struct metainfo *metainfo = transfer->torrents[i]->source.metainfo;
        /* A magnet link may turn out to have the longest there are. */
        uint32_t length = metainfo ? metainfo->geometry.piece_length : LIMIT_PIECE_LENGTH_MAX;
        uint32_t piece = (length - 1) / LIMIT_BLOCK_SIZE + 1;
        if (blocks < piece + LIMIT_POOL_BLOCKS / 2)
            blocks = piece + LIMIT_POOL_BLOCKS / 2;
    }
    return blocks;
}

static void transfer_on_words(void *context, const char *text)
{
    (void)context;
    message_note("%s", text);
}

const struct network_route *transfer_route(const struct transfer *transfer)
{
    return &transfer->options.session.route;
}

static enum exit_code transfer_open(struct transfer *transfer)
{
    struct session_options *options = &transfer->options.session;
    char text[SESSION_TEXT_SIZE];

    options->tick_ms = progress_tick_ms(transfer->progress);
    options->on_notice = transfer_notices_on;
    options->on_words = transfer_on_words;
    options->on_tick = transfer_on_tick;
    options->on_signal = transfer_on_signal;
    options->context = transfer;
    options->engine.pool_blocks = transfer_pool_blocks(transfer);
    enum freshet_error error = session_new(options, text, &transfer->session);
    if (error) {
        message_error("%s", text);
        if (error == FRESHET_ERROR_USAGE)
            return EXIT_CODE_USAGE;
        return error == FRESHET_ERROR_BUSY || error == FRESHET_ERROR_CONNECTION ? EXIT_CODE_NETWORK
                                                                                : EXIT_CODE_DISK;
    }
    if (text[0])
        message_note("%s", text);
    return EXIT_CODE_OK;
}

enum exit_code transfer_start_one(struct transfer *transfer, size_t index)
{
    struct transfer_torrent *torrent = transfer->torrents[index];
    struct torrent_options options = transfer->options.torrent;
    struct session_torrent_options how = {.id = (torrent_id)index + 1,
                                          .torrent = buffer_bytes(&torrent->source.bytes),
                                          .forget_record = transfer->options.forget};
    char text[SESSION_TEXT_SIZE];

    const char *path = torrent->source.metainfo->files[0].path;
    snprintf(torrent->top, sizeof torrent->top, "%.*s", (int)strcspn(path, "/"), path);
    options.root = torrent->root;
    options.file_priorities = torrent->priorities;
    options.seed_unchecked = options.seed_unchecked || torrent->just_hashed;
    options.read_only = transfer->kind == TRANSFER_SEED;
    options.peers = transfer->options.peers;
    options.peer_count = transfer->options.peer_count;
    torrent->begun_ns = clock_now();
    enum freshet_error error =
        session_torrents_add(transfer->session, torrent->source.metainfo, &options, &how, text);
    if (error) {
        message_error("%s: %s", torrent->name, text);
        return error == FRESHET_ERROR_BUSY ? EXIT_CODE_REFUSED : EXIT_CODE_DISK;
    }
    torrent->source.metainfo = NULL;
    return EXIT_CODE_OK;
}

static void transfer_tell_stats(struct transfer *transfer)
{
    struct progress_line *lines = memory_new_array(transfer->count, sizeof *lines);

    for (size_t i = 0; i < transfer->count; i++)
        transfer_line(transfer->torrents[i], &lines[i]);
    progress_stats(transfer->progress, clock_now() - transfer->begun_ns, lines, transfer->count,
                   transfer->peers.peers, transfer->peers.count);
    memory_free(lines);
}

enum exit_code transfer_run(struct transfer *transfer)
{
    enum exit_code code = transfer_open(transfer);

    if (code)
        return code;
    transfer->begun_ns = transfer->moved_ns = clock_now();
    struct address listen = session_listen_address(transfer->session);
    output_begin();
    progress_ready(transfer->progress,
                   network_route_has_proxy(transfer_route(transfer)) ? NULL : &listen);
    for (size_t i = 0; i < transfer->count; i++) {
        if (transfer->torrents[i]->source.metainfo == NULL ||
            transfer->torrents[i]->source.metainfo->layers_missing) {
            transfer_magnet_start(transfer, i);
            continue;
        }
        code = transfer_start_one(transfer, i);
        if (code)
            transfer_fail(transfer, transfer->torrents[i], code);
    }
    session_run(transfer->session);
    transfer_tell_stats(transfer);
    code = on_done_wait(&transfer->on_done);
    return transfer_end_code(transfer) ? transfer_end_code(transfer) : code;
}
