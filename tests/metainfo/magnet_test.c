/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/metainfo/magnet.h"
#include "tests/metainfo/torrent_maker.h"

#include <stdlib.h>
#include <string.h>

#define HEX    "27bbceaf3829b60524759f7335fcafcc4c3fcfee"
#define BASE32 "E6545LZYFG3AKJDVT5ZTL7FPZRGD7T7O"
#define HEX_V2 "7695f713e8bcdceee885681044b5f4f2ec5e0cdd76f07e39533ded708da9c0ef"
#define BTIH   "magnet:?xt=urn:btih:" HEX
#define HYBRID BTIH "&xt=urn:btmh:1220" HEX_V2

static enum freshet_error try_parse(const char *text, struct magnet **magnet)
{
    char reason[METAINFO_REASON_SIZE];
    enum freshet_error error =
        magnet_parse((struct bytes){(const uint8_t *)text, strlen(text)}, magnet, reason);
    assert_int_equal(error == FRESHET_OK, reason[0] == '\0');
    assert_null(strchr(reason, '\n'));
    return error;
}

static struct magnet *parse(const char *text)
{
    struct magnet *magnet = NULL;
    assert_int_equal(try_parse(text, &magnet), FRESHET_OK);
    return magnet;
}

static enum freshet_error outcome(const char *text)
{
    struct magnet *magnet = NULL;
    enum freshet_error error = try_parse(text, &magnet);
    magnet_free(magnet);
    return error;
}

static void magnet_reads_hex_and_base32_alike(void **state)
{
    (void)state;
    static const char *const same[] = {
        BTIH,
        "magnet:?xt=urn:btih:" BASE32,
        HEX,
        BASE32,
        "MAGNET:?XT=URN:BTIH:27BBCEAF3829B60524759F7335FCAFCC4C3FCFEE",
        "magnet:?xt.1=urn%3Abtih%3A" HEX "&xt=urn:sha1:whatever"};
    uint8_t hash[20];
    assert_true(bytes_from_hex(BYTES_LITERAL(HEX), hash, 20));
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct magnet *magnet = parse(same[i]);
        assert_true(magnet->has_v1);
        assert_false(magnet->has_v2);
        assert_memory_equal(magnet->info_hash_v1, hash, 20);
        assert_null(magnet->name);
        assert_true(magnet_selects(magnet, 12345));
        magnet_free(magnet);
    }
}

static void magnet_reads_v2_and_hybrid(void **state)
{
    (void)state;
    uint8_t hash[32];
    assert_true(bytes_from_hex(BYTES_LITERAL(HEX_V2), hash, 32));
    struct magnet *magnet = parse(HYBRID);
    assert_true(magnet->has_v1 && magnet->has_v2);
    assert_memory_equal(magnet->info_hash_v2, hash, 32);
    magnet_free(magnet);
    magnet = parse(HEX_V2);
    assert_true(!magnet->has_v1 && magnet->has_v2);
    magnet_free(magnet);
}

static void magnet_reads_every_parameter(void **state)
{
    (void)state;
    struct magnet *magnet =
        parse(BTIH "&dn=a+b%20%c3%a9.txt&tr=http%3A%2F%2Ft%2Fannounce&tr.2=udp://u:1"
                   "&ws=http://w/&x.pe=192.0.2.1:6881&x.pe=[2001:db8::1]:1&x.pe=host.example:65535"
                   "&x.pe=bad&x.pe=1.2.3.4:0&x.pe=::1:5&x.pe=:5&x.pe=h:70000&so=0,2,4-7&xl=5&junk");
    assert_string_equal(magnet->name, "a b \xc3\xa9.txt");
    assert_int_equal(magnet->tracker_count, 2);
    assert_string_equal(magnet->trackers[0], "http://t/announce");
    assert_string_equal(magnet->trackers[1], "udp://u:1");
    assert_int_equal(magnet->web_seed_count, 1);
    assert_int_equal(magnet->peer_count, 3);
    assert_string_equal(magnet->peers[1], "[2001:db8::1]:1");
    static const bool selected[] = {true, false, true, false, true, true, true, true, false};
    for (file_index i = 0; i < sizeof selected; i++)
        assert_int_equal(magnet_selects(magnet, i), selected[i]);
    magnet_free(magnet);
}

static void magnet_refuses_what_names_no_torrent(void **state)
{
    (void)state;
    assert_int_equal(outcome("magnet:?dn=x"), FRESHET_ERROR_MISSING);
    assert_int_equal(outcome("magnet:?"), FRESHET_ERROR_MISSING);
    assert_int_equal(outcome("magnet:?xt=urn:sha1:x"), FRESHET_ERROR_MISSING);
    assert_int_equal(outcome("magnet:?xt=urn:btih:1234"), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("magnet:?xt=urn:btih:" HEX "0"), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("magnet:?xt=urn:btih:E6545LZYFG3AKJDVT5ZTL7FPZRGD7T71"),
                     FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("magnet:?xt=urn:btmh:1114" HEX), FRESHET_ERROR_UNSUPPORTED);
    assert_int_equal(outcome("magnet:?xt=urn:btmh:1220" HEX), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome(BTIH "&xt=urn:btih:0000000000000000000000000000000000000000"),
                     FRESHET_ERROR_CONFLICT);
    assert_int_equal(outcome(BTIH "&so=1-"), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome(BTIH "&so=3-1"), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome(BTIH "&so=a"), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome(BTIH "&so=99999999999"), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome(""), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("http://x/"), FRESHET_ERROR_SYNTAX);
}

