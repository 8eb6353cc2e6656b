/* Creating an encoder from a checkpoint's tensors. See dnn.h. */
#include <math.h>
#include <string.h>

#include "dnn/checkpoint.h"
#include "dnn/encoder_impl.h"

/* A checkpoint being read. */
struct reader {
    struct jc_dnn_tensors tensors;
    struct jc_dnn_encoder *encoder;
    const float *words, *positions, *types; /* the checkpoint's embeddings */
    float *weights;                         /* the layer at hand: [n_out][n_in], of the largest */
    float *bias;                            /* [n_out], of the largest */
    struct jc_dnn_inputs inputs;            /* of the layer at hand */
};

static jc_code fail_nomem(struct jc_err *err)
{
    return jc_fail(err, JC_E_NOMEM, "no memory for the encoder");
}

static jc_code read_norm(struct reader *reader, const char *prefix, const char *name, size_t index,
                         struct jc_dnn_norm *ret_norm, struct jc_err *err)
{
    const size_t hidden = reader->encoder->bert.hidden;
    static const char *const parts[] = {"weight", "bias"};
    float *to = reader->encoder->norms + index * 2 * hidden;
    for (size_t i = 0; i < JC_COUNT(parts); i++) {
        const float *data;
        char full[64];
        snprintf(full, sizeof full, "%s.%s", name, parts[i]);
        jc_code code = jc_dnn_tensors_get(&reader->tensors, prefix, full, hidden, 0, &data, err);
        if (code)
            return code;
        memcpy(to + i * hidden, data, hidden * sizeof *to);
    }
    *ret_norm =
        (struct jc_dnn_norm){.weight = to, .bias = to + hidden, .eps = (float)reader->encoder->bert.layer_norm_eps};
    return JC_OK;
}

/* Appends a linear layer's rows, each times `factor`, to the weights and bias at hand. */
static jc_code read_linear(struct reader *reader, const char *prefix, const char *name, size_t n_out, size_t n_in,
                           size_t first_row, float factor, struct jc_err *err)
{
    const float *weights, *bias;
    char full[64];
    snprintf(full, sizeof full, "%s.weight", name);
    jc_code code = jc_dnn_tensors_get(&reader->tensors, prefix, full, n_out, n_in, &weights, err);
    if (code)
        return code;
    snprintf(full, sizeof full, "%s.bias", name);
    if ((code = jc_dnn_tensors_get(&reader->tensors, prefix, full, n_out, 0, &bias, err)))
        return code;
    float *to = reader->weights + first_row * n_in;
    for (size_t i = 0; i < n_out * n_in; i++)
        to[i] = weights[i] * factor;
    for (size_t o = 0; o < n_out; o++)
        reader->bias[first_row + o] = bias[o] * factor;
    return JC_OK;
}

/* Query, key and value as one product. The 1 / sqrt(head size) of the attention scores is folded into the query. */
static jc_code read_attention(struct reader *reader, const char *prefix, struct jc_err *err)
{
    const struct jc_bert *bert = &reader->encoder->bert;
    const float scale = (float)(1 / sqrt((double)(bert->hidden / bert->heads)));
    static const char *const parts[] = {"attention.self.query", "attention.self.key", "attention.self.value"};
    jc_code code = JC_OK;
    for (size_t i = 0; i < JC_COUNT(parts) && !code; i++)
        code = read_linear(reader, prefix, parts[i], bert->hidden, bert->hidden, i * bert->hidden, i ? 1 : scale, err);
    return code;
}

static jc_code add_linear(struct reader *reader, struct jc_dnn_layer *layer, size_t place, struct jc_err *err)
{
    const struct jc_dnn_encoder *encoder = reader->encoder;
    const struct jc_dnn_shape *shape = &encoder->shapes[place];
    struct jc_dnn_inputs inputs = reader->inputs;
    /* Nothing behind them evens out what these two lose: see linear.h. */
    inputs.fine = layer == &encoder->layers[encoder->bert.layers - 1] && (place == QKV || place == OUT);
    if (inputs.means) {
        reader->inputs.means += shape->n_in;
        reader->inputs.squares += shape->n_in;
    }
    const struct jc_dnn_machine machine = {.gemms = encoder->gemms, .kernels = encoder->kernels};
    return jc_dnn_linear_init(&layer->linears[place], &machine, place, shape, reader->weights, reader->bias, &inputs,
                              err);
}

