/*
 * See hinge.h. The members share the categories out: a member scores its own, and moves its own. What they tell each
 * other in a step is the positives' cosines and each member's hardest negatives.
 */
#include "trainer/methods/hinge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/rng.h"
#include "linalg/linalg.h"
#include "trainer/methods/adam.h"
#include "trainer/methods/part.h"
#include "trainer/methods/team.h"

/* What a member found for a row among its categories. */
struct candidate {
    uint32_t category;
    float cosine; /* -INFINITY: none */
};

struct hinge_run {
    const struct jc_hinge *plan;
    unsigned n_members;
    float *table;
    size_t n_steps;                    /* an epoch */
    uint32_t *order;                   /* [epochs][n_rows] */
    float *lengths;                    /* [n_categories] */
    float *m, *v;                      /* [n_categories][dim] */
    float *gradient;                   /* the same: zero but during an update */
    bool *is_touched;                  /* [n_categories] */
    uint32_t *idle;                    /* [n_categories]: steps since the last gradient */
    float *queries;                    /* [2][batch][dim]: of this step and the next, unit rows */
    float *scores;                     /* [batch][n_categories]: a block of [batch][its categories] for each member */
    float *positives;                  /* [batch] */
    struct candidate *hardest;         /* [n_members][batch] */
    double loss;                       /* of the epoch so far, a sum */
    double *train_losses, *validation; /* [epochs] */
};

static void run_finish(struct hinge_run *run)
{
    free(run->order);
    free(run->lengths);
    free(run->m);
    free(run->v);
    free(run->gradient);
    free(run->is_touched);
    free(run->idle);
    free(run->queries);
    free(run->scores);
    free(run->positives);
    free(run->hardest);
    free(run->train_losses);
    free(run->validation);
}

static jc_code run_init(struct hinge_run *run, struct jc_err *err)
{
    const struct jc_hinge *plan = run->plan;
    size_t n = plan->n_categories, dim = plan->dim;
    run->n_steps = (plan->n_rows + plan->batch - 1) / plan->batch;
    run->order = calloc(plan->epochs * plan->n_rows + 1, sizeof(*run->order));
    run->lengths = calloc(n, sizeof(*run->lengths));
    run->m = calloc(n, dim * sizeof(*run->m));
    run->v = calloc(n, dim * sizeof(*run->v));
    run->gradient = calloc(n, dim * sizeof(*run->gradient));
    run->is_touched = calloc(n, sizeof(*run->is_touched));
    run->idle = calloc(n, sizeof(*run->idle));
    run->queries = calloc(2 * plan->batch, dim * sizeof(*run->queries));
    run->scores = calloc(plan->batch, n * sizeof(*run->scores));
    run->positives = calloc(plan->batch, sizeof(*run->positives));
    run->hardest = calloc(run->n_members * plan->batch, sizeof(*run->hardest));
    run->train_losses = calloc(plan->epochs + 1, sizeof(*run->train_losses));
    run->validation = calloc(plan->epochs + 1, sizeof(*run->validation));
    if (!run->order || !run->lengths || !run->m || !run->v || !run->gradient || !run->is_touched || !run->idle ||
        !run->queries || !run->scores || !run->positives || !run->hardest || !run->train_losses || !run->validation)
        return jc_fail(err, JC_E_NOMEM, "no memory to train %zu categories on %zu rows", n, plan->n_rows);
    return JC_OK;
}

/* Fisher and Yates, anew for each epoch. */
static void fill_order(struct hinge_run *run)
{
    const struct jc_hinge *plan = run->plan;
    struct jc_rng rng = jc_rng_seeded(~plan->seed);
    for (size_t epoch = 0; epoch < plan->epochs; epoch++) {
        uint32_t *order = run->order + epoch * plan->n_rows;
        for (size_t i = 0; i < plan->n_rows; i++)
            order[i] = (uint32_t)i;
        for (size_t i = plan->n_rows; plan->is_shuffled && i > 1; i--) {
            size_t j = (size_t)(jc_rng_next(&rng) % i);
            uint32_t swap = order[i - 1];
            order[i - 1] = order[j];
            order[j] = swap;
        }
    }
}

/* A batch: rows order[0 .. n) of a list. */
struct batch {
    const struct jc_hinge_row *rows;
    const uint32_t *order; /* NULL: as they stand */
    size_t n;
    size_t first;   /* row of the whole training, which seeds its dropout */
    float *queries; /* [n][dim] */
};

static const struct jc_hinge_row *get_row(const struct batch *batch, size_t i)
{
    return &batch->rows[batch->order ? batch->order[i] : i];
}

