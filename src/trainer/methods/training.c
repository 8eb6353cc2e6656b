/* Epochs, batches and steps of a training, and when it stops. See training.h. */
#include "trainer/methods/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/rng.h"
#include "trainer/config.h"
#include "trainer/methods/training_impl.h"

#define REFIT_RATE 0.25 /* of the learning rate, where a head is gone on from */

static void run_finish(struct jc_training_run *run)
{
    for (unsigned i = 0; run->shards && i < run->n_members; i++)
        jc_shard_finish(&run->shards[i]);
    free(run->shards);
    free(run->order);
    free(run->watched);
    free(run->member_losses);
    free(run->train_losses);
    free(run->validation);
    free(run->best);
    jc_training_moments_finish(run);
}

static const struct jc_sample **list_samples(const struct jc_samples *samples)
{
    const struct jc_sample **list = calloc(samples->n + 1, sizeof(struct jc_sample *));
    for (size_t i = 0; list && i < samples->n; i++)
        list[i] = &samples->items[i];
    return list;
}

/* Floats in matrix, bias and lexicon. */
static size_t count_parameters(const struct jc_head *head)
{
    return head->n_categories * (jc_head_width(head) + 1) + head->n_features * head->lexicon_dim;
}

static jc_code run_init(struct jc_training_run *run, struct jc_err *err)
{
    const struct jc_training *plan = run->plan;
    run->n_samples = plan->samples->n;
    run->n_watched = plan->watched->n;
    run->n_steps = plan->epochs * ((run->n_samples + plan->batch - 1) / plan->batch);
    run->order = list_samples(plan->samples);
    run->watched = list_samples(plan->watched);
    run->shards = calloc(run->n_members, sizeof(*run->shards));
    run->member_losses = calloc(run->n_members, sizeof(*run->member_losses));
    run->train_losses = calloc(plan->epochs + 1, sizeof(*run->train_losses));
    run->validation = calloc(plan->epochs + 1, sizeof(*run->validation));
    bool is_stopping = plan->patience && run->n_watched;
    if (is_stopping)
        run->best = calloc(count_parameters(run->head), sizeof(*run->best));
    if (!run->order || !run->watched || !run->shards || !run->member_losses || !run->train_losses || !run->validation ||
        (is_stopping && !run->best))
        return jc_fail(err, JC_E_NOMEM, "no memory to train %zu epochs on %zu texts", plan->epochs, run->n_samples);
    for (size_t i = 0; i < run->n_watched; i++)
        run->watched_weight += (double)run->watched[i]->weight;
    jc_code code = jc_training_moments_init(run, err);
    for (unsigned i = 0; !code && i < run->n_members; i++)
        code = jc_shard_init(&run->shards[i], run->head, plan->batch / run->n_members + 1, err);
    return code;
}

/* Fisher and Yates. */
static void shuffle(struct jc_training_run *run, uint64_t seed)
{
    struct jc_rng rng = jc_rng_seeded(seed);
    for (size_t i = run->n_samples; i > 1; i--) {
        size_t j = (size_t)(jc_rng_next(&rng) % i);
        const struct jc_sample *swap = run->order[i - 1];
        run->order[i - 1] = run->order[j];
        run->order[j] = swap;
    }
}

/* Samples [begin, end) of the order. */
static void run_step(struct jc_training_run *run, struct jc_team *team, unsigned member, size_t begin, size_t end,
                     size_t step)
{
    const struct jc_head *head = run->head;
    struct jc_part part = jc_part_of(begin, end, run->n_members, member);
    struct jc_shard *shard = &run->shards[member];
    if (part.end > part.begin) {
        jc_objective_run(&run->plan->objective, head, run->order + part.begin, part.end - part.begin,
                         1.0F / (float)(end - begin), run->plan->seed ^ (step << 20) ^ part.begin, shard);
        run->member_losses[member] += shard->loss * (double)(end - begin);
    } else {
        memset(shard->matrix_gradient, 0, head->n_categories * jc_head_width(head) * sizeof(float));
        memset(shard->bias_gradient, 0, head->n_categories * sizeof(float));
    }
    jc_team_wait(team);
    jc_training_update(run, begin, end, member, step);
    jc_team_wait(team);
}

/* The mean over the members' sums, which start anew. */
static double take_losses(struct jc_training_run *run, double weight)
{
    double sum = 0;
    for (unsigned i = 0; i < run->n_members; i++) {
        sum += run->member_losses[i];
        run->member_losses[i] = 0;
    }
    return sum / weight;
}

