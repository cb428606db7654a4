/* SPDX-License-Identifier: MIT */
/*
 * Feeds: read every so often, and what the filters want is added, each item once. The commandments:
 *  1. Documents and torrents are parsed on a worker; the loop adds a few rows a turn.
 *  2. One request a feed at a time; items one after the other.
 *  3. An item is taken when its row is durable. What could not be fetched is tried again with the
 *     next reading; what is no torrent is not asked for again in this run.
 *  4. What all feeds fetch and parse at once is bounded (LIMIT_FEED_BODIES): each request counts as
 *     the longest that its answer may be until that is there, whoever finds no room waits, and who
 *     was served goes behind those who wait.
 *  5. A person chose the feed, a stranger its links: they may lead to this network's own machines
 *     only where the feed itself comes from (address_rules.h).
 *  6. What a server calls its version of a feed is told to it the next time: one that has not
 *     changed is not sent again. A rule that has changed, and a new run, want all of it.
 */
#include "host/daemon_intake.h"

#include "core/base/memory.h"
#include "host/clock.h"
#include "host/daemon_log.h"
#include "services/intake/feed_filter.h"
#include "services/intake/feed_parser.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FETCH_TIMEOUT_NS (60 * SECOND_NS)
#define RETRY_NS         (300 * SECOND_NS) /* after a reading that failed, or sooner by its interval */
#define LINKS_A_STEP     16u               /* magnet links that are added in one turn */

struct feed_reading {
    struct feed_document document;
    struct intake_item *items;
    struct intake_key *keys;     /* of each item */
    struct intake_key *episodes; /* of those that name one */
    bool *has_episode;
    struct http_validators version; /* as the server calls it */
};

struct feed {
    struct list_node node;
    struct daemon_service *daemon;
    struct intake_rule rule;
    char *text; /* of the rule, by which a change is seen */
    struct intake_status status;
    struct daemon_intake_memory memory;
    struct intake_taken hopeless, told; /* of this run: no torrents; failures that were logged */
    struct feed_reading reading;
    int64_t next_ns;
    job_id job;  /* 0: none */
    uint32_t at; /* the item that is being taken, or looked at next */
    uint32_t tasks;
    uint32_t body_max; /* what the job's body counts for */
    uint32_t changes;  /* of the rule: what a worker does by an older one counts for nothing */
    bool is_taking;    /* of `reading` */
    bool is_item;      /* the job is of the item at `at`, else of the feed */
    bool is_gone, is_wanted;
};

struct daemon_feeds {
    struct list feeds;
    struct http_fetch *fetch;
    job_id next;
    uint64_t bodies; /* bytes that are or may be held: of jobs, and of tasks */
    bool is_short;   /* a feed waits for room */
};

/* What a worker does with a body. */
struct feed_task {
    struct work work;
    struct feed *feed;
    uint32_t changes;
    struct buffer body;
    struct feed_filter *filter; /* of a document; NULL: a torrent */
    struct feed_reading reading;
    struct metainfo *metainfo;
    enum freshet_error error;
    char reason[METAINFO_REASON_SIZE + FEED_PARSER_REASON_SIZE];
};

/* ---- readings ---- */

static void reading_deinit(struct feed_reading *reading)
{
    feed_parser_deinit(&reading->document);
    memory_free(reading->items);
    memory_free(reading->keys);
    memory_free(reading->episodes);
    memory_free(reading->has_episode);
    http_validators_deinit(&reading->version);
    memset(reading, 0, sizeof *reading);
}

static struct intake_key key_of(const char *kind, struct bytes text)
{
    struct buffer whole = {0};

    buffer_append_text(&whole, kind);
    buffer_append(&whole, text.data, text.length);
    struct intake_key key = intake_taken_key(buffer_bytes(&whole));
    buffer_deinit(&whole);
    return key;
}

static void reading_make(struct feed_reading *reading, struct feed_filter *filter)
{
    const struct feed_document *document = &reading->document;

    reading->items = memory_new_array(document->count, sizeof *reading->items);
    reading->keys = memory_new_array(document->count, sizeof *reading->keys);
    reading->episodes = memory_new_array(document->count, sizeof *reading->episodes);
    reading->has_episode = memory_new_array(document->count, sizeof *reading->has_episode);
    for (uint32_t i = 0; i < document->count; i++) {
        const struct feed_item *item = &document->items[i];
        struct buffer episode = {0};
        struct bytes guid = {(const uint8_t *)item->guid, strlen(item->guid)};
        reading->items[i] = (struct intake_item){.title = item->title,
                                                 .link = item->link,
                                                 .size = item->size,
                                                 .fits = feed_filter_fits(filter, item->title)};
        reading->keys[i] = key_of("item ", guid);
        reading->has_episode[i] = feed_filter_episode(item->title, &episode);
        if (reading->has_episode[i])
            reading->episodes[i] = key_of("episode ", buffer_bytes(&episode));
        buffer_deinit(&episode);
    }
}

