/* The split by time: what a model that was trained until a day makes of the days after it. */
#include <math.h>

#include "trainer/data/split_impl.h"

static bool is_dated(const struct jc_example *example)
{
    return jc_split_is_drawn(example) && example->posted_s != 0;
}

static int compare_instants(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Where the test rows begin in instants[0, n), ascending: where an instant does, as near to n_test from the end as can
 * be. 0 where there is only one instant. */
static size_t find_cut(const int64_t *instants, size_t n, size_t n_test)
{
    size_t before = n - n_test, after = before;
    while (before > 0 && instants[before - 1] == instants[before])
        before--;
    while (after < n && instants[after] == instants[before])
        after++;
    if (before == 0)
        return after == n ? 0 : after;
    if (after == n)
        return before;
    return (n - n_test) - before <= after - (n - n_test) ? before : after;
}

jc_code jc_split_time(struct jc_dataset *dataset, const struct jc_split_config *config, struct jc_split_report *report,
                      struct jc_err *err)
{
    JC_AUTO_FREE int64_t *instants = calloc(dataset->n_examples + 1, sizeof(*instants));
    size_t n = 0;
    if (!instants)
        return jc_fail(err, JC_E_NOMEM, "no memory to split %zu rows by time", dataset->n_examples);
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        if (is_dated(example))
            instants[n++] = example->posted_s;
        else
            report->n_undated += jc_split_is_drawn(example);
    }
    if (n == 0)
        return jc_fail(err, JC_E_INVALID,
                       "no row has a date to split by: the postings' columns.posted names its column");
    qsort(instants, n, sizeof(*instants), compare_instants);
    size_t n_test = (size_t)llround(config->test * (double)n);
    size_t cut = find_cut(instants, n, n_test == 0 ? 1 : n_test);
    if (cut == 0)
        return jc_fail(err, JC_E_INVALID, "all %zu dated rows have the same date: it does not split them", n);
    report->test_from_s = instants[cut];
    for (size_t i = 0; i < dataset->n_examples; i++)
        if (is_dated(&dataset->examples[i]) && dataset->examples[i].posted_s >= instants[cut])
            dataset->examples[i].role = JC_ROLE_TEST;
    return JC_OK;
}