static void watch(struct jc_training_run *run, unsigned member)
{
    struct jc_part part = jc_part_of(0, run->n_watched, run->n_members, member);
    size_t max = run->plan->batch / run->n_members + 1; /* what a shard has room for */
    for (size_t i = part.begin; i < part.end; i += max) {
        size_t n = part.end - i < max ? part.end - i : max;
        run->member_losses[member] +=
            jc_objective_loss(&run->plan->objective, run->head, run->watched + i, n, &run->shards[member]);
    }
}

static void copy_parameters(float *to, const float *from, size_t n)
{
    memcpy(to, from, n * sizeof(*to));
}

/* Matrix, bias and lexicon, one after another. */
static void save_best(struct jc_training_run *run)
{
    const struct jc_head *head = run->head;
    size_t matrix = head->n_categories * jc_head_width(head);
    copy_parameters(run->best, head->matrix, matrix);
    copy_parameters(run->best + matrix, head->bias, head->n_categories);
    copy_parameters(run->best + matrix + head->n_categories, head->lexicon, head->n_features * head->lexicon_dim);
}

static void restore_best(struct jc_training_run *run)
{
    struct jc_head *head = run->head;
    size_t matrix = head->n_categories * jc_head_width(head);
    copy_parameters(head->matrix, run->best, matrix);
    copy_parameters(head->bias, run->best + matrix, head->n_categories);
    copy_parameters(head->lexicon, run->best + matrix + head->n_categories, head->n_features * head->lexicon_dim);
}

/* Notes the epoch's losses, and whether it was the best, and the last. */
static void close_epoch(struct jc_training_run *run)
{
    size_t epoch = run->n_epochs++;
    run->validation[epoch] = run->n_watched ? take_losses(run, run->watched_weight) : (double)NAN;
    if (!run->best)
        return;
    if (epoch == 0 || run->validation[epoch] < run->validation[run->best_epoch]) {
        run->best_epoch = epoch;
        save_best(run);
    }
    run->stop = epoch - run->best_epoch >= run->plan->patience;
}

static void train(void *context, struct jc_team *team, unsigned member)
{
    struct jc_training_run *run = context;
    const struct jc_training *plan = run->plan;
    size_t step = 0;
    for (size_t epoch = 0; epoch < plan->epochs && !run->stop; epoch++) {
        jc_team_wait(team); /* all have read `stop` */
        if (member == 0)
            shuffle(run, plan->seed + epoch);
        jc_team_wait(team);
        for (size_t begin = 0; begin < run->n_samples; begin += plan->batch) {
            size_t left = run->n_samples - begin;
            run_step(run, team, member, begin, begin + (left < plan->batch ? left : plan->batch), ++step);
        }
        if (member == 0)
            run->train_losses[epoch] = take_losses(run, (double)run->n_samples);
        jc_team_wait(team);
        watch(run, member);
        jc_team_wait(team);
        if (member == 0)
            close_epoch(run);
        jc_team_wait(team);
    }
}

jc_code jc_training_run(const struct jc_training *training, struct jc_head *head, struct jc_curve *curve,
                        struct jc_err *err)
{
    __attribute__((cleanup(run_finish))) struct jc_training_run run = {
        .plan = training, .head = head, .n_members = training->n_threads ? training->n_threads : 1};
    jc_code code = run_init(&run, err);
    if (!code)
        code = jc_team_run(run.n_members, train, &run, err);
    if (code)
        return code;
    if (run.best)
        restore_best(&run);
    for (size_t i = 0; curve && !code && i < run.n_epochs; i++)
        code = jc_curve_add(curve, run.train_losses[i], run.validation[i], err);
    return code;
}

jc_code jc_training_fit(const struct jc_training_plan *plan, const struct jc_fit *fit, const struct jc_samples *samples,
                        const struct jc_samples *watched, struct jc_head *head, struct jc_err *err)
{
    JC_AUTO_FREE float *prior = calloc(head->n_categories + 1, sizeof(*prior));
    if (!prior)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    jc_samples_prior(samples, head->n_categories, (float)plan->prior, prior);
    struct jc_training training = {
        .objective = plan->objective,
        .samples = samples,
        .watched = watched,
        .epochs = fit->start ? plan->refit_epochs : plan->epochs,
        .batch = plan->batch,
        .patience = plan->patience,
        .learning_rate = fit->start ? REFIT_RATE * plan->learning_rate : plan->learning_rate,
        .has_bias = plan->has_bias,
        .seed = fit->data->config->seed,
        .n_threads = fit->data->n_threads,
    };
    training.objective.prior = prior;
    return jc_training_run(&training, head, fit->curve, err);
}
