/* SPDX-License-Identifier: MIT */
#include "cli/show_json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "core/base/utf8.h"

static json_t *text_json(struct bytes text)
{
    struct buffer valid = {0};
    while (text.length) {
        uint32_t code_point;
        size_t length = utf8_decode(text, &code_point);
        if (length)
            buffer_append(&valid, text.data, length);
        else
            buffer_append_text(&valid, "\xef\xbf\xbd");
        length += length == 0;
        text.data += length;
        text.length -= length;
    }
    json_t *json = json_stringn((const char *)valid.data, valid.length);
    if (valid.length == 0)
        json = json_string("");
    buffer_deinit(&valid);
    return json;
}

static json_t *hash_json(const uint8_t *hash, size_t length)
{
    char hex[65];
    bytes_to_hex(hash, length, hex);
    return json_string(hex);
}

static void set_hashes(json_t *object, const uint8_t *v1, const uint8_t *v2)
{
    if (v1)
        json_object_set_new(object, "info_hash_v1", hash_json(v1, 20));
    if (v2)
        json_object_set_new(object, "info_hash_v2", hash_json(v2, 32));
}

static void set_text(json_t *object, const char *key, struct bytes text)
{
    if (text.length)
        json_object_set_new(object, key, text_json(text));
}

static json_t *file_json(const struct metainfo_file *file, uint32_t number)
{
    json_t *object = json_pack("{s:I, s:s, s:I}", "number", (json_int_t)number, "path", file->path,
                               "length", (json_int_t)file->length);
    if (file->executable)
        json_object_set_new(object, "executable", json_true());
    if (file->hidden)
        json_object_set_new(object, "hidden", json_true());
    if (file->symlink)
        json_object_set_new(object, "symlink", json_string(file->symlink));
    if (file->pieces_root)
        json_object_set_new(object, "pieces_root", hash_json(file->pieces_root, 32));
    return object;
}

static json_t *files_json(const struct metainfo *metainfo)
{
    json_t *files = json_array();
    for (uint32_t i = 0, number = 1; i < metainfo->geometry.file_count; i++)
        if (!metainfo->files[i].padding)
            json_array_append_new(files, file_json(&metainfo->files[i], number++));
    return files;
}

/* A list of tiers, each a list of URLs. */
static json_t *tiers_json(const struct metainfo *metainfo)
{
    json_t *tiers = json_array();
    for (uint32_t i = 0; i < metainfo->tracker_count; i++) {
        if (json_array_size(tiers) <= metainfo->tracker_tiers[i])
            json_array_append_new(tiers, json_array());
        json_array_append_new(json_array_get(tiers, json_array_size(tiers) - 1),
                              text_json(metainfo->trackers[i]));
    }
    return tiers;
}

static void print(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
}

void show_json_metainfo(const struct metainfo *metainfo)
{
    json_t *object = json_object();
    struct buffer link = {0};
    json_t *web_seeds = json_array();
    magnet_format_metainfo(metainfo, &link);
    for (uint32_t i = 0; i < metainfo->web_seed_count; i++)
        json_array_append_new(web_seeds, text_json(metainfo->web_seeds[i]));
    json_object_set_new(object, "name", json_string(metainfo->name));
    set_hashes(object, metainfo->has_v1 ? metainfo->info_hash_v1 : NULL,
               metainfo->has_v2 ? metainfo->info_hash_v2 : NULL);
    json_object_set_new(object, "length",
                        json_integer((json_int_t)metainfo->geometry.payload_length));
    json_object_set_new(object, "piece_length", json_integer(metainfo->geometry.piece_length));
    json_object_set_new(object, "pieces", json_integer(metainfo->geometry.piece_count));
    json_object_set_new(object, "private", json_boolean(metainfo->is_private));
    json_object_set_new(object, "single_file", json_boolean(metainfo->single_file));
    json_object_set_new(object, "layers_missing", json_boolean(metainfo->layers_missing));
    set_text(object, "source", metainfo->source);
    set_text(object, "comment", metainfo->comment);
    set_text(object, "created_by", metainfo->created_by);
    if (metainfo->creation_date)
        json_object_set_new(object, "creation_date", json_integer(metainfo->creation_date));
    json_object_set_new(object, "trackers", tiers_json(metainfo));
    json_object_set_new(object, "web_seeds", web_seeds);
    json_object_set_new(object, "files", files_json(metainfo));
    set_text(object, "magnet", buffer_bytes(&link));
    buffer_deinit(&link);
    print(object);
}

static json_t *texts_json(const char *const *texts, uint32_t count)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(
            list, text_json((struct bytes){(const uint8_t *)texts[i], strlen(texts[i])}));
    return list;
}

void show_json_magnet(const struct magnet *magnet)
{
    json_t *object = json_object();
    struct buffer link = {0};
    magnet_format(magnet, &link);
    if (magnet->name)
        json_object_set_new(object, "name", json_string(magnet->name));
    set_hashes(object, magnet->has_v1 ? magnet->info_hash_v1 : NULL,
               magnet->has_v2 ? magnet->info_hash_v2 : NULL);
    json_object_set_new(object, "trackers", texts_json(magnet->trackers, magnet->tracker_count));
    json_object_set_new(object, "web_seeds", texts_json(magnet->web_seeds, magnet->web_seed_count));
    json_object_set_new(object, "peers", texts_json(magnet->peers, magnet->peer_count));
    if (magnet->range_count) {
        json_t *ranges = json_array();
        for (uint32_t i = 0; i < magnet->range_count; i++)
            json_array_append_new(ranges, json_pack("[I, I]", (json_int_t)magnet->ranges[i].first,
                                                    (json_int_t)magnet->ranges[i].last));
        json_object_set_new(object, "select_only", ranges);
    }
    set_text(object, "magnet", buffer_bytes(&link));
    buffer_deinit(&link);
    print(object);
}
