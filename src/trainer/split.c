/* The step `split`. */
#include "trainer/split.h"

#include <string.h>

#include "base/rng.h"

void jc_split_normalize(const char *title, struct jc_buf *buf)
{
    jc_buf_clear(buf);
    bool gap = false;
    for (; *title; title++) {
        char c = *title >= 'A' && *title <= 'Z' ? (char)(*title - 'A' + 'a') : *title;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '#' || c == '&')) {
            gap = true;
            continue;
        }
        if (gap && buf->n)
            jc_buf_putc(buf, ' ');
        gap = false;
        jc_buf_putc(buf, c);
    }
}

static jc_code add_training_titles(const struct jc_dataset *dataset, struct jc_texts *titles, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    for (size_t i = 0; i < dataset->n_examples; i++) {
        if (dataset->examples[i].from_postings)
            continue;
        uint32_t id;
        jc_split_normalize(dataset->examples[i].raw, &buf);
        jc_code code = jc_buf_check(&buf, err);
        if (code || (code = jc_texts_add(titles, buf.n ? buf.data : "", buf.n, &id, err)))
            return code;
    }
    return JC_OK;
}

static jc_code split_postings(struct jc_dataset *dataset, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    JC_AUTO(jc_texts) struct jc_texts *titles = jc_texts_create();
    if (!titles)
        return jc_fail(err, JC_E_NOMEM, "no memory to split the rows");
    jc_code code = add_training_titles(dataset, titles, err);
    if (code)
        return code;
    for (size_t i = 0; i < dataset->n_examples; i++) {
        struct jc_example *example = &dataset->examples[i];
        example->role = JC_ROLE_TRAIN;
        if (!example->from_postings)
            continue;
        jc_split_normalize(example->raw, &buf);
        if ((code = jc_buf_check(&buf, err)))
            return code;
        example->role = jc_texts_has(titles, buf.n ? buf.data : "", buf.n) ? JC_ROLE_UNUSED : JC_ROLE_TEST;
    }
    if (jc_dataset_count(dataset, JC_ROLE_TEST) == 0)
        return jc_fail(
            err, JC_E_INVALID,
            "no title is known from employers' postings alone: nothing to test with (is source 10 excluded?)");
    return JC_OK;
}

jc_code jc_split_dataset(struct jc_dataset *dataset, enum jc_split_kind kind, struct jc_err *err)
{
    jc_code code = JC_OK;
    if (kind == JC_SPLIT_POSTINGS)
        code = split_postings(dataset, err);
    else
        for (size_t i = 0; i < dataset->n_examples; i++)
            dataset->examples[i].role = JC_ROLE_TRAIN;
    if (!code && jc_dataset_count(dataset, JC_ROLE_TRAIN) == 0)
        return jc_fail(err, JC_E_INVALID, "no row is left to train with");
    return code;
}

/* FNV-1a, finished by splitmix64: uniform in [0, 1). */
static double hash_text(const char *text, size_t n)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    struct jc_rng rng = jc_rng_seeded(hash);
    return jc_rng_unit(&rng);
}

/* Marks the training texts of the categories that have few: kept[text]. */
static void mark_rare(const struct jc_dataset *dataset, size_t *counts, bool *kept)
{
    for (size_t i = 0; i < dataset->n_examples; i++)
        counts[dataset->examples[i].category] += dataset->examples[i].role == JC_ROLE_TRAIN;
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        if (example->role == JC_ROLE_TRAIN && counts[example->category] <= JC_SPLIT_RARE)
            kept[example->text] = true;
    }
}

jc_code jc_split_validation(struct jc_dataset *dataset, double share, struct jc_err *err)
{
    JC_AUTO_FREE size_t *counts = calloc(dataset->n_categories + 1, sizeof(*counts));
    JC_AUTO_FREE bool *kept = calloc(jc_texts_count(dataset->texts) + 1, sizeof(*kept));
    if (!counts || !kept)
        return jc_fail(err, JC_E_NOMEM, "no memory to split the rows");
    mark_rare(dataset, counts, kept);
    for (size_t i = 0; i < dataset->n_examples; i++) {
        struct jc_example *example = &dataset->examples[i];
        if (example->role != JC_ROLE_TRAIN || kept[example->text])
            continue;
        size_t n;
        const char *text = jc_texts_get(dataset->texts, example->text, &n);
        if (hash_text(text, n) < share)
            example->role = JC_ROLE_VALIDATION;
    }
    return JC_OK;
}
