/* SPDX-License-Identifier: MIT */
#include "host/doctor.h"

#include "core/base/memory.h"
#include "host/descriptor_limit.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define DESCRIPTORS_WANTED 4096u
#define DESCRIPTORS_NEEDED 1024u
#define STATE_ROOM         (64ull * MIB)
#define CLOCK_EARLIEST     INT64_C(1735689600) /* 2025: this program is younger */
#define CLOCK_LATEST       INT64_C(4102444800) /* 2100 */
#define CLOCK_SLACK_S      60
#define PATH_SIZE          (LIMIT_PATH_LENGTH + 64)

void doctor_find(struct doctor_finding *finding, enum doctor_level level, const char *format, ...)
{
    va_list arguments;

    finding->level = level;
    va_start(arguments, format);
    vsnprintf(finding->fact, sizeof finding->fact, format, arguments);
    va_end(arguments);
}

void doctor_advise(struct doctor_finding *finding, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(finding->advice, sizeof finding->advice, format, arguments);
    va_end(arguments);
}

/* ---- clock ---- */

/* How far the newest of the state's files is ahead of the clock. */
static int64_t ahead_of_clock(const char *state, int64_t now)
{
    static const char *const names[] = {"state.db", "state.db-wal", "state.db.good"};
    int64_t ahead = 0;
    struct stat status;
    char path[PATH_SIZE];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%.4095s/%s", state, names[i]);
        if (stat(path, &status) == 0 && status.st_mtime - now > ahead)
            ahead = status.st_mtime - now;
    }
    return ahead;
}

void doctor_check_clock(const char *state, struct doctor_finding *ret_finding)
{
    int64_t now = (int64_t)time(NULL);
    int64_t ahead = state ? ahead_of_clock(state, now) : 0;
    struct timex timex = {0};
    char text[64];
    time_t seconds = (time_t)now;
    struct tm utc;

    *ret_finding = (struct doctor_finding){.check = "clock"};
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&seconds, &utc));
    if (now < CLOCK_EARLIEST || now > CLOCK_LATEST) {
        doctor_find(ret_finding, DOCTOR_BAD, "it is %s, says the clock", text);
        doctor_advise(ret_finding, "set it: certificates of HTTPS trackers are refused in such a "
                                   "year, and dates of torrents are wrong");
    } else if (ahead > CLOCK_SLACK_S) {
        doctor_find(ret_finding, DOCTOR_WARN,
                    "it is %s; the state was last written %lld s later than that", text,
                    (long long)ahead);
        doctor_advise(ret_finding, "the clock went back: let it be set from the network (systemd-"
                                   "timesyncd, chrony)");
    } else if (adjtimex(&timex) == TIME_ERROR || (timex.status & STA_UNSYNC)) {
        doctor_find(ret_finding, DOCTOR_OK,
                    "it is %s; nothing on this machine says that the network keeps it right", text);
    } else {
        doctor_find(ret_finding, DOCTOR_OK, "it is %s, kept right by the network", text);
    }
}

/* ---- descriptors ---- */

static uint64_t limit_of(pid_t pid)
{
    char path[64], line[256];
    uint64_t soft = 0;

    snprintf(path, sizeof path, "/proc/%ld/limits", (long)pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "Max open files", 14) == 0)
            soft = strtoull(line + 14, NULL, 10);
    if (file)
        fclose(file);
    return soft;
}

static uint64_t open_of(pid_t pid)
{
    char path[64];
    uint64_t count = 0;

    snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
    DIR *folder = opendir(path);
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count > 2 ? count - 2 : 0; /* . and .. */
}

void doctor_check_descriptors(pid_t pid, struct doctor_finding *ret_finding)
{
    /* Every process of ours raises its soft limit as far as it may. */
    uint64_t limit = pid ? limit_of(pid) : descriptor_limit_raise(DESCRIPTORS_WANTED * 4);
    uint64_t open = pid ? open_of(pid) : 0;
    const char *whose = pid ? "the daemon" : "a program";

    *ret_finding = (struct doctor_finding){.check = "descriptors"};
    if (limit == 0) {
        doctor_find(ret_finding, DOCTOR_WARN, "the daemon's limits cannot be read");
        doctor_advise(ret_finding, "run this as the user whose daemon it is");
        return;
    }
    doctor_find(ret_finding,
                limit < DESCRIPTORS_NEEDED   ? DOCTOR_BAD
                : limit < DESCRIPTORS_WANTED ? DOCTOR_WARN
                                             : DOCTOR_OK,
                "%s may have %llu files and connections open", whose, (unsigned long long)limit);
    if (open) {
        size_t length = strlen(ret_finding->fact);
        snprintf(ret_finding->fact + length, sizeof ret_finding->fact - length, ", and has %llu",
                 (unsigned long long)open);
        if (open > limit / 10 * 9 && ret_finding->level == DOCTOR_OK)
            ret_finding->level = DOCTOR_WARN;
    }
    if (ret_finding->level != DOCTOR_OK)
        doctor_advise(ret_finding, "raise it: LimitNOFILE=16384 in the unit, or 'nofile' in "
                                   "/etc/security/limits.conf; with fewer there are fewer peers");
}

/* ---- the state ---- */

