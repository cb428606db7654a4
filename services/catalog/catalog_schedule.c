/* SPDX-License-Identifier: MIT */
/*
 * Alternative limits by the hour. Only the edges of a window act, so that what a person switches by
 * hand within one holds until the next edge. A window that passes midnight belongs to the day on
 * which it begins; one that ends when it begins is the whole day.
 */
#include "services/catalog/catalog_state.h"

static bool in_window(const struct catalog_schedule *schedule, uint32_t minute_of_week)
{
    uint32_t day = minute_of_week / 1440, minute = minute_of_week % 1440;
    uint32_t begin = schedule->begin_minute % 1440, end = schedule->end_minute % 1440;
    uint32_t yesterday = (day + 6) % 7;

    if (end <= begin)
        end += 1440;
    if ((schedule->days >> day & 1) && minute >= begin && minute < end)
        return true;
    return (schedule->days >> yesterday & 1) && minute + 1440 >= begin && minute + 1440 < end;
}

static void set_alternative(struct catalog *catalog, bool enabled)
{
    if (catalog->settings.alt_enabled == enabled)
        return;
    catalog->settings.alt_enabled = enabled;
    catalog->limits_due = true;
    catalog->revision++;
    catalog_rows_save_settings(catalog);
}

void catalog_schedule_apply(struct catalog *catalog)
{
    const struct catalog_schedule *schedule = &catalog->settings.schedule;
    bool inside;

    if (!schedule->enabled || catalog->minute_of_week == CATALOG_MINUTE_UNKNOWN)
        return;
    inside = in_window(schedule, catalog->minute_of_week);
    if (inside != catalog->was_in_window)
        set_alternative(catalog, inside);
    catalog->was_in_window = inside;
}

void catalog_schedule_limits(const struct catalog *catalog, uint64_t *ret_upload,
                             uint64_t *ret_download)
{
    const struct catalog_settings *settings = &catalog->settings;

    *ret_upload = settings->alt_enabled      ? settings->alt_upload_limit
                  : settings->upload_limited ? settings->upload_limit
                                             : UINT64_MAX;
    *ret_download = settings->alt_enabled        ? settings->alt_download_limit
                    : settings->download_limited ? settings->download_limit
                                                 : UINT64_MAX;
}

void catalog_on_clock(struct catalog *catalog, int64_t wall_s, uint32_t minute_of_week, int64_t now)
{
    bool first = catalog->minute_of_week == CATALOG_MINUTE_UNKNOWN;

    catalog->wall_s = wall_s;
    catalog->wall_ns = now;
    catalog->minute_of_week = minute_of_week % CATALOG_MINUTES_WEEK;
    if (first && catalog->settings.schedule.enabled) {
        /* A start within a window turns them on, one outside turns off what an earlier run left on:
         * the edge passed while nobody looked. */
        catalog->was_in_window = !in_window(&catalog->settings.schedule, catalog->minute_of_week);
    }
    catalog_schedule_apply(catalog);
}
