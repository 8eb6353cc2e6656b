/*
 * The GPU's side of the forward pass run by the host: the kernels' own headers, block after block, and the products by
 * CBLAS from the same halves into float32 sums. What it shows is the kernels' arithmetic and the plan; not that a device
 * runs them so.
 */
#ifndef JC_TESTS_CUDA_EMULATION_H
#define JC_TESTS_CUDA_EMULATION_H

#include "check.h"
#include "cuda/attend_block.h"
#include "cuda/forward.h"
#include "linalg/linalg.h"

/* An encoder and memory for `rows` rows. */
struct emulation {
    struct jc_cuda_weights weights;
    struct jc_cuda_buffers buffers;
    size_t rows;
    void *image, *activations, *block;
};

static inline void *emulation_allocate(size_t n)
{
    void *memory = aligned_alloc(256, (n + 255) / 256 * 256);
    REQUIRE(memory != NULL);
    memset(memory, 0xff, n); /* NaN: nothing may depend on what no one wrote */
    return memory;
}

static inline unsigned emulation_own(const struct jc_bert *bert)
{
    return (unsigned)(bert->hidden + 2 * JC_WARP - 1) / (2 * JC_WARP);
}

static inline char *emulation_row(void *base, size_t i, size_t n, int wide)
{
    return (char *)base + i * n * JC_STORED_SIZE(wide);
}

static inline jc_code emulate_embed(void *self, const struct jc_cuda_weights *weights,
                                    const struct jc_cuda_buffers *buffers, struct jc_err *err)
{
    const size_t n = weights->bert.hidden;
    const int32_t *ids = jc_cuda_batch_ids(buffers->batch);
    const struct jc_piece *pieces = jc_cuda_batch_pieces(buffers->batch);
    (void)self, (void)err;
    for (size_t i = 0; i < buffers->batch->n_pieces; i++)
        for (size_t t = pieces[i].first_query; t < pieces[i].n_tokens && t < pieces[i].first_query + JC_ATTEND_QUERIES;
             t++) {
            const size_t row = pieces[i].row + t;
            jc_row_embed(emulation_row(weights->words, (size_t)ids[row], n, weights->wide),
                         emulation_row(weights->positions, t, n, weights->wide), &weights->norm, (unsigned)n,
                         emulation_own(&weights->bert), weights->wide,
                         emulation_row(buffers->x, row, n, weights->wide));
        }
    return JC_OK;
}

static inline float *emulation_floats(const void *from, size_t n, int wide)
{
    float *floats = malloc(n * sizeof *floats);
    REQUIRE(floats != NULL);
    for (size_t i = 0; i < n; i++)
        floats[i] = jc_load(from, i, wide);
    return floats;
}

static inline jc_code emulate_multiply(void *self, const struct jc_cuda_product *product, struct jc_err *err)
{
    const struct emulation *emulation = self;
    const int wide = emulation->weights.wide;
    const size_t rows = emulation->buffers.batch->n_rows, n_in = product->shape.n_in, n_out = product->shape.n_out;
    JC_AUTO_FREE float *a = emulation_floats(product->a, rows * n_in, wide);
    JC_AUTO_FREE float *matrix = emulation_floats(product->matrix, n_out * n_in, wide);
    JC_AUTO_FREE float *c = malloc(rows * n_out * sizeof *c);
    (void)err;
    REQUIRE(c != NULL);
    jc_gemm_scores(a, rows, matrix, n_out, n_in, c);
    for (size_t i = 0; i < rows * n_out; i++)
        jc_store(product->c, i, c[i], wide);
    return JC_OK;
}

static inline jc_code emulate_attend(void *self, const struct jc_cuda_weights *weights,
                                     const struct jc_cuda_layer *layer, const struct jc_cuda_buffers *buffers,
                                     struct jc_err *err)
{
    const struct jc_bert *bert = &weights->bert;
    float memory[JC_ATTEND_SHARED(JC_ATTEND_MAX_DIM)];
    (void)self, (void)err;
    memset(memory, 0xff, sizeof memory);
    for (size_t i = 0; i < buffers->batch->n_pieces; i++)
        for (unsigned h = 0; h < bert->heads; h++) {
            const struct jc_attend_head head = {.qkv = buffers->qkv,
                                                .bias = layer->biases[JC_CUDA_QKV],
                                                .context = buffers->context,
                                                .hidden = (unsigned)bert->hidden,
                                                .dim = (unsigned)(bert->hidden / bert->heads),
                                                .head = h,
                                                .piece = jc_cuda_batch_pieces(buffers->batch)[i]};
            jc_attend_block(memory, &head, weights->wide);
        }
    return JC_OK;
}

