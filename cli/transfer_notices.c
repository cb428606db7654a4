/* SPDX-License-Identifier: MIT */
/* What the engine tells of the torrents of a run, and what follows from it. */
#include "cli/transfer_state.h"

#include <stdio.h>

#include "cli/message.h"
#include "cli/terminal.h"
#include "host/clock.h"

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
    if (transfer->kind == TRANSFER_GET) {
        struct on_done_facts facts = {torrent->top, torrent->info_hash, torrent->root};
        progress_done(transfer->progress, clock_now() - torrent->begun_ns, &line);
        on_done_start(&transfer->on_done, &facts);
    }
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

    if (torrent->status.phase == PHASE_METADATA) {
        progress_hide(transfer->progress);
        message_error("%s: no torrent: %.*s", torrent->name, (int)notice->text.length,
                      (const char *)notice->text.data);
        transfer_fail(transfer, torrent, EXIT_CODE_BAD_INPUT);
        return;
    }
    /* Whatever stops a torrent here comes from its storage. */
    if (code != EXIT_CODE_DATA && code != EXIT_CODE_REFUSED)
        code = EXIT_CODE_DISK;
    progress_hide(transfer->progress);
    if (notice->error == FRESHET_ERROR_BUSY)
        message_error("%s: another process already works on this torrent in %s", torrent->name,
                      torrent->root);
    else
        message_error("%s: %s%s%s", torrent->name, file ? file : "", file ? ": " : "",
                      error_text(notice->error));
    transfer_fail(transfer, torrent, code);
}

/* After a change on the disk: what it has spoilt. A get that goes on fetches it again and is then
 * complete once more; a seed goes on with what is good. */
static void transfer_on_rehashed(struct transfer *transfer, struct transfer_torrent *torrent,
                                 const struct notice *notice)
{
    char safe[300];

    terminal_safe_text(torrent->name, safe, sizeof safe);
    progress_hide(transfer->progress);
    if (notice->count == 0) {
        message_note("%s: checked again, all of it is good", safe);
        return;
    }
    torrent->complete = false;
    message_note("%s: %u of %u pieces are now missing or bad (%s)", safe, notice->count,
                 torrent->status.pieces_total,
                 transfer->kind == TRANSFER_GET ? "fetching them again"
                                                : "seeding the others; freshet get fetches them");
}

/* "web seed URL: what; what happens next" */
static void transfer_note_web_seed(const struct transfer_torrent *torrent,
                                   const struct notice *notice)
{
    char what[64], next[64] = "not asked again";

    if (notice->status >= 300)
        snprintf(what, sizeof what, "HTTP %d", (int)notice->status);
    else if (notice->type == NOTICE_WEB_SEED_NO_RANGES)
        snprintf(what, sizeof what, "sends whole files only");
    else if (notice->error == FRESHET_ERROR_HASH)
        snprintf(what, sizeof what, "sent bad data");
    else if (notice->error == FRESHET_ERROR_UNSUPPORTED && notice->status == 200)
        snprintf(what, sizeof what, "sends far more than is of use");
    else
        snprintf(what, sizeof what, "%s", error_text(notice->error));
    if (notice->type == NOTICE_WEB_SEED_RESTS)
        snprintf(next, sizeof next, "asked again in %u s", notice->count);
    else if (notice->type == NOTICE_WEB_SEED_NO_RANGES)
        snprintf(next, sizeof next, "fetching the front of each");
    message_note("%s: web seed %.*s: %s; %s", torrent->name, (int)notice->url.length,
                 (const char *)notice->url.data, what, next);
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
    case NOTICE_WEB_SEED_RESTS:
    case NOTICE_WEB_SEED_NO_RANGES:
    case NOTICE_WEB_SEED_DROPPED: transfer_note_web_seed(torrent, notice); break;
    case NOTICE_NO_SOURCES:
        message_note("%s: nobody left to fetch from: no peers, no web seeds, no trackers "
                     "(--peer names one)",
                     torrent->name);
        break;
    case NOTICE_PERSIST_FAILED:
        message_note("%s: progress could not be recorded: %s", torrent->name,
                     error_text(notice->error));
        break;
    default: break;
    }
}

void transfer_notices_on(void *context, const struct notice *notice)
{
    struct transfer *transfer = context;
    struct transfer_torrent *torrent = transfer_find(transfer, notice->torrent);

    if (!torrent)
        return;
    transfer_look(transfer, notice->torrent - 1);
    switch (notice->type) {
    case NOTICE_METADATA: transfer_magnet_known(transfer, torrent, notice->torrent); break;
    case NOTICE_READY: transfer_on_checked(transfer, torrent); break;
    case NOTICE_COMPLETE: transfer_on_complete(transfer, torrent); break;
    case NOTICE_SEED_GOAL:
        torrent->over = true;
        transfer_stop_if_over(transfer);
        break;
    case NOTICE_ERROR: transfer_on_error(transfer, torrent, notice); break;
    case NOTICE_REHASHED: transfer_on_rehashed(transfer, torrent, notice); break;
    case NOTICE_PEER_LEFT: transfer_peers_add(&transfer->peers, torrent->info_hash, notice); break;
    case NOTICE_CHECKING:
    case NOTICE_PIECE_FAILED:
    case NOTICE_TRACKER_OK:
    case NOTICE_REMOVED:
    case NOTICE_SHUTDOWN_DONE: break;
    default: progress_hide(transfer->progress); transfer_note(transfer, torrent, notice);
    }
}