/* ---- life ---- */

static void feed_free(struct feed *feed)
{
    reading_deinit(&feed->reading);
    daemon_intake_memory_deinit(&feed->memory);
    intake_taken_deinit(&feed->hopeless);
    intake_taken_deinit(&feed->told);
    intake_rule_deinit(&feed->rule);
    memory_free(feed->text);
    memory_free(feed);
}

/* No job any more. Of one that is cancelled no more comes in. */
static void job_ended(struct daemon_feeds *feeds, struct feed *feed)
{
    feed->job = 0;
    feeds->bodies -= feed->body_max;
    feed->body_max = 0;
}

static void feed_drop(struct daemon_feeds *feeds, struct feed *feed)
{
    list_remove(&feeds->feeds, &feed->node);
    if (feed->job) {
        http_fetch_cancel(feeds->fetch, feed->job);
        job_ended(feeds, feed);
    }
    if (!feed->daemon->is_stopping)
        daemon_intake_memory_keep(&feed->memory);
    feed->is_gone = true;
    if (feed->tasks == 0)
        feed_free(feed);
}

static struct feed *find_feed(struct daemon_feeds *feeds,
                              bool (*is_it)(const struct feed *feed, const void *what),
                              const void *what)
{
    for (struct list_node *node = feeds ? list_first(&feeds->feeds) : NULL; node;
         node = list_next(&feeds->feeds, node)) {
        struct feed *feed = LIST_ELEMENT(node, struct feed, node);
        if (is_it(feed, what))
            return feed;
    }
    return NULL;
}

static bool has_url(const struct feed *feed, const void *url)
{
    return strcmp(feed->rule.url, url) == 0;
}

static bool has_id(const struct feed *feed, const void *id)
{
    return feed->rule.id == *(const uint32_t *)id;
}

static bool has_job(const struct feed *feed, const void *job)
{
    return feed->job && feed->job == *(const job_id *)job;
}

static bool is_idle(const struct feed *feed)
{
    return !feed->job && feed->tasks == 0;
}

/* ---- what went wrong ---- */

static void feed_fails(struct feed *feed, const char *words)
{
    bool is_new = strcmp(feed->status.trouble, words) != 0;
    int64_t wait_ns = (int64_t)feed->rule.interval_s * SECOND_NS;

    snprintf(feed->status.trouble, sizeof feed->status.trouble, "%s", words);
    feed->next_ns = clock_now() + (wait_ns < RETRY_NS ? wait_ns : RETRY_NS);
    if (is_new)
        daemon_log("warning", "feed-not-read", "url", feed->rule.url, "why", words, NULL);
}

static void item_fails(struct feed *feed, const char *words, bool is_hopeless)
{
    const struct intake_key *key = &feed->reading.keys[feed->at];
    const char *title = feed->reading.items[feed->at].title;

    snprintf(feed->status.trouble, sizeof feed->status.trouble, "%.100s: %.200s", title, words);
    if (!intake_taken_has(&feed->told, key)) {
        intake_taken_add(&feed->told, key);
        daemon_log("warning", "not-added", "url", feed->rule.url, "item", title, "why", words,
                   NULL);
    }
    if (is_hopeless)
        intake_taken_add(&feed->hopeless, key);
    feed->at++;
}

/* ---- taking ---- */

static bool is_taken(struct feed *feed, uint32_t item)
{
    struct feed_reading *reading = &feed->reading;
    struct intake_taken *taken = &feed->memory.taken;
    bool found = intake_taken_has(taken, &reading->keys[item]);

    if (reading->has_episode[item])
        found = (intake_taken_has(taken, &reading->episodes[item]) && feed->rule.once) || found;
    return found;
}

