/* Reading an O*NET text release: occupations, and the titles it lists for them. */
#include <string.h>

#include "data/onet.h"
#include "trainer/data/read.h"

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

static struct jc_example make_example(const struct jc_train_config *config, uint32_t category)
{
    return (struct jc_example){.category = category,
                               .parent = JC_EXAMPLE_NO_PARENT,
                               .n_sources = 1,
                               .weight = (float)config->source.weight,
                               .auxiliary = config->postings.n > 0};
}

static jc_code add_occupation(const struct jc_train_config *config, const struct jc_onet_occupation *occupation,
                              struct jc_dataset *dataset, uint32_t *ret_category, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf label = {0};
    jc_buf_puts(&label, occupation->title);
    if (config->direct_text == JC_DIRECT_NAME_DESCRIPTION)
        jc_buf_printf(&label, ". %s", occupation->description);
    jc_code code = jc_buf_check(&label, err);
    if (!code)
        code = jc_dataset_add_category(dataset, occupation->code, occupation->title, label.data, ret_category, err);
    if (!code && config->source.names)
        code = jc_dataset_add_title(dataset, occupation->title, make_example(config, *ret_category), err);
    if (!code && config->source.descriptions && *occupation->description)
        code = jc_dataset_add_title(dataset, occupation->description, make_example(config, *ret_category), err);
    return code;
}

jc_code jc_read_onet(const struct jc_train_config *config, const char *folder, struct jc_dataset *dataset,
                     struct jc_err *err)
{
    JC_AUTO(jc_onet) struct jc_onet *onet = NULL;
    jc_code code = jc_onet_load(folder, &onet, err);
    if (code)
        return code;
    size_t n, n_titles;
    const struct jc_onet_occupation *occupations = jc_onet_occupations(onet, &n);
    const struct jc_onet_title *titles = jc_onet_titles(onet, &n_titles);
    JC_AUTO_FREE uint32_t *categories = calloc(n, sizeof(*categories));
    if (!categories)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu occupations", n);
    for (size_t i = 0; i < n && !code; i++)
        code = add_occupation(config, &occupations[i], dataset, &categories[i], err);
    for (size_t i = 0; config->source.alternate_titles && i < n_titles && !code; i++) {
        if (is_excluded(&titles[i], &config->source.exclude_sources))
            continue;
        struct jc_example example = make_example(config, categories[titles[i].occupation]);
        example.n_sources = count_sources(titles[i].sources);
        example.from_postings = jc_onet_title_has_source(&titles[i], "10");
        code = jc_dataset_add_title(dataset, titles[i].title, example, err);
    }
    return code;
}
