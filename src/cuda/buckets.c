/* The numbers of tokens that batches are rounded up to. See buckets.h. */
#include "cuda/buckets.h"

#include <string.h>

enum { CAPACITY = 8192 };

static jc_code add(struct jc_cuda_buckets *buckets, const char *text, size_t n, struct jc_err *err)
{
    size_t rows = 0, last = buckets->n ? buckets->rows[buckets->n - 1] : 0;
    if (strspn(text, "0123456789") < n)
        return jc_fail(err, JC_E_INVALID, "expected " JC_CUDA_BUCKETS_FORMS ", not '%.*s'", (int)(n < 40 ? n : 40),
                       text);
    for (size_t i = 0; i < n && rows <= JC_CUDA_MAX_ROWS; i++)
        rows = rows * 10 + (size_t)(text[i] - '0');
    if (rows == 0 || rows > JC_CUDA_MAX_ROWS || rows % JC_CUDA_ROW_STEP)
        return jc_fail(err, JC_E_INVALID, "expected multiples of %d, at most %d, not '%.*s'", JC_CUDA_ROW_STEP,
                       JC_CUDA_MAX_ROWS, (int)(n < 40 ? n : 40), text);
    if (rows <= last)
        return jc_fail(err, JC_E_INVALID, "expected ascending counts, not '%zu' after '%zu'", rows, last);
    if (buckets->n == JC_CUDA_MAX_BUCKETS)
        return jc_fail(err, JC_E_INVALID, "'%zu' is one too many: at most %d are possible", rows, JC_CUDA_MAX_BUCKETS);
    buckets->rows[buckets->n++] = rows;
    return JC_OK;
}

jc_code jc_cuda_buckets_parse(const char *const *items, size_t n_items, struct jc_cuda_buckets *ret_buckets,
                              struct jc_err *err)
{
    static const char blanks[] = " \t";
    struct jc_cuda_buckets buckets = {0};
    if (n_items == 1 && strcmp(items[0], "auto") == 0)
        return *ret_buckets = buckets, JC_OK;
    for (size_t i = 0; i < n_items; i++)
        for (const char *text = items[i] + strspn(items[i], blanks); *text;) {
            const size_t n = strcspn(text, blanks);
            jc_code code = add(&buckets, text, n, err);
            if (code)
                return code;
            text += n;
            text += strspn(text, blanks);
        }
    if (!buckets.n)
        return jc_fail(err, JC_E_INVALID, "expected " JC_CUDA_BUCKETS_FORMS ", not ''");
    *ret_buckets = buckets;
    return JC_OK;
}

struct jc_cuda_buckets jc_cuda_buckets_up_to(size_t capacity)
{
    struct jc_cuda_buckets buckets = {0};
    for (size_t rows = JC_CUDA_ROW_STEP; rows < capacity; rows *= 2) {
        buckets.rows[buckets.n++] = rows;
        if (rows % (2 * JC_CUDA_ROW_STEP) == 0 && rows / 2 * 3 < capacity)
            buckets.rows[buckets.n++] = rows / 2 * 3;
    }
    buckets.rows[buckets.n++] = capacity;
    return buckets;
}

static size_t round_up(size_t n_tokens)
{
    return (n_tokens + JC_CUDA_ROW_STEP - 1) / JC_CUDA_ROW_STEP * JC_CUDA_ROW_STEP;
}

jc_code jc_cuda_buckets_settle(const struct jc_cuda_buckets *wanted, size_t max_tokens,
                               struct jc_cuda_buckets *ret_buckets, struct jc_err *err)
{
    const size_t least = round_up(max_tokens), last = wanted ? jc_cuda_buckets_last(wanted) : 0;
    if (least > JC_CUDA_MAX_ROWS)
        return jc_fail(err, JC_E_INVALID, "texts of %zu tokens; %d are possible", max_tokens, JC_CUDA_MAX_ROWS);
    if (last && last < max_tokens)
        return jc_fail(err, JC_E_INVALID, "the last, %zu, has no room for a text of the encoder's %zu tokens", last,
                       max_tokens);
    *ret_buckets = last ? *wanted : jc_cuda_buckets_up_to(least > CAPACITY ? least : CAPACITY);
    return JC_OK;
}

size_t jc_cuda_buckets_last(const struct jc_cuda_buckets *buckets)
{
    return buckets->n ? buckets->rows[buckets->n - 1] : 0;
}

bool jc_cuda_buckets_shrink(struct jc_cuda_buckets *buckets, size_t max_tokens)
{
    const size_t least = round_up(max_tokens), n = buckets->n;
    if (jc_cuda_buckets_last(buckets) <= least)
        return false;
    if (n > 1 && buckets->rows[n - 2] >= least)
        buckets->n--;
    else
        buckets->rows[n - 1] = least;
    return true;
}
