/* SPDX-License-Identifier: MIT */
/* What people ask for. Each call sets the wish in the row, lets it be saved, and settles. */
#include "services/catalog/catalog_state.h"

#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "core/metainfo/path_name.h"
#include "core/metainfo/torrent_writer.h"

#include <math.h>
#include <string.h>

static struct catalog_row *wish_of(struct catalog *catalog, torrent_id id)
{
    struct catalog_row *row = catalog_rows_find(catalog, id);
    return row && !row->torrent.removing ? row : NULL;
}

static void edited(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    row->torrent.edited_s = catalog_rows_wall(catalog, now);
    catalog_rows_change(catalog, row);
}

/* A local trouble is over when a person tries again. */
static void forgive(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    row->halted = row->words_stay = false;
    if (row->torrent.trouble == TROUBLE_LOCAL)
        catalog_rows_set_trouble(catalog, row, TROUBLE_NONE, NULL, now);
}

void catalog_start(struct catalog *catalog, torrent_id id, bool force, int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);
    struct catalog_wishes *wishes;

    if (row == NULL)
        return;
    forgive(catalog, row, now);
    row->torrent.wanted_running = true;
    if (!row->torrent.metadata_missing)
        row->torrent.choose_files = false; /* they are chosen */
    /* Started in vain it would be: a plain start of what runs by force leaves that as it is. */
    row->torrent.force_start = row->torrent.force_start || force;
    if (row->torrent.finished) {
        /* Who starts a seed that has reached its goal wants it to go on beyond. */
        wishes = &row->torrent.wishes;
        if (catalog_goals_ratio_reached(catalog, row))
            wishes->ratio_mode = GOAL_UNLIMITED;
        if (wishes->seed_time_s >= 0 &&
            row->torrent.seconds_seeding >= (uint64_t)wishes->seed_time_s)
            wishes->seed_time_s = -1;
        row->torrent.finished = false;
    }
    catalog_rows_change(catalog, row);
    catalog_queue_settle(catalog, row, now);
}

void catalog_stop(struct catalog *catalog, torrent_id id, int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);

    if (row == NULL)
        return;
    row->torrent.wanted_running = false;
    row->torrent.force_start = false;
    row->torrent.wants_check = false;
    row->check_begun = false;
    catalog_rows_change(catalog, row);
    catalog_queue_settle(catalog, row, now);
}

void catalog_remove(struct catalog *catalog, torrent_id id, bool delete_data, int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);

    if (row == NULL)
        return;
    row->torrent.removing = true;
    row->torrent.remove_data = delete_data;
    catalog_rows_change(catalog, row);
    row->gate = catalog->change;
    catalog_queue_settle(catalog, row, now);
}

void catalog_recheck(struct catalog *catalog, torrent_id id, int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);

    if (row == NULL || row->torrent.metadata_missing)
        return;
    forgive(catalog, row, now);
    row->torrent.wants_check = true;
    row->check_begun = false;
    catalog_rows_change(catalog, row);
    catalog_queue_settle(catalog, row, now);
}

void catalog_reannounce(struct catalog *catalog, torrent_id id, int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);

    (void)now;
    if (row == NULL || !row->torrent.open)
        return;
    row->commands |= COMMAND_BIT_ANNOUNCE;
    catalog_output_work(catalog, row);
}

static void place_anew(struct catalog_row *row, const char *folder, bool move)
{
    struct catalog_torrent *torrent = &row->torrent;

    if (!torrent->complete && torrent->folder_done && move) {
        /* It lies among the incomplete ones: the wish is about where it goes in the end. */
        catalog_rows_set_text(&torrent->folder_done, folder);
        return;
    }
    catalog_rows_set_text(&torrent->folder_done, NULL);
    if (strcmp(torrent->folder, folder) == 0)
        return;
    if (move && !torrent->metadata_missing) {
        catalog_rows_set_text(&torrent->move_to, folder);
        return;
    }
    catalog_rows_set_text(&torrent->folder, folder);
    if (torrent->metadata_missing)
        return;
    /* What lies there was not made by us, as far as anybody knows. */
    memory_free(torrent->made);
    torrent->made = NULL;
    torrent->wants_check = true;
    row->check_begun = false;
}

