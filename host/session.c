/* SPDX-License-Identifier: MIT */
#include "host/session.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/descriptor_limit.h"
#include "host/entropy.h"
#include "host/ip_filter_file.h"
#include "host/session_actions.h"
#include "host/session_dht.h"
#include "host/session_listen.h"
#include "host/session_port_mapping.h"
#include "host/session_torrents.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PUMP_ROUNDS_MAX    64
#define WALL_CLOCK_JUMP_NS (2 * SECOND_NS)
#define DESCRIPTORS_WANTED 16384u
#define DESCRIPTORS_SPARED 128u /* for libraries, the state, listeners */
#define PEER_ID_PREFIX     "-FR0100-"

static void session_plan(void *context, conn_id conn, struct receive_plan *ret_plan)
{
    struct session *session = context;

    engine_receive_plan(session->engine, conn, ret_plan);
}

static void session_tell_wall_clock(struct session *session)
{
    int64_t now = clock_now(), wall = clock_wall();
    int64_t drift = wall - now - session->wall_offset;

    if (session->wall_known && drift < WALL_CLOCK_JUMP_NS && drift > -WALL_CLOCK_JUMP_NS)
        return;
    session->wall_known = true;
    session->wall_offset = wall - now;
    struct event event = {.type = EVENT_WALL_CLOCK, .unix_seconds = wall / SECOND_NS};
    engine_input(session->engine, now, &event);
}

static void session_on_timer(uv_timer_t *timer)
{
    (void)timer; /* the pump that follows sees what is due */
}

static void session_set_timer(struct session *session)
{
    int64_t deadline = engine_deadline(session->engine), now = clock_now();

    if (deadline == INT64_MAX) {
        uv_timer_stop(&session->timer);
        return;
    }
    int64_t wait_ms = deadline <= now ? 0 : (deadline - now + MILLISECOND_NS - 1) / MILLISECOND_NS;
    uv_update_time(&session->loop);
    uv_timer_start(&session->timer, session_on_timer, (uint64_t)wait_ms, 0);
}

/* Does what the engine wants, until it wants nothing more for now. */
static void session_pump(struct session *session)
{
    struct utp_streams *utp = stream_sockets_utp(session->streams);
    struct action action;

    if (session->finished)
        return;
    session_tell_wall_clock(session);
    for (int round = 0; round < PUMP_ROUNDS_MAX; round++) {
        while (engine_output(session->engine, clock_now(), &action))
            session_actions_perform(session, &action);
        bool told = utp && utp_streams_pump(utp);
        if (!told && engine_deadline(session->engine) > clock_now())
            break;
        engine_tick(session->engine, clock_now());
    }
    session_set_timer(session);
}

static void session_on_prepare(uv_prepare_t *prepare)
{
    session_pump(prepare->data);
}

static void session_on_check(uv_check_t *check)
{
    session_pump(check->data);
}

static void session_on_tick(uv_timer_t *timer)
{
    struct session *session = timer->data;

    session->options.on_tick(session->options.context);
}

static void session_on_signal(uv_signal_t *handle, int signal_number)
{
    struct session *session = handle->data;

    session->options.on_signal(session->options.context, signal_number);
}

/* Shares the descriptors between files and connections. */
static void session_share_descriptors(struct session *session, uint32_t *ret_files)
{
    uint32_t all = descriptor_limit_raise(DESCRIPTORS_WANTED);
    uint32_t usable = all > 2 * DESCRIPTORS_SPARED ? all - DESCRIPTORS_SPARED : all / 2;
    uint32_t wanted = session->settings.connections_max;

    if (wanted == 0)
        wanted = LIMIT_CONNECTIONS;
    if (wanted > usable * 3 / 4)
        wanted = usable * 3 / 4;
    session->settings.connections_max = wanted;
    *ret_files = usable - wanted < 16 ? 16 : usable - wanted;
    if (*ret_files > 2048)
        *ret_files = 2048;
}

static void session_start_handles(struct session *session)
{
    uv_loop_t *loop = &session->loop;

    CHECK(uv_prepare_init(loop, &session->prepare) == 0);
    CHECK(uv_check_init(loop, &session->check) == 0);
    CHECK(uv_timer_init(loop, &session->timer) == 0);
    CHECK(uv_timer_init(loop, &session->tick) == 0);
    CHECK(uv_timer_init(loop, &session->save) == 0);
    CHECK(uv_signal_init(loop, &session->interrupt) == 0);
    CHECK(uv_signal_init(loop, &session->terminate) == 0);
    session->prepare.data = session->check.data = session->timer.data = session->tick.data =
        session->save.data = session->interrupt.data = session->terminate.data = session;
    uv_prepare_start(&session->prepare, session_on_prepare);
    uv_check_start(&session->check, session_on_check);
    if (session->options.on_tick && session->options.tick_ms)
        uv_timer_start(&session->tick, session_on_tick, session->options.tick_ms,
                       session->options.tick_ms);
    if (session->options.on_signal) {
        uv_signal_start(&session->interrupt, session_on_signal, SIGINT);
        uv_signal_start(&session->terminate, session_on_signal, SIGTERM);
    }
}

