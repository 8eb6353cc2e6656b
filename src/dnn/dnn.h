/*
 * The encoder on the CPU: BERT (Devlin et al. 2018) from the tensors of its model.safetensors, pooling and L2 norm; its
 * matrix products by oneDNN, everything between them by our own kernels.
 * Titles are packed: one matrix [n_tokens][hidden] whatever their lengths; only attention goes text by text. Nothing is
 * padded and nothing sorted. Weights are packed, and kernels made, when the encoder is created.
 * In 8 bits (linear.h) the products are u8 . s8 with exact integer sums; layer norm, softmax, GELU and pooling stay in
 * float32.
 * Threads: an encoder is immutable and shared; a scratch belongs to one thread. Each call runs in its caller's thread
 * alone.
 */
#ifndef JC_DNN_DNN_H
#define JC_DNN_DNN_H

#include <stddef.h>
#include <stdint.h>

#include "base/bert.h"
#include "base/err.h"
#include "base/own.h"
#include "base/tensor.h"
#include "dnn/gemm.h"

struct jc_dnn_encoder;

/*
 * tensors: the checkpoint's, by their published names ("embeddings.word_embeddings.weight",
 * "encoder.layer.0.attention.self.query.weight", ..., with or without a "bert." prefix), F32. They are copied.
 * calibration: what jc_dnn_encoder_calibrate found; NULL in float32, and in 8 bits where accuracy does not matter.
 * Errors: FORMAT, naming the tensor that is missing, of another shape or type, or not finite, or the channel whose
 * calibration no texts can have; MODEL (the first vector is not finite); UNSUPPORTED, NOMEM, INTERNAL.
 */
JC_MUST_CHECK jc_code jc_dnn_encoder_create(const struct jc_bert *bert, const struct jc_tensor *tensors,
                                            size_t n_tensors, enum jc_precision precision, const float *calibration,
                                            struct jc_dnn_encoder **ret_encoder, struct jc_err *err);
void jc_dnn_encoder_destroy(struct jc_dnn_encoder *encoder);
JC_DEFINE_AUTO(jc_dnn_encoder)

const struct jc_bert *jc_dnn_encoder_bert(const struct jc_dnn_encoder *encoder);

/* A thread's memory, mostly 20 bytes for each of hidden times the tokens of the longest text, or 256, and 64 more: 3 MB
 * for MiniLM-L6 with 256 tokens, 11 MB for BERT base with 512. The encoder outlives it.
 * Errors: NOMEM, UNSUPPORTED, INTERNAL. */
struct jc_dnn_scratch;
JC_MUST_CHECK jc_code jc_dnn_scratch_create(const struct jc_dnn_encoder *encoder, struct jc_dnn_scratch **ret_scratch,
                                            struct jc_err *err);
void jc_dnn_scratch_destroy(struct jc_dnn_scratch *scratch);
JC_DEFINE_AUTO(jc_dnn_scratch)

/*
 * ids: the texts' tokens one after another, [CLS] first and [SEP] last; n_tokens[i] is the length of text i
 * (1..max_tokens); ids are in [0, vocab). ret_vectors [n_texts][hidden]: unit vectors, checked finite.
 * A text's vector does not depend on the others: in 8 bits not by a bit, in float32 not by more than 1e-6.
 * Errors: INVALID (an id or length out of range), MODEL (not finite), NOMEM, UNSUPPORTED, INTERNAL.
 */
JC_MUST_CHECK jc_code jc_dnn_encoder_encode(const struct jc_dnn_encoder *encoder, struct jc_dnn_scratch *scratch,
                                            const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                                            float *ret_vectors, struct jc_err *err);

/* Encodes texts and keeps of each input channel of each linear layer the mean, and behind all of these the means of the
 * squares: [2][channels], by layer, and in it query-key-value, attention output, intermediate, output. The encoder is one of
 * float32; a thousand titles of the kind it will meet are enough, and need no labels. Of no texts all are 0.
 * Errors: as jc_dnn_encoder_encode; UNSUPPORTED, the encoder is of 8 bits. */
JC_MUST_CHECK jc_code jc_dnn_encoder_calibrate(const struct jc_dnn_encoder *encoder, struct jc_dnn_scratch *scratch,
                                               const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                                               float *ret_calibration, struct jc_err *err);

#endif
