/* Sharded LRU of answers. See cache.h. */
#include "server/queue/cache.h"

#include <pthread.h>
#include <string.h>

#include "base/rng.h"
#include "base/siphash.h"

enum {
    N_SHARDS = 16,
    ENTRY_BYTES = 256,   /* an answer's size, roughly: one bucket for so many bytes */
    MALLOC_OVERHEAD = 16 /* of each allocation, roughly */
};

/* Behind it come hits[n_hits], evidence[n_hits] (where has_evidence), ids[n_ids]. */
struct entry {
    struct entry *chain;         /* of a bucket */
    struct entry *newer, *older; /* of the shard */
    uint64_t hash, generation;
    size_t n_bytes;
    struct jc_norm norm;
    enum jc_level level;
    uint32_t n_ids, top_n, n_hits;
    bool has_evidence;
    struct jc_hit hits[];
};

struct shard {
    _Alignas(64) pthread_mutex_t lock; /* all below */
    struct entry **buckets;
    struct entry *newest, *oldest;
    size_t n_bytes, n_entries;
};

struct jc_cache {
    struct jc_siphash_key key;
    size_t shard_bytes; /* most bytes of a shard's entries */
    size_t n_buckets;   /* of a shard; a power of two */
    struct shard shards[N_SHARDS];
};

jc_code jc_cache_create(size_t n_bytes, struct jc_cache **ret_cache, struct jc_err *err)
{
    JC_AUTO(jc_cache) struct jc_cache *cache = aligned_alloc(_Alignof(struct jc_cache), sizeof *cache);
    if (!cache)
        return jc_fail(err, JC_E_NOMEM, "no memory for the result cache");
    *cache = (struct jc_cache){.key = {jc_random_u64(), jc_random_u64()}, .n_buckets = 1};
    for (size_t i = 0; i < N_SHARDS; i++)
        pthread_mutex_init(&cache->shards[i].lock, NULL);
    while (cache->n_buckets * 2 * ENTRY_BYTES <= n_bytes / N_SHARDS)
        cache->n_buckets *= 2;
    size_t table_bytes = sizeof *cache + N_SHARDS * cache->n_buckets * sizeof(struct entry *);
    cache->shard_bytes = n_bytes > table_bytes ? (n_bytes - table_bytes) / N_SHARDS : 0;
    for (size_t i = 0; i < N_SHARDS; i++) {
        cache->shards[i].buckets = calloc(cache->n_buckets, sizeof(struct entry *));
        if (!cache->shards[i].buckets)
            return jc_fail(err, JC_E_NOMEM, "no memory for the result cache's tables");
    }
    *ret_cache = TAKE(cache);
    return JC_OK;
}

/* A list by `older`. */
static void free_entries(struct entry *entry)
{
    while (entry) {
        struct entry *older = entry->older;
        free(entry);
        entry = older;
    }
}

void jc_cache_destroy(struct jc_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < N_SHARDS; i++) {
        free_entries(cache->shards[i].newest);
        free(cache->shards[i].buckets);
        pthread_mutex_destroy(&cache->shards[i].lock);
    }
    free(cache);
}

uint64_t jc_cache_hash(const struct jc_cache *cache, uint64_t generation, const struct jc_input *input)
{
    struct jc_siphash_key key = {cache->key.k0 ^ generation, cache->key.k1 ^ input->level};
    return jc_siphash(key, input->ids, input->n_ids * sizeof *input->ids);
}

bool jc_cache_same_key(const struct jc_input *a, const struct jc_input *b)
{
    return a->level == b->level && a->n_ids == b->n_ids && memcmp(a->ids, b->ids, a->n_ids * sizeof *a->ids) == 0;
}

/* The shard by the hash's high bits, the bucket by its low ones. */
static struct shard *find_shard(struct jc_cache *cache, uint64_t hash)
{
    return &cache->shards[hash >> 60];
}

static struct entry **find_bucket(const struct jc_cache *cache, const struct shard *shard, uint64_t hash)
{
    return &shard->buckets[hash & (cache->n_buckets - 1)];
}

static struct jc_evidence *evidence_of(struct entry *entry)
{
    return (struct jc_evidence *)(entry->hits + entry->n_hits);
}

static int32_t *ids_of(struct entry *entry)
{
    return (int32_t *)(evidence_of(entry) + (entry->has_evidence ? entry->n_hits : 0));
}

static struct entry *find_locked(const struct jc_cache *cache, const struct shard *shard, uint64_t generation,
                                 uint64_t hash, const struct jc_input *input)
{
    struct entry *entry = *find_bucket(cache, shard, hash);
    while (entry &&
           !(entry->hash == hash && entry->generation == generation && entry->level == input->level &&
             entry->n_ids == input->n_ids && memcmp(ids_of(entry), input->ids, input->n_ids * sizeof *input->ids) == 0))
        entry = entry->chain;
    return entry;
}

static void unlink_use(struct shard *shard, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &shard->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &shard->oldest) = entry->newer;
}

static void link_newest(struct shard *shard, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = shard->newest;
    *(shard->newest ? &shard->newest->newer : &shard->oldest) = entry;
    shard->newest = entry;
}

