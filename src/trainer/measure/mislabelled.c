/* Rows against the means of all others. See mislabelled.h. */
#include "trainer/measure/mislabelled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linalg/linalg.h"
#include "model/scoring.h"
#include "trainer/measure/calibrate.h"
#include "trainer/methods/team.h"

enum {
    CHUNK = 256,              /* titles a matrix product */
    MAX_FIT_SCORES = 1 << 22, /* that the sharpness, one number, is fitted on: 16 MiB */
};

/* The rows of one title in one category. */
struct group {
    uint32_t text, column, example, n_rows;
    float weight;
};

/* A category that has rows. */
struct column {
    uint32_t category, n_rows;
    double norm; /* of the weighted sum of its rows' vectors */
};

struct worker {
    float *queries; /* [CHUNK][dim] */
    float *scores;  /* [CHUNK][n_columns] */
    struct jc_mislabelled found;
};

struct search {
    const struct jc_train_data *data;
    struct group *groups; /* [n_groups], by text, then column */
    size_t n_groups;
    uint32_t *checked; /* [n_checked]: indices of groups */
    size_t n_checked;
    struct column *columns; /* [n_columns] */
    size_t n_columns;
    float *means; /* [n_columns][dim], unit rows */
    float sharpness;
    struct worker *workers; /* [n_workers] */
    unsigned n_workers;
};

static void search_finish(struct search *search)
{
    for (unsigned i = 0; search->workers && i < search->n_workers; i++) {
        free(search->workers[i].queries);
        free(search->workers[i].scores);
    }
    free(search->workers);
    free(search->groups);
    free(search->checked);
    free(search->columns);
    free(search->means);
}

static int compare_groups(const void *left, const void *right)
{
    const struct group *a = left, *b = right;
    if (a->text != b->text)
        return a->text < b->text ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return (a->example > b->example) - (a->example < b->example);
}

static bool is_wanted(const struct jc_example *example, unsigned roles)
{
    return (example->role & roles) && jc_example_is_row(example);
}

/* Rows of a title and category, which stand together, become one group; its example is the first. */
static void merge_groups(struct search *search)
{
    size_t n = 0;
    for (size_t i = 0; i < search->n_groups; i++) {
        struct group *last = n ? &search->groups[n - 1] : NULL;
        const struct group *next = &search->groups[i];
        if (last && last->text == next->text && last->column == next->column) {
            last->n_rows += next->n_rows;
            last->weight += next->weight;
        } else {
            search->groups[n++] = *next;
        }
    }
    search->n_groups = n;
}

/* Columns, and groups. */
static jc_code collect(struct search *search, unsigned roles, struct jc_err *err)
{
    const struct jc_dataset *dataset = search->data->dataset;
    size_t n = jc_dataset_count(dataset, roles);
    JC_AUTO_FREE uint32_t *column_of = calloc(dataset->n_categories + 1, sizeof(*column_of)); /* + 1; 0: none yet */
    search->columns = calloc(dataset->n_categories + 1, sizeof(*search->columns));
    search->groups = calloc(n + 1, sizeof(*search->groups));
    if (!column_of || !search->columns || !search->groups)
        return jc_fail(err, JC_E_NOMEM, "no memory to check %zu labels", n);
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        if (!is_wanted(example, roles))
            continue;
        if (!column_of[example->category]) {
            search->columns[search->n_columns++].category = example->category;
            column_of[example->category] = (uint32_t)search->n_columns;
        }
        uint32_t column = column_of[example->category] - 1;
        search->columns[column].n_rows++;
        search->groups[search->n_groups++] = (struct group){
            .text = example->text, .column = column, .example = (uint32_t)i, .n_rows = 1, .weight = example->weight};
    }
    qsort(search->groups, search->n_groups, sizeof(*search->groups), compare_groups);
    merge_groups(search);
    return JC_OK;
}

static jc_code compute_means(struct search *search, struct jc_err *err)
{
    size_t dim = search->data->dim;
    search->means = calloc(search->n_columns + 1, dim * sizeof(*search->means));
    if (!search->means)
        return jc_fail(err, JC_E_NOMEM, "no memory for the means of %zu categories", search->n_columns);
    for (size_t i = 0; i < search->n_groups; i++) {
        const struct group *group = &search->groups[i];
        jc_vec_add(search->means + group->column * dim, group->weight, jc_train_vector(search->data, group->text), dim);
    }
    for (size_t i = 0; i < search->n_columns; i++)
        search->columns[i].norm = (double)jc_vec_normalize(search->means + i * dim, dim);
    return JC_OK;
}

