/* SPDX-License-Identifier: MIT */
/* Lists of objects within a row: files, peers, trackers. On a worker. */
#include "core/tracker/tracker_url.h"
#include "services/rpc/transmission_fields.h"

#include <string.h>

/* The name that the dialect has for a key. */
static const char *pick(bool is_rpc2, const char *old_name, const char *new_name)
{
    return is_rpc2 ? new_name : old_name;
}

/* ---- files ---- */

static bool has_piece(const struct transmission_part *part, uint64_t piece)
{
    return part->pieces && piece < part->piece_count && part->pieces[piece / 8] & 0x80 >> piece % 8;
}

/* Bytes of the file that lie in pieces which are there. */
static uint64_t bytes_completed(const struct transmission_part *part,
                                const struct transmission_file *file)
{
    uint64_t end = file->offset + file->length, bytes = 0;
    if (!part->pieces || part->piece_length == 0)
        return 0;
    for (uint64_t at = file->offset; at < end;) {
        uint64_t piece = at / part->piece_length;
        uint64_t piece_end = (piece + 1) * part->piece_length;
        uint64_t stop = piece_end < end ? piece_end : end;
        bytes += has_piece(part, piece) ? stop - at : 0;
        at = stop;
    }
    return bytes;
}

static void write_piece_range(struct json_writer *writer, const struct transmission_part *part,
                              const struct transmission_file *file, bool is_rpc2)
{
    uint64_t first = part->piece_length ? file->offset / part->piece_length : 0;
    uint64_t last = file->length && part->piece_length
                        ? (file->offset + file->length - 1) / part->piece_length
                        : first;
    json_writer_put_u64(writer, pick(is_rpc2, "beginPiece", "begin_piece"), first);
    json_writer_put_u64(writer, pick(is_rpc2, "endPiece", "end_piece"), last + 1);
}

void transmission_lists_write_files(struct json_writer *writer,
                                    const struct transmission_part *part, bool is_rpc2)
{
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->files_copied; i++) {
        const struct transmission_file *file = &part->files[i];
        json_writer_open(writer, '{');
        json_writer_put_u64(writer, pick(is_rpc2, "bytesCompleted", "bytes_completed"),
                            bytes_completed(part, file));
        json_writer_put_u64(writer, "length", file->length);
        json_writer_put_text(writer, "name", file->name);
        if (file->padding) /* our own key: who shows files may leave these out */
            json_writer_put_bool(writer, "padding", true);
        write_piece_range(writer, part, file, is_rpc2);
        json_writer_close(writer, '}');
    }
    json_writer_close(writer, ']');
}

void transmission_lists_write_file_stats(struct json_writer *writer,
                                         const struct transmission_part *part, bool is_rpc2)
{
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->files_copied; i++) {
        uint8_t priority = part->priorities ? part->priorities[i] : CATALOG_PRIORITY_NORMAL;
        json_writer_open(writer, '{');
        json_writer_put_u64(writer, pick(is_rpc2, "bytesCompleted", "bytes_completed"),
                            bytes_completed(part, &part->files[i]));
        json_writer_put_bool(writer, "wanted", priority != CATALOG_PRIORITY_UNWANTED);
        json_writer_put_i64(writer, "priority", transmission_rows_priority(priority));
        json_writer_close(writer, '}');
    }
    json_writer_close(writer, ']');
}

void transmission_lists_write_bytes(struct json_writer *writer,
                                    const struct transmission_part *part)
{
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->files_copied; i++)
        json_writer_u64(writer, bytes_completed(part, &part->files[i]));
    json_writer_close(writer, ']');
}

/* ---- peers ---- */

#define FLAGS_SIZE 12

/* Transmission's letters: what flows, what is wished and held back, and where the peer is from. */
static void peer_flags(const struct peer_status *peer, char flags[FLAGS_SIZE])
{
    size_t at = 0;
    bool gives = peer->am_interested && !peer->peer_choking;
    bool takes = peer->peer_interested && !peer->am_choking;
    if (peer->optimistic)
        flags[at++] = 'O';
    if (gives && peer->download_rate > 0)
        flags[at++] = 'D';
    else if (peer->am_interested)
        flags[at++] = 'd';
    if (takes && peer->upload_rate > 0)
        flags[at++] = 'U';
    else if (peer->peer_interested)
        flags[at++] = 'u';
    if (!peer->peer_choking && !peer->am_interested)
        flags[at++] = 'K';
    if (!peer->am_choking && !peer->peer_interested)
        flags[at++] = '?';
    if (peer->is_encrypted)
        flags[at++] = 'E';
    if (peer->source == PEER_SOURCE_DHT)
        flags[at++] = 'H';
    if (peer->source == PEER_SOURCE_PEX)
        flags[at++] = 'X';
    if (peer->inbound)
        flags[at++] = 'I';
    if (peer->is_utp)
        flags[at++] = 'T';
    flags[at] = '\0';
}

