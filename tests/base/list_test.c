/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/list.h"
#include <cmocka.h>

struct item {
    int name;
    struct list_node node;
};

static void check_order(const struct list *list, const int *names, size_t count)
{
    size_t i = 0;
    for (struct list_node *node = list_first(list); node; node = list_next(list, node), i++) {
        assert_true(i < count);
        assert_int_equal(LIST_ELEMENT(node, struct item, node)->name, names[i]);
    }
    assert_int_equal(i, count);
    assert_int_equal(list->length, count);
}

static void list_keeps_the_order_of_joining(void **state)
{
    (void)state;
    struct list list;
    struct item items[5] = {{.name = 0}, {.name = 1}, {.name = 2}, {.name = 3}, {.name = 4}};
    list_init(&list);
    assert_true(list_is_empty(&list));
    assert_null(list_first(&list));
    for (int i = 0; i < 4; i++)
        list_append(&list, &items[i].node);
    list_prepend(&list, &items[4].node);
    check_order(&list, (int[]){4, 0, 1, 2, 3}, 5);
    list_remove(&list, &items[1].node);
    assert_false(list_contains(&items[1].node));
    assert_true(list_contains(&items[2].node));
    check_order(&list, (int[]){4, 0, 2, 3}, 4);
    list_append(&list, &items[1].node);
    check_order(&list, (int[]){4, 0, 2, 3, 1}, 5);
}

static void list_can_be_emptied_while_it_is_walked(void **state)
{
    (void)state;
    struct list list;
    struct item items[3] = {0};
    list_init(&list);
    for (int i = 0; i < 3; i++)
        list_append(&list, &items[i].node);
    struct list_node *node = list_first(&list);
    while (node) {
        struct list_node *next = list_next(&list, node);
        list_remove(&list, node);
        node = next;
    }
    assert_true(list_is_empty(&list));
    assert_null(list_first(&list));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_keeps_the_order_of_joining),
        cmocka_unit_test(list_can_be_emptied_while_it_is_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
