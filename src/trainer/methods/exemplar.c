/*
 * Exemplar: no table of categories, the nearest training texts vote (artifact/exemplars.h has the formula). `exemplar`
 * is the soft vote of the k nearest, `nearest` the answer of the nearest alone.
 */
#include "trainer/methods/exemplar.h"

#include <string.h>

#include "trainer/config.h"
#include "trainer/methods/samples.h"

static void fill(const struct jc_train_data *data, const struct jc_samples *samples, struct jc_exemplars *exemplars)
{
    size_t n_codes = 0, n_bytes = 0, n;
    for (size_t i = 0; i < samples->n; i++) {
        const struct jc_sample *sample = &samples->items[i];
        const char *text = jc_texts_get(data->dataset->texts, sample->text, &n);
        memcpy(exemplars->vectors + i * data->dim, sample->vector, data->dim * sizeof(*exemplars->vectors));
        for (uint32_t c = 0; c < sample->n_codes; c++) {
            exemplars->codes[n_codes] = sample->codes[c];
            exemplars->code_weights[n_codes++] = sample->weight * sample->shares[c];
        }
        memcpy(exemplars->text_data + n_bytes, text, n + 1);
        n_bytes += n + 1;
        exemplars->code_begins[i + 1] = n_codes;
        exemplars->text_begins[i + 1] = n_bytes;
    }
}

jc_code jc_exemplars_make(const struct jc_train_data *data, unsigned roles, uint32_t k, float sharpness,
                          struct jc_exemplars *ret_exemplars, struct jc_err *err)
{
    JC_AUTO_FINISH(jc_samples) struct jc_samples samples = {0};
    jc_code code = jc_samples_collect(data, roles, &samples, err);
    if (code)
        return code;
    if (samples.n == 0)
        return jc_fail(err, JC_E_INVALID, "there is no training row");
    size_t n_codes = 0, n_bytes = 0, n;
    for (size_t i = 0; i < samples.n; i++) {
        jc_texts_get(data->dataset->texts, samples.items[i].text, &n);
        n_codes += samples.items[i].n_codes;
        n_bytes += n + 1;
    }
    if ((code = jc_exemplars_init(ret_exemplars, samples.n, data->dim, n_codes, n_bytes, err)))
        return code;
    fill(data, &samples, ret_exemplars);
    ret_exemplars->k = k;
    ret_exemplars->sharpness = sharpness;
    return JC_OK;
}

static jc_code fit_vote(const struct jc_fit *fit, uint32_t k, struct jc_head *head, struct jc_err *err)
{
    jc_code code = jc_method_plain_head(fit->data, head, err);
    return code ? code
                : jc_exemplars_make(fit->data, fit->roles, k, (float)fit->data->config->exemplar.sharpness,
                                    &head->exemplars, err);
}

static jc_code fit_exemplar(const struct jc_fit *fit, struct jc_head *head, struct jc_err *err)
{
    return fit_vote(fit, (uint32_t)fit->data->config->exemplar.k, head, err);
}

static jc_code fit_nearest(const struct jc_fit *fit, struct jc_head *head, struct jc_err *err)
{
    return fit_vote(fit, 1, head, err);
}

const struct jc_method jc_method_exemplar = {
    .name = "exemplar", .help = "soft vote of the nearest training texts", .sharpness = 10, .fit = fit_exemplar};
const struct jc_method jc_method_nearest = {
    .name = "nearest", .help = "the answer of the nearest training text", .sharpness = 10, .fit = fit_nearest};