/* The batch of a step, counted from 0 over all epochs. */
static struct batch get_batch(const struct hinge_run *run, size_t step)
{
    const struct jc_hinge *plan = run->plan;
    size_t epoch = step / run->n_steps, begin = step % run->n_steps * plan->batch, left = plan->n_rows - begin;
    return (struct batch){.rows = plan->rows,
                          .order = run->order + epoch * plan->n_rows + begin,
                          .n = left < plan->batch ? left : plan->batch,
                          .first = epoch * plan->n_rows + begin,
                          .queries = run->queries + step % 2 * plan->batch * plan->dim};
}

static struct batch get_watched(const struct hinge_run *run, size_t begin)
{
    size_t left = run->plan->n_watched - begin;
    return (struct batch){.rows = run->plan->watched + begin,
                          .n = left < run->plan->batch ? left : run->plan->batch,
                          .queries = run->queries};
}

/* The member's part of the batch's queries: unit vectors, a share of their values dropped. */
static void fill_queries(struct hinge_run *run, const struct batch *batch, float dropout, unsigned member)
{
    size_t dim = run->plan->dim;
    struct jc_part part = jc_part_of(0, batch->n, run->n_members, member);
    for (size_t i = part.begin; i < part.end; i++) {
        float *query = batch->queries + i * dim;
        const float *vector = get_row(batch, i)->sample->vector;
        struct jc_rng mixed = jc_rng_seeded(run->plan->seed + batch->first + i);
        struct jc_rng rng = jc_rng_seeded(jc_rng_next(&mixed));
        for (size_t d = 0; d < dim; d++)
            query[d] = dropout > 0 && jc_rng_unit(&rng) < (double)dropout ? 0 : vector[d];
        jc_vec_normalize(query, dim);
    }
}

/* The cosines of the batch with the member's categories: the positives among them, and each row's hardest negative. */
static void find_hardest(struct hinge_run *run, const struct batch *batch, unsigned member)
{
    struct jc_part own = jc_part_of(0, run->plan->n_categories, run->n_members, member);
    size_t n_own = own.end - own.begin, dim = run->plan->dim;
    float *scores = run->scores + own.begin * run->plan->batch;
    jc_gemm_scores(batch->queries, batch->n, run->table + own.begin * dim, n_own, dim, scores);
    for (size_t i = 0; i < batch->n; i++) {
        const struct jc_hinge_row *row = get_row(batch, i);
        float *cosines = scores + i * n_own;
        for (size_t c = 0; c < n_own; c++)
            cosines[c] /= run->lengths[own.begin + c];
        if (row->category >= own.begin && row->category < own.end)
            run->positives[i] = cosines[row->category - own.begin];
        for (uint32_t j = 0; j < row->sample->n_codes; j++)
            if (row->sample->codes[j] >= own.begin && row->sample->codes[j] < own.end)
                cosines[row->sample->codes[j] - own.begin] = -INFINITY;
        struct candidate hardest = {.cosine = -INFINITY};
        for (size_t c = 0; c < n_own; c++)
            if (cosines[c] > hardest.cosine)
                hardest = (struct candidate){.category = (uint32_t)(own.begin + c), .cosine = cosines[c]};
        run->hardest[member * run->plan->batch + i] = hardest;
    }
}

/* Of all members'; of equal ones the lowest category. */
static struct candidate merge_hardest(const struct hinge_run *run, size_t i)
{
    struct candidate hardest = run->hardest[i];
    for (unsigned member = 1; member < run->n_members; member++)
        if (run->hardest[member * run->plan->batch + i].cosine > hardest.cosine)
            hardest = run->hardest[member * run->plan->batch + i];
    return hardest;
}

/* Adds `factor` times the gradient of cos(query, w[category]) by w: (query - cos w / |w|) / |w|. */
static void add_gradient(struct hinge_run *run, uint32_t category, const float *query, float cosine, float factor)
{
    size_t dim = run->plan->dim, at = category * dim;
    float length = run->lengths[category];
    jc_vec_add(run->gradient + at, factor / length, query, dim);
    jc_vec_add(run->gradient + at, -factor * cosine / (length * length), run->table + at, dim);
    run->is_touched[category] = true;
}

/* The batch's losses, summed by weight. */
static double sum_losses(const struct hinge_run *run, const struct batch *batch)
{
    double sum = 0;
    for (size_t i = 0; i < batch->n; i++) {
        float loss = run->plan->margin - run->positives[i] + merge_hardest(run, i).cosine;
        sum += loss > 0 ? (double)(get_row(batch, i)->weight * loss) : 0;
    }
    return sum;
}

