/*
 * The classifier: a loaded bundle, its tokenizer and its encoder behind two verbs.
 *   prepare: posting -> token ids. Cheap; any thread.
 *   run:     a batch of prepared inputs -> ranked categories. Through a session, which one worker owns.
 * The classifier is immutable and outlives its sessions and inputs.
 */
#ifndef JC_MODEL_CLASSIFIER_H
#define JC_MODEL_CLASSIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/bundle.h"
#include "base/err.h"
#include "base/own.h"
#include "linalg/linalg.h"
#include "model/encoder.h"
#include "model/groups.h"
#include "model/scoring.h"
#include "model/vote.h"
#include "text/posting.h"

struct jc_classifier;

/* Loads and verifies the bundle, loads the encoder, and checks that they belong together (dim, vocabulary). Whether it
 * answers as it should, its canaries tell (canary.h). options: NULL = onednn in f32. Errors: as jc_bundle_load and
 * jc_encoder_load. */
JC_MUST_CHECK jc_code jc_classifier_load(const char *folder, const struct jc_encoder_options *options,
                                         struct jc_classifier **ret_classifier, struct jc_err *err);

/* How the encoder runs. */
const struct jc_encoder_info *jc_classifier_encoder(const struct jc_classifier *classifier);
void jc_classifier_destroy(struct jc_classifier *classifier);
JC_DEFINE_AUTO(jc_classifier)

const struct jc_bundle *jc_classifier_bundle(const struct jc_classifier *classifier);
const struct jc_groups *jc_classifier_groups(const struct jc_classifier *classifier);

/* One text to classify, and its answer. Plain data of the caller. */
struct jc_input {
    int32_t *ids;        /* set by prepare; free with jc_input_finish */
    uint32_t n_ids;      /* 0 where the posting has no usable text: not to be run */
    uint32_t top_n;      /* in: how many hits are wanted */
    enum jc_level level; /* in: hits are categories (NONE), or groups of this level */
    uint32_t n_hits;     /* out: min(top_n, categories or groups) */
    struct jc_hit *hits; /* out: room for top_n, given by the caller. Of a category its index and score; of a group
                          * the index of its most probable category, and as score the group's probability */
    struct jc_evidence *evidence; /* out: of hits[i], of a group for its category; room for top_n, given by the
                                   * caller; NULL: not wanted */
    struct jc_norm norm;          /* out: jc_classifier_confidence takes it; not set for groups */
};

/* Cleans and tokenises. Errors: INVALID (naming title or body and the byte), NOMEM. Threads: any. */
JC_MUST_CHECK jc_code jc_classifier_prepare(const struct jc_classifier *classifier, const struct jc_posting *posting,
                                            struct jc_input *input, struct jc_err *err);
void jc_input_finish(struct jc_input *input);

/* The calibrated probability that hits[i] is right: of a group, the sum over its categories. */
float jc_classifier_confidence(const struct jc_classifier *classifier, const struct jc_input *input, size_t i);

/* Is the first hit sure enough to be taken unseen: at least the head's min_confidence? That was fitted on categories;
 * a group is held against it too, since a sum is as well calibrated as its parts. */
bool jc_classifier_accepts(const struct jc_classifier *classifier, const struct jc_input *input);

/* The text of an evidence that is not JC_EVIDENCE_NONE; lives as long as the classifier. */
const char *jc_classifier_evidence_text(const struct jc_classifier *classifier, const struct jc_evidence *evidence);

struct jc_session;
JC_MUST_CHECK jc_code jc_session_create(const struct jc_classifier *classifier, struct jc_session **ret_session,
                                        struct jc_err *err);
void jc_session_destroy(struct jc_session *session);
JC_DEFINE_AUTO(jc_session)

/* What one run did: for metrics. */
struct jc_run_stats {
    size_t n_texts, n_unique, n_tokens; /* n_tokens: of the unique texts */
    uint64_t encode_ns, score_ns;
};

/* Encodes (equal texts once, grouped by length), scores against all categories, fills hits. Each input has n_ids > 0.
 * Errors: MODEL, DEVICE, NOMEM, INTERNAL; then no input's hits are valid. Threads: one per session. */
JC_MUST_CHECK jc_code jc_session_run(struct jc_session *session, struct jc_input *const *inputs, size_t n_inputs,
                                     struct jc_run_stats *ret_stats, struct jc_err *err);

#endif
