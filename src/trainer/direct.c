/* Direct: a category's embedding is the vector of its label (its name, or name and description). Needs no examples. */
#include <string.h>

#include "trainer/method.h"

static jc_code fit(const struct jc_train_data *data, unsigned roles, struct jc_head *head, struct jc_err *err)
{
    (void)roles;
    jc_code code = jc_method_plain_head(data, head, err);
    if (code)
        return code;
    for (size_t i = 0; i < head->n_categories; i++)
        memcpy(head->matrix + i * jc_head_width(head), data->vectors + data->dataset->labels[i] * data->dim,
               data->dim * sizeof(*head->matrix));
    return JC_OK;
}

const struct jc_method jc_method_direct = {.name = "direct", .sharpness = 10, .fit = fit};