enum freshet_error catalog_relocate(struct catalog *catalog, torrent_id id, const char *folder,
                                    bool move, int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);
    struct catalog_torrent *torrent;

    if (row == NULL)
        return FRESHET_ERROR_NOT_FOUND;
    torrent = &row->torrent;
    if (folder[0] != '/')
        return FRESHET_ERROR_USAGE;
    if (strlen(folder) > LIMIT_PATH_LENGTH)
        return FRESHET_ERROR_LIMIT;
    if (torrent->move_to || torrent->rename_name)
        return FRESHET_ERROR_BUSY;
    forgive(catalog, row, now);
    place_anew(row, folder, move);
    edited(catalog, row, now);
    row->gate = catalog->change;
    catalog_queue_settle(catalog, row, now);
    return FRESHET_OK;
}

static void put_in_range(struct catalog_wishes *wishes)
{
    if (wishes->bandwidth_priority < -1)
        wishes->bandwidth_priority = -1;
    if (wishes->bandwidth_priority > 1)
        wishes->bandwidth_priority = 1;
    if (wishes->transport > TRANSPORT_UTP)
        wishes->transport = TRANSPORT_ANY;
    if (!isfinite(wishes->ratio) || wishes->ratio < 0)
        wishes->ratio = 0;
    if (wishes->seed_time_s < -1)
        wishes->seed_time_s = -1;
}

void catalog_set_wishes(struct catalog *catalog, torrent_id id, const struct catalog_wishes *wishes,
                        int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);

    if (row == NULL)
        return;
    row->torrent.wishes = *wishes;
    put_in_range(&row->torrent.wishes);
    row->commands |= COMMAND_BIT_LIMITS | COMMAND_BIT_OPTIONS;
    edited(catalog, row, now);
    catalog_output_work(catalog, row);
}

/* UTF-8 without control characters, not empty: a line wherever it is written. */
static bool is_line(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return length > 0 && utf8_is_valid((struct bytes){(const uint8_t *)text, length});
}

static void set_labels(struct catalog_torrent *torrent, const char *const *labels, uint32_t count)
{
    for (uint32_t i = 0; i < torrent->label_count; i++)
        memory_free(torrent->labels[i]);
    memory_free(torrent->labels);
    torrent->label_count = 0;
    torrent->labels = count ? memory_new_array(CATALOG_LABELS_MAX, sizeof *torrent->labels) : NULL;
    for (uint32_t i = 0; i < count && torrent->label_count < CATALOG_LABELS_MAX; i++) {
        size_t length = strlen(labels[i]);
        bool known = !is_line(labels[i]) || length > CATALOG_LABEL_LENGTH;
        for (uint32_t j = 0; j < torrent->label_count && !known; j++)
            known = strcmp(torrent->labels[j], labels[i]) == 0;
        if (!known)
            torrent->labels[torrent->label_count++] = memory_copy(labels[i], length + 1);
    }
}

void catalog_set_labels(struct catalog *catalog, torrent_id id, const char *const *labels,
                        uint32_t count, int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);

    if (row == NULL)
        return;
    set_labels(&row->torrent, labels, count);
    edited(catalog, row, now);
}

enum freshet_error catalog_set_group(struct catalog *catalog, torrent_id id, const char *name,
                                     int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);
    bool is_none = name == NULL || name[0] == '\0';

    if (row == NULL)
        return FRESHET_ERROR_NOT_FOUND;
    if (!is_none && (!is_line(name) || strlen(name) > CATALOG_LABEL_LENGTH))
        return FRESHET_ERROR_USAGE;
    catalog_rows_set_text(&row->torrent.bandwidth_group, is_none ? NULL : name);
    row->commands |= COMMAND_BIT_OPTIONS;
    edited(catalog, row, now);
    catalog_output_work(catalog, row);
    return FRESHET_OK;
}

static void set_priorities(struct catalog_torrent *torrent, const uint8_t *priorities)
{
    uint8_t *copy = memory_copy(priorities, torrent->file_count);

    for (uint32_t i = 0; i < torrent->file_count; i++)
        if (copy[i] > LIMIT_FILE_PRIORITY)
            copy[i] = LIMIT_FILE_PRIORITY;
    memory_free(torrent->priorities);
    torrent->priorities = copy;
}

