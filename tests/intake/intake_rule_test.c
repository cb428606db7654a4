/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "services/intake/intake_rule.h"
#include "services/intake/intake_taken.h"

#include <string.h>

static const char *refusal(enum intake_kind kind, const char *text)
{
    static char reason[INTAKE_REASON_SIZE];
    struct intake_rule rule;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    enum freshet_error error = json ? intake_rule_read(kind, json, reason, &rule)
                                    : intake_rule_parse(kind, text, reason, &rule);

    json_decref(json);
    if (!error) {
        intake_rule_deinit(&rule);
        return NULL;
    }
    assert_true(reason[0] != '\0');
    return reason;
}

static void round_trip(enum intake_kind kind, const char *text)
{
    char reason[INTAKE_REASON_SIZE];
    struct intake_rule rule;

    assert_int_equal(intake_rule_parse(kind, text, reason, &rule), FRESHET_OK);
    char *again = intake_rule_text(&rule);
    assert_string_equal(again, text);
    memory_free(again);
    intake_rule_deinit(&rule);
}

static void intake_rule_writes_what_it_reads(void **state)
{
    (void)state;
    round_trip(INTAKE_WATCH, "{\"id\":7,\"path\":\"/a b/\\\"c\\\"\",\"after\":\"rename\","
                             "\"folder\":\"/d\",\"stopped\":true,\"labels\":[\"x\",\"ü\"]}");
    round_trip(INTAKE_FEED,
               "{\"id\":1,\"url\":\"https://u@h/?k=1\",\"interval\":60,\"include\":[\"a b\","
               "\"/^c+$/\"],\"exclude\":[\"d\"],\"once\":true,\"folder\":null,\"stopped\":false,"
               "\"labels\":[]}");
}

static void intake_rule_fills_in_what_is_not_said(void **state)
{
    char reason[INTAKE_REASON_SIZE];
    struct intake_rule rule;

    (void)state;
    assert_int_equal(
        intake_rule_parse(INTAKE_FEED, "{\"url\":\"HTTP://h/\",\"folder\":null}", reason, &rule),
        FRESHET_OK);
    assert_int_equal(rule.interval_s, 1800);
    assert_null(rule.folder);
    assert_false(rule.stopped || rule.once);
    assert_int_equal(rule.include_count + rule.exclude_count + rule.label_count, 0);
    intake_rule_deinit(&rule);
    assert_int_equal(intake_rule_parse(INTAKE_WATCH, "{\"path\":\"/w\"}", reason, &rule),
                     FRESHET_OK);
    assert_int_equal(rule.after, INTAKE_KEEP);
    intake_rule_deinit(&rule);
}

static void intake_rule_refuses_what_makes_no_sense(void **state)
{
    static const struct {
        enum intake_kind kind;
        const char *text;
    } wrong[] = {
        {INTAKE_WATCH, ""},
        {INTAKE_WATCH, "[]"},
        {INTAKE_WATCH, "{}"},
        {INTAKE_WATCH, "{\"path\":\"w\"}"},
        {INTAKE_WATCH, "{\"path\":\"/a\\nb\"}"},
        {INTAKE_WATCH, "{\"path\":\"/w\",\"path\":\"/x\"}"},
        {INTAKE_WATCH, "{\"path\":\"/w\",\"after\":\"eat\"}"},
        {INTAKE_WATCH, "{\"path\":\"/w\",\"after\":1}"},
        {INTAKE_WATCH, "{\"path\":\"/w\",\"url\":\"http://h/\"}"},
        {INTAKE_WATCH, "{\"path\":\"/w\",\"folder\":\"d\"}"},
        {INTAKE_WATCH, "{\"path\":\"/w\",\"labels\":[\"\"]}"},
        {INTAKE_WATCH, "{\"path\":\"/w\",\"labels\":[1]}"},
        {INTAKE_WATCH, "{\"path\":\"/w\",\"stopped\":1}"},
        {INTAKE_WATCH, "{\"path\":\"/w\",\"id\":0}"},
        {INTAKE_FEED, "{\"url\":\"ftp://h/\"}"},
        {INTAKE_FEED, "{\"url\":\"https://\"}"},
        {INTAKE_FEED, "{\"url\":\"http:///feed\"}"},
        {INTAKE_FEED, "{\"url\":\"http://h/\",\"interval\":59}"},
        {INTAKE_FEED, "{\"url\":\"http://h/\",\"interval\":604801}"},
        {INTAKE_FEED, "{\"url\":\"http://h/\",\"include\":[\"/(/\"]}"},
        {INTAKE_FEED, "{\"url\":\"http://h/\",\"exclude\":[\"/[/\"]}"},
        {INTAKE_FEED, "{\"url\":\"http://h/\",\"include\":[\" \"]}"},
        {INTAKE_FEED, "{\"url\":\"http://h/\",\"once\":\"yes\"}"},
        {INTAKE_FEED, "{\"url\":\"http://h/\",\"after\":\"keep\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (!refusal(wrong[i].kind, wrong[i].text))
            fail_msg("taken: %s", wrong[i].text);
    assert_non_null(strstr(refusal(INTAKE_FEED, "{\"url\":\"http://h/\",\"include\":[\"/(a/\"]}"),
                           "include: /(a/: "));
}

/* ---- what was taken ---- */

static struct intake_key key(unsigned number)
{
    return intake_taken_key((struct bytes){(const uint8_t *)&number, sizeof number});
}

static bool has(struct intake_taken *taken, unsigned number)
{
    struct intake_key one = key(number);
    return intake_taken_has(taken, &one);
}

static void add(struct intake_taken *taken, unsigned number)
{
    struct intake_key one = key(number);
    intake_taken_add(taken, &one);
}

static void intake_taken_forgets_what_was_not_met_for_longest(void **state)
{
    struct intake_taken taken;

    (void)state;
    intake_taken_init(&taken, 3);
    for (unsigned i = 1; i <= 3; i++)
        add(&taken, i);
    assert_true(has(&taken, 1)); /* now the newest */
    add(&taken, 4);
    assert_false(has(&taken, 2));
    assert_true(has(&taken, 3));
    assert_true(has(&taken, 1));
    add(&taken, 1);
    assert_int_equal(taken.count, 3);
    intake_taken_deinit(&taken);
}

static void intake_taken_comes_back_in_its_order(void **state)
{
    struct intake_taken taken, again;
    struct buffer saved = {0};

    (void)state;
    intake_taken_init(&taken, 10);
    for (unsigned i = 1; i <= 10; i++)
        add(&taken, i);
    intake_taken_save(&taken, &saved);
    buffer_append_text(&saved, "torn");
    intake_taken_init(&again, 4);
    intake_taken_load(&again, buffer_bytes(&saved));
    assert_int_equal(again.count, 4);
    for (unsigned i = 1; i <= 10; i++)
        assert_int_equal(has(&again, i), i > 6);
    buffer_deinit(&saved);
    intake_taken_deinit(&again);
    intake_taken_deinit(&taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intake_rule_writes_what_it_reads),
        cmocka_unit_test(intake_rule_fills_in_what_is_not_said),
        cmocka_unit_test(intake_rule_refuses_what_makes_no_sense),
        cmocka_unit_test(intake_taken_forgets_what_was_not_met_for_longest),
        cmocka_unit_test(intake_taken_comes_back_in_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
