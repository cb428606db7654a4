/* SPDX-License-Identifier: MIT */
#include "core/base/memory.h"
#include "core/base/url.h"
#include "services/catalog/catalog_state.h"

#include <string.h>

void catalog_settings_defaults(struct catalog_settings *ret_settings)
{
    *ret_settings = (struct catalog_settings){
        .start_added = true,
        .upload_limit = 100 * KIB,
        .download_limit = 100 * KIB,
        .alt_upload_limit = 50 * KIB,
        .alt_download_limit = 50 * KIB,
        .schedule = {.begin_minute = 540, .end_minute = 1020, .days = 127},
        .ratio = 2.0,
        .idle_minutes = 30,
        .download_queue_enabled = true,
        .download_queue = 5,
        .seed_queue = 10,
        .queue_stalled_enabled = true,
        .queue_stalled_minutes = 30,
        .peers_max = LIMIT_CONNECTIONS,
        .peers_per_torrent = LIMIT_PEERS_PER_TORRENT,
        .peer_port = 51413,
        .pex = true,
        .dht = true,
        .lsd = true,
        .utp = true,
        .port_mapping = true,
    };
}

static char **copy_texts(char *const *texts, uint32_t count)
{
    char **copy = count ? memory_new_array(count, sizeof *copy) : NULL;

    for (uint32_t i = 0; i < count; i++)
        copy[i] = memory_copy_text(texts[i]);
    return copy;
}

static void free_texts(char **texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        memory_free(texts[i]);
    memory_free(texts);
}

void catalog_settings_copy(const struct catalog_settings *from, struct catalog_settings *ret_to)
{
    struct catalog_settings copy = *from;

    copy.download_folder = memory_copy_text(from->download_folder);
    copy.incomplete_folder = memory_copy_text(from->incomplete_folder);
    copy.blocklist_url = memory_copy_text(from->blocklist_url);
    copy.default_trackers = copy_texts(from->default_trackers, from->default_tracker_count);
    copy.watch_folders = copy_texts(from->watch_folders, from->watch_folder_count);
    copy.bandwidth_groups = copy_texts(from->bandwidth_groups, from->bandwidth_group_count);
    copy.feeds = copy_texts(from->feeds, from->feed_count);
    copy.roots = copy_texts(from->roots, from->root_count);
    *ret_to = copy;
}

static void hide_url(char **url)
{
    struct buffer shown = {0};

    if (!*url || !**url)
        return;
    url_append_public((struct bytes){(const uint8_t *)*url, strlen(*url)}, &shown);
    buffer_append_u8(&shown, 0);
    memory_free(*url);
    *url = (char *)shown.data;
}

void catalog_settings_hide_urls(struct catalog_settings *settings)
{
    hide_url(&settings->blocklist_url);
    for (uint32_t i = 0; i < settings->default_tracker_count; i++)
        hide_url(&settings->default_trackers[i]);
}

void catalog_settings_deinit(struct catalog_settings *settings)
{
    memory_free(settings->download_folder);
    memory_free(settings->incomplete_folder);
    memory_free(settings->blocklist_url);
    free_texts(settings->default_trackers, settings->default_tracker_count);
    free_texts(settings->watch_folders, settings->watch_folder_count);
    free_texts(settings->bandwidth_groups, settings->bandwidth_group_count);
    free_texts(settings->feeds, settings->feed_count);
    free_texts(settings->roots, settings->root_count);
    memset(settings, 0, sizeof *settings);
}

const struct catalog_settings *catalog_settings(const struct catalog *catalog)
{
    return &catalog->settings;
}

/* A torrent has its options when it is opened; what is of all goes to the open ones too. */
static bool options_differ(const struct catalog_settings *a, const struct catalog_settings *b)
{
    return a->upload_slots != b->upload_slots || a->peers_per_torrent != b->peers_per_torrent ||
           a->bandwidth_group_count != b->bandwidth_group_count;
}

static bool schedules_differ(const struct catalog_schedule *a, const struct catalog_schedule *b)
{
    return a->enabled != b->enabled || a->begin_minute != b->begin_minute ||
           a->end_minute != b->end_minute || a->days != b->days;
}

void catalog_set_settings(struct catalog *catalog, const struct catalog_settings *settings,
                          int64_t now)
{
    struct catalog_settings former = catalog->settings;

    catalog_settings_copy(settings, &catalog->settings);
    if (schedules_differ(&former.schedule, &settings->schedule)) {
        /* What the new one says of this hour holds at once. */
        catalog->was_in_window = catalog->settings.alt_enabled;
        catalog_schedule_apply(catalog);
    }
    for (struct list_node *node =
             options_differ(&former, settings) ? list_first(&catalog->open_rows) : NULL;
         node; node = list_next(&catalog->open_rows, node)) {
        struct catalog_row *row = LIST_ELEMENT(node, struct catalog_row, in_open);
        row->commands |= COMMAND_BIT_OPTIONS;
        catalog_output_work(catalog, row);
    }
    catalog_settings_deinit(&former);
    catalog->limits_due = true;
    catalog->groups_told = 0;
    catalog->revision++;
    catalog_rows_save_settings(catalog);
    catalog_queue_refit(catalog, now);
}