static jc_code read_layer(struct reader *reader, size_t index, struct jc_err *err)
{
    struct jc_dnn_encoder *encoder = reader->encoder;
    struct jc_dnn_layer *layer = &encoder->layers[index];
    const size_t hidden = encoder->bert.hidden, wide = encoder->bert.intermediate;
    char prefix[48];
    jc_code code;
    snprintf(prefix, sizeof prefix, "encoder.layer.%zu.", index);
    if ((code = read_norm(reader, prefix, "attention.output.LayerNorm", 1 + 2 * index, &layer->norm1, err)) ||
        (code = read_norm(reader, prefix, "output.LayerNorm", 2 + 2 * index, &layer->norm2, err)) ||
        (code = read_attention(reader, prefix, err)) || (code = add_linear(reader, layer, QKV, err)) ||
        (code = read_linear(reader, prefix, "attention.output.dense", hidden, hidden, 0, 1, err)) ||
        (code = add_linear(reader, layer, OUT, err)) ||
        (code = read_linear(reader, prefix, "intermediate.dense", wide, hidden, 0, 1, err)) ||
        (code = add_linear(reader, layer, UP, err)) ||
        (code = read_linear(reader, prefix, "output.dense", hidden, wide, 0, 1, err)))
        return code;
    return add_linear(reader, layer, DOWN, err);
}

static const char embeddings[] = "embeddings.";

/* Before memory is asked for by the configuration's sizes: they are the checkpoint's, or nothing is. */
static jc_code find_embeddings(struct reader *reader, const struct jc_bert *bert, struct jc_err *err)
{
    const struct {
        const char *name;
        size_t rows;
        const float **ret_data;
    } parts[] = {{"word_embeddings.weight", bert->vocab, &reader->words},
                 {"position_embeddings.weight", bert->positions, &reader->positions},
                 {"token_type_embeddings.weight", bert->types, &reader->types}};
    jc_code code = JC_OK;
    for (size_t i = 0; i < JC_COUNT(parts) && !code; i++)
        code = jc_dnn_tensors_get(&reader->tensors, embeddings, parts[i].name, parts[i].rows, bert->hidden,
                                  parts[i].ret_data, err);
    return code;
}

static jc_code read_embeddings(struct reader *reader, struct jc_err *err)
{
    struct jc_dnn_encoder *encoder = reader->encoder;
    const struct jc_bert *bert = &encoder->bert;
    const size_t hidden = bert->hidden;
    memcpy(encoder->words, reader->words, bert->vocab * hidden * sizeof *encoder->words);
    /* Every token is of type 0: its vector is part of the position's. */
    for (size_t p = 0; p < bert->positions; p++)
        for (size_t k = 0; k < hidden; k++)
            encoder->positions[p * hidden + k] = reader->positions[p * hidden + k] + reader->types[k];
    return read_norm(reader, embeddings, "LayerNorm", 0, &encoder->norm, err);
}

static void choose_shapes(struct jc_dnn_encoder *encoder, enum jc_precision precision)
{
    const size_t hidden = encoder->bert.hidden, wide = encoder->bert.intermediate;
    encoder->shapes[QKV] = (struct jc_dnn_shape){precision, hidden, 3 * hidden};
    encoder->shapes[OUT] = (struct jc_dnn_shape){precision, hidden, hidden};
    encoder->shapes[UP] = (struct jc_dnn_shape){precision, hidden, wide};
    encoder->shapes[DOWN] = (struct jc_dnn_shape){precision, wide, hidden};
}

