/*
 * Small random encoders, random texts for them, and BERT written out in plain C and double precision: what the encoders
 * are checked against.
 */
#ifndef JC_TESTS_RANDOM_BERT_H
#define JC_TESTS_RANDOM_BERT_H

#include <stdbool.h>

#include "base/bert.h"
#include "base/rng.h"
#include "base/tensor.h"
#include "check.h"

/* A test of larger encoders says so before it includes this. */
#ifndef RANDOM_BERT_SIZES
#define RANDOM_BERT_SIZES MAX_LEN = 24, N_TEXTS = 150, MAX_HIDDEN = 32, MAX_WIDE = 64
#endif
enum { MAX_TENSORS = 64, RANDOM_BERT_SIZES };

/* A checkpoint with random values. */
struct checkpoint {
    struct jc_bert bert;
    struct jc_tensor tensors[MAX_TENSORS];
    size_t n_tensors;
    const char *prefix;
    struct jc_rng rng;
};

static inline float *add_tensor(struct checkpoint *c, const char *name, size_t rows, size_t columns, double mean,
                                double spread)
{
    REQUIRE(c->n_tensors < MAX_TENSORS);
    struct jc_tensor *tensor = &c->tensors[c->n_tensors++];
    size_t n = rows * (columns ? columns : 1);
    float *values = malloc(n * sizeof(float));
    for (size_t i = 0; i < n; i++)
        values[i] = (float)(mean + spread * (jc_rng_unit(&c->rng) - 0.5));
    char full[128];
    snprintf(full, sizeof full, "%s%s", c->prefix, name);
    *tensor = (struct jc_tensor){.name = strdup(full),
                                 .dtype = JC_DTYPE_F32,
                                 .rank = columns ? 2 : 1,
                                 .shape = {rows, columns},
                                 .data = values,
                                 .n_bytes = n * sizeof(float)};
    return values;
}

static inline void add_pair(struct checkpoint *c, const char *prefix, const char *name, size_t rows, size_t columns)
{
    char full[96];
    bool norm = columns == 0;
    snprintf(full, sizeof full, "%s%s.weight", prefix, name);
    add_tensor(c, full, rows, columns, norm, norm ? 0.4 : 0.6);
    snprintf(full, sizeof full, "%s%s.bias", prefix, name);
    add_tensor(c, full, rows, 0, 0.0, 0.4);
}

static inline void fill_checkpoint(struct checkpoint *c)
{
    const struct jc_bert *b = &c->bert;
    add_tensor(c, "embeddings.word_embeddings.weight", b->vocab, b->hidden, 0.0, 2.0);
    add_tensor(c, "embeddings.position_embeddings.weight", b->positions, b->hidden, 0.0, 1.0);
    add_tensor(c, "embeddings.token_type_embeddings.weight", b->types, b->hidden, 0.0, 1.0);
    add_pair(c, "embeddings.", "LayerNorm", b->hidden, 0);
    for (size_t i = 0; i < b->layers; i++) {
        char prefix[48];
        snprintf(prefix, sizeof prefix, "encoder.layer.%zu.", i);
        add_pair(c, prefix, "attention.self.query", b->hidden, b->hidden);
        add_pair(c, prefix, "attention.self.key", b->hidden, b->hidden);
        add_pair(c, prefix, "attention.self.value", b->hidden, b->hidden);
        add_pair(c, prefix, "attention.output.dense", b->hidden, b->hidden);
        add_pair(c, prefix, "attention.output.LayerNorm", b->hidden, 0);
        add_pair(c, prefix, "intermediate.dense", b->intermediate, b->hidden);
        add_pair(c, prefix, "output.dense", b->hidden, b->intermediate);
        add_pair(c, prefix, "output.LayerNorm", b->hidden, 0);
    }
}

static inline void finish_checkpoint(struct checkpoint *c)
{
    for (size_t i = 0; i < c->n_tensors; i++) {
        free((char *)(uintptr_t)c->tensors[i].name);
        free((void *)(uintptr_t)c->tensors[i].data);
    }
}

