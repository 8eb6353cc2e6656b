/* Sort by length (equal lengths need no padding), then threads take batches. */
#include "trainer/vectors/encode_batches.h"

#include <pthread.h>
#include <string.h>

#include "model/chunks.h"
#include "trainer/progress.h"
#include "trainer/vectors/interrupt.h"

enum {
    BATCH_CHUNKS = 64, /* the throughput of a batch of titles is flat from 32 on; most texts are one chunk */
    BATCH_TOKENS = 8192,
};

/* The work on them that the threads share. */
struct work {
    const struct jc_encode_batches *batches;
    size_t dim, max_tokens, max_chunks; /* of a batch */

    pthread_mutex_t lock; /* guards what follows, and the cache */
    size_t n_taken, n_done;
    struct jc_progress progress;
    struct jc_err err; /* the first failure; it stops all */
};

/* A thread's memory. */
struct batch {
    const uint32_t *texts;
    size_t n_texts;
    int32_t *ids;               /* [max_tokens] */
    uint32_t *n_tokens;         /* [max_chunks] */
    float *vectors;             /* [max_chunks][dim] */
    struct jc_vector_key *keys; /* [max_chunks] */
};

static void batch_finish(struct batch *batch)
{
    free(batch->ids);
    free(batch->n_tokens);
    free(batch->vectors);
    free(batch->keys);
}

static size_t count_tokens(const struct jc_encode_batches *batches, size_t text)
{
    return batches->tokens->offsets[text + 1] - batches->tokens->offsets[text];
}

static size_t count_chunks(const struct jc_encode_batches *batches, size_t text)
{
    size_t n_ids;
    const int32_t *ids = jc_tokens_get(batches->tokens, text, &n_ids);
    return jc_chunks_count(ids, n_ids);
}

/* A batch is one text at least, however long. */
static void find_limits(struct work *work)
{
    const struct jc_encode_batches *batches = work->batches;
    work->max_tokens = BATCH_TOKENS;
    work->max_chunks = BATCH_CHUNKS;
    for (size_t i = 0; i < batches->n_texts; i++) {
        size_t n_tokens = count_tokens(batches, batches->texts[i]), n_chunks = count_chunks(batches, batches->texts[i]);
        work->max_tokens = n_tokens > work->max_tokens ? n_tokens : work->max_tokens;
        work->max_chunks = n_chunks > work->max_chunks ? n_chunks : work->max_chunks;
    }
}

/* A counting sort by length: the longest first, so that the last batches are short ones; stable, so the same texts give
 * the same batches. */
static jc_code sort_by_length(const struct work *work, struct jc_err *err)
{
    const struct jc_encode_batches *batches = work->batches;
    size_t n = batches->n_texts, longest = work->max_tokens;
    JC_AUTO_FREE size_t *starts = calloc(longest + 2, sizeof(*starts));
    JC_AUTO_FREE uint32_t *sorted = calloc(n, sizeof(*sorted));
    if (!starts || !sorted)
        return jc_fail(err, JC_E_NOMEM, "no memory to sort %zu texts", n);
    for (size_t i = 0; i < n; i++)
        starts[longest - count_tokens(batches, batches->texts[i]) + 1]++;
    for (size_t i = 1; i < longest + 2; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < n; i++)
        sorted[starts[longest - count_tokens(batches, batches->texts[i])]++] = batches->texts[i];
    memcpy(batches->texts, sorted, n * sizeof(*sorted));
    return JC_OK;
}

/* False at the end, after a failure, and when the user has had enough. */
static bool take_batch(struct work *work, struct batch *batch)
{
    const struct jc_encode_batches *batches = work->batches;
    if (jc_interrupt_asked())
        return false;
    size_t n = 0, n_tokens = 0, n_chunks = 0;
    pthread_mutex_lock(&work->lock);
    batch->texts = batches->texts + work->n_taken;
    while (!work->err.code && work->n_taken + n < batches->n_texts) {
        n_tokens += count_tokens(batches, batch->texts[n]);
        n_chunks += count_chunks(batches, batch->texts[n]);
        if (n && (n_tokens > BATCH_TOKENS || n_chunks > BATCH_CHUNKS))
            break;
        n++;
    }
    work->n_taken += n;
    pthread_mutex_unlock(&work->lock);
    batch->n_texts = n;
    return n > 0;
}

