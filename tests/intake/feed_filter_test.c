/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/intake/feed_filter.h"

#include <string.h>

static bool fits(const char *include, const char *exclude, const char *title)
{
    char *includes[] = {(char *)(uintptr_t)include}, *excludes[] = {(char *)(uintptr_t)exclude};
    struct feed_filter *filter =
        feed_filter_new(includes, include != NULL, excludes, exclude != NULL);
    bool result = feed_filter_fits(filter, title);

    feed_filter_free(filter);
    return result;
}

static void feed_filter_wants_all_words_in_any_order(void **state)
{
    (void)state;
    assert_true(fits("amd64 ubuntu", NULL, "Ubuntu-24.04-desktop-AMD64.iso"));
    assert_false(fits("ubuntu arm64", NULL, "Ubuntu-24.04-desktop-AMD64.iso"));
    assert_true(fits(NULL, NULL, ""));
    assert_true(fits("  two \t words ", NULL, "words, two"));
}

static void feed_filter_knows_one_letter_in_all_its_forms(void **state)
{
    (void)state;
    assert_true(fits("DVOŘÁK", NULL, "Dvor\u030ca\u0301k - Rusalka"));
    assert_true(fits("\xff", NULL, "a\xff b"));
}

static void feed_filter_takes_expressions_between_slashes(void **state)
{
    (void)state;
    assert_true(fits("/^ubuntu-2[46].*amd64/", NULL, "Ubuntu-24.04-desktop-AMD64.iso"));
    assert_false(fits("/^ubuntu-2[46].*amd64/", NULL, "Kubuntu-24.04-desktop-amd64.iso"));
    assert_true(fits("/usr/bin", NULL, "what is in /usr/bin")); /* words: no slash at its end */
}

static void feed_filter_excludes_before_it_includes(void **state)
{
    (void)state;
    assert_false(fits("ubuntu", "beta", "Ubuntu 26.04 BETA"));
    assert_true(fits("ubuntu", "beta", "Ubuntu 26.04"));
    assert_false(fits(NULL, "/bet?a/", "Ubuntu beta"));
}

static void feed_filter_refuses_expressions_that_could_eat_the_machine(void **state)
{
    static const char *const wrong[] = {"/((a{100}){100}){100}/",
                                        "/((((a{1,}){99}){99}){99}){99}/",
                                        "/a{1,99999999999999999999}/",
                                        "/((((((((((((((((((((((((((((((((((a"
                                        "))))))))))))))))))))))))))))))))))/",
                                        "/a++++++++++++++++++/",
                                        "/\\C/",
                                        "/(/",
                                        "/[/",
                                        " ",
                                        ""};
    static const char *const right[] = {"/a{1,20}b{3}/", "/\\(1\\)/", "//", "/", "/{/x"};
    char reason[FEED_FILTER_REASON_SIZE], longest[300];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_not_equal(feed_filter_judge(wrong[i], reason), FRESHET_OK);
        assert_true(reason[0] != '\0');
        assert_false(fits(wrong[i], NULL, "a"));
    }
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        assert_int_equal(feed_filter_judge(right[i], reason), FRESHET_OK);
    memset(longest, 'a', sizeof longest);
    longest[256] = '\0';
    assert_int_equal(feed_filter_judge(longest, reason), FRESHET_OK);
    longest[256] = 'a';
    longest[257] = '\0';
    assert_int_equal(feed_filter_judge(longest, reason), FRESHET_ERROR_LIMIT);
}

/* Titles that a stranger makes for a person's expressions. What cannot be told in so many steps is
 * not included, and excluded. */
static void feed_filter_gives_up_on_titles_that_would_take_for_ever(void **state)
{
    static const char *const slow[] = {"/^(a+)+$/", "/^(a|b|ab)*c$/", "/(a|a)*x$/", "/^(a*)*\\1b$/",
                                       "/(.*)*(.*)*(.*)*=/"};
    char title[513], *texts[1];

    (void)state;
    for (size_t i = 0; i < sizeof title - 1; i++)
        title[i] = i % 2 ? 'a' : 'b';
    memset(title, 'a', 256);
    title[512] = '\0';
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
        texts[0] = (char *)(uintptr_t)slow[i];
        struct feed_filter *includes = feed_filter_new(texts, 1, NULL, 0);
        struct feed_filter *excludes = feed_filter_new(NULL, 0, texts, 1);
        for (unsigned title_number = 0; title_number < 1000; title_number++) {
            assert_false(feed_filter_fits(includes, title));
            if (i == 0) /* of the others some are seen through */
                assert_false(feed_filter_fits(excludes, title));
        }
        feed_filter_free(includes);
        feed_filter_free(excludes);
    }
}

static const char *episode(const char *title)
{
    static char text[4][256];
    static unsigned turn;
    struct buffer key = {0};
    char *out = text[turn++ % 4];

    if (!feed_filter_episode(title, &key))
        return "";
    memcpy(out, key.data, key.length);
    out[key.length] = '\0';
    buffer_deinit(&key);
    return out;
}

static void feed_filter_knows_an_episode_by_any_release(void **state)
{
    (void)state;
    assert_string_equal(episode("Some Show S01E02 1080p x264-ABC"), "someshow 1.2");
    assert_string_equal(episode("some.show.1x02.720p.WEB"), "someshow 1.2");
    assert_string_equal(episode("Some_Show - s1 e02"), "someshow 1.2");
    assert_string_equal(episode("Some Show S01E02 REPACK 1080p"), "someshow 1.2 proper");
    assert_string_equal(episode("Some Show 1x02 PROPER"), "someshow 1.2 proper");
    assert_string_equal(episode("Nightly 2024.05.01 720p"), "nightly 2024-5-1");
    assert_string_equal(episode("Nightly 2024-05-01"), "nightly 2024-5-1");
    assert_string_equal(episode("Пример S10E100"), episode("ПРИМЕР 10x100"));
    assert_string_not_equal(episode("Show S01E02"), episode("Show S02E01"));
}

static void feed_filter_sees_no_episode_where_there_is_none(void **state)
{
    static const char *const none[] = {"",
                                       "ubuntu-24.04-amd64.iso",
                                       "Film 2024 1080p x264",
                                       "1920x1080 wallpapers",
                                       "es1e",
                                       "Show S01",
                                       "2024-13-01",
                                       "12345-01-01",
                                       "s",
                                       "s1",
                                       "s1e",
                                       "1x",
                                       "2024-1"};

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (episode(none[i])[0])
            fail_msg("%s: %s", none[i], episode(none[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_filter_wants_all_words_in_any_order),
        cmocka_unit_test(feed_filter_knows_one_letter_in_all_its_forms),
        cmocka_unit_test(feed_filter_takes_expressions_between_slashes),
        cmocka_unit_test(feed_filter_excludes_before_it_includes),
        cmocka_unit_test(feed_filter_refuses_expressions_that_could_eat_the_machine),
        cmocka_unit_test(feed_filter_gives_up_on_titles_that_would_take_for_ever),
        cmocka_unit_test(feed_filter_knows_an_episode_by_any_release),
        cmocka_unit_test(feed_filter_sees_no_episode_where_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