enum freshet_error catalog_set_priorities(struct catalog *catalog, torrent_id id,
                                          const uint8_t *priorities, int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);
    struct catalog_torrent *torrent;
    bool more = false;

    if (row == NULL)
        return FRESHET_ERROR_NOT_FOUND;
    torrent = &row->torrent;
    if (torrent->metadata_missing || torrent->file_count == 0)
        return FRESHET_ERROR_MISSING;
    for (uint32_t i = 0; i < torrent->file_count && torrent->priorities; i++)
        more = more || (torrent->priorities[i] == 0 && priorities[i] != 0);
    set_priorities(torrent, priorities);
    row->commands |= COMMAND_BIT_PRIORITIES;
    edited(catalog, row, now);
    /* Something is wanted that was not: it is a download until the engine says otherwise. */
    if (more)
        catalog_facts_complete(catalog, row, false, now);
    catalog_queue_settle(catalog, row, now);
    return FRESHET_OK;
}

/* Trackers of a link are in the link. */
static enum freshet_error set_magnet_trackers(struct catalog_torrent *torrent,
                                              const char *const *urls, uint32_t count, bool add)
{
    char reason[METAINFO_REASON_SIZE];
    struct magnet *magnet, changed;
    struct buffer link = {0};
    const char **all;
    enum freshet_error error = magnet_parse(
        (struct bytes){(const uint8_t *)torrent->magnet, strlen(torrent->magnet)}, &magnet, reason);

    if (error)
        return error;
    all = memory_new_array((size_t)count + magnet->tracker_count, sizeof *all);
    changed = *magnet;
    changed.trackers = all;
    changed.tracker_count = 0;
    for (uint32_t i = 0; i < magnet->tracker_count && add; i++)
        all[changed.tracker_count++] = magnet->trackers[i];
    for (uint32_t i = 0; i < count && changed.tracker_count < LIMIT_TRACKERS_MAX; i++) {
        bool known = false;
        for (uint32_t j = 0; j < changed.tracker_count && !known; j++)
            known = strcmp(all[j], urls[i]) == 0;
        if (!known)
            all[changed.tracker_count++] = urls[i];
    }
    magnet_format(&changed, &link);
    buffer_append_u8(&link, 0);
    if (link.length > LIMIT_MAGNET_LENGTH)
        error = FRESHET_ERROR_LIMIT;
    else
        catalog_rows_set_text(&torrent->magnet, (const char *)link.data);
    buffer_deinit(&link);
    memory_free(all);
    magnet_free(magnet);
    return error;
}

static enum freshet_error take_urls(struct catalog_row *row, const char *const *urls,
                                    const uint32_t *tiers, uint32_t count, bool add)
{
    enum freshet_error error;

    if (count > LIMIT_TRACKERS_MAX)
        return FRESHET_ERROR_LIMIT;
    for (uint32_t i = 0; i < count; i++) {
        if (strlen(urls[i]) > LIMIT_URL_LENGTH)
            return FRESHET_ERROR_LIMIT;
        if (strstr(urls[i], "://") == NULL)
            return FRESHET_ERROR_SYNTAX;
    }
    if (row->torrent.metadata_missing) {
        error = set_magnet_trackers(&row->torrent, urls, count, add);
        if (error)
            return error;
    }
    if (add && row->has_urls && !row->add_urls)
        return FRESHET_OK; /* replaced just now, and not yet given out: the last word stays */
    catalog_rows_free_urls(row);
    row->urls = memory_new_array(count, sizeof *row->urls);
    row->tiers = memory_new_array(count, sizeof *row->tiers);
    for (uint32_t i = 0; i < count; i++) {
        row->urls[i] = memory_copy(urls[i], strlen(urls[i]) + 1);
        row->tiers[i] = tiers ? tiers[i] : i;
    }
    row->url_count = count;
    row->has_urls = true;
    row->add_urls = add;
    return FRESHET_OK;
}

enum freshet_error catalog_set_trackers(struct catalog *catalog, torrent_id id,
                                        const char *const *urls, const uint32_t *tiers,
                                        uint32_t count, int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);
    enum freshet_error error;

    if (row == NULL)
        return FRESHET_ERROR_NOT_FOUND;
    error = take_urls(row, urls, tiers, count, false);
    if (!error)
        edited(catalog, row, now);
    return error;
}

