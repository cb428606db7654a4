/* SPDX-License-Identifier: MIT */
/*
 * One lock guards a session. Whoever runs it waits without the lock, then takes it for one turn of
 * the loop; every other call takes it, does its work and wakes the runner, which pumps what came of
 * it. The lock is recursive, since a callback may ask and command.
 */
#include "include/freshet/freshet.h"

#include "core/base/memory.h"
#include "host/clock.h"
#include "host/session.h"
#include "library/library_torrents.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define END_WAIT_NS (15 * SECOND_NS)

struct freshet {
    struct session *session;
    struct library_torrents torrents;
    pthread_mutex_t lock;
    pthread_t thread;
    int wake;  /* eventfd: something was commanded */
    int epoll; /* the loop's descriptor and wake in one */
    bool has_thread, ending, ended;
    void (*callback)(void *context, const struct freshet_event *event);
    void *context;
    char listens[ADDRESS_TEXT_SIZE];
};

const char *freshet_version(void)
{
    return FRESHET_VERSION;
}

/* ---- events ---- */

static void tell(struct freshet *session, enum freshet_event_type type, uint32_t torrent,
                 const char *text)
{
    struct freshet_event event = {.type = type, .torrent = torrent, .text = text};

    if (session->callback)
        session->callback(session->context, &event);
}

static void tell_error(struct freshet *session, const struct notice *notice)
{
    char text[FRESHET_TEXT_SIZE];

    snprintf(text, sizeof text, "%s%s%.*s", error_text(notice->error),
             notice->text.length ? ": " : "",
             (int)(notice->text.length < 300 ? notice->text.length : 300),
             notice->text.length ? (const char *)notice->text.data : "");
    tell(session, FRESHET_EVENT_ERROR, notice->torrent, text);
}

static void tell_tracker(struct freshet *session, const struct notice *notice)
{
    char text[FRESHET_TEXT_SIZE];

    snprintf(text, sizeof text, "tracker %.*s: %.*s",
             (int)(notice->url.length < 200 ? notice->url.length : 200),
             notice->url.length ? (const char *)notice->url.data : "",
             (int)(notice->text.length < 200 ? notice->text.length : 200),
             notice->text.length ? (const char *)notice->text.data : "");
    tell(session, FRESHET_EVENT_NOTE, notice->torrent, text);
}

static void on_metadata(struct freshet *session, uint32_t torrent)
{
    char text[FRESHET_TEXT_SIZE] = "";

    if (library_torrents_known(&session->torrents, session->session, torrent, text))
        tell(session, FRESHET_EVENT_METADATA, torrent, "");
    else
        tell(session, FRESHET_EVENT_ERROR, torrent, text);
}

static void on_notice(void *context, const struct notice *notice)
{
    struct freshet *session = context;
    uint32_t torrent = notice->torrent;

    switch (notice->type) {
    case NOTICE_METADATA: on_metadata(session, torrent); break;
    case NOTICE_READY: tell(session, FRESHET_EVENT_READY, torrent, ""); break;
    case NOTICE_COMPLETE: tell(session, FRESHET_EVENT_COMPLETE, torrent, ""); break;
    case NOTICE_ERROR: tell_error(session, notice); break;
    case NOTICE_DISK_FULL:
        tell(session, FRESHET_EVENT_NOTE, torrent,
             "the disk is full; it goes on when there is room");
        break;
    case NOTICE_STORAGE_ABSENT:
        tell(session, FRESHET_EVENT_NOTE, torrent,
             "the folder is not there; it goes on when it is");
        break;
    case NOTICE_TRACKER_ERROR: tell_tracker(session, notice); break;
    case NOTICE_REMOVED:
        library_torrents_forget(&session->torrents, torrent);
        tell(session, FRESHET_EVENT_REMOVED, torrent, "");
        break;
    case NOTICE_SHUTDOWN_DONE: session->ended = true; break;
    default: break;
    }
}

