/* The safetensors reader and writer: 8 bytes of header length, a JSON header, then the tensors' bytes. */
#include "artifact/safetensors.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "artifact/json.h"
#include "base/buf.h"
#include "base/file.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are used as they lie in the file");

#define LENGTH_BYTES 8
#define HEADER_MAX (16u << 20) /* a header of 100,000 tensors is 10 MiB */
#define METADATA "__metadata__"
#define SHAPE_TEXT 96 /* bytes: four 20-digit numbers with their commas */

static const struct {
    const char *name;
    size_t size; /* bytes an element */
} dtypes[] = {
    [JC_DTYPE_F32] = {"F32", 4}, [JC_DTYPE_F16] = {"F16", 2}, [JC_DTYPE_BF16] = {"BF16", 2},
    [JC_DTYPE_I64] = {"I64", 8}, [JC_DTYPE_I32] = {"I32", 4}, [JC_DTYPE_U8] = {"U8", 1},
};

struct jc_safetensors {
    struct jc_map map;
    struct jc_json *header; /* holds the tensors' names */
    struct jc_tensor *tensors;
    size_t n_tensors;
};

void jc_safetensors_destroy(struct jc_safetensors *file)
{
    if (!file)
        return;
    free(file->tensors);
    jc_json_destroy(file->header);
    jc_map_finish(&file->map);
    free(file);
}

/* "[1016, 384]" */
static void format_shape(size_t rank, const size_t *shape, char ret_text[SHAPE_TEXT])
{
    size_t n = 0;
    for (size_t i = 0; i < rank && n < SHAPE_TEXT; i++)
        n += (size_t)snprintf(ret_text + n, SHAPE_TEXT - n, "%s%zu", i ? ", " : "[", shape[i]);
    if (n < SHAPE_TEXT)
        snprintf(ret_text + n, SHAPE_TEXT - n, rank ? "]" : "[]");
}

/* Bytes of a tensor of that type and shape; false on overflow. */
static bool measure_tensor(enum jc_dtype dtype, size_t rank, const size_t *shape, size_t *ret_n_bytes)
{
    size_t n = dtypes[dtype].size;
    for (size_t i = 0; i < rank; i++)
        if (__builtin_mul_overflow(n, shape[i], &n))
            return false;
    *ret_n_bytes = n;
    return true;
}

static jc_code parse_dtype(const json_t *value, enum jc_dtype *ret_dtype, struct jc_err *err)
{
    if (!json_is_string(value))
        return jc_fail(err, JC_E_FORMAT, "dtype is not a string");
    for (size_t i = 0; i < JC_COUNT(dtypes); i++) {
        if (strcmp(json_string_value(value), dtypes[i].name) == 0) {
            *ret_dtype = (enum jc_dtype)i;
            return JC_OK;
        }
    }
    return jc_fail(err, JC_E_FORMAT, "dtype '%.20s' is not one this reader knows", json_string_value(value));
}

/* An array of at most `max` integers that are not negative. */
static jc_code parse_sizes(const json_t *value, const char *what, size_t max, size_t *ret_sizes, size_t *ret_n,
                           struct jc_err *err)
{
    if (!json_is_array(value))
        return jc_fail(err, JC_E_FORMAT, "%s is not an array", what);
    size_t n = json_array_size(value);
    if (n > max)
        return jc_fail(err, JC_E_FORMAT, "%s has %zu elements, more than %zu", what, n, max);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_integer(item) || json_integer_value(item) < 0)
            return jc_fail(err, JC_E_FORMAT, "%s: element %zu is not a count", what, i);
        ret_sizes[i] = (size_t)json_integer_value(item);
    }
    *ret_n = n;
    return JC_OK;
}

/* One entry of the header; `data` holds the n_data bytes behind it. */
static jc_code parse_tensor(const char *name, const json_t *entry, const unsigned char *data, size_t n_data,
                            struct jc_tensor *ret_tensor, struct jc_err *err)
{
    struct jc_tensor tensor = {.name = name};
    if (!json_is_object(entry) || json_object_size(entry) != 3)
        return jc_fail(err, JC_E_FORMAT, "not an object of dtype, shape and data_offsets");
    jc_code code = parse_dtype(json_object_get(entry, "dtype"), &tensor.dtype, err);
    if (code)
        return code;
    code = parse_sizes(json_object_get(entry, "shape"), "shape", JC_TENSOR_MAX_RANK, tensor.shape, &tensor.rank, err);
    if (code)
        return code;
    size_t offsets[2], n_offsets;
    code = parse_sizes(json_object_get(entry, "data_offsets"), "data_offsets", 2, offsets, &n_offsets, err);
    if (code)
        return code;
    if (n_offsets != 2 || offsets[0] > offsets[1] || offsets[1] > n_data)
        return jc_fail(err, JC_E_FORMAT, "data_offsets are not a range inside the %zu data bytes", n_data);

