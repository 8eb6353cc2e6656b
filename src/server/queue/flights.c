/* Equal inputs, computed once. See flights.h. */
#include "server/queue/flights.h"

#include <pthread.h>
#include <string.h>

#include "server/queue/batcher.h"
#include "server/wire/peers.h"

enum { N_SHARDS = 16, N_BUCKETS = 1024 /* of a shard */ };

struct shard {
    _Alignas(64) pthread_mutex_t lock;
    struct jc_item *buckets[N_BUCKETS]; /* leaders */
};

struct jc_flights {
    struct jc_cache *cache;
    bool half_closed_left;
    struct shard shards[N_SHARDS];
};

jc_code jc_flights_create(struct jc_cache *cache, bool half_closed_left, struct jc_flights **ret_flights,
                          struct jc_err *err)
{
    struct jc_flights *flights = aligned_alloc(_Alignof(struct jc_flights), sizeof *flights);
    if (!flights)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    memset(flights, 0, sizeof *flights);
    flights->cache = cache;
    flights->half_closed_left = half_closed_left;
    for (size_t i = 0; i < N_SHARDS; i++)
        pthread_mutex_init(&flights->shards[i].lock, NULL);
    *ret_flights = flights;
    return JC_OK;
}

void jc_flights_destroy(struct jc_flights *flights)
{
    if (!flights)
        return;
    for (size_t i = 0; i < N_SHARDS; i++)
        pthread_mutex_destroy(&flights->shards[i].lock);
    free(flights);
}

static struct shard *lock_shard(struct jc_flights *flights, const struct jc_item *item)
{
    struct shard *shard = &flights->shards[item->flight.hash >> 60];
    pthread_mutex_lock(&shard->lock);
    return shard;
}

static struct jc_item **find_bucket(struct shard *shard, const struct jc_item *item)
{
    return &shard->buckets[item->flight.hash % N_BUCKETS];
}

static void lead_locked(struct shard *shard, struct jc_item *item)
{
    struct jc_item **bucket = find_bucket(shard, item);
    item->flight.leads = true;
    atomic_store_explicit(&item->flight.superseded, false, memory_order_relaxed);
    item->flight.chain = *bucket;
    *bucket = item;
}

/* Ends the item's lead; returns its followers. */
static struct jc_item *unlead_locked(struct shard *shard, struct jc_item *item)
{
    struct jc_item **at = find_bucket(shard, item), *followers = item->flight.followers;
    while (*at != item)
        at = &(*at)->flight.chain;
    *at = item->flight.chain;
    item->flight.leads = false;
    item->flight.followers = NULL;
    return followers;
}

/* A leader whose answer will do for `item`. */
static struct jc_item *find_leader(struct shard *shard, const struct jc_item *item)
{
    struct jc_item *leader = *find_bucket(shard, item);
    while (leader &&
           !(leader->flight.hash == item->flight.hash && leader->ticket->generation == item->ticket->generation &&
             leader->input.top_n >= item->input.top_n && jc_cache_same_key(&leader->input, &item->input)))
        leader = leader->flight.chain;
    return leader;
}

/* Turns that an item's ticket has before the one that takes the item. */
static size_t count_turns(const struct jc_item *item)
{
    size_t n_taken = atomic_load_explicit(&item->ticket->n_taken, memory_order_relaxed);
    return item->place < n_taken ? 0 : (item->place - n_taken) / JC_BATCHER_QUANTUM;
}

static void supersede_locked(struct shard *shard, struct jc_item *leader, struct jc_item *item)
{
    item->flight.followers = unlead_locked(shard, leader);
    atomic_store_explicit(&leader->flight.superseded, true, memory_order_relaxed);
    lead_locked(shard, item);
}

static enum jc_flights_way join_locked(struct jc_flights *flights, struct shard *shard, struct jc_item *item)
{
    struct jc_item *leader = find_leader(shard, item);
    if (!leader) {
        /* A flight lands in the cache before it ends: where it just did, the answer is there. */
        if (jc_cache_get(flights->cache, item->ticket->generation, item->flight.hash, &item->input))
            return JC_FLIGHTS_ANSWERED;
        lead_locked(shard, item);
        return JC_FLIGHTS_LEADS;
    }
    if (count_turns(leader) > count_turns(item)) {
        if (leader->input.top_n == item->input.top_n)
            supersede_locked(shard, leader, item);
        else
            lead_locked(shard, item); /* a flight beside that one, which has followers that want more */
        return JC_FLIGHTS_LEADS;
    }
    item->place = 0;
    item->next = leader->flight.followers;
    leader->flight.followers = item;
    return JC_FLIGHTS_FOLLOWS;
}

enum jc_flights_way jc_flights_join(struct jc_flights *flights, struct jc_item *item)
{
    struct shard *shard = lock_shard(flights, item);
    enum jc_flights_way way = join_locked(flights, shard, item);
    pthread_mutex_unlock(&shard->lock);
    return way;
}

struct jc_item *jc_flights_land(struct jc_flights *flights, struct jc_item *item, size_t *ret_n_evicted)
{
    *ret_n_evicted = jc_cache_put(flights->cache, item->ticket->generation, item->flight.hash, &item->input);
    struct shard *shard = lock_shard(flights, item);
    struct jc_item *followers = item->flight.leads ? unlead_locked(shard, item) : NULL;
    pthread_mutex_unlock(&shard->lock);
    return followers;
}

struct jc_item *jc_flights_hand_over(struct jc_flights *flights, struct jc_item *item)
{
    struct shard *shard = lock_shard(flights, item);
    struct jc_item *next = item->flight.leads ? unlead_locked(shard, item) : NULL;
    if (next) {
        next->flight.followers = next->next;
        next->next = NULL;
        lead_locked(shard, next);
    }
    pthread_mutex_unlock(&shard->lock);
    return next;
}

static bool is_wanted(const struct jc_item *followers, uint64_t now_ns)
{
    while (followers && jc_ticket_is_dead(followers->ticket, now_ns))
        followers = followers->next;
    return followers != NULL;
}

void jc_flights_ask_clients(struct jc_flights *flights, const struct jc_item *item, uint64_t now_ns)
{
    if (!flights)
        return;
    struct shard *shard = lock_shard(flights, item);
    for (struct jc_item *follower = item->flight.followers; follower; follower = follower->next) {
        if (!jc_ticket_is_dead(follower->ticket, now_ns))
            jc_peers_mark_gone(&follower, 1, flights->half_closed_left);
        if (!jc_ticket_is_dead(follower->ticket, now_ns))
            break;
    }
    pthread_mutex_unlock(&shard->lock);
}

static void put_list(struct jc_item *list, struct jc_item **onto)
{
    while (list) {
        struct jc_item *next = list->next;
        list->next = *onto;
        *onto = list;
        list = next;
    }
}

bool jc_flights_abandon(struct jc_flights *flights, struct jc_item *item, uint64_t now_ns, struct jc_item **dropped)
{
    struct jc_item *followers = NULL;
    if (flights) {
        struct shard *shard = lock_shard(flights, item);
        bool wanted = item->flight.leads && is_wanted(item->flight.followers, now_ns);
        followers = item->flight.leads && !wanted ? unlead_locked(shard, item) : NULL;
        pthread_mutex_unlock(&shard->lock);
        if (wanted)
            return false;
    }
    item->next = NULL;
    put_list(item, dropped);
    put_list(followers, dropped);
    return true;
}
