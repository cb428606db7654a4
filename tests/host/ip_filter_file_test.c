/* SPDX-License-Identifier: MIT */
/* Lists from files: plain, packed, in several members, damaged, and what is no list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "host/ip_filter_file.h"
#include "tests/host/temporary_folder.h"

static char text[IP_FILTER_FILE_TEXT];
static uint32_t ranges;

static enum freshet_error read_file(const char *folder, const char *name,
                                    struct ip_filter **ret_filter)
{
    char path[TEMPORARY_PATH];
    struct ip_filter_builder *builder = ip_filter_builder_new();
    ranges = 0;
    enum freshet_error error =
        ip_filter_file_read(temporary_path(folder, name, path), builder, text, &ranges);
    if (error)
        ip_filter_builder_free(builder);
    else
        *ret_filter = ip_filter_builder_finish(builder);
    return error;
}

static void assert_read(const char *folder, const char *name, uint32_t expected)
{
    struct ip_filter *filter;
    assert_int_equal(read_file(folder, name, &filter), FRESHET_OK);
    assert_int_equal(ranges, expected);
    assert_int_equal(ip_filter_length(filter), expected);
    ip_filter_free(filter);
}

static void pack(const void *bytes, size_t length, struct buffer *out)
{
    z_stream stream = {0};
    uint8_t part[4096];
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)length;
    do {
        stream.next_out = part;
        stream.avail_out = sizeof part;
        deflate(&stream, Z_FINISH);
        buffer_append(out, part, sizeof part - stream.avail_out);
    } while (stream.avail_out == 0);
    deflateEnd(&stream);
}

/* Single addresses that do not touch. */
static void put_lines(struct buffer *out, uint32_t from, uint32_t count)
{
    for (uint32_t i = from; i < from + count; i++) {
        char line[32];
        uint32_t ip = 2 * i;
        snprintf(line, sizeof line, "%u.%u.%u.%u\n", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
                 ip & 255);
        buffer_append_text(out, line);
    }
}

static void ip_filter_file_reads_plain_and_packed(void **state)
{
    (void)state;
    char *folder = temporary_folder_make();
    struct buffer lines = {0}, packed = {0}, more = {0};
    put_lines(&lines, 0, 20000);
    pack(lines.data, lines.length, &packed);
    assert_true(packed.length > 4096 && packed.length < lines.length);
    temporary_write(folder, "plain", lines.data, lines.length);
    temporary_write(folder, "packed.gz", packed.data, packed.length);
    assert_read(folder, "plain", 20000);
    assert_string_equal(text, "");
    assert_read(folder, "packed.gz", 20000);
    /* Members one after another, as `cat a.gz b.gz` makes them. */
    put_lines(&more, 20000, 7);
    pack(more.data, more.length, &packed);
    temporary_write(folder, "two.gz", packed.data, packed.length);
    assert_read(folder, "two.gz", 20007);
    temporary_write(folder, "empty", "", 0);
    assert_read(folder, "empty", 0);
    /* The same from memory. */
    struct ip_filter_builder *builder = ip_filter_builder_new();
    assert_int_equal(ip_filter_file_take(buffer_bytes(&packed), builder, text, &ranges),
                     FRESHET_OK);
    assert_int_equal(ranges, 20007);
    ip_filter_builder_free(builder);
    buffer_deinit(&lines);
    buffer_deinit(&more);
    buffer_deinit(&packed);
    temporary_folder_drop(folder);
}

static void ip_filter_file_says_what_is_wrong(void **state)
{
    (void)state;
    char *folder = temporary_folder_make();
    struct ip_filter *filter;
    struct buffer packed = {0};
    assert_int_equal(read_file(folder, "absent", &filter), FRESHET_ERROR_NOT_FOUND);
    assert_non_null(strstr(text, "No such file"));
    assert_int_equal(read_file(folder, ".", &filter), FRESHET_ERROR_USAGE);
    temporary_write(folder, "page", "<html>\n<body>\n", 14);
    assert_int_equal(read_file(folder, "page", &filter), FRESHET_ERROR_SYNTAX);
    assert_string_equal(text, "is no list of IP addresses");
    temporary_write(folder, "some", "1.2.3.4\nnonsense\n", 17);
    assert_read(folder, "some", 1);
    assert_string_equal(text, "1 lines were not understood, line 2 is the first of them");
    temporary_write(folder, "zip", "PK\3\4", 4);
    assert_int_equal(read_file(folder, "zip", &filter), FRESHET_ERROR_UNSUPPORTED);
    pack("1.2.3.4\n5.6.7.8\n", 16, &packed);
    for (size_t length = 2; length < packed.length; length++) {
        temporary_write(folder, "cut.gz", packed.data, length);
        assert_int_equal(read_file(folder, "cut.gz", &filter), FRESHET_ERROR_TRUNCATED);
    }
    packed.data[12] ^= 0xff;
    temporary_write(folder, "bad.gz", packed.data, packed.length);
    assert_int_equal(read_file(folder, "bad.gz", &filter), FRESHET_ERROR_SYNTAX);
    assert_string_equal(text, "the gzip file is damaged");
    buffer_deinit(&packed);
    temporary_folder_drop(folder);
}

/* A few hundred kilobytes that unpack to more than any list may have. */
static void ip_filter_file_bounds_what_is_unpacked(void **state)
{
    (void)state;
    char *folder = temporary_folder_make();
    size_t size = 16 * MIB;
    uint8_t *zeros = memory_new(size);
    struct buffer member = {0}, packed = {0};
    struct ip_filter *filter;
    pack(zeros, size, &member);
    for (uint32_t i = 0; i <= LIMIT_IP_FILTER_SIZE / size; i++)
        buffer_append(&packed, member.data, member.length);
    assert_true(packed.length < MIB);
    temporary_write(folder, "bomb.gz", packed.data, packed.length);
    assert_int_equal(read_file(folder, "bomb.gz", &filter), FRESHET_ERROR_LIMIT);
    assert_string_equal(text, "the list is too large");
    memory_free(zeros);
    buffer_deinit(&member);
    buffer_deinit(&packed);
    temporary_folder_drop(folder);
}

static void ip_filter_file_is_written_whole(void **state)
{
    (void)state;
    char *folder = temporary_folder_make(), path[TEMPORARY_PATH], read[32] = "";
    temporary_path(folder, "list", path);
    assert_int_equal(ip_filter_file_write(path, BYTES_LITERAL("1.2.3.4\n")), FRESHET_OK);
    assert_int_equal(ip_filter_file_write(path, BYTES_LITERAL("5.6.7.8\n")), FRESHET_OK);
    assert_int_equal(temporary_read(folder, "list", read, sizeof read), 8);
    assert_memory_equal(read, "5.6.7.8\n", 8);
    assert_int_equal(access(temporary_path(folder, "list.new", path), F_OK), -1);
    temporary_path(folder, "absent/list", path);
    assert_int_equal(ip_filter_file_write(path, BYTES_LITERAL("x")), FRESHET_ERROR_NOT_FOUND);
    temporary_folder_drop(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip_filter_file_reads_plain_and_packed),
        cmocka_unit_test(ip_filter_file_says_what_is_wrong),
        cmocka_unit_test(ip_filter_file_bounds_what_is_unpacked),
        cmocka_unit_test(ip_filter_file_is_written_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
