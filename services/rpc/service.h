/* SPDX-License-Identifier: MIT */
/*
 * A request on its way to an answer, without sockets. Parsing and writing may take long and touch
 * only the call itself: the host runs them on a worker. Steps touch the catalog and the engine and
 * run on the engine's thread, in slices: a step looks at `until_ns` at least every 64 rows and
 * returns SERVICE_AGAIN when it is past. Between steps rows may come and go, so a call keeps ids,
 * never pointers to rows, and copies what it will write.
 *
 *     begin (worker) -> step ... step (engine's thread) -> write (worker) -> end (anywhere)
 *
 * An answer may go on, for server-sent events: write sets `stream`, and its body is the first part.
 * The host then steps the call again, at most twice a second when catalog_revision has grown, and
 * every SERVICE_STREAM_IDLE_S in any case; SERVICE_WAIT means that there is nothing to say,
 * SERVICE_DONE that write is to make the next part. The answer ends with a part that has not set
 * `stream`, and end is called when the client is gone.
 *
 *     begin -> step -> write (stream) -> [ step -> write (stream) ] ... -> write -> end
 */
#ifndef FRESHET_RPC_SERVICE_H
#define FRESHET_RPC_SERVICE_H

#include "services/catalog/catalog.h"
#include "services/intake/intake_status.h"

enum service_access { ACCESS_NONE, ACCESS_READ, ACCESS_CONTROL };

struct service_request {
    const char *method; /* GET, POST ... */
    const char *path;   /* decoded, without the service's prefix; "" or begins with '/' */
    struct bytes query; /* raw, without '?' */
    struct bytes body;  /* whole; valid until end */
    enum service_access access;
    bool is_local; /* over the Unix socket: its user is ours */
};

struct service_reply { /* zeroed before each write; the host frees the body */
    unsigned status;
    const char *content_type; /* static */
    struct buffer body;
    bool stream; /* more parts will follow; status and type are those of the first */
};

/* What a call needs of the host, one at a time: SERVICE_JOB with `job` filled; the host does it and
 * steps again with error and results filled. */
enum service_job_type {
    JOB_NONE,
    JOB_FETCH_URL,   /* text: of a .torrent file; ret_bytes. http and https only; parsed */
    JOB_READ_FILE,   /* text: an absolute path of a .torrent, is_local only; ret_bytes; parsed */
    JOB_DELETE_FILE, /* text: an absolute path, is_local only: of a .torrent that was added */
    JOB_FREE_SPACE,  /* text: folder; ret_free, ret_total */
    JOB_CONTENT,     /* id: of a torrent that is not open; then world.content finds it */
    JOB_BLOCKLIST,   /* text: URL; ret_number: rules now */
    JOB_SAVED,       /* until catalog_saved >= change: for answers that promise */
    JOB_SHUTDOWN,    /* the daemon ends in order after the answer is sent */
};

struct service_job {
    enum service_job_type type;
    torrent_id id;
    const char *text; /* owned by the call */
    uint64_t change;
    enum freshet_error error;
    char error_text[256];
    struct buffer ret_bytes;
    uint64_t ret_free, ret_total, ret_number;
    /* Parsed: what the bytes are; the call takes it. NULL without an error: no torrent, and
     * error_text says why. */
    struct metainfo *ret_metainfo;
};

/* Frees what a job brought and nobody took. */
static inline void service_job_deinit(struct service_job *job)
{
    buffer_deinit(&job->ret_bytes);
    metainfo_free(job->ret_metainfo);
    job->ret_metainfo = NULL;
}

/* What is in a torrent, and which pieces are there. Borrowed until the step returns. */
struct service_content {
    const struct metainfo *metainfo;
    const struct bitfield *pieces; /* NULL: none */
};

/* How long the loop's turns took that were not waiting. Bucket i counts those of at most
 * service_turn_edge_us(i) and more than the edge before it: 1, 2, 5, 10, 20, 50 and so on to 10 s;
 * the last bucket counts what is longer. */
#define SERVICE_TURN_BUCKETS 23
struct service_turns {
    uint64_t count, sum_ns, max_ns;
    uint64_t buckets[SERVICE_TURN_BUCKETS];
};
static inline uint64_t service_turn_edge_us(unsigned bucket)
{
    static const uint64_t steps[3] = {1, 2, 5};
    uint64_t edge = steps[bucket % 3];

    for (unsigned tens = bucket / 3; tens > 0; tens--)
        edge *= 10;
    return edge;
}

