/*
 * A model as the server runs it: a classifier and, for each worker, a session of its own, all made before the first
 * request sees it. Immutable but for the sessions, each of which is its worker's. Who uses one holds a reference of the
 * slot that it comes from (model_slot.h).
 */
#ifndef JC_SERVER_LIFE_MODEL_H
#define JC_SERVER_LIFE_MODEL_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/err.h"
#include "base/own.h"
#include "base/sha256.h"
#include "model/classifier.h"

struct jc_model {
    struct jc_classifier *classifier;
    size_t n_sessions;
    struct jc_session **sessions;  /* [n_sessions], by the worker's number */
    char identity[JC_SHA256_HEX];  /* of manifest.json, which holds the SHA-256 of every other file: equal means equal
                                     * content; "" where the bundle changed while it was read */
    uint64_t generation;           /* the slot's number for it, from 1: never that of another model */
    atomic_size_t n_references;    /* the slot's and its users' */
    struct jc_model *next_retired; /* the slot's */
};

/* Loads and verifies the bundle, makes the sessions, and asks each of them the canaries, so that the first batch pays
 * for nothing, and a GPU that has no room for this model beside the one that serves refuses it here. The ONE place that
 * loads a classifier. options (NULL: as jc_classifier_load has them): but n_callers, which is n_sessions. Errors: as
 * jc_classifier_load, jc_session_create, jc_classifier_warm and jc_canary_run_all. */
JC_MUST_CHECK jc_code jc_model_load(const char *folder, const struct jc_encoder_options *options, size_t n_sessions,
                                    struct jc_model **ret_model, struct jc_err *err);
void jc_model_destroy(struct jc_model *model);
JC_DEFINE_AUTO(jc_model)

/* The identity of the bundle that `folder` holds, or leads to, now. Cheap. Errors: NOT_FOUND, IO. */
JC_MUST_CHECK jc_code jc_model_identify(const char *folder, char ret_identity[JC_SHA256_HEX], struct jc_err *err);

/* The version, as answers show it. */
const char *jc_model_version(const struct jc_model *model);

#endif
