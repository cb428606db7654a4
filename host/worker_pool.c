/* SPDX-License-Identifier: MIT */
#include "host/worker_pool.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define NICE_MAX 19

static const int nice_of_rank[] = {
    [WORKER_TRANSFER] = 5, [WORKER_MODEST] = 10, [WORKER_LAST] = NICE_MAX};

struct worker_pool {
    /* An eventfd, and not libuv's own way: there a loop that is woken spins until the thread that
     * woke it has gone on, and that one may have no processor. */
    uv_poll_t wake; /* first: freed through its close callback */
    int wake_descriptor;
    pthread_mutex_t lock;
    /* One for each work submitted. No condition variable: glibc's lets who signals wait for those
     * that were signalled before, and the loop would wait for a thread that has no processor. */
    sem_t more;
    struct list queue;    /* not begun */
    struct list finished; /* to be told on the loop's thread */
    unsigned idle;
    bool stopping;
    enum worker_rank rank;
    unsigned thread_count, threads_max;
    pthread_t threads[WORKER_THREADS_MAX];
};

static struct work *worker_pool_take(struct list *list)
{
    struct list_node *node = list->head.next;

    list_remove(list, node);
    return LIST_ELEMENT(node, struct work, node);
}

/* A thread that is woken for work does not take the processor that the loop has: the scheduler
 * lets it wait until the loop sleeps, or its share is over. */
static void run_in_the_background(void)
{
    struct sched_param none = {0};

    pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
}

/* The counter of an eventfd can't be full: it is read to the end each time. */
static void wake_loop(struct worker_pool *pool)
{
    uint64_t one = 1;

    while (write(pool->wake_descriptor, &one, sizeof one) < 0)
        CHECK(errno == EINTR);
}

/* Linux has a priority for each thread. */
static void give_way(int by)
{
    id_t thread = (id_t)gettid();
    int nice = getpriority(PRIO_PROCESS, thread) + by;

    setpriority(PRIO_PROCESS, thread, nice > NICE_MAX ? NICE_MAX : nice);
}

/* The first that is finished wakes the loop, which tells all that gather until it comes to it. The
 * lock is let go of before: who wakes somebody may lose the processor to him. */
static void finish(struct worker_pool *pool, struct work *work)
{
    pthread_mutex_lock(&pool->lock);
    list_append(&pool->finished, &work->node);
    bool is_first = pool->finished.length == 1;
    pthread_mutex_unlock(&pool->lock);
    if (is_first)
        wake_loop(pool);
}

/* NULL: the pool ends. */
static struct work *next_work(struct worker_pool *pool)
{
    struct work *work = NULL;
    bool is_stopping = false;

    pthread_mutex_lock(&pool->lock);
    pool->idle++;
    while (!work && !is_stopping) {
        pthread_mutex_unlock(&pool->lock);
        while (sem_wait(&pool->more) != 0)
            CHECK(errno == EINTR);
        pthread_mutex_lock(&pool->lock);
        is_stopping = pool->stopping;
        /* Empty: what this was for has been cancelled. */
        if (!is_stopping && !list_is_empty(&pool->queue))
            work = worker_pool_take(&pool->queue);
    }
    pool->idle--;
    pthread_mutex_unlock(&pool->lock);
    return work;
}

static void *worker_pool_thread(void *context)
{
    struct worker_pool *pool = context;
    struct work *work;

    run_in_the_background();
    give_way(nice_of_rank[pool->rank]);
    while ((work = next_work(pool)) != NULL) {
        work->run(work);
        finish(pool, work);
    }
    return NULL;
}

static void worker_pool_tell(struct worker_pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (!list_is_empty(&pool->finished)) {
        struct work *work = worker_pool_take(&pool->finished);
        pthread_mutex_unlock(&pool->lock);
        work->done(work);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
}

static void worker_pool_on_wake(uv_poll_t *wake, int status, int events)
{
    struct worker_pool *pool = wake->data;
    uint64_t count;

    (void)status;
    (void)events;
    if (read(pool->wake_descriptor, &count, sizeof count) < 0)
        CHECK(errno == EAGAIN || errno == EINTR);
    worker_pool_tell(pool);
}

struct worker_pool *worker_pool_new(uv_loop_t *loop, unsigned threads, enum worker_rank rank)
{
    struct worker_pool *pool = memory_new(sizeof *pool);

    CHECK(threads > 0);
    CHECK(threads <= WORKER_THREADS_MAX);
    pool->threads_max = threads;
    pool->rank = rank;
    list_init(&pool->queue);
    list_init(&pool->finished);
    CHECK(pthread_mutex_init(&pool->lock, NULL) == 0);
    CHECK(sem_init(&pool->more, 0, 0) == 0);
    pool->wake_descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(pool->wake_descriptor >= 0);
    CHECK(uv_poll_init(loop, &pool->wake, pool->wake_descriptor) == 0);
    pool->wake.data = pool;
    CHECK(uv_poll_start(&pool->wake, UV_READABLE, worker_pool_on_wake) == 0);
    uv_unref((uv_handle_t *)&pool->wake);
    return pool;
}

static void worker_pool_on_close(uv_handle_t *handle)
{
    struct worker_pool *pool = handle->data;

    close(pool->wake_descriptor);
    sem_destroy(&pool->more);
    pthread_mutex_destroy(&pool->lock);
    memory_free(pool);
}

void worker_pool_free(struct worker_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    while (!list_is_empty(&pool->queue)) {
        struct work *work = worker_pool_take(&pool->queue);
        work->cancelled = true;
        list_append(&pool->finished, &work->node);
    }
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        sem_post(&pool->more);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    worker_pool_tell(pool);
    uv_close((uv_handle_t *)&pool->wake, worker_pool_on_close);
}

/* Signals belong to the loop's thread. Called with the lock held. */
static void worker_pool_add_thread(struct worker_pool *pool)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&pool->threads[pool->thread_count], NULL, worker_pool_thread, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        pool->thread_count++;
    CHECK(pool->thread_count > 0);
}

void worker_pool_submit(struct worker_pool *pool, struct work *work)
{
    pthread_mutex_lock(&pool->lock);
    CHECK(!pool->stopping);
    work->cancelled = false;
    list_append(&pool->queue, &work->node);
    if (pool->queue.length > pool->idle && pool->thread_count < pool->threads_max)
        worker_pool_add_thread(pool);
    pthread_mutex_unlock(&pool->lock);
    sem_post(&pool->more);
}

void worker_pool_cancel(struct worker_pool *pool, struct work *work)
{
    pthread_mutex_lock(&pool->lock);
    /* The queue is walked, since the node alone does not tell which list it is in. */
    for (struct list_node *node = pool->queue.head.next; node != &pool->queue.head;
         node = node->next) {
        if (node != &work->node)
            continue;
        list_remove(&pool->queue, node);
        work->cancelled = true;
        list_append(&pool->finished, node);
        wake_loop(pool);
        break;
    }
    pthread_mutex_unlock(&pool->lock);
}
