/* The step `split`: the kinds of split, and what holds for all of them. */
#include "trainer/data/split_impl.h"

static void split_postings(struct jc_dataset *dataset)
{
    for (size_t i = 0; i < dataset->n_examples; i++)
        if (jc_example_is_row(&dataset->examples[i]) && dataset->examples[i].from_postings)
            dataset->examples[i].role = JC_ROLE_TEST;
}

static jc_code split_by_column(struct jc_dataset *dataset, struct jc_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->n_examples; i++) {
        struct jc_example *example = &dataset->examples[i];
        if (!jc_split_is_drawn(example) || (example->asked != JC_ROLE_TEST && example->asked != JC_ROLE_VALIDATION))
            continue;
        example->role = example->asked;
        n += example->role == JC_ROLE_TEST;
    }
    if (n == 0)
        return jc_fail(err, JC_E_INVALID,
                       "no row asks for test: the postings' columns.split names the column that does");
    return JC_OK;
}

/* Takes back the test rows, and the validation rows, whose title trains. */
static void keep_apart(struct jc_dataset *dataset, struct jc_split_titles *titles)
{
    jc_split_mark(dataset, false, titles);
    for (size_t i = 0; i < dataset->n_examples; i++) {
        struct jc_example *example = &dataset->examples[i];
        if (!jc_example_is_row(example))
            continue;
        unsigned roles = titles->roles[jc_split_title(titles, example)];
        if ((example->role == JC_ROLE_VALIDATION && (roles & JC_ROLE_TRAIN)) ||
            (example->role == JC_ROLE_TEST && (roles & (JC_ROLE_TRAIN | JC_ROLE_VALIDATION))))
            example->role = JC_ROLE_UNUSED;
    }
}

void jc_split_count_roles(const struct jc_dataset *dataset, struct jc_split_report *report)
{
    report->n_train = jc_dataset_count(dataset, JC_ROLE_TRAIN);
    report->n_validation = jc_dataset_count(dataset, JC_ROLE_VALIDATION);
    report->n_test = jc_dataset_count(dataset, JC_ROLE_TEST);
    report->n_unused = jc_dataset_count(dataset, JC_ROLE_UNUSED);
}

static jc_code fill_report(const struct jc_dataset *dataset, struct jc_split_titles *titles,
                           struct jc_split_report *report, struct jc_err *err)
{
    JC_AUTO_FREE bool *tests = calloc(dataset->n_categories + 1, sizeof(*tests));
    if (!tests)
        return jc_fail(err, JC_E_NOMEM, "no memory to count the split");
    jc_split_count_roles(dataset, report);
    jc_split_mark(dataset, true, titles);
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        if (example->role != JC_ROLE_TEST)
            continue;
        unsigned roles = titles->roles[jc_split_title(titles, example)];
        report->n_leaked += (roles & (JC_ROLE_TRAIN | JC_ROLE_VALIDATION)) != 0;
        report->n_test_categories += !tests[example->category];
        tests[example->category] = true;
    }
    return JC_OK;
}

/* All train to begin with. */
static jc_code start(struct jc_dataset *dataset, const struct jc_split_config *config, struct jc_err *err)
{
    bool shared =
        config->kind == JC_SPLIT_STRATIFIED || config->kind == JC_SPLIT_RANDOM || config->kind == JC_SPLIT_TIME;
    if (shared && !(config->test > 0 && config->test < 1))
        return jc_fail(err, JC_E_INVALID, "split.test is %g: a share between 0 and 1 is wanted", config->test);
    for (size_t i = 0; i < dataset->n_examples; i++) {
        struct jc_example *example = &dataset->examples[i];
        if (!jc_example_is_row(example) &&
            (example->parent >= i || !jc_example_is_row(&dataset->examples[example->parent])))
            return jc_fail(err, JC_E_INTERNAL, "row %zu was cut from row %zu, which is no row before it", i,
                           (size_t)example->parent);
        example->role = JC_ROLE_TRAIN;
    }
    return JC_OK;
}

static jc_code split_rows(struct jc_dataset *dataset, const struct jc_split_titles *titles,
                          const struct jc_split_config *config, struct jc_split_report *report, struct jc_err *err)
{
    switch ((enum jc_split_kind)config->kind) {
    case JC_SPLIT_NONE:
        return JC_OK;
    case JC_SPLIT_POSTINGS:
        split_postings(dataset);
        return JC_OK;
    case JC_SPLIT_STRATIFIED:
        return jc_split_stratified(dataset, titles, config, report, err);
    case JC_SPLIT_RANDOM:
        return jc_split_random(dataset, titles, config, err);
    case JC_SPLIT_TIME:
        return jc_split_time(dataset, config, report, err);
    case JC_SPLIT_COLUMN:
        return split_by_column(dataset, err);
    }
    return jc_fail(err, JC_E_INVALID, "split.kind %u: there is no such split", config->kind);
}

jc_code jc_split_dataset(struct jc_dataset *dataset, const struct jc_split_config *config,
                         struct jc_split_report *ret_report, struct jc_err *err)
{
    JC_AUTO_FINISH(jc_split_titles) struct jc_split_titles titles = {0};
    struct jc_split_report report = {0};
    bool apart = config->kind == JC_SPLIT_POSTINGS || (config->kind != JC_SPLIT_NONE && config->keep_equal);
    jc_code code = start(dataset, config, err);
    if (code || (code = jc_split_titles_init(&titles, dataset, err)) ||
        (code = split_rows(dataset, &titles, config, &report, err)))
        return code;
    if (jc_dataset_count(dataset, JC_ROLE_TRAIN) == 0)
        return jc_fail(err, JC_E_INVALID, "no row is left to train with");
    if (apart)
        keep_apart(dataset, &titles);
    jc_split_follow(dataset, &titles, apart ? JC_ROLE_TEST | JC_ROLE_VALIDATION : 0);
    if ((code = fill_report(dataset, &titles, &report, err)))
        return code;
    if (report.n_test == 0 && config->kind == JC_SPLIT_POSTINGS)
        return jc_fail(err, JC_E_INVALID,
                       "no title is known from employers' postings alone: nothing to test with (is source 10 "
                       "excluded?)");
    if (report.n_test == 0 && config->kind != JC_SPLIT_NONE)
        return jc_fail(err, JC_E_INVALID,
                       "no row is left to test with: there are too few, or every test title also trains");
    *ret_report = report;
    return JC_OK;
}
