/* SPDX-License-Identifier: MIT */
/*
 * Watch folders: files that are put there are added. The commandments:
 *  1. The loop never touches the folder: looks, reads and renames are a worker's.
 *  2. A file is read when it has stood still for a while, and what was read counts only if it still
 *     is what it was.
 *  3. What becomes of a file afterwards waits until its torrent is durable.
 *  4. A file that holds nothing to add is left alone, and told of once, until it changes.
 * Events of the file system only make a look come sooner: every folder is looked at every
 * RESCAN_NS, since folders on other machines send none, and those of ours may be replaced.
 */
#include "host/daemon_content.h"
#include "host/daemon_intake.h"

#include "core/base/memory.h"
#include "host/clock.h"
#include "host/daemon_log.h"
#include "host/watch_folder.h"

#include <stdio.h>
#include <string.h>

#define RESCAN_NS (10 * SECOND_NS)
#define STILL_NS  (2 * SECOND_NS)
#define AGAIN_NS  SECOND_NS /* between looks at files that do not stand still yet */

enum watch_phase {
    FILE_SETTLING,
    FILE_STILL,   /* to be read */
    FILE_READING, /* by a worker */
    FILE_ADDED,   /* waits for its row to be durable */
    FILE_ENDING,  /* is renamed or deleted, by a worker */
    FILE_DONE,    /* kept, or bad */
};

struct watch_file {
    struct list_node node;
    struct intake_key key, taken;
    char *name;
    struct watch_stamp stamp;
    int64_t since_ns;
    uint64_t change;
    enum watch_phase phase;
    uint32_t seen; /* number of the look that saw it last */
};

struct watched {
    struct list_node node;
    struct daemon_service *daemon;
    struct intake_rule rule;
    struct intake_status status;
    struct map map; /* key of the name -> file */
    struct list files;
    uv_fs_event_t *event; /* NULL: none */
    uint64_t device, inode;
    int64_t looked_ns;
    uint32_t looks, tasks; /* tasks: what workers have of it */
    bool is_dirty, is_looking, is_reading, is_gone;
    bool is_wanted; /* by the settings that are being applied */
    char told[128]; /* the trouble with the folder that was logged last */
};

struct daemon_watch {
    struct list folders;
    struct daemon_intake_memory memory;
};

/* Something that a worker does; a copy of all that it needs. */
struct watch_task {
    struct work work;
    struct watched *folder;
    struct intake_key key;
    char *path, *name;
    struct watch_stamp stamp;
    enum intake_after after;
    struct watch_look look;
    struct watch_content content;
    enum freshet_error error;
};

/* ---- files ---- */

static void file_free(struct watched *folder, struct watch_file *file)
{
    map_remove(&folder->map, file->key.bytes);
    list_remove(&folder->files, &file->node);
    memory_free(file->name);
    memory_free(file);
}

static void folder_free(struct watched *folder)
{
    struct list_node *node;

    while ((node = list_first(&folder->files)))
        file_free(folder, LIST_ELEMENT(node, struct watch_file, node));
    map_deinit(&folder->map);
    intake_rule_deinit(&folder->rule);
    memory_free(folder);
}

static bool is_busy(const struct watch_file *file)
{
    return file->phase == FILE_READING || file->phase == FILE_ADDED || file->phase == FILE_ENDING;
}

static void say(struct watched *folder, const char *name, const char *words)
{
    snprintf(folder->status.trouble, sizeof folder->status.trouble, "%.100s: %.200s", name, words);
    daemon_log("warning", "not-added", "folder", folder->rule.path, "file", name, "why", words,
               NULL);
}

/* Nothing more is done with it, and after the next start neither. */
static void remember(struct watched *folder, struct watch_file *file)
{
    file->phase = FILE_DONE;
    daemon_intake_memory_add(&folder->daemon->watch_folders->memory, &file->taken, file->change);
}

/* ---- tasks ---- */

static struct watch_task *task_new(struct watched *folder, const struct watch_file *file)
{
    struct watch_task *task = memory_new(sizeof *task);

    task->folder = folder;
    task->path = memory_copy_text(folder->rule.path);
    task->after = folder->rule.after;
    if (file) {
        task->key = file->key;
        task->name = memory_copy_text(file->name);
        task->stamp = file->stamp;
    }
    folder->tasks++;
    return task;
}

static void task_submit(struct watch_task *task, void (*run)(struct work *work),
                        void (*done)(struct work *work))
{
    task->work.run = run;
    task->work.done = done;
    worker_pool_submit(task->folder->daemon->intake_workers, &task->work);
}

/* false: the folder is not watched any more, or the program ends. */
static bool task_counts(const struct watch_task *task)
{
    return !task->work.cancelled && !task->folder->is_gone && !task->folder->daemon->is_stopping;
}

