/* SPDX-License-Identifier: MIT */
#include "tests/rpc/transmission_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The fields that six real clients were seen to ask for. */
static const char *const SEEN[] = {
    "activityDate",
    "addedDate",
    "announceUrl",
    "bandwidthPriority",
    "comment",
    "corruptEver",
    "creator",
    "dateCreated",
    "desiredAvailable",
    "doneDate",
    "downloadDir",
    "downloadLimit",
    "downloadLimited",
    "downloadedEver",
    "error",
    "errorString",
    "eta",
    "etaIdle",
    "fileStats",
    "files",
    "hashString",
    "haveUnchecked",
    "haveValid",
    "honorsSessionLimits",
    "id",
    "isFinished",
    "isPrivate",
    "isStalled",
    "labels",
    "leftUntilDone",
    "magnetLink",
    "manualAnnounceTime",
    "maxConnectedPeers",
    "metadataPercentComplete",
    "name",
    "peer-limit",
    "peers",
    "peersConnected",
    "peersFrom",
    "peersGettingFromUs",
    "peersKnown",
    "peersSendingToUs",
    "percentDone",
    "pieceCount",
    "pieceSize",
    "pieces",
    "priorities",
    "queuePosition",
    "rateDownload",
    "rateUpload",
    "recheckProgress",
    "secondsDownloading",
    "secondsSeeding",
    "seedIdleLimit",
    "seedIdleMode",
    "seedRatioLimit",
    "seedRatioMode",
    "sizeWhenDone",
    "startDate",
    "status",
    "torrentFile",
    "totalSize",
    "trackerStats",
    "trackers",
    "uploadLimit",
    "uploadLimited",
    "uploadRatio",
    "uploadedEver",
    "wanted",
    "webseeds",
    "webseedsSendingToUs",
};
#define SEEN_COUNT (sizeof SEEN / sizeof SEEN[0])

/* Those that the specification has beyond them, and ours. */
static const char *const FURTHER[] = {
    "availability",
    "bytesCompleted",
    "editDate",
    "file-count",
    "group",
    "isFolder",
    "percentComplete",
    "primary-mime-type",
    "sequentialDownload",
    "sequentialDownloadFromPiece",
    "trackerList",
    "webseedsEx",
    "why",
};

static struct bench *two_torrents(void)
{
    struct bench *bench = bench_new();
    assert_int_equal(bench_add_named(bench, "two", true), 2);
    return bench;
}

static json_t *get(struct bench *bench, const char *ids, const char *fields)
{
    char body[8192];
    snprintf(body, sizeof body, "{'method':'torrent-get','arguments':{%s%s%s'fields':[%s]}}",
             ids ? "'ids':" : "", ids ? ids : "", ids ? "," : "", fields);
    return bench_ask(bench, body);
}

static size_t count_of(struct bench *bench, const char *ids)
{
    json_t *answer = get(bench, ids, "'id'");
    size_t count = json_array_size(bench_at(answer, "arguments.torrents"));
    json_decref(answer);
    return count;
}

static void transmission_get_answers_all_fields_that_clients_ask_for(void **state)
{
    struct bench *bench = two_torrents();
    struct buffer fields = {0};
    (void)state;
    assert_int_equal(SEEN_COUNT, 71);
    for (size_t i = 0; i < SEEN_COUNT; i++) {
        buffer_append_text(&fields, i ? ",'" : "'");
        buffer_append_text(&fields, SEEN[i]);
        buffer_append_text(&fields, "'");
    }
    for (size_t i = 0; i < sizeof FURTHER / sizeof FURTHER[0]; i++) {
        buffer_append_text(&fields, ",'");
        buffer_append_text(&fields, FURTHER[i]);
        buffer_append_text(&fields, "'");
    }
    buffer_append_u8(&fields, 0);
    json_t *answer = get(bench, NULL, (const char *)fields.data);
    assert_int_equal(json_array_size(bench_at(answer, "arguments.torrents")), 2);
    for (size_t row = 0; row < 2; row++) {
        json_t *torrent = json_array_get(bench_at(answer, "arguments.torrents"), row);
        assert_int_equal(json_object_size(torrent),
                         SEEN_COUNT + sizeof FURTHER / sizeof FURTHER[0]);
        for (size_t i = 0; i < SEEN_COUNT; i++)
            assert_non_null(json_object_get(torrent, SEEN[i]));
    }
    json_decref(answer);
    buffer_deinit(&fields);
    bench_free(bench);
}

