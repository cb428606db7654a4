/* SPDX-License-Identifier: MIT */
#include "cli/import_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"
#include "core/base/memory.h"
#include "core/metainfo/magnet.h"
#include "host/posix_error.h"

#define PATH_SIZE   (LIMIT_PATH_LENGTH + 300)
#define RESUME_MAX  (16u * MIB)
#define QUEUE_MAX   (16u * MIB)
#define HASH_DIGITS 40u

/* How one program keeps a torrent. */
struct form {
    const char *resume_folder, *resume_ending; /* below the folder; "" and so on */
    const char *torrent_folder;
    bool has_link_files; /* *.magnet, and .torrent files that are links */
    bool resume_first;   /* what there is, is what has a resume file; else what has a torrent */
    enum freshet_error (*read)(struct takeover *takeover, struct bytes bytes,
                               struct metainfo *metainfo, char reason[METAINFO_REASON_SIZE]);
};

static const struct form transmission = {"/resume", ".resume", "/torrents",
                                         true,      false,     takeover_transmission_read};
static const struct form qbittorrent = {"",    ".fastresume", "",
                                        false, true,          takeover_qbittorrent_read};

enum freshet_error import_folder_read(const char *path, size_t most, struct buffer *ret_bytes)
{
    uint8_t part[65536];
    struct stat status;
    enum freshet_error error = FRESHET_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t got = 0;

    if (fd < 0)
        return posix_error_of_file(errno);
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        error = FRESHET_ERROR_USAGE;
    while (!error && (got = read(fd, part, sizeof part)) > 0) {
        if (ret_bytes->length + (size_t)got > most)
            error = FRESHET_ERROR_LIMIT;
        else
            buffer_append(ret_bytes, part, (size_t)got);
    }
    if (!error && got < 0)
        error = posix_error_of_file(errno);
    close(fd);
    return error;
}

enum freshet_error import_folder_torrent(const struct import_entry *entry, struct buffer *ret_bytes)
{
    if (entry->torrent_path)
        return import_folder_read(entry->torrent_path, LIMIT_TORRENT_FILE_SIZE, ret_bytes);
    return qbittorrent_database_torrent(entry->database, entry->row, ret_bytes);
}

/* ---- what is on the disk ---- */

/* 1: there. 2: with ".part" behind its name. 0: neither. */
static int look_for(const char *folder, const char *path)
{
    char whole[2 * PATH_SIZE];
    struct stat status;

    snprintf(whole, sizeof whole - 8, "%s/%s", folder, path);
    if (stat(whole, &status) == 0 && S_ISREG(status.st_mode))
        return 1;
    strcat(whole, ".part");
    return stat(whole, &status) == 0 && S_ISREG(status.st_mode) ? 2 : 0;
}

static void look(struct import_entry *entry, const struct metainfo *metainfo, const char *folder)
{
    const uint8_t *priorities = entry->takeover->priorities;

    entry->files = entry->files_there = entry->files_part = 0;
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++) {
        if (metainfo->files[i].padding || metainfo->files[i].symlink ||
            (priorities && priorities[i] == CATALOG_PRIORITY_UNWANTED))
            continue;
        int found = look_for(folder, metainfo->files[i].path);
        entry->files++;
        entry->files_there += found == 1;
        entry->files_part += found == 2;
    }
}

/* One whose last file has just come may be named in the old place still. */
static void find_content(struct import_entry *entry, const struct metainfo *metainfo)
{
    struct takeover *takeover = entry->takeover;

    if (!takeover->folder)
        return;
    look(entry, metainfo, takeover->folder);
    if (entry->files_there || entry->files_part || !takeover->folder_done)
        return;
    look(entry, metainfo, takeover->folder_done);
    if (entry->files_there == 0)
        return;
    memory_free(takeover->folder);
    takeover->folder = takeover->folder_done;
    takeover->folder_done = NULL;
}

/* ---- one torrent ---- */

static bool same_trackers(const struct takeover *takeover, const struct metainfo *metainfo)
{
    if (takeover->tracker_count != metainfo->tracker_count)
        return false;
    for (uint32_t i = 0; i < takeover->tracker_count; i++)
        if (!bytes_is(metainfo->trackers[i], takeover->trackers[i]))
            return false;
    return true;
}

