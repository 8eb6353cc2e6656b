/* What a training run is told: config/onet.yaml and config/postings.yaml are the manual with examples, the table in
 * config.c the one truth. */
#ifndef JC_TRAINER_CONFIG_H
#define JC_TRAINER_CONFIG_H

#include "conf/conf.h"
#include "data/postings.h"

/* Choices, in the order of their names in the table. */
enum jc_direct_text { JC_DIRECT_NAME, JC_DIRECT_NAME_DESCRIPTION };
enum jc_unknown_code { JC_UNKNOWN_REJECT, JC_UNKNOWN_DROP, JC_UNKNOWN_KEEP };
enum jc_unclassified { JC_UNCLASSIFIED_DROP, JC_UNCLASSIFIED_KEEP };
enum jc_parted_code { JC_PARTED_ALL, JC_PARTED_DROP };

enum jc_split_kind {
    JC_SPLIT_NONE,
    JC_SPLIT_POSTINGS,
    JC_SPLIT_STRATIFIED,
    JC_SPLIT_RANDOM,
    JC_SPLIT_TIME,
    JC_SPLIT_COLUMN,
};

struct jc_split_config {
    unsigned kind; /* enum jc_split_kind */
    double test;   /* share of the rows, of the random, stratified and time splits */
    uint64_t rare; /* stratified: categories of so many rows or fewer train with all of them */
    bool keep_equal;
    uint64_t seed;
};

/* A table of labelled postings. */
struct jc_postings_config {
    const char *path;
    unsigned format; /* enum jc_records_format */
    double weight;
    struct jc_posting_columns columns; /* "" = the table has none; split: says train, validation or test */
};

struct jc_softmax_config {
    uint64_t epochs, refit_epochs, batch, lexicon;
    double learning_rate, prior, margin, smoothing, dropout, word_dropout;
};

struct jc_contrastive_config {
    uint64_t epochs, refit_epochs, patience, batch;
    double learning_rate, prior, margin, dropout;
};

struct jc_exemplar_config {
    uint64_t k;
    double sharpness;
};

/* encoder.pooling: what the checkpoint says, or this. */
enum jc_pooling_choice { JC_POOLING_FROM_CHECKPOINT, JC_POOLING_CHOSEN_MEAN, JC_POOLING_CHOSEN_CLS };

struct jc_train_config {
    const char *name, *taxonomy, *data_version, *attribution;
    struct {
        const char *onet_dir, *categories;
        bool names, descriptions, alternate_titles;
        struct jc_conf_list exclude_sources;
        double weight;
    } source;
    struct jc_conf_items postings; /* struct jc_postings_config */
    struct {
        unsigned unknown, unclassified, parted; /* the enums above */
        const char *crosswalk;
    } codes;
    const char *rejects, *max_bad_rows;
    unsigned part; /* enum jc_posting_part */
    uint64_t chunks;
    struct {
        uint64_t rows, sentences;
    } augment;
    struct jc_split_config split;
    const char *method;
    struct jc_conf_list methods;
    unsigned direct_text; /* enum jc_direct_text */
    struct jc_softmax_config softmax;
    struct jc_contrastive_config contrastive;
    struct jc_exemplar_config exemplar;
    double validation, accept_precision;
    struct {
        const char *kind, *weights, *name, *prefix;
        unsigned pooling, backend, precision; /* enum jc_pooling_choice, jc_backend, jc_precision */
        struct jc_conf_list buckets;          /* JC_CUDA_BUCKETS_FORMS */
        uint64_t max_tokens;
    } encoder;
    uint64_t seed, threads;
    const char *cache, *output, *report;
    bool portable;
    bool all_rows;            /* publish what is fitted on the test rows too */
    uint64_t keep;            /* versions under `output`; 0: `output` is the bundle */
    const char *refuse_worse; /* "": never; else the margin in points of top-1 */
    uint64_t canaries;
};

/* Errors: as jc_conf_load. The strings live as long as *ret_conf. */
JC_MUST_CHECK jc_code jc_train_config_load(const char *path, const char *const *sets, size_t n_sets,
                                           struct jc_train_config *ret_config, struct jc_conf **ret_conf,
                                           struct jc_err *err);

void jc_train_config_print_help(FILE *out);

#endif
