/* SPDX-License-Identifier: MIT */
/* What calls of the RPC need of the machine (services/rpc/service.h): never on the loop's thread.
 */
#include "host/daemon_service_state.h"

#include "core/base/memory.h"
#include "core/base/url.h"
#include "host/clock.h"
#include "host/daemon_content.h"
#include "host/posix_error.h"
#include "host/root_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FETCH_TIMEOUT_NS (30 * SECOND_NS)

struct daemon_job {
    struct work work;
    struct daemon_service *daemon;
    struct rpc_job *rpc;
    job_id fetch;
    bool is_fetch, is_waiting;
    /* CONTENT */
    struct daemon_content_source source;
    struct metainfo *metainfo;
    struct bitfield pieces;
    bool has_pieces;
};

static void job_fail(struct service_job *job, enum freshet_error error, const char *text)
{
    job->error = error;
    snprintf(job->error_text, sizeof job->error_text, "%s", text ? text : error_text(error));
}

static void job_end(struct daemon_job *job)
{
    struct rpc_job *rpc = job->rpc;

    list_remove(&job->daemon->jobs, &rpc->node);
    metainfo_free(job->metainfo);
    if (job->has_pieces)
        bitfield_deinit(&job->pieces);
    daemon_content_source_deinit(&job->source);
    memory_free(job);
    rpc_server_job_done(rpc);
}

/* ---- on a worker ---- */

static void read_file(struct service_job *job)
{
    struct stat stat_of;
    uint8_t part[65536];
    int fd = open(job->text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &stat_of) != 0 || !S_ISREG(stat_of.st_mode)) {
        job_fail(job, fd < 0 ? posix_error_of_file(errno) : FRESHET_ERROR_USAGE,
                 fd < 0 ? strerror(errno) : "is no file");
    } else {
        ssize_t got;
        while ((got = read(fd, part, sizeof part)) > 0 &&
               job->ret_bytes.length <= LIMIT_TORRENT_FILE_SIZE)
            buffer_append(&job->ret_bytes, part, (size_t)got);
        if (got < 0)
            job_fail(job, posix_error_of_file(errno), NULL);
        else if (job->ret_bytes.length > LIMIT_TORRENT_FILE_SIZE)
            job_fail(job, FRESHET_ERROR_LIMIT, NULL);
    }
    if (fd >= 0)
        close(fd);
}

/* Parsing may take long: a torrent of a million files. */
static void parse(struct service_job *job)
{
    char reason[METAINFO_REASON_SIZE] = "";

    if (!job->error && metainfo_parse(buffer_bytes(&job->ret_bytes), &job->ret_metainfo, reason))
        snprintf(job->error_text, sizeof job->error_text, "%s", reason);
}

static void delete_file(struct service_job *job)
{
    if (unlink(job->text) != 0)
        job_fail(job, posix_error_of_file(errno), strerror(errno));
}

/* Of the folder, or of the nearest one above it that is there. */
static void free_space(struct service_job *job)
{
    char path[LIMIT_PATH_LENGTH + 1];
    struct statvfs space;

    snprintf(path, sizeof path, "%s", job->text);
    while (statvfs(path, &space) != 0) {
        char *slash = strrchr(path, '/');
        if (errno != ENOENT || !slash || slash[1] == '\0') {
            job_fail(job, posix_error_of_file(errno), NULL);
            return;
        }
        slash[slash == path] = '\0';
    }
    job->ret_free = (uint64_t)space.f_bavail * space.f_frsize;
    job->ret_total = (uint64_t)space.f_blocks * space.f_frsize;
}

static void load_content(struct daemon_job *job)
{
    struct state_store *state = session_state(job->daemon->session);
    char reason[METAINFO_REASON_SIZE], root[LIMIT_PATH_LENGTH + 1];
    struct buffer pieces = {0};
    enum freshet_error error = daemon_content_load(state, &job->source, &job->metainfo, reason);

    if (error) {
        job_fail(&job->rpc->job, error, reason);
        return;
    }
    if (root_path_resolve(job->source.folder, root) == FRESHET_OK &&
        state_store_pieces(state, job->source.key, root, &pieces) == FRESHET_OK) {
        bitfield_init(&job->pieces, job->metainfo->geometry.piece_count);
        job->has_pieces = true;
        if (bitfield_load(&job->pieces, buffer_bytes(&pieces)))
            bitfield_clear_all(&job->pieces);
    }
    buffer_deinit(&pieces);
}

static void job_run(struct work *work)
{
    struct daemon_job *job = LIST_ELEMENT(work, struct daemon_job, work);

    switch (job->rpc->job.type) {
    case JOB_READ_FILE:
        read_file(&job->rpc->job);
        parse(&job->rpc->job);
        break;
    case JOB_FETCH_URL: parse(&job->rpc->job); break; /* it has come */
    case JOB_DELETE_FILE: delete_file(&job->rpc->job); break;
    case JOB_FREE_SPACE: free_space(&job->rpc->job); break;
    case JOB_CONTENT: load_content(job); break;
    default: break;
    }
}

static void job_done(struct work *work)
{
    struct daemon_job *job = LIST_ELEMENT(work, struct daemon_job, work);

    if (work->cancelled)
        job_fail(&job->rpc->job, FRESHET_ERROR_CANCELLED, NULL);
    else if (job->metainfo && catalog_find(job->daemon->catalog, job->rpc->job.id)) {
        daemon_known_put(job->daemon, job->rpc->job.id, job->metainfo,
                         job->has_pieces ? &job->pieces : NULL);
        job->metainfo = NULL;
        job->has_pieces = false;
    }
    job_end(job);
}

