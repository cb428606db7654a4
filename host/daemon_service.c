/* SPDX-License-Identifier: MIT */
/*
 * The pump: one place where the catalog is asked what it wants, in a turn of the loop of its own,
 * woken by whatever happened. It takes at most a millisecond a turn.
 */
#include "host/daemon_service.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/daemon_log.h"
#include "host/daemon_service_state.h"
#include "host/entropy.h"
#include "host/rpc_socket.h"
#include "host/service_notify.h"
#include "host/state_lock.h"
#include "services/stream/stream_key.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PUMP_NS        MILLISECOND_NS
#define SAMPLES_A_STEP 32u
#define CLOCK_EVERY_S  20u
#define KEEP_EVERY_S   60u /* totals */

/* ---- the pump ---- */

/* What it sent and received since it was sampled goes into its sums. */
static void sample_last(struct daemon_service *daemon, torrent_id id)
{
    struct torrent_status status = {0};

    if (engine_torrent_status(session_engine(daemon->session), id, &status))
        catalog_sample_last(daemon->catalog, id, &status, clock_now());
}

static void perform(struct daemon_service *daemon, const struct catalog_action *action)
{
    switch (action->type) {
    case CATALOG_SAVE_SETTINGS:
        daemon_settings_apply(daemon);
        daemon_watch_apply(daemon);
        daemon_feeds_apply(daemon);
        daemon_saves_add(daemon, action);
        break;
    case CATALOG_SAVE:
    case CATALOG_FORGET:
    case CATALOG_TRACKERS: daemon_saves_add(daemon, action); break;
    case CATALOG_OPEN: daemon_open(daemon, action); break;
    case CATALOG_OPEN_MAGNET: daemon_open_magnet(daemon, action); break;
    case CATALOG_CLOSE: {
        struct engine_command command = {.type = COMMAND_REMOVE_TORRENT, .torrent = action->id};
        sample_last(daemon, action->id);
        session_command(daemon->session, &command);
        break;
    }
    case CATALOG_COMMAND: session_command(daemon->session, &action->command); break;
    case CATALOG_TELL_TRACKERS: daemon_trackers_tell(daemon, action); break;
    case CATALOG_OPTIONS: daemon_open_tune(daemon, action); break;
    case CATALOG_MOVE:
    case CATALOG_RENAME:
    case CATALOG_DELETE: daemon_deeds_start(daemon, action); break;
    case CATALOG_ACTION_NONE: break;
    }
}

static void on_deadline(uv_timer_t *timer)
{
    daemon_service_wake(timer->data);
}

static void set_deadline(struct daemon_service *daemon)
{
    int64_t deadline = catalog_deadline(daemon->catalog), now = clock_now();

    if (deadline == INT64_MAX) {
        uv_timer_stop(&daemon->deadline);
        return;
    }
    int64_t wait_ms = deadline <= now ? 1 : (deadline - now) / MILLISECOND_NS + 1;
    uv_timer_start(&daemon->deadline, on_deadline, (uint64_t)wait_ms, 0);
}

static void stop(struct daemon_service *daemon, const char *why)
{
    if (daemon->is_stopping)
        return;
    daemon->is_stopping = true;
    daemon_log("info", "stopping", "why", why, NULL);
    service_notify("STOPPING=1\nSTATUS=Telling trackers, writing what is left");
    for (uint32_t i = 0; i < catalog_count(daemon->catalog); i++)
        sample_last(daemon, catalog_at(daemon->catalog, i)->id);
    catalog_shutdown(daemon->catalog, clock_now());
    daemon_deeds_cancel(daemon);
    session_shutdown(daemon->session);
    daemon_service_wake(daemon);
}

static void pump(struct daemon_service *daemon)
{
    int64_t now = clock_now(), until = now + PUMP_NS;
    struct catalog_action action;
    bool more = true;

    if (catalog_deadline(daemon->catalog) <= now)
        catalog_tick(daemon->catalog, now);
    if (!daemon->is_stopping)
        daemon_open_waiting(daemon);
    while (daemon->is_sampling && clock_now() < until)
        daemon->is_sampling =
            catalog_sample(daemon->catalog, session_engine(daemon->session), SAMPLES_A_STEP, now);
    while (clock_now() < until && (more = catalog_output(daemon->catalog, now, &action)))
        perform(daemon, &action);
    daemon_saves_flush(daemon);
    if (more || daemon->is_sampling)
        daemon_service_wake(daemon);
    if (daemon->shutdown_asked && !rpc_server_is_busy(daemon->rpc))
        stop(daemon, "asked over the RPC");
    set_deadline(daemon);
}

