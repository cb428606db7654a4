/* SPDX-License-Identifier: MIT */
/* What a person may write for the one way out, and what a socket may do then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/network_route.h"

static struct network_route proxy_of(const char *text)
{
    struct network_route route = {0};

    assert_true(network_route_read_proxy(text, &route));
    assert_true(network_route_has_proxy(&route));
    return route;
}

static void route_reads_proxies(void **state)
{
    (void)state;
    struct network_route route = proxy_of("socks5://proxy.example.org:9050");
    assert_string_equal(route.proxy_host, "proxy.example.org");
    assert_int_equal(route.proxy.port, 9050);
    assert_string_equal(route.login.user, "");
    route = proxy_of("socks5h://127.0.0.1/");
    assert_string_equal(route.proxy_host, "127.0.0.1");
    assert_int_equal(route.proxy.port, 1080);
    route = proxy_of("socks5://ann:s%3Acr%40t@[2001:db8::1]:1");
    assert_string_equal(route.proxy_host, "2001:db8::1");
    assert_string_equal(route.login.user, "ann");
    assert_string_equal(route.login.password, "s:cr@t");
    assert_int_equal(route.proxy.port, 1);
}

static void route_refuses_what_is_no_proxy(void **state)
{
    static const char *const bad[] = {"",
                                      "127.0.0.1:1080",
                                      "http://127.0.0.1:1080",
                                      "socks4://127.0.0.1:1080",
                                      "socks5://",
                                      "socks5://:1080",
                                      "socks5://host:0",
                                      "socks5://host:65536",
                                      "socks5://host:10x",
                                      "socks5://host:",
                                      "socks5://host/path",
                                      "socks5://ann@host:1080",
                                      "socks5://:secret@host:1080",
                                      "socks5://ann:@host:1080",
                                      "socks5://ann:%0@host:1080",
                                      "socks5://ann:%00@host:1080",
                                      "socks5://ann:%zz@host:1080",
                                      "socks5://[2001:db8::1:1080",
                                      "socks5://ho st:1080"};
    struct network_route route = {0}, none = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (network_route_read_proxy(bad[i], &route))
            fail_msg("%s", bad[i]);
    assert_memory_equal(&route, &none, sizeof none);
}

static void route_takes_words_of_255_bytes_and_no_more(void **state)
{
    struct network_route route = {0};
    char text[600] = "socks5://u:";

    (void)state;
    memset(text + 11, 'p', SOCKS_WORD_MAX);
    strcpy(text + 11 + SOCKS_WORD_MAX, "@host");
    assert_true(network_route_read_proxy(text, &route));
    assert_int_equal(strlen(route.login.password), SOCKS_WORD_MAX);
    strcpy(text + 11 + SOCKS_WORD_MAX, "p@host");
    assert_false(network_route_read_proxy(text, &route));
}

static void route_reads_interfaces(void **state)
{
    struct network_route name = {0}, address = {0}, none = {0};

    (void)state;
    assert_true(network_route_read_interface("wg0", &name));
    assert_string_equal(name.interface, "wg0");
    assert_true(network_route_read_interface("192.0.2.1", &address));
    assert_int_equal(address.source.family, ADDRESS_IPV4);
    assert_true(network_route_has_interface(&name) && network_route_has_interface(&address));
    assert_false(network_route_read_interface("", &none));
    assert_false(network_route_read_interface("0.0.0.0", &none));
    assert_false(network_route_read_interface("192.0.2.1:80", &none));
    assert_false(network_route_read_interface("an-interface-too-long", &none));
    assert_false(network_route_read_interface("a/b", &none));
    assert_false(network_route_has_interface(&none) || network_route_has_proxy(&none));
    assert_false(network_route_has_interface(NULL) || network_route_has_proxy(NULL));
}

static int tie(const char *interface)
{
    struct network_route route = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_true(network_route_read_interface(interface, &route));
    int number = network_route_tie(&route, fd, true);
    close(fd);
    return number;
}

static void route_lets_nothing_go_another_way(void **state)
{
    char text[NETWORK_ROUTE_TEXT];
    struct network_route route = {.interface = "no-such-wire"};

    (void)state;
    assert_int_equal(tie("lo"), 0);
    assert_int_equal(tie("127.0.0.1"), 0);
    assert_int_equal(tie("no-such-wire"), ENODEV);
    assert_int_equal(tie("192.0.2.1"), EADDRNOTAVAIL);
    assert_int_equal(tie("::1"), EAFNOSUPPORT); /* that socket is of IPv4 */
    assert_int_equal(network_route_open(&route, text), FRESHET_ERROR_CONNECTION);
    assert_non_null(strstr(text, "no-such-wire"));
    assert_int_equal(network_route_interface_index(&route), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(route_reads_proxies),
        cmocka_unit_test(route_refuses_what_is_no_proxy),
        cmocka_unit_test(route_takes_words_of_255_bytes_and_no_more),
        cmocka_unit_test(route_reads_interfaces),
        cmocka_unit_test(route_lets_nothing_go_another_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