/* true: the metainfo is the catalog's now. */
static bool take(struct feed *feed, const struct daemon_intake_thing *thing)
{
    struct feed_reading *reading = &feed->reading;
    char text[256] = "";
    uint64_t change = 0;
    enum freshet_error error = daemon_intake_add(feed->daemon, &feed->rule, thing, text, &change);

    if (error && error != FRESHET_ERROR_EXISTS) {
        item_fails(feed, text, error != FRESHET_ERROR_BUSY);
        return false;
    }
    feed->status.taken += error == FRESHET_OK;
    reading->items[feed->at].taken = true;
    daemon_intake_memory_add(&feed->memory, &reading->keys[feed->at], change);
    if (reading->has_episode[feed->at])
        daemon_intake_memory_add(&feed->memory, &reading->episodes[feed->at], change);
    feed->at++;
    return error == FRESHET_OK;
}

static size_t origin_length(const char *url)
{
    const char *host = strstr(url, "://");

    return host ? (size_t)(host + 3 - url) + strcspn(host + 3, "/?#") : 0;
}

static bool same_origin(const char *a, const char *b)
{
    size_t length = origin_length(a);

    return length > 0 && length == origin_length(b) && strncasecmp(a, b, length) == 0;
}

/* Does nothing while there is no room for the answer. */
static void fetch(struct feed *feed, const char *url, uint32_t size_max, bool is_item)
{
    struct daemon_feeds *feeds = feed->daemon->feeds;

    if (feeds->bodies + size_max > LIMIT_FEED_BODIES) {
        feeds->is_short = true;
        return;
    }
    struct fetch_job job = {.id = feed->job = ++feeds->next,
                            .url = url,
                            .timeout_ns = FETCH_TIMEOUT_NS,
                            .body_max = size_max};
    feed->is_item = is_item;
    feed->body_max = size_max;
    feeds->bodies += size_max;
    list_remove(&feeds->feeds, &feed->node);
    list_append(&feeds->feeds, &feed->node);
    if (same_origin(url, feed->rule.url))
        http_fetch_start_for_person(feeds->fetch, &job, is_item ? NULL : &feed->reading.version);
    else
        http_fetch_start(feeds->fetch, &job);
}

/* The next items that are wanted; those of links at once, a few a turn, those of URLs one by one.
 */
static void take_next(struct feed *feed)
{
    struct feed_reading *reading = &feed->reading;

    for (uint32_t steps = 0; feed->at < reading->document.count && steps < LINKS_A_STEP;) {
        struct intake_item *item = &reading->items[feed->at];
        if (item->fits && !item->taken)
            item->taken = is_taken(feed, feed->at);
        if (!item->fits || item->taken || !item->link ||
            intake_taken_has(&feed->hopeless, &reading->keys[feed->at])) {
            feed->at++;
            continue;
        }
        if (strncasecmp(item->link, "magnet:", 7) != 0) {
            fetch(feed, item->link, LIMIT_TORRENT_FILE_SIZE, true);
            return;
        }
        take(feed, &(struct daemon_intake_thing){.magnet = item->link, .from = feed->rule.url});
        steps++;
    }
    feed->is_taking = feed->at < reading->document.count;
}

/* ---- bodies ---- */

static void parse_run(struct work *work)
{
    struct feed_task *task = LIST_ELEMENT(work, struct feed_task, work);
    struct bytes body = buffer_bytes(&task->body);

    if (task->filter) {
        task->error = feed_parser_parse(body, task->reason, &task->reading.document);
        if (!task->error)
            reading_make(&task->reading, task->filter);
    } else {
        task->error = metainfo_parse(body, &task->metainfo, task->reason);
    }
}

/* What is due, as far as there is room; in the order in which they were served. */
static void go_on(struct daemon_feeds *feeds)
{
    int64_t now = clock_now();
    size_t count = feeds->feeds.length;

    feeds->is_short = false;
    for (struct list_node *node = list_first(&feeds->feeds), *next; count > 0; node = next) {
        struct feed *feed = LIST_ELEMENT(node, struct feed, node);
        next = list_next(&feeds->feeds, node);
        count--;
        if (!is_idle(feed) || !feed->memory.is_ready)
            continue;
        if (feed->is_taking)
            take_next(feed);
        else if (feed->next_ns <= now)
            fetch(feed, feed->rule.url, LIMIT_FEED_SIZE, false);
    }
}

/* From its first item: what could not be fetched is tried again. */
static void take_items(struct feed *feed)
{
    feed->status.trouble[0] = '\0';
    feed->next_ns = clock_now() + (int64_t)feed->rule.interval_s * SECOND_NS;
    feed->at = 0;
    feed->is_taking = true;
}

