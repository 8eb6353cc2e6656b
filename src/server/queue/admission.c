/* From the event threads to the workers. See admission.h. */
#include "server/queue/admission.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "server/queue/flights.h"
#include "server/wire/peers.h"

/* A request of so little text is tokenised, to ask the cache, even where there is no room: tens of microseconds. */
#define CHEAP_BYTES (16 * 1024)

/* How late the answer may come to what passes its deadline while it waits. */
#define REAP_MS 20

struct jc_admission {
    struct jc_admission_config config;
    struct jc_metrics *metrics;
    struct jc_batcher *batcher;
    struct jc_cache *cache;     /* NULL: off */
    struct jc_flights *flights; /* with the cache */
    pthread_t reaper;
    bool has_reaper;
    pthread_mutex_t lock; /* the reaper's end */
    pthread_cond_t ending;
    bool ended;
};

/* `why`: of those whose client is still there. */
static void complete_dropped(struct jc_item *dropped, const struct jc_err *why)
{
    struct jc_err left;
    jc_fail(&left, JC_E_CANCELLED, "The client left.");
    for (struct jc_item *next; dropped; dropped = next) {
        next = dropped->next;
        jc_item_complete(dropped, atomic_load_explicit(&dropped->ticket->gone, memory_order_relaxed) ? &left : why);
    }
}

static void complete_late(struct jc_item *dropped)
{
    struct jc_err err;
    jc_fail(&err, JC_E_DEADLINE, "The deadline passed before all was computed.");
    complete_dropped(dropped, &err);
}

static void *reap(void *argument)
{
    struct jc_admission *admission = argument;
    pthread_mutex_lock(&admission->lock);
    while (!admission->ended) {
        pthread_mutex_unlock(&admission->lock);
        complete_late(jc_batcher_expire(admission->batcher, jc_clock_ns()));
        pthread_mutex_lock(&admission->lock);
        if (!admission->ended)
            jc_clock_wait(&admission->ending, &admission->lock, jc_clock_ns() + REAP_MS * JC_NS_PER_MS);
    }
    pthread_mutex_unlock(&admission->lock);
    return NULL;
}

static jc_code start_reaper(struct jc_admission *admission, struct jc_err *err)
{
    int error = pthread_create(&admission->reaper, NULL, reap, admission);
    if (error)
        return jc_fail(err, JC_E_IO, "start the thread of the deadlines: %s", strerror(error));
    admission->has_reaper = true;
    return JC_OK;
}

static jc_code create_parts(struct jc_admission *admission, struct jc_err *err)
{
    const struct jc_admission_config *config = &admission->config;
    jc_code code = JC_OK;
    if (config->cache_bytes)
        code = jc_cache_create(config->cache_bytes, &admission->cache, err);
    if (!code && config->cache_bytes)
        code = jc_flights_create(admission->cache, config->half_closed_left, &admission->flights, err);
    if (!code)
        code = jc_batcher_create(&config->limits, admission->flights, &admission->batcher, err);
    return code ? code : start_reaper(admission, err);
}

jc_code jc_admission_create(const struct jc_admission_config *config, struct jc_metrics *metrics,
                            struct jc_admission **ret_admission, struct jc_err *err)
{
    JC_AUTO(jc_admission) struct jc_admission *admission = calloc(1, sizeof *admission);
    if (!admission)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    admission->config = *config;
    admission->metrics = metrics;
    pthread_mutex_init(&admission->lock, NULL);
    pthread_cond_init(&admission->ending, NULL);
    jc_code code = create_parts(admission, err);
    if (code)
        return code;
    *ret_admission = TAKE(admission);
    return JC_OK;
}

void jc_admission_finish(struct jc_admission *admission)
{
    pthread_mutex_lock(&admission->lock);
    admission->ended = true;
    pthread_cond_signal(&admission->ending);
    pthread_mutex_unlock(&admission->lock);
    if (admission->has_reaper)
        pthread_join(admission->reaper, NULL);
    admission->has_reaper = false;
}

void jc_admission_destroy(struct jc_admission *admission)
{
    if (!admission)
        return;
    jc_admission_finish(admission);
    jc_batcher_destroy(admission->batcher);
    jc_flights_destroy(admission->flights);
    jc_cache_destroy(admission->cache);
    pthread_cond_destroy(&admission->ending);
    pthread_mutex_destroy(&admission->lock);
    free(admission);
}

