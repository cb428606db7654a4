/* SPDX-License-Identifier: MIT */
/*
 * Trackers of torrents that run: changed ones, and those that the settings give to every public
 * torrent. The latter are told to the engine alone; they come after the torrent's own and stand in
 * no .torrent.
 */
#include "host/daemon_service_state.h"

#include "core/base/memory.h"

#include <string.h>

struct tracker_list {
    struct bytes urls[LIMIT_TRACKERS_MAX];
    uint32_t tiers[LIMIT_TRACKERS_MAX], count;
};

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static void take_tracker(struct tracker_list *list, struct bytes url, uint32_t tier)
{
    if (list->count == LIMIT_TRACKERS_MAX)
        return;
    for (uint32_t i = 0; i < list->count; i++)
        if (bytes_equal(list->urls[i], url))
            return;
    if (list->count && tier < list->tiers[list->count - 1])
        tier = list->tiers[list->count - 1]; /* they ascend */
    list->tiers[list->count] = tier;
    list->urls[list->count++] = url;
}

static uint32_t tier_above(const struct tracker_list *list)
{
    return list->count ? list->tiers[list->count - 1] + 1 : 0;
}

static void take_defaults(struct daemon_service *daemon, torrent_id id, struct tracker_list *list)
{
    const struct catalog_settings *settings = catalog_settings(daemon->catalog);
    const struct catalog_torrent *torrent = catalog_find(daemon->catalog, id);
    uint32_t tier = tier_above(list);

    if (!torrent || torrent->is_private)
        return;
    for (uint32_t i = 0; i < settings->default_tracker_count; i++)
        take_tracker(list, bytes_of(settings->default_trackers[i]), tier + i);
}

static void tell(struct daemon_service *daemon, torrent_id id, const struct tracker_list *list)
{
    session_command(daemon->session, &(struct engine_command){.type = COMMAND_SET_TRACKERS,
                                                              .torrent = id,
                                                              .trackers = list->urls,
                                                              .tracker_tiers = list->tiers,
                                                              .tracker_count = list->count});
}

/* As edit_trackers of the store does it to the .torrent. */
void daemon_trackers_tell(struct daemon_service *daemon, const struct catalog_action *action)
{
    struct tracker_status *known = memory_new_array(LIMIT_TRACKERS_MAX, sizeof *known);
    struct tracker_list *list = memory_new(sizeof *list);
    uint32_t known_count = 0;

    if (action->add_trackers)
        known_count = engine_torrent_trackers(session_engine(daemon->session), action->id, known,
                                              LIMIT_TRACKERS_MAX);
    /* In the order of trying; the tiers still ascend. */
    for (uint32_t i = 0; i < known_count; i++)
        take_tracker(list, known[i].url, known[i].tier);
    uint32_t above = tier_above(list);
    for (uint32_t i = 0; i < action->url_count; i++)
        take_tracker(list, bytes_of(action->urls[i]), above + action->tiers[i]);
    take_defaults(daemon, action->id, list);
    tell(daemon, action->id, list);
    memory_free(list);
    memory_free(known);
}

static bool is_among(char *const *texts, uint32_t count, struct bytes url)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(bytes_of(texts[i]), url))
            return true;
    return false;
}

static bool is_own(const struct metainfo *metainfo, struct bytes url)
{
    for (uint32_t i = 0; metainfo && i < metainfo->tracker_count; i++)
        if (bytes_equal(metainfo->trackers[i], url))
            return true;
    return false;
}

/* What it has, without those that everybody had before, and with those of now. */
static void renew(struct daemon_service *daemon, torrent_id id)
{
    struct engine *engine = session_engine(daemon->session);
    const struct metainfo *metainfo = engine_torrent_metainfo(engine, id);
    struct tracker_status *known = memory_new_array(LIMIT_TRACKERS_MAX, sizeof *known);
    struct tracker_list *list = memory_new(sizeof *list);
    uint32_t count = engine_torrent_trackers(engine, id, known, LIMIT_TRACKERS_MAX);

    for (uint32_t i = 0; i < count; i++)
        if (is_own(metainfo, known[i].url) ||
            !is_among(daemon->default_trackers, daemon->default_tracker_count, known[i].url))
            take_tracker(list, known[i].url, known[i].tier);
    take_defaults(daemon, id, list);
    tell(daemon, id, list);
    memory_free(list);
    memory_free(known);
}

void daemon_trackers_on_opened(struct daemon_service *daemon, torrent_id id)
{
    const struct catalog_torrent *torrent = catalog_find(daemon->catalog, id);

    if (torrent && !torrent->is_private && catalog_settings(daemon->catalog)->default_tracker_count)
        renew(daemon, id);
}

static bool is_same(const struct daemon_service *daemon, const struct catalog_settings *settings)
{
    if (daemon->default_tracker_count != settings->default_tracker_count)
        return false;
    for (uint32_t i = 0; i < settings->default_tracker_count; i++)
        if (strcmp(daemon->default_trackers[i], settings->default_trackers[i]) != 0)
            return false;
    return true;
}

void daemon_trackers_deinit(struct daemon_service *daemon)
{
    for (uint32_t i = 0; i < daemon->default_tracker_count; i++)
        memory_free(daemon->default_trackers[i]);
    memory_free(daemon->default_trackers);
    daemon->default_trackers = NULL;
    daemon->default_tracker_count = 0;
}

void daemon_trackers_on_settings(struct daemon_service *daemon)
{
    const struct catalog_settings *settings = catalog_settings(daemon->catalog);
    uint32_t count = settings->default_tracker_count;

    if (is_same(daemon, settings))
        return;
    for (uint32_t i = 0; i < catalog_count(daemon->catalog); i++) {
        const struct catalog_torrent *torrent = catalog_at(daemon->catalog, i);
        if (torrent->open && !torrent->closing && !torrent->is_private)
            renew(daemon, torrent->id);
    }
    daemon_trackers_deinit(daemon);
    daemon->default_trackers = memory_new_array(count + 1, sizeof *daemon->default_trackers);
    for (uint32_t i = 0; i < count; i++)
        daemon->default_trackers[i] =
            memory_copy(settings->default_trackers[i], strlen(settings->default_trackers[i]) + 1);
    daemon->default_tracker_count = count;
}
