/* SPDX-License-Identifier: MIT */
#include "core/metainfo/metainfo_outer.h"

#include <string.h>

static bool is_blank(uint8_t character)
{
    return character <= ' ';
}

/* A URL worth keeping: blanks around it cut off, none inside, of a sane length. */
static bool read_url(const struct bencode_value *value, struct bytes *ret_url)
{
    struct bytes url;
    if (!bencode_string(value, &url))
        return false;
    while (url.length && is_blank(url.data[0])) {
        url.data++;
        url.length--;
    }
    while (url.length && is_blank(url.data[url.length - 1]))
        url.length--;
    for (size_t i = 0; i < url.length; i++)
        if (is_blank(url.data[i]) || url.data[i] == 0x7f)
            return false;
    *ret_url = url;
    return url.length > 0 && url.length <= LIMIT_URL_LENGTH;
}

static bool add_tracker(struct metainfo_draft *draft, const struct bencode_value *value,
                        uint32_t tier)
{
    struct metainfo *made = draft->made;
    struct bytes url;
    if (made->tracker_count == LIMIT_TRACKERS_MAX || !read_url(value, &url))
        return false;
    made->trackers[made->tracker_count] = metainfo_arena_copy(draft->arena, url);
    made->tracker_tiers[made->tracker_count++] = tier;
    return true;
}

/* A tier is a list; some makers write a bare string for a tier of one. */
static bool add_tier(struct metainfo_draft *draft, const struct bencode_value *value, uint32_t tier)
{
    if (!bencode_is(value, BENCODE_LIST))
        return add_tracker(draft, value, tier);
    bool added = false;
    struct bencode_iterator each = bencode_iterate(value);
    while (draft->made->tracker_count < LIMIT_TRACKERS_MAX && bencode_iterate_next(&each))
        added = add_tracker(draft, each.value, tier) || added;
    return added;
}

static void read_trackers(struct metainfo_draft *draft, const struct bencode_value *root)
{
    struct metainfo *made = draft->made;
    made->trackers =
        metainfo_arena_array(draft->arena, LIMIT_TRACKERS_MAX, sizeof made->trackers[0]);
    made->tracker_tiers =
        metainfo_arena_array(draft->arena, LIMIT_TRACKERS_MAX, sizeof made->tracker_tiers[0]);
    uint32_t tier = 0;
    struct bencode_iterator each = bencode_iterate(bencode_find_list(root, "announce-list"));
    while (bencode_iterate_next(&each))
        tier += add_tier(draft, each.value, tier);
    if (made->tracker_count == 0) /* BEP 12: announce counts only without announce-list */
        add_tracker(draft, bencode_find(root, "announce"), 0);
}

static void add_web_seed(struct metainfo_draft *draft, const struct bencode_value *value)
{
    struct metainfo *made = draft->made;
    struct bytes url;
    if (made->web_seed_count < LIMIT_WEB_SEEDS_MAX && read_url(value, &url))
        made->web_seeds[made->web_seed_count++] = metainfo_arena_copy(draft->arena, url);
}

static void read_web_seeds(struct metainfo_draft *draft, const struct bencode_value *root)
{
    const struct bencode_value *list = bencode_find(root, "url-list");
    draft->made->web_seeds =
        metainfo_arena_array(draft->arena, LIMIT_WEB_SEEDS_MAX, sizeof draft->made->web_seeds[0]);
    if (bencode_is(list, BENCODE_STRING))
        add_web_seed(draft, list);
    struct bencode_iterator each = bencode_iterate(list);
    while (!bencode_is(list, BENCODE_DICT) && bencode_iterate_next(&each))
        add_web_seed(draft, each.value);
}

static void add_node(struct metainfo_draft *draft, const struct bencode_value *value)
{
    struct metainfo *made = draft->made;
    struct bencode_iterator each = bencode_iterate(value);
    struct bytes host;
    int64_t port;
    if (!bencode_is(value, BENCODE_LIST) || !bencode_iterate_next(&each) ||
        !read_url(each.value, &host) || host.length > LIMIT_HOST_LENGTH ||
        memchr(host.data, '\0', host.length) != NULL || !bencode_iterate_next(&each) ||
        !bencode_integer(each.value, &port) || port < 1 || port > UINT16_MAX)
        return;
    made->nodes[made->node_count++] = (struct metainfo_node){
        .host = metainfo_arena_text(draft->arena, host),
        .port = (uint16_t)port,
    };
}

static void read_nodes(struct metainfo_draft *draft, const struct bencode_value *root)
{
    struct metainfo *made = draft->made;
    const struct bencode_value *list = bencode_find_list(root, "nodes");
    if (list == NULL)
        return;
    made->nodes = metainfo_arena_array(draft->arena, LIMIT_DHT_NAMES, sizeof made->nodes[0]);
    struct bencode_iterator each = bencode_iterate(list);
    while (made->node_count < LIMIT_DHT_NAMES && bencode_iterate_next(&each))
        add_node(draft, each.value);
}

static struct bytes read_text(struct metainfo_draft *draft, const struct bencode_value *root,
                              const char *key)
{
    struct bytes text = {NULL, 0};
    bencode_find_string(root, key, &text);
    return metainfo_arena_copy(draft->arena, text);
}

void metainfo_outer_read(struct metainfo_draft *draft, const struct bencode_value *root)
{
    struct metainfo *made = draft->made;
    read_trackers(draft, root);
    read_web_seeds(draft, root);
    read_nodes(draft, root);
    made->comment = read_text(draft, root, "comment");
    made->created_by = read_text(draft, root, "created by");
    int64_t date;
    if (bencode_find_integer(root, "creation date", &date) && date > 0)
        made->creation_date = date;
}
