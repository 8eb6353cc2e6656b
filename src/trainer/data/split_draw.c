/* The drawn splits, random and stratified. What is drawn is a unit: all rows of a title where equal titles stay
 * together, else one row. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "trainer/data/split_impl.h"

/* A row that can test. */
struct drawn_row {
    uint64_t draw; /* of its unit */
    uint32_t unit; /* title or example */
    uint32_t category;
    uint32_t example;
};

struct drawn {
    struct drawn_row *rows;
    size_t n;
};

static void drawn_finish(struct drawn *drawn)
{
    free(drawn->rows);
}

/* By unit, in the order in which they were drawn; a unit's rows by category. */
static int compare_drawn(const void *a, const void *b)
{
    const struct drawn_row *left = a, *right = b;
    if (left->draw != right->draw)
        return left->draw < right->draw ? -1 : 1;
    if (left->unit != right->unit)
        return left->unit < right->unit ? -1 : 1;
    return (left->category > right->category) - (left->category < right->category);
}

static uint64_t hash_code(const struct jc_dataset *dataset, uint32_t category)
{
    const char *code = dataset->categories[category].code;
    return jc_hash_bytes(code, strlen(code));
}

/* What a row says: text, code and date. */
static uint64_t hash_row(const struct jc_dataset *dataset, const struct jc_example *example)
{
    size_t n;
    const char *text = jc_texts_get(dataset->texts, example->text, &n);
    const uint64_t parts[] = {jc_hash_bytes(text, n), hash_code(dataset, example->category),
                              (uint64_t)example->posted_s};
    return jc_hash_bytes(parts, sizeof(parts));
}

/* Each row becomes a unit. Rows that say the same are told apart by counting them: they all get draws of their own,
 * which others that are added later do not change. */
static void draw_rows(const struct jc_dataset *dataset, uint64_t seed, struct drawn *drawn)
{
    for (size_t i = 0; i < drawn->n; i++) {
        struct drawn_row *row = &drawn->rows[i];
        row->unit = row->example;
        row->draw = hash_row(dataset, &dataset->examples[row->example]);
    }
    qsort(drawn->rows, drawn->n, sizeof(*drawn->rows), compare_drawn);
    for (size_t i = 0, end; i < drawn->n; i = end) {
        uint64_t hash = drawn->rows[i].draw;
        for (end = i; end < drawn->n && drawn->rows[end].draw == hash; end++) {
            const uint64_t parts[] = {hash, end - i};
            drawn->rows[end].draw = jc_split_draw(jc_hash_bytes(parts, sizeof(parts)), seed, JC_SPLIT_FOR_TEST);
        }
    }
}

static void draw_titles(const struct jc_dataset *dataset, const struct jc_split_titles *titles, uint64_t seed,
                        struct drawn *drawn)
{
    for (size_t i = 0; i < drawn->n; i++) {
        struct drawn_row *row = &drawn->rows[i];
        row->unit = jc_split_title(titles, &dataset->examples[row->example]);
        row->draw = jc_split_draw(titles->hashes[row->unit], seed, JC_SPLIT_FOR_TEST);
    }
}

static jc_code draw(const struct jc_dataset *dataset, const struct jc_split_titles *titles,
                    const struct jc_split_config *config, struct drawn *drawn, struct jc_err *err)
{
    drawn->rows = calloc(dataset->n_examples + 1, sizeof(*drawn->rows));
    if (!drawn->rows)
        return jc_fail(err, JC_E_NOMEM, "no memory to draw %zu rows", dataset->n_examples);
    for (size_t i = 0; i < dataset->n_examples; i++)
        if (jc_split_is_drawn(&dataset->examples[i]))
            drawn->rows[drawn->n++] =
                (struct drawn_row){.category = dataset->examples[i].category, .example = (uint32_t)i};
    if (config->keep_equal)
        draw_titles(dataset, titles, config->seed, drawn);
    else
        draw_rows(dataset, config->seed, drawn);
    return JC_OK;
}

jc_code jc_split_random(struct jc_dataset *dataset, const struct jc_split_titles *titles,
                        const struct jc_split_config *config, struct jc_err *err)
{
    __attribute__((cleanup(drawn_finish))) struct drawn drawn = {0};
    jc_code code = draw(dataset, titles, config, &drawn, err);
    for (size_t i = 0; !code && i < drawn.n; i++)
        if (jc_split_unit(drawn.rows[i].draw) < config->test)
            dataset->examples[drawn.rows[i].example].role = JC_ROLE_TEST;
    return code;
}