    tensor.data = data + offsets[0];
    tensor.n_bytes = offsets[1] - offsets[0];
    size_t n_bytes;
    if (!measure_tensor(tensor.dtype, tensor.rank, tensor.shape, &n_bytes) || n_bytes != tensor.n_bytes) {
        char shape[SHAPE_TEXT];
        format_shape(tensor.rank, tensor.shape, shape);
        return jc_fail(err, JC_E_FORMAT, "%zu data bytes do not make %s %s", tensor.n_bytes, dtypes[tensor.dtype].name,
                       shape);
    }
    if (n_bytes && (uintptr_t)tensor.data % dtypes[tensor.dtype].size)
        return jc_fail(err, JC_E_FORMAT, "data is not aligned to its %zu-byte elements", dtypes[tensor.dtype].size);
    *ret_tensor = tensor;
    return JC_OK;
}

static jc_code check_metadata(json_t *metadata, struct jc_err *err)
{
    if (!json_is_object(metadata))
        return jc_fail(err, JC_E_FORMAT, METADATA " is not an object");
    for (void *i = json_object_iter(metadata); i; i = json_object_iter_next(metadata, i))
        if (!json_is_string(json_object_iter_value(i)))
            return jc_fail(err, JC_E_FORMAT, METADATA " '%.40s' is not a string", json_object_iter_key(i));
    return JC_OK;
}

