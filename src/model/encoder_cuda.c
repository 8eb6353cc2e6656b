/*
 * The bert encoder on a GPU, in f32 or f16. A call takes a lane of the pool (lanes.h) and gives it back. A text whose
 * vector halves do not hold is encoded again on the CPU in f32.
 */
#include "cuda/cuda.h"
#include "model/encoder_impl.h"
#include "model/lanes.h"
#include "model/scorer_source.h"

_Static_assert(JC_EXEMPLARS_MAX_K <= JC_CUDA_MAX_HITS && JC_RANKER_MAX_HITS <= JC_CUDA_MAX_HITS, "all can be ranked");

struct cuda_encoder {
    struct jc_encoder base;
    struct jc_cuda_encoder *cuda;
    struct jc_encoder *exact; /* of the CPU; NULL in f32 */
    struct jc_lanes *lanes;   /* all of it that changes */
};

static const struct cuda_encoder *self_of(const struct jc_encoder *encoder)
{
    return (const struct cuda_encoder *)encoder;
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
    const struct cuda_encoder *self = self_of(encoder);
    struct jc_lane *lane;
    jc_code code = jc_lanes_take(self->lanes, n_texts, &lane, err);
    if (code)
        return code;
    do
        code = jc_cuda_lane_encode(lane->cuda, ids, n_tokens, n_texts, ret_vectors, lane->finite, err);
    while (code && !(code = jc_cuda_lane_recover(lane->cuda, code, err)));
    const bool is_good = !code;
    if (is_good)
        code = encode_rest(self, ids, n_tokens, n_texts, lane->finite, ret_vectors, err);
    jc_lanes_give(self->lanes, lane, is_good);
    return code;
}

static jc_code keep_categories(const struct jc_encoder *encoder, const struct jc_head *head, void **ret_categories,
                               struct jc_err *err)
{
    const struct jc_cuda_scorer_source source = jc_scorer_source(head);
    struct jc_cuda_scorer *scorer;
    jc_code code = jc_cuda_scorer_create(self_of(encoder)->cuda, &source, &scorer, err);
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
    const struct cuda_encoder *self = self_of(encoder);
    struct jc_lane *lane;
    bool is_done = true;
    jc_code code = jc_lanes_take(self->lanes, n_texts, &lane, err);
    if (code)
        return code;
    const struct jc_cuda_ranking to = {.k = ranking->n_hits,
                                       .hits = ranking->hits,
                                       .answers = lane->answers,
                                       .neighbours = ranking->vote.neighbours,
                                       .scores = ranking->has_scores ? ranking->scores : NULL};
    do
        code = jc_cuda_lane_rank(lane->cuda, categories, ids, n_tokens, ranking->words, n_texts, &to, err);
    while (code && !(code = jc_cuda_lane_recover(lane->cuda, code, err)));
    for (size_t i = 0; i < n_texts && !code; i++) {
        const struct jc_cuda_answer *answer = &lane->answers[i];
        is_done &= answer->is_finite != 0;
        ranking->norms[i] = (struct jc_norm){
            .best = answer->best, .log_sum = answer->log_sum, .peak = answer->peak, .mass = answer->mass};
        if (ranking->vote.n_neighbours)
            ranking->vote.n_found[i] = ranking->vote.n_neighbours;
    }
    jc_lanes_give(self->lanes, lane, !code);
    *ret_is_done = is_done;
    return code;
}

static void destroy(struct jc_encoder *encoder)
{
    struct cuda_encoder *self = (struct cuda_encoder *)encoder;
    jc_lanes_destroy(self->lanes);
    jc_cuda_encoder_destroy(self->cuda);
    if (self->exact)
        self->exact->class->destroy(self->exact);
    free(self);
}

static jc_code create(const struct jc_encoder_source *source, const struct jc_tensor *tensors, size_t n_tensors,
                      const struct jc_encoder_options *options, struct jc_encoder **ret_encoder, struct jc_err *err)
{
    static const struct jc_encoder_options plain = {.backend = JC_BACKEND_ONEDNN, .precision = JC_PRECISION_F32};
    struct cuda_encoder *self = calloc(1, sizeof(*self));
    if (!self)
        return jc_fail(err, JC_E_NOMEM, "no memory for the encoder");
    self->base.class = &jc_encoder_cuda_class;
    jc_code code = jc_cuda_encoder_create(source->bert, tensors, n_tensors, options->precision == JC_PRECISION_F32,
                                          options->device - 1, &options->buckets, &self->cuda, err);
    if (!code)
        code = jc_lanes_create(self->cuda, options->n_callers, &self->lanes, err);
    if (!code && options->precision == JC_PRECISION_F16)
        code = jc_encoder_dnn_class.create(source, tensors, n_tensors, &plain, &self->exact, err);
    if (code) {
        destroy(&self->base);
        return code;
    }
    self->base.info.buckets = jc_lanes_buckets(self->lanes);
    *ret_encoder = &self->base;
    return JC_OK;
}

static jc_code each_lane(struct jc_encoder *encoder, jc_code (*run)(void *context, struct jc_err *err), void *context,
                         struct jc_err *err)
{
    struct jc_lanes *lanes = self_of(encoder)->lanes;
    jc_code code = jc_lanes_each(lanes, run, context, err);
    encoder->info.buckets = jc_lanes_buckets(lanes); /* what ran may have cost some */
    return code;
}

const struct jc_encoder_class jc_encoder_cuda_class = {.name = "cuda",
                                                       .create = create,
                                                       .encode = encode,
                                                       .destroy = destroy,
                                                       .keep_categories = keep_categories,
                                                       .drop_categories = drop_categories,
                                                       .rank = rank,
                                                       .each_lane = each_lane};
