/* SPDX-License-Identifier: MIT */
#include "services/api/api_add.h"

#include "core/base/memory.h"
#include "services/api/api_fields.h"
#include "services/api/api_row.h"
#include "services/rpc/base64.h"

#include <string.h>

#define LABELS_MAX   32u
#define LABEL_LENGTH 128u

struct addition {
    struct metainfo *metainfo; /* or */
    struct magnet *magnet;
    const char *link, *url, *folder;
    struct buffer torrent;
    bool stopped, has_stopped, choose_files;
    const char *const *labels;
    uint32_t label_count;
    const json_t *unwanted;
    bool has_wishes;
    struct catalog_wishes wishes;
    uint8_t *priorities;
    /* the answer */
    torrent_id exists;
    bool is_new, was_added;
    struct api_row row;
};

static void parse_torrent(struct api_call *call, struct addition *addition)
{
    char reason[METAINFO_REASON_SIZE];
    if (metainfo_parse(buffer_bytes(&addition->torrent), &addition->metainfo, reason))
        api_fail(call, 422, "this is no torrent: %s", reason);
}

static void read_source(struct api_call *call, struct addition *addition)
{
    const char *torrent = api_body_text(call, "torrent", LIMIT_TORRENT_FILE_SIZE / 3 * 4 + 64);
    addition->link = api_body_text(call, "magnet", LIMIT_MAGNET_LENGTH);
    addition->url = api_body_text(call, "url", LIMIT_URL_LENGTH);
    if (!torrent + !addition->link + !addition->url != 2) {
        api_fail(call, 400, "one of torrent (base64), magnet and url is wanted");
        return;
    }
    char reason[METAINFO_REASON_SIZE];
    if (torrent) {
        struct bytes text = {(const uint8_t *)torrent, strlen(torrent)};
        if (!base64_decode(text, &addition->torrent))
            api_fail(call, 400, "torrent: is not base64");
        else
            parse_torrent(call, addition);
    } else if (addition->link) {
        struct bytes text = {(const uint8_t *)addition->link, strlen(addition->link)};
        if (magnet_parse(text, &addition->magnet, reason))
            api_fail(call, 422, "this is no magnet link: %s", reason);
    }
}

static void read_unwanted(struct api_call *call, struct addition *addition)
{
    addition->unwanted = api_body_array(call, "unwanted", LIMIT_FILES_MAX);
    for (size_t i = 0; i < json_array_size(addition->unwanted); i++) {
        const json_t *file = json_array_get(addition->unwanted, i);
        if (!json_is_integer(file) || json_integer_value(file) < 0 ||
            json_integer_value(file) >= (json_int_t)LIMIT_FILES_MAX)
            api_fail(call, 400, "unwanted: a list of files' numbers");
    }
}

void api_add_prepare(struct api_call *call)
{
    struct addition *addition = call->state = memory_new(sizeof *addition);
    read_source(call, addition);
    addition->folder = api_body_text(call, "folder", LIMIT_PATH_LENGTH);
    addition->has_stopped = json_is_boolean(json_object_get(call->body, "stopped"));
    addition->stopped = api_body_bool(call, "stopped", false);
    addition->choose_files = api_body_bool(call, "choose_files", false);
    addition->labels =
        api_body_texts(call, "labels", LABELS_MAX, LABEL_LENGTH, &addition->label_count);
    read_unwanted(call, addition);
    json_t *wishes = json_object_get(call->body, "wishes");
    addition->has_wishes = wishes != NULL;
    addition->wishes = (struct catalog_wishes){.honors_session_limits = true, .seed_time_s = -1};
    if (wishes && !json_is_object(wishes))
        api_fail(call, 400, "wishes: an object");
    api_fields_read(api_fields_wishes, call, wishes, NULL, &addition->wishes);
}

void api_add_end(struct api_call *call)
{
    struct addition *addition = call->state;
    if (!addition)
        return;
    metainfo_free(addition->metainfo);
    magnet_free(addition->magnet);
    buffer_deinit(&addition->torrent);
    memory_free(addition->priorities);
    memory_free(addition);
}

static enum service_step fetch(struct api_call *call, struct api_turn *turn,
                               struct addition *addition)
{
    if (!call->waiting) {
        call->waiting = true;
        *turn->job = (struct service_job){.type = JOB_FETCH_URL, .text = addition->url};
        return SERVICE_JOB;
    }
    call->waiting = false;
    if (turn->job->error) {
        api_fail(call, 502, "the link could not be fetched: %s", turn->job->error_text);
    } else {
        addition->torrent = turn->job->ret_bytes;
        addition->metainfo = turn->job->ret_metainfo;
        turn->job->ret_bytes = (struct buffer){0};
        turn->job->ret_metainfo = NULL;
        if (!addition->metainfo)
            api_fail(call, 422, "this is no torrent: %s", turn->job->error_text);
    }
    return SERVICE_DONE;
}

