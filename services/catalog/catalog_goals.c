/* SPDX-License-Identifier: MIT */
/*
 * When a seed has done enough: uploaded by size of what is wanted (in thousandths, so that no
 * rounding decides), time without traffic, time of seeding. The torrent's own goal, the session's,
 * or none.
 */
#include "services/catalog/catalog_state.h"

static bool ratio_goal(const struct catalog *catalog, const struct catalog_row *row,
                       uint64_t *ret_permille)
{
    const struct catalog_wishes *wishes = &row->torrent.wishes;
    double ratio = wishes->ratio_mode == GOAL_OWN ? wishes->ratio : catalog->settings.ratio;

    if (wishes->ratio_mode == GOAL_UNLIMITED ||
        (wishes->ratio_mode == GOAL_GLOBAL && !catalog->settings.ratio_limited))
        return false;
    if (!(ratio >= 0) || ratio > 1e6)
        return false;
    *ret_permille = (uint64_t)(ratio * 1000 + 0.5);
    return true;
}

static bool idle_goal(const struct catalog *catalog, const struct catalog_row *row,
                      uint32_t *ret_minutes)
{
    const struct catalog_wishes *wishes = &row->torrent.wishes;

    *ret_minutes =
        wishes->idle_mode == GOAL_OWN ? wishes->idle_minutes : catalog->settings.idle_minutes;
    return wishes->idle_mode == GOAL_OWN ||
           (wishes->idle_mode == GOAL_GLOBAL && catalog->settings.idle_limited);
}

bool catalog_goals_ratio_reached(const struct catalog *catalog, const struct catalog_row *row)
{
    uint64_t permille, size = row->torrent.wanted_bytes;

    if (!ratio_goal(catalog, row, &permille) || size == 0)
        return false;
    /* Divided first where the product would not fit. */
    if (row->torrent.uploaded > UINT64_MAX / 1000)
        return row->torrent.uploaded / size >= permille / 1000 + 1;
    if (permille != 0 && size > UINT64_MAX / permille)
        return false;
    return row->torrent.uploaded * 1000 >= permille * size;
}

bool catalog_goals_reached(const struct catalog *catalog, const struct catalog_row *row,
                           int64_t now, const char **ret_text)
{
    const struct catalog_torrent *torrent = &row->torrent;
    uint32_t minutes;

    if (torrent->phase != CATALOG_SEEDING || !row->ready)
        return false;
    if (catalog_goals_ratio_reached(catalog, row)) {
        *ret_text = "ratio";
        return true;
    }
    if (torrent->wishes.seed_time_s >= 0 &&
        torrent->seconds_seeding >= (uint64_t)torrent->wishes.seed_time_s) {
        *ret_text = "time";
        return true;
    }
    if (idle_goal(catalog, row, &minutes) &&
        now - torrent->idle_since_ns >= (int64_t)minutes * 60 * SECOND_NS) {
        *ret_text = "idle";
        return true;
    }
    return false;
}
