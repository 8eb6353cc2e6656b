/* Inside cuda/: what an encoder, a scorer and a lane share. */
#ifndef JC_CUDA_ENCODER_IMPL_H
#define JC_CUDA_ENCODER_IMPL_H

#include <stdatomic.h>

#include "cuda/buckets.h"
#include "cuda/cuda.h"
#include "cuda/forward.h"
#include "cuda/kernels.h"
#include "cuda/memory.h"
#include "cuda/stream.h"

struct jc_cuda_tallies {
    _Atomic uint64_t batches, rows, batch_ns, graph_launches, not_finite, shrinks;
};
extern struct jc_cuda_tallies jc_cuda_tallies;

struct jc_cuda_encoder {
    struct jc_cuda_device device;
    unsigned n_processors;
    struct jc_cuda_buckets buckets; /* that a lane tries to have */
    struct jc_cuda_buffer *image;
    struct jc_cuda_weights weights; /* in the image */
};

/* Its arrays lie in the block, each 256-byte aligned. */
struct jc_cuda_scorer {
    size_t n_categories, dim, n_words;
    int wide; /* of the matrix and the exemplars */
    float sharpness, saturation, power;
    size_t n_exemplars, n_neighbours; /* n_neighbours: min(k, n_exemplars) */
    float vote_sharpness, vote_weight;
    struct jc_cuda_buffer *block;
    void *matrix;                  /* [n_categories][dim + n_words] */
    float *bias;                   /* [n_categories] */
    void *exemplars;               /* [n_exemplars][dim] */
    uint32_t *code_begins, *codes; /* [n_exemplars + 1]; [code_begins[n_exemplars]] */
    float *code_weights;           /* parallel to codes */
};

/* Memory that grows to the largest batch. */
struct jc_cuda_room {
    enum jc_cuda_place place;
    struct jc_cuda_buffer *buffer;
    size_t n_bytes;
};

/* What scoring needs. */
struct jc_cuda_rooms {
    /* For so many texts of a batch as are scored at once. */
    struct jc_cuda_room queries, scores, cosines;
    struct jc_cuda_room candidates, parts; /* rank_block.h */
    /* For all of a batch. */
    struct jc_cuda_room words, words_host;
    struct jc_cuda_room records, answers; /* the same, on the device and on the host */
    struct jc_cuda_room scores_host;      /* where they are wanted */
};

struct jc_cuda_lane {
    const struct jc_cuda_encoder *encoder;
    struct jc_cuda_stream *stream;
    struct jc_cuda_buffer *memory; /* of the device: what `buffers` points into */
    struct jc_cuda_buffer *upload; /* pinned: a batch */
    struct jc_cuda_buffers buffers;
    struct jc_cuda_buckets buckets;
    bool seen[JC_CUDA_MAX_BUCKETS];              /* run once, so that nothing is loaded while it is recorded */
    cudaGraphExec_t graphs[JC_CUDA_MAX_BUCKETS]; /* NULL: not yet */
    struct jc_cuda_rooms rooms;                  /* of scoring */
    struct jc_cuda_room vectors_host;            /* of encoding: vectors, then finite */
};

/* At least n_bytes; what was there is lost. Errors: as jc_cuda_buffer_create. */
JC_MUST_CHECK jc_code jc_cuda_room_reserve(struct jc_cuda_room *room, size_t n_bytes, struct jc_err *err);

/* Queues the encoding of the first texts, as many as one batch takes: *ret_n texts of *ret_rows tokens, whose vectors
 * come to lie in lane->buffers. */
JC_MUST_CHECK jc_code jc_cuda_lane_forward(struct jc_cuda_lane *lane, const int32_t *ids, const uint32_t *n_tokens,
                                           size_t n_texts, size_t *ret_n, size_t *ret_rows, struct jc_err *err);

/* To an empty one, which may grow again. */
void jc_cuda_room_finish(struct jc_cuda_room *room);

/* Of zeros, to empty ones that know their places; and as jc_cuda_room_finish. */
void jc_cuda_rooms_init(struct jc_cuda_rooms *rooms);
void jc_cuda_rooms_finish(struct jc_cuda_rooms *rooms);

/* After a failure: waits for what is still queued, whose memory the next batch writes to. Returns `code`. */
JC_MUST_CHECK jc_code jc_cuda_lane_drain(struct jc_cuda_lane *lane, jc_code code);

#endif
