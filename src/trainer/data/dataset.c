/* The dataset's memory, and how rows come into it. */
#include "trainer/data/dataset.h"

#include <string.h>

struct jc_dataset *jc_dataset_create(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = calloc(1, sizeof(*dataset));
    if (!dataset || !(dataset->texts = jc_texts_create()) || !(dataset->codes = jc_texts_create()))
        return NULL;
    return TAKE(dataset);
}

void jc_dataset_destroy(struct jc_dataset *dataset)
{
    if (!dataset)
        return;
    for (size_t i = 0; i < dataset->n_categories; i++) {
        free((void *)(uintptr_t)dataset->categories[i].code);
        free((void *)(uintptr_t)dataset->categories[i].title);
    }
    jc_buf_finish(&dataset->scratch);
    jc_texts_destroy(dataset->codes);
    jc_texts_destroy(dataset->texts);
    free(dataset->labels);
    free(dataset->examples);
    free(dataset->categories);
    free(dataset);
}

bool jc_dataset_find_category(const struct jc_dataset *dataset, const char *code, uint32_t *ret_category)
{
    return jc_texts_find(dataset->codes, code, strlen(code), ret_category);
}

/* Room for one more category and its label. */
static jc_code grow_categories(struct jc_dataset *dataset, struct jc_err *err)
{
    if (dataset->n_categories < dataset->cap_categories)
        return JC_OK;
    size_t cap = dataset->cap_categories ? 2 * dataset->cap_categories : 256;
    struct jc_category *categories = reallocarray(dataset->categories, cap, sizeof(*categories));
    if (categories)
        dataset->categories = categories;
    uint32_t *labels = reallocarray(dataset->labels, cap, sizeof(*labels));
    if (labels)
        dataset->labels = labels;
    if (!categories || !labels)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu categories", cap);
    dataset->cap_categories = cap;
    return JC_OK;
}

/* Cleans a title as serving does and numbers its text; *ret_empty, and no text, where nothing is left of it. */
static jc_code add_text(struct jc_dataset *dataset, const char *title, bool *ret_empty, uint32_t *ret_text,
                        struct jc_err *err)
{
    const struct jc_posting posting = {.title = title, .n_title = strlen(title)};
    struct jc_buf *text = &dataset->scratch;
    jc_code code = jc_posting_text(&posting, JC_POSTING_TITLE, text, err);
    if (code)
        return code;
    *ret_empty = text->n == 0;
    return *ret_empty ? JC_OK : jc_texts_add(dataset->texts, text->data, text->n, ret_text, err);
}

static jc_code add_label(struct jc_dataset *dataset, const char *label, uint32_t *ret_text, struct jc_err *err)
{
    bool empty;
    jc_code code = add_text(dataset, label, &empty, ret_text, err);
    if (!code && empty)
        return jc_fail(err, JC_E_FORMAT, "'%.60s': no letter or digit is left after cleaning", label);
    return code;
}

jc_code jc_dataset_add_category(struct jc_dataset *dataset, const char *category_code, const char *title,
                                const char *label, uint32_t *ret_category, struct jc_err *err)
{
    if (jc_dataset_find_category(dataset, category_code, ret_category))
        return JC_OK;
    uint32_t text, index;
    jc_code code = jc_category_check(category_code, strlen(category_code), title, strlen(title), err);
    if (code)
        return jc_wrap(err, "category '%.60s'", category_code);
    if ((code = grow_categories(dataset, err)))
        return code;
    if ((code = add_label(dataset, label ? label : title, &text, err)))
        return jc_wrap(err, "category %s", category_code);
    struct jc_category category = {.code = strdup(category_code), .title = strdup(title)};
    if (!category.code || !category.title ||
        jc_texts_add(dataset->codes, category_code, strlen(category_code), &index, err)) {
        free((void *)(uintptr_t)category.code);
        free((void *)(uintptr_t)category.title);
        return jc_fail(err, JC_E_NOMEM, "no memory for category %s", category_code);
    }
    dataset->labels[index] = text;
    dataset->categories[index] = category;
    dataset->n_categories++;
    *ret_category = index;
    return JC_OK;
}

jc_code jc_dataset_add(struct jc_dataset *dataset, const struct jc_example *example, struct jc_err *err)
{
    if (dataset->n_examples == dataset->cap_examples) {
        size_t cap = dataset->cap_examples ? 2 * dataset->cap_examples : 4096;
        if (cap > (size_t)1 << 31)
            return jc_fail(err, JC_E_TOO_LARGE, "more than %zu rows", dataset->n_examples);
        struct jc_example *examples = reallocarray(dataset->examples, cap, sizeof(*examples));
        if (!examples)
            return jc_fail(err, JC_E_NOMEM, "no memory for %zu rows", cap);
        dataset->examples = examples;
        dataset->cap_examples = cap;
    }
    dataset->examples[dataset->n_examples++] = *example;
    return JC_OK;
}

jc_code jc_dataset_add_title(struct jc_dataset *dataset, const char *title, struct jc_example example,
                             struct jc_err *err)
{
    bool empty;
    jc_code code = add_text(dataset, title, &empty, &example.text, err);
    if (code)
        return jc_wrap(err, "'%.60s'", title);
    dataset->n_empty += empty;
    return empty ? JC_OK : jc_dataset_add(dataset, &example, err);
}

const char *jc_dataset_example_text(const struct jc_dataset *dataset, size_t i)
{
    size_t n;
    return jc_texts_get(dataset->texts, dataset->examples[i].text, &n);
}

size_t jc_dataset_count(const struct jc_dataset *dataset, unsigned roles)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->n_examples; i++)
        n += (dataset->examples[i].role & roles) != 0;
    return n;
}