static void on_wake(uv_idle_t *wake)
{
    uv_idle_stop(wake); /* the pump may start it again, for the turn after this one */
    pump(wake->data);
}

void daemon_service_wake(struct daemon_service *daemon)
{
    uv_idle_start(&daemon->wake, on_wake);
}

/* ---- what happens ---- */

static void log_notice(struct daemon_service *daemon, const struct notice *notice)
{
    const struct catalog_torrent *torrent = catalog_find(daemon->catalog, notice->torrent);
    char text[256];

    if (!torrent)
        return;
    switch (notice->type) {
    case NOTICE_COMPLETE:
        daemon_log("info", "complete", "hash", torrent->hash, "name", torrent->name, NULL);
        break;
    case NOTICE_ERROR:
    case NOTICE_PERSIST_FAILED:
        daemon_log("error", notice->type == NOTICE_ERROR ? "stopped" : "not-recorded", "hash",
                   torrent->hash, "name", torrent->name, "error", error_text(notice->error), NULL);
        break;
    case NOTICE_DISK_FULL:
        daemon_log("warning", "disk-full", "hash", torrent->hash, "name", torrent->name, NULL);
        break;
    case NOTICE_STORAGE_ABSENT:
        daemon_log("warning", "storage-absent", "hash", torrent->hash, "folder", torrent->folder,
                   NULL);
        break;
    case NOTICE_FILE_CHANGED:
        daemon_log("warning", "file-changed", "hash", torrent->hash, "name", torrent->name, NULL);
        break;
    case NOTICE_TRACKER_ERROR:
        snprintf(text, sizeof text, "%.*s: %.*s",
                 (int)(notice->url.length > 80 ? 80 : notice->url.length),
                 (const char *)notice->url.data,
                 (int)(notice->text.length > 160 ? 160 : notice->text.length),
                 (const char *)notice->text.data);
        daemon_log("info", "tracker-error", "hash", torrent->hash, "text", text, NULL);
        break;
    default: break;
    }
}

static void on_notice(void *context, const struct notice *notice)
{
    struct daemon_service *daemon = context;

    if (notice->type == NOTICE_SHUTDOWN_DONE)
        return;
    log_notice(daemon, notice);
    if (notice->type == NOTICE_READY || notice->type == NOTICE_COMPLETE)
        daemon->is_sampling = true;
    if (notice->type == NOTICE_METADATA)
        daemon_open_metadata(daemon, notice->torrent);
    catalog_on_notice(daemon->catalog, notice, clock_now());
    daemon_service_wake(daemon);
}

static void on_words(void *context, const char *text)
{
    (void)context;
    daemon_log("warning", "network", "text", text, NULL);
}

static void on_signal(void *context, int signal_number)
{
    struct daemon_service *daemon = context;

    if (daemon->is_stopping)
        _exit(0); /* asked twice: what is durable is, the rest is checked at the next start */
    stop(daemon, signal_number == SIGINT ? "SIGINT" : "SIGTERM");
}

/* Others know us under an address, or in a moment, that is gone. */
static void on_network_changed(void *context, int64_t slept_ns)
{
    struct daemon_service *daemon = context;

    daemon_log("info", "network-changed", NULL);
    http_fetch_network_changed(daemon->fetch);
    session_network_changed(daemon->session, slept_ns);
}

static void tell_clock(struct daemon_service *daemon)
{
    int64_t wall_s = clock_wall() / SECOND_NS;
    time_t seconds = (time_t)wall_s;
    struct tm local;

    localtime_r(&seconds, &local);
    catalog_on_clock(daemon->catalog, wall_s,
                     (uint32_t)(local.tm_wday * 24 * 60 + local.tm_hour * 60 + local.tm_min),
                     clock_now());
}

static void on_second(uv_timer_t *timer)
{
    struct daemon_service *daemon = timer->data;

    daemon->is_sampling = true;
    daemon_totals_count(daemon);
    if (daemon->seconds % KEEP_EVERY_S == KEEP_EVERY_S - 1)
        daemon_totals_keep(daemon);
    daemon->revisions[daemon->seconds % 60] = catalog_revision(daemon->catalog);
    if (daemon->seconds++ % CLOCK_EVERY_S == 0)
        tell_clock(daemon);
    daemon_copy_second(daemon);
    daemon_watch_second(daemon);
    daemon_feeds_second(daemon);
    daemon_service_wake(daemon);
}

