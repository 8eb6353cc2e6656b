/* The dataset's memory, and the step `clean`. */
#include "trainer/dataset.h"

#include <string.h>

#include "text/posting.h"

struct jc_dataset *jc_dataset_create(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = calloc(1, sizeof(*dataset));
    if (!dataset || !(dataset->texts = jc_texts_create()))
        return NULL;
    return TAKE(dataset);
}

void jc_dataset_destroy(struct jc_dataset *dataset)
{
    if (!dataset)
        return;
    jc_texts_destroy(dataset->texts);
    free(dataset->labels);
    free(dataset->examples);
    free(dataset->categories);
    jc_onet_destroy(dataset->onet);
    free(dataset);
}

jc_code jc_dataset_add(struct jc_dataset *dataset, const struct jc_example *example, struct jc_err *err)
{
    if (dataset->n_examples == dataset->cap_examples) {
        size_t cap = dataset->cap_examples ? 2 * dataset->cap_examples : 4096;
        struct jc_example *examples = reallocarray(dataset->examples, cap, sizeof(*examples));
        if (!examples)
            return jc_fail(err, JC_E_NOMEM, "no memory for %zu rows", cap);
        dataset->examples = examples;
        dataset->cap_examples = cap;
    }
    dataset->examples[dataset->n_examples++] = *example;
    return JC_OK;
}

size_t jc_dataset_count(const struct jc_dataset *dataset, unsigned roles)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->n_examples; i++)
        n += (dataset->examples[i].role & roles) != 0;
    return n;
}

/* The model's input for a raw title; *ret_empty where nothing is left of it. */
static jc_code clean_text(const char *raw, struct jc_buf *buf, struct jc_texts *texts, bool *ret_empty,
                          uint32_t *ret_text, struct jc_err *err)
{
    struct jc_posting posting = {.title = raw, .n_title = strlen(raw)};
    jc_code code = jc_posting_text(&posting, buf, err);
    if (code)
        return jc_wrap(err, "'%.60s'", raw);
    *ret_empty = buf->n == 0;
    return *ret_empty ? JC_OK : jc_texts_add(texts, buf->data, buf->n, ret_text, err);
}

static jc_code clean_examples(struct jc_dataset *dataset, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    size_t n_kept = 0;
    for (size_t i = 0; i < dataset->n_examples; i++) {
        struct jc_example example = dataset->examples[i];
        bool empty;
        jc_code code = clean_text(example.raw, &buf, dataset->texts, &empty, &example.text, err);
        if (code)
            return code;
        if (!empty)
            dataset->examples[n_kept++] = example;
    }
    dataset->n_empty += dataset->n_examples - n_kept;
    dataset->n_examples = n_kept;
    return JC_OK;
}

static jc_code clean_labels(struct jc_dataset *dataset, enum jc_direct_text label, struct jc_err *err)
{
    size_t n;
    const struct jc_onet_occupation *occupations = jc_onet_occupations(dataset->onet, &n);
    JC_AUTO_BUF struct jc_buf raw = {0}, buf = {0};
    dataset->labels = calloc(dataset->n_categories, sizeof(*dataset->labels));
    if (!dataset->labels)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu categories", dataset->n_categories);
    for (size_t i = 0; i < dataset->n_categories; i++) {
        jc_buf_clear(&raw);
        jc_buf_puts(&raw, occupations[i].title);
        if (label == JC_DIRECT_NAME_DESCRIPTION)
            jc_buf_printf(&raw, ". %s", occupations[i].description);
        bool empty;
        jc_code code = jc_buf_check(&raw, err);
        if (code || (code = clean_text(raw.data, &buf, dataset->texts, &empty, &dataset->labels[i], err)))
            return code;
        if (empty)
            return jc_fail(err, JC_E_FORMAT, "category %s has a name without text", dataset->categories[i].code);
    }
    return JC_OK;
}

jc_code jc_dataset_clean(struct jc_dataset *dataset, enum jc_direct_text label, struct jc_err *err)
{
    jc_code code = clean_examples(dataset, err);
    return code ? code : clean_labels(dataset, label, err);
}
