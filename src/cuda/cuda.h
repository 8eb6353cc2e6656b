/*
 * The encoder and the scoring on a GPU (CUDA 12 or later; compute capability 7.5, 8.0 and 9.0, and by them the later
 * ones). Texts are packed as on the CPU (dnn.h); products by cuBLAS in halves or float32, always with float32 sums;
 * embeddings, attention, GELU, layer norms and pooling by kernels of our own with float32 arithmetic.
 *
 * An encoder's weights, and a scorer's categories and exemplars, lie in the device's memory once and are shared. A lane is a worker's
 * own: a stream, its cuBLAS handle, memory for one batch and the recorded launches (CUDA graphs) of each bucket of batch
 * sizes. With two workers, as many as the server has for a GPU (workers.count), one batch is packed and copied while
 * the other runs: that is the double buffering.
 *
 * A build without CUDA has these functions, too: there is no device, and nothing can be created.
 * Errors, of all: DEVICE (the context is lost: only a new process helps), NOMEM (of the device, too), NOT_FOUND (no
 * device or driver), UNSUPPORTED (a build without CUDA, or a card or encoder it has no kernels for), INTERNAL.
 * Threads: what is shared is immutable; a lane belongs to one thread at a time.
 */
#ifndef JC_CUDA_CUDA_H
#define JC_CUDA_CUDA_H

#include <stdbool.h>

#include "base/bert.h"
#include "base/own.h"
#include "base/tensor.h"
#include "cuda/buckets.h"
#include "linalg/linalg.h"

struct jc_cuda_device {
    int index;
    char name[128];
    int major, minor;               /* compute capability */
    size_t total_bytes, free_bytes; /* of memory; free now */
};

/* How many devices there are, 0 where there is no driver or the build has no CUDA. */
int jc_cuda_count(void);
JC_MUST_CHECK jc_code jc_cuda_device_get(int index, struct jc_cuda_device *ret_device, struct jc_err *err);

/* "13.0", or "none". Static storage. */
const char *jc_cuda_version(void);

/* What all encoders of the process did, since its start. */
struct jc_cuda_counts {
    size_t device_bytes;     /* held now */
    uint64_t batches, rows;  /* run; tokens, without what buckets add */
    uint64_t batch_ns;       /* from the copy there to the end of the copy back */
    uint64_t graph_launches; /* batches that were launched as recorded */
    uint64_t not_finite;     /* texts whose vectors were not, and are the caller's to encode elsewhere */
    uint64_t shrinks;        /* buckets that lanes gave up, the device having no room for them */
};
struct jc_cuda_counts jc_cuda_counts_get(void);

struct jc_cuda_encoder;

/* buckets: as jc_cuda_buckets_settle takes them. Where the device has no room for a batch of the last one, a lane does
 * without it, and so on down to one text. Errors also: FORMAT, MODEL (weights.h), INVALID (of the buckets). */
JC_MUST_CHECK jc_code jc_cuda_encoder_create(const struct jc_bert *bert, const struct jc_tensor *tensors,
                                             size_t n_tensors, bool is_wide, int device,
                                             const struct jc_cuda_buckets *buckets,
                                             struct jc_cuda_encoder **ret_encoder, struct jc_err *err);
void jc_cuda_encoder_destroy(struct jc_cuda_encoder *encoder);
JC_DEFINE_AUTO(jc_cuda_encoder)

/* The encoder outlives it. */
struct jc_cuda_lane;
JC_MUST_CHECK jc_code jc_cuda_lane_create(struct jc_cuda_encoder *encoder, struct jc_cuda_lane **ret_lane,
                                          struct jc_err *err);
void jc_cuda_lane_destroy(struct jc_cuda_lane *lane);
JC_DEFINE_AUTO(jc_cuda_lane)

/* Those that it has room for. */
const struct jc_cuda_buckets *jc_cuda_lane_buckets(const struct jc_cuda_lane *lane);

