/* What a training run is told: config/onet.yaml is the manual with examples, the table in config.c the one truth. */
#ifndef JC_TRAINER_CONFIG_H
#define JC_TRAINER_CONFIG_H

#include "conf/conf.h"

/* In the order of their names in the table. */
enum jc_split_kind { JC_SPLIT_NONE, JC_SPLIT_POSTINGS };
enum jc_direct_text { JC_DIRECT_NAME, JC_DIRECT_NAME_DESCRIPTION };

struct jc_softmax_config {
    uint64_t epochs, batch, seed;
    double learning_rate, prior, smoothing, dropout, word_dropout;
};

struct jc_train_config {
    const char *name, *taxonomy, *data_version, *attribution;
    struct {
        const char *onet_dir;
        bool names, descriptions, alternate_titles;
        struct jc_conf_list exclude_sources;
    } source;
    unsigned split; /* enum jc_split_kind */
    const char *method;
    struct jc_conf_list methods;
    unsigned direct_text; /* enum jc_direct_text */
    struct jc_softmax_config softmax;
    double validation, accept_precision;
    struct {
        const char *kind, *path, *vocab, *name;
        uint64_t max_tokens;
    } encoder;
    uint64_t threads;
    const char *output, *report;
    bool portable;
    uint64_t canaries;
};

/* Errors: as jc_conf_load. The strings live as long as *ret_conf. */
JC_MUST_CHECK jc_code jc_train_config_load(const char *path, const char *const *sets, size_t n_sets,
                                           struct jc_train_config *ret_config, struct jc_conf **ret_conf,
                                           struct jc_err *err);

void jc_train_config_print_help(FILE *out);

#endif
