/* SPDX-License-Identifier: MIT */
#include "services/api/api_intake.h"

#include "core/base/memory.h"
#include "services/intake/intake_rule.h"

#include <inttypes.h>
#include <string.h>

static enum intake_kind kind_of(const struct api_call *call)
{
    return strcmp(call->route->action, "watch") == 0 ? INTAKE_WATCH : INTAKE_FEED;
}

/* Where the settings keep the rules of a kind. */
static char ***texts_of(struct catalog_settings *settings, enum intake_kind kind,
                        uint32_t **ret_count)
{
    *ret_count = kind == INTAKE_WATCH ? &settings->watch_folder_count : &settings->feed_count;
    return kind == INTAKE_WATCH ? &settings->watch_folders : &settings->feeds;
}

static char *const *rules_of(const struct catalog_settings *settings, enum intake_kind kind,
                             uint32_t *ret_count)
{
    *ret_count = kind == INTAKE_WATCH ? settings->watch_folder_count : settings->feed_count;
    return kind == INTAKE_WATCH ? settings->watch_folders : settings->feeds;
}

/* The number of a rule that is kept; 0: it cannot be read. */
static uint32_t id_of(enum intake_kind kind, const char *text)
{
    char reason[INTAKE_REASON_SIZE];
    struct intake_rule rule;

    if (intake_rule_parse(kind, text, reason, &rule))
        return 0;
    uint32_t id = rule.id;
    intake_rule_deinit(&rule);
    return id;
}

/* ---- all of them ---- */

struct listed {
    const char *rule; /* JSON */
    struct intake_status status;
};

struct list_state {
    struct listed *entries;
    uint32_t count;
};

static const char *url_shown(struct api_call *call, const char *url)
{
    if (!url)
        return NULL;
    struct bytes text = {(const uint8_t *)url, strlen(url)};

    return call_arena_url(&call->arena, text, call->is_control);
}

static const char *rule_shown(struct api_call *call, const char *text)
{
    char reason[INTAKE_REASON_SIZE];
    struct intake_rule rule;

    if (call->is_control || kind_of(call) == INTAKE_WATCH)
        return call_arena_text(&call->arena, text);
    if (intake_rule_parse(INTAKE_FEED, text, reason, &rule))
        return "{}";
    char *url = rule.url;
    rule.url = (char *)(uintptr_t)url_shown(call, url);
    char *whole = intake_rule_text(&rule);
    const char *shown = call_arena_text(&call->arena, whole);
    memory_free(whole);
    rule.url = url;
    intake_rule_deinit(&rule);
    return shown;
}

static void copy_entry(struct api_call *call, const struct service_world *world, const char *text,
                       struct listed *entry)
{
    enum intake_kind kind = kind_of(call);

    *entry = (struct listed){.rule = rule_shown(call, text)};
    if (world->intake)
        world->intake(world->context, kind == INTAKE_FEED, id_of(kind, text), &entry->status);
}

enum service_step api_intake_list_step(struct api_call *call, struct api_turn *turn)
{
    uint32_t count;
    char *const *texts = rules_of(catalog_settings(turn->world->catalog), kind_of(call), &count);
    struct list_state *state = call->state = call_arena_take(&call->arena, sizeof *state);

    *state = (struct list_state){
        .entries = call_arena_take(&call->arena, (count + 1) * sizeof *state->entries)};
    for (uint32_t i = 0; i < count; i++)
        copy_entry(call, turn->world, texts[i], &state->entries[state->count++]);
    return SERVICE_DONE;
}

static void write_status(const struct intake_status *status, struct json_writer *json)
{
    json_writer_key(json, "status");
    json_writer_open(json, '{');
    json_writer_put_i64(json, "looked", status->looked_s);
    json_writer_put_u64(json, "taken", status->taken);
    json_writer_put_u64(json, "found", status->found);
    json_writer_put_text(json, "title", status->title);
    json_writer_put_text(json, "trouble", status->trouble);
    json_writer_close(json, '}');
}

