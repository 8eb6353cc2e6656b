/*
 * The GPU's forward pass, emulated, against BERT in double: in float32 to the sixth digit, in halves as near as halves
 * come; whatever the batch, the pieces and the bucket. And what it says of what is not finite.
 */
#include "base/own.h"
#include "cuda_berts.h"
#include "cuda_emulation.h"

static void check_encoder(const struct jc_bert *bert, int wide, double most)
{
    static float vectors[N_TEXTS * MAX_HIDDEN], again[N_TEXTS * MAX_HIDDEN];
    static struct texts texts;
    uint32_t finite[N_TEXTS];
    struct checkpoint c = {.bert = *bert, .prefix = "", .rng = jc_rng_seeded(11)};
    struct emulation emulation;
    fill_checkpoint(&c);
    fill_texts(&texts, bert, 5);
    emulation_init(&emulation, bert, c.tensors, c.n_tensors, wide, 512);
    emulation_encode(&emulation, texts.ids, texts.n_tokens, N_TEXTS, vectors, finite);
    for (size_t i = 0; i < N_TEXTS; i++)
        CHECK_INT(finite[i], 1);
    const double gap = measure_reference_gap(&c, &texts, vectors);
    fprintf(stderr, "hidden %zu: max |difference| %.2g of %.2g\n", bert->hidden, gap, most);
    check_report(gap <= most, __FILE__, __LINE__, "%g is over %g", gap, most);

    /* One at a time: nothing but the product's own sums may differ. */
    for (size_t i = 0; i < N_TEXTS; i++)
        emulation_encode(&emulation, texts.ids + texts.starts[i], texts.n_tokens + i, 1, again + i * bert->hidden,
                         finite + i);
    CHECK(measure_gap(vectors, again, N_TEXTS * bert->hidden) <= (wide ? 2e-6 : most));
    emulation_finish(&emulation);
    finish_checkpoint(&c);
}

/* Of a batch, the text with a word that overflows says so, and it alone. */
static void check_not_finite(int wide)
{
    const struct jc_bert bert = {.hidden = 64,
                                 .layers = 2,
                                 .heads = 2,
                                 .intermediate = 128,
                                 .vocab = 50,
                                 .positions = 40,
                                 .types = 2,
                                 .layer_norm_eps = 1e-12,
                                 .pooling = JC_POOLING_MEAN,
                                 .max_tokens = 40};
    const int32_t ids[] = {1, 2, 3, 4, 5, 49, 6, 7};
    const uint32_t n_tokens[] = {3, 3, 2};
    float vectors[3 * 64];
    uint32_t finite[3];
    struct checkpoint c = {.bert = bert, .prefix = "bert.", .rng = jc_rng_seeded(2)};
    struct emulation emulation;
    fill_checkpoint(&c);
    emulation_init(&emulation, &bert, c.tensors, c.n_tensors, wide, 64);
    for (size_t k = 0; k < bert.hidden; k++)
        jc_store(emulation.weights.words, 49 * bert.hidden + k, k % 2 ? INFINITY : -INFINITY, wide);
    emulation_encode(&emulation, ids, n_tokens, 3, vectors, finite);
    CHECK_INT(finite[0], 1);
    CHECK_INT(finite[1], 0);
    CHECK_INT(finite[2], 1);
    emulation_finish(&emulation);
    finish_checkpoint(&c);
}

static void check_refusals(void)
{
    struct jc_err err;
    struct jc_bert bert = {.hidden = 384,
                           .layers = 6,
                           .heads = 12,
                           .intermediate = 1536,
                           .vocab = 9,
                           .positions = 512,
                           .types = 2,
                           .layer_norm_eps = 1e-12,
                           .max_tokens = 256};
    CHECK(jc_cuda_weights_check(&bert, &err) == JC_OK);
    bert.heads = 4;
    CHECK_FAILS(jc_cuda_weights_check(&bert, &err), JC_E_UNSUPPORTED, "heads of 96 dimensions");
    bert.hidden = 2048, bert.heads = 32;
    CHECK_FAILS(jc_cuda_weights_check(&bert, &err), JC_E_UNSUPPORTED, "hidden 2048");
    bert.hidden = 100, bert.heads = 10;
    CHECK_FAILS(jc_cuda_weights_check(&bert, &err), JC_E_UNSUPPORTED, "multiples of 8");
    bert.hidden = 0;
    CHECK_FAILS(jc_cuda_weights_check(&bert, &err), JC_E_FORMAT, "");
}

int main(void)
{
    static const struct jc_bert odd = {.hidden = 136,
                                       .layers = 3,
                                       .heads = 4,
                                       .intermediate = 72,
                                       .vocab = 90,
                                       .positions = MAX_LEN,
                                       .types = 2,
                                       .layer_norm_eps = 1e-12,
                                       .pooling = JC_POOLING_MEAN,
                                       .max_tokens = MAX_LEN};
    static const struct jc_bert *const berts[] = {&mean_bert, &cls_bert, &odd};
    for (size_t i = 0; i < JC_COUNT(berts); i++) {
        check_encoder(berts[i], 1, 3e-6);
        check_encoder(berts[i], 0, 6e-3);
    }
    check_not_finite(0);
    check_not_finite(1);
    check_refusals();
    return check_finish();
}