static jc_code read_all(struct reader *reader, struct jc_err *err)
{
    const struct jc_bert *bert = &reader->encoder->bert;
    const size_t hidden = bert->hidden, widest = 3 * hidden > bert->intermediate ? 3 * hidden : bert->intermediate;
    JC_AUTO_FREE float *block = calloc(widest * hidden + widest, sizeof *block);
    if (!block)
        return fail_nomem(err);
    reader->weights = block;
    reader->bias = block + widest * hidden;
    jc_code code = read_embeddings(reader, err);
    for (size_t i = 0; i < bert->layers && !code; i++)
        code = read_layer(reader, i, err);
    return code;
}

/* The first forward must not be a client's, and a checkpoint that gives no numbers is none. */
static jc_code warm_up(const struct jc_dnn_encoder *encoder, struct jc_err *err)
{
    const int32_t ids[2] = {0, 0};
    const uint32_t n_tokens = 2;
    JC_AUTO(jc_dnn_scratch) struct jc_dnn_scratch *scratch = NULL;
    JC_AUTO_FREE float *vector = calloc(encoder->bert.hidden, sizeof *vector);
    if (!vector)
        return fail_nomem(err);
    jc_code code = jc_dnn_scratch_create(encoder, &scratch, err);
    return code ? code : jc_dnn_encoder_encode(encoder, scratch, ids, &n_tokens, 1, vector, err);
}

static jc_code allocate(struct jc_dnn_encoder *encoder, struct jc_err *err)
{
    const struct jc_bert *bert = &encoder->bert;
    encoder->layers = calloc(bert->layers, sizeof *encoder->layers);
    encoder->norms = calloc((1 + 2 * bert->layers) * 2 * bert->hidden, sizeof *encoder->norms);
    encoder->words = calloc(bert->vocab * bert->hidden, sizeof *encoder->words);
    encoder->positions = calloc(bert->positions * bert->hidden, sizeof *encoder->positions);
    if (!encoder->layers || !encoder->norms || !encoder->words || !encoder->positions)
        return fail_nomem(err);
    return JC_OK;
}

jc_code jc_dnn_encoder_create(const struct jc_bert *bert, const struct jc_tensor *tensors, size_t n_tensors,
                              enum jc_precision precision, const float *calibration,
                              struct jc_dnn_encoder **ret_encoder, struct jc_err *err)
{
    struct reader reader = {.tensors = {.tensors = tensors, .n_tensors = n_tensors}};
    jc_code code = jc_bert_check(bert, err);
    if (code || (code = find_embeddings(&reader, bert, err)))
        return code;
    JC_AUTO(jc_dnn_encoder) struct jc_dnn_encoder *encoder = calloc(1, sizeof(*encoder));
    if (!encoder)
        return fail_nomem(err);
    encoder->bert = *bert;
    encoder->precision = precision;
    encoder->kernels = jc_dnn_kernels_find();
    choose_shapes(encoder, precision);
    reader.encoder = encoder;
    if (calibration)
        reader.inputs =
            (struct jc_dnn_inputs){.means = calibration, .squares = calibration + jc_bert_calibration_size(bert) / 2};

    if ((code = allocate(encoder, err)) ||
        (code = jc_dnn_gemms_create(encoder->shapes, N_LINEARS, &encoder->gemms, err)) ||
        (code = read_all(&reader, err)) || (code = warm_up(encoder, err)))
        return code;
    *ret_encoder = TAKE(encoder);
    return JC_OK;
}

void jc_dnn_encoder_destroy(struct jc_dnn_encoder *encoder)
{
    if (!encoder)
        return;
    for (size_t i = 0; encoder->layers && i < encoder->bert.layers; i++)
        for (size_t place = 0; place < N_LINEARS; place++)
            jc_dnn_linear_finish(&encoder->layers[i].linears[place]);
    jc_dnn_gemms_destroy(encoder->gemms);
    free(encoder->layers);
    free(encoder->norms);
    free(encoder->words);
    free(encoder->positions);
    free(encoder);
}

const struct jc_bert *jc_dnn_encoder_bert(const struct jc_dnn_encoder *encoder)
{
    return &encoder->bert;
}
