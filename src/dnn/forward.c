/* The forward pass. See dnn.h. */
#include <string.h>

#include "dnn/encoder_impl.h"
#include "linalg/linalg.h"

/* Texts go through the layers in blocks of about so many tokens: more are no faster, and activations leave the
 * cache. */
enum { BLOCK_TOKENS = 256 };

struct jc_dnn_scratch {
    struct jc_dnn_queue *queue;
    void *memory;     /* what the next point into */
    float *x;         /* [rows][hidden]: the residual stream */
    float *qkv;       /* [rows][3][hidden] */
    float *context;   /* [rows][hidden] */
    float *sums;      /* [chunk][hidden]: of OUT and DOWN */
    float *wide;      /* [chunk][intermediate] */
    float *attention; /* jc_dnn_attend_scratch */
    /* In 8 bits alone: */
    float *turned;  /* [the widest input] */
    int32_t *low;   /* [chunk][the widest output]: of a second product */
    uint8_t *bytes; /* [chunk][the widest input] */
    struct jc_dnn_quantum quanta[JC_DNN_CHUNK];
};

/* What a call works on. */
struct pass {
    const struct jc_dnn_encoder *encoder;
    struct jc_dnn_scratch *scratch;
    const int32_t *ids;
    const uint32_t *n_tokens; /* [n_texts] */
    size_t n_texts, n_rows;   /* of the block: texts, and tokens of all */
    size_t layer;             /* at work */
    float *vectors;           /* [n_texts][hidden]: the block's */
    double *sums;             /* of a calibration: [2][its channels], values and squares; or NULL */
};

static size_t count_rows(const struct jc_bert *bert)
{
    size_t most = bert->max_tokens > BLOCK_TOKENS ? bert->max_tokens : BLOCK_TOKENS;
    return most + JC_DNN_CHUNK; /* a product may write rows behind its last */
}

static size_t round_up(size_t n)
{
    return (n + 63) / 64 * 64;
}

/* Where the parts lie behind `memory`; returns how many bytes they take. With NULL it only counts. */
static size_t lay_out(const struct jc_dnn_encoder *encoder, void *memory, struct jc_dnn_scratch *scratch)
{
    const struct jc_bert *bert = &encoder->bert;
    const size_t hidden = bert->hidden, wide = bert->intermediate, rows = count_rows(bert),
                 widest_in = hidden > wide ? hidden : wide, widest_out = 3 * hidden > wide ? 3 * hidden : wide,
                 n_int8 = encoder->precision == JC_PRECISION_INT8 ? JC_DNN_CHUNK : 0;
    const struct {
        float **to;
        size_t n;
    } parts[] = {{&scratch->x, rows * hidden},
                 {&scratch->qkv, rows * 3 * hidden},
                 {&scratch->context, rows * hidden},
                 {&scratch->sums, JC_DNN_CHUNK * hidden},
                 {&scratch->wide, JC_DNN_CHUNK * wide},
                 {&scratch->attention, jc_dnn_attend_scratch(bert->max_tokens, hidden / bert->heads)},
                 {&scratch->turned, n_int8 ? widest_in : 0}};
    char *base = memory;
    size_t n = 0;
    for (size_t i = 0; i < JC_COUNT(parts); i++) {
        if (base)
            *parts[i].to = (float *)(void *)(base + n);
        n += round_up((parts[i].n + JC_DNN_SLACK) * sizeof(float));
    }
    if (base) {
        scratch->low = (int32_t *)(void *)(base + n);
        scratch->bytes = (uint8_t *)scratch->low + round_up(n_int8 * widest_out * sizeof(int32_t));
    }
    return n + round_up(n_int8 * widest_out * sizeof(int32_t)) + round_up(n_int8 * widest_in);
}