static void transmission_get_tells_a_stopped_torrent(void **state)
{
    struct bench *bench = two_torrents();
    (void)state;
    json_t *answer =
        get(bench, "2",
            "'name','status','totalSize','leftUntilDone','percentDone','eta','error','errorString',"
            "'comment','dateCreated','downloadDir','pieceCount','pieceSize','pieces','files',"
            "'fileStats','wanted','priorities','trackers','trackerStats','trackerList','webseeds',"
            "'magnetLink','uploadRatio','peersFrom','primary-mime-type','isFolder','file-count'");
    json_t *torrent = bench_at(answer, "arguments.torrents.0");
    assert_string_equal(bench_text(torrent, "name"), "two");
    assert_int_equal(bench_integer(torrent, "status"), 0);
    assert_int_equal(bench_integer(torrent, "totalSize"), 50000);
    assert_int_equal(bench_integer(torrent, "leftUntilDone"), 50000);
    assert_int_equal(bench_integer(torrent, "percentDone"), 0);
    assert_int_equal(bench_integer(torrent, "eta"), -1);
    assert_int_equal(bench_integer(torrent, "error"), 0);
    assert_string_equal(bench_text(torrent, "errorString"), "");
    assert_string_equal(bench_text(torrent, "comment"), "a \"b\"");
    assert_int_equal(bench_integer(torrent, "dateCreated"), 1600000000);
    assert_string_equal(bench_text(torrent, "downloadDir"), "/data");
    assert_int_equal(bench_integer(torrent, "pieceCount"), 2);
    assert_int_equal(bench_integer(torrent, "pieceSize"), 32768);
    assert_string_equal(bench_text(torrent, "pieces"), "AA==");
    assert_string_equal(bench_text(torrent, "files.0.name"), "two/a");
    assert_string_equal(bench_text(torrent, "files.1.name"), "two/b.mkv");
    assert_int_equal(bench_integer(torrent, "files.0.length"), 40000);
    assert_int_equal(bench_integer(torrent, "files.1.beginPiece"), 1);
    assert_int_equal(bench_integer(torrent, "files.1.endPiece"), 2);
    assert_int_equal(bench_integer(torrent, "fileStats.1.priority"), 0);
    assert_true(json_is_true(bench_at(torrent, "fileStats.1.wanted")));
    assert_string_equal(bench_text(torrent, "trackers.0.announce"),
                        "http://tracker.example/announce");
    assert_string_equal(bench_text(torrent, "trackers.0.scrape"), "http://tracker.example/scrape");
    assert_string_equal(bench_text(torrent, "trackers.0.sitename"), "tracker");
    assert_string_equal(bench_text(torrent, "trackerStats.0.host"), "tracker.example:80");
    assert_int_equal(bench_integer(torrent, "trackerStats.0.seederCount"), -1);
    assert_int_equal(bench_integer(torrent, "trackerStats.0.lastAnnounceTime"), 0);
    assert_string_equal(bench_text(torrent, "trackerList"), "http://tracker.example/announce");
    assert_string_equal(bench_text(torrent, "webseeds.0"), "http://ws.test/1");
    assert_non_null(strstr(bench_text(torrent, "magnetLink"), "magnet:?xt=urn:btih:"));
    assert_int_equal(bench_integer(torrent, "uploadRatio"), 0);
    assert_int_equal(bench_integer(torrent, "peersFrom.fromTracker"), 0);
    assert_string_equal(bench_text(torrent, "primary-mime-type"), "application/octet-stream");
    assert_true(json_is_true(bench_at(torrent, "isFolder")));
    assert_int_equal(bench_integer(torrent, "file-count"), 2);
    json_decref(answer);
    bench_free(bench);
}

