/* The table of methods. */
#include "trainer/methods/method.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "linalg/linalg.h"
#include "model/lexicon.h"

static const struct jc_method *const methods[] = {&jc_method_direct,
                                                  &jc_method_average,
                                                  &jc_method_softmax,
                                                  &jc_method_contrastive,
                                                  &jc_method_contrastive_published,
                                                  &jc_method_nearest,
                                                  &jc_method_exemplar,
                                                  &jc_method_blend};

void jc_method_print_help(FILE *out)
{
    for (size_t i = 0; i < JC_COUNT(methods); i++)
        fprintf(out, "  %-21s  %s\n", methods[i]->name, methods[i]->help);
}

jc_code jc_method_find(const char *name, const struct jc_method **ret_method, struct jc_err *err)
{
    char names[256] = "";
    size_t n = 0;
    for (size_t i = 0; i < JC_COUNT(methods); i++) {
        if (strcmp(methods[i]->name, name) == 0) {
            *ret_method = methods[i];
            return JC_OK;
        }
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i ? ", " : "", methods[i]->name);
    }
    return jc_fail(err, JC_E_INVALID, "no method '%s'; there are: %s", name, names);
}

jc_code jc_method_plain_head(const struct jc_train_data *data, struct jc_head *head, struct jc_err *err)
{
    return jc_head_init(head, data->dataset->n_categories, data->dim, 0, 0, err);
}

void jc_method_copy_start(const struct jc_head *start, struct jc_head *head)
{
    size_t width = jc_head_width(head);
    bool is_wide = head->lexicon_dim && head->lexicon_dim == start->lexicon_dim;
    for (size_t c = 0; c < head->n_categories; c++)
        memcpy(head->matrix + c * width, start->matrix + c * jc_head_width(start),
               (is_wide ? width : head->dim) * sizeof(*head->matrix));
    memcpy(head->bias, start->bias, head->n_categories * sizeof(*head->bias));
    for (size_t f = 0; f < start->n_features && is_wide; f++) {
        const int64_t *key =
            bsearch(&start->keys[f], head->keys, head->n_features, sizeof(*head->keys), jc_lexicon_compare);
        if (key)
            memcpy(head->lexicon + (size_t)(key - head->keys) * head->lexicon_dim,
                   start->lexicon + f * start->lexicon_dim, head->lexicon_dim * sizeof(*head->lexicon));
    }
}

static jc_code check_start(const struct jc_fit *fit, struct jc_err *err)
{
    const struct jc_head *start = fit->start;
    if (start && (start->n_categories != fit->data->dataset->n_categories || start->dim != fit->data->dim))
        return jc_fail(err, JC_E_INVALID, "a head of %zu categories and %zu values does not go on with %zu and %zu",
                       start->n_categories, start->dim, fit->data->dataset->n_categories, fit->data->dim);
    return JC_OK;
}

static jc_code check_finite(const struct jc_head *head, const struct jc_dataset *dataset, struct jc_err *err)
{
    for (size_t i = 0; i < head->n_categories; i++)
        if (!jc_vec_is_finite(head->matrix + i * jc_head_width(head), jc_head_width(head)) ||
            !jc_vec_is_finite(head->bias + i, 1))
            return jc_fail(err, JC_E_MODEL, "category %s has weights that are not finite", dataset->categories[i].code);
    if (!jc_vec_is_finite(head->lexicon, head->n_features * head->lexicon_dim))
        return jc_fail(err, JC_E_MODEL, "the lexicon has weights that are not finite");
    return JC_OK;
}

jc_code jc_method_fit(const struct jc_method *method, const struct jc_fit *fit, struct jc_head *ret_head,
                      double *ret_seconds, struct jc_err *err)
{
    uint64_t start_ns = jc_clock_ns();
    JC_AUTO_FINISH(jc_head) struct jc_head head = {0};
    jc_code code = check_start(fit, err);
    if (!code)
        code = method->fit(fit, &head, err);
    head.sharpness = method->sharpness;
    if (!code)
        code = check_finite(&head, fit->data->dataset, err);
    if (code)
        return jc_wrap(err, "method %s", method->name);
    *ret_seconds = (double)(jc_clock_ns() - start_ns) / (double)JC_NS_PER_S;
    *ret_head = head;
    head = (struct jc_head){0};
    return JC_OK;
}
