/* The table of methods. */
#include "trainer/method.h"

#include <string.h>

#include "base/clock.h"

static const struct jc_method *const methods[] = {&jc_method_direct, &jc_method_average};

jc_code jc_method_find(const char *name, const struct jc_method **ret_method, struct jc_err *err)
{
    char names[256] = "";
    size_t n = 0;
    for (size_t i = 0; i < JC_COUNT(methods); i++) {
        if (strcmp(methods[i]->name, name) == 0) {
            *ret_method = methods[i];
            return JC_OK;
        }
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i ? ", " : "", methods[i]->name);
    }
    return jc_fail(err, JC_E_INVALID, "no method '%s'; there are: %s", name, names);
}

jc_code jc_method_fit(const struct jc_method *method, const struct jc_train_data *data, unsigned roles,
                      float **ret_embeddings, double *ret_seconds, struct jc_err *err)
{
    uint64_t start_ns = jc_clock_ns();
    JC_AUTO_FREE float *embeddings = calloc(data->dataset->n_categories, data->dim * sizeof(*embeddings));
    if (!embeddings)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu embeddings", data->dataset->n_categories);
    jc_code code = method->fit(data, roles, embeddings, err);
    if (code)
        return jc_wrap(err, "method %s", method->name);
    *ret_seconds = (double)(jc_clock_ns() - start_ns) / (double)JC_NS_PER_S;
    *ret_embeddings = TAKE(embeddings);
    return JC_OK;
}
