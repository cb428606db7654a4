/* SPDX-License-Identifier: MIT */
#include "host/watch_folder.h"

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "host/posix_error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define ENTRIES_MAX 200000u /* of a folder that are looked at at all */
#define RENAMES_MAX 100u

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);

    return length > tail && strcasecmp(name + length - tail, end) == 0;
}

static bool is_magnet_name(const char *name)
{
    return ends_with(name, ".magnet");
}

static void stamp_of(const struct stat *from, struct watch_stamp *ret_stamp)
{
    *ret_stamp = (struct watch_stamp){
        .size = (uint64_t)from->st_size,
        .inode = (uint64_t)from->st_ino,
        .modified_ns = (int64_t)from->st_mtim.tv_sec * SECOND_NS + from->st_mtim.tv_nsec,
        .changed_ns = (int64_t)from->st_ctim.tv_sec * SECOND_NS + from->st_ctim.tv_nsec,
    };
}

bool watch_folder_same(const struct watch_stamp *a, const struct watch_stamp *b)
{
    return a->size == b->size && a->inode == b->inode && a->modified_ns == b->modified_ns &&
           a->changed_ns == b->changed_ns;
}

/* ---- a look ---- */

/* File systems whose other machines tell nobody here that something has changed. */
static bool is_remote(int folder)
{
    static const unsigned long kinds[] = {
        0x6969,     /* NFS */
        0x517b,     /* SMB */
        0xff534d42, /* CIFS */
        0xfe534d42, /* SMB2 */
        0x65735546, /* FUSE */
        0x01021997, /* 9P */
        0x00c36400, /* Ceph */
        0x5346414f, /* AFS */
    };
    struct statfs what;

    if (fstatfs(folder, &what) != 0)
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (((unsigned long)what.f_type & 0xffffffff) == kinds[i])
            return true;
    return false;
}

static void take_file(const char *path, const char *name, const struct stat *status,
                      struct watch_look *look)
{
    struct watch_found *found = &look->files[look->count++];
    char text[LIMIT_PATH_LENGTH + 512];

    found->name = memory_copy(name, strlen(name) + 1);
    stamp_of(status, &found->stamp);
    found->key = intake_taken_key((struct bytes){(const uint8_t *)name, strlen(name)});
    int length =
        snprintf(text, sizeof text, "%.4095s/%.255s\n%llu\n%lld", path, name,
                 (unsigned long long)found->stamp.size, (long long)found->stamp.modified_ns);
    found->taken = intake_taken_key((struct bytes){(const uint8_t *)text, (size_t)length});
}

static void look_at_entries(const char *path, DIR *folder, struct watch_look *look)
{
    struct dirent *entry;
    struct stat status;

    for (uint32_t i = 0; i < ENTRIES_MAX && (entry = readdir(folder)) != NULL; i++) {
        const char *name = entry->d_name;
        if (name[0] == '.' || (!ends_with(name, ".torrent") && !is_magnet_name(name)) ||
            fstatat(dirfd(folder), name, &status, 0) != 0 || !S_ISREG(status.st_mode))
            continue;
        if (look->count == LIMIT_WATCH_FILES) {
            look->has_more = true;
            return;
        }
        take_file(path, name, &status, look);
    }
}

void watch_folder_look(const char *path, struct watch_look *ret_look)
{
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    DIR *folder = descriptor >= 0 ? fdopendir(descriptor) : NULL;
    struct stat status;

    memset(ret_look, 0, sizeof *ret_look);
    if (!folder || fstat(descriptor, &status) != 0) {
        snprintf(ret_look->trouble, sizeof ret_look->trouble, "%s", strerror(errno));
        if (folder)
            closedir(folder);
        else if (descriptor >= 0)
            close(descriptor);
        return;
    }
    ret_look->device = (uint64_t)status.st_dev;
    ret_look->inode = (uint64_t)status.st_ino;
    ret_look->is_remote = is_remote(descriptor);
    ret_look->files = memory_new_array(LIMIT_WATCH_FILES, sizeof *ret_look->files);
    look_at_entries(path, folder, ret_look);
    closedir(folder);
}

void watch_folder_look_deinit(struct watch_look *look)
{
    for (uint32_t i = 0; i < look->count; i++)
        memory_free(look->files[i].name);
    memory_free(look->files);
    memset(look, 0, sizeof *look);
}

/* ---- what is in a file ---- */

