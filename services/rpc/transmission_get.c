/* SPDX-License-Identifier: MIT */
/* torrent-get: the ids first, then the rows, each copied as far as the fields asked for need. */
#include "core/base/memory.h"
#include "services/rpc/transmission_fields.h"

#include <string.h>

/* How many removed ids an answer to "recently-active" holds at most. */
#define REMOVED_MAX 100000u

struct asked_field {
    enum transmission_field field;
    const char *name; /* the one by which it was asked for: its owner looks for no other */
};

struct transmission_get {
    struct asked_field *fields;
    uint32_t field_count;
    unsigned needs;
    bool is_table;
    union transmission_value *values; /* row_count * field_count */
    uint32_t row_count;
    torrent_id *removed;
    uint32_t removed_count;
    /* The row that is being copied. */
    bool content_asked; /* a job has tried to bring its content */
    struct transmission_part *part;
};

static bool is_known(const struct transmission_get *get, enum transmission_field field,
                     const char *name)
{
    for (uint32_t i = 0; i < get->field_count; i++)
        if (get->fields[i].field == field && strcmp(get->fields[i].name, name) == 0)
            return true;
    return false;
}

/* Fields that no specification has are passed over: clients of every age ask for some. */
static void ask_field(struct transmission_get *get, const char *name)
{
    enum transmission_field field = name ? transmission_fields_find(name) : FIELD_COUNT;
    if (field == FIELD_COUNT || is_known(get, field, name))
        return;
    const struct transmission_field_info *info = transmission_fields_info(field);
    get->fields[get->field_count++] = (struct asked_field){
        field, strcmp(info->old_name, name) == 0 ? info->old_name : info->new_name};
    get->needs |= info->needs;
}

void transmission_get_prepare(struct transmission_request *request)
{
    json_t *fields = transmission_arguments_find(request, "fields");
    const char *format = transmission_arguments_text(request, "format");
    size_t count = json_array_size(fields);
    if (!json_is_array(fields) || count > TRANSMISSION_FIELDS_MAX) {
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "fields is a list of at most %u names",
                              TRANSMISSION_FIELDS_MAX);
        return;
    }
    struct transmission_get *get = memory_new(sizeof *get);
    request->work = get;
    get->is_table = format && strcmp(format, "table") == 0;
    get->fields = memory_new_array(count, sizeof get->fields[0]);
    for (size_t i = 0; i < count; i++)
        ask_field(get, json_string_value(json_array_get(fields, i)));
    transmission_ids_prepare(request);
}

void transmission_get_release(struct transmission_request *request)
{
    struct transmission_get *get = request->work;
    if (!get)
        return;
    memory_free(get->fields);
    memory_free(get->values);
    memory_free(get->removed);
    memory_free(get);
}

/* As many as the catalog remembers, which may be more than those of the last minute: an id that a
 * client does not know any more does no harm. */
static void ask_removed(const struct transmission_request *request, struct transmission_get *get,
                        const struct service_world *world)
{
    if (!request->ids.recent)
        return;
    uint64_t then = world->revision_minute_ago;
    torrent_id *ids = memory_resize_array(NULL, REMOVED_MAX, sizeof ids[0]);
    uint32_t count = catalog_removed_since(world->catalog, then, ids, REMOVED_MAX);
    /* More than is remembered: the oldest revision from which it still knows. */
    uint64_t low = then, high = catalog_revision(world->catalog);
    while (count == UINT32_MAX && low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (catalog_removed_since(world->catalog, middle, ids, REMOVED_MAX) == UINT32_MAX)
            low = middle + 1;
        else
            high = middle;
        if (low == high)
            count = catalog_removed_since(world->catalog, low, ids, REMOVED_MAX);
    }
    get->removed = ids;
    get->removed_count = count == UINT32_MAX ? 0 : count;
}

enum row_outcome { ROW_COPIED, ROW_GONE, ROW_AGAIN, ROW_WANTS_CONTENT };

/* Content is looked up anew in each slice: between two of them it may have gone. */
static bool find_content(const struct service_world *world, const struct catalog_torrent *row,
                         struct service_content *ret_content)
{
    *ret_content = (struct service_content){0};
    return row->metadata_missing || world->content(world->context, row->id, ret_content);
}

static bool needs_content(const struct transmission_get *get)
{
    return get->needs & (NEEDS_CONTENT | NEEDS_TRACKERS | NEEDS_WEB_SEEDS);
}

