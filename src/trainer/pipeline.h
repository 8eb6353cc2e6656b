/*
 * A training run: its state, and its steps in order. Each step takes what the ones before it left in the struct jc_run.
 *     evaluate: open, read, split, encode, calibrate, measure, report
 *     fit:      the same for one method where a split is configured, then judge (against the present model), fit,
 * publish
 *     compare:  open, read, split, encode, compare two models
 */
#ifndef JC_TRAINER_PIPELINE_H
#define JC_TRAINER_PIPELINE_H

#include <limits.h>

#include "model/encoder.h"
#include "text/tokenizer.h"
#include "trainer/config.h"
#include "trainer/data/read.h"
#include "trainer/data/split.h"
#include "trainer/measure/compare.h"
#include "trainer/report/report.h"
#include "trainer/vectors/calibration.h"
#include "trainer/vectors/encode.h"

enum { JC_MAX_METHODS = 16 };

enum jc_run_kind { JC_RUN_EVALUATE, JC_RUN_FIT, JC_RUN_COMPARE };

struct jc_run_request {
    enum jc_run_kind kind;
    const struct jc_train_config *config;
    const char *a, *b; /* compare: the two bundles */
    double margin;     /* compare: in points of top-1, 0 to 1 */
};

struct jc_run {
    const struct jc_run_request *request;
    const struct jc_train_config *config;
    struct jc_dataset *dataset;
    struct jc_read_report read;
    struct jc_split_report split;
    struct jc_tokenizer *tokenizer;
    char vocab_path[PATH_MAX], weights_path[PATH_MAX]; /* of the checkpoint */
    struct jc_bert bert;                               /* the checkpoint's; of the fake nothing */
    struct jc_encoder *encoder;
    struct jc_calibration calibration; /* of the encoder, where the run publishes it or runs it in int8 */
    size_t max_tokens;
    struct jc_tokens tokens;
    struct jc_vectors vectors;
    struct jc_encode_stats encoding;
    struct jc_result results[JC_MAX_METHODS]; /* of the methods to evaluate; fit publishes the first */
    size_t n_results;
    double margin;           /* in top-1: how much worse the model of compare, or the new one of fit, may be */
    uint32_t *n_train;       /* [n_categories]: rows that the measured methods were fitted on */
    bool is_measured;        /* there were test rows, and the results' evaluations are filled */
    struct jc_head head;     /* to publish */
    enum jc_verdict verdict; /* of compare, and of fit about the present model: WORSE stops it */
};

/* Errors: those of the steps, with the step's name in front; CANCELLED after SIGINT or SIGTERM.
 * Says on standard error what it does. ret_verdict: NOT_WORSE where nothing was compared; where fit finds WORSE,
 * nothing is published. */
JC_MUST_CHECK jc_code jc_run_execute(const struct jc_run_request *request, enum jc_verdict *ret_verdict,
                                     struct jc_err *err);

/* The steps. */
JC_MUST_CHECK jc_code jc_step_open(struct jc_run *run, struct jc_err *err);
JC_MUST_CHECK jc_code jc_step_read(struct jc_run *run, struct jc_err *err);
JC_MUST_CHECK jc_code jc_step_split(struct jc_run *run, struct jc_err *err);
JC_MUST_CHECK jc_code jc_step_encode(struct jc_run *run, struct jc_err *err);
JC_MUST_CHECK jc_code jc_step_calibrate(struct jc_run *run, struct jc_err *err);
JC_MUST_CHECK jc_code jc_step_measure(struct jc_run *run, struct jc_err *err);
JC_MUST_CHECK jc_code jc_step_report(struct jc_run *run, struct jc_err *err);
JC_MUST_CHECK jc_code jc_step_judge(struct jc_run *run, struct jc_err *err);
JC_MUST_CHECK jc_code jc_step_fit(struct jc_run *run, struct jc_err *err);
JC_MUST_CHECK jc_code jc_step_publish(struct jc_run *run, struct jc_err *err);
JC_MUST_CHECK jc_code jc_step_compare(struct jc_run *run, struct jc_err *err);

/* The run's encoder, run in another way. calibration: NULL in f32. Errors: as jc_encoder_load. */
JC_MUST_CHECK jc_code jc_run_load_encoder(const struct jc_run *run, const struct jc_encoder_options *options,
                                          const struct jc_calibration *calibration, struct jc_encoder **ret_encoder,
                                          struct jc_err *err);

/* Frees what the steps have made. */
void jc_run_finish(struct jc_run *run);

/* What the methods see of a run. */
struct jc_train_data jc_run_data(const struct jc_run *run);
bool jc_run_is_fake(const struct jc_run *run);

/* What a measured method is fitted on, and what the published one is: the roles of the examples. */
enum { JC_ROLES_FITTED = JC_ROLE_TRAIN | JC_ROLE_VALIDATION };
unsigned jc_run_published_roles(const struct jc_run *run);

#endif