enum freshet_error catalog_rename(struct catalog *catalog, torrent_id id, const char *path,
                                  const char *name, int64_t now)
{
    struct catalog_row *row = wish_of(catalog, id);
    struct bytes raw = {(const uint8_t *)name, strlen(name)};
    struct buffer clean = {0};
    bool is_safe = path_name_clean(raw, &clean);

    buffer_deinit(&clean);
    if (row == NULL)
        return FRESHET_ERROR_NOT_FOUND;
    if (!is_safe || path[0] == '/' || !is_line(path))
        return FRESHET_ERROR_USAGE;
    if (strlen(path) > LIMIT_PATH_LENGTH || row->torrent.renamed_count >= CATALOG_RENAMINGS_MAX)
        return FRESHET_ERROR_LIMIT;
    if (row->torrent.metadata_missing)
        return FRESHET_ERROR_MISSING;
    if (row->torrent.move_to || row->torrent.rename_name)
        return FRESHET_ERROR_BUSY;
    catalog_rows_set_text(&row->torrent.rename_path, path);
    catalog_rows_set_text(&row->torrent.rename_name, name);
    edited(catalog, row, now);
    row->gate = catalog->change;
    catalog_queue_settle(catalog, row, now);
    return FRESHET_OK;
}

/* ---- adding ---- */

static void say(char ret_text[256], const char *text)
{
    size_t length = strlen(text);

    length = length < 255 ? length : 255;
    memcpy(ret_text, text, length);
    ret_text[length] = '\0';
}

/* What is to be added, read. */
struct addition {
    const struct catalog_add *add;
    struct magnet *magnet;
    const char *folder;
};

static struct catalog_row *known_already(const struct catalog *catalog,
                                         const struct addition *addition)
{
    const struct metainfo *metainfo = addition->add->metainfo;
    const struct magnet *magnet = addition->magnet;
    bool has_v1 = metainfo ? metainfo->has_v1 : magnet->has_v1;
    bool has_v2 = metainfo ? metainfo->has_v2 : magnet->has_v2;
    const uint8_t *v1 = metainfo ? metainfo->info_hash_v1 : magnet->info_hash_v1;
    const uint8_t *v2 = metainfo ? metainfo->info_hash_v2 : magnet->info_hash_v2;
    struct catalog_row *row = has_v1 ? catalog_rows_by_hash(catalog, v1, 20) : NULL;

    return row == NULL && has_v2 ? catalog_rows_by_hash(catalog, v2, 32) : row;
}

/* The trackers that come with a torrent that is there already; a private one's stay its own. */
static void join_trackers(struct catalog *catalog, struct catalog_row *row,
                          const struct addition *addition, int64_t now)
{
    const struct metainfo *metainfo = addition->add->metainfo;
    uint32_t count = metainfo ? metainfo->tracker_count : addition->magnet->tracker_count;
    const char **urls;

    if (count == 0 || row->torrent.is_private || (metainfo && metainfo->is_private))
        return;
    count = count < LIMIT_TRACKERS_MAX ? count : LIMIT_TRACKERS_MAX;
    urls = memory_new_array(count, sizeof *urls);
    for (uint32_t i = 0; i < count; i++) {
        struct bytes url = metainfo ? metainfo->trackers[i] : (struct bytes){NULL, 0};
        char *text = metainfo ? memory_new(url.length + 1) : NULL;
        if (metainfo)
            memcpy(text, url.data, url.length);
        urls[i] = metainfo ? text : addition->magnet->trackers[i];
    }
    if (!take_urls(row, urls, metainfo ? metainfo->tracker_tiers : NULL, count, true))
        edited(catalog, row, now);
    for (uint32_t i = 0; i < count && metainfo; i++)
        memory_free((void *)(uintptr_t)urls[i]);
    memory_free(urls);
}

static enum freshet_error read_addition(const struct catalog *catalog, struct addition *addition,
                                        char ret_text[256])
{
    const struct catalog_add *add = addition->add;
    char reason[METAINFO_REASON_SIZE] = "";
    enum freshet_error error;

    addition->folder = add->folder ? add->folder : catalog->settings.download_folder;
    if (addition->folder == NULL || addition->folder[0] != '/') {
        say(ret_text, addition->folder ? "the folder must be absolute" : "no folder is set");
        return FRESHET_ERROR_USAGE;
    }
    if (strlen(addition->folder) > LIMIT_PATH_LENGTH || catalog->count >= LIMIT_TORRENTS) {
        say(ret_text, catalog->count >= LIMIT_TORRENTS ? "there are too many torrents"
                                                       : "the folder's name is too long");
        return FRESHET_ERROR_LIMIT;
    }
    if (add->metainfo)
        return FRESHET_OK;
    if (add->magnet == NULL) {
        say(ret_text, "neither a torrent nor a link");
        return FRESHET_ERROR_USAGE;
    }
    error = magnet_parse((struct bytes){(const uint8_t *)add->magnet, strlen(add->magnet)},
                         &addition->magnet, reason);
    if (error)
        say(ret_text, reason);
    return error;
}