static void take_link(struct import_entry *entry, struct bytes link)
{
    char reason[METAINFO_REASON_SIZE];
    struct magnet *magnet = NULL;

    while (link.length && link.data[link.length - 1] <= ' ')
        link.length--;
    if (link.length > LIMIT_MAGNET_LENGTH || magnet_parse(link, &magnet, reason)) {
        takeover_refuse(entry->takeover, "its link is none");
        return;
    }
    memory_free(entry->takeover->magnet);
    entry->takeover->magnet = takeover_text(link, LIMIT_MAGNET_LENGTH);
    if (magnet->name)
        entry->name = memory_copy_text(magnet->name);
    magnet_free(magnet);
}

/* Its torrent, or its link; what there is to know of it before its resume file is read. */
static void read_torrent(struct import_entry *entry, const struct form *form, const char *folder,
                         struct metainfo **ret_metainfo)
{
    char path[PATH_SIZE], reason[METAINFO_REASON_SIZE];
    struct buffer bytes = {0}, link = {0};

    snprintf(path, sizeof path, "%s%s/%s.torrent", folder, form->torrent_folder, entry->base);
    enum freshet_error error = import_folder_read(path, LIMIT_TORRENT_FILE_SIZE, &bytes);
    if (!error && form->has_link_files &&
        takeover_transmission_magnet(buffer_bytes(&bytes), &link)) {
        take_link(entry, buffer_bytes(&link));
    } else if (!error) {
        error = metainfo_parse(buffer_bytes(&bytes), ret_metainfo, reason);
        if (error)
            takeover_refuse(entry->takeover, "its torrent: %.120s", reason);
        else
            entry->torrent_path = memory_copy_text(path);
    } else if (error != FRESHET_ERROR_NOT_FOUND) {
        takeover_refuse(entry->takeover, "its torrent: %s", error_text(error));
    } else if (form->has_link_files) {
        snprintf(path, sizeof path, "%s%s/%s.magnet", folder, form->torrent_folder, entry->base);
        error = import_folder_read(path, LIMIT_MAGNET_LENGTH, &link);
        if (error)
            takeover_refuse(entry->takeover, "its torrent: %s", error_text(error));
        else
            take_link(entry, buffer_bytes(&link));
    }
    buffer_deinit(&bytes);
    buffer_deinit(&link);
}

static void read_resume(struct import_entry *entry, const struct form *form, const char *folder,
                        struct metainfo *metainfo)
{
    char path[PATH_SIZE], reason[METAINFO_REASON_SIZE] = "";
    struct buffer bytes = {0};

    snprintf(path, sizeof path, "%s%s/%s%s", folder, form->resume_folder, entry->base,
             form->resume_ending);
    enum freshet_error error = import_folder_read(path, RESUME_MAX, &bytes);
    if (!error)
        error = form->read(entry->takeover, buffer_bytes(&bytes), metainfo, reason);
    if (error)
        takeover_refuse(entry->takeover, "its %s file: %s", form->resume_ending + 1,
                        reason[0] ? reason : error_text(error));
    buffer_deinit(&bytes);
}

/* What its torrent and the disk say; the metainfo is freed. */
static void complete_entry(struct import_entry *entry, struct metainfo *metainfo)
{
    if (metainfo) {
        memory_free(entry->name);
        entry->name = memory_copy_text(metainfo->name);
        entry->size = metainfo->geometry.payload_length;
        entry->trackers_differ =
            entry->takeover->tracker_count && !same_trackers(entry->takeover, metainfo);
        find_content(entry, metainfo);
        if (entry->files_part)
            takeover_note(entry->takeover,
                          "%u files that end in .part (they are fetched anew, or rename them)",
                          entry->files_part);
    } else if (entry->takeover->magnet && !entry->name) {
        struct buffer link = {0};
        buffer_append_text(&link, entry->takeover->magnet);
        take_link(entry, buffer_bytes(&link));
        buffer_deinit(&link);
    }
    if (!entry->name)
        entry->name = memory_copy_text(entry->base);
    metainfo_free(metainfo);
}