static void write_rule(const char *rule, struct json_writer *json)
{
    json_writer_key(json, "rule");
    json_writer_raw(json, (struct bytes){(const uint8_t *)rule, strlen(rule)});
}

void api_intake_list_write(struct api_call *call, struct json_writer *json)
{
    const struct list_state *state = call->state;

    json_writer_key(json, "rules");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < state->count; i++) {
        json_writer_open(json, '{');
        write_rule(state->entries[i].rule, json);
        write_status(&state->entries[i].status, json);
        json_writer_close(json, '}');
    }
    json_writer_close(json, ']');
}

/* ---- one more, or another in its place ---- */

struct add_state {
    struct intake_rule rule;
    char *text; /* as it is kept */
    bool is_new;
};

static void strip_slashes(char *path)
{
    size_t length = path ? strlen(path) : 0;

    while (length > 1 && path[length - 1] == '/')
        path[--length] = '\0';
}

void api_intake_add_prepare(struct api_call *call)
{
    struct add_state *state = call->state = memory_new(sizeof *state);
    char reason[INTAKE_REASON_SIZE];

    if (!call->body)
        api_fail(call, 400, "a rule is wanted");
    else if (json_object_get(call->body, "id"))
        api_fail(call, 400, "id: is given here");
    else if (intake_rule_read(kind_of(call), call->body, reason, &state->rule))
        api_fail(call, 400, "%s", reason);
    strip_slashes(state->rule.path);
}

void api_intake_add_end(struct api_call *call)
{
    struct add_state *state = call->state;

    if (!state)
        return;
    intake_rule_deinit(&state->rule);
    memory_free(state->text);
    memory_free(state);
}

static bool is_same(const struct intake_rule *a, const struct intake_rule *b)
{
    return a->path ? strcmp(a->path, b->path) == 0 : strcmp(a->url, b->url) == 0;
}

/* The place of the rule with this one's path or URL, else `count`; the rule gets its number. */
static uint32_t find_place(enum intake_kind kind, char *const *texts, uint32_t count,
                           struct intake_rule *rule)
{
    char reason[INTAKE_REASON_SIZE];
    uint32_t place = count, largest = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct intake_rule other;
        if (intake_rule_parse(kind, texts[i], reason, &other))
            continue;
        largest = other.id > largest ? other.id : largest;
        if (is_same(rule, &other)) {
            place = i;
            rule->id = other.id;
        }
        intake_rule_deinit(&other);
    }
    if (place == count)
        rule->id = largest + 1;
    return place;
}

static void put(struct api_call *call, struct api_turn *turn, struct add_state *state)
{
    struct catalog *catalog = turn->world->catalog;
    enum intake_kind kind = kind_of(call);
    struct catalog_settings copy;
    uint32_t *count;

    catalog_settings_copy(catalog_settings(catalog), &copy);
    if (kind == INTAKE_WATCH && copy.trash_original && !json_object_get(call->body, "after"))
        state->rule.after = INTAKE_DELETE; /* what Transmission's clients set for all */
    char ***texts = texts_of(&copy, kind, &count);
    uint32_t place = find_place(kind, *texts, *count, &state->rule);
    state->is_new = place == *count;
    if (state->is_new && *count == (kind == INTAKE_WATCH ? LIMIT_WATCH_FOLDERS : LIMIT_FEEDS)) {
        api_fail(call, 409, "there are %" PRIu32 " already", *count);
    } else {
        if (state->is_new)
            *texts = memory_resize_array(*texts, ++*count, sizeof **texts);
        else
            memory_free((*texts)[place]);
        (*texts)[place] = intake_rule_text(&state->rule);
        state->text = intake_rule_text(&state->rule);
        catalog_set_settings(catalog, &copy, turn->world->now);
    }
    catalog_settings_deinit(&copy);
}

enum service_step api_intake_add_step(struct api_call *call, struct api_turn *turn)
{
    struct add_state *state = call->state;
    const struct catalog *catalog = turn->world->catalog;

