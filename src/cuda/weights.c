/* Laying out and filling an encoder's parameters. See weights.h. */
#include "cuda/weights.h"

#include <stdio.h>

#include "cuda/attend_block.h"
#include "cuda/place.h"
#include "dnn/checkpoint.h"

struct jc_cuda_shape jc_cuda_weights_shape(const struct jc_bert *bert, enum jc_cuda_linear linear)
{
    const size_t hidden = bert->hidden, wide = bert->intermediate;
    const struct jc_cuda_shape shapes[] = {[JC_CUDA_QKV] = {3 * hidden, hidden},
                                           [JC_CUDA_OUT] = {hidden, hidden},
                                           [JC_CUDA_UP] = {wide, hidden},
                                           [JC_CUDA_DOWN] = {hidden, wide}};
    return shapes[linear];
}

jc_code jc_cuda_weights_check(const struct jc_bert *bert, struct jc_err *err)
{
    jc_code code = jc_bert_check(bert, err);
    if (code)
        return code;
    const size_t dim = bert->hidden / bert->heads;
    if (bert->hidden > JC_ROW_MAX || bert->hidden % 8 || bert->intermediate % 8)
        return jc_fail(err, JC_E_UNSUPPORTED,
                       "hidden %zu and intermediate %zu: on a GPU both are multiples of 8, hidden at most %d",
                       bert->hidden, bert->intermediate, JC_ROW_MAX);
    if (dim > JC_ATTEND_MAX_DIM || dim % 2)
        return jc_fail(err, JC_E_UNSUPPORTED, "heads of %zu dimensions: on a GPU they are even and at most %u", dim,
                       JC_ATTEND_MAX_DIM);
    if (bert->layers > JC_CUDA_MAX_LAYERS || bert->max_tokens > UINT16_MAX)
        return jc_fail(err, JC_E_UNSUPPORTED, "%zu layers, %zu tokens: on a GPU at most %d, %d", bert->layers,
                       bert->max_tokens, JC_CUDA_MAX_LAYERS, UINT16_MAX);
    return JC_OK;
}

static void place_norm(struct jc_row_norm *norm, const struct jc_bert *bert, uintptr_t *at)
{
    norm->weight = (const float *)jc_cuda_place(at, bert->hidden * sizeof(float));
    norm->bias = (const float *)jc_cuda_place(at, bert->hidden * sizeof(float));
    norm->eps = (float)bert->layer_norm_eps;
}

static size_t place(struct jc_cuda_weights *weights, const struct jc_bert *bert, int wide, uintptr_t base)
{
    const size_t size = JC_STORED_SIZE(wide);
    uintptr_t at = base;
    weights->bert = *bert;
    weights->wide = wide;
    weights->words = (void *)jc_cuda_place(&at, bert->vocab * bert->hidden * size);
    weights->positions = (void *)jc_cuda_place(&at, bert->positions * bert->hidden * size);
    place_norm(&weights->norm, bert, &at);
    for (size_t l = 0; l < bert->layers; l++) {
        struct jc_cuda_layer *layer = &weights->layers[l];
        for (enum jc_cuda_linear i = 0; i < JC_CUDA_LINEARS; i++) {
            const struct jc_cuda_shape shape = jc_cuda_weights_shape(bert, i);
            layer->matrices[i] = (void *)jc_cuda_place(&at, shape.n_out * shape.n_in * size);
            layer->biases[i] = (float *)jc_cuda_place(&at, shape.n_out * sizeof(float));
        }
        for (size_t i = 0; i < JC_COUNT(layer->norms); i++)
            place_norm(&layer->norms[i], bert, &at);
    }
    return at - base;
}

size_t jc_cuda_weights_size(const struct jc_bert *bert, int wide)
{
    struct jc_cuda_weights weights;
    return place(&weights, bert, wide, 0);
}

void jc_cuda_weights_place(struct jc_cuda_weights *weights, const struct jc_bert *bert, int wide, void *base)
{
    place(weights, bert, wide, (uintptr_t)base);
}

/* What is being read. */
struct reader {
    const struct jc_cuda_weights *weights;
    struct jc_dnn_tensors tensors;
    const char *prefix;
};

static jc_code get(const struct reader *reader, const char *name, const char *part, size_t rows, size_t columns,
                   const float **ret_data, struct jc_err *err)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", name, part);
    return jc_dnn_tensors_get(&reader->tensors, reader->prefix, full, rows, columns, ret_data, err);
}

static jc_code store(const struct reader *reader, const char *name, const float *from, size_t n, void *to,
                     struct jc_err *err)
{
    for (size_t i = 0; i < n; i++) {
        jc_store(to, i, from[i], reader->weights->wide);
        if (!isfinite(jc_load(to, i, reader->weights->wide)))
            return jc_fail(err, JC_E_MODEL, "tensor '%s%s' has %g, which f16 does not hold", reader->prefix, name,
                           (double)from[i]);
    }
    return JC_OK;
}

