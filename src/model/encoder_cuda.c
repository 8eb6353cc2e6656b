/*
 * The bert encoder on a GPU, in f32 or f16. A call takes one of the lanes that lie ready and puts it back; there come to
 * be as many as ever ran at once. A text whose vector halves do not hold is encoded again on the CPU in f32.
 */
#include <pthread.h>

#include "cuda/cuda.h"
#include "model/encoder_impl.h"

enum { MAX_IDLE = 64 }; /* lanes kept: one a worker */

_Static_assert(JC_EXEMPLARS_MAX_K <= JC_CUDA_MAX_HITS && JC_RANKER_MAX_HITS <= JC_CUDA_MAX_HITS, "all can be ranked");

struct cuda_encoder {
    struct jc_encoder base;
    struct jc_cuda_encoder *cuda;
    struct jc_encoder *exact; /* of the CPU; NULL in f32 */
    pthread_mutex_t mutex;    /* of what follows */
    size_t n_idle;
    struct jc_cuda_lane *idle[MAX_IDLE];
};

/* The encoder is immutable but for its lanes. */
static struct cuda_encoder *unconst(const struct jc_encoder *encoder)
{
    return (struct cuda_encoder *)(uintptr_t)encoder;
}

static jc_code take_lane(struct cuda_encoder *self, struct jc_cuda_lane **ret_lane, struct jc_err *err)
{
    struct jc_cuda_lane *lane = NULL;
    pthread_mutex_lock(&self->mutex);
    if (self->n_idle)
        lane = self->idle[--self->n_idle];
    pthread_mutex_unlock(&self->mutex);
    if (!lane)
        return jc_cuda_lane_create(self->cuda, ret_lane, err);
    *ret_lane = lane;
    return JC_OK;
}

static void put_lane(struct cuda_encoder *self, struct jc_cuda_lane *lane)
{
    pthread_mutex_lock(&self->mutex);
    if (self->n_idle < MAX_IDLE)
        self->idle[self->n_idle++] = TAKE(lane);
    pthread_mutex_unlock(&self->mutex);
    jc_cuda_lane_destroy(lane);
}

/* Those of the texts that have no vector yet. */
static jc_code encode_rest(const struct cuda_encoder *self, const int32_t *ids, const uint32_t *n_tokens,
                           size_t n_texts, const uint32_t *finite, float *vectors, struct jc_err *err)
{
    jc_code code = JC_OK;
    for (size_t i = 0; i < n_texts && !code; ids += n_tokens[i++]) {
        if (finite[i])
            continue;
        if (!self->exact)
            return jc_fail(err, JC_E_MODEL, "the encoder gave a vector that is not finite");
        code = self->exact->class->encode(self->exact, ids, n_tokens + i, 1, vectors + i * self->base.info.dim, err);
    }
    return code;
}

static jc_code encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                      float *ret_vectors, struct jc_err *err)
{
    struct cuda_encoder *self = unconst(encoder);
    struct jc_cuda_lane *lane;
    JC_AUTO_FREE uint32_t *finite = calloc(n_texts, sizeof *finite);
    if (!finite)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu texts", n_texts);
    jc_code code = take_lane(self, &lane, err);
    if (code)
        return code;
    code = jc_cuda_lane_encode(lane, ids, n_tokens, n_texts, ret_vectors, finite, err);
    put_lane(self, lane);
    return code ? code : encode_rest(self, ids, n_tokens, n_texts, finite, ret_vectors, err);
}

