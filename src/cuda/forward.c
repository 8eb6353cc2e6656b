/* The forward pass's order. See forward.h. */
#include "cuda/forward.h"

#include "cuda/place.h"

static size_t place(struct jc_cuda_buffers *buffers, const struct jc_bert *bert, int wide, size_t rows, uintptr_t base)
{
    const size_t row = bert->hidden * JC_STORED_SIZE(wide), inner = bert->intermediate * JC_STORED_SIZE(wide);
    const struct {
        void **to;
        size_t n_bytes;
    } parts[] = {{&buffers->x, rows * row},
                 {&buffers->qkv, rows * 3 * row},
                 {&buffers->context, rows * row},
                 {&buffers->sums, rows * row},
                 {&buffers->inner, rows * inner}};
    uintptr_t at = base;
    for (size_t i = 0; i < JC_COUNT(parts); i++)
        *parts[i].to = (void *)jc_cuda_place(&at, parts[i].n_bytes);
    return at - base;
}

size_t jc_cuda_buffers_size(const struct jc_bert *bert, int wide, size_t rows)
{
    struct jc_cuda_buffers buffers;
    return place(&buffers, bert, wide, rows, 0);
}

void jc_cuda_buffers_place(struct jc_cuda_buffers *buffers, const struct jc_bert *bert, int wide, size_t rows,
                           void *base)
{
    place(buffers, bert, wide, rows, (uintptr_t)base);
}

/* c = a . matrix^T of one of a layer's linear layers */
static jc_code multiply(const struct jc_cuda_runner *runner, const struct jc_cuda_weights *weights,
                        const struct jc_cuda_layer *layer, enum jc_cuda_linear linear, const void *a, void *c,
                        struct jc_err *err)
{
    const struct jc_cuda_product product = {
        .matrix = layer->matrices[linear], .shape = jc_cuda_weights_shape(&weights->bert, linear), .a = a, .c = c};
    return runner->multiply(runner->self, &product, err);
}

static jc_code run_layer(const struct jc_cuda_runner *runner, const struct jc_cuda_weights *weights,
                         const struct jc_cuda_layer *layer, const struct jc_cuda_buffers *b, struct jc_err *err)
{
    const struct jc_cuda_residual attention = {layer->biases[JC_CUDA_OUT], &layer->norms[0]},
                                  feed = {layer->biases[JC_CUDA_DOWN], &layer->norms[1]};
    jc_code code;
    if ((code = multiply(runner, weights, layer, JC_CUDA_QKV, b->x, b->qkv, err)) ||
        (code = runner->attend(runner->self, weights, layer, b, err)) ||
        (code = multiply(runner, weights, layer, JC_CUDA_OUT, b->context, b->sums, err)) ||
        (code = runner->add(runner->self, weights, &attention, b, err)) ||
        (code = multiply(runner, weights, layer, JC_CUDA_UP, b->x, b->inner, err)) ||
        (code = runner->gelu(runner->self, weights, layer->biases[JC_CUDA_UP], b, err)) ||
        (code = multiply(runner, weights, layer, JC_CUDA_DOWN, b->inner, b->sums, err)))
        return code;
    return runner->add(runner->self, weights, &feed, b, err);
}

jc_code jc_cuda_forward(const struct jc_cuda_runner *runner, const struct jc_cuda_weights *weights,
                        const struct jc_cuda_buffers *buffers, struct jc_err *err)
{
    jc_code code = runner->embed(runner->self, weights, buffers, err);
    for (size_t l = 0; l < weights->bert.layers && !code; l++)
        code = run_layer(runner, weights, &weights->layers[l], buffers, err);
    return code ? code : runner->pool(runner->self, weights, buffers, err);
}
