/* SPDX-License-Identifier: MIT */
#include "cli/transfer.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "cli/transfer_options.h"
#include "cli/transfer_peers.h"
#include "core/base/memory.h"
#include "core/metainfo/magnet.h"
#include "host/clock.h"
#include "host/root_path.h"
#include "host/session.h"
#include "host/session_torrents.h"

#define TORRENTS_MAX 1024

/* One torrent of the run. */
struct transfer_torrent {
    struct torrent_source source; /* its metainfo goes to the engine */
    char root[LIMIT_PATH_LENGTH + 1];
    char info_hash[65];
    char *name;
    uint8_t *priorities;
    int64_t begun_ns;
    struct torrent_status status; /* as it was when it was last there */
    bool just_hashed;
    bool checked, complete, failed, over; /* over: nothing more is to come */
    enum exit_code code;
};

struct transfer {
    enum transfer_kind kind;
    struct transfer_options options;
    struct session *session;
    struct progress *progress;
    struct transfer_torrent **torrents;
    size_t count;
    struct transfer_peers peers;
    int64_t begun_ns;
    int64_t moved_ns; /* when something came last */
    uint64_t moved_bytes;
    bool interrupted, timed_out, stopping;
    enum exit_code code; /* of what failed first */
};

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
    return transfer;
}