jc_code jc_admission_check(struct jc_admission *admission, size_t n_titles, size_t n_bytes, uint64_t deadline_ns,
                           struct jc_err *err)
{
    jc_code code = jc_batcher_check(admission->batcher, n_titles, deadline_ns, jc_clock_ns(), err);
    return code == JC_E_OVERLOADED && admission->cache && n_bytes <= CHEAP_BYTES ? JC_OK : code;
}

/* Answers items from the cache. Returns how many are left, and their tokens. */
static size_t ask_cache(struct jc_admission *admission, struct jc_ticket *ticket, size_t *ret_n_tokens)
{
    size_t n_left = 0, n_tokens = 0;
    for (size_t i = 0; i < ticket->n_items; i++) {
        struct jc_item *item = &ticket->items[i];
        if (admission->cache && !ticket->alone) {
            item->flight.hash = jc_cache_hash(admission->cache, ticket->generation, &item->input);
            item->answered = jc_cache_get(admission->cache, ticket->generation, item->flight.hash, &item->input);
        }
        n_left += !item->answered;
        n_tokens += item->answered ? 0 : item->input.n_ids;
    }
    *ret_n_tokens = n_tokens;
    return n_left;
}

/* What is left leads or follows a flight; who leads is queued. Returns how many follow. */
static size_t join_flights(struct jc_admission *admission, struct jc_ticket *ticket)
{
    struct jc_item **end = &ticket->queue;
    size_t n_follow = 0;
    for (size_t i = 0; i < ticket->n_items; i++) {
        struct jc_item *item = &ticket->items[i];
        if (item->answered)
            continue;
        item->place = (uint32_t)ticket->n_queued;
        uint32_t n_ids = item->input.n_ids;
        bool shares = admission->flights && !ticket->alone;
        enum jc_flights_way way = shares ? jc_flights_join(admission->flights, item) : JC_FLIGHTS_LEADS;
        if (way == JC_FLIGHTS_LEADS) {
            *end = item;
            end = &item->next;
            ticket->n_queued++;
            ticket->n_queued_tokens += n_ids;
        } else if (way == JC_FLIGHTS_ANSWERED) {
            atomic_fetch_sub(&ticket->n_pending, 1); /* never the last: submitting holds one */
        }
        n_follow += way == JC_FLIGHTS_FOLLOWS;
    }
    return n_follow;
}

static void count(struct jc_admission *admission, size_t n_items, size_t n_queued, size_t n_follow)
{
    size_t n_hits = n_items - n_queued - n_follow;
    jc_metrics_add(admission->metrics, JC_COUNTER_CACHE_HITS, n_hits);
    jc_metrics_add(admission->metrics, JC_COUNTER_CACHE_MISSES, n_queued);
    jc_metrics_add(admission->metrics, JC_COUNTER_CACHE_SHARED, n_follow);
    jc_metrics_add(admission->metrics, JC_COUNTER_TITLES, n_hits);
}

jc_code jc_admission_enter(struct jc_admission *admission, struct jc_ticket *ticket, bool *ret_waits,
                           struct jc_err *err)
{
    atomic_store(&ticket->failure, JC_OK);
    size_t n_tokens, n_left = ask_cache(admission, ticket, &n_tokens), n_follow = 0;
    if (n_left) {
        /* Room before flights: who leads one must not be refused, others may follow it by then. */
        jc_code code = jc_batcher_reserve(admission->batcher, ticket, n_left, n_tokens, jc_clock_ns(), err);
        if (code)
            return code;
        atomic_store(&ticket->n_pending, n_left + 1);
        n_follow = join_flights(admission, ticket);
    }
    if (admission->cache && !ticket->alone)
        count(admission, ticket->n_items, ticket->n_queued, n_follow);
    *ret_waits = n_left > 0;
    return JC_OK;
}

void jc_admission_submit(struct jc_admission *admission, struct jc_ticket *ticket)
{
    jc_batcher_push(admission->batcher, ticket);
    jc_ticket_release(ticket);
}

