/* SPDX-License-Identifier: MIT */
/* Writes a file without a name, has it synced, reads it back past the cache, and lets it go. */
#include "host/doctor.h"

#include "core/base/memory.h"
#include "host/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PART       MIB
#define PARTS      64u
#define TRIAL_NS   (3 * SECOND_NS) /* for writing, and for reading */
#define SLOW_MIB_S 10u
#define ROOM_WARN  (1024ull * MIB)
#define ROOM_BAD   (16ull * MIB)

/* The folder may be made only by the first torrent. */
static void nearest(const char *folder, char ret_path[LIMIT_PATH_LENGTH + 1])
{
    snprintf(ret_path, LIMIT_PATH_LENGTH + 1, "%s", folder);
    while (access(ret_path, F_OK) != 0 && errno == ENOENT) {
        char *slash = strrchr(ret_path, '/');
        if (!slash || slash == ret_path) {
            strcpy(ret_path, "/");
            return;
        }
        *slash = '\0';
    }
}

/* An unnamed file; where the file system has none, one whose name goes at once. */
static int open_trial(const char *folder)
{
    char path[LIMIT_PATH_LENGTH + 32];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    snprintf(path, sizeof path, "%s/.freshet-XXXXXX", folder);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static uint64_t rate_of(uint64_t bytes, int64_t ns)
{
    return (uint64_t)((double)bytes / ((double)(ns > 0 ? ns : 1) / 1e9));
}

/* Bytes a second up to the sync; 0 with errno. */
static uint64_t write_trial(int fd, const uint8_t *part, uint64_t room, uint64_t *ret_bytes)
{
    int64_t start = clock_now();
    uint64_t done = 0;

    while (done < (uint64_t)PARTS * PART && done + PART < room && clock_now() - start < TRIAL_NS) {
        ssize_t wrote = write(fd, part, PART);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return 0;
        done += (uint64_t)wrote;
    }
    if (fdatasync(fd) != 0)
        return 0;
    *ret_bytes = done;
    return rate_of(done, clock_now() - start);
}

static uint64_t read_trial(int fd, uint8_t *part, uint64_t bytes)
{
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    int64_t start = clock_now();
    uint64_t done = 0;

    while (done < bytes && clock_now() - start < TRIAL_NS) {
        ssize_t got = pread(fd, part, PART, (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (uint64_t)got;
    }
    return rate_of(done, clock_now() - start);
}

static void try_out(int fd, const char *folder, uint64_t room, struct doctor_finding *finding)
{
    uint8_t *part = memory_new(PART);
    uint64_t bytes = 0;

    for (size_t i = 0; i < PART; i++)
        part[i] = (uint8_t)(i * 2654435761u >> 11); /* what a file system cannot compress away */
    uint64_t written = write_trial(fd, part, room, &bytes);
    int number = errno;
    uint64_t got = written ? read_trial(fd, part, bytes) : 0;
    memory_free(part);
    if (!written) {
        doctor_find(finding, DOCTOR_BAD, "writing in %.200s fails: %s", folder, strerror(number));
        doctor_advise(finding, number == ENOSPC || number == EDQUOT
                                   ? "make room, or choose another download folder"
                                   : "look at what the kernel says of that disk (dmesg)");
        return;
    }
    bool is_slow = written / MIB < SLOW_MIB_S;
    doctor_find(finding, is_slow || room < ROOM_WARN ? DOCTOR_WARN : DOCTOR_OK,
                "%.200s takes %llu MiB/s to the disk and gives %llu; %llu MiB are free", folder,
                (unsigned long long)(written / MIB), (unsigned long long)(got / MIB),
                (unsigned long long)(room / MIB));
    if (is_slow)
        doctor_advise(finding, "downloads cannot be faster than that: another disk, or fewer "
                               "torrents at a time");
    else if (room < ROOM_WARN)
        doctor_advise(finding, "what does not fit waits until there is room");
}

void doctor_check_disk(const char *folder, struct doctor_finding *ret_finding)
{
    char path[LIMIT_PATH_LENGTH + 1];
    struct statvfs space;

    *ret_finding = (struct doctor_finding){.check = "disk"};
    nearest(folder, path);
    if (statvfs(path, &space) != 0) {
        doctor_find(ret_finding, DOCTOR_BAD, "%.200s: %s", path, strerror(errno));
        return;
    }
    uint64_t room = (uint64_t)space.f_bavail * space.f_frsize;
    if (room < ROOM_BAD) {
        doctor_find(ret_finding, DOCTOR_BAD, "%llu MiB are free in %.200s",
                    (unsigned long long)(room / MIB), path);
        doctor_advise(ret_finding, "make room: downloads wait until there is some");
        return;
    }
    int fd = open_trial(path);
    if (fd < 0) {
        doctor_find(ret_finding, DOCTOR_BAD, "nothing can be written in %.200s: %s", path,
                    strerror(errno));
        doctor_advise(ret_finding, "choose another download folder, or give it to the user who "
                                   "runs the daemon");
        return;
    }
    try_out(fd, path, room, ret_finding);
    close(fd);
}
