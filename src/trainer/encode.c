/* The step `encode`: sort by length (equal lengths need no padding), then threads take batches. */
#include "trainer/encode.h"

#include <pthread.h>
#include <string.h>

#include "trainer/progress.h"

enum {
    BATCH_TEXTS = 64, /* the throughput of a batch of titles is flat from 32 on */
    BATCH_TOKENS = 8192,
    MAX_TOKENS = 512,
};

/* The work on them that the threads share. */
struct work {
    const struct jc_encoder *encoder;
    size_t n_texts, dim;
    const struct jc_tokens *tokens;
    uint32_t *order; /* [n_texts]: texts, the longest first, so that the last batches are short ones */
    float *vectors;  /* [n_texts][dim] */

    pthread_mutex_t lock; /* guards what follows */
    size_t n_taken, n_done;
    struct jc_progress progress;
    struct jc_err err; /* the first failure; it stops all */
};

static void work_finish(struct work *work)
{
    free(work->order);
    free(work->vectors);
    pthread_mutex_destroy(&work->lock);
}

static size_t count_tokens(const struct work *work, size_t text)
{
    return work->tokens->offsets[text + 1] - work->tokens->offsets[text];
}

/* A counting sort by length: stable, so the same texts give the same batches. */
static void sort_by_length(struct work *work)
{
    size_t starts[MAX_TOKENS + 2] = {0};
    for (size_t i = 0; i < work->n_texts; i++)
        starts[MAX_TOKENS - count_tokens(work, i) + 1]++;
    for (size_t i = 1; i < JC_COUNT(starts); i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < work->n_texts; i++)
        work->order[starts[MAX_TOKENS - count_tokens(work, i)]++] = (uint32_t)i;
}

/* Takes the next batch: order[*ret_begin ...]. Returns its size, 0 at the end or after a failure. */
static size_t take_batch(struct work *work, size_t *ret_begin)
{
    pthread_mutex_lock(&work->lock);
    size_t n = 0, n_tokens = 0, begin = work->n_taken;
    while (!work->err.code && begin + n < work->n_texts && n < BATCH_TEXTS) {
        n_tokens += count_tokens(work, work->order[begin + n]);
        if (n && n_tokens > BATCH_TOKENS)
            break;
        n++;
    }
    work->n_taken += n;
    pthread_mutex_unlock(&work->lock);
    *ret_begin = begin;
    return n;
}

static jc_code encode_batch(struct work *work, size_t begin, size_t n, int32_t *ids, float *vectors, struct jc_err *err)
{
    uint32_t n_tokens[BATCH_TEXTS];
    size_t n_ids = 0;
    for (size_t i = 0; i < n; i++) {
        size_t n_text;
        const int32_t *text = jc_tokens_get(work->tokens, work->order[begin + i], &n_text);
        memcpy(ids + n_ids, text, n_text * sizeof(*ids));
        n_tokens[i] = (uint32_t)n_text;
        n_ids += n_text;
    }
    jc_code code = jc_encoder_encode(work->encoder, ids, n_tokens, n, vectors, err);
    if (code)
        return code;
    for (size_t i = 0; i < n; i++)
        memcpy(work->vectors + work->order[begin + i] * work->dim, vectors + i * work->dim,
               work->dim * sizeof(*vectors));
    return JC_OK;
}

static void *encode_batches(void *context)
{
    struct work *work = context;
    struct jc_err err = {0};
    JC_AUTO_FREE int32_t *ids = malloc((size_t)BATCH_TEXTS * MAX_TOKENS * sizeof(*ids));
    JC_AUTO_FREE float *vectors = calloc(BATCH_TEXTS, work->dim * sizeof(*vectors));
    jc_code code = ids && vectors ? JC_OK : jc_fail(&err, JC_E_NOMEM, "no memory for a batch");
    size_t begin, n = 0;
    while (!code && (n = take_batch(work, &begin))) {
        code = encode_batch(work, begin, n, ids, vectors, &err);
        pthread_mutex_lock(&work->lock);
        work->n_done += n;
        jc_progress_update(&work->progress, work->n_done);
        pthread_mutex_unlock(&work->lock);
    }
    if (code) {
        pthread_mutex_lock(&work->lock);
        if (!work->err.code)
            work->err = err;
        pthread_mutex_unlock(&work->lock);
    }
    return NULL;
}

/* Runs the threads; where fewer start than wanted, those do all the work. */
static jc_code run_threads(struct work *work, unsigned n_threads, struct jc_err *err)
{
    JC_AUTO_FREE pthread_t *threads = calloc(n_threads, sizeof(*threads));
    unsigned n_started = 0;
    while (threads && n_started < n_threads && pthread_create(&threads[n_started], NULL, encode_batches, work) == 0)
        n_started++;
    if (n_started == 0)
        return jc_fail(err, JC_E_NOMEM, "cannot start a thread");
    for (unsigned i = 0; i < n_started; i++)
        pthread_join(threads[i], NULL);
    if (work->err.code)
        *err = work->err;
    return work->err.code;
}

jc_code jc_encode_texts(const struct jc_encoder *encoder, const struct jc_tokens *tokens, size_t n, unsigned n_threads,
                        float **ret_vectors, double *ret_seconds, struct jc_err *err)
{
    size_t dim = jc_encoder_info(encoder)->dim;
    __attribute__((cleanup(work_finish))) struct work work = {
        .encoder = encoder,
        .n_texts = n,
        .dim = dim,
        .tokens = tokens,
        .order = calloc(n, sizeof(*work.order)),
        .vectors = reallocarray(NULL, n, dim * sizeof(*work.vectors)),
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    if (!work.order || !work.vectors)
        return jc_fail(err, JC_E_NOMEM, "no memory for the vectors of %zu texts", n);
    sort_by_length(&work);
    work.progress = jc_progress_start("encode", n);
    jc_code code = run_threads(&work, n_threads, err);
    if (code)
        return code;
    *ret_seconds = jc_progress_finish(&work.progress, work.n_done);
    *ret_vectors = TAKE(work.vectors);
    return JC_OK;
}
