/* SPDX-License-Identifier: MIT */
/*
 * What another program knows of one torrent: where its data are, what a person wished of it, and
 * its history, in words that catalog_add understands; and what of it cannot be kept.
 */
#ifndef FRESHET_TAKEOVER_TAKEOVER_H
#define FRESHET_TAKEOVER_TAKEOVER_H

#include "core/bencode/bencode.h"
#include "core/metainfo/metainfo.h"
#include "services/catalog/catalog.h"

#define TAKEOVER_NOTES    8u
#define TAKEOVER_NOTE     160u
#define TAKEOVER_LABELS   32u
#define TAKEOVER_TRACKERS LIMIT_TRACKERS_MAX
#define TAKEOVER_RENAMED  1000u

/* All texts are valid UTF-8 without control characters. */
struct takeover {
    char *folder;      /* where its data are, absolute, without a '/' at its end; NULL: not said */
    char *folder_done; /* where they go when it is complete; NULL: they stay */
    char *magnet;      /* the link, of one without metadata; else NULL */
    bool stopped, forced;
    double done; /* 0..1: what the other program says of the files wanted or of all; -1: nothing */
    char *labels[TAKEOVER_LABELS];
    uint32_t label_count;
    uint8_t *priorities; /* of each file; NULL: all normal */
    uint32_t priority_count;
    uint32_t unwanted;                     /* files */
    char **renamed_paths, **renamed_names; /* TAKEOVER_RENAMED at most */
    uint32_t renamed_count;
    char **trackers; /* instead of the torrent's; TAKEOVER_TRACKERS at most, by tier */
    uint32_t *tiers;
    uint32_t tracker_count; /* 0: those of the torrent */
    struct catalog_wishes wishes;
    struct catalog_past past; /* without folder_done and renamings, which are above */
    char notes[TAKEOVER_NOTES][TAKEOVER_NOTE];
    uint32_t note_count;
    char refusal[TAKEOVER_NOTE]; /* why it cannot be taken over; "": it can */
};

struct takeover *takeover_new(void);
void takeover_free(struct takeover *takeover);

/* A .resume file. `metainfo`: of the torrent, NULL when only its hash is known; its files get the
 * names that they have on the disk. On failure `reason` tells why, and nothing was learnt. */
enum freshet_error takeover_transmission_read(struct takeover *takeover, struct bytes resume,
                                              struct metainfo *metainfo,
                                              char reason[METAINFO_REASON_SIZE]);
/* A file in torrents/ that stands for a magnet link: appends the link; false: it is something else.
 */
bool takeover_transmission_magnet(struct bytes torrent, struct buffer *ret_link);
/* A .fastresume file; as above. Without metainfo the link is put together from what it has. */
enum freshet_error takeover_qbittorrent_read(struct takeover *takeover, struct bytes fastresume,
                                             struct metainfo *metainfo,
                                             char reason[METAINFO_REASON_SIZE]);

/* ---- for the readers of the formats ---- */

__attribute__((format(printf, 2, 3))) void takeover_note(struct takeover *takeover,
                                                         const char *format, ...);
__attribute__((format(printf, 2, 3))) void takeover_refuse(struct takeover *takeover,
                                                           const char *format, ...);
/* A copy of a text of 1 to `most` bytes; NULL when it is none, or no UTF-8 line. */
char *takeover_text(struct bytes bytes, size_t most);
/* A folder: absolute, its last '/' cut off. NULL: it is none. */
char *takeover_folder(struct bytes bytes);
/* "" and what is known already are left out. */
void takeover_label(struct takeover *takeover, struct bytes label);
/* Lists of lists of URLs. */
void takeover_trackers(struct takeover *takeover, const struct bencode_value *tiers);
/* Priorities of files in the list's terms: entry i is what `rank` makes of it. */
void takeover_priorities(struct takeover *takeover, const struct metainfo *metainfo,
                         const struct bencode_value *list, uint8_t (*rank)(int64_t value));
/* 0 where it is absent, no integer or negative. */
uint64_t takeover_number(const struct bencode_value *dict, const char *key);

/* takeover_paths.c: the paths below the folder that the files have, "" for one that has its own.
 * Makes renamings of them, and gives the metainfo those names; the folder may change. Refuses a
 * layout that ours cannot have. */
void takeover_paths(struct takeover *takeover, struct metainfo *metainfo,
                    const struct bencode_value *paths);
/* Has a list of so many entries one for each file (0), or one for each that is no padding (1)?
 * -1: neither. */
int takeover_list_form(const struct metainfo *metainfo, uint32_t entries);

#endif
