/* The steps read and split: from files to examples with roles. */
#include "trainer/pipeline.h"

static void print_count(uint64_t n, const char *what)
{
    if (n)
        fprintf(stderr, ", %ju %s", (uintmax_t)n, what);
}

static void print_rows(const struct jc_train_config *config, const struct jc_read_report *read)
{
    fprintf(stderr, "read: %ju rows of postings", (uintmax_t)read->n_rows);
    print_count(read->n_bad, "bad");
    if (read->n_bad && *config->rejects)
        fprintf(stderr, " (see %s)", config->rejects);
    print_count(read->n_unclassified, config->codes.unclassified == JC_UNCLASSIFIED_DROP
                                          ? "unclassified and left out"
                                          : "unclassified and kept as a category");
    print_count(read->n_unknown, config->codes.unknown == JC_UNKNOWN_DROP ? "of codes that are no category, left out"
                                                                          : "of codes that became categories");
    print_count(read->n_mapped, "of old codes mapped");
    print_count(read->n_parted, "of parted codes left out");
    print_count(read->n_undated, "without a date");
    print_count(read->n_sentences, "sentences of bodies added");
    fputc('\n', stderr);
}

static void print_read(const struct jc_run *run)
{
    if (run->read.n_rows)
        print_rows(run->config, &run->read);
    fprintf(stderr, "read: %zu examples of %zu categories; with the categories' names %zu distinct texts\n",
            run->dataset->n_examples, run->dataset->n_categories, jc_texts_count(run->dataset->texts));
}

jc_code jc_step_read(struct jc_run *run, struct jc_err *err)
{
    run->dataset = jc_dataset_create();
    if (!run->dataset)
        return jc_fail(err, JC_E_NOMEM, "no memory for the data");
    jc_code code = jc_read(run->config, run->dataset, &run->read, err);
    if (!code)
        print_read(run);
    return code;
}

jc_code jc_step_split(struct jc_run *run, struct jc_err *err)
{
    jc_code code = jc_split_dataset(run->dataset, &run->config->split, &run->split, err);
    if (!code)
        code = jc_split_validation(run->dataset, run->config->validation, run->config->split.seed, err);
    if (code)
        return code;
    jc_split_count_roles(run->dataset, &run->split);
    fprintf(stderr, "split: %zu examples train, %zu validation, %zu test, %zu unused\n", run->split.n_train,
            run->split.n_validation, run->split.n_test, run->split.n_unused);
    if (run->split.n_rare_categories)
        fprintf(stderr, "split: %zu rare categories with %zu rows only train: the figures say nothing about them\n",
                run->split.n_rare_categories, run->split.n_rare_rows);
    if (run->split.n_leaked)
        fprintf(stderr, "split: %zu of the test titles also stand in training\n", run->split.n_leaked);
    return JC_OK;
}