static void take_reading(struct feed *feed, struct feed_task *task)
{
    reading_deinit(&feed->reading);
    feed->reading = task->reading;
    memset(&task->reading, 0, sizeof task->reading);
    for (uint32_t i = 0; i < feed->reading.document.count; i++)
        feed->reading.items[i].taken = is_taken(feed, i);
    snprintf(feed->status.title, sizeof feed->status.title, "%s", feed->reading.document.title);
    feed->status.found = feed->reading.document.count;
    take_items(feed);
}

static void parse_done(struct work *work)
{
    struct feed_task *task = LIST_ELEMENT(work, struct feed_task, work);
    struct feed *feed = task->feed;
    struct daemon_service *daemon = feed->daemon;
    bool is_ending = work->cancelled || daemon->is_stopping;
    bool counts = !is_ending && !feed->is_gone && task->changes == feed->changes;

    feed->tasks--;
    if (counts && task->filter) {
        if (task->error)
            feed_fails(feed, task->reason);
        else
            take_reading(feed, task);
    } else if (counts && task->error) {
        item_fails(feed, task->reason, true);
    } else if (counts) {
        struct daemon_intake_thing thing = {.metainfo = task->metainfo,
                                            .torrent = buffer_bytes(&task->body),
                                            .from = feed->rule.url};
        if (take(feed, &thing))
            task->metainfo = NULL;
    }
    daemon->feeds->bodies -= task->body.length;
    if (counts && feed->is_taking && !daemon->feeds->is_short)
        take_next(feed); /* else it is behind those who wait */
    feed_filter_free(task->filter);
    reading_deinit(&task->reading);
    metainfo_free(task->metainfo);
    buffer_deinit(&task->body);
    memory_free(task);
    if (daemon->feeds->is_short && !is_ending)
        go_on(daemon->feeds);
    if (feed->is_gone && feed->tasks == 0)
        feed_free(feed);
}

/* The body that was fetched. */
static void parse(struct feed *feed, bool is_item)
{
    struct daemon_feeds *feeds = feed->daemon->feeds;
    struct feed_task *task = memory_new(sizeof *task);
    const struct intake_rule *rule = &feed->rule;

    task->feed = feed;
    task->changes = feed->changes;
    http_fetch_take_body(feeds->fetch, &task->body);
    feeds->bodies += task->body.length;
    if (!is_item) {
        http_fetch_take_validators(feeds->fetch, &task->reading.version);
        task->filter = feed_filter_new(rule->includes, rule->include_count, rule->excludes,
                                       rule->exclude_count);
    }
    task->work.run = parse_run;
    task->work.done = parse_done;
    feed->tasks++;
    worker_pool_submit(feed->daemon->intake_workers, &task->work);
}

static void on_fetched(void *context, struct event *event)
{
    struct daemon_service *daemon = context;
    struct feed *feed = find_feed(daemon->feeds, has_job, &event->job);
    char text[64];

    if (!feed)
        return;
    job_ended(daemon->feeds, feed);
    if (!feed->is_item)
        feed->status.looked_s = clock_wall() / SECOND_NS;
    if (!event->error) {
        parse(feed, feed->is_item);
        return;
    }
    if (http_fetch_is_unchanged(daemon->feeds->fetch)) {
        take_items(feed);
        return;
    }
    snprintf(text, sizeof text, "the server answered %d", (int)event->result.fetched.status);
    const char *words = event->error == FRESHET_ERROR_HTTP ? text : error_text(event->error);
    /* The next second goes on: nothing is asked for in here, where libcurl has just told. */
    if (feed->is_item)
        item_fails(feed, words, event->error == FRESHET_ERROR_LIMIT);
    else
        feed_fails(feed, words);
}

/* ---- the rules ---- */

static void memory_name(const char *url, char ret_name[DAEMON_INTAKE_NAME_SIZE])
{
    struct intake_key key = intake_taken_key((struct bytes){(const uint8_t *)url, strlen(url)});
    char hex[2 * INTAKE_KEY_SIZE + 1];

    bytes_to_hex(key.bytes, INTAKE_KEY_SIZE, hex);
    snprintf(ret_name, DAEMON_INTAKE_NAME_SIZE, "feed-%.32s", hex);
}