/* Without a log beside it nobody has it open, and looking at it must not make one. */
static int open_read_only(const char *folder, sqlite3 **ret_database)
{
    char path[PATH_SIZE], log[PATH_SIZE + 8];
    struct buffer uri = {0};

    snprintf(path, sizeof path, "%.4095s/state.db", folder);
    snprintf(log, sizeof log, "%s-wal", path);
    buffer_append_text(&uri, "file:");
    for (const char *at = path; *at; at++) {
        char code[4];
        snprintf(code, sizeof code, "%%%02x", (unsigned char)*at);
        if (strchr("?#%", *at))
            buffer_append_text(&uri, code);
        else
            buffer_append_u8(&uri, (uint8_t)*at);
    }
    buffer_append_text(&uri, access(log, F_OK) == 0 ? "?mode=ro" : "?mode=ro&immutable=1");
    buffer_append_u8(&uri, 0);
    int code = sqlite3_open_v2((const char *)uri.data, ret_database,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    buffer_deinit(&uri);
    if (code == SQLITE_OK)
        sqlite3_busy_timeout(*ret_database, 5000);
    return code;
}

/* The first value of the query as text; false: there is none. */
static bool ask(sqlite3 *database, const char *query, char *ret_text, size_t size)
{
    sqlite3_stmt *row = NULL;
    bool found = false;

    if (sqlite3_prepare_v2(database, query, -1, &row, NULL) == SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(row, 0);
        snprintf(ret_text, size, "%s", text ? (const char *)text : "");
        found = text != NULL;
    }
    sqlite3_finalize(row);
    return found;
}

bool doctor_read_state(const char *folder, struct doctor_state *ret_state)
{
    sqlite3 *database = NULL;
    char text[32];
    bool is_there = open_read_only(folder, &database) == SQLITE_OK;

    memset(ret_state, 0, sizeof *ret_state);
    if (is_there) {
        (void)ask(database, "SELECT value FROM settings WHERE name='download_folder'",
                  ret_state->download_folder, sizeof ret_state->download_folder);
        if (ask(database, "SELECT value FROM numbers WHERE name='listen_port'", text, sizeof text))
            ret_state->port = (uint16_t)strtoul(text, NULL, 10);
        if (ask(database, "SELECT sum(length(value)) FROM blobs WHERE name LIKE 'dht.ipv_'", text,
                sizeof text))
            ret_state->dht_bytes = strtoull(text, NULL, 10);
    }
    sqlite3_close(database);
    return is_there;
}

/* How many files of earlier accidents lie there. */
static uint32_t count_damaged(const char *folder)
{
    uint32_t count = 0;
    struct dirent *entry;
    DIR *listing = opendir(folder);

    while (listing && (entry = readdir(listing)))
        count += strstr(entry->d_name, ".damaged-") != NULL;
    if (listing)
        closedir(listing);
    return count;
}

static void check_database(const char *folder, struct doctor_finding *finding)
{
    sqlite3 *database = NULL;
    char said[200] = "", torrents[32] = "0";
    int code = open_read_only(folder, &database);

    if (code != SQLITE_OK || !ask(database, "PRAGMA quick_check(1)", said, sizeof said)) {
        doctor_find(finding, DOCTOR_BAD, "the state in %.200s cannot be read: %.80s", folder,
                    database ? sqlite3_errmsg(database) : "no memory");
        doctor_advise(finding, "the next start sets it aside and goes on from the last good copy "
                               "(state.db.good); keep a copy of the folder before");
    } else if (strcmp(said, "ok") != 0) {
        doctor_find(finding, DOCTOR_BAD, "the state in %.200s is damaged: %.80s", folder, said);
        doctor_advise(finding, "copy the folder, then restart the daemon: it sets the damaged file "
                               "aside and goes on from the last good copy (state.db.good)");
    } else {
        (void)ask(database, "SELECT count(*) FROM catalog", torrents, sizeof torrents);
        doctor_find(finding, DOCTOR_OK, "%s torrents in %.200s, and every page is whole", torrents,
                    folder);
    }
    sqlite3_close(database);
}

static void check_room(const char *folder, struct doctor_finding *finding)
{
    struct statvfs space;
    struct stat status;

    if (statvfs(folder, &space) == 0 && (uint64_t)space.f_bavail * space.f_frsize < STATE_ROOM) {
        doctor_find(finding, DOCTOR_BAD, "only %llu MiB are free for the state in %.200s",
                    (unsigned long long)(space.f_bavail * space.f_frsize / MIB), folder);
        doctor_advise(finding, "make room: progress that cannot be written is checked anew later");
    } else if (stat(folder, &status) == 0 && status.st_mode & 022) {
        doctor_find(finding, DOCTOR_WARN, "others may write in the state's folder %.200s", folder);
        doctor_advise(finding, "chmod 700 it: the token of the RPC lies there");
    } else if (access(folder, W_OK) != 0) {
        doctor_find(finding, DOCTOR_BAD, "nothing can be written in %.200s: %s", folder,
                    strerror(errno));
        doctor_advise(finding, "it must belong to the user who runs the daemon");
    }
}

void doctor_check_state(const char *folder, struct doctor_finding *ret_finding)
{
    char path[PATH_SIZE];
    uint32_t damaged = count_damaged(folder);

    *ret_finding = (struct doctor_finding){.check = "state"};
    snprintf(path, sizeof path, "%.4095s/state.db", folder);
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        doctor_find(ret_finding, DOCTOR_OK, "there is none in %.200s yet", folder);
        return;
    }
    check_database(folder, ret_finding);
    if (ret_finding->level == DOCTOR_OK)
        check_room(folder, ret_finding);
    if (ret_finding->level == DOCTOR_OK && damaged) {
        doctor_find(ret_finding, DOCTOR_WARN,
                    "it is whole, but %u damaged files of earlier lie in %.200s", damaged, folder);
        doctor_advise(ret_finding, "if that happens again, the disk or the memory is failing; the "
                                   "files *.damaged-* may be deleted");
    }
}
