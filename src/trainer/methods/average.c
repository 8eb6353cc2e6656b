/* Average: a category's embedding is the normalised mean of its examples' unit vectors by their weights. A title that
 * stands in several examples of a category counts as often. */
#include <string.h>

#include "linalg/linalg.h"
#include "trainer/methods/method.h"

void jc_method_average_rows(const struct jc_train_data *data, unsigned roles, struct jc_head *head)
{
    const struct jc_dataset *dataset = data->dataset;
    size_t dim = data->dim, width = jc_head_width(head);
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        if (example->role & roles)
            jc_vec_add(head->matrix + example->category * width, example->weight, jc_train_vector(data, example->text),
                       dim);
    }
    for (size_t i = 0; i < dataset->n_categories; i++)
        if (jc_vec_normalize(head->matrix + i * width, dim) == 0)
            memcpy(head->matrix + i * width, jc_train_vector(data, dataset->labels[i]), dim * sizeof(*head->matrix));
}

static jc_code fit_head(const struct jc_fit *fit, struct jc_head *head, struct jc_err *err)
{
    jc_code code = jc_method_plain_head(fit->data, head, err);
    if (code)
        return code;
    jc_method_average_rows(fit->data, fit->roles, head);
    return JC_OK;
}

const struct jc_method jc_method_average = {
    .name = "average", .help = "the mean vector of a category's titles", .sharpness = 10, .fit = fit_head};