/* ids, n_tokens: as jc_dnn_encoder_encode has them; they are checked. ret_vectors [n_texts][hidden]: unit vectors.
 * ret_finite [n_texts]: 0 where a vector is none, which halves can come to; 1 elsewhere. Errors also: INVALID. */
JC_MUST_CHECK jc_code jc_cuda_lane_encode(struct jc_cuda_lane *lane, const int32_t *ids, const uint32_t *n_tokens,
                                          size_t n_texts, float *ret_vectors, uint32_t *ret_finite, struct jc_err *err);

#define JC_CUDA_MAX_HITS 1024

/* After jc_cuda_lane_encode or jc_cuda_lane_rank failed with `code` and *err: JC_OK where it is to be called again, since
 * the lane gave memory back and now has smaller batches (NOMEM). Else that error, or DEVICE where it turns out that the
 * device was lost; the lane is then to be destroyed. */
JC_MUST_CHECK jc_code jc_cuda_lane_recover(struct jc_cuda_lane *lane, jc_code code, struct jc_err *err);

/* A head (artifact/head.h): its categories, how its scores become probabilities, and its exemplars. Copied; the matrix
 * and the exemplars' vectors as the encoder stores its own, or in float32 where dim + n_words is no multiple of 8. */
struct jc_cuda_scorer_source {
    size_t n_categories, dim, n_words; /* dim: the encoder's hidden; n_words: of the lexicon, may be 0 */
    const float *matrix;               /* [n_categories][dim + n_words] */
    const float *bias;                 /* [n_categories] */
    float sharpness, saturation, power;
    struct {
        size_t n, k;               /* n == 0: none, and nothing below is read; k: 1 to JC_CUDA_MAX_HITS */
        const float *vectors;      /* [n][dim] */
        const size_t *code_begins; /* [n + 1]; codes, code_weights: [code_begins[n]], as struct jc_exemplars has them */
        const uint32_t *codes;
        const float *code_weights;
        float sharpness, weight;
    } exemplars;
};

/* Errors also: INVALID, where a number is out of its range. */
struct jc_cuda_scorer;
JC_MUST_CHECK jc_code jc_cuda_scorer_create(struct jc_cuda_encoder *encoder, const struct jc_cuda_scorer_source *source,
                                            struct jc_cuda_scorer **ret_scorer, struct jc_err *err);
void jc_cuda_scorer_destroy(struct jc_cuda_scorer *scorer);
JC_DEFINE_AUTO(jc_cuda_scorer)

/* A text's answer, as model/scoring.h has its norm. */
struct jc_cuda_answer {
    float best, log_sum, peak, mass;
    uint32_t is_finite; /* 0: nothing else of the text holds */
};

/* Where the answers go: the caller's memory. */
struct jc_cuda_ranking {
    size_t k;                       /* hits of a text, 1 to JC_CUDA_MAX_HITS */
    struct jc_hit *hits;            /* [n_texts][k], of which min(k, n_categories) are written: best first, of equal
                                       scores the lower category */
    struct jc_cuda_answer *answers; /* [n_texts] */
    struct jc_hit *neighbours;      /* [n_texts][min(k, n) of the exemplars], .score the cosine: nearest first, of equal
                                       ones the lower exemplar; not used where there are none */
    float *scores;                  /* [n_texts][n_categories], with the vote and without the bias; NULL: not wanted */
};

/* Encodes, scores, lets the exemplars vote and ranks: vectors, cosines and scores stay on the device, and one copy
 * brings the answers, a second the scores where they are wanted. words [n_texts][n_words], NULL where there are none.
 * A few texts with many categories or exemplars keep many of the device's processors busy (rank_block.h). At most 2^24
 * scores, and as many cosines, are there at once, or one text's where those are more. Errors also: INVALID. */
JC_MUST_CHECK jc_code jc_cuda_lane_rank(struct jc_cuda_lane *lane, const struct jc_cuda_scorer *scorer,
                                        const int32_t *ids, const uint32_t *n_tokens, const float *words,
                                        size_t n_texts, const struct jc_cuda_ranking *ranking, struct jc_err *err);

#endif
