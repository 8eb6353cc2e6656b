/* Token features. See lexicon.h. */
#include "model/lexicon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linalg/linalg.h"

/* Inserts into a sorted list without doubles. Returns its new length. */
static size_t insert(int64_t *sorted, size_t n, int64_t key)
{
    size_t at = n;
    while (at > 0 && sorted[at - 1] >= key)
        at--;
    if (at < n && sorted[at] == key)
        return n;
    memmove(sorted + at + 1, sorted + at, (n - at) * sizeof(*sorted));
    sorted[at] = key;
    return n + 1;
}

static int64_t make_key(int32_t first, int32_t second)
{
    return (int64_t)first << 32 | second;
}

size_t jc_lexicon_keys(const int32_t *ids, size_t n_ids, int64_t *ret_keys)
{
    size_t n = 0;
    if (n_ids < 3) /* nothing between [CLS] and [SEP] */
        return 0;
    size_t n_tokens = n_ids - 2 < JC_LEXICON_TOKENS ? n_ids - 2 : JC_LEXICON_TOKENS;
    for (size_t i = 0; i <= n_tokens; i++) {
        n = insert(ret_keys, n, make_key(ids[i], ids[i + 1]));
        if (i > 0)
            n = insert(ret_keys, n, make_key(ids[i], JC_LEXICON_ALONE));
    }
    return n;
}

int jc_lexicon_compare(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

size_t jc_lexicon_features(const int32_t *ids, size_t n_ids, const int64_t *known, size_t n_known,
                           uint32_t *ret_features)
{
    int64_t keys[JC_LEXICON_FEATURES];
    size_t n = 0, n_keys = jc_lexicon_keys(ids, n_ids, keys);
    for (size_t i = 0; i < n_keys; i++) {
        const int64_t *found = bsearch(&keys[i], known, n_known, sizeof(*known), jc_lexicon_compare);
        if (found)
            ret_features[n++] = (uint32_t)(found - known);
    }
    return n;
}

void jc_lexicon_embed(const float *rows, size_t dim, const uint32_t *features, size_t n, float *ret_words)
{
    memset(ret_words, 0, dim * sizeof(*ret_words));
    if (n == 0)
        return;
    float factor = 1.0F / sqrtf((float)n);
    for (size_t i = 0; i < n; i++)
        jc_vec_add(ret_words, factor, rows + features[i] * dim, dim);
}
