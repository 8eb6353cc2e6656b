/*
 * The C face of libtorch: make a TorchScript encoder from plain tensors, and run it. C++ stays behind it: every entry
 * catches all exceptions and turns them into errors.
 * Built from build.cpp and run.cpp with -Dtorch=enabled, else from none.c, where every call fails with UNSUPPORTED.
 */
#ifndef JC_TORCH_TORCH_H
#define JC_TORCH_TORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/bert.h"
#include "base/err.h"
#include "base/tensor.h"

JC_C_BEGIN

struct jc_torch_module;

/* Makes every forward run in the thread that calls it, and none but it. Call once, before threads start. */
void jc_torch_init(void);

/* "1.13.1", or "none". */
const char *jc_torch_version(void);

/*
 * tensors: the checkpoint's, by their published names ("embeddings.word_embeddings.weight",
 * "encoder.layer.0.attention.self.query.weight", ..., with or without a "bert." prefix), F32; they are copied.
 * Compiles, freezes, warms up. Errors: FORMAT, naming the tensor that is missing or of another shape or type; MODEL
 * (not finite), UNSUPPORTED, NOMEM, INTERNAL.
 */
JC_MUST_CHECK jc_code jc_torch_module_create(const struct jc_bert *bert, const struct jc_tensor *tensors,
                                             size_t n_tensors, struct jc_torch_module **ret_module, struct jc_err *err);
void jc_torch_module_destroy(struct jc_torch_module *module);

/*
 * ids: the texts' tokens one after another, [CLS] first and [SEP] last; n_tokens[i] is the length of text i
 * (1..max_tokens); ids are in [0, vocab). ret_vectors [n_texts][hidden]: unit vectors, checked finite.
 * A text's vector does not depend on the others by more than 1e-6. Fastest where texts come sorted by length.
 * Errors: INVALID (an id or length out of range), MODEL (not finite), NOMEM, INTERNAL. Threads: any number at once.
 */
JC_MUST_CHECK jc_code jc_torch_module_encode(const struct jc_torch_module *module, const int32_t *ids,
                                             const uint32_t *n_tokens, size_t n_texts, float *ret_vectors,
                                             struct jc_err *err);

JC_C_END

#endif
