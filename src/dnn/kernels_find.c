/* Which kernels this processor runs. */
#include <dnnl.h>
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "dnn/kernels.h"

extern const struct jc_dnn_kernels jc_dnn_kernels_generic;
#ifdef __x86_64__
extern const struct jc_dnn_kernels jc_dnn_kernels_avx2, jc_dnn_kernels_avx512;
#endif

/* oneDNN names the sets by bits; a larger set has those of the smaller. */
static bool has(unsigned isa)
{
    return ((unsigned)dnnl_get_effective_cpu_isa() & isa) == isa;
}

const struct jc_dnn_kernels *jc_dnn_kernels_get(const char *name)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (strcmp(name, "avx512") == 0 && has(dnnl_cpu_isa_avx512_core))
        return &jc_dnn_kernels_avx512;
    if (strcmp(name, "avx2") == 0 && has(dnnl_cpu_isa_avx2) && __builtin_cpu_supports("fma"))
        return &jc_dnn_kernels_avx2;
#endif
    return strcmp(name, "generic") == 0 ? &jc_dnn_kernels_generic : NULL;
}

const struct jc_dnn_kernels *jc_dnn_kernels_find(void)
{
    static const char *const names[] = {"avx512", "avx2", "generic"};
    const struct jc_dnn_kernels *kernels = NULL;
    for (size_t i = 0; i < JC_COUNT(names) && !kernels; i++)
        kernels = jc_dnn_kernels_get(names[i]);
    return kernels;
}

size_t jc_dnn_attend_scratch(size_t max_tokens, size_t dim)
{
    return (max_tokens + JC_DNN_LANES - 1) / JC_DNN_LANES * JC_DNN_LANES * (dim + JC_DNN_ATTEND_ROWS);
}
