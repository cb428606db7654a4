/* SPDX-License-Identifier: MIT */
/* A value of a row as JSON, on a worker. */
#include "services/rpc/transmission_fields.h"

int transmission_rows_priority(uint8_t priority)
{
    if (priority == CATALOG_PRIORITY_UNWANTED)
        return 0; /* it has none while it is not wanted */
    return priority < CATALOG_PRIORITY_NORMAL ? -1 : priority > CATALOG_PRIORITY_NORMAL;
}

static uint8_t priority_of(const struct transmission_part *part, uint32_t file)
{
    return part->priorities ? part->priorities[file] : CATALOG_PRIORITY_NORMAL;
}

static void write_priorities(struct json_writer *writer, const struct transmission_part *part)
{
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->file_count; i++)
        json_writer_i64(writer, transmission_rows_priority(priority_of(part, i)));
    json_writer_close(writer, ']');
}

/* The old dialect has numbers here, and clients that compare them with 1. */
static void write_wanted(struct json_writer *writer, const struct transmission_part *part,
                         bool is_rpc2)
{
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->file_count; i++) {
        bool wanted = priority_of(part, i) != CATALOG_PRIORITY_UNWANTED;
        if (is_rpc2)
            json_writer_bool(writer, wanted);
        else
            json_writer_i64(writer, wanted);
    }
    json_writer_close(writer, ']');
}

static bool has_piece(const struct transmission_part *part, uint32_t piece)
{
    return part->pieces && part->pieces[piece / 8] & 0x80 >> piece % 8;
}

static void write_availability(struct json_writer *writer, const struct transmission_part *part)
{
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->piece_count; i++) {
        int peers = part->availability ? part->availability[i] : 0;
        json_writer_i64(writer, has_piece(part, i) ? -1 : peers);
    }
    json_writer_close(writer, ']');
}

static void write_pieces(struct json_writer *writer, const struct transmission_part *part)
{
    static const uint8_t nothing[3 * 256];
    size_t length = bitfield_wire_length(part->piece_count);
    if (part->pieces || length <= sizeof nothing) {
        const uint8_t *pieces = part->pieces ? part->pieces : nothing;
        json_writer_base64(writer, (struct bytes){pieces, length});
        return;
    }
    struct bitfield none;
    bitfield_init(&none, part->piece_count);
    json_writer_base64(writer, bitfield_wire(&none));
    bitfield_deinit(&none);
}

static void write_labels(struct json_writer *writer, const struct transmission_part *part)
{
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->label_count; i++)
        json_writer_text(writer, part->labels[i]);
    json_writer_close(writer, ']');
}

static void write_peers_from(struct json_writer *writer, const struct transmission_part *part,
                             bool is_rpc2)
{
    /* Who was named by hand has no name here; it counts as one that we knew. */
    const uint32_t *from = part->peers_from;
    struct {
        const char *old_name, *new_name;
        uint32_t count;
    } sources[] = {
        {"fromCache", "from_cache", from[PEER_SOURCE_RESUME] + from[PEER_SOURCE_USER]},
        {"fromDht", "from_dht", from[PEER_SOURCE_DHT]},
        {"fromIncoming", "from_incoming", from[PEER_SOURCE_INBOUND]},
        {"fromLpd", "from_lpd", from[PEER_SOURCE_LAN]},
        {"fromLtep", "from_ltep", 0},
        {"fromPex", "from_pex", from[PEER_SOURCE_PEX]},
        {"fromTracker", "from_tracker", from[PEER_SOURCE_TRACKER]},
    };
    json_writer_open(writer, '{');
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        json_writer_put_i64(writer, is_rpc2 ? sources[i].new_name : sources[i].old_name,
                            sources[i].count);
    json_writer_close(writer, '}');
}

static void write_tracker_list(struct json_writer *writer, const struct transmission_part *part)
{
    struct buffer text = {0};
    for (uint32_t i = 0; i < part->tracker_count; i++) {
        const struct transmission_tracker *tracker = &part->trackers[i];
        if (i > 0)
            buffer_append_text(&text,
                               tracker[-1].status.tier == tracker->status.tier ? "\n" : "\n\n");
        buffer_append_text(&text, tracker->url);
    }
    json_writer_bytes(writer, buffer_bytes(&text));
    buffer_deinit(&text);
}

static void write_web_seeds(struct json_writer *writer, const struct transmission_part *part)
{
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->web_seed_count; i++)
        json_writer_text(writer, part->web_seeds[i].url);
    json_writer_close(writer, ']');
}

static void write_web_seeds_ex(struct json_writer *writer, const struct transmission_part *part,
                               bool is_rpc2)
{
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->web_seed_count; i++) {
        const struct transmission_web_seed *seed = &part->web_seeds[i];
        json_writer_open(writer, '{');
        json_writer_put_text(writer, "url", seed->url);
        json_writer_put_bool(writer, is_rpc2 ? "is_downloading" : "isDownloading", seed->rate > 0);
        json_writer_put_u64(
            writer, is_rpc2 ? "download_bytes_per_second" : "downloadBytesPerSecond", seed->rate);
        json_writer_close(writer, '}');
    }
    json_writer_close(writer, ']');
}

static void write_part(struct json_writer *writer, enum transmission_field field,
                       const struct transmission_part *part, bool is_rpc2)
{
    switch (field) {
    case FIELD_AVAILABILITY: write_availability(writer, part); break;
    case FIELD_BYTES_COMPLETED: transmission_lists_write_bytes(writer, part); break;
    case FIELD_FILES: transmission_lists_write_files(writer, part, is_rpc2); break;
    case FIELD_FILE_STATS: transmission_lists_write_file_stats(writer, part, is_rpc2); break;
    case FIELD_LABELS: write_labels(writer, part); break;
    case FIELD_PEERS: transmission_lists_write_peers(writer, part, is_rpc2); break;
    case FIELD_PEERS_FROM: write_peers_from(writer, part, is_rpc2); break;
    case FIELD_PIECES: write_pieces(writer, part); break;
    case FIELD_PRIORITIES: write_priorities(writer, part); break;
    case FIELD_TRACKER_LIST: write_tracker_list(writer, part); break;
    case FIELD_TRACKER_STATS: transmission_lists_write_tracker_stats(writer, part, is_rpc2); break;
    case FIELD_TRACKERS: transmission_lists_write_trackers(writer, part, is_rpc2); break;
    case FIELD_WANTED: write_wanted(writer, part, is_rpc2); break;
    case FIELD_WEB_SEEDS: write_web_seeds(writer, part); break;
    case FIELD_WEB_SEEDS_EX: write_web_seeds_ex(writer, part, is_rpc2); break;
    default: json_writer_raw(writer, BYTES_LITERAL("null")); break;
    }
}

void transmission_rows_write(struct json_writer *writer, enum transmission_field field,
                             union transmission_value value, bool is_rpc2)
{
    switch (transmission_fields_info(field)->kind) {
    case KIND_INTEGER: json_writer_i64(writer, value.integer); break;
    case KIND_BOOL: json_writer_bool(writer, value.integer); break;
    case KIND_REAL: json_writer_real(writer, value.real); break;
    case KIND_TEXT: json_writer_text(writer, value.text); break;
    case KIND_PART: write_part(writer, field, value.part, is_rpc2); break;
    }
}
