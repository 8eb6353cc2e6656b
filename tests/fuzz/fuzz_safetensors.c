/*
 * libFuzzer: bytes as a safetensors file. Checked besides the sanitizers: every byte of a tensor can be read, an error
 * has a text, and what is accepted is the same after it was written and read again.
 */
#include <string.h>

#include "artifact/safetensors.h"
#include "fuzz.h"

static void check_same(const struct jc_safetensors *a, const struct jc_safetensors *b)
{
    size_t n_a, n_b;
    const struct jc_tensor *tensors = jc_safetensors_tensors(a, &n_a);
    jc_safetensors_tensors(b, &n_b);
    ENSURE(n_a == n_b);
    for (size_t i = 0; i < n_a; i++) {
        const struct jc_tensor *other = jc_safetensors_find(b, tensors[i].name);
        ENSURE(other && other->dtype == tensors[i].dtype && other->rank == tensors[i].rank);
        ENSURE(memcmp(other->shape, tensors[i].shape, sizeof other->shape) == 0);
        ENSURE(other->n_bytes == tensors[i].n_bytes);
        ENSURE(other->n_bytes == 0 || memcmp(other->data, tensors[i].data, other->n_bytes) == 0);
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct jc_err err = {0};
    JC_AUTO(jc_safetensors) struct jc_safetensors *file = NULL, *again = NULL;
    if (jc_safetensors_open(fuzz_file(data, n), &file, &err)) {
        ENSURE(err.code == JC_E_FORMAT && *err.text && !file);
        return 0;
    }
    size_t n_tensors;
    const struct jc_tensor *tensors = jc_safetensors_tensors(file, &n_tensors);
    ENSURE(jc_safetensors_write(fuzz_output(), tensors, n_tensors, &err) == JC_OK);
    ENSURE(jc_safetensors_open(fuzz_output(), &again, &err) == JC_OK);
    check_same(file, again);
    return 0;
}
