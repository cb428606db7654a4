/* SPDX-License-Identifier: MIT */
#include "host/session_actions.h"

#include "core/base/memory.h"
#include "host/session_torrents.h"

#include <stdio.h>

/* One record on its way to the state store. */
struct persisting {
    struct work work;
    struct session *session;
    const struct persist_job *job;
    struct storage_files *files; /* shared; NULL: they are closed */
    enum freshet_error error;
};

static void persisting_run(struct work *work)
{
    struct persisting *persisting = LIST_ELEMENT(work, struct persisting, work);

    persisting->error = state_store_persist(persisting->session->state, &persisting->job->record);
    /* A file whose pieces are all recorded is complete. What cannot be renamed keeps its ".part"
     * and is tried again with the next record. */
    if (!persisting->error && persisting->files)
        storage_files_drop_recorded(persisting->files, persisting->job->record.pieces);
}

static void persisting_done(struct work *work)
{
    struct persisting *persisting = LIST_ELEMENT(work, struct persisting, work);
    struct session *session = persisting->session;
    struct event event = {.type = EVENT_JOB_DONE,
                          .job = persisting->job->id,
                          .error = work->cancelled ? FRESHET_ERROR_CANCELLED : persisting->error};

    storage_files_free(persisting->files);
    memory_free(persisting);
    session_parts_input(session, &event);
}

static void session_persist(struct session *session, const struct persist_job *job)
{
    struct persisting *persisting = memory_new(sizeof *persisting);

    persisting->session = session;
    persisting->job = job;
    persisting->files = disk_files_of(session->disk, job->record.info_hash);
    persisting->work.run = persisting_run;
    persisting->work.done = persisting_done;
    worker_pool_submit(session->state_worker, &persisting->work);
}

/* Files that a kill left behind between their record and their name. */
struct naming {
    struct work work;
    struct storage_files *files;
    uint8_t *complete;
};

static void naming_run(struct work *work)
{
    struct naming *naming = LIST_ELEMENT(work, struct naming, work);

    storage_files_drop_suffixes(naming->files, naming->complete);
}

static void naming_done(struct work *work)
{
    struct naming *naming = LIST_ELEMENT(work, struct naming, work);

    storage_files_free(naming->files);
    memory_free(naming->complete);
    memory_free(naming);
}

static void session_name_complete(struct session *session, torrent_id id)
{
    struct storage_files *files = disk_files(session->disk, id);

    if (!files || !storage_files_has_suffixes(files)) {
        storage_files_free(files);
        return;
    }
    const struct storage_layout *layout = storage_files_layout(files);
    uint64_t *bytes = memory_new_array(layout->file_count, sizeof *bytes);
    struct naming *naming = memory_new(sizeof *naming);
    naming->files = files;
    naming->complete = memory_new(layout->file_count);
    if (engine_torrent_file_bytes(session->engine, id, bytes, layout->file_count))
        for (uint32_t i = 0; i < layout->file_count; i++)
            naming->complete[i] = bytes[i] == layout->files[i].length;
    memory_free(bytes);
    naming->work.run = naming_run;
    naming->work.done = naming_done;
    worker_pool_submit(session->state_worker, &naming->work);
}

static void session_tell(struct session *session, const struct notice *notice)
{
    if (session->options.on_notice)
        session->options.on_notice(session->options.context, notice);
    if (notice->type == NOTICE_READY)
        session_name_complete(session, notice->torrent);
    if (notice->type == NOTICE_REMOVED)
        session_torrents_on_removed(session, notice->torrent);
    if (notice->type == NOTICE_SHUTDOWN_DONE) {
        session->finished = true;
        if (!session->is_unmapping)
            uv_stop(&session->loop);
    }
}

static void session_cancel(struct session *session, job_id job)
{
    disk_cancel(session->disk, job);
    http_fetch_cancel(session->fetch, job);
    resolver_cancel(session->resolver, job);
}

/* A name would be asked of somebody who is not the proxy. */
static void session_resolve(struct session *session, const struct resolve_job *job)
{
    char text[LIMIT_HOST_LENGTH + 128];
    bool is_number = address_from_text(job->host, true, &(struct address){0});

    if (!is_number && network_route_has_proxy(&session->options.route) && !session->told_names &&
        session->options.on_words) {
        session->told_names = true;
        snprintf(text, sizeof text, "%s and other names are not looked up for UDP: a proxy is set",
                 job->host);
        session->options.on_words(session->options.context, text);
    }
    resolver_start(session->resolver, job);
}

/* Has the command line or a person's setting left the one that the engine wishes? It was told, but
 * may have said so a moment earlier. */
static bool session_has_transport(const struct session *session, enum transport wished)
{
    enum transport all = session->options.transport;

    return wished == TRANSPORT_ANY ||
           (all == TRANSPORT_ANY ? wished == TRANSPORT_TCP || !session->utp_off : all == wished);
}

/* Where it has no wish. */
static enum transport session_transport(const struct session *session)
{
    if (session->options.transport != TRANSPORT_ANY)
        return session->options.transport;
    /* No turning to uTP where no datagram gets through. */
    bool has_utp = !session->utp_off && datagram_socket_is_through(session->datagrams);
    return has_utp ? TRANSPORT_ANY : TRANSPORT_TCP;
}

/* That or nothing: no other takes its place. */
static void session_connect(struct session *session, const struct action *action)
{
    enum transport wished = action->transport;
    struct event failed = {
        .type = EVENT_CLOSED, .conn = action->conn, .error = FRESHET_ERROR_UNSUPPORTED};

    if (!session_has_transport(session, wished))
        session_parts_input(session, &failed);
    else
        stream_sockets_connect(session->streams, action->conn, &action->remote,
                               wished == TRANSPORT_ANY ? session_transport(session) : wished);
}

void session_actions_perform(struct session *session, const struct action *action)
{
    switch (action->type) {
    case ACTION_NONE: break;
    case ACTION_CONNECT: session_connect(session, action); break;
    case ACTION_SEND: stream_sockets_send(session->streams, action); break;
    case ACTION_SEND_DATAGRAM:
        datagram_socket_send(session->datagrams, &action->remote, action->bytes);
        break;
    case ACTION_SEND_LOCAL:
        local_socket_send(session->local, &action->remote, action->bytes);
        break;
    case ACTION_RECEIVE_PAUSE: stream_sockets_pause(session->streams, action->conn, true); break;
    case ACTION_RECEIVE_RESUME: stream_sockets_pause(session->streams, action->conn, false); break;
    case ACTION_ENCRYPT:
        stream_sockets_encrypt(session->streams, action->conn, action->cipher);
        break;
    case ACTION_CLOSE: stream_sockets_close(session->streams, action->conn); break;
    case ACTION_DISK: disk_submit(session->disk, action->disk); break;
    case ACTION_FETCH: http_fetch_start(session->fetch, action->fetch); break;
    case ACTION_RESOLVE: session_resolve(session, action->resolve); break;
    case ACTION_PERSIST: session_persist(session, action->persist); break;
    case ACTION_CANCEL: session_cancel(session, action->job); break;
    case ACTION_TELL: session_tell(session, action->notice); break;
    }
}