/* The engine's torrent: a seed, with a peer that wants it. */
static void transmission_get_tells_a_running_torrent(void **state)
{
    struct bench *bench = two_torrents();
    (void)state;
    lone_leecher(bench->lone, 9, true);
    while (catalog_sample(bench->catalog, bench->lone->engine, 64, bench->world.now))
        ;
    bitfield_init(&bench->pieces[1], 4);
    bitfield_set_all(&bench->pieces[1]);
    bench->has_pieces[1] = true;
    json_t *answer = get(bench, "1",
                         "'status','percentDone','pieces','peers','peersConnected','files',"
                         "'haveValid','availability','metadataPercentComplete','peersFrom'");
    json_t *torrent = bench_at(answer, "arguments.torrents.0");
    assert_int_equal(bench_integer(torrent, "status"), 6);
    assert_int_equal(bench_integer(torrent, "percentDone"), 1);
    assert_string_equal(bench_text(torrent, "pieces"), "8A==");
    assert_int_equal(bench_integer(torrent, "peersConnected"), 1);
    assert_string_equal(bench_text(torrent, "peers.0.address"), "10.0.9.9");
    assert_true(json_is_true(bench_at(torrent, "peers.0.isIncoming")));
    assert_true(json_is_true(bench_at(torrent, "peers.0.peerIsInterested")));
    assert_non_null(strchr(bench_text(torrent, "peers.0.flagStr"), 'I'));
    assert_int_equal(bench_integer(torrent, "peersFrom.fromIncoming"), 1);
    assert_int_equal(bench_integer(torrent, "files.0.bytesCompleted"), LONE_SIZE);
    assert_int_equal(bench_integer(torrent, "haveValid"), LONE_SIZE);
    assert_int_equal(bench_integer(torrent, "availability.3"), -1);
    assert_int_equal(bench_integer(torrent, "metadataPercentComplete"), 1);
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_counts_bytes_of_files_by_pieces(void **state)
{
    struct bench *bench = two_torrents();
    (void)state;
    bitfield_init(&bench->pieces[2], 2);
    bitfield_set(&bench->pieces[2], 1);
    bench->has_pieces[2] = true;
    json_t *answer = get(bench, "2", "'fileStats','bytesCompleted','availability'");
    json_t *torrent = bench_at(answer, "arguments.torrents.0");
    assert_int_equal(bench_integer(torrent, "fileStats.0.bytesCompleted"), 40000 - 32768);
    assert_int_equal(bench_integer(torrent, "fileStats.1.bytesCompleted"), 10000);
    assert_int_equal(bench_integer(torrent, "bytesCompleted.0"), 40000 - 32768);
    assert_int_equal(bench_integer(torrent, "availability.0"), 0);
    assert_int_equal(bench_integer(torrent, "availability.1"), -1);
    json_decref(answer);
    bench_free(bench);
}

static void peer_with(struct lone_engine *lone, uint8_t who, uint8_t bits)
{
    uint32_t peer = lone_accept(lone, who, true);
    struct buffer out = {0};
    wire_message_put_bitfield(&out, (struct bytes){&bits, 1});
    lone_feed_buffer(lone, peer, &out);
}

static void sample(struct bench *bench)
{
    while (catalog_sample(bench->catalog, bench->lone->engine, 64, bench->world.now))
        ;
}

static void expect_reach(struct bench *bench, const int64_t peers[4], int64_t desired)
{
    json_t *answer = get(bench, "1", "'availability','desiredAvailable','leftUntilDone'");
    json_t *torrent = bench_at(answer, "arguments.torrents.0");
    json_t *availability = bench_at(torrent, "availability");
    assert_int_equal(json_array_size(availability), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(json_integer_value(json_array_get(availability, i)), peers[i]);
    assert_int_equal(bench_integer(torrent, "leftUntilDone"), LONE_SIZE);
    assert_int_equal(bench_integer(torrent, "desiredAvailable"), desired);
    json_decref(answer);
}

static void transmission_get_tells_what_connected_peers_have(void **state)
{
    struct lone_engine *lone = lone_new(false, NULL);
    struct bench *bench = bench_new_upon(lone);
    (void)state;
    sample(bench);
    expect_reach(bench, (const int64_t[]){0, 0, 0, 0}, 0);
    peer_with(lone, 1, 0xc0);
    peer_with(lone, 2, 0x80);
    sample(bench);
    expect_reach(bench, (const int64_t[]){2, 1, 0, 0}, 2 * LONE_PIECE);
    peer_with(lone, 3, 0xf0);
    sample(bench);
    expect_reach(bench, (const int64_t[]){3, 2, 1, 1}, LONE_SIZE);
    bench_free(bench);
}

/* Asked first: the piece and the begin of the request that the peer got. */
static void first_request(struct lone_engine *lone, uint32_t peer, uint32_t *ret_piece,
                          uint32_t *ret_begin)
{
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(&lone->sent[peer]));
    cursor_bytes(&cursor, 68);
    for (struct bytes message;;) {
        assert_true(cursor_left(&cursor) >= 4);
        message = cursor_bytes(&cursor, cursor_u32(&cursor));
        if (message.length != 13 || message.data[0] != WIRE_REQUEST)
            continue;
        cursor_init(&cursor, (struct bytes){message.data + 1, 12});
        *ret_piece = cursor_u32(&cursor);
        *ret_begin = cursor_u32(&cursor);
        return;
    }
}

static void transmission_get_counts_what_came_and_is_not_judged(void **state)
{
    struct lone_engine *lone = lone_new(false, NULL);
    struct bench *bench = bench_new_upon(lone);
    uint32_t piece, begin;
    (void)state;
    uint32_t peer = lone_seed_peer(lone, 1, true);
    first_request(lone, peer, &piece, &begin);
    struct buffer block = {0};
    lone_put_block(&block, lone, piece, begin, true);
    lone_feed_buffer(lone, peer, &block);
    sample(bench);
    json_t *answer = get(bench, "1", "'haveValid','haveUnchecked','leftUntilDone','percentDone'");
    json_t *torrent = bench_at(answer, "arguments.torrents.0");
    assert_int_equal(bench_integer(torrent, "haveValid"), 0);
    int64_t unchecked = bench_integer(torrent, "haveUnchecked");
    assert_int_equal(unchecked, LIMIT_BLOCK_SIZE);
    assert_int_equal(bench_integer(torrent, "leftUntilDone"), LONE_SIZE - unchecked);
    double share = json_number_value(bench_at(torrent, "percentDone"));
    assert_true(share > 0.13 && share < 0.15);
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_tells_how_fast_web_seeds_are(void **state)
{
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .download_limit = 5000};
    struct lone_engine *lone = lone_prepare(false);
    (void)state;
    lone_begin(lone, "l13:http://good/f12:ftp://also/fe", &options);
    lone_wait(lone, 5 * SECOND_NS);
    struct bench *bench = bench_new_upon(lone);
    metainfo_free(bench->contents[1]);
    bench->contents[1] = lone_metainfo(lone, "l13:http://good/f12:ftp://also/fe");
    json_t *answer = get(bench, "1", "'webseeds','webseedsEx','webseedsSendingToUs'");
    json_t *torrent = bench_at(answer, "arguments.torrents.0");
    assert_int_equal(json_array_size(bench_at(torrent, "webseeds")), 2);
    assert_string_equal(bench_text(torrent, "webseeds.0"), "http://good/f");
    assert_int_equal(bench_integer(torrent, "webseedsSendingToUs"), 1);
    assert_true(bench_integer(torrent, "webseedsEx.0.downloadBytesPerSecond") > 0);
    assert_true(json_is_true(bench_at(torrent, "webseedsEx.0.isDownloading")));
    assert_false(json_is_true(bench_at(torrent, "webseedsEx.1.isDownloading")));
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_takes_ids_of_every_kind(void **state)
{
    struct bench *bench = two_torrents();
    char ids[256];
    (void)state;
    assert_int_equal(count_of(bench, NULL), 2);
    assert_int_equal(count_of(bench, "null"), 2);
    assert_int_equal(count_of(bench, "2"), 1);
    assert_int_equal(count_of(bench, "[]"), 0);
    assert_int_equal(count_of(bench, "[2,1,2,99,-1,1.5,'nonsense',null]"), 2);
    assert_int_equal(count_of(bench, "99"), 0);
    snprintf(ids, sizeof ids, "['%s',1,2]", catalog_find(bench->catalog, 2)->hash);
    assert_int_equal(count_of(bench, ids), 2);
    snprintf(ids, sizeof ids, "'%s'", catalog_find(bench->catalog, 2)->hash);
    assert_int_equal(count_of(bench, ids), 1);
    json_t *answer = get(bench, "{}", "'id'");
    assert_string_not_equal(bench_text(answer, "result"), "success");
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_tells_who_was_active_and_who_is_gone(void **state)
{
    struct bench *bench = two_torrents();
    (void)state;
    bench->world.revision_minute_ago = catalog_revision(bench->catalog);
    json_t *answer = get(bench, "'recently-active'", "'id'");
    assert_int_equal(json_array_size(bench_at(answer, "arguments.torrents")), 0);
    assert_int_equal(json_array_size(bench_at(answer, "arguments.removed")), 0);
    json_decref(answer);
    bench_add_named(bench, "three", true);
    bench_do(bench, "{'method':'torrent-remove','arguments':{'ids':[2]}}");
    answer = get(bench, "'recently_active'", "'id'");
    assert_int_equal(json_array_size(bench_at(answer, "arguments.torrents")), 1);
    assert_int_equal(bench_integer(answer, "arguments.torrents.0.id"), 3);
    assert_int_equal(bench_integer(answer, "arguments.removed.0"), 2);
    json_decref(answer);
    answer = get(bench, NULL, "'id'");
    assert_null(bench_at(answer, "arguments.removed"));
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_makes_tables(void **state)
{
    struct bench *bench = two_torrents();
    (void)state;
    json_t *answer = bench_ask(bench, "{'method':'torrent-get','arguments':{'format':'table',"
                                      "'fields':['id','no-such','name']},'tag':7}");
    assert_int_equal(bench_integer(answer, "tag"), 7);
    assert_int_equal(json_array_size(bench_at(answer, "arguments.torrents")), 3);
    assert_int_equal(json_array_size(bench_at(answer, "arguments.torrents.0")), 2);
    assert_string_equal(bench_text(answer, "arguments.torrents.0.0"), "id");
    assert_string_equal(bench_text(answer, "arguments.torrents.0.1"), "name");
    assert_int_equal(bench_integer(answer, "arguments.torrents.2.0"), 2);
    assert_string_equal(bench_text(answer, "arguments.torrents.2.1"), "two");
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_passes_over_unknown_and_doubled_fields(void **state)
{
    struct bench *bench = two_torrents();
    (void)state;
    json_t *answer = get(bench, "2", "'id','nonsense','id',7,null,'downloaders'");
    assert_int_equal(json_object_size(bench_at(answer, "arguments.torrents.0")), 1);
    json_decref(answer);
    answer = bench_ask(bench, "{'method':'torrent-get'}");
    assert_string_not_equal(bench_text(answer, "result"), "success");
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_has_wanted_as_numbers_and_as_booleans(void **state)
{
    struct bench *bench = two_torrents();
    (void)state;
    bench_do(bench, "{'method':'torrent-set','arguments':{'ids':2,'files-unwanted':[0]}}");
    json_t *answer = get(bench, "2", "'wanted'");
    assert_int_equal(bench_integer(answer, "arguments.torrents.0.wanted.0"), 0);
    assert_int_equal(bench_integer(answer, "arguments.torrents.0.wanted.1"), 1);
    json_decref(answer);
    answer = bench_ask(bench, "{'jsonrpc':'2.0','id':1,'method':'torrent_get',"
                              "'params':{'ids':[2],'fields':['wanted','file_stats']}}");
    assert_true(json_is_false(bench_at(answer, "result.torrents.0.wanted.0")));
    assert_true(json_is_true(bench_at(answer, "result.torrents.0.wanted.1")));
    assert_true(json_is_false(bench_at(answer, "result.torrents.0.file_stats.0.wanted")));
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_names_everything_in_the_dialect(void **state)
{
    struct bench *bench = two_torrents();
    (void)state;
    lone_leecher(bench->lone, 9, true);
    json_t *answer =
        bench_ask(bench, "{'jsonrpc':'2.0','id':'x','method':'torrent_get','params':{'fields':["
                         "'hash_string','peer_limit','files','peers','peers_from','tracker_stats',"
                         "'seed_ratio_limit','primary_mime_type','webseeds_ex']}}");
    json_t *torrent = bench_at(answer, "result.torrents.0");
    assert_int_equal(json_object_size(torrent), 9);
    assert_int_equal(strlen(bench_text(torrent, "hash_string")), 40);
    assert_true(bench_integer(torrent, "files.0.begin_piece") == 0);
    assert_non_null(bench_at(torrent, "files.0.bytes_completed"));
    assert_non_null(bench_at(torrent, "peers.0.rate_to_peer"));
    assert_null(bench_at(torrent, "peers.0.rateToPeer"));
    assert_non_null(bench_at(torrent, "peers_from.from_dht"));
    torrent = bench_at(answer, "result.torrents.1");
    assert_non_null(bench_at(torrent, "tracker_stats.0.last_announce_result"));
    assert_true(json_is_false(bench_at(torrent, "webseeds_ex.0.is_downloading")));
    assert_string_equal(bench_text(answer, "id"), "x");
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_reads_content_that_is_not_at_hand(void **state)
{
    struct bench *bench = two_torrents();
    (void)state;
    bench->at_hand[2] = false;
    json_t *answer = get(bench, NULL, "'id','name','status'");
    assert_int_equal(bench->content_jobs, 0);
    json_decref(answer);
    answer = get(bench, NULL, "'comment'");
    assert_int_equal(bench->content_jobs, 1);
    assert_string_equal(bench_text(answer, "arguments.torrents.1.comment"), "a \"b\"");
    json_decref(answer);
    bench->at_hand[2] = false;
    bench->failure = FRESHET_ERROR_IO;
    answer = get(bench, NULL, "'comment','files','pieces','name'");
    assert_string_equal(bench_text(answer, "result"), "success");
    assert_string_equal(bench_text(answer, "arguments.torrents.1.comment"), "");
    assert_string_equal(bench_text(answer, "arguments.torrents.1.name"), "two");
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_leaves_out_what_goes_between_slices(void **state)
{
    struct bench *bench = two_torrents();
    (void)state;
    bench_add_named(bench, "three", true);
    bench->removes_while_stepping = true;
    json_t *answer = get(bench, NULL, "'id','files','labels'");
    assert_int_equal(json_array_size(bench_at(answer, "arguments.torrents")), 2);
    assert_int_equal(bench_integer(answer, "arguments.torrents.0.id"), 1);
    assert_int_equal(bench_integer(answer, "arguments.torrents.1.id"), 3);
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_writes_names_that_are_no_text(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    bench_add_named(bench, "a\"\\<\x01\xff", true);
    json_t *answer = get(bench, "2", "'name','files','magnetLink'");
    assert_non_null(json_string_value(bench_at(answer, "arguments.torrents.0.name")));
    assert_non_null(json_string_value(bench_at(answer, "arguments.torrents.0.files.0.name")));
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_walks_crowds_in_slices(void **state)
{
    struct bench *bench = bench_new();
    char name[32];
    (void)state;
    for (int i = 0; i < 400; i++) {
        snprintf(name, sizeof name, "crowd-%d", i);
        bench_add_named(bench, name, true);
    }
    bench->steps = 0;
    json_t *answer = get(bench, NULL, "'id','name','downloadDir'");
    assert_int_equal(json_array_size(bench_at(answer, "arguments.torrents")), 401);
    assert_string_equal(bench_text(answer, "arguments.torrents.400.name"), "crowd-399");
    assert_string_equal(bench_text(answer, "arguments.torrents.400.downloadDir"), "/data");
    assert_true(bench->steps >= 2 * (401 / 64));
    json_decref(answer);
    bench_free(bench);
}

static void transmission_get_tells_a_link_by_its_link(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    bench_do(bench,
             "{'method':'torrent-add','arguments':{'filename':'magnet:?xt=urn:btih:"
             "0123456789abcdef0123456789abcdef01234567&dn=linked&tr=udp%3a//t.example.org%3a99'}}");
    json_t *answer = get(bench, "2",
                         "'name','percentDone','metadataPercentComplete','files','pieces',"
                         "'trackers','magnetLink','eta','status','wanted'");
    json_t *torrent = bench_at(answer, "arguments.torrents.0");
    assert_string_equal(bench_text(torrent, "name"), "linked");
    assert_int_equal(bench_integer(torrent, "percentDone"), 0);
    assert_int_equal(bench_integer(torrent, "metadataPercentComplete"), 0);
    assert_int_equal(json_array_size(bench_at(torrent, "files")), 0);
    assert_string_equal(bench_text(torrent, "pieces"), "");
    assert_string_equal(bench_text(torrent, "trackers.0.announce"), "udp://t.example.org:99");
    assert_string_equal(bench_text(torrent, "trackers.0.sitename"), "example");
    assert_int_equal(bench_integer(torrent, "eta"), -2);
    assert_int_equal(bench_integer(torrent, "status"), 4);
    assert_int_equal(bench->content_jobs, 0);
    json_decref(answer);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transmission_get_answers_all_fields_that_clients_ask_for),
        cmocka_unit_test(transmission_get_tells_a_stopped_torrent),
        cmocka_unit_test(transmission_get_tells_a_running_torrent),
        cmocka_unit_test(transmission_get_counts_bytes_of_files_by_pieces),
        cmocka_unit_test(transmission_get_tells_what_connected_peers_have),
        cmocka_unit_test(transmission_get_counts_what_came_and_is_not_judged),
        cmocka_unit_test(transmission_get_tells_how_fast_web_seeds_are),
        cmocka_unit_test(transmission_get_takes_ids_of_every_kind),
        cmocka_unit_test(transmission_get_tells_who_was_active_and_who_is_gone),
        cmocka_unit_test(transmission_get_makes_tables),
        cmocka_unit_test(transmission_get_passes_over_unknown_and_doubled_fields),
        cmocka_unit_test(transmission_get_has_wanted_as_numbers_and_as_booleans),
        cmocka_unit_test(transmission_get_names_everything_in_the_dialect),
        cmocka_unit_test(transmission_get_reads_content_that_is_not_at_hand),
        cmocka_unit_test(transmission_get_leaves_out_what_goes_between_slices),
        cmocka_unit_test(transmission_get_writes_names_that_are_no_text),
        cmocka_unit_test(transmission_get_walks_crowds_in_slices),
        cmocka_unit_test(transmission_get_tells_a_link_by_its_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
