/* Choosing canaries. */
#include "trainer/publish/canaries.h"

#include <math.h>
#include <string.h>

#include "trainer/measure/predict.h"

/* Bytes: a canary is there to be read. A model of bodies has longer ones where it has no short ones. */
static const size_t max_titles[] = {40, 400};

struct candidate {
    const struct jc_example *example;
    const char *title, *code;
    size_t n_group; /* bytes of the code before its first '-': the major group */
    float margin;
    size_t turn; /* its place within its group: 0 is the group's best */
};

struct search {
    const struct jc_dataset *dataset;
    size_t max_title;
    struct candidate *candidates; /* room for every example */
    size_t n;
};

/* Short, and the same when it is cleaned once more. */
static bool is_plain(const char *title, size_t max_title)
{
    return strlen(title) <= max_title && !strpbrk(title, "<&@");
}

static void judge(void *context, size_t i_example, const float *scores)
{
    struct search *search = context;
    const struct jc_example *example = &search->dataset->examples[i_example];
    float right = scores[example->category], best_other = -INFINITY;
    for (size_t i = 0; i < search->dataset->n_categories; i++)
        if (i != example->category && scores[i] > best_other)
            best_other = scores[i];
    if (right - best_other < JC_CANARY_MARGIN ||
        !is_plain(jc_dataset_example_text(search->dataset, i_example), search->max_title))
        return;
    const char *code = search->dataset->categories[example->category].code;
    search->candidates[search->n++] = (struct candidate){.example = example,
                                                         .title = jc_dataset_example_text(search->dataset, i_example),
                                                         .code = code,
                                                         .n_group = strcspn(code, "-"),
                                                         .margin = right - best_other};
}

static int compare_groups(const struct candidate *a, const struct candidate *b)
{
    size_t n = a->n_group < b->n_group ? a->n_group : b->n_group;
    int order = memcmp(a->code, b->code, n);
    return order ? order : (a->n_group > b->n_group) - (a->n_group < b->n_group);
}

/* By group, then the best first. */
static int compare_in_group(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int order = compare_groups(a, b);
    if (order)
        return order;
    if (a->example->n_sources != b->example->n_sources)
        return a->example->n_sources > b->example->n_sources ? -1 : 1;
    if (a->margin != b->margin)
        return a->margin > b->margin ? -1 : 1;
    return (a->example > b->example) - (a->example < b->example);
}

static int compare_turns(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->turn != b->turn)
        return a->turn < b->turn ? -1 : 1;
    return compare_groups(a, b);
}

/* Puts the candidates into the order in which they are wanted. */
static void rank_candidates(struct search *search)
{
    struct candidate *candidates = search->candidates;
    qsort(candidates, search->n, sizeof(*candidates), compare_in_group);
    for (size_t i = 1; i < search->n; i++)
        candidates[i].turn = compare_groups(&candidates[i - 1], &candidates[i]) ? 0 : candidates[i - 1].turn + 1;
    qsort(candidates, search->n, sizeof(*candidates), compare_turns);
}

static bool has_canary(const struct jc_manifest *manifest, const char *title)
{
    for (size_t i = 0; i < manifest->n_canaries; i++)
        if (strcmp(manifest->canaries[i].title, title) == 0)
            return true;
    return false;
}

static jc_code append(struct jc_manifest *manifest, const struct candidate *candidate, struct jc_err *err)
{
    struct jc_manifest_canary *canary = &manifest->canaries[manifest->n_canaries++];
    canary->title = strdup(candidate->title);
    canary->code = strdup(candidate->code);
    return canary->title && canary->code ? JC_OK : jc_fail(err, JC_E_NOMEM, "no memory for the canaries");
}

jc_code jc_canaries_choose(const struct jc_train_data *data, const struct jc_head *head, unsigned roles, size_t n,
                           struct jc_manifest *manifest, struct jc_err *err)
{
    JC_AUTO_FREE struct candidate *candidates = calloc(data->dataset->n_examples, sizeof(*candidates));
    struct jc_manifest_canary *canaries =
        reallocarray(manifest->canaries, manifest->n_canaries + n + 1, sizeof(*canaries));
    if (canaries)
        manifest->canaries = canaries;
    if (!candidates || !canaries)
        return jc_fail(err, JC_E_NOMEM, "no memory for the canaries");

    struct search search = {.dataset = data->dataset, .candidates = candidates};
    for (size_t i = 0; i < JC_COUNT(max_titles) && search.n == 0; i++) {
        search.max_title = max_titles[i];
        jc_code found = jc_predict_visit(data, head, roles, judge, &search, err);
        if (found)
            return found;
    }
    jc_code code = JC_OK;
    rank_candidates(&search);
    size_t n_wanted = manifest->n_canaries + n;
    for (size_t i = 0; i < search.n && manifest->n_canaries < n_wanted && !code; i++)
        if (!has_canary(manifest, candidates[i].title))
            code = append(manifest, &candidates[i], err);
    return code;
}