static jc_code encode_batch(const struct work *work, struct batch *batch, struct jc_err *err)
{
    const struct jc_encode_batches *batches = work->batches;
    size_t n_ids = 0, n_chunks = 0, dim = work->dim;
    for (size_t i = 0; i < batch->n_texts; i++) {
        size_t n_text;
        const int32_t *text = jc_tokens_get(batches->tokens, batch->texts[i], &n_text);
        memcpy(batch->ids + n_ids, text, n_text * sizeof(*text));
        n_chunks += jc_chunks_split(text, n_text, batch->n_tokens + n_chunks);
        n_ids += n_text;
        batch->keys[i] = batches->keys[batch->texts[i]];
    }
    jc_code code = jc_encoder_encode(batches->encoder, batch->ids, batch->n_tokens, n_chunks, batch->vectors, err);
    if (code)
        return code;
    const float *chunks = batch->vectors;
    for (size_t i = 0; i < batch->n_texts; i++) {
        size_t n = count_chunks(batches, batch->texts[i]);
        jc_chunks_reduce(chunks, n, dim, batch->vectors + i * dim); /* in place: never ahead of `chunks` */
        chunks += n * dim;
    }
    return JC_OK;
}

static jc_code keep_batch(struct work *work, const struct batch *batch, struct jc_err *err)
{
    pthread_mutex_lock(&work->lock);
    jc_code code = jc_vector_cache_append(work->batches->cache, batch->keys, batch->vectors, batch->n_texts, err);
    work->n_done += batch->n_texts;
    jc_progress_update(&work->progress, work->n_done);
    pthread_mutex_unlock(&work->lock);
    return code;
}

static void *encode_some(void *context)
{
    struct work *work = context;
    struct jc_err err = {0};
    __attribute__((cleanup(batch_finish))) struct batch batch = {
        .ids = calloc(work->max_tokens, sizeof(*batch.ids)),
        .n_tokens = calloc(work->max_chunks, sizeof(*batch.n_tokens)),
        .vectors = calloc(work->max_chunks, work->dim * sizeof(*batch.vectors)),
        .keys = calloc(work->max_chunks, sizeof(*batch.keys)),
    };
    jc_code code = batch.ids && batch.n_tokens && batch.vectors && batch.keys
                       ? JC_OK
                       : jc_fail(&err, JC_E_NOMEM, "no memory for a batch");
    while (!code && take_batch(work, &batch)) {
        code = encode_batch(work, &batch, &err);
        if (!code)
            code = keep_batch(work, &batch, &err);
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
static jc_code run_threads(struct work *work, struct jc_err *err)
{
    unsigned n_threads = work->batches->n_threads, n_started = 0;
    JC_AUTO_FREE pthread_t *threads = calloc(n_threads, sizeof(*threads));
    while (threads && n_started < n_threads && pthread_create(&threads[n_started], NULL, encode_some, work) == 0)
        n_started++;
    if (n_started == 0)
        return jc_fail(err, JC_E_NOMEM, "cannot start a thread");
    for (unsigned i = 0; i < n_started; i++)
        pthread_join(threads[i], NULL);
    if (work->err.code)
        *err = work->err;
    return work->err.code;
}

jc_code jc_encode_batches_run(const struct jc_encode_batches *batches, struct jc_err *err)
{
    struct work work = {
        .batches = batches, .dim = jc_encoder_info(batches->encoder)->dim, .lock = PTHREAD_MUTEX_INITIALIZER};
    find_limits(&work);
    jc_code code = sort_by_length(&work, err);
    if (code || (code = jc_vector_cache_reserve(batches->cache, batches->n_texts, err)))
        return code;
    work.progress = jc_progress_start("encode", batches->n_texts);
    code = run_threads(&work, err);
    jc_progress_finish(&work.progress, work.n_done);
    pthread_mutex_destroy(&work.lock);
    return code;
}
