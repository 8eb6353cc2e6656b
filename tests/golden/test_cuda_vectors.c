/*
 * The GPU's encoder against the vectors that sentence-transformers gave for the same token ids (record_vectors.py), in
 * float32 and in halves: its kernels run by the host (cuda_emulation.h), and where there is a GPU, by that.
 */
#include "base/own.h"
#include "cuda/cuda.h"
#include "cuda_emulation.h"
#include "vectors.h"

enum { N_USED = 150 }; /* of the texts: the host is slow at this */

static int32_t ids[N_TEXTS * MAX_LEN];

static void check_vectors(const float *vectors, const uint32_t *finite, const float *recorded, bool is_wide,
                          const char *what)
{
    double gap = 0, mean = 0, least = 1;
    for (size_t i = 0; i < N_USED; i++) {
        double cosine = 0;
        CHECK_INT(finite[i], 1);
        for (size_t k = i * DIM; k < (i + 1) * DIM; k++) {
            gap = fmax(gap, fabs((double)vectors[k] - recorded[k]));
            cosine += (double)vectors[k] * recorded[k];
        }
        mean += cosine / N_USED;
        least = fmin(least, cosine);
    }
    fprintf(stderr, "%s, %s: max |difference| %.2g, cosine %.7f on average, %.7f at least\n", what,
            is_wide ? "float32" : "halves", gap, mean, least);
    CHECK(gap <= (is_wide ? 1e-5 : 2e-3));
    CHECK(least >= (is_wide ? 0.999999 : 0.9999));
}

static void check_device(const struct jc_tensor *tensors, size_t n_tensors, const struct texts *texts, bool is_wide,
                         const float *recorded)
{
    static float vectors[N_TEXTS * DIM];
    uint32_t finite[N_TEXTS];
    struct jc_err err;
    JC_AUTO(jc_cuda_encoder) struct jc_cuda_encoder *encoder = NULL;
    JC_AUTO(jc_cuda_lane) struct jc_cuda_lane *lane = NULL;
    REQUIRE_OK(jc_cuda_encoder_create(&shape, tensors, n_tensors, is_wide, 0, NULL, &encoder, &err));
    REQUIRE_OK(jc_cuda_lane_create(encoder, &lane, &err));
    for (size_t turn = 0; turn < 3; turn++) { /* queued, recorded, replayed */
        REQUIRE_OK(jc_cuda_lane_encode(lane, ids, texts->n_tokens, N_USED, vectors, finite, &err));
        check_vectors(vectors, finite, recorded, is_wide, "GPU");
    }
}

int main(void)
{
    static struct texts texts;
    static float vectors[N_TEXTS * DIM];
    uint32_t finite[N_TEXTS];
    size_t n_tensors;
    JC_AUTO(jc_safetensors) struct jc_safetensors *weights = NULL, *file = NULL;
    const float *recorded = open_vectors(&weights, &file);
    const struct jc_tensor *tensors = jc_safetensors_tensors(weights, &n_tensors);
    load_texts(&texts);
    for (size_t i = 0, n = 0; i < N_TEXTS; n += texts.n_tokens[i++])
        memcpy(ids + n, texts.ids[i], texts.n_tokens[i] * sizeof *ids);
    for (int wide = 0; wide <= 1; wide++) {
        struct emulation emulation;
        emulation_init(&emulation, &shape, tensors, n_tensors, wide, 2048);
        emulation_encode(&emulation, ids, texts.n_tokens, N_USED, vectors, finite);
        check_vectors(vectors, finite, recorded, wide, "emulated");
        emulation_finish(&emulation);
        if (jc_cuda_count() > 0)
            check_device(tensors, n_tensors, &texts, wide, recorded);
        else
            fprintf(stderr, "no GPU: not run on one\n");
    }
    return check_finish();
}