static int open_folder(const char *path)
{
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool is_the_one(int descriptor, const struct watch_stamp *stamp)
{
    struct watch_stamp now;
    struct stat status;

    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    stamp_of(&status, &now);
    return watch_folder_same(&now, stamp);
}

static bool read_bytes(int descriptor, size_t length_max, struct buffer *out)
{
    uint8_t part[65536];
    ssize_t got;

    while ((got = read(descriptor, part, sizeof part)) > 0 && out->length <= length_max)
        buffer_append(out, part, (size_t)got);
    return got >= 0;
}

static void parse_link(struct watch_content *content)
{
    struct bytes text = buffer_bytes(&content->torrent);
    struct magnet *magnet = NULL;

    while (text.length > 0 && text.data[0] <= ' ') {
        text.data++;
        text.length--;
    }
    while (text.length > 0 && text.data[text.length - 1] <= ' ')
        text.length--;
    content->is_bad = magnet_parse(text, &magnet, content->words) != FRESHET_OK;
    magnet_free(magnet);
    if (!content->is_bad) {
        content->magnet = memory_new(text.length + 1);
        memcpy(content->magnet, text.data, text.length);
    }
    buffer_clear(&content->torrent);
}

void watch_folder_read(const char *path, const char *name, const struct watch_stamp *stamp,
                       struct watch_content *ret_content)
{
    bool is_link = is_magnet_name(name);
    size_t length_max = is_link ? LIMIT_MAGNET_LENGTH : LIMIT_TORRENT_FILE_SIZE;
    int folder = open_folder(path);
    int file = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    memset(ret_content, 0, sizeof *ret_content);
    if (file < 0) {
        /* Gone meanwhile, or never to be read. */
        ret_content->is_moving = errno == ENOENT;
        ret_content->is_bad = !ret_content->is_moving;
        snprintf(ret_content->words, sizeof ret_content->words, "%s", strerror(errno));
    } else if (!is_the_one(file, stamp)) {
        ret_content->is_moving = true;
    } else if (!read_bytes(file, length_max, &ret_content->torrent)) {
        ret_content->is_bad = true;
        snprintf(ret_content->words, sizeof ret_content->words, "%s", strerror(errno));
    } else if (!is_the_one(file, stamp)) {
        ret_content->is_moving = true;
    } else if (ret_content->torrent.length > length_max) {
        ret_content->is_bad = true;
        snprintf(ret_content->words, sizeof ret_content->words, "is too large");
    } else if (is_link) {
        parse_link(ret_content);
    } else {
        ret_content->is_bad =
            metainfo_parse(buffer_bytes(&ret_content->torrent), &ret_content->metainfo,
                           ret_content->words) != FRESHET_OK;
    }
    if (file >= 0)
        close(file);
    if (folder >= 0)
        close(folder);
}

void watch_folder_content_deinit(struct watch_content *content)
{
    metainfo_free(content->metainfo);
    memory_free(content->magnet);
    buffer_deinit(&content->torrent);
    memset(content, 0, sizeof *content);
}

/* ---- afterwards ---- */

/* Never over another file: "x.torrent.added", then "x.torrent.added.1" and so on. */
static int rename_added(int folder, const char *name)
{
    char other[NAME_MAX + 32];
    struct stat status;

    for (unsigned i = 0; i < RENAMES_MAX; i++) {
        int length = i ? snprintf(other, sizeof other, "%.*s.added.%u", NAME_MAX, name, i)
                       : snprintf(other, sizeof other, "%.*s.added", NAME_MAX, name);
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        if (renameat2(folder, name, folder, other, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno == EINVAL || errno == ENOSYS) { /* a file system that cannot */
            if (fstatat(folder, other, &status, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
                return renameat(folder, name, folder, other);
            errno = EEXIST;
        }
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

enum freshet_error watch_folder_finish(const char *path, const char *name,
                                       const struct watch_stamp *stamp, enum intake_after after)
{
    int folder = open_folder(path), code = 0;
    struct watch_stamp now;
    struct stat status;

    if (folder < 0)
        return posix_error_of_file(errno);
    if (fstatat(folder, name, &status, 0) == 0) {
        stamp_of(&status, &now);
        if (watch_folder_same(&now, stamp))
            code = after == INTAKE_DELETE ? unlinkat(folder, name, 0) : rename_added(folder, name);
    }
    enum freshet_error error = code == 0 ? FRESHET_OK : posix_error_of_file(errno);
    close(folder);
    return error;
}