jc_code jc_dnn_scratch_create(const struct jc_dnn_encoder *encoder, struct jc_dnn_scratch **ret_scratch,
                              struct jc_err *err)
{
    JC_AUTO(jc_dnn_scratch) struct jc_dnn_scratch *scratch = calloc(1, sizeof(*scratch));
    if (!scratch)
        return jc_fail(err, JC_E_NOMEM, "no memory for an encoder's scratch");
    const size_t n = lay_out(encoder, NULL, scratch);
    scratch->memory = aligned_alloc(64, n);
    if (!scratch->memory)
        return jc_fail(err, JC_E_NOMEM, "no memory for an encoder's scratch");
    memset(scratch->memory, 0, n);
    lay_out(encoder, scratch->memory, scratch);
    jc_code code = jc_dnn_queue_create(encoder->gemms, &scratch->queue, err);
    if (code)
        return code;
    *ret_scratch = TAKE(scratch);
    return JC_OK;
}

void jc_dnn_scratch_destroy(struct jc_dnn_scratch *scratch)
{
    if (!scratch)
        return;
    jc_dnn_queue_destroy(scratch->queue);
    free(scratch->memory);
    free(scratch);
}

/* A calibration lists the channels by layer, then QKV, OUT, UP, DOWN. In double: float32 sums of millions of rows
 * stand still. */
static void measure(const struct pass *pass, const struct jc_dnn_linear *linear, const float *rows, size_t n_rows)
{
    const struct jc_dnn_encoder *encoder = pass->encoder;
    const size_t n = jc_bert_calibration_size(&encoder->bert) / 2, n_in = encoder->shapes[linear->gemm].n_in;
    double *sums = pass->sums + pass->layer * (n / encoder->bert.layers);
    for (size_t place = 0; place < linear->gemm; place++)
        sums += encoder->shapes[place].n_in;
    for (size_t i = 0; i < n_rows; i++) {
        for (size_t k = 0; k < n_in; k++) {
            const double x = (double)rows[i * n_in + k];
            sums[k] += x;
            sums[n + k] += x * x;
        }
    }
}

/* sums += the product with the weights' low parts, where they have some. */
static jc_code add_low(struct jc_dnn_scratch *scratch, const struct jc_dnn_linear *linear, size_t n_rows, size_t n_out,
                       float *sums, struct jc_err *err)
{
    int32_t *whole = (int32_t *)(void *)sums;
    jc_code code =
        jc_dnn_queue_run(scratch->queue, linear->gemm, linear->low, scratch->bytes, n_rows, scratch->low, err);
    for (size_t i = 0; i < n_rows * n_out && !code; i++)
        whole[i] = whole[i] * JC_DNN_FINE + scratch->low[i];
    return code;
}

/* The product of a linear layer, without its bias: quantises the rows first where the layer is of 8 bits. */
static jc_code multiply(const struct pass *pass, const struct jc_dnn_linear *linear, const float *rows, size_t n_rows,
                        float *ret_sums, struct jc_err *err)
{
    struct jc_dnn_scratch *scratch = pass->scratch;
    const size_t n_in = pass->encoder->shapes[linear->gemm].n_in;
    const void *input = rows;
    if (pass->sums)
        measure(pass, linear, rows, n_rows);
    if (linear->columns.scales) {
        for (size_t i = 0; i < n_rows; i++)
            pass->encoder->kernels->quantize(rows + i * n_in, &linear->channels, n_in, scratch->turned,
                                             scratch->bytes + i * n_in, &scratch->quanta[i]);
        input = scratch->bytes;
    }
    jc_code code = jc_dnn_queue_run(scratch->queue, linear->gemm, linear->matrix, input, n_rows, ret_sums, err);
    if (!code && linear->low)
        code = add_low(scratch, linear, n_rows, pass->encoder->shapes[linear->gemm].n_out, ret_sums, err);
    return code;
}

static jc_code run_qkv(const struct pass *pass, const struct jc_dnn_layer *layer, size_t first, size_t n,
                       struct jc_err *err)
{
    struct jc_dnn_scratch *scratch = pass->scratch;
    const struct jc_dnn_linear *linear = &layer->linears[QKV];
    const size_t hidden = pass->encoder->bert.hidden;
    float *qkv = scratch->qkv + first * 3 * hidden;
    jc_code code = multiply(pass, linear, scratch->x + first * hidden, n, qkv, err);
    for (size_t i = 0; i < n && !code; i++)
        pass->encoder->kernels->finish(qkv + i * 3 * hidden, &linear->columns, &scratch->quanta[i], 3 * hidden);
    return code;
}