/* By place in the file; empty tensors, which share the place of their successor, come first and by name. */
static int compare_places(const void *a, const void *b)
{
    const struct jc_tensor *x = a, *y = b;
    if (x->data != y->data)
        return (uintptr_t)x->data < (uintptr_t)y->data ? -1 : 1;
    if (x->n_bytes != y->n_bytes)
        return x->n_bytes < y->n_bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The sorted tensors must cover the data bytes exactly. */
static jc_code check_layout(const struct jc_safetensors *file, const unsigned char *data, size_t n_data,
                            struct jc_err *err)
{
    const unsigned char *end = data;
    for (size_t i = 0; i < file->n_tensors; i++) {
        const struct jc_tensor *tensor = &file->tensors[i];
        const unsigned char *begin = tensor->data;
        if (begin < end)
            return jc_fail(err, JC_E_FORMAT, "tensor '%.100s' overlaps '%.100s'", tensor->name, tensor[-1].name);
        if (begin > end)
            return jc_fail(err, JC_E_FORMAT, "%td unused bytes in front of tensor '%.100s'", begin - end, tensor->name);
        end = begin + tensor->n_bytes;
    }
    if (end != data + n_data)
        return jc_fail(err, JC_E_FORMAT, "%td unused bytes behind the last tensor", data + n_data - end);
    return JC_OK;
}

static jc_code parse_entries(struct jc_safetensors *file, const unsigned char *data, size_t n_data, struct jc_err *err)
{
    json_t *header = jc_json_root(file->header);
    file->tensors = calloc(json_object_size(header) + 1, sizeof(*file->tensors));
    if (!file->tensors)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (void *i = json_object_iter(header); i; i = json_object_iter_next(header, i)) {
        const char *name = json_object_iter_key(i);
        jc_code code;
        if (strcmp(name, METADATA) == 0) {
            code = check_metadata(json_object_iter_value(i), err);
        } else {
            code = parse_tensor(name, json_object_iter_value(i), data, n_data, &file->tensors[file->n_tensors++], err);
            if (code)
                jc_wrap(err, "tensor '%.100s'", name);
        }
        if (code)
            return code;
    }
    qsort(file->tensors, file->n_tensors, sizeof(*file->tensors), compare_places);
    return check_layout(file, data, n_data, err);
}

static jc_code parse_file(struct jc_safetensors *file, struct jc_err *err)
{
    if (file->map.n < LENGTH_BYTES)
        return jc_fail(err, JC_E_FORMAT, "%zu bytes are too few for a safetensors file", file->map.n);
    uint64_t n_header;
    memcpy(&n_header, file->map.data, LENGTH_BYTES);
    if (n_header > HEADER_MAX)
        return jc_fail(err, JC_E_FORMAT, "header of %" PRIu64 " bytes, more than %u", n_header, HEADER_MAX);
    if (n_header > file->map.n - LENGTH_BYTES)
        return jc_fail(err, JC_E_FORMAT, "header of %" PRIu64 " bytes in a file of %zu", n_header, file->map.n);

    const unsigned char *header = file->map.data + LENGTH_BYTES;
    json_error_t where;
    jc_code code = jc_json_parse((const char *)header, n_header, &file->header, &where);
    if (code)
        return jc_fail(err, code, "header, byte %d: %s", where.position, where.text);
    if (!json_is_object(jc_json_root(file->header)))
        return jc_fail(err, JC_E_FORMAT, "header is not a JSON object");
    return parse_entries(file, header + n_header, file->map.n - LENGTH_BYTES - (size_t)n_header, err);
}

jc_code jc_safetensors_open(const char *path, struct jc_safetensors **ret_file, struct jc_err *err)
{
    JC_AUTO(jc_safetensors) struct jc_safetensors *file = calloc(1, sizeof(*file));
    if (!file)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    jc_code code = jc_map_file(path, &file->map, err);
    if (code)
        return code;
    if (parse_file(file, err))
        return jc_wrap(err, "%s", path);
    *ret_file = TAKE(file);
    return JC_OK;
}

const struct jc_tensor *jc_safetensors_tensors(const struct jc_safetensors *file, size_t *ret_n)
{
    *ret_n = file->n_tensors;
    return file->tensors;
}

const struct jc_tensor *jc_safetensors_find(const struct jc_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->n_tensors; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

jc_code jc_safetensors_get_f32(const struct jc_safetensors *file, const char *name, size_t rank, const size_t *shape,
                               const float **ret_data, struct jc_err *err)
{
    char wanted[SHAPE_TEXT], found[SHAPE_TEXT];
    format_shape(rank, shape, wanted);
    const struct jc_tensor *tensor = jc_safetensors_find(file, name);
    if (!tensor)
        return jc_fail(err, JC_E_FORMAT, "tensor '%s' (F32 %s) is missing", name, wanted);
    if (tensor->dtype != JC_DTYPE_F32 || tensor->rank != rank ||
        (rank && memcmp(tensor->shape, shape, rank * sizeof(*shape)) != 0)) {
        format_shape(tensor->rank, tensor->shape, found);
        return jc_fail(err, JC_E_FORMAT, "tensor '%s' is %s %s, not F32 %s", name, dtypes[tensor->dtype].name, found,
                       wanted);
    }
    *ret_data = tensor->data;
    return JC_OK;
}

/* Large elements first keep every tensor aligned; the name makes the order one. */
static int compare_for_writing(const void *a, const void *b)
{
    const struct jc_tensor *x = *(const struct jc_tensor *const *)a, *y = *(const struct jc_tensor *const *)b;
    size_t x_size = dtypes[x->dtype].size, y_size = dtypes[y->dtype].size;
    if (x_size != y_size)
        return x_size > y_size ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Whether tensors[i] can be written beside those in front of it. */
static jc_code check_tensor(const struct jc_tensor *tensors, size_t i, struct jc_err *err)
{
    const struct jc_tensor *tensor = &tensors[i];
    size_t n_bytes;
    if ((size_t)tensor->dtype >= JC_COUNT(dtypes) || tensor->rank > JC_TENSOR_MAX_RANK ||
        !measure_tensor(tensor->dtype, tensor->rank, tensor->shape, &n_bytes) || n_bytes != tensor->n_bytes)
        return jc_fail(err, JC_E_INVALID, "tensor '%s': type, shape and %zu bytes do not agree", tensor->name,
                       tensor->n_bytes);
    if (strcmp(tensor->name, METADATA) == 0)
        return jc_fail(err, JC_E_INVALID, "a tensor cannot be named " METADATA);
    for (size_t k = 0; k < i; k++)
        if (strcmp(tensors[k].name, tensor->name) == 0)
            return jc_fail(err, JC_E_INVALID, "two tensors are named '%s'", tensor->name);
    return JC_OK;
}

/* The JSON header, padded with spaces so that the data begins on a multiple of 8 bytes. */
static void put_header(struct jc_buf *buf, const struct jc_tensor *const *tensors, size_t n_tensors)
{
    size_t offset = 0;
    jc_buf_putc(buf, '{');
    for (size_t i = 0; i < n_tensors; i++) {
        const struct jc_tensor *tensor = tensors[i];
        if (i)
            jc_buf_putc(buf, ',');
        jc_buf_put_json(buf, tensor->name, strlen(tensor->name));
        jc_buf_printf(buf, ":{\"dtype\":\"%s\",\"shape\":[", dtypes[tensor->dtype].name);
        for (size_t d = 0; d < tensor->rank; d++)
            jc_buf_printf(buf, "%s%zu", d ? "," : "", tensor->shape[d]);
        jc_buf_printf(buf, "],\"data_offsets\":[%zu,%zu]}", offset, offset + tensor->n_bytes);
        offset += tensor->n_bytes;
    }
    jc_buf_putc(buf, '}');
    while (buf->n % 8 && !buf->failed)
        jc_buf_putc(buf, ' ');
}

jc_code jc_safetensors_write(const char *path, const struct jc_tensor *tensors, size_t n_tensors, struct jc_err *err)
{
    JC_AUTO_FREE const struct jc_tensor **sorted = calloc(n_tensors + 1, sizeof(*sorted));
    if (!sorted)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n_tensors; i++) {
        if (check_tensor(tensors, i, err))
            return jc_wrap(err, "%s", path);
        sorted[i] = &tensors[i];
    }
    qsort(sorted, n_tensors, sizeof(*sorted), compare_for_writing);

    JC_AUTO_BUF struct jc_buf buf = {0};
    uint64_t n_header = 0;
    jc_buf_put(&buf, &n_header, LENGTH_BYTES);
    put_header(&buf, sorted, n_tensors);
    n_header = buf.n - LENGTH_BYTES;
    for (size_t i = 0; i < n_tensors; i++)
        jc_buf_put(&buf, sorted[i]->data, sorted[i]->n_bytes);
    jc_code code = jc_buf_check(&buf, err);
    if (code)
        return jc_wrap(err, "%s", path);
    memcpy(buf.data, &n_header, LENGTH_BYTES);
    return jc_file_write(path, buf.data, buf.n, err);
}