/* ---- on the loop ---- */

static void start_fetch(struct daemon_job *job)
{
    struct fetch_job fetch = {.id = job->fetch = ++job->daemon->fetch_next,
                              .url = job->rpc->job.text,
                              .timeout_ns = FETCH_TIMEOUT_NS,
                              .body_max = LIMIT_TORRENT_FILE_SIZE};

    job->is_fetch = true;
    http_fetch_start_for_person(job->daemon->fetch, &fetch, NULL);
}

static void on_list_read(void *context, enum freshet_error error, const char *text, uint32_t rules)
{
    struct daemon_job *job = context;

    if (error)
        job_fail(&job->rpc->job, error, text);
    job->rpc->job.ret_number = rules;
    job_end(job);
}

/* Tens of megabytes are not copied on the loop. */
static void take_list(struct daemon_job *job)
{
    struct buffer list;

    http_fetch_take_body(job->daemon->fetch, &list);
    if (daemon_ip_filter_update(job->daemon, &list, on_list_read, job))
        return;
    buffer_deinit(&list);
    job_fail(&job->rpc->job, FRESHET_ERROR_BUSY, "a list is being read already");
    job_end(job);
}

void daemon_jobs_on_fetched(void *context, struct event *event)
{
    struct daemon_service *daemon = context;

    for (struct list_node *node = list_first(&daemon->jobs); node;
         node = list_next(&daemon->jobs, node)) {
        struct rpc_job *rpc = LIST_ELEMENT(node, struct rpc_job, node);
        struct daemon_job *job = rpc->performer;
        char text[64];
        if (!job->is_fetch || job->fetch != event->job)
            continue;
        snprintf(text, sizeof text, "the server answered %d", (int)event->result.fetched.status);
        job->is_fetch = false;
        if (!event->error && rpc->job.type == JOB_BLOCKLIST) {
            take_list(job);
            return;
        }
        if (event->error) {
            job_fail(&rpc->job, event->error, event->error == FRESHET_ERROR_HTTP ? text : NULL);
            job_end(job);
            return;
        }
        buffer_append(&rpc->job.ret_bytes, event->result.fetched.body.data,
                      event->result.fetched.body.length);
        worker_pool_submit(daemon->deed_workers, &job->work);
        return;
    }
}

/* false: it is done, or failed at once. */
static bool prepare_content(struct daemon_job *job)
{
    struct service_content content;
    const struct catalog_torrent *torrent = catalog_find(job->daemon->catalog, job->rpc->job.id);

    if (!torrent || torrent->metadata_missing) {
        job_fail(&job->rpc->job, FRESHET_ERROR_NOT_FOUND, NULL);
        return false;
    }
    if (daemon_known_find(job->daemon, torrent->id, &content))
        return false;
    daemon_content_source_init(&job->source, torrent);
    return true;
}

void daemon_jobs_on_saved(struct daemon_service *daemon)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&daemon->jobs); node; node = next) {
        struct rpc_job *rpc = LIST_ELEMENT(node, struct rpc_job, node);
        struct daemon_job *job = rpc->performer;
        next = list_next(&daemon->jobs, node);
        if (job->is_waiting && catalog_saved(daemon->catalog) >= rpc->job.change)
            job_end(job);
    }
}

void daemon_jobs_start(void *context, struct rpc_job *rpc)
{
    struct daemon_service *daemon = context;
    struct daemon_job *job = memory_new(sizeof *job);
    bool on_worker = false;

    job->daemon = daemon;
    job->rpc = rpc;
    rpc->performer = job;
    job->work.run = job_run;
    job->work.done = job_done;
    list_append(&daemon->jobs, &rpc->node);
    switch (rpc->job.type) {
    case JOB_READ_FILE:
    case JOB_DELETE_FILE:
    case JOB_FREE_SPACE: on_worker = true; break;
    case JOB_CONTENT: on_worker = prepare_content(job); break;
    case JOB_FETCH_URL:
    case JOB_BLOCKLIST:
        if (url_is_http(rpc->job.text)) {
            start_fetch(job);
            return;
        }
        job_fail(&rpc->job, FRESHET_ERROR_UNSUPPORTED, "only http and https are fetched");
        break;
    case JOB_SAVED:
        job->is_waiting = true;
        daemon_service_wake(daemon);
        if (catalog_saved(daemon->catalog) < rpc->job.change)
            return;
        break;
    case JOB_SHUTDOWN:
        daemon->shutdown_asked = true;
        daemon_service_wake(daemon);
        break;
    case JOB_NONE: break;
    }
    if (on_worker)
        worker_pool_submit(daemon->deed_workers, &job->work);
    else
        job_end(job);
}

void daemon_jobs_cancel(struct daemon_service *daemon)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&daemon->jobs); node; node = next) {
        struct rpc_job *rpc = LIST_ELEMENT(node, struct rpc_job, node);
        struct daemon_job *job = rpc->performer;
        next = list_next(&daemon->jobs, node);
        if (!job->is_fetch && !job->is_waiting)
            continue; /* its worker tells */
        job_fail(&rpc->job, FRESHET_ERROR_CANCELLED, NULL);
        job_end(job);
    }
}