static void read_entry(struct import_entry *entry, const struct form *form, const char *folder)
{
    struct metainfo *metainfo = NULL;

    entry->takeover = takeover_new();
    read_torrent(entry, form, folder, &metainfo);
    if (!entry->takeover->refusal[0])
        read_resume(entry, form, folder, metainfo);
    complete_entry(entry, metainfo);
}

/* ---- all of them ---- */

/* The length of the name without the ending; 0: it has another. */
static size_t base_length(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);

    return length > tail && strcmp(name + length - tail, ending) == 0 ? length - tail : 0;
}

static bool is_known(const struct import_list *list, const char *name, size_t length)
{
    for (size_t i = list->count; i > 0; i--) /* a.magnet comes right behind a.torrent */
        if (strlen(list->entries[i - 1].base) == length &&
            memcmp(list->entries[i - 1].base, name, length) == 0)
            return true;
        else if (list->count - i > 2)
            break;
    return false;
}

static void add_base(struct import_list *list, const char *name, size_t length)
{
    if (length == 0 || list->count == LIMIT_TORRENTS || is_known(list, name, length))
        return;
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        list->entries = memory_resize_array(list->entries, list->capacity, sizeof *list->entries);
    }
    struct import_entry *entry = &list->entries[list->count++];
    memset(entry, 0, sizeof *entry);
    entry->base = memory_new(length + 1);
    memcpy(entry->base, name, length);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum exit_code read_folder(const char *folder, const struct form *form,
                                  struct import_list *list)
{
    char path[PATH_SIZE];
    struct dirent **names;

    snprintf(path, sizeof path, "%s%s", folder,
             form->resume_first ? form->resume_folder : form->torrent_folder);
    int count = scandir(path, &names, NULL, by_name);
    if (count < 0) {
        int number = errno;
        message_error_code(path, posix_error_of_file(number));
        return number == ENOENT || number == ENOTDIR ? EXIT_CODE_USAGE : EXIT_CODE_DISK;
    }
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name;
        size_t length = base_length(name, form->resume_first ? form->resume_ending : ".torrent");
        if (length == 0 && form->has_link_files)
            length = base_length(name, ".magnet");
        add_base(list, name, length);
        free(names[i]);
    }
    free(names);
    for (size_t i = 0; i < list->count; i++)
        read_entry(&list->entries[i], form, folder);
    return EXIT_CODE_OK;
}

static int by_age(const void *a, const void *b)
{
    const struct import_entry *x = a, *y = b;
    int64_t first = x->takeover->past.added_s, second = y->takeover->past.added_s;

    if (first != second)
        return first < second ? -1 : 1;
    return strcmp(x->base, y->base);
}

enum exit_code import_folder_transmission(const char *folder, struct import_list *ret_list)
{
    enum exit_code code = read_folder(folder, &transmission, ret_list);

    if (!code && ret_list->count)
        qsort(ret_list->entries, ret_list->count, sizeof *ret_list->entries, by_age);
    return code;
}

/* The file "queue" has a hash a line, in the order of the queue; those come first. */
static void order_by_queue(const char *folder, struct import_list *list)
{
    char path[PATH_SIZE];
    struct buffer bytes = {0};
    size_t done = 0, lines = list->count;

    snprintf(path, sizeof path, "%.4300s/queue", folder);
    if (import_folder_read(path, QUEUE_MAX, &bytes) == FRESHET_OK) {
        for (size_t at = 0; at + HASH_DIGITS <= bytes.length && lines > 0; at++, lines--) {
            size_t i = done;
            while (i < list->count && (strlen(list->entries[i].base) != HASH_DIGITS ||
                                       memcmp(list->entries[i].base, bytes.data + at, HASH_DIGITS)))
                i++;
            if (i < list->count) {
                struct import_entry next = list->entries[i];
                memmove(&list->entries[done + 1], &list->entries[done], (i - done) * sizeof next);
                list->entries[done++] = next;
            }
            while (at < bytes.length && bytes.data[at] != '\n')
                at++;
        }
    }
    buffer_deinit(&bytes);
}

