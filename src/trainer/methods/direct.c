/* Direct: a category's embedding is the vector of its label (its name, or name and description). Needs no examples. */
#include <string.h>

#include "trainer/methods/method.h"

static jc_code fit_head(const struct jc_fit *fit, struct jc_head *head, struct jc_err *err)
{
    const struct jc_train_data *data = fit->data;
    jc_code code = jc_method_plain_head(data, head, err);
    if (code)
        return code;
    for (size_t i = 0; i < head->n_categories; i++)
        memcpy(head->matrix + i * jc_head_width(head), jc_train_vector(data, data->dataset->labels[i]),
               data->dim * sizeof(*head->matrix));
    return JC_OK;
}

const struct jc_method jc_method_direct = {
    .name = "direct", .help = "the vector of a category's name; needs no titles", .sharpness = 10, .fit = fit_head};
