/*
 * The k best of one row of scores, by a block: the order of jc_topk (linalg.h), equal scores by their index. Scores
 * and indices become keys, all different, of which a larger one is better. Where the row has more than the block can
 * sort, the digits of the keys, highest first, are counted until the best of them that are few enough to sort are
 * known (a radix select); these are gathered in any order and sorted (bitonic), so that the answer does not depend on
 * the order in which threads ran. Reads the row twice to four times as a rule, and never more than seven times.
 */
#ifndef JC_CUDA_TOPK_BLOCK_H
#define JC_CUDA_TOPK_BLOCK_H

#include "cuda/block.h"
#include "linalg/linalg.h"

#define JC_TOPK_THREADS 256U
#define JC_TOPK_MAX 1024U /* k, and the keys that are sorted */
#define JC_TOPK_DIGIT 11
#define JC_TOPK_BINS (1U << JC_TOPK_DIGIT)
#define JC_TOPK_OWN_BINS (JC_TOPK_BINS / JC_TOPK_THREADS) /* a thread's */

/* The block's memory. */
struct jc_topk_shared {
    uint64_t keys[JC_TOPK_MAX];
    uint32_t bins[JC_TOPK_BINS];
    uint32_t sums[JC_TOPK_THREADS];
    uint64_t least; /* what is gathered: keys not under it */
    uint32_t wanted, found, gathered;
};

/* n is under 2^31. */
struct jc_topk_row {
    const float *scores, *bias; /* [n]; bias: NULL, none */
    uint32_t first;             /* the index of scores[0] */
    const struct jc_hit *hits;  /* [n], in place of the scores, or NULL: of equal scores the lower index stands first */
    uint32_t n, k;
};

JC_KERNEL float jc_topk_score(const struct jc_topk_row *row, uint32_t i)
{
    if (row->hits)
        return row->hits[i].score;
    return row->bias ? row->scores[i] + row->bias[i] : row->scores[i];
}

/* Never 0, which is under all. Both zeros are one score; NaN is under -infinity. */
JC_KERNEL uint64_t jc_topk_key(float score, uint32_t i)
{
    union {
        float value;
        uint32_t bits;
    } u;
    u.value = score + 0.0f;
    if (score != score)
        u.bits = 0;
    else
        u.bits = u.bits >> 31 ? ~u.bits : u.bits | 0x80000000U;
    return (uint64_t)u.bits << 32 | (uint32_t)~i;
}

/* sums[t] = the sum of the counts of threads t and above. */
JC_KERNEL void jc_topk_add_up(struct jc_topk_shared *shared)
{
    uint32_t next[JC_EACH_THREAD(JC_TOPK_THREADS)];
    for (unsigned apart = 1; apart < JC_TOPK_THREADS; apart *= 2) {
        JC_THREADS(t, JC_TOPK_THREADS)
        {
            next[JC_OWN(t)] = shared->sums[t] + (t + apart < JC_TOPK_THREADS ? shared->sums[t + apart] : 0);
        }
        JC_BARRIER();
        JC_THREADS(t, JC_TOPK_THREADS)
        {
            shared->sums[t] = next[JC_OWN(t)];
        }
        JC_BARRIER();
    }
}

/* The digit of the bits from `shift` to under `above`, of those keys alone that are as `least` is from `above` on.
 * `least` comes to have the digit of the wanted-th of them, `wanted` to be its rank among the keys that have it too,
 * and `found` how many keys are not under `least`. Before, `found` is how many have been passed. */