static inline jc_code emulate_add(void *self, const struct jc_cuda_weights *weights,
                                  const struct jc_cuda_residual *residual, const struct jc_cuda_buffers *buffers,
                                  struct jc_err *err)
{
    const size_t n = weights->bert.hidden;
    (void)self, (void)err;
    for (size_t i = 0; i < buffers->batch->n_rows; i++)
        jc_row_residual(emulation_row(buffers->sums, i, n, weights->wide), residual->bias, residual->norm, (unsigned)n,
                        emulation_own(&weights->bert), weights->wide, emulation_row(buffers->x, i, n, weights->wide));
    return JC_OK;
}

static inline jc_code emulate_gelu(void *self, const struct jc_cuda_weights *weights, const float *bias,
                                   const struct jc_cuda_buffers *buffers, struct jc_err *err)
{
    const size_t n = weights->bert.intermediate;
    (void)self, (void)err;
    for (size_t i = 0; i < buffers->batch->n_rows; i++)
        for (size_t k = 0; k < n; k += 2)
            jc_row_gelu_pair(emulation_row(buffers->inner, i, n, weights->wide), bias, k, weights->wide);
    return JC_OK;
}

static inline jc_code emulate_pool(void *self, const struct jc_cuda_weights *weights,
                                   const struct jc_cuda_buffers *buffers, struct jc_err *err)
{
    const size_t n = weights->bert.hidden;
    const struct jc_piece *pieces = jc_cuda_batch_pieces(buffers->batch);
    (void)self, (void)err;
    for (size_t i = 0; i < buffers->batch->n_pieces; i++)
        if (pieces[i].first_query == 0)
            buffers->finite[pieces[i].text] = (uint32_t)jc_row_pool(
                emulation_row(buffers->x, pieces[i].row, n, weights->wide),
                weights->bert.pooling == JC_POOLING_MEAN ? pieces[i].n_tokens : 1, (unsigned)n,
                emulation_own(&weights->bert), weights->wide, buffers->vectors + pieces[i].text * n);
    return JC_OK;
}

static inline void emulation_init(struct emulation *emulation, const struct jc_bert *bert,
                                  const struct jc_tensor *tensors, size_t n_tensors, int wide, size_t rows)
{
    struct jc_err err;
    REQUIRE_OK(jc_cuda_weights_check(bert, &err));
    emulation->rows = rows;
    emulation->image = emulation_allocate(jc_cuda_weights_size(bert, wide));
    jc_cuda_weights_place(&emulation->weights, bert, wide, emulation->image);
    REQUIRE_OK(jc_cuda_weights_fill(&emulation->weights, tensors, n_tensors, &err));
    emulation->activations = emulation_allocate(jc_cuda_buffers_size(bert, wide, rows));
    jc_cuda_buffers_place(&emulation->buffers, bert, wide, rows, emulation->activations);
    emulation->block = emulation_allocate(jc_cuda_batch_size(rows));
    emulation->buffers.batch = emulation->block;
}

static inline void emulation_finish(struct emulation *emulation)
{
    free(emulation->image);
    free(emulation->activations);
    free(emulation->block);
}

/* ret_vectors [n_texts][hidden], ret_finite [n_texts]. */
static inline void emulation_encode(struct emulation *emulation, const int32_t *ids, const uint32_t *n_tokens,
                                    size_t n_texts, float *ret_vectors, uint32_t *ret_finite)
{
    const struct jc_cuda_runner runner = {.self = emulation,
                                          .embed = emulate_embed,
                                          .multiply = emulate_multiply,
                                          .attend = emulate_attend,
                                          .add = emulate_add,
                                          .gelu = emulate_gelu,
                                          .pool = emulate_pool};
    struct jc_err err;
    for (size_t n; n_texts; n_texts -= n) {
        size_t size;
        n = jc_cuda_batch_pack(ids, n_tokens, n_texts, emulation->rows, emulation->block, &size);
        REQUIRE(n > 0 && size <= jc_cuda_batch_size(emulation->rows));
        emulation->buffers.vectors = ret_vectors;
        emulation->buffers.finite = ret_finite;
        REQUIRE_OK(jc_cuda_forward(&runner, &emulation->weights, &emulation->buffers, &err));
        ids += emulation->buffers.batch->n_rows;
        n_tokens += n;
        ret_vectors += n * emulation->weights.bert.hidden;
        ret_finite += n;
    }
}

#endif