static void folder_step(struct watched *folder);

static void task_end(struct watch_task *task)
{
    struct watched *folder = task->folder;
    bool goes_on = task_counts(task);

    watch_folder_look_deinit(&task->look);
    watch_folder_content_deinit(&task->content);
    memory_free(task->path);
    memory_free(task->name);
    memory_free(task);
    folder->tasks--;
    if (folder->is_gone && folder->tasks == 0)
        folder_free(folder);
    else if (goes_on)
        folder_step(folder);
}

/* ---- afterwards ---- */

static void finish_run(struct work *work)
{
    struct watch_task *task = LIST_ELEMENT(work, struct watch_task, work);

    task->error = watch_folder_finish(task->path, task->name, &task->stamp, task->after);
}

static void finish_done(struct work *work)
{
    struct watch_task *task = LIST_ELEMENT(work, struct watch_task, work);
    struct watched *folder = task->folder;
    struct watch_file *file = map_get(&folder->map, task->key.bytes);

    if (task_counts(task) && file && task->error) {
        char words[160];
        snprintf(words, sizeof words, "could not be %s: %s",
                 task->after == INTAKE_DELETE ? "deleted" : "renamed", error_text(task->error));
        say(folder, task->name, words);
        remember(folder, file);
    } else if (task_counts(task) && file) {
        file_free(folder, file);
        folder->is_dirty = true; /* another may have its name already */
    }
    task_end(task);
}

static void finish_files(struct watched *folder)
{
    uint64_t saved = catalog_saved(folder->daemon->catalog);

    for (struct list_node *node = list_first(&folder->files); node;
         node = list_next(&folder->files, node)) {
        struct watch_file *file = LIST_ELEMENT(node, struct watch_file, node);
        if (file->phase != FILE_ADDED || file->change > saved)
            continue;
        if (folder->rule.after == INTAKE_KEEP) { /* since the file was read */
            remember(folder, file);
            continue;
        }
        file->phase = FILE_ENDING;
        task_submit(task_new(folder, file), finish_run, finish_done);
    }
}

/* ---- reading ---- */

static void read_run(struct work *work)
{
    struct watch_task *task = LIST_ELEMENT(work, struct watch_task, work);

    watch_folder_read(task->path, task->name, &task->stamp, &task->content);
}

static void settle_again(struct watch_file *file)
{
    file->phase = FILE_SETTLING;
    file->since_ns = clock_now();
}

static void add_file(struct watched *folder, struct watch_file *file, struct watch_content *content)
{
    char from[LIMIT_PATH_LENGTH + 300], text[256] = "";
    struct daemon_intake_thing thing = {.metainfo = content->metainfo,
                                        .magnet = content->magnet,
                                        .torrent = buffer_bytes(&content->torrent),
                                        .from = from};

    snprintf(from, sizeof from, "%s/%s", folder->rule.path, file->name);
    enum freshet_error error =
        daemon_intake_add(folder->daemon, &folder->rule, &thing, text, &file->change);
    if (error == FRESHET_OK)
        content->metainfo = NULL;      /* the catalog has it */
    if (error == FRESHET_ERROR_BUSY) { /* the one before is being removed */
        settle_again(file);
        return;
    }
    if (error && error != FRESHET_ERROR_EXISTS) {
        say(folder, file->name, text);
        file->phase = FILE_DONE;
        return;
    }
    folder->status.taken += error == FRESHET_OK;
    file->phase = FILE_ADDED;
    if (folder->rule.after == INTAKE_KEEP)
        remember(folder, file);
}

static void read_done(struct work *work)
{
    struct watch_task *task = LIST_ELEMENT(work, struct watch_task, work);
    struct watched *folder = task->folder;
    struct watch_file *file = map_get(&folder->map, task->key.bytes);

    folder->is_reading = false;
    if (task_counts(task) && file) {
        if (task->content.is_moving) {
            settle_again(file);
        } else if (task->content.is_bad) {
            say(folder, file->name, task->content.words);
            file->phase = FILE_DONE;
        } else {
            add_file(folder, file, &task->content);
        }
    }
    task_end(task);
}

/* One at a time a folder: whoever puts a thousand there waits, not all others. */
static void read_next(struct watched *folder)
{
    for (struct list_node *node = list_first(&folder->files); node && !folder->is_reading;
         node = list_next(&folder->files, node)) {
        struct watch_file *file = LIST_ELEMENT(node, struct watch_file, node);
        if (file->phase != FILE_STILL)
            continue;
        if (daemon_content_holds(folder->daemon->catalog, folder->rule.path, file->name)) {
            say(folder, file->name, "it is what a torrent brought, and is not read");
            file->phase = FILE_DONE;
            continue;
        }
        file->phase = FILE_READING;
        folder->is_reading = true;
        task_submit(task_new(folder, file), read_run, read_done);
    }
}