static jc_code read_norm(const struct reader *reader, const char *name, const struct jc_row_norm *norm,
                         struct jc_err *err)
{
    const size_t hidden = reader->weights->bert.hidden;
    const float *weight, *bias;
    jc_code code;
    if ((code = get(reader, name, "weight", hidden, 0, &weight, err)) ||
        (code = get(reader, name, "bias", hidden, 0, &bias, err)))
        return code;
    memcpy((float *)(uintptr_t)norm->weight, weight, hidden * sizeof *weight);
    memcpy((float *)(uintptr_t)norm->bias, bias, hidden * sizeof *bias);
    return JC_OK;
}

/* Rows [first_row, first_row + n_out) of a layer's matrix, and of its bias. */
static jc_code read_linear(const struct reader *reader, const char *name, size_t n_out, size_t n_in, size_t first_row,
                           void *matrix, float *bias, struct jc_err *err)
{
    const float *weights, *own;
    jc_code code;
    if ((code = get(reader, name, "weight", n_out, n_in, &weights, err)) ||
        (code = get(reader, name, "bias", n_out, 0, &own, err)))
        return code;
    memcpy(bias + first_row, own, n_out * sizeof *own);
    return store(reader, name, weights, n_out * n_in,
                 (char *)matrix + first_row * n_in * JC_STORED_SIZE(reader->weights->wide), err);
}

static jc_code read_layer(struct reader *reader, size_t index, struct jc_err *err)
{
    static const struct {
        const char *name;
        enum jc_cuda_linear to;
        size_t part; /* of three, for one of query, key and value */
    } linears[] = {{"attention.self.query", JC_CUDA_QKV, 0}, {"attention.self.key", JC_CUDA_QKV, 1},
                   {"attention.self.value", JC_CUDA_QKV, 2}, {"attention.output.dense", JC_CUDA_OUT, 0},
                   {"intermediate.dense", JC_CUDA_UP, 0},    {"output.dense", JC_CUDA_DOWN, 0}};
    const struct jc_bert *bert = &reader->weights->bert;
    const struct jc_cuda_layer *layer = &reader->weights->layers[index];
    char prefix[48];
    snprintf(prefix, sizeof prefix, "encoder.layer.%zu.", index);
    reader->prefix = prefix;
    jc_code code = read_norm(reader, "attention.output.LayerNorm", &layer->norms[0], err);
    if (!code)
        code = read_norm(reader, "output.LayerNorm", &layer->norms[1], err);
    for (size_t i = 0; i < JC_COUNT(linears) && !code; i++) {
        const struct jc_cuda_shape shape = jc_cuda_weights_shape(bert, linears[i].to);
        const size_t n_out = linears[i].to == JC_CUDA_QKV ? bert->hidden : shape.n_out;
        code = read_linear(reader, linears[i].name, n_out, shape.n_in, linears[i].part * n_out,
                           layer->matrices[linears[i].to], layer->biases[linears[i].to], err);
    }
    return code;
}

static jc_code read_embeddings(struct reader *reader, struct jc_err *err)
{
    const struct jc_cuda_weights *weights = reader->weights;
    const struct jc_bert *bert = &weights->bert;
    const float *words, *positions, *types;
    jc_code code;
    reader->prefix = "embeddings.";
    if ((code = get(reader, "word_embeddings", "weight", bert->vocab, bert->hidden, &words, err)) ||
        (code = get(reader, "position_embeddings", "weight", bert->positions, bert->hidden, &positions, err)) ||
        (code = get(reader, "token_type_embeddings", "weight", bert->types, bert->hidden, &types, err)) ||
        (code = store(reader, "word_embeddings.weight", words, bert->vocab * bert->hidden, weights->words, err)))
        return code;
    /* Every token is of type 0: its vector is part of the position's. */
    for (size_t i = 0; i < bert->positions * bert->hidden; i++)
        jc_store(weights->positions, i, positions[i] + types[i % bert->hidden], weights->wide);
    return read_norm(reader, "LayerNorm", &weights->norm, err);
}

jc_code jc_cuda_weights_fill(const struct jc_cuda_weights *weights, const struct jc_tensor *tensors, size_t n_tensors,
                             struct jc_err *err)
{
    struct reader reader = {.weights = weights, .tensors = {.tensors = tensors, .n_tensors = n_tensors}};
    jc_code code = read_embeddings(&reader, err);
    for (size_t l = 0; l < weights->bert.layers && !code; l++)
        code = read_layer(&reader, l, err);
    return code;
}
