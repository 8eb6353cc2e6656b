/* The step `read`: an O*NET text release becomes categories and examples. */
#include <string.h>

#include "trainer/dataset.h"

static jc_code find_folder(const struct jc_train_config *config, const char **ret_folder, struct jc_err *err)
{
    const char *folder = *config->source.onet_dir ? config->source.onet_dir : getenv("JOBCODE_ONET_DIR");
    if (!folder || !*folder)
        return jc_fail(err, JC_E_NOT_FOUND,
                       "no training data: set source.onet_dir or JOBCODE_ONET_DIR to the folder of an O*NET text "
                       "release (the O*NET Center's database page, https://www.onetcenter.org/database.html)");
    *ret_folder = folder;
    return JC_OK;
}

static bool is_excluded(const struct jc_onet_title *title, const struct jc_conf_list *sources)
{
    for (size_t i = 0; i < sources->n; i++)
        if (jc_onet_title_has_source(title, sources->items[i]))
            return true;
    return false;
}

static uint32_t count_sources(const char *sources)
{
    uint32_t n = *sources != '\0';
    for (; *sources; sources++)
        n += *sources == ',';
    return n;
}

static jc_code add_occupations(struct jc_dataset *dataset, const struct jc_train_config *config, struct jc_err *err)
{
    size_t n;
    const struct jc_onet_occupation *occupations = jc_onet_occupations(dataset->onet, &n);
    dataset->categories = calloc(n, sizeof(*dataset->categories));
    if (!dataset->categories)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu categories", n);
    dataset->n_categories = n;
    for (size_t i = 0; i < n; i++) {
        dataset->categories[i] = (struct jc_category){.code = occupations[i].code, .title = occupations[i].title};
        struct jc_example example = {.category = (uint32_t)i, .role = JC_ROLE_TRAIN, .n_sources = 1};
        jc_code code = JC_OK;
        if (config->source.names) {
            example.raw = occupations[i].title;
            code = jc_dataset_add(dataset, &example, err);
        }
        if (!code && config->source.descriptions && *occupations[i].description) {
            example.raw = occupations[i].description;
            code = jc_dataset_add(dataset, &example, err);
        }
        if (code)
            return code;
    }
    return JC_OK;
}

static jc_code add_titles(struct jc_dataset *dataset, const struct jc_train_config *config, struct jc_err *err)
{
    size_t n;
    const struct jc_onet_title *titles = jc_onet_titles(dataset->onet, &n);
    for (size_t i = 0; i < n; i++) {
        if (is_excluded(&titles[i], &config->source.exclude_sources))
            continue;
        struct jc_example example = {
            .raw = titles[i].title,
            .category = titles[i].occupation,
            .n_sources = count_sources(titles[i].sources),
            .role = JC_ROLE_TRAIN,
            .from_postings = jc_onet_title_has_source(&titles[i], "10"),
        };
        jc_code code = jc_dataset_add(dataset, &example, err);
        if (code)
            return code;
    }
    return JC_OK;
}

jc_code jc_dataset_read(struct jc_dataset *dataset, const struct jc_train_config *config, struct jc_err *err)
{
    const char *folder = NULL;
    jc_code code;
    if ((code = find_folder(config, &folder, err)) || (code = jc_onet_load(folder, &dataset->onet, err)) ||
        (code = add_occupations(dataset, config, err)))
        return code;
    return config->source.alternate_titles ? add_titles(dataset, config, err) : JC_OK;
}
