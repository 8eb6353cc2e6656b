/* Finding and checking tensors. See checkpoint.h. */
#include "dnn/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "linalg/linalg.h"

static const struct jc_tensor *find(const struct jc_dnn_tensors *tensors, const char *name)
{
    for (size_t i = 0; i < tensors->n_tensors; i++)
        if (strcmp(tensors->tensors[i].name, name) == 0)
            return &tensors->tensors[i];
    return NULL;
}

/* "[1536, 384]" */
static void print_shape(size_t rank, const size_t *shape, char ret_text[96])
{
    size_t n = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < rank && n < 64; i++)
        n += (size_t)snprintf(ret_text + n, 96 - n, "%s%zu", i ? ", " : "", shape[i]);
}

jc_code jc_dnn_tensors_get(const struct jc_dnn_tensors *tensors, const char *prefix, const char *name, size_t rows,
                           size_t columns, const float **ret_data, struct jc_err *err)
{
    static const char bert[] = "bert.";
    char full[192], found[96], wanted[96];
    snprintf(full, sizeof full, "%s%s%s", bert, prefix, name);
    const char *bare = full + sizeof bert - 1;
    const struct jc_tensor *tensor = find(tensors, bare);
    if (!tensor)
        tensor = find(tensors, full);
    if (!tensor)
        return jc_fail(err, JC_E_FORMAT, "tensor '%s' is missing", bare);
    const size_t shape[] = {rows, columns}, rank = columns ? 2 : 1;
    if (tensor->rank != rank || memcmp(tensor->shape, shape, rank * sizeof *shape) != 0) {
        print_shape(tensor->rank, tensor->shape, found);
        print_shape(rank, shape, wanted);
        return jc_fail(err, JC_E_FORMAT, "tensor '%s' is [%s], not [%s]", bare, found, wanted);
    }
    if (tensor->dtype != JC_DTYPE_F32)
        return jc_fail(err, JC_E_FORMAT, "tensor '%s' is not float32", bare);
    const size_t n = rows * (columns ? columns : 1);
    if (tensor->n_bytes != n * sizeof(float))
        return jc_fail(err, JC_E_FORMAT, "tensor '%s' has %zu bytes, which is not its shape's", bare, tensor->n_bytes);
    if (!jc_vec_is_finite(tensor->data, n))
        return jc_fail(err, JC_E_FORMAT, "tensor '%s' has values that are not finite", bare);
    *ret_data = tensor->data;
    return JC_OK;
}
