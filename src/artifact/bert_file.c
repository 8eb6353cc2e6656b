/* Reading and writing encoder.json. See bert_file.h. */
#include "artifact/bert_file.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/file.h"

enum { MAX_BYTES = 1 << 16, FORMAT_VERSION = 1 };

static const char *const poolings[] = {[JC_POOLING_MEAN] = "mean", [JC_POOLING_CLS] = "cls"};
static const char *const precisions[] = {[JC_PRECISION_F32] = "f32", [JC_PRECISION_INT8] = "int8"};

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

static jc_code parse(const json_t *file, struct jc_bert *bert, enum jc_precision *ret_precision, struct jc_err *err)
{
    struct count counts[N_COUNTS];
    unsigned pooling = 0, precision = 0;
    jc_code code;
    list_counts(bert, counts);
    if (json_integer_value(json_object_get(file, "format_version")) != FORMAT_VERSION)
        return jc_fail(err, JC_E_FORMAT, "/format_version is not %d", FORMAT_VERSION);
    for (size_t i = 0; i < N_COUNTS; i++)
        if ((code = get_count(file, &counts[i], err)))
            return code;
    bert->layer_norm_eps = json_number_value(json_object_get(file, "layer_norm_eps"));
    if (!(bert->layer_norm_eps > 0 && bert->layer_norm_eps < 1))
        return jc_fail(err, JC_E_FORMAT, "/layer_norm_eps is not a number between 0 and 1");
    if ((code = get_name(file, "pooling", poolings, &pooling, err)) ||
        (code = get_name(file, "precision", precisions, &precision, err)))
        return code;
    if (json_object_size(file) != N_COUNTS + 4)
        return jc_fail(err, JC_E_FORMAT, "a member is unknown");
    bert->pooling = pooling == JC_POOLING_CLS ? JC_POOLING_CLS : JC_POOLING_MEAN;
    *ret_precision = precision == JC_PRECISION_INT8 ? JC_PRECISION_INT8 : JC_PRECISION_F32;
    return JC_OK;
}

jc_code jc_bert_file_read(const char *path, struct jc_bert *ret_bert, enum jc_precision *ret_precision,
                          struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf text = {0};
    struct jc_bert bert = {0};
    enum jc_precision precision = JC_PRECISION_F32;
    jc_code code = jc_file_read(path, MAX_BYTES, &text, err);
    if (code)
        return code;
    json_error_t at;
    json_auto_t *file = json_loadb(text.n ? text.data : "", text.n, JSON_REJECT_DUPLICATES, &at);
    if (!file)
        return jc_fail(err, JC_E_FORMAT, "%s:%d:%d: %s", path, at.line, at.column, at.text);
    if ((code = parse(file, &bert, &precision, err)))
        return jc_wrap(err, "%s", path);
    *ret_bert = bert;
    *ret_precision = precision;
    return JC_OK;
}

jc_code jc_bert_file_write(const char *path, const struct jc_bert *bert, enum jc_precision precision,
                           struct jc_err *err)
{
    struct jc_bert copy = *bert;
    struct count counts[N_COUNTS];
    JC_AUTO_BUF struct jc_buf text = {0};
    list_counts(&copy, counts);
    jc_buf_printf(&text, "{\n  \"format_version\": %d", FORMAT_VERSION);
    for (size_t i = 0; i < N_COUNTS; i++)
        jc_buf_printf(&text, ",\n  \"%s\": %zu", counts[i].key, *counts[i].value);
    jc_buf_printf(&text, ",\n  \"layer_norm_eps\": %.9g,\n  \"pooling\": \"%s\",\n  \"precision\": \"%s\"\n}\n",
                  bert->layer_norm_eps, poolings[bert->pooling], precisions[precision]);
    jc_code code = jc_buf_check(&text, err);
    return code ? code : jc_file_write(path, text.data, text.n, err);
}