/* ---- events ---- */

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct watched *folder = event->data;

    (void)name, (void)events, (void)status;
    if (folder)
        folder->is_dirty = true;
}

static void on_event_closed(uv_handle_t *handle)
{
    memory_free(handle);
}

static void stop_events(struct watched *folder)
{
    if (!folder->event)
        return;
    folder->event->data = NULL;
    uv_close((uv_handle_t *)folder->event, on_event_closed);
    folder->event = NULL;
}

/* After a look that found the folder there, on a disk of this machine: asking for events does not
 * wait then. Without them there are the looks. */
static void start_events(struct watched *folder)
{
    uv_fs_event_t *event = memory_new(sizeof *event);

    if (uv_fs_event_init(session_loop(folder->daemon->session), event) != 0) {
        memory_free(event);
        return;
    }
    folder->event = event;
    event->data = folder;
    if (uv_fs_event_start(event, on_event, folder->rule.path, 0) != 0)
        stop_events(folder);
}

/* ---- looking ---- */

static void look_run(struct work *work)
{
    struct watch_task *task = LIST_ELEMENT(work, struct watch_task, work);

    watch_folder_look(task->path, &task->look);
}

static void see_file(struct watched *folder, const struct watch_found *found, int64_t now)
{
    struct watch_file *file = map_get(&folder->map, found->key.bytes);

    if (!file) {
        file = memory_new(sizeof *file);
        file->key = found->key;
        file->name = memory_copy_text(found->name);
        file->since_ns = now;
        file->stamp = found->stamp;
        map_put(&folder->map, file->key.bytes, file);
        list_append(&folder->files, &file->node);
        if (intake_taken_has(&folder->daemon->watch_folders->memory.taken, &found->taken))
            file->phase = FILE_DONE;
    }
    file->seen = folder->looks;
    if (is_busy(file))
        return;
    if (!watch_folder_same(&file->stamp, &found->stamp)) {
        file->stamp = found->stamp;
        settle_again(file);
    }
    file->taken = found->taken;
    if (file->phase == FILE_SETTLING && now - file->since_ns >= STILL_NS)
        file->phase = FILE_STILL;
}

static void forget_missing(struct watched *folder)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&folder->files); node; node = next) {
        struct watch_file *file = LIST_ELEMENT(node, struct watch_file, node);
        next = list_next(&folder->files, node);
        if (file->seen != folder->looks && !is_busy(file))
            file_free(folder, file);
    }
}

static void see_folder(struct watched *folder, const struct watch_look *look)
{
    bool is_other = look->device != folder->device || look->inode != folder->inode;

    if (look->trouble[0] || is_other || look->is_remote)
        stop_events(folder);
    if (strcmp(look->trouble, folder->told) != 0 && look->trouble[0])
        daemon_log("warning", "folder-not-watched", "folder", folder->rule.path, "why",
                   look->trouble, NULL);
    snprintf(folder->told, sizeof folder->told, "%s", look->trouble);
    if (look->trouble[0]) {
        snprintf(folder->status.trouble, sizeof folder->status.trouble, "%s", look->trouble);
        folder->device = folder->inode = 0;
        return;
    }
    folder->device = look->device;
    folder->inode = look->inode;
    if (!folder->event && !look->is_remote)
        start_events(folder);
}

static void look_done(struct work *work)
{
    struct watch_task *task = LIST_ELEMENT(work, struct watch_task, work);
    struct watched *folder = task->folder;
    int64_t now = clock_now();

    folder->is_looking = false;
    folder->looked_ns = now;
    if (task_counts(task)) {
        bool was_told = folder->told[0] != '\0';
        see_folder(folder, &task->look);
        if (was_told && !folder->told[0])
            folder->status.trouble[0] = '\0';
        folder->status.looked_s = clock_wall() / SECOND_NS;
        folder->status.found = task->look.count;
        if (task->look.has_more)
            snprintf(folder->status.trouble, sizeof folder->status.trouble,
                     "there are more than %u files: the rest is not seen", LIMIT_WATCH_FILES);
        folder->looks++;
        for (uint32_t i = 0; i < task->look.count; i++)
            see_file(folder, &task->look.files[i], now);
        if (!task->look.trouble[0])
            forget_missing(folder);
    }
    task_end(task);
}

static bool is_settling(const struct watched *folder)
{
    for (struct list_node *node = list_first(&folder->files); node;
         node = list_next(&folder->files, node))
        if (LIST_ELEMENT(node, struct watch_file, node)->phase == FILE_SETTLING)
            return true;
    return false;
}