void transfer_free(struct transfer *transfer)
{
    if (!transfer)
        return;
    session_free(transfer->session);
    for (size_t i = 0; i < transfer->count; i++) {
        struct transfer_torrent *torrent = transfer->torrents[i];
        torrent_source_deinit(&torrent->source);
        memory_free(torrent->name);
        memory_free(torrent->priorities);
        memory_free(torrent);
    }
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

enum exit_code transfer_add(struct transfer *transfer, struct torrent_source *source,
                            const struct transfer_content *content)
{
    const struct metainfo *metainfo = source->metainfo;
    struct transfer_torrent *torrent = memory_new(sizeof *torrent);
    enum freshet_error error = root_path_resolve(content->root, torrent->root);
    enum exit_code code = EXIT_CODE_OK;

    if (metainfo->has_v1)
        bytes_to_hex(metainfo->info_hash_v1, 20, torrent->info_hash);
    else
        bytes_to_hex(metainfo->info_hash_v2, 32, torrent->info_hash);
    if (error) {
        message_error_code(content->root, error);
        code = EXIT_CODE_DISK;
    } else if (is_no_folder(torrent->root)) {
        message_error("%s: is no folder", content->root);
        code = EXIT_CODE_DISK;
    } else if (transfer->count == TORRENTS_MAX) {
        message_error("too many torrents at once (%d at most)", TORRENTS_MAX);
        code = EXIT_CODE_USAGE;
    }
    if (code || transfer_has(transfer, torrent)) {
        torrent_source_deinit(source);
        memory_free(content->priorities);
        memory_free(torrent);
        return code;
    }
    torrent->source = *source;
    *source = (struct torrent_source){0};
    torrent->name = memory_copy(metainfo->name, strlen(metainfo->name) + 1);
    torrent->priorities = content->priorities;
    torrent->just_hashed = content->just_hashed;
    transfer->torrents[transfer->count++] = torrent;
    return EXIT_CODE_OK;
}

/* ---- while it runs ---- */

static struct transfer_torrent *transfer_find(const struct transfer *transfer, torrent_id id)
{
    return id > 0 && id <= transfer->count ? transfer->torrents[id - 1] : NULL;
}

static void transfer_look(struct transfer *transfer, size_t index)
{
    struct transfer_torrent *torrent = transfer->torrents[index];

    engine_torrent_status(session_engine(transfer->session), (torrent_id)index + 1,
                          &torrent->status);
    torrent->status.pieces = NULL; /* borrowed, and soon stale */
}

static void transfer_line(const struct transfer_torrent *torrent, struct progress_line *ret_line)
{
    *ret_line = (struct progress_line){
        .name = torrent->name, .info_hash = torrent->info_hash, .status = torrent->status};
    ret_line->status.complete = torrent->complete;
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
static void transfer_stop_if_over(struct transfer *transfer)
{
    for (size_t i = 0; i < transfer->count; i++)
        if (!transfer->torrents[i]->over)
            return;
    transfer_stop(transfer);
}

static void transfer_fail(struct transfer *transfer, struct transfer_torrent *torrent,
                          enum exit_code code)
{
    torrent->failed = torrent->over = true;
    torrent->code = code;
    if (transfer->code == EXIT_CODE_OK)
        transfer->code = code;
    transfer_stop_if_over(transfer);
}

static void transfer_on_checked(struct transfer *transfer, struct transfer_torrent *torrent)
{
    struct progress_line line;
    char safe[300];

    torrent->checked = true;
    transfer_line(torrent, &line);
    progress_checked(transfer->progress, &line);
    if (transfer->kind == TRANSFER_GET ||
        torrent->status.verified_bytes >= torrent->status.wanted_bytes)
        return;
    progress_hide(transfer->progress);
    message_error("%s: %u of %u pieces below %s are missing or bad (freshet get fetches them)",
                  terminal_safe_text(torrent->name, safe, sizeof safe),
                  torrent->status.pieces_total - torrent->status.pieces_done,
                  torrent->status.pieces_total, torrent->root);
    transfer_fail(transfer, torrent, EXIT_CODE_DATA);
}

static void transfer_on_complete(struct transfer *transfer, struct transfer_torrent *torrent)
{
    struct progress_line line;

    if (torrent->complete)
        return;
    torrent->complete = true;
    transfer_line(torrent, &line);
    if (transfer->kind == TRANSFER_GET)
        progress_done(transfer->progress, clock_now() - torrent->begun_ns, &line);
    if (transfer->kind == TRANSFER_GET && !transfer->options.seeds_on)
        torrent->over = true;
    transfer_stop_if_over(transfer);
}

static const char *transfer_file_name(struct transfer *transfer, const struct notice *notice)
{
    const struct metainfo *metainfo =
        engine_torrent_metainfo(session_engine(transfer->session), notice->torrent);

    if (!metainfo || notice->file >= metainfo->geometry.file_count)
        return NULL;
    return metainfo->files[notice->file].path;
}

static void transfer_on_error(struct transfer *transfer, struct transfer_torrent *torrent,
                              const struct notice *notice)
{
    const char *file = transfer_file_name(transfer, notice);
    enum exit_code code = exit_code_from_error(notice->error);

    /* Whatever stops a torrent here comes from its storage. */
    if (code != EXIT_CODE_DATA)
        code = EXIT_CODE_DISK;
    progress_hide(transfer->progress);
    message_error("%s: %s%s%s", torrent->name, file ? file : "", file ? ": " : "",
                  error_text(notice->error));
    transfer_fail(transfer, torrent, code);
}

/* What a person may want to read, but that stops nothing. */
static void transfer_note(struct transfer *transfer, const struct transfer_torrent *torrent,
                          const struct notice *notice)
{
    const char *file = transfer_file_name(transfer, notice);
    char text[ADDRESS_TEXT_SIZE];

    switch (notice->type) {
    case NOTICE_DISK_FULL:
        message_note("%s: the disk is full; waiting for space", torrent->name);
        break;
    case NOTICE_DISK_RESUMED: message_note("%s: there is space again", torrent->name); break;
    case NOTICE_STORAGE_ABSENT:
        message_note("%s: %s is not there, is its disk mounted? waiting for it%s", torrent->name,
                     torrent->root,
                     transfer->kind == TRANSFER_GET ? " (--forget starts anew)" : "");
        break;
    case NOTICE_FILE_CHANGED:
        message_note("%s: %s changed on the disk; checking it again", torrent->name,
                     file ? file : "a file");
        break;
    case NOTICE_PEER_BANNED:
        address_ip_to_text(&notice->address, text);
        message_note("%s: peer %s sent bad data and is banned", torrent->name, text);
        break;
    case NOTICE_TRACKER_ERROR:
        message_note("%s: tracker %.*s: %.*s", torrent->name, (int)notice->url.length,
                     (const char *)notice->url.data, (int)notice->text.length,
                     (const char *)notice->text.data);
        break;
    case NOTICE_PERSIST_FAILED:
        message_note("%s: progress could not be recorded: %s", torrent->name,
                     error_text(notice->error));
        break;
    default: break;
    }
}

static void transfer_on_notice(void *context, const struct notice *notice)
{
    struct transfer *transfer = context;
    struct transfer_torrent *torrent = transfer_find(transfer, notice->torrent);

    if (!torrent)
        return;
    transfer_look(transfer, notice->torrent - 1);
    switch (notice->type) {
    case NOTICE_READY: transfer_on_checked(transfer, torrent); break;
    case NOTICE_COMPLETE: transfer_on_complete(transfer, torrent); break;
    case NOTICE_SEED_GOAL:
        torrent->over = true;
        transfer_stop_if_over(transfer);
        break;
    case NOTICE_ERROR: transfer_on_error(transfer, torrent, notice); break;
    case NOTICE_PEER_LEFT: transfer_peers_add(&transfer->peers, torrent->info_hash, notice); break;
    case NOTICE_CHECKING:
    case NOTICE_PIECE_FAILED:
    case NOTICE_TRACKER_OK:
    case NOTICE_REMOVED:
    case NOTICE_SHUTDOWN_DONE: break;
    default: progress_hide(transfer->progress); transfer_note(transfer, torrent, notice);
    }
}

/* Has nothing come for too long? */
static void transfer_check_timeout(struct transfer *transfer, int64_t now)
{
    uint64_t moved = 0;
    bool checking = false;

    for (size_t i = 0; i < transfer->count; i++) {
        const struct torrent_status *status = &transfer->torrents[i]->status;
        moved += status->downloaded + status->checked_bytes + status->durable_bytes;
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
        fflush(stdout);
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
        const struct geometry *geometry = &transfer->torrents[i]->source.metainfo->geometry;
        uint32_t piece = (geometry->piece_length - 1) / LIMIT_BLOCK_SIZE + 1;
        if (blocks < piece + LIMIT_POOL_BLOCKS / 2)
            blocks = piece + LIMIT_POOL_BLOCKS / 2;
    }
    return blocks;
}

static enum exit_code transfer_open(struct transfer *transfer)
{
    struct session_options *options = &transfer->options.session;
    char text[SESSION_TEXT_SIZE];

    options->tick_ms = progress_tick_ms(transfer->progress);
    options->on_notice = transfer_on_notice;
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

static enum exit_code transfer_start_one(struct transfer *transfer, size_t index)
{
    struct transfer_torrent *torrent = transfer->torrents[index];
    struct torrent_options options = transfer->options.torrent;
    struct session_torrent_options how = {.id = (torrent_id)index + 1,
                                          .torrent = buffer_bytes(&torrent->source.bytes),
                                          .forget_record = transfer->options.forget};
    char text[SESSION_TEXT_SIZE];

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
    progress_ready(transfer->progress, &listen);
    for (size_t i = 0; i < transfer->count; i++) {
        code = transfer_start_one(transfer, i);
        if (code)
            transfer_fail(transfer, transfer->torrents[i], code);
    }
    session_run(transfer->session);
    transfer_tell_stats(transfer);
    return transfer_end_code(transfer);
}