/* Lists the groups that can be checked, or an even part of them, and counts rows. */
static jc_code choose(struct search *search, struct jc_mislabelled *found, struct jc_err *err)
{
    search->checked = calloc(search->n_groups + 1, sizeof(*search->checked));
    if (!search->checked)
        return jc_fail(err, JC_E_NOMEM, "no memory to check %zu titles", search->n_groups);
    size_t n = 0;
    for (size_t i = 0; i < search->n_groups; i++) {
        const struct group *group = &search->groups[i];
        if (search->columns[group->column].n_rows - group->n_rows < JC_SUSPECT_ROWS)
            continue;
        search->checked[n++] = (uint32_t)i;
        found->n_rows += group->n_rows;
    }
    search->n_checked = n < JC_SUSPECT_TITLES ? n : JC_SUSPECT_TITLES;
    for (size_t i = 0; i < search->n_checked; i++) {
        search->checked[i] = search->checked[i * n / search->n_checked];
        found->n_checked += search->groups[search->checked[i]].n_rows;
    }
    return JC_OK;
}

static jc_code make_workers(struct search *search, struct jc_err *err)
{
    search->n_workers = search->data->n_threads ? search->data->n_threads : 1;
    search->workers = calloc(search->n_workers, sizeof(*search->workers));
    for (unsigned i = 0; search->workers && i < search->n_workers; i++) {
        struct worker *worker = &search->workers[i];
        worker->queries = calloc(CHUNK, search->data->dim * sizeof(*worker->queries));
        worker->scores = calloc(CHUNK, search->n_columns * sizeof(*worker->scores));
        if (!worker->queries || !worker->scores)
            return jc_fail(err, JC_E_NOMEM, "no memory for scores");
    }
    return search->workers ? JC_OK : jc_fail(err, JC_E_NOMEM, "no memory for scores");
}

/*
 * The cosine of unit vector v with s - w v, what is left of a category's sum s without weight w of v:
 *     (s.v - w) / |s - w v|,   |s - w v|^2 = |s|^2 - 2 w s.v + w^2,   s.v = |s| cos(s, v)
 */
static float leave_out(double norm, double cosine, double weight)
{
    double dot = norm * cosine, square = norm * norm - 2 * weight * dot + weight * weight;
    return square > 1e-9 * norm * norm ? (float)fmax(-1, fmin(1, (dot - weight) / sqrt(square))) : 0;
}

/* ret_scores [n][n_columns] of groups[checked[n]]; n is at most CHUNK. */
static void score(const struct search *search, const uint32_t *checked, size_t n, float *queries, float *ret_scores)
{
    size_t dim = search->data->dim, n_columns = search->n_columns;
    for (size_t i = 0; i < n; i++)
        memcpy(queries + i * dim, jc_train_vector(search->data, search->groups[checked[i]].text),
               dim * sizeof(*queries));
    jc_gemm_scores(queries, n, search->means, n_columns, dim, ret_scores);
    for (size_t i = 0; i < n; i++) {
        const struct group *group = &search->groups[checked[i]];
        float *own = &ret_scores[i * n_columns + group->column];
        *own = leave_out(search->columns[group->column].norm, (double)*own, (double)group->weight);
    }
}

/* Over all titles checked, or an even part of them. */
static jc_code fit_sharpness(struct search *search, struct jc_err *err)
{
    size_t max = MAX_FIT_SCORES / search->n_columns + 1, n = search->n_checked < max ? search->n_checked : max;
    JC_AUTO_FREE uint32_t *checked = calloc(n, sizeof(*checked));
    /* One thread: the sum, and so the sharpness, does not depend on how many there are. */
    JC_AUTO_FINISH(jc_scores)
    struct jc_scores scores = {.n = n,
                               .n_categories = search->n_columns,
                               .n_threads = 1,
                               .values = calloc(n, search->n_columns * sizeof(*scores.values)),
                               .right = calloc(n, sizeof(*scores.right))};
    if (!checked || !scores.values || !scores.right)
        return jc_fail(err, JC_E_NOMEM, "no memory for the scores of %zu titles", n);
    for (size_t i = 0; i < n; i++) {
        checked[i] = search->checked[i * search->n_checked / n];
        scores.right[i] = search->groups[checked[i]].column;
    }
    for (size_t i = 0; i < n; i += CHUNK)
        score(search, checked + i, n - i < CHUNK ? n - i : CHUNK, search->workers[0].queries,
              scores.values + i * search->n_columns);
    double nll;
    search->sharpness = jc_scores_find_sharpness(&scores, &nll);
    return JC_OK;
}