static jc_code keep_categories(const struct jc_encoder *encoder, const struct jc_head *head, void **ret_categories,
                               struct jc_err *err)
{
    const struct jc_exemplars *exemplars = &head->exemplars;
    const struct jc_cuda_scorer_source source = {.n_categories = head->n_categories,
                                                 .dim = head->dim,
                                                 .n_words = head->lexicon_dim,
                                                 .matrix = head->matrix,
                                                 .bias = head->bias,
                                                 .sharpness = head->sharpness,
                                                 .saturation = head->saturation,
                                                 .power = head->power,
                                                 .exemplars = {.n = exemplars->n,
                                                               .k = exemplars->k,
                                                               .vectors = exemplars->vectors,
                                                               .code_begins = exemplars->code_begins,
                                                               .codes = exemplars->codes,
                                                               .code_weights = exemplars->code_weights,
                                                               .sharpness = exemplars->sharpness,
                                                               .weight = exemplars->weight}};
    struct jc_cuda_scorer *scorer;
    jc_code code = jc_cuda_scorer_create(unconst(encoder)->cuda, &source, &scorer, err);
    if (!code)
        *ret_categories = scorer;
    return code;
}

static void drop_categories(void *categories)
{
    jc_cuda_scorer_destroy(categories);
}

static jc_code rank(const struct jc_encoder *encoder, const void *categories, const int32_t *ids,
                    const uint32_t *n_tokens, size_t n_texts, struct jc_ranking *ranking, bool *ret_is_done,
                    struct jc_err *err)
{
    struct cuda_encoder *self = unconst(encoder);
    struct jc_cuda_lane *lane;
    bool is_done = true;
    JC_AUTO_FREE struct jc_cuda_answer *answers = calloc(n_texts, sizeof *answers);
    if (!answers)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu texts", n_texts);
    jc_code code = take_lane(self, &lane, err);
    if (code)
        return code;
    const struct jc_cuda_ranking to = {.k = ranking->n_hits,
                                       .hits = ranking->hits,
                                       .answers = answers,
                                       .neighbours = ranking->vote.neighbours,
                                       .scores = ranking->has_scores ? ranking->scores : NULL};
    code = jc_cuda_lane_rank(lane, categories, ids, n_tokens, ranking->words, n_texts, &to, err);
    put_lane(self, lane);
    for (size_t i = 0; i < n_texts && !code; i++) {
        is_done &= answers[i].is_finite != 0;
        ranking->norms[i] = (struct jc_norm){
            .best = answers[i].best, .log_sum = answers[i].log_sum, .peak = answers[i].peak, .mass = answers[i].mass};
        if (ranking->vote.n_neighbours)
            ranking->vote.n_found[i] = ranking->vote.n_neighbours;
    }
    *ret_is_done = is_done;
    return code;
}

static void destroy(struct jc_encoder *encoder)
{
    struct cuda_encoder *self = (struct cuda_encoder *)encoder;
    for (size_t i = 0; i < self->n_idle; i++)
        jc_cuda_lane_destroy(self->idle[i]);
    jc_cuda_encoder_destroy(self->cuda);
    if (self->exact)
        self->exact->class->destroy(self->exact);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

static jc_code create(const struct jc_encoder_source *source, const struct jc_tensor *tensors, size_t n_tensors,
                      const struct jc_encoder_options *options, struct jc_encoder **ret_encoder, struct jc_err *err)
{
    static const struct jc_encoder_options plain = {.backend = JC_BACKEND_ONEDNN, .precision = JC_PRECISION_F32};
    struct cuda_encoder *self = calloc(1, sizeof(*self));
    if (!self)
        return jc_fail(err, JC_E_NOMEM, "no memory for the encoder");
    pthread_mutex_init(&self->mutex, NULL);
    self->base.class = &jc_encoder_cuda_class;
    jc_code code = jc_cuda_encoder_create(source->bert, tensors, n_tensors, options->precision == JC_PRECISION_F32,
                                          options->device > 0 ? options->device - 1 : 0, 0, &self->cuda, err);
    if (!code && options->precision == JC_PRECISION_F16)
        code = jc_encoder_dnn_class.create(source, tensors, n_tensors, &plain, &self->exact, err);
    if (code) {
        destroy(&self->base);
        return code;
    }
    *ret_encoder = &self->base;
    return JC_OK;
}

const struct jc_encoder_class jc_encoder_cuda_class = {.name = "cuda",
                                                       .create = create,
                                                       .encode = encode,
                                                       .destroy = destroy,
                                                       .keep_categories = keep_categories,
                                                       .drop_categories = drop_categories,
                                                       .rank = rank};