static void run_attention(const struct pass *pass)
{
    const struct jc_bert *bert = &pass->encoder->bert;
    const struct jc_dnn_scratch *scratch = pass->scratch;
    size_t row = 0;
    for (size_t i = 0; i < pass->n_texts; i++) {
        pass->encoder->kernels->attend(scratch->qkv + row * 3 * bert->hidden, pass->n_tokens[i], bert->heads,
                                       bert->hidden / bert->heads, scratch->attention,
                                       scratch->context + row * bert->hidden);
        row += pass->n_tokens[i];
    }
}

/* x = norm(x + linear(rows)), of n rows from x. */
static jc_code run_residual(const struct pass *pass, const struct jc_dnn_linear *linear, const struct jc_dnn_norm *norm,
                            const float *rows, size_t n, float *x, struct jc_err *err)
{
    struct jc_dnn_scratch *scratch = pass->scratch;
    const size_t hidden = pass->encoder->bert.hidden;
    jc_code code = multiply(pass, linear, rows, n, scratch->sums, err);
    for (size_t i = 0; i < n && !code; i++)
        pass->encoder->kernels->finish_norm(scratch->sums + i * hidden, &linear->columns, &scratch->quanta[i], norm,
                                            hidden, x + i * hidden);
    return code;
}

/* All of a layer behind attention, for rows that stay in the cache. */
static jc_code run_rest(const struct pass *pass, const struct jc_dnn_layer *layer, size_t first, size_t n,
                        struct jc_err *err)
{
    struct jc_dnn_scratch *scratch = pass->scratch;
    const struct jc_dnn_linear *up = &layer->linears[UP];
    const size_t hidden = pass->encoder->bert.hidden, wide = pass->encoder->bert.intermediate;
    float *x = scratch->x + first * hidden;
    jc_code code;
    if ((code =
             run_residual(pass, &layer->linears[OUT], &layer->norm1, scratch->context + first * hidden, n, x, err)) ||
        (code = multiply(pass, up, x, n, scratch->wide, err)))
        return code;
    for (size_t i = 0; i < n; i++)
        pass->encoder->kernels->finish_gelu(scratch->wide + i * wide, &up->columns, &scratch->quanta[i], wide);
    return run_residual(pass, &layer->linears[DOWN], &layer->norm2, scratch->wide, n, x, err);
}

static void embed(const struct pass *pass)
{
    const struct jc_dnn_encoder *encoder = pass->encoder;
    const size_t hidden = encoder->bert.hidden;
    size_t row = 0;
    for (size_t i = 0; i < pass->n_texts; i++)
        for (size_t t = 0; t < pass->n_tokens[i]; t++, row++)
            encoder->kernels->embed(encoder->words + (size_t)pass->ids[row] * hidden, encoder->positions + t * hidden,
                                    &encoder->norm, hidden, pass->scratch->x + row * hidden);
}

static void pool(const struct pass *pass)
{
    const size_t hidden = pass->encoder->bert.hidden;
    const float *x = pass->scratch->x;
    for (size_t i = 0; i < pass->n_texts; i++) {
        float *vector = pass->vectors + i * hidden;
        memcpy(vector, x, hidden * sizeof *x);
        for (size_t t = 1; pass->encoder->bert.pooling == JC_POOLING_MEAN && t < pass->n_tokens[i]; t++)
            jc_vec_add(vector, 1, x + t * hidden, hidden);
        jc_vec_normalize(vector, hidden); /* the mean is the sum in this */
        x += pass->n_tokens[i] * hidden;
    }
}