static void write_peer_flags(struct json_writer *writer, const struct peer_status *peer,
                             bool is_rpc2)
{
    const struct {
        const char *old_name, *new_name;
        bool value;
    } flags[] = {
        {"clientIsChoked", "client_is_choked", peer->peer_choking},
        {"clientIsInterested", "client_is_interested", peer->am_interested},
        {"isDownloadingFrom", "is_downloading_from",
         peer->am_interested && !peer->peer_choking && peer->download_rate > 0},
        {"isEncrypted", "is_encrypted", peer->is_encrypted},
        {"isIncoming", "is_incoming", peer->inbound},
        {"isUploadingTo", "is_uploading_to",
         peer->peer_interested && !peer->am_choking && peer->upload_rate > 0},
        {"isUTP", "is_utp", peer->is_utp},
        {"peerIsChoked", "peer_is_choked", peer->am_choking},
        {"peerIsInterested", "peer_is_interested", peer->peer_interested},
        {"supportsHolepunch", "supports_holepunch", peer->knows_holepunch},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        json_writer_put_bool(writer, pick(is_rpc2, flags[i].old_name, flags[i].new_name),
                             flags[i].value);
}

static void write_peer(struct json_writer *writer, const struct peer_status *peer, bool is_rpc2)
{
    char address[ADDRESS_TEXT_SIZE], flags[FLAGS_SIZE], peer_id[2 * sizeof peer->peer_id + 1];
    address_ip_to_text(&peer->address, address);
    peer_flags(peer, flags);
    bytes_to_hex(peer->peer_id, sizeof peer->peer_id, peer_id);
    json_writer_open(writer, '{');
    json_writer_put_text(writer, "address", address);
    json_writer_put_i64(writer, "port", peer->address.port);
    json_writer_put_text(writer, pick(is_rpc2, "clientName", "client_name"), peer->client);
    json_writer_put_text(writer, pick(is_rpc2, "flagStr", "flag_str"), flags);
    json_writer_put_text(writer, pick(is_rpc2, "peerId", "peer_id"), peer_id);
    write_peer_flags(writer, peer, is_rpc2);
    json_writer_put_real(writer, "progress", peer->is_seed ? 1 : peer->progress_permille / 1000.0);
    json_writer_put_u64(writer, pick(is_rpc2, "rateToClient", "rate_to_client"),
                        peer->download_rate);
    json_writer_put_u64(writer, pick(is_rpc2, "rateToPeer", "rate_to_peer"), peer->upload_rate);
    json_writer_put_u64(writer, pick(is_rpc2, "bytesToClient", "bytes_to_client"),
                        peer->downloaded);
    json_writer_put_u64(writer, pick(is_rpc2, "bytesToPeer", "bytes_to_peer"), peer->uploaded);
    json_writer_put_u64(writer, pick(is_rpc2, "activeReqsToClient", "active_reqs_to_client"),
                        peer->requests_in);
    json_writer_put_u64(writer, pick(is_rpc2, "activeReqsToPeer", "active_reqs_to_peer"),
                        peer->requests_out);
    json_writer_close(writer, '}');
}

void transmission_lists_write_peers(struct json_writer *writer,
                                    const struct transmission_part *part, bool is_rpc2)
{
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->peer_count; i++)
        write_peer(writer, &part->peers[i], is_rpc2);
    json_writer_close(writer, ']');
}

/* ---- trackers ---- */

struct tracker_names {
    char host[TRACKER_HOST_SIZE + 8]; /* with its port */
    char site[TRACKER_HOST_SIZE];     /* what people call it: "example" of "t.example.org" */
    char scrape[LIMIT_URL_LENGTH + 1];
};

/* BEP 48: the last "announce" of the path becomes "scrape"; there is none where it is not. */
static void name_scrape(const char *url, bool is_udp, char scrape[LIMIT_URL_LENGTH + 1])
{
    const char *slash = strrchr(url, '/');
    size_t length = strlen(url), prefix = slash ? (size_t)(slash - url) + 1 : 0;
    scrape[0] = '\0';
    if (length > LIMIT_URL_LENGTH)
        return;
    if (is_udp)
        memcpy(scrape, url, length + 1);
    else if (slash && strncmp(slash, "/announce", 9) == 0) {
        memcpy(scrape, url, prefix);
        memcpy(scrape + prefix, "scrape", 6);
        memcpy(scrape + prefix + 6, slash + 9, length - prefix - 8 + 1);
    }
}

static void name_site(const struct tracker_url *url, char site[TRACKER_HOST_SIZE])
{
    struct bytes name = {(const uint8_t *)url->host, strlen(url->host)};
    if (url->family == ADDRESS_NONE) {
        const char *last = strrchr(url->host, '.');
        size_t end = last ? (size_t)(last - url->host) : name.length, start = end;
        while (start > 0 && url->host[start - 1] != '.')
            start--;
        name = (struct bytes){(const uint8_t *)url->host + start, end - start};
    }
    memcpy(site, name.data, name.length);
    site[name.length] = '\0';
}