static void touch(struct shard *shard, struct entry *entry)
{
    unlink_use(shard, entry);
    link_newest(shard, entry);
}

/* Takes an entry out and puts it on the list of those to be freed. */
static void remove_locked(struct jc_cache *cache, struct shard *shard, struct entry *entry, struct entry **removed)
{
    struct entry **at = find_bucket(cache, shard, entry->hash);
    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    unlink_use(shard, entry);
    shard->n_bytes -= entry->n_bytes;
    shard->n_entries--;
    entry->older = *removed;
    *removed = entry;
}

/* With fewer hits than were asked for, an answer has all there are. */
static bool serves(const struct entry *entry, uint32_t top_n, bool wants_evidence)
{
    return (entry->top_n >= top_n || entry->n_hits < entry->top_n) && (entry->has_evidence || !wants_evidence);
}

bool jc_cache_get(struct jc_cache *cache, uint64_t generation, uint64_t hash, struct jc_input *input)
{
    struct shard *shard = find_shard(cache, hash);
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find_locked(cache, shard, generation, hash, input);
    bool found = entry && serves(entry, input->top_n, input->evidence != NULL);
    if (found) {
        touch(shard, entry);
        input->norm = entry->norm;
        input->n_hits = entry->n_hits < input->top_n ? entry->n_hits : input->top_n;
        memcpy(input->hits, entry->hits, input->n_hits * sizeof *input->hits);
        if (input->evidence)
            memcpy(input->evidence, evidence_of(entry), input->n_hits * sizeof *input->evidence);
    }
    pthread_mutex_unlock(&shard->lock);
    return found;
}

static struct entry *create_entry(uint64_t generation, uint64_t hash, const struct jc_input *input, size_t max_bytes)
{
    bool has_evidence = input->evidence != NULL;
    size_t n_bytes = sizeof(struct entry) + input->n_hits * sizeof *input->hits +
                     has_evidence * input->n_hits * sizeof *input->evidence + input->n_ids * sizeof *input->ids;
    if (n_bytes + MALLOC_OVERHEAD > max_bytes)
        return NULL;
    struct entry *entry = malloc(n_bytes);
    if (!entry)
        return NULL;
    *entry = (struct entry){.hash = hash,
                            .generation = generation,
                            .n_bytes = n_bytes + MALLOC_OVERHEAD,
                            .norm = input->norm,
                            .level = input->level,
                            .n_ids = input->n_ids,
                            .top_n = input->top_n,
                            .n_hits = input->n_hits,
                            .has_evidence = has_evidence};
    memcpy(entry->hits, input->hits, input->n_hits * sizeof *input->hits);
    if (has_evidence)
        memcpy(evidence_of(entry), input->evidence, input->n_hits * sizeof *input->evidence);
    memcpy(ids_of(entry), input->ids, input->n_ids * sizeof *input->ids);
    return entry;
}

static void insert_locked(struct jc_cache *cache, struct shard *shard, struct entry *entry)
{
    struct entry **bucket = find_bucket(cache, shard, entry->hash);
    entry->chain = *bucket;
    *bucket = entry;
    link_newest(shard, entry);
    shard->n_bytes += entry->n_bytes;
    shard->n_entries++;
}

size_t jc_cache_put(struct jc_cache *cache, uint64_t generation, uint64_t hash, const struct jc_input *input)
{
    /* Allocating and freeing are done without the lock. */
    struct entry *entry = create_entry(generation, hash, input, cache->shard_bytes), *removed = NULL;
    if (!entry)
        return 0;
    size_t n_evicted = 0;
    struct shard *shard = find_shard(cache, hash);
    pthread_mutex_lock(&shard->lock);
    struct entry *old = find_locked(cache, shard, generation, hash, input);
    if (old && serves(old, input->top_n, input->evidence != NULL)) {
        touch(shard, old);
        entry->older = NULL;
        removed = entry;
    } else {
        if (old)
            remove_locked(cache, shard, old, &removed);
        for (; shard->n_bytes + entry->n_bytes > cache->shard_bytes; n_evicted++)
            remove_locked(cache, shard, shard->oldest, &removed);
        insert_locked(cache, shard, entry);
    }
    pthread_mutex_unlock(&shard->lock);
    free_entries(removed);
    return n_evicted;
}

void jc_cache_clear(struct jc_cache *cache, uint64_t generation)
{
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        struct entry *removed = NULL, *older;
        pthread_mutex_lock(&shard->lock);
        for (struct entry *entry = shard->newest; entry; entry = older) {
            older = entry->older;
            if (entry->generation == generation)
                remove_locked(cache, shard, entry, &removed);
        }
        pthread_mutex_unlock(&shard->lock);
        free_entries(removed);
    }
}

struct jc_cache_size jc_cache_size(struct jc_cache *cache)
{
    struct jc_cache_size size = {.n_bytes = sizeof *cache + N_SHARDS * cache->n_buckets * sizeof(struct entry *)};
    for (size_t i = 0; i < N_SHARDS; i++) {
        struct shard *shard = &cache->shards[i];
        pthread_mutex_lock(&shard->lock);
        size.n_bytes += shard->n_bytes;
        size.n_entries += shard->n_entries;
        pthread_mutex_unlock(&shard->lock);
    }
    return size;
}