/* ---- qBittorrent's database ---- */

static void read_row(void *context, const struct qbittorrent_row *row)
{
    struct import_list *list = context;
    char reason[METAINFO_REASON_SIZE] = "", base[64];
    struct metainfo *metainfo = NULL;
    struct buffer bytes = {0};
    size_t before = list->count;

    snprintf(base, sizeof base, "row %lld", (long long)row->number);
    if (row->hash[0])
        snprintf(base, sizeof base, "%s", row->hash);
    add_base(list, base, strlen(base));
    if (list->count == before)
        return;
    struct import_entry *entry = &list->entries[before];
    entry->takeover = takeover_new();
    entry->database = list->database;
    entry->row = row->number;
    enum freshet_error error = qbittorrent_database_torrent(list->database, row->number, &bytes);
    if (!error)
        error = metainfo_parse(buffer_bytes(&bytes), &metainfo, reason);
    buffer_deinit(&bytes);
    if (error && error != FRESHET_ERROR_NOT_FOUND)
        takeover_refuse(entry->takeover, "its torrent: %.120s",
                        reason[0] ? reason : error_text(error));
    else if (takeover_qbittorrent_read(entry->takeover, row->resume, metainfo, reason))
        takeover_refuse(entry->takeover, "its resume data: %.120s", reason);
    complete_entry(entry, metainfo);
}

static enum exit_code read_database(const char *path, struct import_list *list)
{
    char reason[QBITTORRENT_REASON_SIZE];
    enum freshet_error error = qbittorrent_database_open(path, &list->database, reason);

    if (!error)
        error = qbittorrent_database_each(list->database, read_row, list, reason);
    if (!error)
        return EXIT_CODE_OK;
    message_error("%.300s %s", path, reason);
    return error == FRESHET_ERROR_SYNTAX ? EXIT_CODE_USAGE : exit_code_from_error(error);
}

/* Its place is the folder in which BT_backup is. */
static bool find_database(const char *folder, char ret_path[PATH_SIZE])
{
    static const char *const places[] = {"", "/torrents.db", "/data/torrents.db",
                                         "/qBittorrent/data/torrents.db"};
    static const char backup[] = "/BT_backup";
    size_t length = strlen(folder), tail = sizeof backup - 1;
    struct stat status;

    while (length > 1 && folder[length - 1] == '/')
        length--;
    if (length > tail && memcmp(folder + length - tail, backup, tail) == 0)
        length -= tail;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (snprintf(ret_path, PATH_SIZE, "%.*s%s", (int)length, folder, places[i]) <
                (int)PATH_SIZE &&
            stat(ret_path, &status) == 0 && S_ISREG(status.st_mode))
            return true;
    return false;
}

/* ---- qBittorrent's files ---- */

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

enum exit_code import_folder_qbittorrent(const char *folder, struct import_list *ret_list)
{
    static const char *const places[] = {"/BT_backup", "/data/BT_backup",
                                         "/qBittorrent/data/BT_backup"};
    char path[PATH_SIZE];

    if (find_database(folder, path))
        return read_database(path, ret_list);
    snprintf(path, sizeof path, "%s", folder);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char below[PATH_SIZE];
        if (snprintf(below, sizeof below, "%.4000s%s", folder, places[i]) < (int)sizeof below &&
            is_folder(below))
            snprintf(path, sizeof path, "%s", below);
    }
    enum exit_code code = read_folder(path, &qbittorrent, ret_list);
    if (code)
        return code;
    if (ret_list->count)
        qsort(ret_list->entries, ret_list->count, sizeof *ret_list->entries, by_age);
    order_by_queue(path, ret_list);
    return EXIT_CODE_OK;
}

void import_folder_deinit(struct import_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        memory_free(list->entries[i].base);
        memory_free(list->entries[i].torrent_path);
        memory_free(list->entries[i].name);
        takeover_free(list->entries[i].takeover);
    }
    memory_free(list->entries);
    qbittorrent_database_free(list->database);
    *list = (struct import_list){0};
}
