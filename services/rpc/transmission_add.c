/* SPDX-License-Identifier: MIT */
/* torrent-add: a .torrent in the request, behind a URL or in a file, or a magnet link. */
#include "core/base/memory.h"
#include "core/base/url.h"
#include "services/rpc/base64.h"
#include "services/rpc/transmission_state.h"

#include <string.h>

enum { STAGE_NEW, STAGE_READING, STAGE_READY, STAGE_ADDED, STAGE_OVER };

struct transmission_add {
    struct buffer torrent;
    struct metainfo *metainfo; /* NULL: a link, or not read yet */
    const char *magnet;        /* borrowed from the arena */
    const char *filename;      /* what is to be read first; else NULL */
    bool is_new;
    const char **labels;
    uint32_t label_count;
};

static void parse_torrent(struct transmission_request *request, struct transmission_add *add)
{
    char reason[METAINFO_REASON_SIZE] = "";
    if (metainfo_parse(buffer_bytes(&add->torrent), &add->metainfo, reason) != FRESHET_OK)
        transmission_rpc_fail(request, FAULT_CORRUPT, "invalid or corrupt torrent: %s", reason);
}

static void parse_magnet(struct transmission_request *request, struct transmission_add *add,
                         const char *text)
{
    struct magnet *magnet;
    char reason[METAINFO_REASON_SIZE] = "";
    struct bytes link = {(const uint8_t *)text, strlen(text)};
    if (magnet_parse(link, &magnet, reason) != FRESHET_OK) {
        transmission_rpc_fail(request, FAULT_UNRECOGNIZED, "unrecognized info: %s", reason);
        return;
    }
    /* A bare hash is a link too, and is kept as one. */
    struct buffer whole = {0};
    if (!magnet_is(link))
        magnet_format(magnet, &whole);
    add->magnet = call_arena_bytes(&request->arena, whole.length ? buffer_bytes(&whole) : link);
    buffer_deinit(&whole);
    magnet_free(magnet);
}

static bool is_hash(const char *name)
{
    size_t length = strlen(name);
    return (length == 32 || length == 40 || length == 64) && !strpbrk(name, "/.:");
}

static void read_filename(struct transmission_request *request, struct transmission_add *add,
                          const char *name)
{
    if (magnet_is((struct bytes){(const uint8_t *)name, strlen(name)}) || is_hash(name))
        parse_magnet(request, add, name);
    else if (url_is_http(name))
        add->filename = name;
    else if (name[0] == '/' && request->is_local)
        add->filename = name;
    else if (name[0] == '/')
        transmission_rpc_fail(request, FAULT_ARGUMENTS,
                              "files of this machine are read for its own users only: send the "
                              "torrent in metainfo");
    else
        transmission_rpc_fail(request, FAULT_UNRECOGNIZED,
                              "filename is no magnet link, web address or absolute path");
}

void transmission_add_prepare(struct transmission_request *request)
{
    struct transmission_add *add = memory_new(sizeof *add);
    const char *metainfo = transmission_arguments_text(request, "metainfo");
    const char *filename = transmission_arguments_text(request, "filename");
    request->work = add;
    if (metainfo && metainfo[0]) {
        struct bytes text = {(const uint8_t *)metainfo, strlen(metainfo)};
        if (base64_decode(text, &add->torrent))
            parse_torrent(request, add);
        else
            transmission_rpc_fail(request, FAULT_CORRUPT, "metainfo is not base64");
    } else if (filename && filename[0]) {
        read_filename(request, add, filename);
    } else {
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "no filename or metainfo specified");
    }
    transmission_arguments_labels(request, &add->labels, &add->label_count);
}

void transmission_add_release(struct transmission_request *request)
{
    struct transmission_add *add = request->work;
    if (!add)
        return;
    buffer_deinit(&add->torrent);
    metainfo_free(add->metainfo);
    memory_free(add);
}

static void take_bytes(struct transmission_request *request, struct transmission_add *add,
                       struct service_job *job)
{
    if (job->error) {
        transmission_rpc_fail_error(request, job->error,
                                    url_is_http(add->filename) ? "the torrent can't be fetched"
                                                               : "the torrent can't be read",
                                    job->error_text);
        return;
    }
    add->torrent = job->ret_bytes;
    add->metainfo = job->ret_metainfo;
    job->ret_bytes = (struct buffer){0};
    job->ret_metainfo = NULL;
    if (!add->metainfo)
        transmission_rpc_fail(request, FAULT_CORRUPT, "invalid or corrupt torrent: %s",
                              job->error_text);
}