static inline struct jc_tensor *find_tensor(struct checkpoint *c, const char *prefix, const char *name)
{
    char full[128];
    snprintf(full, sizeof full, "%s%s%s", c->prefix, prefix, name);
    for (size_t i = 0; i < c->n_tensors; i++)
        if (strcmp(c->tensors[i].name, full) == 0)
            return &c->tensors[i];
    fprintf(stderr, "no tensor %s\n", full);
    exit(1);
}

static inline const float *find_values(struct checkpoint *c, const char *prefix, const char *name)
{
    return find_tensor(c, prefix, name)->data;
}

/* The reference. Rows of x and y are `from` and `to` values. */
static inline void ref_linear(struct checkpoint *c, const char *prefix, const char *name, const double *x, size_t rows,
                              size_t from, size_t to, double *y)
{
    char full[64];
    snprintf(full, sizeof full, "%s.weight", name);
    const float *w = find_values(c, prefix, full);
    snprintf(full, sizeof full, "%s.bias", name);
    const float *bias = find_values(c, prefix, full);
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < to; j++) {
            double sum = bias[j];
            for (size_t k = 0; k < from; k++)
                sum += x[r * from + k] * w[j * from + k];
            y[r * to + j] = sum;
        }
}

/* x = norm(x + y), in place. */
static inline void ref_add_norm(struct checkpoint *c, const char *prefix, const char *name, double *x, const double *y,
                                size_t rows)
{
    const size_t hidden = c->bert.hidden;
    char full[64];
    snprintf(full, sizeof full, "%s.weight", name);
    const float *w = find_values(c, prefix, full);
    snprintf(full, sizeof full, "%s.bias", name);
    const float *bias = find_values(c, prefix, full);
    for (size_t r = 0; r < rows; r++, x += hidden) {
        double mean = 0, variance = 0;
        for (size_t k = 0; k < hidden; k++) {
            x[k] += y ? y[r * hidden + k] : 0.0;
            mean += x[k] / (double)hidden;
        }
        for (size_t k = 0; k < hidden; k++)
            variance += (x[k] - mean) * (x[k] - mean) / (double)hidden;
        for (size_t k = 0; k < hidden; k++)
            x[k] = (x[k] - mean) / sqrt(variance + c->bert.layer_norm_eps) * w[k] + bias[k];
    }
}

static inline void ref_attention(const struct jc_bert *bert, const double *q, const double *k, const double *v,
                                 size_t len, double *ret)
{
    const size_t hidden = bert->hidden, dim = hidden / bert->heads;
    for (size_t i = 0; i < len; i++)
        for (size_t first = 0; first < hidden; first += dim) {
            double weights[MAX_LEN], sum = 0;
            for (size_t j = 0; j < len; j++) {
                double score = 0;
                for (size_t d = first; d < first + dim; d++)
                    score += q[i * hidden + d] * k[j * hidden + d];
                sum += weights[j] = exp(score / sqrt((double)dim));
            }
            for (size_t d = first; d < first + dim; d++) {
                ret[i * hidden + d] = 0;
                for (size_t j = 0; j < len; j++)
                    ret[i * hidden + d] += weights[j] / sum * v[j * hidden + d];
            }
        }
}

