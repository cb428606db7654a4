/* SPDX-License-Identifier: MIT */
#include "host/worker_pool.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define MODEST_NICE 10
#define NICE_MAX    19

struct worker_pool {
    uv_async_t wake; /* first: freed through its close callback */
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct list queue;    /* not begun */
    struct list finished; /* to be told on the loop's thread */
    unsigned running;
    unsigned idle;
    bool stopping;
    bool is_modest;
    unsigned thread_count, threads_max;
    pthread_t threads[WORKER_THREADS_MAX];
};

static struct work *worker_pool_take(struct list *list)
{
    struct list_node *node = list->head.next;

    list_remove(list, node);
    return LIST_ELEMENT(node, struct work, node);
}

/* Linux has a priority for each thread. */
static void give_way(void)
{
    id_t thread = (id_t)gettid();
    int nice = getpriority(PRIO_PROCESS, thread) + MODEST_NICE;

    setpriority(PRIO_PROCESS, thread, nice > NICE_MAX ? NICE_MAX : nice);
}

static void *worker_pool_thread(void *context)
{
    struct worker_pool *pool = context;

    if (pool->is_modest)
        give_way();
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        pool->idle++;
        while (list_is_empty(&pool->queue) && !pool->stopping)
            pthread_cond_wait(&pool->more, &pool->lock);
        pool->idle--;
        if (pool->stopping)
            break;
        struct work *work = worker_pool_take(&pool->queue);
        pool->running++;
        pthread_mutex_unlock(&pool->lock);
        work->run(work);
        pthread_mutex_lock(&pool->lock);
        pool->running--;
        list_append(&pool->finished, &work->node);
        /* One wake-up tells all that gather until the loop comes to it. */
        if (pool->finished.length == 1)
            uv_async_send(&pool->wake);
    }
    pthread_mutex_unlock(&pool->lock);
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

static void worker_pool_on_wake(uv_async_t *wake)
{
    worker_pool_tell(wake->data);
}

struct worker_pool *worker_pool_new(uv_loop_t *loop, unsigned threads)
{
    struct worker_pool *pool = memory_new(sizeof *pool);

    CHECK(threads > 0);
    CHECK(threads <= WORKER_THREADS_MAX);
    pool->threads_max = threads;
    list_init(&pool->queue);
    list_init(&pool->finished);
    CHECK(pthread_mutex_init(&pool->lock, NULL) == 0);
    CHECK(pthread_cond_init(&pool->more, NULL) == 0);
    CHECK(uv_async_init(loop, &pool->wake, worker_pool_on_wake) == 0);
    pool->wake.data = pool;
    uv_unref((uv_handle_t *)&pool->wake);
    return pool;
}

struct worker_pool *worker_pool_new_modest(uv_loop_t *loop, unsigned threads)
{
    struct worker_pool *pool = worker_pool_new(loop, threads);

    pool->is_modest = true;
    return pool;
}

static void worker_pool_on_close(uv_handle_t *handle)
{
    struct worker_pool *pool = handle->data;

    pthread_cond_destroy(&pool->more);
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
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->lock);
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
    pthread_cond_signal(&pool->more);
    pthread_mutex_unlock(&pool->lock);
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
        uv_async_send(&pool->wake);
        break;
    }
    pthread_mutex_unlock(&pool->lock);
}