static void describe_magnet(struct catalog_torrent *torrent, const struct magnet *magnet,
                            const char *link)
{
    torrent->has_v1 = magnet->has_v1;
    torrent->has_v2 = magnet->has_v2;
    memcpy(torrent->v1, magnet->info_hash_v1, 20);
    memcpy(torrent->v2, magnet->info_hash_v2, 32);
    torrent->metadata_missing = true;
    catalog_rows_set_text(&torrent->magnet, link);
    catalog_rows_set_text(&torrent->name, magnet->name);
}

static void place(struct catalog *catalog, struct catalog_torrent *torrent, const char *folder)
{
    const struct catalog_settings *settings = &catalog->settings;
    const char *incomplete = settings->incomplete_folder;

    if (settings->incomplete_enabled && incomplete && incomplete[0] == '/' &&
        strcmp(incomplete, folder) != 0) {
        catalog_rows_set_text(&torrent->folder, incomplete);
        catalog_rows_set_text(&torrent->folder_done, folder);
    } else {
        catalog_rows_set_text(&torrent->folder, folder);
    }
}

static struct catalog_row *make_row(struct catalog *catalog, const struct addition *addition,
                                    int64_t now)
{
    static const struct catalog_wishes defaults = {.honors_session_limits = true,
                                                   .seed_time_s = -1};
    const struct catalog_add *add = addition->add;
    struct catalog_row *row = catalog_rows_new(catalog, catalog->next_id);
    struct catalog_torrent *torrent = &row->torrent;

    torrent->wishes = add->wishes ? *add->wishes : defaults;
    put_in_range(&torrent->wishes);
    if (add->metainfo) {
        torrent->file_count = add->metainfo->geometry.file_count;
        if (add->priorities)
            set_priorities(torrent, add->priorities);
        catalog_rows_describe(row, add->metainfo);
        if (add->torrent.length)
            buffer_append(&row->torrent_file, add->torrent.data, add->torrent.length);
        else
            torrent_writer_write(add->metainfo, NULL, &row->torrent_file);
    } else {
        describe_magnet(torrent, addition->magnet, add->magnet);
    }
    catalog_rows_insert(catalog, row);
    catalog_rows_name(catalog, row);
    if (torrent->name == NULL)
        catalog_rows_set_text(&torrent->name, torrent->hash);
    if (add->past)
        catalog_rows_set_text(&torrent->folder, addition->folder);
    else
        place(catalog, torrent, addition->folder);
    set_labels(torrent, add->labels, add->label_count);
    torrent->choose_files = add->choose_files;
    /* A link has to run to learn which files there are to choose. */
    torrent->wanted_running = add->choose_files ? add->metainfo == NULL : !add->stopped;
    torrent->added_s = catalog_rows_wall(catalog, now);
    torrent->active_s = 0;
    if (add->past)
        catalog_past_apply(torrent, add->past);
    torrent->idle_since_ns = now;
    return row;
}

enum freshet_error catalog_add(struct catalog *catalog, const struct catalog_add *add, int64_t now,
                               char ret_text[256], const struct catalog_torrent **ret_torrent)
{
    struct addition addition = {.add = add};
    enum freshet_error error = read_addition(catalog, &addition, ret_text);
    struct catalog_row *row = error ? NULL : known_already(catalog, &addition);

    if (error == FRESHET_OK && !row && add->past)
        error = catalog_past_check(add, ret_text);
    if (error == FRESHET_OK && row) {
        error = row->torrent.removing ? FRESHET_ERROR_BUSY : FRESHET_ERROR_EXISTS;
        say(ret_text, row->torrent.removing ? "it is being removed" : "it is there already");
        if (!row->torrent.removing) {
            join_trackers(catalog, row, &addition, now);
            *ret_torrent = &row->torrent;
        }
    } else if (error == FRESHET_OK) {
        row = make_row(catalog, &addition, now);
        catalog_queue_append(catalog, row);
        catalog_rows_change(catalog, row);
        catalog_queue_settle(catalog, row, now);
        metainfo_free(add->metainfo);
        *ret_torrent = &row->torrent;
        ret_text[0] = '\0';
    }
    magnet_free(addition.magnet);
    return error;
}