static void name_tracker(const char *text, struct tracker_names *names)
{
    struct tracker_url url;
    *names = (struct tracker_names){0};
    if (tracker_url_parse((struct bytes){(const uint8_t *)text, strlen(text)}, &url) != FRESHET_OK)
        return;
    struct buffer host = {0};
    buffer_append_text(&host, url.host);
    buffer_append_u8(&host, ':');
    buffer_append_i64(&host, url.port);
    memcpy(names->host, host.data,
           host.length < sizeof names->host ? host.length : sizeof names->host - 1);
    buffer_deinit(&host);
    name_site(&url, names->site);
    name_scrape(text, url.scheme == TRACKER_SCHEME_UDP, names->scrape);
}

void transmission_lists_write_trackers(struct json_writer *writer,
                                       const struct transmission_part *part, bool is_rpc2)
{
    (void)is_rpc2; /* its keys are one word each */
    struct tracker_names names;
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->tracker_count; i++) {
        const struct transmission_tracker *tracker = &part->trackers[i];
        name_tracker(tracker->url, &names);
        json_writer_open(writer, '{');
        json_writer_put_text(writer, "announce", tracker->url);
        json_writer_put_u64(writer, "id", i);
        json_writer_put_text(writer, "scrape", names.scrape);
        json_writer_put_text(writer, "sitename", names.site);
        json_writer_put_u64(writer, "tier", tracker->status.tier);
        json_writer_close(writer, '}');
    }
    json_writer_close(writer, ']');
}

/* Transmission's: 0 not, 1 waits for its time, 3 now. */
static int request_state(bool is_running, int64_t next_s)
{
    return is_running ? 3 : next_s > 0 ? 1 : 0;
}

static const char *announce_result(const struct tracker_status *status)
{
    if (status->announced_ns == 0)
        return "";
    if (status->announce_text[0])
        return status->announce_text;
    return status->announced_ok ? "Success" : error_text(status->announce_error);
}

static void write_tracker_times(struct json_writer *writer, const struct tracker_status *status,
                                bool is_rpc2)
{
    bool announced = status->announced_ns != 0, scraped = status->scraped_ns != 0;
    bool late =
        announced && !status->announced_ok && status->announce_error == FRESHET_ERROR_TIMEOUT;
    const struct {
        const char *old_name, *new_name;
        bool value;
    } flags[] = {
        {"hasAnnounced", "has_announced", announced},
        {"hasScraped", "has_scraped", scraped},
        {"isBackup", "is_backup", false},
        {"lastAnnounceSucceeded", "last_announce_succeeded", announced && status->announced_ok},
        {"lastAnnounceTimedOut", "last_announce_timed_out", late},
        {"lastScrapeSucceeded", "last_scrape_succeeded", scraped && status->scraped_ok},
        {"lastScrapeTimedOut", "last_scrape_timed_out", false},
    };
    const struct {
        const char *old_name, *new_name;
        int64_t value;
    } numbers[] = {
        {"announceState", "announce_state", request_state(status->is_announcing, status->next_ns)},
        {"downloadCount", "download_count", status->downloads},
        {"downloaderCount", "downloader_count", -1},
        {"lastAnnouncePeerCount", "last_announce_peer_count", status->announce_peers},
        {"lastAnnounceStartTime", "last_announce_start_time", status->announced_ns},
        {"lastAnnounceTime", "last_announce_time", status->announced_ns},
        {"lastScrapeStartTime", "last_scrape_start_time", status->scraped_ns},
        {"lastScrapeTime", "last_scrape_time", status->scraped_ns},
        {"leecherCount", "leecher_count", status->leechers},
        {"nextAnnounceTime", "next_announce_time", status->next_ns},
        {"nextScrapeTime", "next_scrape_time", 0},
        {"scrapeState", "scrape_state", request_state(status->is_scraping, 0)},
        {"seederCount", "seeder_count", status->seeders},
    };
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        json_writer_put_bool(writer, pick(is_rpc2, flags[i].old_name, flags[i].new_name),
                             flags[i].value);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        json_writer_put_i64(writer, pick(is_rpc2, numbers[i].old_name, numbers[i].new_name),
                            numbers[i].value);
}

void transmission_lists_write_tracker_stats(struct json_writer *writer,
                                            const struct transmission_part *part, bool is_rpc2)
{
    struct tracker_names names;
    json_writer_open(writer, '[');
    for (uint32_t i = 0; i < part->tracker_count; i++) {
        const struct transmission_tracker *tracker = &part->trackers[i];
        name_tracker(tracker->url, &names);
        json_writer_open(writer, '{');
        json_writer_put_text(writer, "announce", tracker->url);
        json_writer_put_text(writer, "host", names.host);
        json_writer_put_u64(writer, "id", i);
        json_writer_put_text(writer, pick(is_rpc2, "lastAnnounceResult", "last_announce_result"),
                             announce_result(&tracker->status));
        json_writer_put_text(writer, pick(is_rpc2, "lastScrapeResult", "last_scrape_result"), "");
        json_writer_put_text(writer, "scrape", names.scrape);
        json_writer_put_text(writer, "sitename", names.site);
        json_writer_put_u64(writer, "tier", tracker->status.tier);
        write_tracker_times(writer, &tracker->status, is_rpc2);
        json_writer_close(writer, '}');
    }
    json_writer_close(writer, ']');
}
