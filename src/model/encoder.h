/*
 * An encoder: token ids in, unit vectors out, behind one vtable. The kind is the model's: `bert`, made from a published
 * model.safetensors, or `fake`, which needs no weights (a token's vector is drawn from its id, a text's is the
 * normalised sum) and serves tests and load tests of everything around the encoder. What runs a bert is
 * configuration: `onednn`, our own forward pass on the CPU in f32 or int8; `cuda`, the same on a GPU in f32 or f16; or
 * `torch`, the same as TorchScript.
 * Immutable after creation. Threads: any number may encode at once.
 */
#ifndef JC_MODEL_ENCODER_H
#define JC_MODEL_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bert.h"
#include "base/err.h"
#include "base/own.h"
#include "cuda/buckets.h"

#define JC_ENCODER_BERT "bert"
#define JC_ENCODER_FAKE "fake"

enum jc_backend { JC_BACKEND_ONEDNN, JC_BACKEND_TORCH, JC_BACKEND_CUDA };
#define JC_BACKEND_NAMES "onednn|torch|cuda" /* for configurations, in the order of the enum */
#define JC_PRECISION_NAMES "f32|int8|f16"    /* in the order of enum jc_precision */

/* Where an encoder runs. GPU n is n + 1. */
enum {
    JC_DEVICE_BACKEND = 0, /* where the backend does: the CPU, or with `cuda` GPU 0 */
    JC_DEVICE_AUTO = -1,   /* on GPU 0 where there is one and the backend and precision run there, else as above */
    JC_DEVICE_CPU = -2,
};
#define JC_DEVICE_FORMS "auto, cpu or cuda:N"

/* How a bert is run. */
struct jc_encoder_options {
    enum jc_backend backend;
    enum jc_precision precision;    /* int8: onednn alone; f16: cuda alone */
    int device;                     /* JC_DEVICE_... */
    struct jc_cuda_buckets buckets; /* of a GPU's batches */
    size_t n_callers; /* that encode at once: what they need of a GPU is held from the start; more get theirs later */
};

/* "auto", "cpu", "cuda:0" ... Errors: INVALID. */
JC_MUST_CHECK jc_code jc_encoder_device_parse(const char *text, int *ret_device, struct jc_err *err);

/* Whether a bert of these options runs on a GPU, which all who encode with it share. False where none would load. */
bool jc_encoder_shares_device(const struct jc_encoder_options *options);

/* What an encoder is made of. Borrowed for the call. */
struct jc_encoder_source {
    const char *kind;           /* JC_ENCODER_...; the fake needs nothing else */
    const struct jc_bert *bert; /* with the source's SHA-256, which is not computed again */
    const char *weights;        /* the path of model.safetensors */
    const float *calibration;   /* as jc_encoder_calibrate gave it; NULL: none. Only int8 needs it. */
    size_t n_calibration;
};

struct jc_encoder;

struct jc_encoder_info {
    const char *kind;                   /* JC_ENCODER_... */
    const char *backend;                /* "onednn", "torch", "cuda", "fake" */
    const char *precision;              /* "f32", "int8", "f16" */
    char source_sha256[JC_SHA256_HEX];  /* of the weights; "" for the fake */
    char vectors_sha256[JC_SHA256_HEX]; /* of all that makes a vector what it is: the same on all backends in f32 */
    char device[160];                   /* "cpu", "cuda:0 (Tesla T4)" */
    size_t dim;
    size_t vocab; /* ids are in [0, vocab); 0 = any id (the fake) */
    size_t max_tokens;
    struct jc_cuda_buckets buckets; /* that a GPU had room for when it was loaded; none on the CPU */
};

/* options: NULL = onednn in f32. Errors: NOT_FOUND, FORMAT, MODEL, UNSUPPORTED (an unknown kind, a backend that this
 * build lacks or that does not have the precision), INVALID (int8 without a calibration of its size;
 * buckets that hold no text), NOMEM (of a GPU, with the figures), DEVICE. */
JC_MUST_CHECK jc_code jc_encoder_load(const struct jc_encoder_source *source, const struct jc_encoder_options *options,
                                      struct jc_encoder **ret_encoder, struct jc_err *err);
void jc_encoder_destroy(struct jc_encoder *encoder);
JC_DEFINE_AUTO(jc_encoder)

const struct jc_encoder_info *jc_encoder_info(const struct jc_encoder *encoder);

/*
 * ids: the texts' tokens one after another, [CLS] first and [SEP] last; n_tokens[i] is the length of text i
 * (1..max_tokens). ret_vectors [n_texts][dim]: unit vectors, checked finite. A text's vector does not depend on the
 * others by more than 1e-6. Errors: INVALID (an id or length out of range), MODEL (not finite), NOMEM, DEVICE (lost:
 * only a new process helps), INTERNAL.
 */
JC_MUST_CHECK jc_code jc_encoder_encode(const struct jc_encoder *encoder, const int32_t *ids, const uint32_t *n_tokens,
                                        size_t n_texts, float *ret_vectors, struct jc_err *err);

/* Calls `run` once for each of the lanes that a GPU holds for callers, which then is the one that every call of the
 * encoder takes; not at all on the CPU. Before anybody else uses the encoder: info's buckets may change. Errors: as
 * `run`. */
JC_MUST_CHECK jc_code jc_encoder_each_lane(struct jc_encoder *encoder,
                                           jc_code (*run)(void *context, struct jc_err *err), void *context,
                                           struct jc_err *err);

/* What int8 has to know of the texts it will meet: a thousand of them are enough, and need no labels. *ret_calibration
 * [*ret_n] is the caller's to free. Errors: UNSUPPORTED (not an onednn encoder in f32); as jc_encoder_encode. */
JC_MUST_CHECK jc_code jc_encoder_calibrate(const struct jc_encoder *encoder, const int32_t *ids,
                                           const uint32_t *n_tokens, size_t n_texts, float **ret_calibration,
                                           size_t *ret_n, struct jc_err *err);

#endif
