/*
 * The encoder of src/dnn against the vectors that sentence-transformers gave for the same token ids
 * (record_vectors.py), in float32 and in 8 bits, alone and in batches of every kind.
 */
#include "batches.h"
#include "dnn/dnn.h"

static jc_code encode(const void *encoder, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                      float *ret_vectors, struct jc_err *err)
{
    JC_AUTO(jc_dnn_scratch) struct jc_dnn_scratch *scratch = NULL;
    jc_code code = jc_dnn_scratch_create(encoder, &scratch, err);
    return code ? code : jc_dnn_encoder_encode(encoder, scratch, ids, n_tokens, n_texts, ret_vectors, err);
}

static void check_float32(const struct subject *subject, const float *recorded)
{
    static float alone[N_TEXTS * DIM];
    encode_alone(subject, alone);
    check_gap(alone, recorded, 1e-5, "float32 against the recorded");
    check_batches(subject, alone, 1e-6);
}

static void check_int8(const struct subject *subject, const float *recorded)
{
    static float alone[N_TEXTS * DIM];
    double mean = 0, least = 1;
    encode_alone(subject, alone);
    for (size_t i = 0; i < N_TEXTS; i++) {
        double cosine = 0;
        for (size_t k = 0; k < DIM; k++)
            cosine += (double)alone[i * DIM + k] * recorded[i * DIM + k];
        mean += cosine / N_TEXTS;
        least = fmin(least, cosine);
    }
    fprintf(stderr, "8 bits: cosine %.5f on average, %.5f at least\n", mean, least);
    /* Found: .99981 and .99962; .99955 and .99915 with the 7-bit weights of where there is no VNNI. */
    const bool vnni = jc_dnn_has_vnni();
    check_report(mean >= (vnni ? 0.9997 : 0.9993), __FILE__, __LINE__, "the cosine is %g on average", mean);
    check_report(least >= (vnni ? 0.9993 : 0.9985), __FILE__, __LINE__, "the cosine is %g once", least);
    check_batches(subject, alone, 0);
}

/* The first of the recorded texts: titles and postings alike. */
static void calibrate(const struct jc_dnn_encoder *encoder, const struct texts *texts, float *ret_calibration)
{
    enum { N = 100 };
    static int32_t ids[N * MAX_LEN];
    struct jc_err err;
    JC_AUTO(jc_dnn_scratch) struct jc_dnn_scratch *scratch = NULL;
    REQUIRE_OK(jc_dnn_scratch_create(encoder, &scratch, &err));
    size_t used = 0;
    for (size_t i = 0; i < N; i++) {
        memcpy(ids + used, texts->ids[i], texts->n_tokens[i] * sizeof *ids);
        used += texts->n_tokens[i];
    }
    REQUIRE_OK(jc_dnn_encoder_calibrate(encoder, scratch, ids, texts->n_tokens, N, ret_calibration, &err));
}

int main(void)
{
    static struct texts texts;
    struct jc_err err;
    size_t n_tensors;
    JC_AUTO(jc_safetensors) struct jc_safetensors *weights = NULL, *recorded = NULL;
    const float *vectors = open_vectors(&weights, &recorded);
    load_texts(&texts);
    const struct jc_tensor *tensors = jc_safetensors_tensors(weights, &n_tensors);
    JC_AUTO(jc_dnn_encoder) struct jc_dnn_encoder *encoder = NULL, *small = NULL;
    JC_AUTO_FREE float *calibration = calloc(jc_bert_calibration_size(&shape), sizeof *calibration);
    REQUIRE_OK(jc_dnn_encoder_create(&shape, tensors, n_tensors, JC_PRECISION_F32, NULL, &encoder, &err));
    check_float32(&(struct subject){encoder, encode, &texts}, vectors);
    calibrate(encoder, &texts, calibration);
    REQUIRE_OK(jc_dnn_encoder_create(&shape, tensors, n_tensors, JC_PRECISION_INT8, calibration, &small, &err));
    check_int8(&(struct subject){small, encode, &texts}, vectors);
    return check_finish();
}
