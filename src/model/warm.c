/* Warming a model on a GPU. See warm.h. */
#include "model/warm.h"

#include "model/classifier_impl.h"
#include "model/groups.h"

enum {
    LEAST_TOKENS = 4, /* [CLS], two that tell texts apart, [SEP] */
    TOP_N = 100,      /* what requests may ask for where nobody says otherwise */
    ANY_VOCAB = 1 << 15,
};

struct warm {
    const struct jc_classifier *classifier;
    struct jc_session *session;
};

/* A batch of texts that no two of are equal, which have so many tokens in all. */
struct texts {
    size_t n;
    int32_t *ids;
    struct jc_input *inputs, **pointers; /* [n] */
    struct jc_hit *hits;                 /* [n][TOP_N] */
};

static void texts_finish(struct texts *texts)
{
    free(texts->ids);
    free(texts->inputs);
    free(texts->pointers);
    free(texts->hits);
}

/* As many texts as a session has at once, since what scores need grows with them. */
static size_t count_texts(const struct warm *warm, size_t rows, size_t max_tokens)
{
    const size_t chunk = jc_session_chunk(warm->session), least = (rows + max_tokens - 1) / max_tokens;
    size_t n = rows / LEAST_TOKENS;
    n = n > chunk ? chunk : n;
    return n < least ? least : n;
}

static jc_code fill(struct texts *texts, const struct warm *warm, size_t rows, struct jc_err *err)
{
    const struct jc_encoder_info *info = jc_encoder_info(warm->classifier->encoder);
    const size_t most = jc_bundle_manifest(warm->classifier->bundle)->encoder.max_tokens,
                 vocab = info->vocab ? info->vocab : ANY_VOCAB, n = count_texts(warm, rows, most);
    texts->n = n;
    texts->ids = calloc(rows, sizeof *texts->ids);
    texts->inputs = calloc(n, sizeof *texts->inputs);
    texts->pointers = calloc(n, sizeof *texts->pointers);
    texts->hits = calloc(n * TOP_N, sizeof *texts->hits);
    if (!texts->ids || !texts->inputs || !texts->pointers || !texts->hits)
        return jc_fail(err, JC_E_NOMEM, "no memory for a batch of %zu tokens", rows);
    int32_t *ids = texts->ids;
    for (size_t i = 0; i < n; i++) {
        const size_t n_ids = rows / n + (i < rows % n);
        texts->inputs[i] =
            (struct jc_input){.ids = ids, .n_ids = (uint32_t)n_ids, .top_n = TOP_N, .hits = texts->hits + i * TOP_N};
        texts->pointers[i] = &texts->inputs[i];
        if (n_ids >= LEAST_TOKENS) {
            ids[1] = (int32_t)(i % vocab);
            ids[2] = (int32_t)(i / vocab % vocab);
        }
        ids += n_ids;
    }
    return JC_OK;
}

/* Once as most requests go and once as those that ask for groups do: the bucket is launched, then recorded. */
static jc_code run_bucket(const struct warm *warm, size_t rows, struct jc_err *err)
{
    JC_AUTO_FINISH(texts) struct texts texts = {0};
    struct jc_run_stats stats;
    jc_code code = fill(&texts, warm, rows, err);
    if (!code)
        code = jc_session_run(warm->session, texts.pointers, texts.n, &stats, err);
    for (size_t i = 0; i < texts.n && !code; i++)
        texts.inputs[i].level = JC_LEVEL_MAJOR;
    return code ? code : jc_session_run(warm->session, texts.pointers, texts.n, &stats, err);
}

/* The largest first: the others then fit into what it allocated. */
static jc_code run_buckets(void *context, struct jc_err *err)
{
    const struct warm *warm = context;
    const struct jc_cuda_buckets *buckets = &jc_encoder_info(warm->classifier->encoder)->buckets;
    jc_code code = JC_OK;
    for (size_t i = buckets->n; i > 0 && !code; i--)
        code = run_bucket(warm, buckets->rows[i - 1], err);
    return code;
}

jc_code jc_classifier_warm(const struct jc_classifier *classifier, struct jc_session *session, struct jc_err *err)
{
    struct warm warm = {.classifier = classifier, .session = session};
    return jc_encoder_each_lane(classifier->encoder, run_buckets, &warm, err);
}
