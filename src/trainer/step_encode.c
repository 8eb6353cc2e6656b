/* The step `encode`: texts to tokens to vectors; before that, where it is needed, the encoder's calibration. */
#include "trainer/pipeline.h"

static const struct jc_encoder_options plain = {.backend = JC_BACKEND_ONEDNN, .precision = JC_PRECISION_F32};

/* A model that is published carries the calibration, whatever precision it was trained in. */
static jc_code calibrate(struct jc_run *run, struct jc_err *err)
{
    JC_AUTO(jc_encoder) struct jc_encoder *own = NULL;
    const bool is_int8 = run->config->encoder.precision == JC_PRECISION_INT8;
    jc_code code = JC_OK;
    if (jc_run_is_fake(run) || (run->request->kind != JC_RUN_FIT && !is_int8))
        return JC_OK;
    if (run->config->encoder.backend != JC_BACKEND_ONEDNN && (code = jc_run_load_encoder(run, &plain, NULL, &own, err)))
        return code;
    if ((code = jc_calibration_measure(own ? own : run->encoder, run->dataset, &run->tokens, &run->calibration, err)) ||
        !is_int8)
        return code;
    jc_encoder_destroy(TAKE(run->encoder));
    const struct jc_encoder_options options = {.backend = JC_BACKEND_ONEDNN, .precision = JC_PRECISION_INT8};
    return jc_run_load_encoder(run, &options, &run->calibration, &run->encoder, err);
}

jc_code jc_step_encode(struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_data data = jc_run_data(run);
    jc_code code = jc_tokens_make(run->tokenizer, run->dataset->texts, run->config->chunks, &run->tokens, err);
    if (code || (code = calibrate(run, err)))
        return code;
    return jc_encode_texts(run->encoder, &run->tokens, jc_texts_count(run->dataset->texts), data.n_threads,
                           run->config->cache, &run->vectors, &run->encoding, err);
}
