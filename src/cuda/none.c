/* A build without CUDA: there is no device. See cuda.h. */
#include "cuda/cuda.h"

static jc_code refuse(struct jc_err *err)
{
    return jc_fail(err, JC_E_UNSUPPORTED, "this build has no CUDA (-Dcuda=enabled)");
}

int jc_cuda_count(void)
{
    return 0;
}

jc_code jc_cuda_device_get(int index, struct jc_cuda_device *ret_device, struct jc_err *err)
{
    (void)index, (void)ret_device;
    return refuse(err);
}

const char *jc_cuda_version(void)
{
    return "none";
}

struct jc_cuda_counts jc_cuda_counts_get(void)
{
    return (struct jc_cuda_counts){0};
}

jc_code jc_cuda_encoder_create(const struct jc_bert *bert, const struct jc_tensor *tensors, size_t n_tensors,
                               bool is_wide, int device, const struct jc_cuda_buckets *buckets,
                               struct jc_cuda_encoder **ret_encoder, struct jc_err *err)
{
    (void)bert, (void)tensors, (void)n_tensors, (void)is_wide, (void)device, (void)buckets, (void)ret_encoder;
    return refuse(err);
}

void jc_cuda_encoder_destroy(struct jc_cuda_encoder *encoder)
{
    (void)encoder;
}

jc_code jc_cuda_lane_create(struct jc_cuda_encoder *encoder, struct jc_cuda_lane **ret_lane, struct jc_err *err)
{
    (void)encoder, (void)ret_lane;
    return refuse(err);
}

void jc_cuda_lane_destroy(struct jc_cuda_lane *lane)
{
    (void)lane;
}

const struct jc_cuda_buckets *jc_cuda_lane_buckets(const struct jc_cuda_lane *lane)
{
    static const struct jc_cuda_buckets none;
    (void)lane;
    return &none;
}

jc_code jc_cuda_lane_recover(struct jc_cuda_lane *lane, jc_code code, struct jc_err *err)
{
    (void)lane, (void)err;
    return code;
}

jc_code jc_cuda_lane_encode(struct jc_cuda_lane *lane, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                            float *ret_vectors, uint32_t *ret_finite, struct jc_err *err)
{
    (void)lane, (void)ids, (void)n_tokens, (void)n_texts, (void)ret_vectors, (void)ret_finite;
    return refuse(err);
}

jc_code jc_cuda_scorer_create(struct jc_cuda_encoder *encoder, const struct jc_cuda_scorer_source *source,
                              struct jc_cuda_scorer **ret_scorer, struct jc_err *err)
{
    (void)encoder, (void)source, (void)ret_scorer;
    return refuse(err);
}

void jc_cuda_scorer_destroy(struct jc_cuda_scorer *scorer)
{
    (void)scorer;
}

jc_code jc_cuda_lane_rank(struct jc_cuda_lane *lane, const struct jc_cuda_scorer *scorer, const int32_t *ids,
                          const uint32_t *n_tokens, const float *words, size_t n_texts,
                          const struct jc_cuda_ranking *ranking, struct jc_err *err)
{
    (void)lane, (void)scorer, (void)ids, (void)n_tokens, (void)words, (void)n_texts, (void)ranking;
    return refuse(err);
}
