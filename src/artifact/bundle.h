/*
 * A model bundle: a folder with manifest.json, categories.safetensors, categories.tsv and vocab.txt; for a bert encoder
 * model.safetensors, encoder.json and calibration.safetensors; exemplars.safetensors and exemplars.txt where its head
 * has exemplars. models/README.md is the contract. A loaded bundle is immutable. Threads: any.
 *
 * Loading checks, in this order and with an error that names file and reason: the manifest, its format version, that
 * every required file is listed, every listed file's SHA-256, the shapes and values of the tensors, the exemplars'
 * texts, and that categories.tsv has one well-formed row a category. Canaries need an encoder: model/classifier runs
 * them.
 */
#ifndef JC_ARTIFACT_BUNDLE_H
#define JC_ARTIFACT_BUNDLE_H

#include <stddef.h>

#include "artifact/head.h"
#include "artifact/manifest.h"
#include "base/bert.h"
#include "base/err.h"
#include "base/own.h"

#define JC_BUNDLE_MANIFEST "manifest.json"
#define JC_BUNDLE_CATEGORIES "categories.safetensors"
#define JC_BUNDLE_TITLES "categories.tsv"
#define JC_BUNDLE_VOCAB "vocab.txt"
#define JC_BUNDLE_WEIGHTS "model.safetensors"
#define JC_BUNDLE_ENCODER "encoder.json"
#define JC_BUNDLE_CALIBRATION "calibration.safetensors"
#define JC_BUNDLE_EXEMPLARS "exemplars.safetensors"
#define JC_BUNDLE_EXEMPLAR_TEXTS "exemplars.txt"

struct jc_category {
    const char *code;  /* "29-1141.00" */
    const char *title; /* "Registered Nurses" */
};

/* Can a bundle hold a category of this code and title? Errors: FORMAT, saying why not. */
JC_MUST_CHECK jc_code jc_category_check(const char *code, size_t n_code, const char *title, size_t n_title,
                                        struct jc_err *err);

struct jc_bundle;

enum jc_bundle_parts {
    JC_BUNDLE_PORTABLE, /* what a repository holds: vocab.txt and model.safetensors may be absent, though listed */
    JC_BUNDLE_COMPLETE, /* what a server loads */
};

/* `folder` may be a symbolic link, and switched meanwhile: one version is read, whole.
 * Errors: NOT_FOUND, FORMAT, UNSUPPORTED, MODEL (values not finite), NOMEM. */
JC_MUST_CHECK jc_code jc_bundle_load(const char *folder, enum jc_bundle_parts parts, struct jc_bundle **ret_bundle,
                                     struct jc_err *err);
void jc_bundle_destroy(struct jc_bundle *bundle);
JC_DEFINE_AUTO(jc_bundle)

const struct jc_manifest *jc_bundle_manifest(const struct jc_bundle *bundle);
/* Absolute and without links: where the files were read, and others of this bundle are. */
const char *jc_bundle_folder(const struct jc_bundle *bundle);

/* [n_categories], in the order of the embeddings' rows. */
const struct jc_category *jc_bundle_categories(const struct jc_bundle *bundle, size_t *ret_n);

/* What scores the categories; its rows are in their order. */
const struct jc_head *jc_bundle_head(const struct jc_bundle *bundle);

/* The encoder: NULL for the fake. */
const struct jc_bert *jc_bundle_bert(const struct jc_bundle *bundle);

/* [*ret_n], what int8 needs (jc_encoder_calibrate); NULL where the model has none. */
const float *jc_bundle_calibration(const struct jc_bundle *bundle, size_t *ret_n);

/* What jc_bundle_write puts into a new bundle. Borrowed for the call. */
struct jc_bundle_content {
    struct jc_manifest *manifest;         /* format, dim, n_categories, files, version are filled in by the call */
    const struct jc_category *categories; /* [head->n_categories] */
    const struct jc_head *head;
    const char *vocab_path;   /* linked or copied in, and must be the one the manifest already lists; NULL = portable */
    const char *weights_path; /* the same, and must be what `bert` says; NULL = none (fake, or portable) */
    const struct jc_bert *bert; /* NULL = none (fake) */
    const float *calibration;   /* [n_calibration]; NULL = none: then int8 is not to be had */
    size_t n_calibration;
};

/* Writes a temporary folder beside `folder`, loads it to verify it, fsyncs it and renames it: a reader sees the old
 * bundle or the new. A vocab.txt that the manifest lists (jc_manifest_set_file) and a portable bundle does not hold
 * stays listed, as do the weights: assembling the complete bundle later takes these and no others.
 * The version is "<name>-<method>-<12 hex digits>", the digits from the SHA-256 over what fixes the answers
 * (models/README.md): the same content has the same version.
 * Errors: INVALID, IO, FORMAT, MODEL, NOMEM. */
JC_MUST_CHECK jc_code jc_bundle_write(const char *folder, const struct jc_bundle_content *content, struct jc_err *err);

#endif
