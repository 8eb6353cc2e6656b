/* The rows that calibrate: titles drawn from those that train. */
#include "trainer/data/split_impl.h"

/* Keeps the titles that are not to be drawn: kept[title]. counts: [n_categories], zeros. */
static void mark_kept(const struct jc_dataset *dataset, const struct jc_split_titles *titles, size_t *counts,
                      bool *kept)
{
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        counts[example->category] += example->role == JC_ROLE_TRAIN && jc_example_is_row(example);
    }
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        if (example->role == JC_ROLE_TRAIN && jc_example_is_row(example) &&
            (example->auxiliary || counts[example->category] <= JC_SPLIT_RARE))
            kept[jc_split_title(titles, example)] = true;
    }
}

jc_code jc_split_validation(struct jc_dataset *dataset, double share, uint64_t seed, struct jc_err *err)
{
    if (jc_dataset_count(dataset, JC_ROLE_VALIDATION))
        return JC_OK;
    JC_AUTO_FINISH(jc_split_titles) struct jc_split_titles titles = {0};
    jc_code code = jc_split_titles_init(&titles, dataset, err);
    if (code)
        return code;
    JC_AUTO_FREE size_t *counts = calloc(dataset->n_categories + 1, sizeof(*counts));
    JC_AUTO_FREE bool *kept = calloc(titles.n + 1, sizeof(*kept));
    if (!counts || !kept)
        return jc_fail(err, JC_E_NOMEM, "no memory to split the rows");
    mark_kept(dataset, &titles, counts, kept);
    for (size_t i = 0; i < dataset->n_examples; i++) {
        struct jc_example *example = &dataset->examples[i];
        uint32_t title = jc_split_title(&titles, example);
        if (example->role == JC_ROLE_TRAIN && jc_split_is_drawn(example) && !kept[title] &&
            jc_split_unit(jc_split_draw(titles.hashes[title], seed, JC_SPLIT_FOR_VALIDATION)) < share)
            example->role = JC_ROLE_VALIDATION;
    }
    jc_split_follow(dataset, &titles, JC_ROLE_VALIDATION);
    return JC_OK;
}