static void copy_values(struct transmission_get *get, const struct transmission_source *source)
{
    size_t count = get->field_count;
    union transmission_value *row = get->values + get->row_count * count;
    for (size_t i = 0; i < count; i++)
        transmission_values_copy(source, get->fields[i].field,
                                 get->row_count ? row + i - count : NULL, &row[i]);
    get->row_count++;
}

static enum row_outcome copy_row(struct transmission_request *request, struct transmission_get *get,
                                 struct service_world *world, struct transmission_slice *slice)
{
    const struct catalog_torrent *row =
        transmission_ids_find(world, request->ids.list[request->at]);
    if (!row)
        return ROW_GONE;
    struct service_content content = {0};
    if (needs_content(get) && !find_content(world, row, &content) && !get->content_asked)
        return ROW_WANTS_CONTENT;
    struct transmission_source source = {.world = world,
                                         .row = row,
                                         .metainfo = content.metainfo,
                                         .arena = &request->arena,
                                         .shows_urls = request->is_control};
    if (get->needs & NEEDS_PART && !get->part)
        get->part = transmission_parts_new(&source, content.pieces, get->needs);
    source.part = get->part;
    if (get->needs & NEEDS_FILES &&
        !transmission_parts_copy_files(&source, get->part, get->needs & NEEDS_NAMES, slice))
        return ROW_AGAIN;
    copy_values(get, &source);
    return ROW_COPIED;
}

static void next_row(struct transmission_request *request, struct transmission_get *get)
{
    request->at++;
    get->part = NULL;
    get->content_asked = false;
}

/* What costs more than its row looks at the clock each time. */
static bool is_over(const struct transmission_get *get, struct transmission_slice *slice)
{
    if (get->needs)
        return slice->clock() >= slice->until_ns;
    return transmission_rpc_is_over(slice);
}

enum service_step transmission_get_step(struct transmission_request *request,
                                        struct service_world *world,
                                        struct transmission_slice *slice, struct service_job *job)
{
    struct transmission_get *get = request->work;
    if (!transmission_ids_choose(request, world, slice))
        return SERVICE_AGAIN;
    if (!get->values) {
        get->values = memory_resize_array(NULL, (size_t)request->ids.count * get->field_count,
                                          sizeof get->values[0]);
        ask_removed(request, get, world);
    }
    while (request->at < request->ids.count) {
        switch (copy_row(request, get, world, slice)) {
        case ROW_AGAIN: return SERVICE_AGAIN;
        case ROW_WANTS_CONTENT:
            get->content_asked = true;
            return transmission_rpc_job(job, JOB_CONTENT, request->ids.list[request->at], NULL);
        case ROW_COPIED:
        case ROW_GONE: next_row(request, get); break;
        }
        if (request->at < request->ids.count && is_over(get, slice))
            return SERVICE_AGAIN;
    }
    return SERVICE_DONE;
}

static void write_table(const struct transmission_get *get, struct json_writer *writer,
                        bool is_rpc2)
{
    const union transmission_value *value = get->values;
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < get->field_count; i++)
        json_writer_text(writer, get->fields[i].name);
    json_writer_close(writer, ']');
    for (uint32_t row = 0; row < get->row_count; row++) {
        json_writer_open(writer, '[');
        for (uint32_t i = 0; i < get->field_count; i++)
            transmission_rows_write(writer, get->fields[i].field, *value++, is_rpc2);
        json_writer_close(writer, ']');
    }
}

static void write_objects(const struct transmission_get *get, struct json_writer *writer,
                          bool is_rpc2)
{
    const union transmission_value *value = get->values;
    for (uint32_t row = 0; row < get->row_count; row++) {
        json_writer_open(writer, '{');
        for (uint32_t i = 0; i < get->field_count; i++) {
            json_writer_key(writer, get->fields[i].name);
            transmission_rows_write(writer, get->fields[i].field, *value++, is_rpc2);
        }
        json_writer_close(writer, '}');
    }
}

void transmission_get_write(struct transmission_request *request, struct json_writer *writer)
{
    const struct transmission_get *get = request->work;
    json_writer_key(writer, "torrents");
    json_writer_open(writer, '[');
    if (get->is_table)
        write_table(get, writer, request->is_rpc2);
    else
        write_objects(get, writer, request->is_rpc2);
    json_writer_close(writer, ']');
    if (!request->ids.recent)
        return;
    json_writer_key(writer, "removed");
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < get->removed_count; i++)
        json_writer_u64(writer, get->removed[i]);
    json_writer_close(writer, ']');
}
