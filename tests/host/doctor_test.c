/* SPDX-License-Identifier: MIT */
/* The doctor's eye for ports and addresses, and for a state; the rest is in tests/program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "host/doctor.h"
#include "host/state_store.h"
#include "tests/host/temporary_folder.h"

static void doctor_knows_public_addresses(void **state)
{
    (void)state;
    static const char *const public[] = {"1.1.1.1", "9.9.9.9", "2600::1", "198.17.0.1"};
    static const char *const others[] = {"10.1.1.1",    "192.168.1.1", "172.16.0.1", "100.64.0.1",
                                         "169.254.1.1", "127.0.0.1",   "0.0.0.0",    "224.0.0.1",
                                         "fd00::1",     "fe80::1",     "::1",        "192.0.2.1",
                                         "198.18.1.1",  "203.0.113.9", "2001:db8::1"};
    struct address address = {0};
    assert_false(doctor_is_public(&address));
    for (size_t i = 0; i < sizeof public / sizeof *public; i++) {
        assert_true(address_from_text(public[i], true, &address));
        assert_true(doctor_is_public(&address));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_true(address_from_text(others[i], true, &address));
        assert_false(doctor_is_public(&address));
    }
}

/* A listener on loopback; its port in *ret_port. */
static int listener(uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&at, length) == 0 && listen(fd, 4) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static void doctor_connects_to_the_port(void **state)
{
    (void)state;
    struct doctor_finding finding;
    uint16_t port;
    int fd = listener(&port);
    struct address at = address_ipv4((uint8_t[]){127, 0, 0, 1}, port);
    doctor_check_port(&at, &finding);
    assert_string_equal(finding.check, "port");
    assert_int_equal(finding.level, DOCTOR_OK);
    /* Another program has it. */
    doctor_check_free_port(port, &finding);
    assert_int_equal(finding.level, DOCTOR_WARN);
    assert_non_null(strstr(finding.advice, "next free one"));
    close(fd);
    doctor_check_port(&at, &finding);
    assert_int_equal(finding.level, DOCTOR_BAD);
    assert_non_null(strstr(finding.fact, "refused"));
    assert_non_null(strstr(finding.advice, "firewall"));
    doctor_check_free_port(port, &finding);
    assert_int_equal(finding.level, DOCTOR_OK);
}

static void doctor_looks_at_a_state_and_leaves_it(void **state)
{
    (void)state;
    char *folder = temporary_folder_make(), path[TEMPORARY_PATH], text[STATE_TEXT_SIZE];
    struct state_store *store;
    struct doctor_finding finding;
    struct doctor_state kept;
    doctor_check_state(folder, &finding);
    assert_int_equal(finding.level, DOCTOR_OK);
    assert_false(doctor_read_state(folder, &kept));
    assert_int_equal(state_store_open(folder, text, &store), FRESHET_OK);
    state_store_set_number(store, "listen_port", 4711);
    /* While somebody has it open, and afterwards. */
    for (int i = 0; i < 2; i++) {
        doctor_check_state(folder, &finding);
        assert_string_equal(finding.advice, "");
        assert_int_equal(finding.level, DOCTOR_OK);
        assert_true(doctor_read_state(folder, &kept));
        assert_int_equal(kept.port, 4711);
        if (i == 0)
            state_store_close(store);
    }
    assert_int_equal(access(temporary_path(folder, "state.db-shm", path), F_OK), -1);
    assert_int_equal(chmod(folder, 0777), 0);
    doctor_check_state(folder, &finding);
    assert_int_equal(finding.level, DOCTOR_WARN);
    assert_int_equal(chmod(folder, 0700), 0);
    temporary_write(folder, "state.db.damaged-1-2", "x", 1);
    doctor_check_state(folder, &finding);
    assert_int_equal(finding.level, DOCTOR_WARN);
    assert_non_null(strstr(finding.fact, "1 damaged"));
    temporary_write(folder, "state.db", "this is no database at all, is it?", 34);
    doctor_check_state(folder, &finding);
    assert_int_equal(finding.level, DOCTOR_BAD);
    assert_non_null(strstr(finding.advice, "state.db.good"));
    temporary_folder_drop(folder);
}

static void doctor_tries_the_disk_and_leaves_nothing(void **state)
{
    (void)state;
    char *folder = temporary_folder_make(), path[TEMPORARY_PATH];
    struct doctor_finding finding;
    /* A folder that is not there yet. */
    doctor_check_disk(temporary_path(folder, "new/deep", path), &finding);
    assert_true(finding.level != DOCTOR_BAD);
    assert_non_null(strstr(finding.fact, folder));
    assert_int_equal(rmdir(folder), 0);
    free(folder);
    doctor_check_disk("/proc", &finding);
    assert_int_equal(finding.level, DOCTOR_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doctor_knows_public_addresses),
        cmocka_unit_test(doctor_connects_to_the_port),
        cmocka_unit_test(doctor_looks_at_a_state_and_leaves_it),
        cmocka_unit_test(doctor_tries_the_disk_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
