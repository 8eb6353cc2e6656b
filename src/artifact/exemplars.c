/* Exemplars in memory and in their two files. See exemplars.h. */
#include "artifact/exemplars.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "artifact/plain_text.h"
#include "artifact/safetensors.h"
#include "base/file.h"
#include "base/own.h"

#define ALIGNMENT 64 /* bytes: a cache line */
#define MAX_TEXTS ((size_t)1 << 28)
#define MAX_CODES ((size_t)1 << 30)
#define UNIT_ERROR 1e-3 /* how far the length of a unit row may be from 1 */

_Static_assert(sizeof(size_t) == sizeof(int64_t), "code_begins is written as it lies in memory");

jc_code jc_exemplars_init(struct jc_exemplars *exemplars, size_t n, size_t dim, size_t n_codes, size_t n_text_bytes,
                          struct jc_err *err)
{
    *exemplars = (struct jc_exemplars){.n = n, .dim = dim, .k = 1, .sharpness = 1, .weight = 1};
    size_t n_bytes = (n * dim * sizeof(float) + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    exemplars->vectors = aligned_alloc(ALIGNMENT, n_bytes);
    exemplars->code_begins = calloc(n + 1, sizeof(*exemplars->code_begins));
    exemplars->codes = calloc(n_codes + 1, sizeof(*exemplars->codes));
    exemplars->code_weights = calloc(n_codes + 1, sizeof(*exemplars->code_weights));
    exemplars->text_data = calloc(n_text_bytes + 1, 1);
    exemplars->text_begins = calloc(n + 1, sizeof(*exemplars->text_begins));
    if (!exemplars->vectors || !exemplars->code_begins || !exemplars->codes || !exemplars->code_weights ||
        !exemplars->text_data || !exemplars->text_begins) {
        jc_exemplars_finish(exemplars);
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu exemplars", n);
    }
    memset(exemplars->vectors, 0, n_bytes);
    return JC_OK;
}

void jc_exemplars_finish(struct jc_exemplars *exemplars)
{
    free(exemplars->vectors);
    free(exemplars->code_begins);
    free(exemplars->codes);
    free(exemplars->code_weights);
    free(exemplars->text_data);
    free(exemplars->text_begins);
    *exemplars = (struct jc_exemplars){0};
}

/* How many texts and codes the file has; the other shapes must agree with these. Nothing is allocated for more than the
 * file holds: its bytes are those of the shapes. */
static jc_code find_sizes(const struct jc_safetensors *file, size_t dim, size_t *ret_n, size_t *ret_n_codes,
                          struct jc_err *err)
{
    const struct jc_tensor *vectors = jc_safetensors_find(file, "vectors"), *codes = jc_safetensors_find(file, "codes");
    if (!vectors || vectors->dtype != JC_DTYPE_F32 || vectors->rank != 2 || vectors->shape[0] == 0 ||
        vectors->shape[0] > MAX_TEXTS || vectors->shape[1] != dim)
        return jc_fail(err, JC_E_FORMAT, "tensor 'vectors': not F32 [1 to %zu, %zu]", MAX_TEXTS, dim);
    if (!codes || codes->rank != 1 || codes->dtype != JC_DTYPE_I32 || codes->shape[0] > MAX_CODES)
        return jc_fail(err, JC_E_FORMAT, "tensor 'codes': not I32 [at most %zu]", MAX_CODES);
    *ret_n = vectors->shape[0];
    *ret_n_codes = codes->shape[0];
    return JC_OK;
}

static jc_code load_vectors(const struct jc_safetensors *file, struct jc_exemplars *exemplars, struct jc_err *err)
{
    const struct jc_tensor *vectors = jc_safetensors_find(file, "vectors");
    memcpy(exemplars->vectors, vectors->data, vectors->n_bytes);
    for (size_t i = 0; i < exemplars->n; i++) {
        const float *row = exemplars->vectors + i * exemplars->dim;
        double squares = 0;
        for (size_t d = 0; d < exemplars->dim; d++)
            squares += (double)row[d] * (double)row[d];
        if (!(fabs(sqrt(squares) - 1) <= UNIT_ERROR)) /* not finite: neither */
            return jc_fail(err, JC_E_MODEL, "tensor 'vectors': row %zu has length %g, not 1", i, sqrt(squares));
    }
    return JC_OK;
}

static jc_code load_begins(const struct jc_safetensors *file, size_t n_codes, struct jc_exemplars *exemplars,
                           struct jc_err *err)
{
    const struct jc_tensor *begins = jc_safetensors_find(file, "code_begins");
    size_t n = exemplars->n;
    if (!begins || begins->dtype != JC_DTYPE_I64 || begins->rank != 1 || begins->shape[0] != n + 1)
        return jc_fail(err, JC_E_FORMAT, "tensor 'code_begins': not I64 [%zu]", n + 1);
    memcpy(exemplars->code_begins, begins->data, (n + 1) * sizeof(*exemplars->code_begins));
    if (exemplars->code_begins[0] != 0 || exemplars->code_begins[n] != n_codes)
        return jc_fail(err, JC_E_FORMAT, "tensor 'code_begins': not from 0 to the %zu codes", n_codes);
    for (size_t i = 0; i < n; i++)
        if (exemplars->code_begins[i] >= exemplars->code_begins[i + 1])
            return jc_fail(err, JC_E_FORMAT, "tensor 'code_begins': row %zu does not ascend", i + 1);
    return JC_OK;
}

/* code_begins is checked: it ascends and ends with the number of codes. */
static jc_code load_codes(const struct jc_safetensors *file, size_t n_categories, struct jc_exemplars *exemplars,
                          struct jc_err *err)
{
    const struct jc_tensor *codes = jc_safetensors_find(file, "codes");
    memcpy(exemplars->codes, codes->data, codes->n_bytes);
    for (size_t i = 0; i < exemplars->n; i++)
        for (size_t at = exemplars->code_begins[i]; at < exemplars->code_begins[i + 1]; at++) {
            if (exemplars->codes[at] >= n_categories) /* a negative number is larger than any */
                return jc_fail(err, JC_E_FORMAT, "tensor 'codes': row %zu is not a category, 0 to %zu", at,
                               n_categories - 1);
            if (at > exemplars->code_begins[i] && exemplars->codes[at - 1] >= exemplars->codes[at])
                return jc_fail(err, JC_E_FORMAT, "tensor 'codes': row %zu does not ascend within text %zu", at, i);
        }
    return JC_OK;
}

static jc_code load_code_weights(const struct jc_safetensors *file, struct jc_exemplars *exemplars, struct jc_err *err)
{
    const size_t shape[1] = {exemplars->code_begins[exemplars->n]};
    const float *weights;
    jc_code code = jc_safetensors_get_f32(file, "code_weights", 1, shape, &weights, err);
    if (code)
        return code;
    memcpy(exemplars->code_weights, weights, shape[0] * sizeof(*weights));
    for (size_t i = 0; i < exemplars->n; i++) {
        bool counts = false;
        for (size_t at = exemplars->code_begins[i]; at < exemplars->code_begins[i + 1]; at++) {
            if (!isfinite(weights[at]) || weights[at] < 0)
                return jc_fail(err, JC_E_MODEL, "tensor 'code_weights': row %zu is %g, not a weight", at,
                               (double)weights[at]);
            counts |= weights[at] > 0;
        }
        if (!counts)
            return jc_fail(err, JC_E_MODEL, "tensor 'code_weights': those of text %zu are all 0", i);
    }
    return JC_OK;
}

static jc_code load_vote(const struct jc_safetensors *file, struct jc_exemplars *exemplars, struct jc_err *err)
{
    const size_t shape[1] = {3};
    const float *vote;
    jc_code code = jc_safetensors_get_f32(file, "vote", 1, shape, &vote, err);
    if (code)
        return code;
    if (!(vote[0] >= 1 && vote[0] <= JC_EXEMPLARS_MAX_K) || vote[0] != floorf(vote[0]))
        return jc_fail(err, JC_E_MODEL, "tensor 'vote': k is %g, not a whole number from 1 to %d", (double)vote[0],
                       JC_EXEMPLARS_MAX_K);
    for (size_t i = 1; i < 3; i++)
        if (!isfinite(vote[i]) || vote[i] < 0)
            return jc_fail(err, JC_E_MODEL, "tensor 'vote': the %s %g is not a finite number from 0",
                           i == 1 ? "sharpness" : "weight", (double)vote[i]);
    exemplars->k = (uint32_t)vote[0];
    exemplars->sharpness = vote[1];
    exemplars->weight = vote[2];
    return JC_OK;
}

static jc_code load_tensors(const struct jc_safetensors *file, size_t n_categories, size_t n_codes,
                            struct jc_exemplars *exemplars, struct jc_err *err)
{
    jc_code code;
    if ((code = load_vectors(file, exemplars, err)) || (code = load_begins(file, n_codes, exemplars, err)) ||
        (code = load_codes(file, n_categories, exemplars, err)) || (code = load_code_weights(file, exemplars, err)))
        return code;
    return load_vote(file, exemplars, err);
}

/* text_data holds the file's n_bytes; its line ends become NULs. */
static jc_code cut_texts(struct jc_exemplars *exemplars, size_t n_bytes, struct jc_err *err)
{
    char *text = exemplars->text_data, *end = text + n_bytes;
    size_t i = 0;
    for (; text < end; i++) {
        char *line_end = memchr(text, '\n', (size_t)(end - text));
        if (!line_end)
            return jc_fail(err, JC_E_FORMAT, "line %zu: no line end", i + 1);
        if (i == exemplars->n)
            return jc_fail(err, JC_E_FORMAT, "more lines than the %zu exemplars", exemplars->n);
        if (!jc_is_plain_text(text, (size_t)(line_end - text)))
            return jc_fail(err, JC_E_FORMAT, "line %zu: empty, or not UTF-8 without control characters", i + 1);
        *line_end = '\0';
        text = line_end + 1;
        exemplars->text_begins[i + 1] = (size_t)(text - exemplars->text_data);
    }
    if (i != exemplars->n)
        return jc_fail(err, JC_E_FORMAT, "%zu lines, and there are %zu exemplars", i, exemplars->n);
    return JC_OK;
}

jc_code jc_exemplars_load(const char *vectors_path, const char *texts_path, size_t n_categories, size_t dim,
                          struct jc_exemplars *ret_exemplars, struct jc_err *err)
{
    JC_AUTO(jc_safetensors) struct jc_safetensors *file = NULL;
    JC_AUTO_FINISH(jc_map) struct jc_map texts = {0};
    JC_AUTO_FINISH(jc_exemplars) struct jc_exemplars exemplars = {0};
    size_t n = 0, n_codes = 0;
    jc_code code;
    if ((code = jc_safetensors_open(vectors_path, &file, err)) || (code = jc_map_file(texts_path, &texts, err)))
        return code;
    if (find_sizes(file, dim, &n, &n_codes, err))
        return jc_wrap(err, "%s", vectors_path);
    if ((code = jc_exemplars_init(&exemplars, n, dim, n_codes, texts.n, err)))
        return code;
    if (load_tensors(file, n_categories, n_codes, &exemplars, err))
        return jc_wrap(err, "%s", vectors_path);
    if (texts.n)
        memcpy(exemplars.text_data, texts.data, texts.n);
    if (cut_texts(&exemplars, texts.n, err))
        return jc_wrap(err, "%s", texts_path);
    *ret_exemplars = exemplars;
    exemplars = (struct jc_exemplars){0};
    return JC_OK;
}

static jc_code write_tensors(const struct jc_exemplars *exemplars, const char *path, struct jc_err *err)
{
    const float vote[3] = {(float)exemplars->k, exemplars->sharpness, exemplars->weight};
    size_t n = exemplars->n, n_codes = exemplars->code_begins[n];
    const struct jc_tensor tensors[] = {
        {"vectors", JC_DTYPE_F32, 2, {n, exemplars->dim}, exemplars->vectors, n * exemplars->dim * sizeof(float)},
        {"code_begins", JC_DTYPE_I64, 1, {n + 1}, exemplars->code_begins, (n + 1) * sizeof(int64_t)},
        {"codes", JC_DTYPE_I32, 1, {n_codes}, exemplars->codes, n_codes * sizeof(int32_t)},
        {"code_weights", JC_DTYPE_F32, 1, {n_codes}, exemplars->code_weights, n_codes * sizeof(float)},
        {"vote", JC_DTYPE_F32, 1, {3}, vote, sizeof vote},
    };
    return jc_safetensors_write(path, tensors, JC_COUNT(tensors), err);
}

jc_code jc_exemplars_write(const struct jc_exemplars *exemplars, const char *vectors_path, const char *texts_path,
                           struct jc_err *err)
{
    jc_code code = write_tensors(exemplars, vectors_path, err);
    if (code)
        return code;
    size_t n_bytes = exemplars->text_begins[exemplars->n];
    JC_AUTO_FREE char *lines = malloc(n_bytes + 1);
    if (!lines)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n_bytes; i++)
        lines[i] = jc_is_control(exemplars->text_data[i]) ? ' ' : exemplars->text_data[i];
    for (size_t i = 1; i <= exemplars->n; i++)
        lines[exemplars->text_begins[i] - 1] = '\n';
    return jc_file_write(texts_path, lines, n_bytes, err);
}