/* Takes the rule. One that has changed is read again at once, with what was taken known. */
static void take_rule(struct daemon_service *daemon, struct intake_rule *rule, const char *text)
{
    struct feed *feed = find_feed(daemon->feeds, has_url, rule->url);
    char name[DAEMON_INTAKE_NAME_SIZE];

    if (feed && strcmp(feed->text, text) == 0) {
        feed->is_wanted = true;
        intake_rule_deinit(rule);
        return;
    }
    if (!feed) {
        feed = memory_new(sizeof *feed);
        feed->daemon = daemon;
        memory_name(rule->url, name);
        daemon_intake_memory_init(&feed->memory, daemon, name, LIMIT_FEED_TAKEN);
        intake_taken_init(&feed->hopeless, LIMIT_FEED_TAKEN);
        intake_taken_init(&feed->told, LIMIT_FEED_TAKEN);
        list_append(&daemon->feeds->feeds, &feed->node);
    }
    intake_rule_deinit(&feed->rule);
    memory_free(feed->text);
    feed->rule = *rule;
    feed->text = memory_copy(text, strlen(text) + 1);
    feed->is_wanted = true;
    feed->next_ns = 0;
    feed->changes++;
    feed->is_taking = false;
    http_validators_deinit(&feed->reading.version); /* by the new rule all of it is looked at */
    if (feed->job) {
        http_fetch_cancel(daemon->feeds->fetch, feed->job);
        job_ended(daemon->feeds, feed); /* its end is nobody's */
    }
}

void daemon_feeds_apply(struct daemon_service *daemon)
{
    const struct catalog_settings *settings = catalog_settings(daemon->catalog);
    char reason[INTAKE_REASON_SIZE];
    struct list_node *next;

    if (!daemon->feeds) {
        daemon->feeds = memory_new(sizeof *daemon->feeds);
        list_init(&daemon->feeds->feeds);
        daemon->feeds->fetch =
            http_fetch_new(session_loop(daemon->session), NULL, on_fetched, daemon);
        http_fetch_set_route(daemon->feeds->fetch, session_route(daemon->session));
    }
    for (struct list_node *node = list_first(&daemon->feeds->feeds); node;
         node = list_next(&daemon->feeds->feeds, node))
        LIST_ELEMENT(node, struct feed, node)->is_wanted = false;
    for (uint32_t i = 0; i < settings->feed_count; i++) {
        struct intake_rule rule;
        if (intake_rule_parse(INTAKE_FEED, settings->feeds[i], reason, &rule))
            daemon_log("error", "rule-not-read", "why", reason, NULL);
        else
            take_rule(daemon, &rule, settings->feeds[i]);
    }
    for (struct list_node *node = list_first(&daemon->feeds->feeds); node; node = next) {
        struct feed *feed = LIST_ELEMENT(node, struct feed, node);
        next = list_next(&daemon->feeds->feeds, node);
        if (!feed->is_wanted)
            feed_drop(daemon->feeds, feed);
    }
}

void daemon_feeds_second(struct daemon_service *daemon)
{
    if (!daemon->feeds || daemon->is_stopping)
        return;
    for (struct list_node *node = list_first(&daemon->feeds->feeds); node;
         node = list_next(&daemon->feeds->feeds, node))
        daemon_intake_memory_keep(&LIST_ELEMENT(node, struct feed, node)->memory);
    go_on(daemon->feeds);
}

bool daemon_feeds_status(struct daemon_service *daemon, uint32_t id,
                         struct intake_status *ret_status)
{
    struct feed *feed = find_feed(daemon->feeds, has_id, &id);

    if (feed)
        *ret_status = feed->status;
    return feed != NULL;
}

uint32_t daemon_feeds_items(struct daemon_service *daemon, uint32_t id,
                            const struct intake_item **ret_items)
{
    struct feed *feed = find_feed(daemon->feeds, has_id, &id);

    *ret_items = feed ? feed->reading.items : NULL;
    return feed ? feed->reading.document.count : 0;
}

void daemon_feeds_finish(struct daemon_service *daemon)
{
    for (struct list_node *node = daemon->feeds ? list_first(&daemon->feeds->feeds) : NULL; node;
         node = list_next(&daemon->feeds->feeds, node))
        daemon_intake_memory_finish(&LIST_ELEMENT(node, struct feed, node)->memory);
}

/* The workers are gone. */
void daemon_feeds_free(struct daemon_service *daemon)
{
    struct list_node *node;

    if (!daemon->feeds)
        return;
    http_fetch_free(daemon->feeds->fetch);
    while ((node = list_first(&daemon->feeds->feeds))) {
        struct feed *feed = LIST_ELEMENT(node, struct feed, node);
        feed->job = 0;
        feed_drop(daemon->feeds, feed);
    }
    memory_free(daemon->feeds);
    daemon->feeds = NULL;
}
