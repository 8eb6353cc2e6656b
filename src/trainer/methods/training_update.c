/* A step of Adam on a head's parameters; the members share its categories and features out. See training.h. */
#include <stdlib.h>
#include <string.h>

#include "linalg/linalg.h"
#include "trainer/methods/adam.h"
#include "trainer/methods/training_impl.h"

jc_code jc_training_moments_init(struct jc_training_run *run, struct jc_err *err)
{
    const struct jc_head *head = run->head;
    size_t width = jc_head_width(head), n = head->n_categories, lexicon = head->n_features * head->lexicon_dim;
    run->matrix_m = calloc(n, width * sizeof(float));
    run->matrix_v = calloc(n, width * sizeof(float));
    run->bias_m = calloc(n, sizeof(float));
    run->bias_v = calloc(n, sizeof(float));
    run->lexicon_m = calloc(lexicon + 1, sizeof(float));
    run->lexicon_v = calloc(lexicon + 1, sizeof(float));
    run->lexicon_gradient = calloc(lexicon + 1, sizeof(float));
    run->touched = calloc(head->n_features + 1, 1);
    if (!run->matrix_m || !run->matrix_v || !run->bias_m || !run->bias_v || !run->lexicon_m || !run->lexicon_v ||
        !run->lexicon_gradient || !run->touched)
        return jc_fail(err, JC_E_NOMEM, "no memory to train %zu categories", n);
    return JC_OK;
}

void jc_training_moments_finish(struct jc_training_run *run)
{
    free(run->matrix_m);
    free(run->matrix_v);
    free(run->bias_m);
    free(run->bias_v);
    free(run->lexicon_m);
    free(run->lexicon_v);
    free(run->lexicon_gradient);
    free(run->touched);
}

/* Adam on the embedding at `at` of the matrix; on the unit sphere along the tangent of the gradient. */
static void update_embedding(struct jc_training_run *run, const struct jc_adam_step *step, float *gradient, size_t at)
{
    float *embedding = run->head->matrix + at;
    size_t dim = run->head->dim;
    jc_vec_add(gradient, -jc_vec_dot(gradient, embedding, dim), embedding, dim);
    jc_adam_update(step, embedding, gradient, run->matrix_m + at, run->matrix_v + at, dim);
    jc_vec_normalize(embedding, dim);
}

/* The member's categories: the sum of all shards' gradients, then Adam. */
static void update_matrix(struct jc_training_run *run, unsigned member, float lr, size_t step)
{
    struct jc_head *head = run->head;
    size_t width = jc_head_width(head);
    struct jc_part rows = jc_part_of(0, head->n_categories, run->n_members, member);
    size_t first = rows.begin * width, n_rows = rows.end - rows.begin;
    float *gradient = run->shards[0].matrix_gradient, *bias_gradient = run->shards[0].bias_gradient;
    for (unsigned i = 1; i < run->n_members; i++) {
        jc_vec_add(gradient + first, 1, run->shards[i].matrix_gradient + first, n_rows * width);
        jc_vec_add(bias_gradient + rows.begin, 1, run->shards[i].bias_gradient + rows.begin, n_rows);
    }
    /* Scores are logits / sharpness: what adds to them directly takes steps as much smaller. The lexicon's columns do,
     * at twice the rate of the embeddings. */
    const struct jc_adam_step wide = jc_adam_step(lr, step), narrow = jc_adam_step(2 * lr / head->sharpness, step);
    for (size_t row = rows.begin; row < rows.end; row++) {
        size_t lexicon = row * width + head->dim;
        update_embedding(run, &wide, gradient + row * width, row * width);
        jc_adam_update(&narrow, head->matrix + lexicon, gradient + lexicon, run->matrix_m + lexicon,
                       run->matrix_v + lexicon, head->lexicon_dim);
    }
    const struct jc_adam_step bias = jc_adam_step(lr / head->sharpness, step);
    if (run->plan->has_bias)
        jc_adam_update(&bias, head->bias + rows.begin, bias_gradient + rows.begin, run->bias_m + rows.begin,
                       run->bias_v + rows.begin, n_rows);
}

/* Calls visit for each feature of the batch that is the member's (its number modulo the members), in the batch's
 * order. */
static void visit_features(struct jc_training_run *run, size_t begin, size_t end, unsigned member,
                           void (*visit)(struct jc_training_run *run, uint32_t feature, const float *words,
                                         float weight, const struct jc_adam_step *step),
                           const struct jc_adam_step *step)
{
    size_t dim = run->head->lexicon_dim;
    for (unsigned s = 0; s < run->n_members; s++) {
        struct jc_part part = jc_part_of(begin, end, run->n_members, s);
        const struct jc_shard *shard = &run->shards[s];
        for (size_t i = part.begin; i < part.end; i++) {
            const struct jc_sample *sample = run->order[i];
            const float *weights = shard->feature_weights + (i - part.begin) * JC_LEXICON_FEATURES;
            for (uint32_t f = 0; f < sample->n_features; f++)
                if (sample->features[f] % run->n_members == member && weights[f] > 0)
                    visit(run, sample->features[f], shard->words_gradient + (i - part.begin) * dim, weights[f], step);
        }
    }
}

static void gather(struct jc_training_run *run, uint32_t feature, const float *words, float weight,
                   const struct jc_adam_step *step)
{
    (void)step;
    run->touched[feature] = 1;
    jc_vec_add(run->lexicon_gradient + feature * run->head->lexicon_dim, weight, words, run->head->lexicon_dim);
}

/* The first visit of a touched feature applies its gradient and clears it. */
static void apply(struct jc_training_run *run, uint32_t feature, const float *words, float weight,
                  const struct jc_adam_step *step)
{
    (void)words;
    (void)weight;
    if (!run->touched[feature])
        return;
    run->touched[feature] = 0;
    size_t dim = run->head->lexicon_dim, at = feature * dim;
    jc_adam_update(step, run->head->lexicon + at, run->lexicon_gradient + at, run->lexicon_m + at, run->lexicon_v + at,
                   dim);
    memset(run->lexicon_gradient + at, 0, dim * sizeof(float));
}

/* Only the rows that the batch has: Adam for sparse gradients. */
static void update_lexicon(struct jc_training_run *run, size_t begin, size_t end, unsigned member, float lr,
                           size_t step)
{
    const struct jc_adam_step rows = jc_adam_step(2 * lr, step);
    visit_features(run, begin, end, member, gather, &rows);
    visit_features(run, begin, end, member, apply, &rows);
}

void jc_training_update(struct jc_training_run *run, size_t begin, size_t end, unsigned member, size_t step)
{
    float lr = (float)(run->plan->learning_rate * (1.0 - (double)(step - 1) / (double)run->n_steps));
    update_matrix(run, member, lr, step);
    update_lexicon(run, begin, end, member, lr, step);
}