void freshet_on_event(struct freshet *session,
                      void (*callback)(void *context, const struct freshet_event *event),
                      void *context)
{
    pthread_mutex_lock(&session->lock);
    session->callback = callback;
    session->context = context;
    pthread_mutex_unlock(&session->lock);
}

/* ---- the loop ---- */

static void wake(const struct freshet *session)
{
    uint64_t one = 1;

    while (write(session->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static void release(struct freshet *session)
{
    wake(session);
    pthread_mutex_unlock(&session->lock);
}

/* One turn without waiting. A peer that is gone may mean SIGPIPE: it is not the caller's affair. */
static void turn(struct freshet *session)
{
    sigset_t pipe_signal, before;
    uint64_t count;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    pthread_mutex_lock(&session->lock);
    while (read(session->wake, &count, sizeof count) < 0 && errno == EINTR)
        continue;
    uv_run(session_loop(session->session), UV_RUN_NOWAIT);
    pthread_mutex_unlock(&session->lock);
    if (!sigismember(&before, SIGPIPE))
        while (sigtimedwait(&pipe_signal, NULL, &(struct timespec){0}) > 0)
            continue;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

int freshet_descriptor(const struct freshet *session)
{
    return session->epoll;
}

int freshet_timeout_ms(const struct freshet *session)
{
    struct freshet *changed = (struct freshet *)(uintptr_t)session;

    pthread_mutex_lock(&changed->lock);
    uv_update_time(session_loop(changed->session));
    int timeout = uv_backend_timeout(session_loop(changed->session));
    pthread_mutex_unlock(&changed->lock);
    return timeout;
}

static void wait_and_turn(struct freshet *session, int wait_ms)
{
    int due = freshet_timeout_ms(session);
    struct pollfd ready = {.fd = session->epoll, .events = POLLIN};

    if (due >= 0 && (wait_ms < 0 || due < wait_ms))
        wait_ms = due;
    poll(&ready, 1, wait_ms);
    turn(session);
}

enum freshet_result freshet_run(struct freshet *session, int wait_ms)
{
    pthread_mutex_lock(&session->lock);
    bool is_ours = !session->has_thread && !session->ended;
    pthread_mutex_unlock(&session->lock);
    if (!is_ours)
        return FRESHET_STOPPED;
    wait_and_turn(session, wait_ms);
    return FRESHET_DONE;
}

static bool is_over(struct freshet *session)
{
    pthread_mutex_lock(&session->lock);
    bool over = session->ended;
    pthread_mutex_unlock(&session->lock);
    return over;
}

static void *thread_main(void *context)
{
    struct freshet *session = context;

    while (!is_over(session))
        wait_and_turn(session, -1);
    return NULL;
}

enum freshet_result freshet_start_thread(struct freshet *session)
{
    sigset_t all, before;

    pthread_mutex_lock(&session->lock);
    bool can = !session->has_thread && !session->ending;
    if (can) {
        /* Signals go to the program's own threads. */
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, &before);
        can = pthread_create(&session->thread, NULL, thread_main, session) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        session->has_thread = can;
    }
    pthread_mutex_unlock(&session->lock);
    return can ? FRESHET_DONE : FRESHET_STOPPED;
}

/* ---- life ---- */

static enum freshet_result read_options(const struct freshet_options *given,
                                        struct session_options *ret_options,
                                        char ret_text[FRESHET_TEXT_SIZE])
{
    struct freshet_options options = {0};

    if (given)
        memcpy(&options, given, given->size < sizeof options ? given->size : sizeof options);
    if (options.listen && !address_from_text(options.listen, false, &ret_options->listen)) {
        snprintf(ret_text, FRESHET_TEXT_SIZE, "'%.80s' is no address and port", options.listen);
        return FRESHET_BAD_ARGUMENT;
    }
    ret_options->state_folder = options.state_folder;
    ret_options->engine.upload_limit = options.upload_limit;
    ret_options->engine.download_limit = options.download_limit;
    ret_options->engine.no_pex = options.no_pex;
    ret_options->engine.no_lsd = options.no_lsd;
    ret_options->no_dht = options.no_dht;
    ret_options->bootstrap = options.bootstrap;
    while (options.bootstrap && options.bootstrap[ret_options->bootstrap_count])
        ret_options->bootstrap_count++;
    return FRESHET_DONE;
}

static bool join_descriptors(struct freshet *session)
{
    struct epoll_event event = {.events = EPOLLIN};

    session->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    session->epoll = epoll_create1(EPOLL_CLOEXEC);
    return session->wake >= 0 && session->epoll >= 0 &&
           epoll_ctl(session->epoll, EPOLL_CTL_ADD, session->wake, &event) == 0 &&
           epoll_ctl(session->epoll, EPOLL_CTL_ADD, uv_backend_fd(session_loop(session->session)),
                     &event) == 0;
}

static void make_lock(pthread_mutex_t *lock)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

static void destroy(struct freshet *session)
{
    session_free(session->session);
    library_torrents_deinit(&session->torrents);
    if (session->wake >= 0)
        close(session->wake);
    if (session->epoll >= 0)
        close(session->epoll);
    pthread_mutex_destroy(&session->lock);
    memory_free(session);
}

enum freshet_result freshet_new(const struct freshet_options *options, struct freshet **ret_session,
                                char ret_text[FRESHET_TEXT_SIZE])
{
    struct freshet *session = memory_new(sizeof *session);
    struct session_options wanted = {
        .leave_signals = true, .on_notice = on_notice, .context = session};

    ret_text[0] = '\0';
    session->wake = session->epoll = -1;
    enum freshet_result result = read_options(options, &wanted, ret_text);
    if (result) {
        memory_free(session);
        return result;
    }
    make_lock(&session->lock);
    library_torrents_init(&session->torrents);
    enum freshet_error error = session_new(&wanted, ret_text, &session->session);
    if (error || !join_descriptors(session)) {
        destroy(session);
        return error == FRESHET_ERROR_BUSY || error == FRESHET_ERROR_CONNECTION ? FRESHET_BUSY
                                                                                : FRESHET_DISK;
    }
    struct address listens = session_listen_address(session->session);
    address_to_text(&listens, session->listens);
    turn(session); /* what a new session wants first, so that freshet_timeout_ms is right */
    *ret_session = session;
    return FRESHET_DONE;
}

void freshet_free(struct freshet *session)
{
    int64_t until = clock_now() + END_WAIT_NS;

    if (!session)
        return;
    pthread_mutex_lock(&session->lock);
    session->ending = true;
    session->callback = NULL;
    session_shutdown(session->session);
    release(session);
    if (session->has_thread)
        pthread_join(session->thread, NULL);
    while (!session->ended && clock_now() < until)
        wait_and_turn(session, 100);
    destroy(session);
}

const char *freshet_listens(const struct freshet *session)
{
    return session->listens;
}

/* ---- torrents ---- */

static enum freshet_result read_file(const char *path, struct buffer *ret_bytes,
                                     char ret_text[FRESHET_TEXT_SIZE])
{
    uint8_t chunk[16384];
    ssize_t got = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    while (fd >= 0 && ret_bytes->length <= LIMIT_TORRENT_FILE_SIZE &&
           ((got = read(fd, chunk, sizeof chunk)) > 0 || (got < 0 && errno == EINTR)))
        if (got > 0)
            buffer_append(ret_bytes, chunk, (size_t)got);
    int number = errno;
    if (fd >= 0)
        close(fd);
    if (got == 0)
        return FRESHET_DONE;
    buffer_deinit(ret_bytes);
    snprintf(ret_text, FRESHET_TEXT_SIZE, "%.200s: %s", path,
             got > 0 ? "not a torrent: larger than 64 MiB" : strerror(number));
    return got > 0 ? FRESHET_BAD_TORRENT : FRESHET_DISK;
}

/* A magnet link, or hex digits of an info-hash rather than a file of that name. */
static bool is_link(const char *what)
{
    size_t length = strlen(what);

    return magnet_is((struct bytes){(const uint8_t *)what, length}) ||
           ((length == 40 || length == 64) && strspn(what, "0123456789abcdefABCDEF") == length &&
            access(what, F_OK) != 0);
}

enum freshet_result freshet_add(struct freshet *session, const char *what, const char *folder,
                                unsigned flags, uint32_t *ret_torrent,
                                char ret_text[FRESHET_TEXT_SIZE])
{
    struct library_add add = {.session = session->session,
                              .folder = folder,
                              .flags = flags,
                              .ret_torrent = ret_torrent,
                              .ret_text = ret_text};
    struct buffer bytes = {0};
    enum freshet_result result = FRESHET_DONE;

    ret_text[0] = '\0';
    if (!is_link(what))
        result = read_file(what, &bytes, ret_text);
    if (result)
        return result;
    pthread_mutex_lock(&session->lock);
    if (session->ending)
        result = FRESHET_STOPPED;
    else if (bytes.length == 0 && is_link(what))
        result = library_torrents_add_link(&session->torrents, &add, what);
    else
        result = library_torrents_add_bytes(&session->torrents, &add, &bytes);
    release(session);
    return result;
}

enum freshet_result freshet_add_bytes(struct freshet *session, const void *bytes, size_t length,
                                      const char *folder, unsigned flags, uint32_t *ret_torrent,
                                      char ret_text[FRESHET_TEXT_SIZE])
{
    struct library_add add = {.session = session->session,
                              .folder = folder,
                              .flags = flags,
                              .ret_torrent = ret_torrent,
                              .ret_text = ret_text};
    struct buffer copy = {0};

    ret_text[0] = '\0';
    if (length > LIMIT_TORRENT_FILE_SIZE) {
        snprintf(ret_text, FRESHET_TEXT_SIZE, "not a torrent: larger than 64 MiB");
        return FRESHET_BAD_TORRENT;
    }
    buffer_append(&copy, bytes, length);
    pthread_mutex_lock(&session->lock);
    enum freshet_result result = FRESHET_STOPPED;
    if (!session->ending)
        result = library_torrents_add_bytes(&session->torrents, &add, &copy);
    buffer_deinit(&copy);
    release(session);
    return result;
}

/* torrent 0 is all of them, where the command knows that. */
static enum freshet_result command(struct freshet *session, const struct engine_command *wish,
                                   bool all_allowed)
{
    enum freshet_result result = FRESHET_DONE;

    pthread_mutex_lock(&session->lock);
    if (session->ending)
        result = FRESHET_STOPPED;
    else if (!(wish->torrent == 0 && all_allowed) &&
             !library_torrents_find(&session->torrents, wish->torrent))
        result = FRESHET_NO_TORRENT;
    else
        session_command(session->session, wish);
    release(session);
    return result;
}

enum freshet_result freshet_add_peer(struct freshet *session, uint32_t torrent, const char *peer)
{
    struct address address;

    if (!address_from_text(peer, false, &address))
        return FRESHET_BAD_ARGUMENT;
    return command(
        session,
        &(struct engine_command){
            .type = COMMAND_ADD_PEERS, .torrent = torrent, .peers = &address, .peer_count = 1},
        false);
}

enum freshet_result freshet_pause(struct freshet *session, uint32_t torrent)
{
    return command(session, &(struct engine_command){.type = COMMAND_PAUSE, .torrent = torrent},
                   false);
}

enum freshet_result freshet_resume(struct freshet *session, uint32_t torrent)
{
    return command(session, &(struct engine_command){.type = COMMAND_RESUME, .torrent = torrent},
                   false);
}

enum freshet_result freshet_remove(struct freshet *session, uint32_t torrent)
{
    return command(session,
                   &(struct engine_command){.type = COMMAND_REMOVE_TORRENT, .torrent = torrent},
                   false);
}

enum freshet_result freshet_set_limits(struct freshet *session, uint32_t torrent, uint64_t upload,
                                       uint64_t download)
{
    return command(session,
                   &(struct engine_command){.type = COMMAND_SET_LIMITS,
                                            .torrent = torrent,
                                            .upload_limit = upload,
                                            .download_limit = download},
                   true);
}

/* ---- questions ---- */

static enum freshet_state state_of(enum torrent_phase phase)
{
    switch (phase) {
    case PHASE_METADATA: return FRESHET_METADATA;
    case PHASE_OPENING:
    case PHASE_CHECKING: return FRESHET_CHECKING;
    case PHASE_DOWNLOADING: return FRESHET_DOWNLOADING;
    case PHASE_SEEDING: return FRESHET_SEEDING;
    case PHASE_PAUSED: return FRESHET_PAUSED;
    case PHASE_STOPPING: return FRESHET_LEAVING;
    default: return FRESHET_TROUBLE;
    }
}

enum freshet_result freshet_status(struct freshet *session, uint32_t torrent,
                                   struct freshet_status *ret_status)
{
    struct torrent_status status = {0};
    size_t size = ret_status->size < sizeof *ret_status ? ret_status->size : sizeof *ret_status;

    pthread_mutex_lock(&session->lock);
    bool known = engine_torrent_status(session_engine(session->session), torrent, &status);
    pthread_mutex_unlock(&session->lock);
    if (!known)
        return FRESHET_NO_TORRENT;
    struct freshet_status told = {.size = ret_status->size,
                                  .state = state_of(status.phase),
                                  .complete = status.complete,
                                  .total = status.total_bytes,
                                  .wanted = status.wanted_bytes,
                                  .verified = status.verified_bytes,
                                  .durable = status.durable_bytes,
                                  .uploaded = status.uploaded,
                                  .downloaded = status.downloaded,
                                  .upload_rate = status.upload_rate,
                                  .download_rate = status.download_rate,
                                  .peers = status.peers,
                                  .pieces = status.pieces_total,
                                  .pieces_have = status.pieces_done};
    memcpy(ret_status, &told, size);
    return FRESHET_DONE;
}

enum freshet_result freshet_name(struct freshet *session, uint32_t torrent, char *ret_name,
                                 size_t size)
{
    pthread_mutex_lock(&session->lock);
    const struct library_torrent *found = library_torrents_find(&session->torrents, torrent);
    const struct metainfo *metainfo =
        found ? engine_torrent_metainfo(session_engine(session->session), torrent) : NULL;
    if (found && size)
        snprintf(ret_name, size, "%s",
                 metainfo                               ? metainfo->name
                 : found->magnet && found->magnet->name ? found->magnet->name
                                                        : "");
    pthread_mutex_unlock(&session->lock);
    return found ? FRESHET_DONE : FRESHET_NO_TORRENT;
}

enum freshet_result freshet_pieces(struct freshet *session, uint32_t torrent, void *ret_bits,
                                   size_t size)
{
    struct torrent_status status = {0};

    memset(ret_bits, 0, size);
    pthread_mutex_lock(&session->lock);
    bool known = engine_torrent_status(session_engine(session->session), torrent, &status);
    for (uint32_t piece = 0; known && status.pieces && piece < status.pieces_total; piece++)
        if (piece / 8 < size && bitfield_has(status.pieces, piece))
            ((uint8_t *)ret_bits)[piece / 8] |= (uint8_t)(0x80u >> piece % 8);
    pthread_mutex_unlock(&session->lock);
    return known ? FRESHET_DONE : FRESHET_NO_TORRENT;
}