static void look_if_due(struct watched *folder)
{
    int64_t since_ns = clock_now() - folder->looked_ns;

    if (folder->is_looking ||
        (folder->looks > 0 && since_ns < RESCAN_NS &&
         !(since_ns >= AGAIN_NS && (folder->is_dirty || is_settling(folder)))))
        return;
    folder->is_looking = true;
    folder->is_dirty = false;
    task_submit(task_new(folder, NULL), look_run, look_done);
}

static void folder_step(struct watched *folder)
{
    read_next(folder);
    finish_files(folder);
}

/* ---- the rules ---- */

static void folder_drop(struct daemon_watch *watch, struct watched *folder)
{
    list_remove(&watch->folders, &folder->node);
    stop_events(folder);
    folder->is_gone = true;
    if (folder->tasks == 0)
        folder_free(folder);
}

static struct watched *find_folder(struct daemon_watch *watch, const char *path)
{
    for (struct list_node *node = list_first(&watch->folders); node;
         node = list_next(&watch->folders, node)) {
        struct watched *folder = LIST_ELEMENT(node, struct watched, node);
        if (strcmp(folder->rule.path, path) == 0)
            return folder;
    }
    return NULL;
}

/* Other options for one that is watched already hold for what is taken from here on. */
static void take_rule(struct daemon_service *daemon, struct intake_rule *rule)
{
    struct watched *folder = find_folder(daemon->watch_folders, rule->path);

    if (folder) {
        intake_rule_deinit(&folder->rule);
    } else {
        folder = memory_new(sizeof *folder);
        folder->daemon = daemon;
        map_init(&folder->map, INTAKE_KEY_SIZE, 0);
        list_init(&folder->files);
        list_append(&daemon->watch_folders->folders, &folder->node);
    }
    folder->rule = *rule;
    folder->is_wanted = true;
}

void daemon_watch_apply(struct daemon_service *daemon)
{
    const struct catalog_settings *settings = catalog_settings(daemon->catalog);
    struct daemon_watch *watch = daemon->watch_folders;
    char reason[INTAKE_REASON_SIZE];
    struct list_node *next;

    if (!watch) {
        watch = daemon->watch_folders = memory_new(sizeof *watch);
        list_init(&watch->folders);
        daemon_intake_memory_init(&watch->memory, daemon, "watch-taken", LIMIT_WATCH_TAKEN);
    }
    for (struct list_node *node = list_first(&watch->folders); node;
         node = list_next(&watch->folders, node))
        LIST_ELEMENT(node, struct watched, node)->is_wanted = false;
    for (uint32_t i = 0; i < settings->watch_folder_count; i++) {
        struct intake_rule rule;
        if (intake_rule_parse(INTAKE_WATCH, settings->watch_folders[i], reason, &rule))
            daemon_log("error", "rule-not-read", "why", reason, NULL);
        else
            take_rule(daemon, &rule);
    }
    for (struct list_node *node = list_first(&watch->folders); node; node = next) {
        struct watched *folder = LIST_ELEMENT(node, struct watched, node);
        next = list_next(&watch->folders, node);
        if (!folder->is_wanted)
            folder_drop(watch, folder);
    }
}

void daemon_watch_second(struct daemon_service *daemon)
{
    struct daemon_watch *watch = daemon->watch_folders;

    if (!watch || daemon->is_stopping || !watch->memory.is_ready)
        return;
    for (struct list_node *node = list_first(&watch->folders); node;
         node = list_next(&watch->folders, node)) {
        struct watched *folder = LIST_ELEMENT(node, struct watched, node);
        folder_step(folder);
        look_if_due(folder);
    }
    daemon_intake_memory_keep(&watch->memory);
}

bool daemon_watch_status(struct daemon_service *daemon, uint32_t id,
                         struct intake_status *ret_status)
{
    struct daemon_watch *watch = daemon->watch_folders;

    for (struct list_node *node = watch ? list_first(&watch->folders) : NULL; node;
         node = list_next(&watch->folders, node)) {
        struct watched *folder = LIST_ELEMENT(node, struct watched, node);
        if (folder->rule.id != id)
            continue;
        *ret_status = folder->status;
        return true;
    }
    return false;
}

void daemon_watch_finish(struct daemon_service *daemon)
{
    if (daemon->watch_folders)
        daemon_intake_memory_finish(&daemon->watch_folders->memory);
}

/* The workers are gone. */
void daemon_watch_free(struct daemon_service *daemon)
{
    struct daemon_watch *watch = daemon->watch_folders;
    struct list_node *node;

    if (!watch)
        return;
    while ((node = list_first(&watch->folders)))
        folder_drop(watch, LIST_ELEMENT(node, struct watched, node));
    daemon_intake_memory_deinit(&watch->memory);
    memory_free(watch);
    daemon->watch_folders = NULL;
}