static void session_make_parts(struct session *session)
{
    uint32_t files_max;
    session_share_descriptors(session, &files_max);
    struct disk_options disk = {.loop = &session->loop,
                                .pool = &session->pool,
                                .open_files_max = files_max,
                                .reserve = state_store_reserve(session->state),
                                .job_done = session_parts_input,
                                .context = session};
    session->disk = disk_new(&disk);
    struct stream_sockets_options streams = {.loop = &session->loop,
                                             .pool = &session->pool,
                                             .disk = session->disk,
                                             .connections_max = session->settings.connections_max,
                                             .route = &session->options.route,
                                             .event = session_parts_input,
                                             .receive_plan = session_plan,
                                             .context = session};
    session->streams = stream_sockets_new(&streams);
    session->fetch = http_fetch_new(&session->loop, &session->pool, session_parts_input, session);
    session->resolver = resolver_new(&session->loop, session_parts_input, session);
    http_fetch_set_route(session->fetch, &session->options.route);
    if (network_route_has_proxy(&session->options.route))
        resolver_refuse_names(session->resolver);
    session->state_worker = worker_pool_new(&session->loop, 1, WORKER_TRANSFER);
}

static void session_make_engine(struct session *session)
{
    entropy_fill(&session->settings.seed, sizeof session->settings.seed);
    memcpy(session->settings.peer_id, PEER_ID_PREFIX, 8);
    entropy_fill(session->settings.peer_id + 8, 12);
    session->settings.listen_port = session->listen.port;
    session->engine = engine_new(&session->settings, clock_now());
    session_tell_wall_clock(session);
    struct engine_command filter = {.type = COMMAND_SET_IP_FILTER, .ip_filter = session->ip_filter};
    session_command(session, &filter);
    struct event event = {.type = EVENT_LISTENING, .local = session->listen};
    engine_input(session->engine, clock_now(), &event);
    session_dht_start(session);
    if (!session->settings.no_lsd && !network_route_has_proxy(&session->options.route) &&
        !network_route_has_interface(&session->options.route))
        session->local =
            local_socket_new(&session->loop, &session->listen, session_parts_input, session);
    session_port_mapping_start(session);
}

static enum freshet_error session_read_filter(struct session *session, char *ret_text)
{
    struct ip_filter_builder *builder;
    char text[IP_FILTER_FILE_TEXT];

    if (!session->options.ip_filter)
        return FRESHET_OK;
    builder = ip_filter_builder_new();
    enum freshet_error error = ip_filter_file_read(session->options.ip_filter, builder, text, NULL);
    if (error || (text[0] && !ret_text[0]))
        snprintf(ret_text, SESSION_TEXT_SIZE, "%.200s: %s", session->options.ip_filter, text);
    if (error)
        ip_filter_builder_free(builder);
    else
        session->ip_filter = ip_filter_builder_finish(builder);
    /* What is no list is no argument. */
    return error && error < FRESHET_ERROR_MEMORY ? FRESHET_ERROR_USAGE : error;
}

enum freshet_error session_new(const struct session_options *options,
                               char ret_text[SESSION_TEXT_SIZE], struct session **ret_session)
{
    char folder[LIMIT_PATH_LENGTH + 1];
    enum freshet_error error;

    ret_text[0] = '\0';
    if (!options->leave_signals)
        signal(SIGPIPE, SIG_IGN); /* sendfile has no MSG_NOSIGNAL */
    if (!options->state_folder && !state_store_default_folder(folder)) {
        snprintf(ret_text, SESSION_TEXT_SIZE, "no home for the state: set HOME or use --state");
        return FRESHET_ERROR_USAGE;
    }
    struct session *session = memory_new(sizeof *session);
    session->options = *options;
    session->settings = options->engine;
    session->settings.has_utp = options->transport != TRANSPORT_TCP;
    session->settings.no_tcp = options->transport == TRANSPORT_UTP;
    session->settings.no_holepunch = network_route_has_proxy(&options->route);
    if (session->settings.pool_blocks == 0)
        session->settings.pool_blocks = LIMIT_POOL_BLOCKS;
    list_init(&session->torrents);
    CHECK(uv_loop_init(&session->loop) == 0);
    error = state_store_open(options->state_folder ? options->state_folder : folder, ret_text,
                             &session->state);
    if (error)
        goto fail_loop;
    state_reserve_want(state_store_reserve(session->state));
    error = block_memory_init(&session->pool, session->settings.pool_blocks);
    if (error)
        goto fail_state;
    session_make_parts(session);
    session_start_handles(session);
    error = network_route_open(&session->options.route, ret_text);
    if (!error)
        error = session_listen(session, &options->listen, ret_text);
    if (!error)
        error = session_read_filter(session, ret_text);
    if (error) {
        session_free(session);
        return error;
    }
    http_fetch_set_source(session->fetch, &session->listen);
    session_listen_watch(session);
    session_make_engine(session);
    *ret_session = session;
    return FRESHET_OK;
fail_state:
    state_store_close(session->state);
fail_loop:
    uv_loop_close(&session->loop);
    memory_free(session);
    return error;
}