/* ---- life ---- */

static void after(void *context)
{
    daemon_service_wake(context);
}

static enum freshet_error lock_folder(struct daemon_service *daemon, char *ret_text, pid_t *ret_pid)
{
    char path[LIMIT_PATH_LENGTH + 32];

    snprintf(path, sizeof path, "%s/daemon.lock", daemon->folder);
    enum freshet_error error = state_lock_take(path, &daemon->lock, ret_pid);
    if (error == FRESHET_ERROR_BUSY)
        snprintf(ret_text, SESSION_TEXT_SIZE, "a daemon (process %ld) has the state in %.300s",
                 (long)*ret_pid, daemon->folder);
    else if (error)
        snprintf(ret_text, SESSION_TEXT_SIZE, "cannot lock %.300s: %s", path, error_text(error));
    return error;
}

static enum freshet_error listen_local(struct daemon_service *daemon, char *ret_text,
                                       pid_t *ret_pid, int *descriptor)
{
    if (*descriptor >= 0 || daemon->socket[0] == '\0')
        return FRESHET_OK;
    enum freshet_error error = rpc_socket_listen_local(daemon->socket, descriptor, ret_pid);
    daemon->owns_socket = !error;
    if (error == FRESHET_ERROR_BUSY)
        snprintf(ret_text, SESSION_TEXT_SIZE, "a daemon (process %ld) listens on %.300s",
                 (long)*ret_pid, daemon->socket);
    else if (error)
        snprintf(ret_text, SESSION_TEXT_SIZE, "cannot listen on %.300s: %s", daemon->socket,
                 error == FRESHET_ERROR_LIMIT ? "the path is too long for a socket"
                                              : error_text(error));
    return error;
}

static enum freshet_error listen_tcp(struct daemon_service *daemon, char *ret_text, int *descriptor)
{
    char text[ADDRESS_TEXT_SIZE];

    if (*descriptor >= 0 || daemon->options.rpc.family == ADDRESS_NONE)
        return FRESHET_OK;
    enum freshet_error error = rpc_socket_listen(&daemon->options.rpc, descriptor);
    if (error) {
        address_to_text(&daemon->options.rpc, text);
        snprintf(ret_text, SESSION_TEXT_SIZE, "the RPC cannot listen on %s: %s", text,
                 error == FRESHET_ERROR_BUSY ? "in use by another program" : error_text(error));
    }
    return error;
}

/* A full disk is no reason not to start: links are then good for this run. */
static void make_stream_secret(struct daemon_service *daemon)
{
    char links[RPC_TOKEN_SIZE];
    enum freshet_error error = rpc_token_load(daemon->folder, RPC_TOKEN_LINKS, true, links);

    if (error) {
        entropy_fill(daemon->stream_secret, sizeof daemon->stream_secret);
        daemon_log("warning", "links-for-this-run", "file", RPC_TOKEN_LINKS, "error",
                   error_text(error), NULL);
    } else {
        stream_key_secret(links, daemon->stream_secret);
    }
    daemon->world.stream_secret = daemon->stream_secret;
}

static enum freshet_error start_rpc(struct daemon_service *daemon, char *ret_text, pid_t *ret_pid)
{
    struct rpc_server_options options = {
        .loop = session_loop(daemon->session),
        .services = daemon->options.services,
        .service_count = daemon->options.service_count,
        .hosts = daemon->options.hosts,
        .host_count = daemon->options.host_count,
        .login = daemon->options.login,
        .world = &daemon->world,
        .refresh = daemon_world_refresh,
        .after = after,
        .perform = daemon_jobs_start,
        .files = &daemon->files,
        .context = daemon,
    };
    char control[RPC_TOKEN_SIZE], reads[RPC_TOKEN_SIZE];
    enum freshet_error error = rpc_token_load(daemon->folder, RPC_TOKEN_CONTROL, true, control);

