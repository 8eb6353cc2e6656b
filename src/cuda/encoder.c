/* An encoder's weights on the device. See cuda.h. */
#include "cuda/encoder_impl.h"
#include "cuda/status.h"

/* The host's image of the weights goes to the device in one copy, and away. */
static jc_code upload(struct jc_cuda_encoder *encoder, const struct jc_bert *bert, const struct jc_tensor *tensors,
                      size_t n_tensors, int wide, struct jc_err *err)
{
    const size_t n = jc_cuda_weights_size(bert, wide);
    JC_AUTO_FREE void *image = aligned_alloc(256, n);
    if (!image)
        return jc_fail(err, JC_E_NOMEM, "no memory for the encoder's %zu bytes", n);
    memset(image, 0, n); /* what lies between the parts is copied, too */
    jc_cuda_weights_place(&encoder->weights, bert, wide, image);
    jc_code code;
    if ((code = jc_cuda_weights_fill(&encoder->weights, tensors, n_tensors, err)) ||
        (code = jc_cuda_buffer_create(JC_CUDA_DEVICE, n, &encoder->image, err)))
        return code;
    void *to = jc_cuda_buffer_data(encoder->image);
    jc_cuda_weights_place(&encoder->weights, bert, wide, to);
    return jc_cuda_check(cudaMemcpy(to, image, n, cudaMemcpyHostToDevice), "cudaMemcpy", err);
}

/* The first launch must not be a client's, and a checkpoint that gives no numbers in float32 is none; halves that
 * overflow are found text by text. */
static jc_code warm_up(struct jc_cuda_encoder *encoder, struct jc_err *err)
{
    const int32_t ids[2] = {0, 0};
    const uint32_t n_tokens = 2;
    uint32_t finite;
    JC_AUTO(jc_cuda_lane) struct jc_cuda_lane *lane = NULL;
    JC_AUTO_FREE float *vector = calloc(encoder->weights.bert.hidden, sizeof *vector);
    if (!vector)
        return jc_fail(err, JC_E_NOMEM, "no memory for a vector");
    jc_code code = jc_cuda_lane_create(encoder, &lane, err);
    if (!code)
        code = jc_cuda_lane_encode(lane, ids, &n_tokens, 1, vector, &finite, err);
    if (!code && !finite && encoder->weights.wide)
        return jc_fail(err, JC_E_MODEL, "the encoder gave a vector that is not finite");
    return code;
}

jc_code jc_cuda_encoder_create(const struct jc_bert *bert, const struct jc_tensor *tensors, size_t n_tensors,
                               bool is_wide, int device, const struct jc_cuda_buckets *buckets,
                               struct jc_cuda_encoder **ret_encoder, struct jc_err *err)
{
    int n_processors = 0;
    JC_AUTO(jc_cuda_encoder) struct jc_cuda_encoder *encoder = calloc(1, sizeof(*encoder));
    if (!encoder)
        return jc_fail(err, JC_E_NOMEM, "no memory for an encoder");
    jc_code code;
    if ((code = jc_cuda_weights_check(bert, err)) ||
        (code = jc_cuda_buckets_settle(buckets, bert->max_tokens, &encoder->buckets, err)) ||
        (code = jc_cuda_device_get(device, &encoder->device, err)) ||
        (code = jc_cuda_check(cudaDeviceGetAttribute(&n_processors, cudaDevAttrMultiProcessorCount, device),
                              "cudaDeviceGetAttribute", err)))
        return code;
    encoder->n_processors = (unsigned)n_processors;
    if ((code = upload(encoder, bert, tensors, n_tensors, is_wide, err)) || (code = warm_up(encoder, err)))
        return code == JC_E_NOMEM ? code : jc_wrap(err, "GPU %d", device); /* which that says itself */
    *ret_encoder = TAKE(encoder);
    return JC_OK;
}

void jc_cuda_encoder_destroy(struct jc_cuda_encoder *encoder)
{
    if (!encoder)
        return;
    jc_cuda_buffer_destroy(encoder->image);
    free(encoder);
}