    if (call->stage == 0) {
        call->stage = 1;
        if ((!state->rule.path || api_folder_allowed(call, catalog, "path", state->rule.path)) &&
            (!state->rule.folder ||
             api_folder_allowed(call, catalog, "folder", state->rule.folder)))
            put(call, turn, state);
    }
    return api_failed(call) ? SERVICE_DONE : api_saved(call, turn);
}

void api_intake_add_write(struct api_call *call, struct json_writer *json)
{
    const struct add_state *state = call->state;

    if (state->is_new)
        call->status = 201;
    json_writer_put_bool(json, "added", state->is_new);
    write_rule(state->text, json);
}

/* ---- one less ---- */

static bool take_out(struct catalog_settings *settings, enum intake_kind kind, uint32_t id)
{
    uint32_t *count;
    char ***texts = texts_of(settings, kind, &count);

    for (uint32_t i = 0; i < *count; i++) {
        if (id_of(kind, (*texts)[i]) != id)
            continue;
        memory_free((*texts)[i]);
        memmove(&(*texts)[i], &(*texts)[i + 1], (*count - i - 1) * sizeof **texts);
        --*count;
        return true;
    }
    return false;
}

enum service_step api_intake_remove_step(struct api_call *call, struct api_turn *turn)
{
    struct catalog *catalog = turn->world->catalog;
    struct catalog_settings copy;

    if (call->stage == 0) {
        call->stage = 1;
        catalog_settings_copy(catalog_settings(catalog), &copy);
        if (take_out(&copy, kind_of(call), call->id))
            catalog_set_settings(catalog, &copy, turn->world->now);
        else
            api_fail(call, 404, "there is no rule %" PRIu32, call->id);
        catalog_settings_deinit(&copy);
    }
    return api_failed(call) ? SERVICE_DONE : api_saved(call, turn);
}

void api_intake_remove_write(struct api_call *call, struct json_writer *json)
{
    json_writer_put_u64(json, "removed", call->id);
}

/* ---- items of a feed ---- */

struct items_state {
    struct listed feed;
    struct intake_item *items;
    uint32_t count;
};

enum service_step api_intake_items_step(struct api_call *call, struct api_turn *turn)
{
    const struct service_world *world = turn->world;
    const struct intake_item *items = NULL;
    struct items_state *state = call->state = call_arena_take(&call->arena, sizeof *state);
    uint32_t count;
    char *const *texts = rules_of(catalog_settings(world->catalog), INTAKE_FEED, &count);

    *state = (struct items_state){0};
    for (uint32_t i = 0; i < count && !state->feed.rule; i++)
        if (id_of(INTAKE_FEED, texts[i]) == call->id)
            copy_entry(call, world, texts[i], &state->feed);
    if (!state->feed.rule) {
        api_fail(call, 404, "there is no feed %" PRIu32, call->id);
        return SERVICE_DONE;
    }
    if (world->feed_items)
        state->count = world->feed_items(world->context, call->id, &items);
    state->items = call_arena_take(&call->arena, (state->count + 1) * sizeof *state->items);
    for (uint32_t i = 0; i < state->count; i++) { /* LIMIT_FEED_ITEMS short texts: one slice */
        state->items[i] = items[i];
        state->items[i].title = call_arena_text(&call->arena, items[i].title);
        state->items[i].link = url_shown(call, items[i].link);
    }
    return SERVICE_DONE;
}

void api_intake_items_write(struct api_call *call, struct json_writer *json)
{
    const struct items_state *state = call->state;

    write_rule(state->feed.rule, json);
    write_status(&state->feed.status, json);
    json_writer_key(json, "items");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < state->count; i++) {
        const struct intake_item *item = &state->items[i];
        json_writer_open(json, '{');
        json_writer_put_text(json, "title", item->title);
        json_writer_put_text(json, "link", item->link);
        json_writer_put_u64(json, "size", item->size);
        json_writer_put_bool(json, "fits", item->fits);
        json_writer_put_bool(json, "taken", item->taken);
        json_writer_close(json, '}');
    }
    json_writer_close(json, ']');
}