static jc_code run_block(struct pass *pass, struct jc_err *err)
{
    const struct jc_dnn_encoder *encoder = pass->encoder;
    /* Chunks of about equal size, none a rest of a few rows. */
    const size_t n_chunks = (pass->n_rows + JC_DNN_CHUNK - 1) / JC_DNN_CHUNK,
                 chunk = jc_dnn_gemms_rows((pass->n_rows + n_chunks - 1) / n_chunks);
    jc_code code = JC_OK;
    embed(pass);
    for (size_t l = 0; l < encoder->bert.layers; l++) {
        const struct jc_dnn_layer *layer = &encoder->layers[l];
        pass->layer = l;
        for (size_t first = 0; first < pass->n_rows && !code; first += chunk)
            code = run_qkv(pass, layer, first, pass->n_rows - first < chunk ? pass->n_rows - first : chunk, err);
        if (code)
            return code;
        run_attention(pass);
        for (size_t first = 0; first < pass->n_rows && !code; first += chunk)
            code = run_rest(pass, layer, first, pass->n_rows - first < chunk ? pass->n_rows - first : chunk, err);
        if (code)
            return code;
    }
    pool(pass);
    if (!jc_vec_is_finite(pass->vectors, pass->n_texts * encoder->bert.hidden))
        return jc_fail(err, JC_E_MODEL, "the encoder gave a vector that is not finite");
    return JC_OK;
}

/* Block by block. */
static jc_code run(struct pass pass, size_t n_texts, struct jc_err *err)
{
    const struct jc_bert *bert = &pass.encoder->bert;
    jc_code code = jc_bert_check_texts(bert, pass.ids, pass.n_tokens, n_texts, err);
    if (code)
        return code;
    jc_dnn_single_thread();
    for (size_t first = 0; first < n_texts && !code; first += pass.n_texts) {
        pass.n_rows = pass.n_texts = 0;
        do {
            pass.n_rows += pass.n_tokens[pass.n_texts++];
        } while (first + pass.n_texts < n_texts && pass.n_rows + pass.n_tokens[pass.n_texts] <= BLOCK_TOKENS);
        code = run_block(&pass, err);
        if (!pass.sums) /* of which the vectors are not wanted */
            pass.vectors += pass.n_texts * bert->hidden;
        pass.ids += pass.n_rows;
        pass.n_tokens += pass.n_texts;
    }
    return code;
}

jc_code jc_dnn_encoder_encode(const struct jc_dnn_encoder *encoder, struct jc_dnn_scratch *scratch, const int32_t *ids,
                              const uint32_t *n_tokens, size_t n_texts, float *ret_vectors, struct jc_err *err)
{
    const struct pass pass = {
        .encoder = encoder, .scratch = scratch, .ids = ids, .n_tokens = n_tokens, .vectors = ret_vectors};
    return run(pass, n_texts, err);
}

jc_code jc_dnn_encoder_calibrate(const struct jc_dnn_encoder *encoder, struct jc_dnn_scratch *scratch,
                                 const int32_t *ids, const uint32_t *n_tokens, size_t n_texts, float *ret_calibration,
                                 struct jc_err *err)
{
    const size_t n = jc_bert_calibration_size(&encoder->bert) / 2;
    if (encoder->precision != JC_PRECISION_F32)
        return jc_fail(err, JC_E_UNSUPPORTED, "an encoder is calibrated in f32");
    JC_AUTO_FREE double *sums = calloc(2 * n, sizeof *sums);
    if (!sums)
        return jc_fail(err, JC_E_NOMEM, "no memory for a calibration");
    /* The vectors go where the last attention's output lay: a block has no more texts than rows. */
    const struct pass pass = {.encoder = encoder,
                              .scratch = scratch,
                              .ids = ids,
                              .n_tokens = n_tokens,
                              .vectors = scratch->context,
                              .sums = sums};
    jc_code code = run(pass, n_texts, err);
    if (code)
        return code;
    size_t n_rows = 0;
    for (size_t i = 0; i < n_texts; i++)
        n_rows += n_tokens[i];
    for (size_t i = 0; i < 2 * n; i++)
        ret_calibration[i] = n_rows ? (float)(sums[i] / (double)n_rows) : 0;
    if (!jc_vec_is_finite(ret_calibration, 2 * n))
        return jc_fail(err, JC_E_MODEL, "the encoder's layers have inputs too large to calibrate");
    return JC_OK;
}
