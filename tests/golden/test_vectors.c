/*
 * The encoder made from the published weights against the vectors that sentence-transformers gave for the same token
 * ids (record_vectors.py), alone and in batches of every kind.
 */
#include "artifact/safetensors.h"
#include "base/rng.h"
#include "torch/torch.h"
#include "vectors.h"

/* Encodes the texts order[0..n) in one call; rows go to their texts' places. */
static void encode_batch(const struct jc_torch_module *module, const struct texts *texts, const size_t *order, size_t n,
                         float *vectors)
{
    static int32_t ids[N_TEXTS * MAX_LEN];
    static uint32_t n_tokens[N_TEXTS];
    static float rows[N_TEXTS * DIM];
    struct jc_err err;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        n_tokens[i] = texts->n_tokens[order[i]];
        memcpy(ids + used, texts->ids[order[i]], n_tokens[i] * sizeof(int32_t));
        used += n_tokens[i];
    }
    REQUIRE_OK(jc_torch_module_encode(module, ids, n_tokens, n, rows, &err));
    for (size_t i = 0; i < n; i++)
        memcpy(vectors + order[i] * DIM, rows + i * DIM, DIM * sizeof(float));
}

/* Largest difference between what batches of `size` give and `want`. */
static double measure(const struct jc_torch_module *module, const struct texts *texts, const size_t *order, size_t size,
                      const float *want, float *ret_vectors)
{
    for (size_t i = 0; i < N_TEXTS; i += size)
        encode_batch(module, texts, order + i, N_TEXTS - i < size ? N_TEXTS - i : size, ret_vectors);
    double gap = 0;
    for (size_t i = 0; i < (size_t)N_TEXTS * DIM; i++)
        gap = fmax(gap, fabs((double)ret_vectors[i] - want[i]));
    return gap;
}

static void check_gap(double gap, double most, const char *what)
{
    fprintf(stderr, "%s: max |difference| %.2g\n", what, gap);
    check_report(gap <= most, __FILE__, __LINE__, "%s: %g is over %g", what, gap, most);
}

static void check_vectors(const struct jc_torch_module *module, const float *recorded)
{
    static struct texts texts;
    static float alone[N_TEXTS * DIM], batched[N_TEXTS * DIM];
    static const size_t sizes[] = {7, 32, N_TEXTS};
    load_texts(&texts);
    size_t order[N_TEXTS];
    for (size_t i = 0; i < N_TEXTS; i++)
        order[i] = i;
    check_gap(measure(module, &texts, order, 1, recorded, alone), 1e-5, "alone against the recorded");
    for (size_t i = 0; i < JC_COUNT(sizes); i++) {
        char what[64];
        snprintf(what, sizeof what, "in batches of %zu against alone", sizes[i]);
        check_gap(measure(module, &texts, order, sizes[i], alone, batched), 1e-6, what);
    }
    struct jc_rng rng = jc_rng_seeded(3);
    for (size_t i = N_TEXTS - 1; i > 0; i--) {
        size_t j = jc_rng_next(&rng) % (i + 1), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
    check_gap(measure(module, &texts, order, 32, alone, batched), 1e-6, "shuffled, in batches of 32, against alone");
}

/* The published weights with one tensor gone, or of another shape. */
static void check_refusals(const struct jc_safetensors *weights)
{
    struct jc_err err;
    struct jc_torch_module *module = NULL;
    size_t n;
    const struct jc_tensor *tensors = jc_safetensors_tensors(weights, &n);
    JC_AUTO_FREE struct jc_tensor *changed = calloc(n, sizeof *changed);
    REQUIRE(changed != NULL && n > 0);
    memcpy(changed, tensors, n * sizeof *changed);
    size_t i = 0;
    while (i < n && strcmp(changed[i].name, "encoder.layer.3.output.dense.weight") != 0)
        i++;
    REQUIRE(i < n);
    changed[i].name = "encoder.layer.3.output.dense.other";
    CHECK_FAILS(jc_torch_module_create(&shape, changed, n, &module, &err), JC_E_FORMAT,
                "'encoder.layer.3.output.dense.weight' is missing");
    changed[i] = tensors[i];
    changed[i].shape[0] = 1536;
    changed[i].shape[1] = 384;
    CHECK_FAILS(jc_torch_module_create(&shape, changed, n, &module, &err), JC_E_FORMAT,
                "'encoder.layer.3.output.dense.weight' is [1536, 384], not [384, 1536]");
    CHECK(module == NULL);
}

int main(void)
{
    if (strcmp(jc_torch_version(), "none") == 0)
        check_skip("built without libtorch");
    char weights_path[PATH_MAX], vectors_path[PATH_MAX];
    find_input("JOBCODE_WEIGHTS", "model.safetensors", weights_path);
    find_recorded("vectors.safetensors", vectors_path);
    jc_torch_init();

    struct jc_err err;
    JC_AUTO(jc_safetensors) struct jc_safetensors *weights = NULL, *recorded = NULL;
    REQUIRE_OK(jc_safetensors_open(weights_path, &weights, &err));
    REQUIRE_OK(jc_safetensors_open(vectors_path, &recorded, &err));
    const float *vectors = NULL;
    REQUIRE_OK(jc_safetensors_get_f32(recorded, "vectors", 2, (size_t[]){N_TEXTS, DIM}, &vectors, &err));

    check_refusals(weights);
    size_t n_tensors;
    const struct jc_tensor *tensors = jc_safetensors_tensors(weights, &n_tensors);
    struct jc_torch_module *module = NULL;
    REQUIRE_OK(jc_torch_module_create(&shape, tensors, n_tensors, &module, &err));
    check_vectors(module, vectors);
    jc_torch_module_destroy(module);
    return check_finish();
}
