/*
 * Runs on made-up postings with the fake encoder: each category has four words of its own and titles of some of them,
 * which train, and titles of others, which test by the column SPLIT.
 */
#ifndef JC_TESTS_TRAINER_TINY_RUN_H
#define JC_TESTS_TRAINER_TINY_RUN_H

#include "small_model.h"

#include "data_files.h" /* behind the one above, whose names its own would hide */
#include "trainer/pipeline.h"

enum { TINY_CATEGORIES = 9, TINY_TRAIN = 6, TINY_TEST = 12 };

struct tiny {
    struct jc_postings_config source;
    struct jc_train_config config;
    struct jc_conf *conf;
    char path[PATH_MAX], weights[PATH_MAX], vocab[PATH_MAX], output[PATH_MAX]; /* weights: the folder of vocab */
};

/* A row of category c: words of it, and one of another for variety. */
static inline void tiny_put_row(struct jc_buf *csv, size_t c, size_t i, size_t label, const char *split)
{
    jc_buf_printf(csv, "w%zu w%zu w%zu,Name %zu,11-%04zu.00,%s\n", 4 * c + i % 4, 4 * c + (i / 4 + i + 1) % 4,
                  36 + (i + c) % 4, label, label, split);
}

/* shift: how far beside the right ones the labels of the training rows are. */
static inline const char *tiny_write(const char *name, size_t shift, size_t n_train)
{
    JC_AUTO_BUF struct jc_buf csv = {0};
    jc_buf_puts(&csv, "TITLE_RAW,ONET_NAME,ONET,SPLIT\n");
    for (size_t c = 0; c < TINY_CATEGORIES; c++) {
        for (size_t i = 0; i < n_train; i++)
            tiny_put_row(&csv, c, i, (c + shift) % TINY_CATEGORIES, "train");
        for (size_t i = 0; i < TINY_TEST; i++)
            tiny_put_row(&csv, c, TINY_TRAIN + i, c, "test");
    }
    jc_buf_puts(&csv, "z,Only tested,29-0000.00,test\n");
    return write_file(name, csv.data, csv.n);
}

static inline void tiny_finish(struct tiny *tiny)
{
    jc_conf_destroy(tiny->conf);
}

#define TINY __attribute__((cleanup(tiny_finish))) struct tiny

static inline void tiny_init(struct tiny *tiny, const char *path, const char *output)
{
    static const char *const sets[] = {
        "encoder.kind=fake", "split.kind=column", "cache=", "canaries=2", "all_rows=false", "split.keep_equal=false"};
    *tiny = (struct tiny){.source = {.weight = 1,
                                     .columns.id = "",
                                     .columns.posted = "",
                                     .columns.title = "TITLE_RAW",
                                     .columns.body = "",
                                     .columns.name = "ONET_NAME",
                                     .columns.code = "ONET",
                                     .columns.split = "SPLIT"}};
    REQUIRE_OK(jc_train_config_load(NULL, sets, JC_COUNT(sets), &tiny->config, &tiny->conf, &err));
    snprintf(tiny->path, sizeof(tiny->path), "%s", path);
    snprintf(tiny->weights, sizeof(tiny->weights), "%s", folder);
    snprintf(tiny->vocab, sizeof(tiny->vocab), "%s", path_of("vocab.txt"));
    snprintf(tiny->output, sizeof(tiny->output), "%s", path_of(output));
    small_model_write_vocab(tiny->vocab);
    tiny->source.path = tiny->path;
    tiny->config.encoder.weights = tiny->weights;
    tiny->config.output = tiny->output;
    tiny->config.postings = (struct jc_conf_items){.items = &tiny->source, .n = 1};
}

#endif