static inline void ref_layer(struct checkpoint *c, size_t layer, double *x, size_t len)
{
    static double q[MAX_LEN * MAX_HIDDEN], k[MAX_LEN * MAX_HIDDEN], v[MAX_LEN * MAX_HIDDEN], y[MAX_LEN * MAX_HIDDEN],
        wide[MAX_LEN * MAX_WIDE];
    const size_t hidden = c->bert.hidden, n_wide = c->bert.intermediate;
    char prefix[48];
    snprintf(prefix, sizeof prefix, "encoder.layer.%zu.", layer);
    ref_linear(c, prefix, "attention.self.query", x, len, hidden, hidden, q);
    ref_linear(c, prefix, "attention.self.key", x, len, hidden, hidden, k);
    ref_linear(c, prefix, "attention.self.value", x, len, hidden, hidden, v);
    ref_attention(&c->bert, q, k, v, len, y);
    ref_linear(c, prefix, "attention.output.dense", y, len, hidden, hidden, q);
    ref_add_norm(c, prefix, "attention.output.LayerNorm", x, q, len);
    ref_linear(c, prefix, "intermediate.dense", x, len, hidden, n_wide, wide);
    for (size_t i = 0; i < len * n_wide; i++)
        wide[i] *= 0.5 * (1.0 + erf(wide[i] / sqrt(2.0)));
    ref_linear(c, prefix, "output.dense", wide, len, n_wide, hidden, y);
    ref_add_norm(c, prefix, "output.LayerNorm", x, y, len);
}

static inline void ref_encode(struct checkpoint *c, const int32_t *ids, size_t len, double *ret)
{
    static double x[MAX_LEN * MAX_HIDDEN];
    const size_t hidden = c->bert.hidden;
    const float *words = find_values(c, "embeddings.", "word_embeddings.weight"),
                *positions = find_values(c, "embeddings.", "position_embeddings.weight"),
                *types = find_values(c, "embeddings.", "token_type_embeddings.weight");
    for (size_t i = 0; i < len; i++)
        for (size_t k = 0; k < hidden; k++)
            x[i * hidden + k] = (double)words[(size_t)ids[i] * hidden + k] + positions[i * hidden + k] + types[k];
    ref_add_norm(c, "embeddings.", "LayerNorm", x, NULL, len);
    for (size_t i = 0; i < c->bert.layers; i++)
        ref_layer(c, i, x, len);
    double square = 0;
    for (size_t k = 0; k < hidden; k++) {
        ret[k] = x[k];
        for (size_t i = 1; c->bert.pooling == JC_POOLING_MEAN && i < len; i++)
            ret[k] += x[i * hidden + k];
        square += ret[k] * ret[k];
    }
    for (size_t k = 0; k < hidden; k++)
        ret[k] /= sqrt(square);
}

/* Texts of every length in no order, more of them than one forward takes. */
struct texts {
    int32_t ids[N_TEXTS * MAX_LEN];
    uint32_t n_tokens[N_TEXTS];
    size_t starts[N_TEXTS];
};

static inline void fill_texts(struct texts *texts, const struct jc_bert *bert, uint64_t seed)
{
    struct jc_rng rng = jc_rng_seeded(seed);
    size_t n = 0;
    for (size_t i = 0; i < N_TEXTS; i++) {
        texts->starts[i] = n;
        texts->n_tokens[i] = 1 + (uint32_t)(jc_rng_next(&rng) % bert->max_tokens);
        for (size_t t = 0; t < texts->n_tokens[i]; t++)
            texts->ids[n++] = (int32_t)(jc_rng_next(&rng) % bert->vocab);
    }
}

static inline double measure_gap(const float *a, const float *b, size_t n)
{
    double gap = 0;
    for (size_t i = 0; i < n; i++)
        gap = fmax(gap, fabs((double)a[i] - b[i]));
    return gap;
}

/* The largest difference of the texts' vectors [N_TEXTS][hidden] to the reference. */
static inline double measure_reference_gap(struct checkpoint *c, const struct texts *texts, const float *vectors)
{
    const size_t hidden = c->bert.hidden;
    double gap = 0;
    for (size_t i = 0; i < N_TEXTS; i++) {
        double want[MAX_HIDDEN];
        ref_encode(c, texts->ids + texts->starts[i], texts->n_tokens[i], want);
        for (size_t k = 0; k < hidden; k++)
            gap = fmax(gap, fabs((double)vectors[i * hidden + k] - want[k]));
    }
    return gap;
}

#endif
