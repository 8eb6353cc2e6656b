/* Evaluation: what is taken for what, by SOC major group and by category. */
#include <string.h>

#include "base/own.h"
#include "trainer/measure/evaluation_impl.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void name_group(const char *code, char ret_name[3])
{
    bool is_soc = is_digit(code[0]) && is_digit(code[1]) && code[2] == '-';
    memcpy(ret_name, is_soc ? code : "??", 2);
    ret_name[2] = '\0';
}

static int compare_groups(const void *a, const void *b)
{
    const struct jc_group_result *x = a, *y = b;
    return strcmp(x->code, y->code);
}

size_t jc_evaluation_group_of(const struct jc_evaluation *evaluation, const char *code)
{
    struct jc_group_result key;
    name_group(code, key.code);
    const struct jc_group_result *found =
        bsearch(&key, evaluation->groups, evaluation->n_groups, sizeof(key), compare_groups);
    return found ? (size_t)(found - evaluation->groups) : 0;
}

/* Sorted and distinct. */
static jc_code list_groups(const struct jc_evaluation_input *input, struct jc_evaluation *evaluation,
                           struct jc_err *err)
{
    struct jc_group_result *groups = calloc(input->n_categories, sizeof(*groups));
    evaluation->groups = groups;
    if (!groups)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu groups", input->n_categories);
    for (size_t c = 0; c < input->n_categories; c++)
        name_group(input->categories[c].code, groups[c].code);
    qsort(groups, input->n_categories, sizeof(*groups), compare_groups);
    for (size_t c = 0; c < input->n_categories; c++)
        if (evaluation->n_groups == 0 || strcmp(groups[evaluation->n_groups - 1].code, groups[c].code) != 0)
            groups[evaluation->n_groups++] = groups[c];
    return JC_OK;
}

static jc_code count_groups(const struct jc_evaluation_input *input, struct jc_evaluation *evaluation,
                            struct jc_err *err)
{
    jc_code code = list_groups(input, evaluation, err);
    if (code)
        return code;
    size_t n_groups = evaluation->n_groups;
    JC_AUTO_FREE uint32_t *group_of = calloc(input->n_categories, sizeof(*group_of));
    evaluation->group_confusion = calloc(n_groups * n_groups, sizeof(*evaluation->group_confusion));
    if (!group_of || !evaluation->group_confusion)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu groups", n_groups);
    for (size_t c = 0; c < input->n_categories; c++)
        group_of[c] = (uint32_t)jc_evaluation_group_of(evaluation, input->categories[c].code);
    for (size_t i = 0; i < input->n; i++) {
        const struct jc_prediction *p = &input->predictions[i];
        uint32_t right = group_of[p->category];
        jc_tally_add(&evaluation->groups[right].rows, p->rank);
        evaluation->group_confusion[right * n_groups + group_of[p->hits[0].index]]++;
    }
    return JC_OK;
}

struct mistake {
    uint32_t right, answered, i_prediction;
};

static int compare_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int compare_mistakes(const void *a, const void *b)
{
    const struct mistake *x = a, *y = b;
    int order = compare_u32(x->right, y->right);
    if (!order)
        order = compare_u32(x->answered, y->answered);
    return order ? order : compare_u32(x->i_prediction, y->i_prediction);
}

/* Keeps `pairs` sorted by falling n and no longer than JC_CONFUSED_PAIRS; of equal n the earlier stays in front. */
static void insert_pair(struct jc_evaluation *evaluation, const struct jc_confused_pair *pair)
{
    size_t at = evaluation->n_pairs;
    if (at == JC_CONFUSED_PAIRS && evaluation->pairs[--at].n >= pair->n)
        return;
    for (; at > 0 && evaluation->pairs[at - 1].n < pair->n; at--)
        evaluation->pairs[at] = evaluation->pairs[at - 1];
    evaluation->pairs[at] = *pair;
    if (evaluation->n_pairs < JC_CONFUSED_PAIRS)
        evaluation->n_pairs++;
}

static jc_code find_pairs(const struct jc_evaluation_input *input, struct jc_evaluation *evaluation, struct jc_err *err)
{
    JC_AUTO_FREE struct mistake *mistakes = calloc(input->n, sizeof(*mistakes));
    if (!mistakes)
        return jc_fail(err, JC_E_NOMEM, "no memory for %zu rows", input->n);
    size_t n = 0;
    for (size_t i = 0; i < input->n; i++) {
        const struct jc_prediction *p = &input->predictions[i];
        if (p->rank != 1)
            mistakes[n++] = (struct mistake){p->category, p->hits[0].index, (uint32_t)i};
    }
    qsort(mistakes, n, sizeof(*mistakes), compare_mistakes);
    for (size_t i = 0, end; i < n; i = end) {
        struct jc_confused_pair pair = {.right = mistakes[i].right, .answered = mistakes[i].answered};
        for (end = i; end < n && mistakes[end].right == pair.right && mistakes[end].answered == pair.answered; end++) {
            if (pair.n < JC_PAIR_EXAMPLES)
                pair.examples[pair.n] = mistakes[end].i_prediction;
            pair.n++;
        }
        insert_pair(evaluation, &pair);
    }
    return JC_OK;
}

jc_code jc_evaluation_add_confusion(const struct jc_evaluation_input *input, struct jc_evaluation *evaluation,
                                    struct jc_err *err)
{
    jc_code code = count_groups(input, evaluation, err);
    return code ? code : find_pairs(input, evaluation, err);
}
