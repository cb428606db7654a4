/* SPDX-License-Identifier: MIT */
/* planted: services/rpc/transmission_arguments.c */
/* finds: heap-buffer-overflow :: in put_files */
/* covers: services/rpc/transmission_rpc.c services/rpc/transmission_get.c */
/* covers: services/rpc/transmission_values.c services/rpc/transmission_rows.c */
/* covers: services/rpc/transmission_lists.c services/rpc/transmission_arguments.c */
/* covers: services/rpc/transmission_ids.c services/rpc/transmission_folder.c */
/* covers: services/rpc/transmission_torrents.c services/rpc/transmission_set.c */
/* covers: services/rpc/transmission_trackers.c services/rpc/transmission_add.c */
/* covers: services/rpc/transmission_session.c services/rpc/json_writer.c services/rpc/base64.c */
/* covers: services/rpc/transmission_past.c services/rpc/service_folder.c */
/* max_len: 4096 */
/*
 * Requests, one after another, to a catalog of a few torrents of which one runs: a byte that says
 * who asks and how jobs end, then up to three bodies with a byte 0x1e between them. Every answer is
 * JSON and promises nothing that is not saved; a reader changes nothing.
 */
#include "core/base/check.h"
#include "tests/rpc/transmission_bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LOCAL       1u
#define READER      2u
#define JOBS_FAIL   4u
#define CONTENT_OFF 8u
#define GOES        16u
#define NO_POST     32u

#define REQUESTS_MAX 3

static struct lone_engine *lone;

static void prepare(void)
{
    if (lone)
        return;
    lone = lone_new(true, NULL);
    lone_leecher(lone, 9, true);
}

static struct bench *new_bench(uint8_t flags, struct buffer *torrent)
{
    struct bench *bench = bench_new_upon(lone);
    bench_add_named(bench, "two", true);
    bench_add_named(bench, "t\"hr\\ee", false);
    bitfield_init(&bench->pieces[2], 2);
    bitfield_set(&bench->pieces[2], 1);
    bench->has_pieces[2] = true;
    bench->is_local = flags & LOCAL;
    bench->access = flags & READER ? ACCESS_READ : ACCESS_CONTROL;
    bench->failure = flags & JOBS_FAIL ? FRESHET_ERROR_IO : FRESHET_OK;
    bench->at_hand[2] = !(flags & CONTENT_OFF);
    bench->removes_while_stepping = flags & GOES;
    bench_torrent("brought", torrent);
    bench->file = buffer_bytes(torrent);
    return bench;
}

static void check_answer(struct bench *bench)
{
    json_error_t error;
    if (bench->status == 204) {
        CHECK(bench->body.length == 0);
        return;
    }
    CHECK(bench->status == 200 || bench->status == 405);
    json_t *answer = json_loadb((const char *)bench->body.data, bench->body.length,
                                JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    CHECK(answer != NULL);
    json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer torrent = {0};
    if (size == 0)
        return 0;
    prepare();
    struct bench *bench = new_bench(data[0], &torrent);
    const uint8_t *at = data + 1, *end = data + size;
    uint64_t change = catalog_change(bench->catalog);
    for (int i = 0; i < REQUESTS_MAX && at <= end; i++) {
        const uint8_t *stop = at < end ? memchr(at, 0x1e, (size_t)(end - at)) : NULL;
        stop = stop ? stop : end;
        bench_send(bench, data[0] & NO_POST ? "GET" : "POST", "",
                   (struct bytes){at, (size_t)(stop - at)});
        check_answer(bench);
        at = stop + 1;
    }
    if (data[0] & READER && !(data[0] & GOES))
        CHECK(catalog_change(bench->catalog) == change);
    bench_free_all_but_engine(bench);
    buffer_deinit(&torrent);
    return 0;
}