/* What became of an item since it was queued: it is to be computed (LEADS), was answered, or is someone else's by now. */
static enum jc_flights_way recheck(struct jc_admission *admission, struct jc_item *item, uint64_t now_ns,
                                   struct jc_item **dropped)
{
    struct jc_flights *flights = admission->flights;
    if (jc_ticket_is_dead(item->ticket, now_ns)) {
        jc_flights_ask_clients(flights, item, now_ns);
        return jc_flights_abandon(flights, item, now_ns, dropped) ? JC_FLIGHTS_FOLLOWS : JC_FLIGHTS_LEADS;
    }
    if (atomic_load_explicit(&item->flight.superseded, memory_order_relaxed))
        return jc_flights_join(flights, item);
    return JC_FLIGHTS_LEADS;
}

/* Takes out of the batch what needs no computing. */
static void filter(struct jc_admission *admission, struct jc_batch *batch)
{
    jc_peers_mark_gone(batch->items, batch->n_items, admission->config.half_closed_left);
    uint64_t now_ns = jc_clock_ns();
    struct jc_item *dropped = NULL;
    size_t n_kept = 0;
    for (size_t i = 0; i < batch->n_items; i++) {
        struct jc_item *item = batch->items[i];
        size_t n_tokens = item->input.n_ids; /* it may be gone, once it follows */
        enum jc_flights_way way = recheck(admission, item, now_ns, &dropped);
        if (way == JC_FLIGHTS_LEADS) {
            batch->items[n_kept++] = item;
            continue;
        }
        batch->n_void_tokens += n_tokens;
        if (way == JC_FLIGHTS_ANSWERED) {
            jc_metrics_add(admission->metrics, JC_COUNTER_TITLES, 1);
            jc_item_complete(item, NULL);
        }
    }
    batch->n_items = n_kept;
    complete_late(dropped);
}

bool jc_admission_take(struct jc_admission *admission, struct jc_batch *batch)
{
    while (jc_batcher_take(admission->batcher, batch)) {
        complete_late(batch->dropped);
        filter(admission, batch);
        if (batch->n_items)
            return true;
        jc_batcher_report(admission->batcher, batch, 0);
    }
    return false;
}

/* From an answer that has at least as many hits. */
static void copy_answer(const struct jc_input *from, struct jc_input *to)
{
    to->n_hits = from->n_hits < to->top_n ? from->n_hits : to->top_n;
    to->norm = from->norm;
    memcpy(to->hits, from->hits, to->n_hits * sizeof *to->hits);
    if (to->evidence)
        memcpy(to->evidence, from->evidence, to->n_hits * sizeof *to->evidence);
}

static void answer_followers(struct jc_admission *admission, struct jc_item *item)
{
    size_t n_evicted, n_followers = 0;
    struct jc_item *follower = jc_flights_land(admission->flights, item, &n_evicted), *next;
    for (const struct jc_item *one = follower; one; one = one->next)
        n_followers++;
    /* Before the last is complete: who has an answer finds it counted. */
    jc_metrics_add(admission->metrics, JC_COUNTER_CACHE_EVICTIONS, n_evicted);
    jc_metrics_add(admission->metrics, JC_COUNTER_TITLES, n_followers);
    for (; follower; follower = next) {
        next = follower->next;
        copy_answer(&item->input, &follower->input);
        jc_item_complete(follower, NULL);
    }
}

struct jc_item *jc_admission_settle(struct jc_admission *admission, struct jc_item *item, const struct jc_err *err)
{
    struct jc_item *next = NULL;
    bool shares = admission->flights && !item->ticket->alone;
    if (shares && err)
        next = jc_flights_hand_over(admission->flights, item);
    else if (shares)
        answer_followers(admission, item);
    jc_item_complete(item, err);
    return next;
}

void jc_admission_cancel(struct jc_admission *admission)
{
    struct jc_err err;
    jc_fail(&err, JC_E_CANCELLED, "The server is shutting down.");
    complete_dropped(jc_batcher_cancel(admission->batcher), &err);
}

struct jc_batcher *jc_admission_batcher(struct jc_admission *admission)
{
    return admission->batcher;
}

struct jc_cache *jc_admission_cache(struct jc_admission *admission)
{
    return admission->cache;
}
