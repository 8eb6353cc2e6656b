/* Average: a category's embedding is the normalised mean of its examples' unit vectors. A title that stands in several
 * examples of a category counts as often. */
#include <string.h>

#include "linalg/linalg.h"
#include "trainer/method.h"

static jc_code fit(const struct jc_train_data *data, unsigned roles, float *ret_embeddings, struct jc_err *err)
{
    const struct jc_dataset *dataset = data->dataset;
    size_t dim = data->dim;
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        if (example->role & roles)
            jc_vec_add(ret_embeddings + example->category * dim, 1, data->vectors + example->text * dim, dim);
    }
    for (size_t i = 0; i < dataset->n_categories; i++) {
        float *embedding = ret_embeddings + i * dim;
        if (jc_vec_normalize(embedding, dim) == 0)
            memcpy(embedding, data->vectors + dataset->labels[i] * dim, dim * sizeof(*embedding));
        if (!jc_vec_is_finite(embedding, dim))
            return jc_fail(err, JC_E_MODEL, "category %s has an average that is not finite",
                           dataset->categories[i].code);
    }
    return JC_OK;
}

const struct jc_method jc_method_average = {.name = "average", .fit = fit};
