/* Reading and writing encoder.json and calibration.safetensors. See bert_file.h. */
#include "artifact/bert_file.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "artifact/json.h"
#include "artifact/safetensors.h"
#include "base/file.h"

#define CALIBRATION "calibration"

enum { MAX_BYTES = 1 << 16, FORMAT_VERSION = 1 };

static const char *const poolings[] = {[JC_POOLING_MEAN] = "mean", [JC_POOLING_CLS] = "cls"};

/* The members that are counts, with the most each may be. */
struct count {
    const char *key;
    size_t max, *value;
};
enum { N_COUNTS = 8 };

static void list_counts(struct jc_bert *bert, struct count ret_counts[N_COUNTS])
{
    const struct count counts[N_COUNTS] = {
        {"layers", 256, &bert->layers},   {"hidden", 16384, &bert->hidden},
        {"heads", 1024, &bert->heads},    {"intermediate", 65536, &bert->intermediate},
        {"vocab", 1 << 24, &bert->vocab}, {"positions", 1 << 20, &bert->positions},
        {"types", 1024, &bert->types},    {"max_tokens", 1 << 20, &bert->max_tokens},
    };
    memcpy(ret_counts, counts, sizeof counts);
}

static jc_code get_count(const json_t *file, const struct count *count, struct jc_err *err)
{
    json_int_t value = json_integer_value(json_object_get(file, count->key)); /* 0 where absent or of another type */
    if (value < 1 || (uint64_t)value > count->max)
        return jc_fail(err, JC_E_FORMAT, "/%s is not an integer from 1 to %zu", count->key, count->max);
    *count->value = (size_t)value;
    return JC_OK;
}

static jc_code get_name(const json_t *file, const char *key, const char *const names[2], unsigned *ret_index,
                        struct jc_err *err)
{
    const char *text = json_string_value(json_object_get(file, key));
    for (unsigned i = 0; text && i < 2; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_index = i;
            return JC_OK;
        }
    }
    return jc_fail(err, JC_E_FORMAT, "/%s is neither '%s' nor '%s'", key, names[0], names[1]);
}

static jc_code parse(const json_t *file, struct jc_bert *bert, struct jc_err *err)
{
    struct count counts[N_COUNTS];
    unsigned pooling = 0;
    jc_code code;
    list_counts(bert, counts);
    if (json_integer_value(json_object_get(file, "format_version")) != FORMAT_VERSION)
        return jc_fail(err, JC_E_FORMAT, "/format_version is not %d", FORMAT_VERSION);
    for (size_t i = 0; i < N_COUNTS; i++)
        if ((code = get_count(file, &counts[i], err)))
            return code;
    bert->layer_norm_eps = json_number_value(json_object_get(file, "layer_norm_eps"));
    if ((code = get_name(file, "pooling", poolings, &pooling, err)))
        return code;
    if (json_object_size(file) != N_COUNTS + 3)
        return jc_fail(err, JC_E_FORMAT, "a member is unknown");
    bert->pooling = pooling == JC_POOLING_CLS ? JC_POOLING_CLS : JC_POOLING_MEAN;
    return jc_bert_check(bert, err);
}

jc_code jc_bert_file_read(const char *path, struct jc_bert *ret_bert, struct jc_err *err)
{
    JC_AUTO(jc_json) struct jc_json *file = NULL;
    struct jc_bert bert = {0};
    jc_code code = jc_json_read(path, MAX_BYTES, &file, err);
    if (code)
        return code;
    if ((code = parse(jc_json_root(file), &bert, err)))
        return jc_wrap(err, "%s", path);
    *ret_bert = bert;
    return JC_OK;
}

jc_code jc_bert_file_write(const char *path, const struct jc_bert *bert, struct jc_err *err)
{
    struct jc_bert copy = *bert;
    struct count counts[N_COUNTS];
    JC_AUTO_BUF struct jc_buf text = {0};
    list_counts(&copy, counts);
    jc_buf_printf(&text, "{\n  \"format_version\": %d", FORMAT_VERSION);
    for (size_t i = 0; i < N_COUNTS; i++)
        jc_buf_printf(&text, ",\n  \"%s\": %zu", counts[i].key, *counts[i].value);
    jc_buf_puts(&text, ",\n  \"layer_norm_eps\": ");
    jc_buf_put_number(&text, bert->layer_norm_eps);
    jc_buf_printf(&text, ",\n  \"pooling\": \"%s\"\n}\n", poolings[bert->pooling]);
    jc_code code = jc_buf_check(&text, err);
    return code ? code : jc_file_write(path, text.data, text.n, err);
}

jc_code jc_calibration_read(const char *path, float **ret_calibration, size_t *ret_n, struct jc_err *err)
{
    JC_AUTO(jc_safetensors) struct jc_safetensors *file = NULL;
    const float *data;
    jc_code code = jc_safetensors_open(path, &file, err);
    if (code)
        return code;
    const struct jc_tensor *tensor = jc_safetensors_find(file, CALIBRATION);
    const size_t n = tensor ? tensor->shape[0] : 0;
    if ((code = jc_safetensors_get_f32(file, CALIBRATION, 1, &n, &data, err)))
        return jc_wrap(err, "%s", path);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(data[i]))
            return jc_fail(err, JC_E_FORMAT, "%s: tensor '" CALIBRATION "': value %zu is not finite", path, i);
    float *calibration = malloc((n ? n : 1) * sizeof *calibration);
    if (!calibration)
        return jc_fail(err, JC_E_NOMEM, "no memory for a calibration");
    memcpy(calibration, data, n * sizeof *calibration);
    *ret_calibration = calibration;
    *ret_n = n;
    return JC_OK;
}

jc_code jc_calibration_write(const char *path, const float *calibration, size_t n, struct jc_err *err)
{
    const struct jc_tensor tensor = {.name = CALIBRATION,
                                     .dtype = JC_DTYPE_F32,
                                     .rank = 1,
                                     .shape = {n},
                                     .data = calibration,
                                     .n_bytes = n * sizeof *calibration};
    return jc_safetensors_write(path, &tensor, 1, err);
}