/* Does the title of groups[at] also stand in `column`? */
static bool is_also_in(const struct search *search, size_t at, uint32_t column)
{
    const struct group *groups = search->groups;
    uint32_t text = groups[at].text;
    for (size_t i = at; i > 0 && groups[i - 1].text == text; i--)
        if (groups[i - 1].column == column)
            return true;
    for (size_t i = at + 1; i < search->n_groups && groups[i].text == text; i++)
        if (groups[i].column == column)
            return true;
    return false;
}

/* Is a surer than b? */
static bool is_surer(const struct jc_suspect *a, const struct jc_suspect *b)
{
    if (a->probability != b->probability)
        return a->probability > b->probability;
    if (a->own_probability != b->own_probability)
        return a->own_probability < b->own_probability;
    return a->example < b->example;
}

static void insert_suspect(struct jc_mislabelled *found, const struct jc_suspect *suspect)
{
    struct jc_suspect *list = found->suspects;
    size_t at = found->n_suspects;
    if (found->n_suspects < JC_SUSPECTS)
        found->n_suspects++;
    for (; at > 0 && is_surer(suspect, &list[at - 1]); at--)
        if (at < JC_SUSPECTS)
            list[at] = list[at - 1];
    if (at < JC_SUSPECTS)
        list[at] = *suspect;
}

static void judge(const struct search *search, size_t at, float *scores, struct jc_mislabelled *found)
{
    const struct group *group = &search->groups[at];
    float own = scores[group->column];
    float log_norm = jc_scoring_log_norm(scores, search->n_columns, search->sharpness);
    struct jc_hit best;
    scores[group->column] = -INFINITY;
    if (jc_topk(scores, search->n_columns, 1, &best) == 0)
        return;
    const struct column *other = &search->columns[best.index];
    const struct jc_suspect suspect = {
        .example = group->example,
        .n_rows = group->n_rows,
        .suggested = other->category,
        .probability = expf(search->sharpness * best.score - log_norm),
        .own_probability = expf(search->sharpness * own - log_norm),
    };
    if ((double)suspect.probability < JC_SUSPECT_OTHER || (double)suspect.own_probability > JC_SUSPECT_OWN ||
        other->n_rows < JC_SUSPECT_ROWS || is_also_in(search, at, best.index))
        return;
    found->n_suspect += group->n_rows;
    insert_suspect(found, &suspect);
}

/* Every n-th chunk; a chunk holds the same titles whatever n is. */
static void check_chunks(void *context, struct jc_team *team, unsigned member)
{
    const struct search *search = context;
    struct worker *worker = &search->workers[member];
    for (size_t i = (size_t)member * CHUNK; i < search->n_checked; i += (size_t)team->n_members * CHUNK) {
        size_t n = search->n_checked - i < CHUNK ? search->n_checked - i : CHUNK;
        score(search, search->checked + i, n, worker->queries, worker->scores);
        for (size_t j = 0; j < n; j++)
            judge(search, search->checked[i + j], worker->scores + j * search->n_columns, &worker->found);
    }
}

jc_code jc_mislabelled_find(const struct jc_train_data *data, unsigned roles, struct jc_mislabelled *ret_mislabelled,
                            struct jc_err *err)
{
    __attribute__((cleanup(search_finish))) struct search search = {.data = data};
    struct jc_mislabelled found = {0};
    jc_code code;
    if ((code = collect(&search, roles, err)) || (code = choose(&search, &found, err)))
        return code;
    if (search.n_checked == 0) {
        *ret_mislabelled = found;
        return JC_OK;
    }
    if ((code = compute_means(&search, err)) || (code = make_workers(&search, err)) ||
        (code = fit_sharpness(&search, err)) || (code = jc_team_run(search.n_workers, check_chunks, &search, err)))
        return code;
    found.sharpness = search.sharpness;
    for (unsigned i = 0; i < search.n_workers; i++) {
        const struct jc_mislabelled *part = &search.workers[i].found;
        found.n_suspect += part->n_suspect;
        for (size_t j = 0; j < part->n_suspects; j++)
            insert_suspect(&found, &part->suspects[j]);
    }
    *ret_mislabelled = found;
    return JC_OK;
}
