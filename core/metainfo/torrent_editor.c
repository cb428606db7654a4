/* SPDX-License-Identifier: MIT */
#include "core/metainfo/torrent_editor.h"

#include "core/base/memory.h"
#include "core/bencode/bencode.h"
#include "core/bencode/bencode_writer.h"

/* The new values of the four keys that may change; an empty one leaves its key out. */
#define KEYS 4

struct replaced_key {
    const char *key;
    bool replaced;
    struct buffer value; /* encoded */
};

static void write_tiers(const struct torrent_editor_changes *changes, struct buffer *out)
{
    bencode_writer_list(out);
    for (uint32_t i = 0; i < changes->tracker_count; i++) {
        if (i == 0 || changes->tracker_tiers[i] != changes->tracker_tiers[i - 1]) {
            if (i)
                bencode_writer_end(out);
            bencode_writer_list(out);
        }
        bencode_writer_string(out, changes->trackers[i]);
    }
    bencode_writer_end(out);
    bencode_writer_end(out);
}

static void encode_changes(const struct torrent_editor_changes *changes,
                           struct replaced_key keys[KEYS])
{
    static const char *const names[KEYS] = {"announce", "announce-list", "comment", "url-list"};
    for (int i = 0; i < KEYS; i++)
        keys[i] = (struct replaced_key){.key = names[i]};
    keys[0].replaced = keys[1].replaced = changes->set_trackers;
    keys[2].replaced = changes->set_comment;
    keys[3].replaced = changes->set_web_seeds;
    if (changes->set_trackers && changes->tracker_count > 0)
        bencode_writer_string(&keys[0].value, changes->trackers[0]);
    if (changes->set_trackers && changes->tracker_count > 1)
        write_tiers(changes, &keys[1].value);
    if (changes->set_comment && changes->comment.length > 0)
        bencode_writer_string(&keys[2].value, changes->comment);
    if (changes->set_web_seeds && changes->web_seed_count > 0) {
        bencode_writer_list(&keys[3].value);
        for (uint32_t i = 0; i < changes->web_seed_count; i++)
            bencode_writer_string(&keys[3].value, changes->web_seeds[i]);
        bencode_writer_end(&keys[3].value);
    }
}

static void write_replaced(const struct replaced_key *key, struct buffer *out)
{
    if (key->value.length == 0)
        return;
    bencode_writer_key(out, key->key);
    bencode_writer_raw(out, buffer_bytes(&key->value));
}

static int compare_key(struct bytes key, const struct replaced_key *with)
{
    size_t length = 0;
    while (with->key[length])
        length++;
    return bytes_compare(key, (struct bytes){(const uint8_t *)with->key, length});
}

/* Both the dictionary and the replaced keys are ascending, so this is a merge. */
static void write_merged(const struct bencode_value *root, const struct replaced_key keys[KEYS],
                         struct buffer *out)
{
    int next = 0;
    struct bencode_iterator each = bencode_iterate(root);
    bencode_writer_dict(out);
    while (bencode_iterate_next(&each)) {
        bool replaced = false;
        for (; next < KEYS && compare_key(each.key, &keys[next]) >= 0; next++) {
            replaced = replaced || (keys[next].replaced && compare_key(each.key, &keys[next]) == 0);
            write_replaced(&keys[next], out);
        }
        if (replaced)
            continue;
        bencode_writer_string(out, each.key);
        bencode_writer_raw(out, bencode_raw(each.value));
    }
    for (; next < KEYS; next++)
        write_replaced(&keys[next], out);
    bencode_writer_end(out);
}

enum freshet_error torrent_editor_apply(struct bytes torrent,
                                        const struct torrent_editor_changes *changes,
                                        struct buffer *out)
{
    struct bencode document = {0};
    enum freshet_error error = bencode_parse(&document, torrent, BENCODE_STRICT);
    if (error == FRESHET_OK && !bencode_is(bencode_root(&document), BENCODE_DICT))
        error = FRESHET_ERROR_SYNTAX;
    if (error == FRESHET_OK) {
        struct replaced_key keys[KEYS];
        encode_changes(changes, keys);
        write_merged(bencode_root(&document), keys, out);
        for (int i = 0; i < KEYS; i++)
            buffer_deinit(&keys[i].value);
    }
    bencode_deinit(&document);
    return error;
}
