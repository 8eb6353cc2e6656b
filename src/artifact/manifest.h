/*
 * manifest.json of a model bundle, as plain data; models/README.md is its contract. Strings belong to the manifest.
 * Unknown members are an error (a newer format has a newer format_version). Threads: one at a time.
 */
#ifndef JC_ARTIFACT_MANIFEST_H
#define JC_ARTIFACT_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/sha256.h"

#define JC_MANIFEST_FORMAT 4

/* A file of the bundle and what its bytes must hash to. */
struct jc_manifest_file {
    char *name;
    char sha256[JC_SHA256_HEX];
};

/* A title and the code that must be the model's first answer: run at every load. */
struct jc_manifest_canary {
    char *title;
    char *code;
};

/* A figure of the evaluation, e.g. "top_1" = 0.463. */
struct jc_manifest_metric {
    char *name;
    double value;
};

struct jc_manifest {
    char *name;         /* "onet-30.1" */
    char *version;      /* "onet-30.1-average-3f2a9c1e0b4d": name, method, and a hash of the content */
    char *taxonomy;     /* "O*NET-SOC 2019" */
    char *method;       /* "average" */
    char *data_version; /* "O*NET 30.1" */
    char *attribution;  /* shown by /v1/model; may be empty */
    size_t dim;
    size_t n_categories;
    struct {
        char *kind;                        /* "bert", "fake" */
        char *name;                        /* "all-MiniLM-L6-v2" */
        char source_sha256[JC_SHA256_HEX]; /* of the weights the vectors were made with; "" for the fake */
        size_t max_tokens;
        char *part;    /* of a posting that is encoded: "title", "body", "title_body" */
        size_t chunks; /* most chunks of max_tokens that a text is cut into */
        char *prefix;  /* put before each chunk; NULL or "" = none */
    } encoder;
    struct jc_manifest_file *files;
    size_t n_files;
    struct jc_manifest_canary *canaries;
    size_t n_canaries;
    struct jc_manifest_metric *metrics;
    size_t n_metrics;
};

/* Errors: NOT_FOUND, FORMAT (with line and column, or the JSON pointer of what is wrong), UNSUPPORTED (another
 * format_version), NOMEM. */
JC_MUST_CHECK jc_code jc_manifest_load(const char *path, struct jc_manifest **ret_manifest, struct jc_err *err);

/* A zeroed one to fill; its strings are strdup'ed by the filler. NULL when out of memory. */
struct jc_manifest *jc_manifest_create(void);
void jc_manifest_destroy(struct jc_manifest *manifest);
JC_DEFINE_AUTO(jc_manifest)

/* Pretty-printed JSON, members in a fixed order: the same manifest gives the same bytes. */
JC_MUST_CHECK jc_code jc_manifest_write(const struct jc_manifest *manifest, const char *path, struct jc_err *err);

/* Adds, or replaces, the file entry of that name. */
JC_MUST_CHECK jc_code jc_manifest_set_file(struct jc_manifest *manifest, const char *name, const char *sha256,
                                           struct jc_err *err);
const struct jc_manifest_file *jc_manifest_find_file(const struct jc_manifest *manifest, const char *name);

#endif
