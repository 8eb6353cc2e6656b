/* The tensors of a head, in memory and in categories.safetensors. See head.h. */
#include "artifact/head.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

#define ALIGNMENT 64 /* bytes: a cache line */
#define MAX_LEXICON_DIM 4096
#define MAX_FEATURES ((size_t)1 << 28)

static float *allocate(size_t rows, size_t columns)
{
    size_t n_bytes = (rows * columns * sizeof(float) + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    float *data = aligned_alloc(ALIGNMENT, n_bytes);
    if (data)
        memset(data, 0, n_bytes);
    return data;
}

jc_code jc_head_init(struct jc_head *head, size_t n_categories, size_t dim, size_t lexicon_dim, size_t n_features,
                     struct jc_err *err)
{
    *head = (struct jc_head){.n_categories = n_categories,
                             .dim = dim,
                             .lexicon_dim = lexicon_dim,
                             .n_features = n_features,
                             .sharpness = 1,
                             .power = 1,
                             .min_confidence = JC_HEAD_ACCEPT_NONE};
    head->matrix = allocate(n_categories, dim + lexicon_dim);
    head->bias = allocate(n_categories, 1);
    head->lexicon = allocate(n_features, lexicon_dim);
    head->keys = calloc(n_features + 1, sizeof(*head->keys));
    if (head->matrix && head->bias && head->lexicon && head->keys)
        return JC_OK;
    jc_head_finish(head);
    return jc_fail(err, JC_E_NOMEM, "no memory for the head of %zu categories", n_categories);
}

void jc_head_finish(struct jc_head *head)
{
    free(head->matrix);
    free(head->bias);
    free(head->lexicon);
    free(head->keys);
    jc_exemplars_finish(&head->exemplars);
    *head = (struct jc_head){0};
}

void jc_head_copy_calibration(const struct jc_head *from, struct jc_head *to)
{
    to->sharpness = from->sharpness;
    to->saturation = from->saturation;
    to->power = from->power;
    to->min_confidence = from->min_confidence;
}

/* The tensor, checked finite. */
static jc_code get_finite(const struct jc_safetensors *file, const char *name, size_t rank, const size_t *shape,
                          const float **ret_data, struct jc_err *err)
{
    jc_code code = jc_safetensors_get_f32(file, name, rank, shape, ret_data, err);
    if (code)
        return code;
    size_t columns = rank == 2 ? shape[1] : 1;
    for (size_t i = 0; i < shape[0] * columns; i++)
        if (!isfinite((*ret_data)[i]))
            return jc_fail(err, JC_E_MODEL, "tensor '%s': row %zu, column %zu is not a finite number", name,
                           i / columns, i % columns);
    return JC_OK;
}

static void copy_columns(const float *from, size_t rows, size_t columns, float *to, size_t to_width)
{
    for (size_t i = 0; i < rows; i++)
        memcpy(to + i * to_width, from + i * columns, columns * sizeof(*to));
}

/* Where the file has a lexicon: its shape. */
static jc_code find_lexicon(const struct jc_safetensors *file, size_t *ret_dim, size_t *ret_n, struct jc_err *err)
{
    const struct jc_tensor *lexicon = jc_safetensors_find(file, "lexicon");
    *ret_dim = *ret_n = 0;
    if (!lexicon)
        return JC_OK;
    if (lexicon->rank != 2 || !lexicon->shape[0] || lexicon->shape[0] > MAX_FEATURES || !lexicon->shape[1] ||
        lexicon->shape[1] > MAX_LEXICON_DIM)
        return jc_fail(err, JC_E_FORMAT, "tensor 'lexicon': not a table of 1 to %zu features and 1 to %d columns",
                       MAX_FEATURES, MAX_LEXICON_DIM);
    *ret_n = lexicon->shape[0];
    *ret_dim = lexicon->shape[1];
    return JC_OK;
}

/* Ascending, so that a feature is found by bisection. */
static jc_code load_keys(const struct jc_safetensors *file, struct jc_head *head, struct jc_err *err)
{
    const struct jc_tensor *keys = jc_safetensors_find(file, "lexicon_keys");
    if (!keys || keys->dtype != JC_DTYPE_I64 || keys->rank != 1 || keys->shape[0] != head->n_features)
        return jc_fail(err, JC_E_FORMAT, "tensor 'lexicon_keys': not I64 [%zu]", head->n_features);
    memcpy(head->keys, keys->data, head->n_features * sizeof(*head->keys));
    for (size_t i = 1; i < head->n_features; i++)
        if (head->keys[i - 1] >= head->keys[i])
            return jc_fail(err, JC_E_FORMAT, "tensor 'lexicon_keys': row %zu does not ascend", i);
    return JC_OK;
}

static jc_code load_lexicon(const struct jc_safetensors *file, struct jc_head *head, struct jc_err *err)
{
    const size_t shape[2] = {head->n_features, head->lexicon_dim},
                 out_shape[2] = {head->n_categories, head->lexicon_dim};
    const float *rows, *out;
    jc_code code = get_finite(file, "lexicon", 2, shape, &rows, err);
    if (!code)
        code = get_finite(file, "lexicon_embeddings", 2, out_shape, &out, err);
    if (code)
        return code;
    if ((code = load_keys(file, head, err)))
        return code;
    copy_columns(rows, head->n_features, head->lexicon_dim, head->lexicon, head->lexicon_dim);
    copy_columns(out, head->n_categories, head->lexicon_dim, head->matrix + head->dim, jc_head_width(head));
    return JC_OK;
}

/* Sharpness, least confidence, saturation, power. */
static jc_code check_calibration(const float *calibration, struct jc_err *err)
{
    if (!(calibration[0] > 0))
        return jc_fail(err, JC_E_MODEL, "tensor 'calibration': the sharpness %g is not positive",
                       (double)calibration[0]);
    if (!(calibration[2] >= 0))
        return jc_fail(err, JC_E_MODEL, "tensor 'calibration': the saturation %g is negative", (double)calibration[2]);
    if (!(calibration[3] > 0))
        return jc_fail(err, JC_E_MODEL, "tensor 'calibration': the power %g is not positive", (double)calibration[3]);
    return JC_OK;
}

static jc_code load_tensors(const struct jc_safetensors *file, struct jc_head *head, struct jc_err *err)
{
    const size_t shape[2] = {head->n_categories, head->dim}, calibration_shape[1] = {4};
    const float *embeddings, *bias, *calibration;
    jc_code code = get_finite(file, "embeddings", 2, shape, &embeddings, err);
    if (!code)
        code = get_finite(file, "bias", 1, shape, &bias, err);
    if (!code)
        code = get_finite(file, "calibration", 1, calibration_shape, &calibration, err);
    if (!code && head->n_features)
        code = load_lexicon(file, head, err);
    if (code)
        return code;
    if ((code = check_calibration(calibration, err)))
        return code;
    copy_columns(embeddings, head->n_categories, head->dim, head->matrix, jc_head_width(head));
    memcpy(head->bias, bias, head->n_categories * sizeof(*bias));
    head->sharpness = calibration[0];
    head->min_confidence = calibration[1];
    head->saturation = calibration[2];
    head->power = calibration[3];
    return JC_OK;
}

jc_code jc_head_load(const struct jc_safetensors *file, size_t n_categories, size_t dim, struct jc_head *ret_head,
                     struct jc_err *err)
{
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    size_t lexicon_dim, n_features;
    jc_code code = find_lexicon(file, &lexicon_dim, &n_features, err);
    if (!code)
        code = jc_head_init(&head, n_categories, dim, lexicon_dim, n_features, err);
    if (!code)
        code = load_tensors(file, &head, err);
    if (code)
        return code;
    *ret_head = head;
    head = (struct jc_head){0};
    return JC_OK;
}

static struct jc_tensor describe(const char *name, size_t rank, size_t rows, size_t columns, const float *data)
{
    return (struct jc_tensor){.name = name,
                              .dtype = JC_DTYPE_F32,
                              .rank = rank,
                              .shape = {rows, columns},
                              .data = data,
                              .n_bytes = rows * (rank == 2 ? columns : 1) * sizeof(float)};
}

/* Columns [first, first + n) of the matrix, densely. NULL when out of memory. */
static float *take_columns(const struct jc_head *head, size_t first, size_t n)
{
    float *columns = allocate(head->n_categories, n);
    for (size_t i = 0; columns && i < head->n_categories; i++)
        memcpy(columns + i * n, head->matrix + i * jc_head_width(head) + first, n * sizeof(*columns));
    return columns;
}

jc_code jc_head_write(const struct jc_head *head, const char *path, struct jc_err *err)
{
    const float calibration[4] = {head->sharpness, head->min_confidence, head->saturation, head->power};
    JC_AUTO_FREE float *embeddings = take_columns(head, 0, head->dim);
    JC_AUTO_FREE float *out = take_columns(head, head->dim, head->lexicon_dim);
    if (!embeddings || !out)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    const struct jc_tensor tensors[] = {
        describe("embeddings", 2, head->n_categories, head->dim, embeddings),
        describe("bias", 1, head->n_categories, 0, head->bias),
        describe("calibration", 1, 4, 0, calibration),
        describe("lexicon", 2, head->n_features, head->lexicon_dim, head->lexicon),
        describe("lexicon_embeddings", 2, head->n_categories, head->lexicon_dim, out),
        {.name = "lexicon_keys",
         .dtype = JC_DTYPE_I64,
         .rank = 1,
         .shape = {head->n_features},
         .data = head->keys,
         .n_bytes = head->n_features * sizeof(*head->keys)},
    };
    return jc_safetensors_write(path, tensors, head->n_features ? 6 : 3, err);
}
