/*
 * The encoder made from the published weights against the vectors that sentence-transformers gave for the same token
 * ids (record_vectors.py), alone and in batches of every kind.
 */
#include "batches.h"
#include "torch/torch.h"

static jc_code encode(const void *module, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                      float *ret_vectors, struct jc_err *err)
{
    return jc_torch_module_encode(module, ids, n_tokens, n_texts, ret_vectors, err);
}

static void check_vectors(const struct jc_torch_module *module, const float *recorded)
{
    static struct texts texts;
    static float alone[N_TEXTS * DIM];
    const struct subject subject = {module, encode, &texts};
    load_texts(&texts);
    encode_alone(&subject, alone);
    check_gap(alone, recorded, 1e-5, "alone against the recorded");
    check_batches(&subject, alone, 1e-6);
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
    struct jc_err err;
    size_t n_tensors;
    JC_AUTO(jc_safetensors) struct jc_safetensors *weights = NULL, *recorded = NULL;
    const float *vectors = open_vectors(&weights, &recorded);
    const struct jc_tensor *tensors = jc_safetensors_tensors(weights, &n_tensors);
    jc_torch_init();
    check_refusals(weights);
    struct jc_torch_module *module = NULL;
    REQUIRE_OK(jc_torch_module_create(&shape, tensors, n_tensors, &module, &err));
    check_vectors(module, vectors);
    jc_torch_module_destroy(module);
    return check_finish();
}