JC_KERNEL void jc_topk_narrow(struct jc_topk_shared *shared, const struct jc_topk_row *row, int shift, int above)
{
    JC_THREADS(t, JC_TOPK_THREADS)
    {
        for (unsigned b = t; b < JC_TOPK_BINS; b += JC_TOPK_THREADS)
            shared->bins[b] = 0;
    }
    JC_BARRIER();
    const uint64_t least = shared->least, digits = ((uint64_t)1 << (above - shift)) - 1;
    JC_THREADS(t, JC_TOPK_THREADS)
    {
        for (uint32_t first = 0; first < row->n; first += JC_TOPK_THREADS) {
            const uint32_t i = first + t;
            const uint64_t key = i < row->n ? jc_topk_key(jc_topk_score(row, i), i) : 0;
            jc_block_count(shared->bins, (unsigned)(key >> shift & digits),
                           i < row->n && (above >= 64 || (key ^ least) >> above == 0));
        }
    }
    JC_BARRIER();
    JC_THREADS(t, JC_TOPK_THREADS)
    {
        uint32_t sum = 0;
        for (unsigned b = 0; b < JC_TOPK_OWN_BINS; b++)
            sum += shared->bins[t * JC_TOPK_OWN_BINS + b];
        shared->sums[t] = sum;
    }
    JC_BARRIER();
    jc_topk_add_up(shared);
    const uint32_t wanted = shared->wanted, found = shared->found;
    JC_BARRIER();
    JC_THREADS(t, JC_TOPK_THREADS)
    {
        uint32_t over = t + 1 < JC_TOPK_THREADS ? shared->sums[t + 1] : 0;
        if (over < wanted && shared->sums[t] >= wanted) { /* one thread's: the wanted-th key is in its bins */
            unsigned b = (t + 1) * JC_TOPK_OWN_BINS - 1;
            while (over + shared->bins[b] < wanted)
                over += shared->bins[b--];
            shared->least = least | (uint64_t)b << shift;
            shared->wanted = wanted - over;
            shared->found = found + over + shared->bins[b];
        }
    }
    JC_BARRIER();
}

JC_KERNEL void jc_topk_gather(struct jc_topk_shared *shared, const struct jc_topk_row *row)
{
    JC_THREADS(t, JC_TOPK_THREADS)
    {
        for (uint32_t i = t; i < row->n; i += JC_TOPK_THREADS) {
            const uint64_t key = jc_topk_key(jc_topk_score(row, i), i);
            if (key >= shared->least)
                shared->keys[jc_block_add(&shared->gathered, 1)] = key;
        }
    }
    JC_BARRIER();
}

/* Best first: the first n, a power of 2, of which those behind the gathered are 0. */
JC_KERNEL void jc_topk_sort_keys(struct jc_topk_shared *shared, unsigned n)
{
    for (unsigned run = 2; run <= n; run *= 2) {
        for (unsigned apart = run / 2; apart; apart /= 2) {
            JC_THREADS(t, JC_TOPK_THREADS)
            {
                for (unsigned i = t; i < n / 2; i += JC_TOPK_THREADS) {
                    const unsigned low = i / apart * apart * 2 + i % apart, high = low + apart;
                    const uint64_t a = shared->keys[low], b = shared->keys[high];
                    if ((a < b) == ((low & run) == 0)) {
                        shared->keys[low] = b;
                        shared->keys[high] = a;
                    }
                }
            }
            JC_BARRIER();
        }
    }
}

/* ret_hits [k]: min(k, n) of them are written. k is at most JC_TOPK_MAX. */
JC_KERNEL void jc_topk_block(struct jc_topk_shared *shared, const struct jc_topk_row *row, struct jc_hit *ret_hits)
{
    JC_THREADS(t, JC_TOPK_THREADS)
    {
        for (unsigned i = t; i < JC_TOPK_MAX; i += JC_TOPK_THREADS)
            shared->keys[i] = 0;
        if (t == 0) {
            shared->least = 0;
            shared->wanted = row->k < row->n ? row->k : row->n;
            shared->found = shared->gathered = 0;
        }
    }
    JC_BARRIER();
    const uint32_t k = shared->wanted;
    if (row->n > JC_TOPK_MAX && k > 0) {
        uint32_t n_left = row->n;
        for (int above = 64, shift; n_left > JC_TOPK_MAX; above = shift) {
            shift = above > JC_TOPK_DIGIT ? above - JC_TOPK_DIGIT : 0;
            jc_topk_narrow(shared, row, shift, above);
            n_left = shared->found;
            JC_BARRIER();
            JC_THREADS(t, JC_TOPK_THREADS)
            {
                if (t == 0)
                    shared->found = k - shared->wanted;
            }
            JC_BARRIER();
        }
    }
    if (k > 0)
        jc_topk_gather(shared, row);
    unsigned n = 1;
    while (n < shared->gathered)
        n *= 2;
    jc_topk_sort_keys(shared, n);
    JC_THREADS(t, JC_TOPK_THREADS)
    {
        for (uint32_t i = t; i < k; i += JC_TOPK_THREADS) {
            const uint32_t place = ~(uint32_t)shared->keys[i];
            ret_hits[i].index = row->hits ? row->hits[place].index : row->first + place;
            ret_hits[i].score = jc_topk_score(row, place);
        }
    }
    JC_BARRIER(); /* the caller may begin another row */
}

#endif