static void choose(struct api_call *call, struct addition *addition)
{
    uint32_t count = addition->metainfo ? addition->metainfo->geometry.file_count : 0;
    if (json_array_size(addition->unwanted) == 0)
        return;
    addition->priorities = memory_new(count + 1);
    memset(addition->priorities, CATALOG_PRIORITY_NORMAL, count);
    for (size_t i = 0; i < json_array_size(addition->unwanted); i++) {
        json_int_t file = json_integer_value(json_array_get(addition->unwanted, i));
        if (file < (json_int_t)count)
            addition->priorities[file] = CATALOG_PRIORITY_UNWANTED;
        else
            api_fail(call, 400, "unwanted: there is no such file");
    }
}

static void add(struct api_call *call, struct api_turn *turn, struct addition *addition)
{
    struct catalog *catalog = turn->world->catalog;
    char text[256] = "";
    const struct catalog_torrent *torrent = NULL;
    bool starts = catalog_settings(catalog)->start_added;
    if (addition->folder && *addition->folder &&
        !api_folder_allowed(call, catalog, "folder", addition->folder))
        return;
    choose(call, addition);
    if (api_failed(call))
        return;
    struct catalog_add wish = {
        .metainfo = addition->metainfo,
        .magnet = addition->link,
        .torrent = buffer_bytes(&addition->torrent),
        .folder = addition->folder && *addition->folder ? addition->folder : NULL,
        .stopped = addition->has_stopped ? addition->stopped : !starts,
        .choose_files = addition->choose_files,
        .labels = addition->labels,
        .label_count = addition->label_count,
        .wishes = addition->has_wishes ? &addition->wishes : NULL,
        .priorities = addition->priorities,
    };
    enum freshet_error error = catalog_add(catalog, &wish, turn->world->now, text, &torrent);
    if (error == FRESHET_OK)
        addition->metainfo = NULL; /* the catalog has it */
    addition->is_new = error == FRESHET_OK;
    addition->was_added = true;
    if (error && error != FRESHET_ERROR_EXISTS)
        api_fail(call, 422, "%s", *text ? text : error_text(error));
    else
        api_row_copy(torrent, &call->arena, &addition->row);
}

enum service_step api_add_step(struct api_call *call, struct api_turn *turn)
{
    struct addition *addition = call->state;
    if (addition->url && !addition->metainfo && !addition->was_added &&
        fetch(call, turn, addition) == SERVICE_JOB)
        return SERVICE_JOB;
    if (!addition->was_added && !api_failed(call))
        add(call, turn, addition);
    return api_failed(call) ? SERVICE_DONE : api_saved(call, turn);
}

void api_add_write(struct api_call *call, struct json_writer *json)
{
    const struct addition *addition = call->state;
    if (addition->is_new)
        call->status = 201;
    json_writer_put_bool(json, "added", addition->is_new);
    json_writer_key(json, "torrent");
    json_writer_open(json, '{');
    api_row_write(&addition->row, json);
    json_writer_close(json, '}');
}

static struct bytes hash_of(const struct addition *addition)
{
    if (addition->metainfo)
        return addition->metainfo->has_v1 ? (struct bytes){addition->metainfo->info_hash_v1, 20}
                                          : (struct bytes){addition->metainfo->info_hash_v2, 32};
    return addition->magnet->has_v1 ? (struct bytes){addition->magnet->info_hash_v1, 20}
                                    : (struct bytes){addition->magnet->info_hash_v2, 32};
}

enum service_step api_add_inspect_step(struct api_call *call, struct api_turn *turn)
{
    struct addition *addition = call->state;
    if (addition->url && !addition->metainfo && fetch(call, turn, addition) == SERVICE_JOB)
        return SERVICE_JOB;
    if (api_failed(call))
        return SERVICE_DONE;
    const struct catalog_torrent *there =
        catalog_find_hash(turn->world->catalog, hash_of(addition));
    addition->exists = there ? there->id : 0;
    return SERVICE_DONE;
}

static void write_files(const struct metainfo *metainfo, struct json_writer *json)
{
    for (uint32_t i = 0; metainfo && i < metainfo->geometry.file_count; i++) {
        json_writer_open(json, '{');
        json_writer_put_u64(json, "index", i);
        json_writer_put_text(json, "path", metainfo->files[i].path);
        json_writer_put_u64(json, "length", metainfo->files[i].length);
        json_writer_put_bool(json, "padding", metainfo->files[i].padding);
        json_writer_close(json, '}');
    }
}

void api_add_inspect_write(struct api_call *call, struct json_writer *json)
{
    const struct addition *addition = call->state;
    const struct metainfo *metainfo = addition->metainfo;
    char hash[65];
    struct bytes raw = hash_of(addition);
    bytes_to_hex(raw.data, raw.length, hash);
    json_writer_put_text(json, "hash", hash);
    json_writer_put_text(json, "name", metainfo ? metainfo->name : addition->magnet->name);
    json_writer_put_u64(json, "size", metainfo ? metainfo->geometry.payload_length : 0);
    json_writer_put_bool(json, "private", metainfo && metainfo->is_private);
    json_writer_key(json, "comment");
    if (metainfo && metainfo->comment.length > 0)
        json_writer_bytes(json, metainfo->comment);
    else
        json_writer_raw(json, BYTES_LITERAL("null"));
    json_writer_key(json, "files");
    json_writer_open(json, '[');
    write_files(metainfo, json);
    json_writer_close(json, ']');
    if (addition->exists)
        json_writer_put_u64(json, "exists", addition->exists);
    else
        api_write_null(json, "exists");
}
