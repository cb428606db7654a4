/* SPDX-License-Identifier: MIT */
/* Workers of the host: every work is told once, on the loop's thread, and the loop comes first. */
#include "host/worker_pool.h"

#include "core/base/memory.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define MANY 1000

struct errand {
    struct work work;
    int begun, told; /* in which order; 0: not yet */
    bool was_cancelled;
    sem_t *gate; /* waits for it; NULL: does not */
    int policy, nice;
};

static int begun, told;
static pthread_t loop_thread;

static void on_run(struct work *work)
{
    struct errand *errand = LIST_ELEMENT(work, struct errand, work);
    struct sched_param parameter;

    errand->begun = __atomic_add_fetch(&begun, 1, __ATOMIC_SEQ_CST);
    if (errand->gate)
        sem_wait(errand->gate);
    pthread_getschedparam(pthread_self(), &errand->policy, &parameter);
    errand->nice = getpriority(PRIO_PROCESS, (id_t)gettid());
}

static void on_done(struct work *work)
{
    struct errand *errand = LIST_ELEMENT(work, struct errand, work);

    assert_true(pthread_equal(pthread_self(), loop_thread));
    assert_int_equal(errand->told, 0);
    errand->told = ++told;
    errand->was_cancelled = work->cancelled;
}

/* The pool alone does not keep the loop alive. */
static uv_timer_t keeper;

static void on_keeper(uv_timer_t *timer)
{
    (void)timer;
}

static struct worker_pool *begin(uv_loop_t *loop, unsigned threads, enum worker_rank rank)
{
    begun = told = 0;
    loop_thread = pthread_self();
    assert_int_equal(uv_loop_init(loop), 0);
    uv_timer_init(loop, &keeper);
    uv_timer_start(&keeper, on_keeper, 1, 1);
    return worker_pool_new(loop, threads, rank);
}

static void end(uv_loop_t *loop, struct worker_pool *pool)
{
    worker_pool_free(pool);
    uv_close((uv_handle_t *)&keeper, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(loop), 0);
}

static void submit(struct worker_pool *pool, struct errand *errand, sem_t *gate)
{
    errand->gate = gate;
    errand->work.run = on_run;
    errand->work.done = on_done;
    worker_pool_submit(pool, &errand->work);
}

static void run_until(uv_loop_t *loop, int wanted)
{
    for (int i = 0; i < 20000 && told < wanted; i++)
        uv_run(loop, UV_RUN_ONCE);
    assert_int_equal(told, wanted);
}

static void all_is_told_on_the_loops_thread(void **state)
{
    uv_loop_t loop;
    struct worker_pool *pool = begin(&loop, 4, WORKER_TRANSFER);
    struct errand *errands = memory_new(MANY * sizeof *errands);

    (void)state;
    for (int i = 0; i < MANY; i++)
        submit(pool, &errands[i], NULL);
    run_until(&loop, MANY);
    for (int i = 0; i < MANY; i++) {
        assert_true(errands[i].begun > 0);
        assert_false(errands[i].was_cancelled);
    }
    end(&loop, pool);
    assert_int_equal(told, MANY);
    memory_free(errands);
}

static void one_thread_keeps_the_order(void **state)
{
    uv_loop_t loop;
    struct worker_pool *pool = begin(&loop, 1, WORKER_TRANSFER);
    struct errand errands[50] = {0};

    (void)state;
    for (int i = 0; i < 50; i++)
        submit(pool, &errands[i], NULL);
    run_until(&loop, 50);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(errands[i].begun, i + 1);
        assert_int_equal(errands[i].told, i + 1);
    }
    end(&loop, pool);
}

/* What is cancelled leaves a wake-up behind that finds nothing; the next work is done all the same.
 */
static void what_has_not_begun_can_be_cancelled(void **state)
{
    uv_loop_t loop;
    struct worker_pool *pool = begin(&loop, 1, WORKER_TRANSFER);
    struct errand errands[4] = {0};
    sem_t gate;

    (void)state;
    sem_init(&gate, 0, 0);
    submit(pool, &errands[0], &gate);
    while (__atomic_load_n(&begun, __ATOMIC_SEQ_CST) < 1)
        usleep(100);
    for (int i = 1; i < 3; i++) {
        submit(pool, &errands[i], NULL);
        worker_pool_cancel(pool, &errands[i].work);
    }
    worker_pool_cancel(pool, &errands[0].work); /* too late */
    run_until(&loop, 2);
    sem_post(&gate);
    run_until(&loop, 3);
    assert_false(errands[0].was_cancelled);
    for (int i = 1; i < 3; i++) {
        assert_true(errands[i].was_cancelled);
        assert_int_equal(errands[i].begun, 0);
    }
    submit(pool, &errands[3], NULL);
    run_until(&loop, 4);
    assert_int_equal(errands[3].begun, 2);
    end(&loop, pool);
    sem_destroy(&gate);
}

static void *open_gate(void *context)
{
    usleep(20000);
    sem_post(context);
    return NULL;
}

static void the_end_waits_for_what_runs(void **state)
{
    uv_loop_t loop;
    struct worker_pool *pool = begin(&loop, 1, WORKER_TRANSFER);
    struct errand errands[3] = {0};
    pthread_t opener;
    sem_t gate;

    (void)state;
    sem_init(&gate, 0, 0);
    submit(pool, &errands[0], &gate);
    while (__atomic_load_n(&begun, __ATOMIC_SEQ_CST) < 1)
        usleep(100);
    submit(pool, &errands[1], NULL);
    submit(pool, &errands[2], NULL);
    assert_int_equal(pthread_create(&opener, NULL, open_gate, &gate), 0);
    end(&loop, pool);
    pthread_join(opener, NULL);
    assert_int_equal(told, 3);
    assert_false(errands[0].was_cancelled);
    assert_true(errands[1].was_cancelled);
    assert_true(errands[2].was_cancelled);
    sem_destroy(&gate);
}

/* Lower is what is longer; a thread that wakes takes no processor from the loop. */
static void the_loop_comes_first(void **state)
{
    int mine = getpriority(PRIO_PROCESS, (id_t)gettid()), before = mine;

    (void)state;
    for (enum worker_rank rank = WORKER_TRANSFER; rank <= WORKER_LAST; rank++) {
        uv_loop_t loop;
        struct worker_pool *pool = begin(&loop, 1, rank);
        struct errand errand = {0};
        submit(pool, &errand, NULL);
        run_until(&loop, 1);
        assert_int_equal(errand.policy, SCHED_BATCH);
        assert_true(errand.nice > before || errand.nice == 19);
        before = errand.nice;
        end(&loop, pool);
    }
    assert_int_equal(getpriority(PRIO_PROCESS, (id_t)gettid()), mine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_is_told_on_the_loops_thread),
        cmocka_unit_test(one_thread_keeps_the_order),
        cmocka_unit_test(what_has_not_begun_can_be_cancelled),
        cmocka_unit_test(the_end_waits_for_what_runs),
        cmocka_unit_test(the_loop_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
