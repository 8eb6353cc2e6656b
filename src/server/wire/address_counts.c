/* Counts by client address: a chained hash table. See address_counts.h. */
#include "server/wire/address_counts.h"

#include <pthread.h>
#include <string.h>

#include "base/rng.h"

#define N_BUCKETS 4096

struct row {
    struct row *next;
    struct jc_address address;
    size_t n;
};

struct jc_address_counts {
    size_t limit;
    uint64_t key; /* of the hash */
    pthread_mutex_t lock;
    size_t n_rows;
    struct row *buckets[N_BUCKETS];
};

jc_code jc_address_counts_create(size_t limit, struct jc_address_counts **ret_counts, struct jc_err *err)
{
    struct jc_address_counts *counts = calloc(1, sizeof *counts);
    if (!counts)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    counts->limit = limit;
    counts->key = jc_random_u64();
    pthread_mutex_init(&counts->lock, NULL);
    *ret_counts = counts;
    return JC_OK;
}

void jc_address_counts_destroy(struct jc_address_counts *counts)
{
    if (!counts)
        return;
    for (size_t i = 0; i < N_BUCKETS; i++)
        for (struct row *row = counts->buckets[i], *next; row; row = next) {
            next = row->next;
            free(row);
        }
    pthread_mutex_destroy(&counts->lock);
    free(counts);
}

static struct jc_address subscriber(const struct jc_address *address)
{
    struct jc_address whole = *address;
    if (!jc_address_is_v4(address))
        memset(whole.bytes + 8, 0, 8);
    return whole;
}

static size_t hash(const struct jc_address_counts *counts, const struct jc_address *address)
{
    uint64_t halves[2];
    memcpy(halves, address->bytes, sizeof halves);
    struct jc_rng rng = jc_rng_seeded(counts->key ^ halves[0]);
    rng = jc_rng_seeded(counts->key ^ jc_rng_next(&rng) ^ halves[1]);
    return (size_t)(jc_rng_next(&rng) % N_BUCKETS);
}

/* Where the address's row hangs, or would be hung. */
static struct row **find(struct jc_address_counts *counts, const struct jc_address *address)
{
    struct row **at = &counts->buckets[hash(counts, address)];
    while (*at && memcmp(&(*at)->address, address, sizeof *address) != 0)
        at = &(*at)->next;
    return at;
}

static bool take(struct jc_address_counts *counts, const struct jc_address *address)
{
    struct row **at = find(counts, address);
    if (!*at) {
        struct row *row = calloc(1, sizeof *row);
        if (!row)
            return false;
        row->address = *address;
        *at = row;
        counts->n_rows++;
    }
    if ((*at)->n == counts->limit)
        return false;
    (*at)->n++;
    return true;
}

bool jc_address_counts_take(struct jc_address_counts *counts, const struct jc_address *address)
{
    if (!counts->limit)
        return true;
    struct jc_address whole = subscriber(address);
    pthread_mutex_lock(&counts->lock);
    bool taken = take(counts, &whole);
    pthread_mutex_unlock(&counts->lock);
    return taken;
}

void jc_address_counts_return(struct jc_address_counts *counts, const struct jc_address *address)
{
    if (!counts->limit)
        return;
    struct jc_address whole = subscriber(address);
    pthread_mutex_lock(&counts->lock);
    struct row **at = find(counts, &whole), *row = *at;
    if (row && --row->n == 0) {
        *at = row->next;
        counts->n_rows--;
        free(row);
    }
    pthread_mutex_unlock(&counts->lock);
}

size_t jc_address_counts_size(struct jc_address_counts *counts)
{
    pthread_mutex_lock(&counts->lock);
    size_t n = counts->n_rows;
    pthread_mutex_unlock(&counts->lock);
    return n;
}
