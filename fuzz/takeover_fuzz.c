/* SPDX-License-Identifier: MIT */
/* planted: services/takeover/takeover.c */
/* finds: heap-buffer-overflow :: in takeover_priorities */
/* covers: services/takeover/takeover.c services/takeover/takeover_paths.c */
/* covers: services/takeover/takeover_transmission.c services/takeover/takeover_qbittorrent.c */
/* What other programs keep of a torrent, against torrents of several shapes. The first byte says
 * which reader and which torrent; the rest is the file. Whatever was learnt is fit for the catalog:
 * texts are UTF-8 lines, folders absolute, and the renamings lead where the file said. */
#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "services/takeover/takeover.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECES "6:pieces20:aaaaaaaaaaaaaaaaaaaae"

/* A lone file, an album, an album with padding; NULL: a link. */
static const char *const torrents[] = {
    NULL,
    "d4:infod6:lengthi9e4:name1:f12:piece lengthi16384e" PIECES "e",
    "d4:infod5:filesld6:lengthi3e4:pathl1:aeed6:lengthi3e4:pathl3:sub1:beed6:lengthi3e4:pathl3:"
    "sub1:ceee4:name5:album12:piece lengthi16384e" PIECES "e",
    "d4:infod5:filesld6:lengthi3e4:pathl1:aeed4:attr1:p6:lengthi16381e4:pathl4:.pad5:16381eed6:"
    "lengthi3e4:pathl1:beee4:name5:album12:piece lengthi32768e" PIECES "e",
};

static void check_text(const char *text)
{
    if (!text)
        return;
    CHECK(text[0] != '\0');
    CHECK(utf8_is_valid((struct bytes){(const uint8_t *)text, strlen(text)}));
    for (; *text; text++)
        CHECK((uint8_t)*text >= ' ' && *text != 0x7f);
}

static void check_folder(const char *folder)
{
    check_text(folder);
    CHECK(!folder || folder[0] == '/');
    CHECK(!folder || strlen(folder) == 1 || folder[strlen(folder) - 1] != '/');
}

static void check_learnt(const struct takeover *takeover)
{
    check_folder(takeover->folder);
    check_folder(takeover->folder_done);
    CHECK(takeover->folder || takeover->refusal[0]);
    check_text(takeover->magnet);
    CHECK(takeover->done >= -1 && takeover->done <= 1);
    CHECK(takeover->label_count <= TAKEOVER_LABELS && takeover->note_count <= TAKEOVER_NOTES);
    for (uint32_t i = 0; i < takeover->label_count; i++)
        check_text(takeover->labels[i]);
    CHECK(takeover->tracker_count <= TAKEOVER_TRACKERS);
    for (uint32_t i = 0; i < takeover->tracker_count; i++) {
        check_text(takeover->trackers[i]);
        CHECK(i == 0 || takeover->tiers[i] >= takeover->tiers[i - 1]);
    }
    for (uint32_t i = 0; i < takeover->priority_count; i++)
        CHECK(takeover->priorities[i] <= LIMIT_FILE_PRIORITY);
    CHECK(takeover->unwanted <= takeover->priority_count);
    CHECK(takeover->wishes.ratio >= 0 && takeover->wishes.seed_time_s >= -1);
    CHECK(takeover->past.added_s >= 0 && takeover->past.done_s >= 0);
}

/* The same renamings lead to the same names. */
static void check_renamings(const struct takeover *takeover, const struct metainfo *metainfo,
                            struct metainfo *again)
{
    CHECK(takeover->renamed_count <= TAKEOVER_RENAMED);
    for (uint32_t i = 0; i < takeover->renamed_count; i++) {
        check_text(takeover->renamed_paths[i]);
        check_text(takeover->renamed_names[i]);
        CHECK(metainfo_rename(again, takeover->renamed_paths[i], takeover->renamed_names[i]) ==
              FRESHET_OK);
    }
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        CHECK(strcmp(metainfo->files[i].path, again->files[i].path) == 0);
}

static struct metainfo *parse(const char *text)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    if (text)
        CHECK(metainfo_parse((struct bytes){(const uint8_t *)text, strlen(text)}, &metainfo,
                             reason) == FRESHET_OK);
    return metainfo;
}

static void check_magnet(struct bytes file)
{
    struct buffer link = {0};
    if (takeover_transmission_magnet(file, &link))
        CHECK(link.length > 8 && memcmp(link.data, "magnet:?", 8) == 0);
    else
        CHECK(link.length == 0);
    buffer_deinit(&link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *text = torrents[data[0] % 4];
    struct metainfo *metainfo = parse(text), *again = parse(text);
    struct takeover *takeover = takeover_new();
    struct bytes file = {data + 1, size - 1};
    char reason[METAINFO_REASON_SIZE] = "";
    enum freshet_error error = data[0] & 4
                                   ? takeover_qbittorrent_read(takeover, file, metainfo, reason)
                                   : takeover_transmission_read(takeover, file, metainfo, reason);
    CHECK((error == FRESHET_OK) == (reason[0] == '\0'));
    if (!error)
        check_learnt(takeover);
    if (metainfo)
        check_renamings(takeover, metainfo, again);
    check_magnet(file);
    takeover_free(takeover);
    metainfo_free(metainfo);
    metainfo_free(again);
    return 0;
}