/* Jobs of one kind that workers have in hand: at most `threads` at a time, the rest waits. */
struct service_load {
    uint32_t threads, jobs;
    uint64_t bytes; /* done in this run */
    uint64_t rate;  /* bytes a second, lately */
};

struct service_world {
    struct catalog *catalog;
    struct engine *engine;
    int64_t now, wall_s;
    uint64_t revision_minute_ago; /* catalog_revision a minute ago; 0: not known, then all rows
                                     count as changed lately */
    const char *version;          /* "0.1.0" */
    uint64_t session_id_number;   /* of the session id header; differs a run */
    uint64_t bytes_up_all, bytes_down_all, files_added, sessions, seconds_active; /* all runs, with
                                                                                   this one */
    uint64_t bytes_up_run, bytes_down_run, files_added_run, seconds_run;
    uint32_t blocklist_rules;
    const char *blocklist_trouble; /* why nobody is let in; NULL: they are */
    const char *state_trouble;     /* what of the state was lost at this start; NULL: nothing */
    const char *page, *token; /* ADDR:PORT of the RPC over TCP, "" when there is none, and what must
                                 be shown there; told to our own user only */
    const uint8_t *stream_secret; /* for services/stream/stream_key.h; NULL: files are not read */
    const struct service_turns *turns; /* may be NULL */
    struct service_off {               /* whatever the settings say: the command line said no */
        bool dht, lsd, pex, port_mapping;
    } off;
    struct address listen; /* where peers come; family ADDRESS_NONE: nobody can */
    struct service_reached {
        bool ipv4, ipv6; /* somebody of the internet came there, by TCP, in this run */
    } reached;
    /* For our own user's doctor; may be 0 and NULL. */
    int64_t pid;
    const char *route; /* "proxy", "interface": the only way out; NULL: as the kernel goes */
    const char *state_folder;
    /* What came of asking the router: "off", "asking", "held", "failed" (NULL: the same as off), by
     * "NAT-PMP" or "UPnP", where peers come then (family ADDRESS_NONE: not known), why not. */
    const char *mapping_state, *mapping_method, *mapping_text;
    struct address mapping_external;
    struct service_load hashing, writing; /* of pieces, those that are checked too */
    /* false: not at hand, ask for JOB_CONTENT first. */
    bool (*content)(void *context, torrent_id id, struct service_content *ret_content);
    /* Each may be NULL. How a rule of what comes by itself fares (false: nobody knows it); a feed's
     * items as they were read last; the first line of the log, as JSON, from a number on. Borrowed
     * until the step returns. */
    bool (*intake)(void *context, bool is_feed, uint32_t id, struct intake_status *ret_status);
    uint32_t (*feed_items)(void *context, uint32_t id, const struct intake_item **ret_items);
    bool (*log)(void *context, uint64_t from, uint64_t *ret_number, struct bytes *ret_line);
    void *context;
};

/* The settings as they hold: without what the command line said no to. Borrowed texts. */
static inline struct catalog_settings service_settings(const struct service_world *world)
{
    struct catalog_settings settings = *catalog_settings(world->catalog);

    settings.dht = settings.dht && !world->off.dht;
    settings.lsd = settings.lsd && !world->off.lsd;
    settings.pex = settings.pex && !world->off.pex;
    settings.port_mapping = settings.port_mapping && !world->off.port_mapping;
    return settings;
}

#define SERVICE_STREAM_IDLE_S 15
enum service_step {
    SERVICE_DONE,
    SERVICE_AGAIN, /* later, there was no time */
    SERVICE_JOB,
    SERVICE_WAIT, /* only of a stream: nothing to say now */
};

struct service {
    const char *prefix; /* "/transmission/rpc", "/api/v1" */
    void *(*begin)(const struct service_request *request);
    enum service_step (*step)(void *call, struct service_world *world, int64_t until_ns,
                              int64_t (*clock)(void), struct service_job *job);
    void (*write)(void *call, struct service_reply *ret_reply);
    void (*end)(void *call);
};

#endif