    if (!error)
        error = rpc_token_load(daemon->folder, RPC_TOKEN_READ, true, reads);
    if (error) {
        snprintf(ret_text, SESSION_TEXT_SIZE,
                 "the tokens of the RPC in %.300s: %s (files rpc-token, rpc-token-read; mode 0600)",
                 daemon->folder, error_text(error));
        return error;
    }
    options.control_token = daemon->options.token ? daemon->options.token : control;
    options.read_token = reads;
    options.token_is_chosen = daemon->options.token || !rpc_token_is_generated(control);
    options.read_token_is_chosen = !rpc_token_is_generated(reads);
    rpc_socket_inherit(&options.local_descriptor, &options.tcp_descriptor);
    error = listen_local(daemon, ret_text, ret_pid, &options.local_descriptor);
    if (!error)
        error = listen_tcp(daemon, ret_text, &options.tcp_descriptor);
    if (!error) {
        error = rpc_server_new(&options, &daemon->rpc);
        if (error)
            snprintf(ret_text, SESSION_TEXT_SIZE, "the RPC cannot start: %s", error_text(error));
    }
    if (!error) {
        struct address tcp = rpc_server_address(daemon->rpc);
        if (tcp.family != ADDRESS_NONE)
            address_to_text(&tcp, daemon->page);
        snprintf(daemon->token, sizeof daemon->token, "%s", options.control_token);
        daemon->world.page = daemon->page;
        daemon->world.token = daemon->token;
        daemon->world.session_id_number = rpc_server_session_number(daemon->rpc);
        make_stream_secret(daemon);
        return FRESHET_OK;
    }
    if (options.local_descriptor >= 0)
        close(options.local_descriptor);
    if (options.tcp_descriptor >= 0)
        close(options.tcp_descriptor);
    return error;
}

static void start_handles(struct daemon_service *daemon)
{
    uv_loop_t *loop = session_loop(daemon->session);

    CHECK(uv_idle_init(loop, &daemon->wake) == 0);
    CHECK(uv_timer_init(loop, &daemon->deadline) == 0);
    CHECK(uv_timer_init(loop, &daemon->second) == 0);
    CHECK(uv_timer_init(loop, &daemon->retry) == 0);
    daemon->wake.data = daemon->deadline.data = daemon->second.data = daemon->retry.data = daemon;
    uv_timer_start(&daemon->second, on_second, 0, 1000);
    daemon->state_worker = worker_pool_new(loop, 1, WORKER_TRANSFER);
    daemon->deed_workers = worker_pool_new(loop, 2, WORKER_MODEST);
    daemon->intake_workers = worker_pool_new(loop, 2, WORKER_TRANSFER);
    daemon->copy_worker = worker_pool_new(loop, 1, WORKER_MODEST);
    daemon->fetch = http_fetch_new(loop, NULL, daemon_jobs_on_fetched, daemon);
    http_fetch_set_route(daemon->fetch, session_route(daemon->session));
    daemon->watch = network_watch_new(loop, on_network_changed, daemon);
    daemon->readers = daemon_readers_new(daemon, &daemon->files);
    turn_meter_start(&daemon->meter, loop);
    daemon->world.turns = &daemon->meter.turns;
}

enum freshet_error daemon_service_new(const struct daemon_service_options *options,
                                      char ret_text[SESSION_TEXT_SIZE], pid_t *ret_pid,
                                      struct daemon_service **ret_service)
{
    struct daemon_service *daemon = memory_new(sizeof *daemon);
    enum freshet_error error = FRESHET_OK;

    *ret_pid = 0;
    ret_text[0] = '\0';
    daemon->options = *options;
    daemon->lock = -1;
    daemon->saves = daemon_saves_new(daemon);
    daemon->copy = daemon_copy_new(daemon);
    list_init(&daemon->openings);
    list_init(&daemon->deeds);
    list_init(&daemon->jobs);
    daemon->options.session.on_notice = on_notice;
    daemon->options.session.on_words = on_words;
    daemon->options.session.on_signal = on_signal;
    daemon->options.session.on_port_mapping = daemon_port_mapping_changed;
    daemon->options.session.context = daemon;
    if (options->session.state_folder)
        snprintf(daemon->folder, sizeof daemon->folder, "%s", options->session.state_folder);
    else if (!state_store_default_folder(daemon->folder))
        error = FRESHET_ERROR_USAGE;
    if (error) {
        snprintf(ret_text, SESSION_TEXT_SIZE, "no home for the state: set HOME or use --state");
        goto fail;
    }
    daemon->options.session.state_folder = daemon->folder;
    if (options->socket)
        snprintf(daemon->socket, sizeof daemon->socket, "%s", options->socket);
    else if (options->session.state_folder) /* a daemon apart from the usual one */
        snprintf(daemon->socket, sizeof daemon->socket, "%.4000s/freshet.sock", daemon->folder);
    else
        rpc_socket_default_path(daemon->folder, daemon->socket);
    error = state_store_make_folder(daemon->folder);
    if (!error)
        error = lock_folder(daemon, ret_text, ret_pid);
    if (error)
        goto fail;
    error = session_new(&daemon->options.session, ret_text, &daemon->session);
    if (error)
        goto fail;
    daemon->ip_filter = daemon_ip_filter_new(daemon);
    start_handles(daemon);
    error = daemon_restore(daemon, ret_text);
    if (!error) {
        daemon_world_make(daemon);
        daemon_totals_load(daemon);
        error = start_rpc(daemon, ret_text, ret_pid);
    }
    if (error)
        goto fail;
    tell_clock(daemon);
    daemon->dht_runs = !daemon->options.session.no_dht;
    daemon_ip_filter_start(daemon);
    daemon_settings_apply(daemon);
    daemon_watch_apply(daemon);
    daemon_feeds_apply(daemon);
    catalog_restored(daemon->catalog, clock_now());
    daemon_service_wake(daemon);
    *ret_service = daemon;
    return FRESHET_OK;
fail:
    daemon_service_free(daemon);
    return error;
}

