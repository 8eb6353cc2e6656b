/*
 * The TorchScript encoder against BERT written out in plain C and double precision: small random encoders of both
 * poolings, every refusal, and what must not change a vector (the batch, the thread, the module made twice).
 */
#include <pthread.h>

#include "check.h"
#include "encoder_cases.h"
#include "torch/torch.h"

struct work {
    const struct jc_torch_module *module;
    const struct texts *texts;
    const float *want;
    size_t hidden;
    double gap;
};

static void *encode_again(void *context)
{
    struct work *work = context;
    struct jc_err err;
    float vectors[N_TEXTS * MAX_HIDDEN];
    for (int i = 0; i < 5; i++) {
        if (jc_torch_module_encode(work->module, work->texts->ids, work->texts->n_tokens, N_TEXTS, vectors, &err)) {
            work->gap = INFINITY;
            return NULL;
        }
        work->gap = fmax(work->gap, measure_gap(vectors, work->want, N_TEXTS * work->hidden));
    }
    return NULL;
}

static void check_threads(const struct jc_torch_module *module, const struct texts *texts, const float *want,
                          size_t hidden)
{
    struct work works[3];
    pthread_t threads[3];
    for (size_t i = 0; i < JC_COUNT(works); i++) {
        works[i] = (struct work){.module = module, .texts = texts, .want = want, .hidden = hidden};
        REQUIRE(pthread_create(&threads[i], NULL, encode_again, &works[i]) == 0);
    }
    for (size_t i = 0; i < JC_COUNT(works); i++) {
        pthread_join(threads[i], NULL);
        CHECK(works[i].gap <= 1e-6);
    }
}

static void check_inputs(const struct jc_torch_module *module, const struct jc_bert *bert)
{
    struct jc_err err;
    float vectors[2 * MAX_HIDDEN];
    int32_t ids[MAX_LEN + 2] = {0};
    uint32_t n_tokens[2] = {1, 0};
    CHECK(jc_torch_module_encode(module, ids, n_tokens, 0, vectors, &err) == JC_OK);
    CHECK_FAILS(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "text 1 has 0 tokens");
    n_tokens[1] = (uint32_t)bert->max_tokens + 1;
    CHECK_FAILS(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "text 1 has");
    n_tokens[1] = UINT32_MAX;
    CHECK_FAILS(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "text 1 has");
    n_tokens[1] = 2;
    ids[2] = (int32_t)bert->vocab;
    CHECK_FAILS(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "token id");
    ids[2] = -1;
    CHECK_FAILS(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err), JC_E_INVALID, "token id -1");
    ids[2] = (int32_t)bert->vocab - 1;
    CHECK(jc_torch_module_encode(module, ids, n_tokens, 2, vectors, &err) == JC_OK);
}

/* The module copies what it is made from: the tensors are overwritten before it is used. */
static struct jc_torch_module *make_module(const struct checkpoint *c)
{
    struct jc_err err;
    struct jc_torch_module *module = NULL;
    struct jc_tensor tensors[MAX_TENSORS];
    memcpy(tensors, c->tensors, sizeof tensors);
    for (size_t i = 0; i < c->n_tensors; i++) {
        void *copy = malloc(tensors[i].n_bytes);
        REQUIRE(copy);
        tensors[i].data = memcpy(copy, tensors[i].data, tensors[i].n_bytes);
    }
    REQUIRE_OK(jc_torch_module_create(&c->bert, tensors, c->n_tensors, &module, &err));
    for (size_t i = 0; i < c->n_tensors; i++) {
        memset((void *)(uintptr_t)tensors[i].data, 0x5a, tensors[i].n_bytes);
        free((void *)(uintptr_t)tensors[i].data);
    }
    return module;
}

static void check_encoder(struct checkpoint *c)
{
    struct jc_err err;
    struct jc_torch_module *module = make_module(c), *again = make_module(c);
    const size_t hidden = c->bert.hidden;
    static struct texts texts;
    static float vectors[N_TEXTS * MAX_HIDDEN], others[N_TEXTS * MAX_HIDDEN];
    fill_texts(&texts, &c->bert, 11);
    REQUIRE_OK(jc_torch_module_encode(module, texts.ids, texts.n_tokens, N_TEXTS, vectors, &err));
    double gap = 0;
    for (size_t i = 0; i < N_TEXTS; i++) {
        double want[MAX_HIDDEN];
        float alone[MAX_HIDDEN];
        ref_encode(c, texts.ids + texts.starts[i], texts.n_tokens[i], want);
        for (size_t k = 0; k < hidden; k++)
            gap = fmax(gap, fabs(vectors[i * hidden + k] - want[k]));
        REQUIRE_OK(jc_torch_module_encode(module, texts.ids + texts.starts[i], texts.n_tokens + i, 1, alone, &err));
        CHECK(measure_gap(alone, vectors + i * hidden, hidden) <= 1e-6);
    }
    check_report(gap <= 1e-5, __FILE__, __LINE__, "pooling %d: %g from the reference", (int)c->bert.pooling, gap);
    REQUIRE_OK(jc_torch_module_encode(again, texts.ids, texts.n_tokens, N_TEXTS, others, &err));
    CHECK(memcmp(others, vectors, N_TEXTS * hidden * sizeof *vectors) == 0);
    jc_torch_module_destroy(again);
    check_threads(module, &texts, vectors, hidden);
    check_inputs(module, &c->bert);
    jc_torch_module_destroy(module);
}

static void check_refused(const struct checkpoint *c, const struct jc_bert *bert, jc_code want, const char *text)
{
    struct jc_err err;
    struct jc_torch_module *module = NULL;
    CHECK_FAILS(jc_torch_module_create(bert, c->tensors, c->n_tensors, &module, &err), want, text);
    CHECK(module == NULL);
}

int main(void)
{
    jc_torch_init();

    struct checkpoint cls = {.bert = cls_bert, .prefix = "", .rng = jc_rng_seeded(1)};
    struct checkpoint mean = {.bert = mean_bert, .prefix = "bert.", .rng = jc_rng_seeded(2)};
    fill_checkpoint(&cls);
    fill_checkpoint(&mean);
    check_refusals(&cls, JC_E_MODEL, check_refused);
    check_encoder(&cls);
    check_encoder(&mean);
    finish_checkpoint(&cls);
    finish_checkpoint(&mean);
    return check_finish();
}