void session_measure_disk(const struct session *session, struct disk_loads *ret_loads)
{
    disk_measure(session->disk, clock_now(), ret_loads);
}

struct address session_listen_address(const struct session *session)
{
    return session->listen;
}

bool session_is_reached(const struct session *session, enum address_family family)
{
    return family == ADDRESS_IPV6 ? session->reached_ipv6 : session->reached_ipv4;
}

struct engine *session_engine(struct session *session)
{
    return session->engine;
}

const struct network_route *session_route(const struct session *session)
{
    return &session->options.route;
}

const struct ip_filter *session_ip_filter(const struct session *session)
{
    return session->ip_filter;
}

struct state_store *session_state(struct session *session)
{
    return session->state;
}

uv_loop_t *session_loop(struct session *session)
{
    return &session->loop;
}

void session_command(struct session *session, const struct engine_command *command)
{
    struct event event = {.type = EVENT_COMMAND, .command = command};

    engine_input(session->engine, clock_now(), &event);
}

enum freshet_error session_set_port(struct session *session, uint16_t port)
{
    struct engine_command command = {.type = COMMAND_NEW_NETWORK};
    enum freshet_error error = session_listen_move(session, port);

    if (error)
        return error;
    session->reached_ipv4 = session->reached_ipv6 = false;
    struct event event = {.type = EVENT_LISTENING, .local = session->listen};
    engine_input(session->engine, clock_now(), &event);
    session_command(session, &command);
    session_port_mapping_moved(session);
    return FRESHET_OK;
}

void session_network_changed(struct session *session, int64_t slept_ns)
{
    struct engine_command command = {.type = COMMAND_NEW_NETWORK};

    /* Others have given us up after that silence. */
    command.lost =
        stream_sockets_close_dead(session->streams, slept_ns >= LIMIT_TIMEOUT_SILENT_NS) > 0;
    http_fetch_network_changed(session->fetch);
    session_command(session, &command);
    if (session->mapping)
        port_mapping_network_changed(session->mapping);
}

void session_set_utp(struct session *session, bool on)
{
    if (session->options.transport != TRANSPORT_ANY)
        return;
    session->utp_off = !on;
    utp_streams_set_accepts(stream_sockets_utp(session->streams), on);
}

void session_run(struct session *session)
{
    uv_run(&session->loop, UV_RUN_DEFAULT);
}

void session_shutdown(struct session *session)
{
    struct engine_command command = {.type = COMMAND_SHUTDOWN};

    if (session->stopping)
        return;
    session->stopping = true;
    stream_sockets_stop_listening(session->streams);
    session_port_mapping_finish(session);
    session_command(session, &command);
}

void session_free(struct session *session)
{
    if (!session)
        return;
    session->finished = true;
    stream_sockets_free(session->streams);
    datagram_socket_close(session->datagrams);
    local_socket_close(session->local);
    port_mapping_close(session->mapping);
    network_watch_close(session->watch);
    http_fetch_free(session->fetch);
    resolver_free(session->resolver);
    uv_handle_t *handles[] = {(uv_handle_t *)&session->prepare,  (uv_handle_t *)&session->check,
                              (uv_handle_t *)&session->timer,    (uv_handle_t *)&session->tick,
                              (uv_handle_t *)&session->save,     (uv_handle_t *)&session->interrupt,
                              (uv_handle_t *)&session->terminate};
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        uv_close(handles[i], NULL);
    /* Workers last: a connection may wait for one. Nobody is told any more. */
    session->deaf = true;
    worker_pool_free(session->state_worker);
    disk_free(session->disk);
    uv_run(&session->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&session->loop) == 0);
    if (session->engine) {
        session_dht_save(session);
        engine_free(session->engine);
    }
    session_torrents_forget_all(session);
    state_store_close(session->state);
    block_memory_deinit(&session->pool);
    ip_filter_free(session->ip_filter);
    memory_free(session);
}
