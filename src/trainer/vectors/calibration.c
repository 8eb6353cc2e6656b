/* Measuring a calibration. See calibration.h. */
#include "trainer/vectors/calibration.h"

#include <string.h>

#include "model/chunks.h"

enum { MAX_TEXTS = 1000, MAX_TOKENS = 50000 }; /* seconds, also where bodies are encoded */

/* The texts' chunks, packed as the encoder takes them. */
struct sample {
    int32_t *ids;
    uint32_t *n_tokens;
    size_t n_ids, n_chunks;
};

static void sample_finish(struct sample *sample)
{
    free(sample->ids);
    free(sample->n_tokens);
}

void jc_calibration_finish(struct jc_calibration *calibration)
{
    free(calibration->values);
    *calibration = (struct jc_calibration){0};
}

static bool is_candidate(const struct jc_example *example)
{
    return (example->role & (JC_ROLE_TRAIN | JC_ROLE_VALIDATION)) && jc_example_is_row(example);
}

static jc_code add_text(const struct jc_tokens *tokens, size_t text, struct sample *sample, struct jc_err *err)
{
    size_t n_ids;
    const int32_t *ids = jc_tokens_get(tokens, text, &n_ids);
    const size_t n_chunks = jc_chunks_count(ids, n_ids);
    int32_t *more_ids = reallocarray(sample->ids, sample->n_ids + n_ids, sizeof *more_ids);
    if (!more_ids)
        return jc_fail(err, JC_E_NOMEM, "no memory for the texts to calibrate on");
    sample->ids = more_ids;
    uint32_t *more = reallocarray(sample->n_tokens, sample->n_chunks + n_chunks, sizeof *more);
    if (!more)
        return jc_fail(err, JC_E_NOMEM, "no memory for the texts to calibrate on");
    sample->n_tokens = more;
    memcpy(sample->ids + sample->n_ids, ids, n_ids * sizeof *ids);
    jc_chunks_split(ids, n_ids, sample->n_tokens + sample->n_chunks);
    sample->n_ids += n_ids;
    sample->n_chunks += n_chunks;
    return JC_OK;
}

jc_code jc_calibration_measure(const struct jc_encoder *encoder, const struct jc_dataset *dataset,
                               const struct jc_tokens *tokens, struct jc_calibration *ret_calibration,
                               struct jc_err *err)
{
    __attribute__((cleanup(sample_finish))) struct sample sample = {0};
    size_t n_candidates = 0, seen = 0;
    for (size_t i = 0; i < dataset->n_examples; i++)
        n_candidates += is_candidate(&dataset->examples[i]);
    const size_t step = n_candidates ? (n_candidates + MAX_TEXTS - 1) / MAX_TEXTS : 1;
    for (size_t i = 0; i < dataset->n_examples && sample.n_ids < MAX_TOKENS; i++) {
        if (!is_candidate(&dataset->examples[i]) || seen++ % step != 0)
            continue;
        jc_code code = add_text(tokens, dataset->examples[i].text, &sample, err);
        if (code)
            return code;
    }
    return jc_encoder_calibrate(encoder, sample.ids, sample.n_tokens, sample.n_chunks, &ret_calibration->values,
                                &ret_calibration->n, err);
}
