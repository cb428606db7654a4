/* SPDX-License-Identifier: MIT */
/* In words, why a torrent is not faster. The first thing that holds it is the one that is told. */
#include "services/catalog/catalog_state.h"

#include <stdarg.h>
#include <stdio.h>

#define WHY_SIZE 256

static void say(char ret_text[WHY_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(char ret_text[WHY_SIZE], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(ret_text, WHY_SIZE, format, arguments);
    va_end(arguments);
}

static void say_rate(char ret_text[WHY_SIZE], const char *what, uint64_t rate)
{
    say(ret_text, "%s: %llu.%llu kB/s", what, (unsigned long long)(rate / 1000),
        (unsigned long long)(rate % 1000 / 100));
}

static uint64_t known_peers(const struct torrent_status *status)
{
    uint64_t known = 0;

    for (int i = 0; i < PEER_SOURCE_COUNT; i++)
        known += status->known_by_source[i];
    return known;
}

/* At nine tenths of a limit it is the limit that holds it. */
static bool is_held(uint64_t rate, uint64_t limit)
{
    return rate >= limit - limit / 10;
}

/* Not the session's, but one that holds several. *ret_is_alone: and those of all do not hold them.
 */
static bool why_group(const struct catalog *catalog, const struct catalog_torrent *torrent,
                      char ret_text[WHY_SIZE], bool *ret_is_alone)
{
    const struct catalog_settings *settings = &catalog->settings;
    uint32_t number = catalog_groups_find(settings, torrent->bandwidth_group);
    bool seeds = torrent->phase == CATALOG_SEEDING;
    struct catalog_group group;
    char what[160];

    *ret_is_alone = false;
    if (number == 0 || !torrent->wishes.honors_session_limits)
        return false;
    catalog_groups_read(settings->bandwidth_groups[number - 1], &group);
    *ret_is_alone = !group.honors_session_limits;
    uint64_t rate = seeds ? torrent->status.upload_rate : torrent->status.download_rate;
    uint64_t shared = seeds ? catalog->groups[number].up : catalog->groups[number].down;
    uint64_t limit = seeds ? group.upload_limit : group.download_limit;
    if (!(seeds ? group.upload_limited : group.download_limited) ||
        !(limit == 0 || (rate > 0 && is_held(shared, limit))))
        return false;
    snprintf(what, sizeof what, "held by the limit of its group %.100s", group.name);
    say_rate(ret_text, what, limit);
    return true;
}

static bool why_limit(const struct catalog *catalog, const struct catalog_torrent *torrent,
                      char ret_text[WHY_SIZE])
{
    const struct catalog_wishes *wishes = &torrent->wishes;
    bool seeds = torrent->phase == CATALOG_SEEDING, group_is_alone;
    uint64_t upload, download;

    catalog_schedule_limits(catalog, &upload, &download);
    uint64_t rate = seeds ? torrent->status.upload_rate : torrent->status.download_rate;
    uint64_t own = seeds ? wishes->upload_limit : wishes->download_limit;
    uint64_t all = seeds ? upload : download;
    uint64_t shared = seeds ? catalog->shared.up : catalog->shared.down;
    if ((seeds ? wishes->upload_limited : wishes->download_limited) && is_held(rate, own))
        say_rate(ret_text, "held by its own limit", own);
    else if (why_group(catalog, torrent, ret_text, &group_is_alone))
        return true;
    else if (all != UINT64_MAX && wishes->honors_session_limits && !group_is_alone &&
             (all == 0 || (rate > 0 && is_held(shared, all))))
        say_rate(ret_text,
                 catalog->settings.alt_enabled ? "held by the alternative limit of all torrents"
                                               : "held by the limit of all torrents",
                 all);
    else
        return false;
    return true;
}

static void why_nobody(const struct catalog *catalog, const struct catalog_torrent *torrent,
                       char ret_text[WHY_SIZE])
{
    unsigned long long known = known_peers(&torrent->status);

    if (catalog->shut)
        say(ret_text, "no peer is let in: %.200s", catalog->shut);
    else if (torrent->status.lacks != TRANSPORT_ANY)
        say(ret_text, "it is to use %s alone, and the daemon uses none",
            torrent->status.lacks == TRANSPORT_UTP ? "uTP" : "TCP");
    else if (torrent->trouble_text)
        say(ret_text, "nobody is connected; %.200s", torrent->trouble_text);
    else if (known)
        say(ret_text, "none of %llu known peers can be reached at the moment", known);
    else if (torrent->phase == CATALOG_SEEDING)
        say(ret_text, "nobody is known who wants it");
    else
        say(ret_text, "nobody is known who has it");
}

static void why_metadata(const struct catalog *catalog, const struct catalog_torrent *torrent,
                         char ret_text[WHY_SIZE])
{
    const struct torrent_status *status = &torrent->status;

    if (status->peers == 0)
        why_nobody(catalog, torrent, ret_text);
    else if (status->metadata_size == 0)
        say(ret_text, "%u peers are connected, none has told yet what it is", status->peers);
    else
        say(ret_text, "what it is comes in: %u of %u bytes", status->metadata_bytes,
            status->metadata_size);
}

/* Nothing comes, though somebody is connected. */
static void why_silent(const struct catalog_row *row, char ret_text[WHY_SIZE])
{
    const struct torrent_status *status = &row->torrent.status;
    const char *trouble = row->torrent.trouble_text;

    if (row->nobody_has)
        say(ret_text, "nobody of %u connected peers has what is missing%s%.120s", status->peers,
            trouble ? "; " : "", trouble ? trouble : "");
    else if (status->seeds_known == 0)
        say(ret_text,
            "%u peers are connected; none has everything, and those with missing pieces choke us",
            status->peers);
    else
        say(ret_text, "all of %u connected peers choke us, %u of them have everything",
            status->peers, status->seeds_known);
}

/* Bytes move, and no limit of ours holds them. */
static void why_moving(const struct catalog_torrent *torrent, char ret_text[WHY_SIZE])
{
    const struct torrent_status *status = &torrent->status;
    bool seeds = torrent->phase == CATALOG_SEEDING;
    uint32_t active = seeds ? status->peers_downloading : status->peers_uploading;

    if (torrent->trouble_text)
        say(ret_text, "%.250s", torrent->trouble_text);
    else if (seeds)
        say(ret_text, "%u of %u connected peers fetch, as fast as they can", active, status->peers);
    else if (active == 0)
        say(ret_text, "%u peers are connected; what comes, comes by fits and starts",
            status->peers);
    else if (active < status->peers)
        say(ret_text, "%u of %u connected peers send; the others choke us or have nothing of use",
            active, status->peers);
    else
        say(ret_text, "all of %u connected peers send, as fast as they can", status->peers);
}

/* Does something hold it, or is it as fast as its peers are? */
static bool why_running(const struct catalog *catalog, const struct catalog_row *row,
                        char ret_text[WHY_SIZE])
{
    const struct catalog_torrent *torrent = &row->torrent;
    const struct torrent_status *status = &torrent->status;
    bool seeds = torrent->phase == CATALOG_SEEDING;
    bool is_silent = seeds ? status->upload_rate == 0
                           : status->download_rate == 0 ||
                                 row->sampled_ns - row->received_ns >= CATALOG_NOTHING_NS;

    if (torrent->metadata_missing)
        why_metadata(catalog, torrent, ret_text);
    else if (why_limit(catalog, torrent, ret_text))
        return true;
    else if (status->peers == 0 && is_silent)
        why_nobody(catalog, torrent, ret_text);
    else if (seeds && is_silent)
        say(ret_text, "%u peers are connected, none asks for anything", status->peers);
    else if (is_silent)
        why_silent(row, ret_text);
    else
        why_moving(torrent, ret_text);
    return is_silent;
}

static void why_waiting(const struct catalog *catalog, const struct catalog_row *row,
                        char ret_text[WHY_SIZE])
{
    static const char *const names[] = {[QUEUE_NONE] = "",
                                        [QUEUE_CHECK] = "checks",
                                        [QUEUE_DOWNLOAD] = "downloads",
                                        [QUEUE_SEED] = "seeds"};

    say(ret_text, "waits in the queue at %u: %u of at most %u %s are active",
        row->torrent.queue_position + 1, catalog->active[row->queue],
        catalog_queue_max(catalog, row->queue), names[row->queue]);
}

static void why_stopped(const struct catalog_row *row, char ret_text[WHY_SIZE])
{
    const struct catalog_torrent *torrent = &row->torrent;

    if (torrent->trouble == TROUBLE_LOCAL)
        say(ret_text, "%.250s", torrent->trouble_text);
    else if (torrent->finished)
        say(ret_text, "it has seeded as much as was asked");
    else
        say(ret_text, "stopped");
}

void catalog_why(const struct catalog *catalog, const struct catalog_torrent *torrent,
                 char ret_text[WHY_SIZE])
{
    const struct catalog_row *row = catalog_row_of(torrent);

    ret_text[0] = '\0';
    switch (torrent->phase) {
    case CATALOG_STOPPED: why_stopped(row, ret_text); return;
    case CATALOG_WAIT_CHECK:
    case CATALOG_WAIT_DOWNLOAD:
    case CATALOG_WAIT_SEED: why_waiting(catalog, row, ret_text); return;
    case CATALOG_MOVING:
        say(ret_text,
            torrent->move_to ? "its files are on the way to %.200s" : "is renamed to %.200s",
            torrent->move_to ? torrent->move_to : torrent->rename_name);
        return;
    case CATALOG_REMOVING: say(ret_text, "is being removed"); return;
    case CATALOG_CHECKING: say(ret_text, "what is on the disk is checked"); return;
    case CATALOG_DOWNLOADING:
    case CATALOG_SEEDING: break;
    }
    if (torrent->trouble == TROUBLE_LOCAL)
        say(ret_text, "%.250s", torrent->trouble_text);
    else if (torrent->closing)
        say(ret_text, "is being stopped, to begin anew");
    else if (!torrent->open || (!torrent->metadata_missing && !row->ready))
        say(ret_text, "its files are being opened");
    else
        why_running(catalog, row, ret_text);
}

bool catalog_why_held(const struct catalog *catalog, const struct catalog_torrent *torrent,
                      char ret_text[WHY_SIZE])
{
    const struct catalog_row *row = catalog_row_of(torrent);

    ret_text[0] = '\0';
    if (torrent->trouble == TROUBLE_LOCAL)
        return false; /* it is told as what it is */
    if (torrent->phase == CATALOG_WAIT_DOWNLOAD)
        why_waiting(catalog, row, ret_text);
    else if (torrent->phase == CATALOG_DOWNLOADING && torrent->open && !torrent->closing &&
             (torrent->metadata_missing || row->ready) && !why_running(catalog, row, ret_text))
        ret_text[0] = '\0';
    return ret_text[0] != '\0';
}