/* A category's share of test rows. */
struct quota {
    uint32_t category;
    uint32_t n_rows, n_test;
    double rest; /* of n_test, rounded down */
    uint64_t draw;
};

/* Largest rest first; where equal, as drawn. */
static int compare_rests(const void *a, const void *b)
{
    const struct quota *left = a, *right = b;
    if (left->rest != right->rest)
        return left->rest > right->rest ? -1 : 1;
    return (left->draw > right->draw) - (left->draw < right->draw);
}

/* Largest remainders (Hamilton): each share rounded down, then one more for the largest rests until the sum is right.
 * No category tests with all of its rows. */
static void fill_quotas(const struct jc_dataset *dataset, const struct jc_split_config *config, struct quota *quotas,
                        struct jc_split_report *report)
{
    size_t n_rows = 0, n_given = 0;
    for (size_t c = 0; c < dataset->n_categories; c++) {
        struct quota *quota = &quotas[c];
        if (quota->n_rows <= config->rare) {
            report->n_rare_categories += quota->n_rows > 0;
            report->n_rare_rows += quota->n_rows;
            continue;
        }
        double share = config->test * quota->n_rows;
        quota->n_test = (uint32_t)share;
        quota->rest = share - quota->n_test;
        quota->draw = jc_split_draw(hash_code(dataset, (uint32_t)c), config->seed, JC_SPLIT_FOR_ROUNDING);
        n_rows += quota->n_rows;
        n_given += quota->n_test;
    }
    size_t n_wanted = (size_t)llround(config->test * (double)n_rows);
    qsort(quotas, dataset->n_categories, sizeof(*quotas), compare_rests);
    for (size_t c = 0; c < dataset->n_categories && n_given < n_wanted; c++) {
        bool fits = quotas[c].rest > 0 && quotas[c].n_test + 1 < quotas[c].n_rows;
        quotas[c].n_test += fits;
        n_given += fits;
    }
}

/* ret_left: [n_categories], how many rows of each are to test. */
static jc_code find_quotas(const struct jc_dataset *dataset, const struct drawn *drawn,
                           const struct jc_split_config *config, uint32_t *ret_left, struct jc_split_report *report,
                           struct jc_err *err)
{
    JC_AUTO_FREE struct quota *quotas = calloc(dataset->n_categories + 1, sizeof(*quotas));
    if (!quotas)
        return jc_fail(err, JC_E_NOMEM, "no memory to draw of %zu categories", dataset->n_categories);
    for (size_t c = 0; c < dataset->n_categories; c++)
        quotas[c].category = (uint32_t)c;
    for (size_t i = 0; i < drawn->n; i++)
        quotas[drawn->rows[i].category].n_rows++;
    fill_quotas(dataset, config, quotas, report);
    for (size_t c = 0; c < dataset->n_categories; c++)
        ret_left[quotas[c].category] = quotas[c].n_test;
    return JC_OK;
}

/* Is there room for rows[0, n), all of one unit, in each of their categories? */
static bool fits(const struct drawn_row *rows, size_t n, const uint32_t *left)
{
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && rows[end].category == rows[i].category;)
            end++;
        if (end - i > left[rows[i].category])
            return false;
    }
    return true;
}

jc_code jc_split_stratified(struct jc_dataset *dataset, const struct jc_split_titles *titles,
                            const struct jc_split_config *config, struct jc_split_report *report, struct jc_err *err)
{
    __attribute__((cleanup(drawn_finish))) struct drawn drawn = {0};
    JC_AUTO_FREE uint32_t *left = calloc(dataset->n_categories + 1, sizeof(*left));
    if (!left)
        return jc_fail(err, JC_E_NOMEM, "no memory to draw of %zu categories", dataset->n_categories);
    jc_code code = draw(dataset, titles, config, &drawn, err);
    if (code || (code = find_quotas(dataset, &drawn, config, left, report, err)))
        return code;
    qsort(drawn.rows, drawn.n, sizeof(*drawn.rows), compare_drawn);
    for (size_t i = 0, end; i < drawn.n; i = end) {
        for (end = i + 1; end < drawn.n && drawn.rows[end].unit == drawn.rows[i].unit;)
            end++;
        if (!fits(&drawn.rows[i], end - i, left))
            continue;
        for (size_t row = i; row < end; row++) {
            dataset->examples[drawn.rows[row].example].role = JC_ROLE_TEST;
            left[drawn.rows[row].category]--;
        }
    }
    return JC_OK;
}