static void magnet_makes_texts_safe(void **state)
{
    (void)state;
    struct magnet *magnet = parse(BTIH "&dn=..%2f..%2fetc%00%1b[2J&tr=http://a%0d%0aX&tr=%&tr=a%4");
    assert_string_equal(magnet->name, ".._.._etc__[2J");
    assert_int_equal(magnet->tracker_count, 2);
    assert_string_equal(magnet->trackers[0], "%");
    assert_string_equal(magnet->trackers[1], "a%4");
    magnet_free(magnet);
}

static void magnet_caps_its_lists(void **state)
{
    (void)state;
    struct buffer text = {0};
    buffer_append_text(&text, BTIH);
    for (int i = 0; i < 1000; i++)
        buffer_append_text(&text, "&tr=udp://t:1&ws=http://w/&x.pe=h:1");
    buffer_append_u8(&text, 0);
    struct magnet *magnet = parse((const char *)text.data);
    assert_int_equal(magnet->tracker_count, LIMIT_TRACKERS_MAX);
    assert_int_equal(magnet->web_seed_count, LIMIT_WEB_SEEDS_MAX);
    assert_int_equal(magnet->peer_count, LIMIT_MAGNET_PEERS);
    magnet_free(magnet);
    buffer_clear(&text);
    buffer_append_text(&text, BTIH "&so=0");
    for (int i = 0; i < 1024; i++)
        buffer_append_text(&text, ",1");
    buffer_append_u8(&text, 0);
    assert_int_equal(outcome((const char *)text.data), FRESHET_ERROR_LIMIT);
    buffer_clear(&text);
    while (text.length <= LIMIT_MAGNET_LENGTH)
        buffer_append_text(&text, BTIH "&");
    buffer_append_u8(&text, 0);
    assert_int_equal(outcome((const char *)text.data), FRESHET_ERROR_LIMIT);
    buffer_deinit(&text);
}

static void magnet_survives_every_truncation(void **state)
{
    (void)state;
    const char whole[] = HYBRID "&dn=a%20b&tr=http%3a%2f%2ft&x.pe=[::1]:5&so=0,2,4-7";
    size_t length = sizeof whole - 1;
    for (size_t cut = 0; cut <= length; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1);
        memcpy(exact, whole, cut);
        struct magnet *magnet = NULL;
        char reason[METAINFO_REASON_SIZE];
        enum freshet_error error = magnet_parse((struct bytes){exact, cut}, &magnet, reason);
        assert_int_equal(error == FRESHET_OK, magnet != NULL);
        if (cut == sizeof BTIH - 1)
            assert_int_equal(error, FRESHET_OK);
        if (cut < sizeof BTIH - 1)
            assert_int_not_equal(error, FRESHET_OK);
        magnet_free(magnet);
        free(exact);
    }
}

static void magnet_formats_what_it_reads(void **state)
{
    (void)state;
    const char text[] = HYBRID "&dn=a%20b%c3%a9&tr=http%3a%2f%2ft%2fann%3fx%3d1&ws=http%3a%2f%2fw"
                               "&x.pe=%5b2001%3adb8%3a%3a1%5d%3a1&so=0,2,4-7";
    struct magnet *magnet = parse(text);
    struct buffer out = {0};
    magnet_format(magnet, &out);
    assert_true(bytes_is(buffer_bytes(&out), text));
    buffer_deinit(&out);
    magnet_free(magnet);
}

static void magnet_links_to_a_torrent(void **state)
{
    (void)state;
    const char *const trackers[] = {"http://t/announce"};
    struct torrent_builder_file file = {.length = 49152};
    struct torrent_builder_options options = {.name = "a b.bin",
                                              .single_file = true,
                                              .has_v1 = true,
                                              .has_v2 = true,
                                              .piece_length = 32768,
                                              .files = &file,
                                              .file_count = 1,
                                              .trackers = trackers,
                                              .tracker_count = 1};
    struct buffer torrent = torrent_maker_make(&options, torrent_maker_usual_byte);
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    assert_int_equal(metainfo_parse(buffer_bytes(&torrent), &metainfo, reason), FRESHET_OK);
    struct buffer out = {0};
    magnet_format_metainfo(metainfo, &out);
    buffer_append_u8(&out, 0);
    struct magnet *magnet = parse((const char *)out.data);
    assert_true(magnet_matches(magnet, metainfo));
    assert_string_equal(magnet->name, "a b.bin");
    assert_string_equal(magnet->trackers[0], "http://t/announce");
    magnet->info_hash_v2[31] ^= 1;
    assert_false(magnet_matches(magnet, metainfo));
    magnet_free(magnet);
    buffer_deinit(&out);
    metainfo_free(metainfo);
    buffer_deinit(&torrent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(magnet_reads_hex_and_base32_alike),
        cmocka_unit_test(magnet_reads_v2_and_hybrid),
        cmocka_unit_test(magnet_reads_every_parameter),
        cmocka_unit_test(magnet_refuses_what_names_no_torrent),
        cmocka_unit_test(magnet_makes_texts_safe),
        cmocka_unit_test(magnet_caps_its_lists),
        cmocka_unit_test(magnet_survives_every_truncation),
        cmocka_unit_test(magnet_formats_what_it_reads),
        cmocka_unit_test(magnet_links_to_a_torrent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