static void answer(struct transmission_request *request, const struct catalog_torrent *row,
                   bool is_duplicate)
{
    static const char *const keys[2][2] = {{"torrent-added", "torrent_added"},
                                           {"torrent-duplicate", "torrent_duplicate"}};
    struct json_writer writer;
    json_writer_init(&writer, &request->result);
    json_writer_open(&writer, '{');
    json_writer_key(&writer, keys[is_duplicate][request->is_rpc2]);
    json_writer_open(&writer, '{');
    json_writer_put_u64(&writer, "id", row->id);
    json_writer_put_text(&writer, "name", row->name);
    json_writer_put_text(&writer, request->is_rpc2 ? "hash_string" : "hashString", row->hash);
    json_writer_close(&writer, '}');
    json_writer_close(&writer, '}');
}

static void add_one(struct transmission_request *request, struct service_world *world,
                    struct transmission_add *work)
{
    const struct catalog_settings *settings = catalog_settings(world->catalog);
    const char *folder = transmission_arguments_text(request, "download_dir");
    folder = folder && folder[0] ? folder : NULL;
    if (folder && !transmission_folder_allowed(request, settings, folder))
        return;
    struct catalog_wishes wishes = {.honors_session_limits = true, .seed_time_s = -1};
    struct catalog_past past = {0};
    bool has_past = transmission_past_read(request, &past, &wishes);
    if (past.folder_done && !transmission_folder_allowed(request, settings, past.folder_done))
        return;
    uint32_t file_count = work->metainfo ? work->metainfo->geometry.file_count : 0;
    uint8_t *priorities = memory_new(file_count);
    memset(priorities, CATALOG_PRIORITY_NORMAL, file_count);
    bool has_wishes = transmission_arguments_wishes(request, &wishes);
    /* Which files a link has nobody knows yet. */
    bool has_files =
        file_count && transmission_arguments_priorities(request, priorities, file_count);
    struct catalog_add add = {.metainfo = work->metainfo,
                              .magnet = work->magnet,
                              .torrent = buffer_bytes(&work->torrent),
                              .folder = folder,
                              .stopped = !settings->start_added,
                              .labels = work->labels,
                              .label_count = work->label_count,
                              .wishes = has_wishes || has_past ? &wishes : NULL,
                              .past = has_past ? &past : NULL,
                              .priorities = has_files ? priorities : NULL};
    transmission_arguments_bool(request, "paused", &add.stopped);
    transmission_arguments_bool(request, "choose_files", &add.choose_files);
    const struct catalog_torrent *row = NULL;
    char text[256] = "";
    if (request->fault == FAULT_NONE) {
        enum freshet_error error = catalog_add(world->catalog, &add, world->now, text, &row);
        if (error == FRESHET_OK)
            work->metainfo = NULL; /* the catalog has it */
        work->is_new = error == FRESHET_OK;
        if (row)
            answer(request, row, error == FRESHET_ERROR_EXISTS);
        else
            transmission_rpc_fail_error(request, error, "the torrent can't be added", text);
    }
    memory_free(priorities);
}

/* The file that it was read from goes when the torrent is durable, and not before. */
static enum service_step trash_original(struct transmission_request *request,
                                        const struct service_world *world,
                                        const struct transmission_add *add, struct service_job *job)
{
    bool wanted = add->is_new && add->filename && !url_is_http(add->filename) &&
                  catalog_settings(world->catalog)->trash_original;
    if (!wanted || request->fault || job->error)
        return SERVICE_DONE;
    if (request->stage == STAGE_READY) {
        request->stage = STAGE_ADDED;
        transmission_rpc_job(job, JOB_SAVED, 0, NULL);
        job->change = catalog_change(world->catalog);
        return SERVICE_JOB;
    }
    if (request->stage == STAGE_ADDED) {
        request->stage = STAGE_OVER;
        return transmission_rpc_job(job, JOB_DELETE_FILE, 0, add->filename);
    }
    return SERVICE_DONE;
}

enum service_step transmission_add_step(struct transmission_request *request,
                                        struct service_world *world,
                                        struct transmission_slice *slice, struct service_job *job)
{
    struct transmission_add *add = request->work;
    (void)slice;
    if (request->stage == STAGE_NEW && add->filename) {
        request->stage = STAGE_READING;
        return transmission_rpc_job(job, url_is_http(add->filename) ? JOB_FETCH_URL : JOB_READ_FILE,
                                    0, add->filename);
    }
    if (request->stage == STAGE_READING)
        take_bytes(request, add, job);
    if (request->stage < STAGE_READY) {
        request->stage = STAGE_READY;
        if (request->fault == FAULT_NONE)
            add_one(request, world, add);
    }
    return trash_original(request, world, add, job);
}
