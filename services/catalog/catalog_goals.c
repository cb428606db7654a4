/* SPDX-License-Identifier: MIT */
/*
 * When a seed has done enough: uploaded by size of what is wanted (in thousandths, so that no
 * rounding decides), time without traffic, time of seeding. The torrent's own goal, the session's,
 * or none. The ratio that is shown is the one that is compared.
 */
#include "services/catalog/catalog_state.h"

static bool ratio_goal(const struct catalog *catalog, const struct catalog_torrent *torrent,
                       uint64_t *ret_permille)
{
    const struct catalog_wishes *wishes = &torrent->wishes;
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

/* What uploads are measured by. Not what was downloaded: of a torrent that was found on the disk
 * but for a few pieces that is next to nothing. */
static uint64_t ratio_base(const struct catalog_torrent *torrent)
{
    return torrent->metadata_missing ? 0 : torrent->wanted_bytes;
}

double catalog_ratio(const struct catalog_torrent *torrent)
{
    uint64_t base = ratio_base(torrent);

    if (base == 0)
        return torrent->uploaded ? CATALOG_RATIO_ENDLESS : CATALOG_RATIO_NONE;
    return (double)torrent->uploaded / (double)base;
}

bool catalog_ratio_left(const struct catalog *catalog, const struct catalog_torrent *torrent,
                        uint64_t *ret_bytes)
{
    uint64_t permille, base = ratio_base(torrent);

    if (!ratio_goal(catalog, torrent, &permille) || base == 0)
        return false;
    /* Whole sizes and the rest of one, rounded up, each where it fits: ratios end at a million. */
    uint64_t whole = permille / 1000, rest = permille % 1000;
    uint64_t part = base / 1000 * rest + (base % 1000 * rest + 999) / 1000;
    uint64_t goal = whole && base > (UINT64_MAX - part) / whole ? UINT64_MAX : base * whole + part;
    *ret_bytes = goal > torrent->uploaded ? goal - torrent->uploaded : 0;
    return true;
}

bool catalog_goals_ratio_reached(const struct catalog *catalog, const struct catalog_row *row)
{
    uint64_t left;

    return catalog_ratio_left(catalog, &row->torrent, &left) && left == 0;
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
