/* SPDX-License-Identifier: MIT */
/*
 * libfreshet: BitTorrent in a program of yours. A session holds torrents; a torrent is called by a
 * number. Handles are opaque, there is no global state, no signal handler, no output, and what goes
 * wrong is a code and a text. (Only a failed check of the library's own promises, a bug in it,
 * aborts, before it can do harm.)
 *
 * Who runs the session? Either your loop: wait until freshet_descriptor() is readable or
 * freshet_timeout_ms() has passed, then call freshet_run(). Or freshet_start_thread(), once: a
 * thread of the library does the same. Either way any thread may call any function at any time,
 * from within an event callback too (but for freshet_run and freshet_free there). The callback runs
 * on the thread that runs the session.
 *
 * Names that begin with freshet_ or FRESHET_ are the library's.
 */
#ifndef FRESHET_FRESHET_H
#define FRESHET_FRESHET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define FRESHET_TEXT_SIZE     512
#define FRESHET_LIBRARY_MAJOR 0
#define FRESHET_LIBRARY_MINOR 1

struct freshet;

/* Never renumbered. */
enum freshet_result {
    FRESHET_DONE = 0,
    FRESHET_BAD_ARGUMENT = 1,
    FRESHET_BAD_TORRENT = 2, /* no torrent, magnet link or info-hash */
    FRESHET_NO_TORRENT = 3,  /* there is none of that number */
    FRESHET_KNOWN = 4,       /* the session has it already; its number is given */
    FRESHET_BUSY = 5,        /* another process has it, or the port */
    FRESHET_DISK = 6,
    FRESHET_NETWORK = 7,
    FRESHET_STOPPED = 8, /* the session has ended */
};

/* Zero is the default of every field. Set `size` to sizeof: later versions add fields at the end.
 */
struct freshet_options {
    size_t size;
    const char *state_folder; /* NULL: $XDG_STATE_HOME/freshet, shared with the program */
    const char *listen;       /* "ADDR:PORT"; NULL: every address, a free port from 6881 on */
    uint64_t upload_limit, download_limit; /* bytes a second; 0: none */
    const char *const *bootstrap; /* "HOST:PORT" where the DHT is entered, ends with NULL */
    int no_dht, no_pex, no_lsd;   /* not 0: off */
};

enum freshet_event_type {
    FRESHET_EVENT_METADATA = 1, /* what a magnet link is about is known now */
    FRESHET_EVENT_READY = 2,    /* what was on the disk is checked */
    FRESHET_EVENT_COMPLETE = 3, /* all wanted bytes are checked and durable */
    FRESHET_EVENT_ERROR = 4,    /* it has stopped: text */
    FRESHET_EVENT_NOTE = 5,     /* it goes on, but a person may want to know: text */
    FRESHET_EVENT_REMOVED = 6,
};

/* Borrowed until the callback returns. */
struct freshet_event {
    enum freshet_event_type type;
    uint32_t torrent;
    const char *text; /* "" when there is none */
};

enum freshet_state {
    FRESHET_METADATA = 1, /* fetching what it is about */
    FRESHET_CHECKING = 2,
    FRESHET_DOWNLOADING = 3,
    FRESHET_SEEDING = 4,
    FRESHET_PAUSED = 5,
    FRESHET_TROUBLE = 6,
    FRESHET_LEAVING = 7,
};

/* `size` as in the options; bytes of payload, bytes a second. */
struct freshet_status {
    size_t size;
    enum freshet_state state;
    int complete; /* everything wanted is durable */
    uint64_t total, wanted, verified, durable;
    uint64_t uploaded, downloaded; /* this run */
    uint64_t upload_rate, download_rate;
    uint32_t peers, pieces, pieces_have;
};

/* Flags of freshet_add. */
#define FRESHET_PAUSE      1u /* do not start yet */
#define FRESHET_SEED       2u /* the data is there: never write */
#define FRESHET_SEQUENTIAL 4u

/* "0.1.0" */
const char *freshet_version(void);

/* options NULL: all defaults. ret_text: what went wrong, or "" (or a warning) when nothing did. */
enum freshet_result freshet_new(const struct freshet_options *options, struct freshet **ret_session,
                                char ret_text[FRESHET_TEXT_SIZE]);
/* Ends in order (trackers are told, everything is made durable), at most some seconds; ends the
 * thread too. NULL is fine. Not from a callback. */
void freshet_free(struct freshet *session);

/* Called for each event; set it before torrents are added. */
void freshet_on_event(struct freshet *session,
                      void (*callback)(void *context, const struct freshet_event *event),
                      void *context);

/* what: the path of a .torrent file, a magnet link or an info-hash. folder: holds the torrent's
 * name. FRESHET_KNOWN gives the number too. */
enum freshet_result freshet_add(struct freshet *session, const char *what, const char *folder,
                                unsigned flags, uint32_t *ret_torrent,
                                char ret_text[FRESHET_TEXT_SIZE]);
/* The bytes of a .torrent file. */
enum freshet_result freshet_add_bytes(struct freshet *session, const void *bytes, size_t length,
                                      const char *folder, unsigned flags, uint32_t *ret_torrent,
                                      char ret_text[FRESHET_TEXT_SIZE]);
/* A peer to try, "ADDR:PORT". */
enum freshet_result freshet_add_peer(struct freshet *session, uint32_t torrent, const char *peer);
enum freshet_result freshet_pause(struct freshet *session, uint32_t torrent);
enum freshet_result freshet_resume(struct freshet *session, uint32_t torrent);
/* The data stay. FRESHET_EVENT_REMOVED follows. */
enum freshet_result freshet_remove(struct freshet *session, uint32_t torrent);
/* torrent 0: all together. Bytes a second; 0: none. */
enum freshet_result freshet_set_limits(struct freshet *session, uint32_t torrent, uint64_t upload,
                                       uint64_t download);

enum freshet_result freshet_status(struct freshet *session, uint32_t torrent,
                                   struct freshet_status *ret_status);
/* NUL-terminated, cut to size. Of a magnet link before its metadata: what the link says. */
enum freshet_result freshet_name(struct freshet *session, uint32_t torrent, char *ret_name,
                                 size_t size);
/* One bit a piece, the first in the highest bit; `size` bytes at most are written. */
enum freshet_result freshet_pieces(struct freshet *session, uint32_t torrent, void *ret_bits,
                                   size_t size);
/* Where it listens, "ADDR:PORT"; the text lives as long as the session. */
const char *freshet_listens(const struct freshet *session);

/* Your loop. */
int freshet_descriptor(const struct freshet *session);
/* Until freshet_run is due even if the descriptor is silent; -1: no need. */
int freshet_timeout_ms(const struct freshet *session);
/* Waits at most wait_ms (0: not at all, -1: until something happens) and does what is due.
 * FRESHET_STOPPED: a thread runs it, or it has ended. */
enum freshet_result freshet_run(struct freshet *session, int wait_ms);
/* Its own thread instead. */
enum freshet_result freshet_start_thread(struct freshet *session);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