/* The gradients of the batch by the member's categories. */
static void gather(struct hinge_run *run, const struct batch *batch, unsigned member)
{
    struct jc_part own = jc_part_of(0, run->plan->n_categories, run->n_members, member);
    for (size_t i = 0; i < batch->n; i++) {
        const struct jc_hinge_row *row = get_row(batch, i);
        struct candidate negative = merge_hardest(run, i);
        if (!(run->plan->margin - run->positives[i] + negative.cosine > 0))
            continue;
        const float *query = batch->queries + i * run->plan->dim;
        float factor = row->weight / (float)batch->n;
        if (row->category >= own.begin && row->category < own.end)
            add_gradient(run, row->category, query, run->positives[i], -factor);
        if (negative.category >= own.begin && negative.category < own.end)
            add_gradient(run, negative.category, query, negative.cosine, factor);
    }
}

static void update_row(struct hinge_run *run, const struct jc_adam_step *step, size_t category)
{
    size_t dim = run->plan->dim, at = category * dim;
    if (run->is_touched[category]) {
        if (run->idle[category] > JC_ADAM_COAST)
            jc_adam_wake(run->m + at, run->v + at, dim, run->idle[category] - JC_ADAM_COAST);
        jc_adam_update(step, run->table + at, run->gradient + at, run->m + at, run->v + at, dim);
        memset(run->gradient + at, 0, dim * sizeof(*run->gradient));
        run->is_touched[category] = false;
        run->idle[category] = 0;
    } else if (run->idle[category]++ < JC_ADAM_COAST) {
        jc_adam_coast(step, run->table + at, run->m + at, run->v + at, dim);
    } else {
        return;
    }
    run->lengths[category] = sqrtf(jc_vec_dot(run->table + at, run->table + at, dim));
}

static void run_step(struct hinge_run *run, struct jc_team *team, unsigned member, size_t step)
{
    const struct batch batch = get_batch(run, step);
    find_hardest(run, &batch, member);
    jc_team_wait(team);
    if (member == 0)
        run->loss += sum_losses(run, &batch);
    gather(run, &batch, member);
    struct jc_part own = jc_part_of(0, run->plan->n_categories, run->n_members, member);
    const struct jc_adam_step adam = jc_adam_step(run->plan->learning_rate, step + 1);
    for (size_t c = own.begin; c < own.end; c++)
        update_row(run, &adam, c);
    if (step + 1 < run->plan->epochs * run->n_steps) {
        const struct batch next = get_batch(run, step + 1);
        fill_queries(run, &next, run->plan->dropout, member);
    }
    jc_team_wait(team);
}

/* The weights' sum of rows[n]. */
static double sum_weights(const struct jc_hinge_row *rows, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)rows[i].weight;
    return sum;
}

/* Member 0 takes the epoch's losses, the training's and that of the watched rows. */
static void close_epoch(struct hinge_run *run, struct jc_team *team, unsigned member, size_t epoch)
{
    const struct jc_hinge *plan = run->plan;
    double watched = 0;
    for (size_t begin = 0; begin < plan->n_watched; begin += plan->batch) {
        const struct batch batch = get_watched(run, begin);
        fill_queries(run, &batch, 0, member);
        jc_team_wait(team);
        find_hardest(run, &batch, member);
        jc_team_wait(team);
        if (member == 0)
            watched += sum_losses(run, &batch);
        jc_team_wait(team);
    }
    if (member == 0) {
        run->train_losses[epoch] = run->loss / sum_weights(plan->rows, plan->n_rows);
        run->validation[epoch] = plan->n_watched ? watched / sum_weights(plan->watched, plan->n_watched) : (double)NAN;
        run->loss = 0;
    }
}

static void train(void *context, struct jc_team *team, unsigned member)
{
    struct hinge_run *run = context;
    const struct jc_hinge *plan = run->plan;
    for (size_t epoch = 0; epoch < plan->epochs; epoch++) {
        const struct batch first = get_batch(run, epoch * run->n_steps);
        fill_queries(run, &first, plan->dropout, member); /* again after the watched rows took their place */
        jc_team_wait(team);
        for (size_t i = 0; i < run->n_steps; i++)
            run_step(run, team, member, epoch * run->n_steps + i);
        close_epoch(run, team, member, epoch);
        jc_team_wait(team);
    }
}

jc_code jc_hinge_train(const struct jc_hinge *hinge, float *table, struct jc_curve *curve, struct jc_err *err)
{
    __attribute__((cleanup(run_finish))) struct hinge_run run = {
        .plan = hinge, .table = table, .n_members = hinge->n_threads ? hinge->n_threads : 1};
    jc_code code = run_init(&run, err);
    if (code)
        return code;
    fill_order(&run);
    for (size_t c = 0; c < hinge->n_categories; c++)
        run.lengths[c] = sqrtf(jc_vec_dot(table + c * hinge->dim, table + c * hinge->dim, hinge->dim));
    code = jc_team_run(run.n_members, train, &run, err);
    for (size_t i = 0; curve && !code && i < hinge->epochs; i++)
        code = jc_curve_add(curve, run.train_losses[i], run.validation[i], err);
    return code;
}
