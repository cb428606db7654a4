/* SPDX-License-Identifier: MIT */
#include "host/session_actions.h"

#include "core/base/memory.h"
#include "host/session_torrents.h"

/* One record on its way to the state store. */
struct persisting {
    struct work work;
    struct session *session;
    const struct persist_job *job;
    enum freshet_error error;
};

static void persisting_run(struct work *work)
{
    struct persisting *persisting = LIST_ELEMENT(work, struct persisting, work);

    persisting->error = state_store_persist(persisting->session->state, &persisting->job->record);
}

static void persisting_done(struct work *work)
{
    struct persisting *persisting = LIST_ELEMENT(work, struct persisting, work);
    struct session *session = persisting->session;
    struct event event = {.type = EVENT_JOB_DONE,
                          .job = persisting->job->id,
                          .error = work->cancelled ? FRESHET_ERROR_CANCELLED : persisting->error};

    memory_free(persisting);
    session_parts_input(session, &event);
}

static void session_persist(struct session *session, const struct persist_job *job)
{
    struct persisting *persisting = memory_new(sizeof *persisting);

    persisting->session = session;
    persisting->job = job;
    persisting->work.run = persisting_run;
    persisting->work.done = persisting_done;
    worker_pool_submit(session->state_worker, &persisting->work);
}

static void session_tell(struct session *session, const struct notice *notice)
{
    if (session->options.on_notice)
        session->options.on_notice(session->options.context, notice);
    if (notice->type == NOTICE_REMOVED)
        session_torrents_on_removed(session, notice->torrent);
    if (notice->type == NOTICE_SHUTDOWN_DONE) {
        session->finished = true;
        uv_stop(&session->loop);
    }
}

static void session_cancel(struct session *session, job_id job)
{
    disk_cancel(session->disk, job);
    http_fetch_cancel(session->fetch, job);
    resolver_cancel(session->resolver, job);
}

void session_actions_perform(struct session *session, const struct action *action)
{
    switch (action->type) {
    case ACTION_NONE: break;
    case ACTION_CONNECT:
        stream_sockets_connect(session->streams, action->conn, &action->remote,
                               session->options.transport != TRANSPORT_ANY
                                   ? session->options.transport
                                   : action->transport);
        break;
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
    case ACTION_RESOLVE: resolver_start(session->resolver, action->resolve); break;
    case ACTION_PERSIST: session_persist(session, action->persist); break;
    case ACTION_CANCEL: session_cancel(session, action->job); break;
    case ACTION_TELL: session_tell(session, action->notice); break;
    }
}