static void tell_ready(struct daemon_service *daemon)
{
    char text[128];

    if (daemon->world.state_trouble)
        daemon_log("error", "state-replaced", "recovery", daemon->world.state_trouble, NULL);
    snprintf(text, sizeof text, "READY=1\nSTATUS=%u torrents", catalog_count(daemon->catalog));
    service_notify(text);
    snprintf(text, sizeof text, "%u", catalog_count(daemon->catalog));
    daemon_log("info", "ready", "torrents", text, "state", daemon->folder, NULL);
}

void daemon_service_run(struct daemon_service *daemon)
{
    tell_ready(daemon);
    turn_meter_restart(&daemon->meter);
    session_run(daemon->session);
    daemon->is_stopping = true;
    daemon_saves_finish(daemon);
    daemon_watch_finish(daemon);
    daemon_feeds_finish(daemon);
    daemon_totals_count(daemon);
    struct daemon_totals totals = daemon_totals_all(daemon);
    daemon_totals_save(session_state(daemon->session), &totals);
    daemon_copy_finish(daemon);
    daemon_log("info", "stopped", NULL);
}

/* Workers first: what they tell may start more work, until they are gone. */
static void close_handles(struct daemon_service *daemon)
{
    daemon_jobs_cancel(daemon);
    daemon_deeds_cancel(daemon);
    daemon_open_drop(daemon);
    worker_pool_free(daemon->copy_worker);
    worker_pool_free(daemon->intake_workers);
    worker_pool_free(daemon->deed_workers);
    worker_pool_free(daemon->state_worker);
    daemon_watch_free(daemon);
    daemon_feeds_free(daemon);
    if (daemon->rpc)
        rpc_server_close(daemon->rpc);
    daemon_readers_close(daemon->readers);
    http_fetch_free(daemon->fetch);
    network_watch_close(daemon->watch);
    turn_meter_close(&daemon->meter);
    uv_close((uv_handle_t *)&daemon->wake, NULL);
    uv_close((uv_handle_t *)&daemon->deadline, NULL);
    uv_close((uv_handle_t *)&daemon->second, NULL);
    uv_close((uv_handle_t *)&daemon->retry, NULL);
}

void daemon_service_free(struct daemon_service *daemon)
{
    if (!daemon)
        return;
    daemon->is_stopping = true;
    if (daemon->session) {
        close_handles(daemon);
        daemon_known_deinit(daemon);
        daemon_trackers_deinit(daemon);
        daemon_saves_free(daemon->saves);
        daemon->saves = NULL;
        session_free(daemon->session); /* runs the loop until all handles are gone */
        daemon_ip_filter_free(daemon->ip_filter);
    }
    if (daemon->owns_socket)
        unlink(daemon->socket);
    daemon_saves_free(daemon->saves);
    daemon_copy_free(daemon->copy);
    catalog_free(daemon->catalog);
    state_lock_release(daemon->lock);
    memory_free(daemon);
}

struct address daemon_service_listen_address(const struct daemon_service *daemon)
{
    return session_listen_address(daemon->session);
}

struct address daemon_service_rpc_address(const struct daemon_service *daemon)
{
    return rpc_server_address(daemon->rpc);
}

const char *daemon_service_socket(const struct daemon_service *daemon)
{
    return daemon->socket;
}
