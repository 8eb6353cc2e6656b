/* The step `open`: what the run will write to, its encoder and its tokenizer. */
#include <limits.h>
#include <string.h>

#include "base/file.h"
#include "cuda/buckets.h"
#include "text/ascii.h"
#include "trainer/pipeline.h"
#include "trainer/vectors/checkpoint.h"

/* What the run will write to, before it has worked for it. */
static jc_code check_outputs(const struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    char temp[PATH_MAX], version[PATH_MAX];
    for (const char *c = config->name; *c; c++)
        if (!jc_ascii_is_alnum(*c) && !strchr(".-_", *c))
            return jc_fail(err, JC_E_INVALID, "name: '%s' has other characters than letters, digits, '.', '-', '_'",
                           config->name);
    jc_code code = *config->report ? jc_dir_create(config->report, err) : JC_OK;
    if (code || run->request->kind != JC_RUN_FIT)
        return code;
    /* Versions are written into the folder, which may be a volume whose parent is not the trainer's. */
    if ((config->keep && (code = jc_path_join(version, sizeof(version), config->output, "new", err))) ||
        (code = jc_dir_create_temp(config->keep ? version : config->output, temp, sizeof(temp), err)))
        return jc_wrap(err, "output");
    jc_dir_remove(temp);
    return JC_OK;
}

/* The checkpoint's files, and what they say of the encoder. */
static jc_code open_checkpoint(struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    bool guessed = false;
    jc_code code;
    if ((code =
             jc_path_join(run->vocab_path, sizeof(run->vocab_path), config->encoder.weights, JC_BUNDLE_VOCAB, err)) ||
        (code = jc_path_join(run->weights_path, sizeof(run->weights_path), config->encoder.weights, JC_BUNDLE_WEIGHTS,
                             err)) ||
        strcmp(config->encoder.kind, JC_ENCODER_BERT) != 0) /* the fake, or a kind that the encoder refuses by name */
        return code;
    static const char *const poolings[] = {[JC_POOLING_FROM_CHECKPOINT] = NULL, "mean", "cls"};
    if ((code =
             jc_checkpoint_read(config->encoder.weights, poolings[config->encoder.pooling], &run->bert, &guessed, err)))
        return code;
    if (guessed)
        fputs("open: the checkpoint has no 1_Pooling/config.json and encoder.pooling is not set: taking the mean\n",
              stderr);
    return JC_OK;
}

jc_code jc_run_load_encoder(const struct jc_run *run, const struct jc_encoder_options *options,
                            const struct jc_calibration *calibration, struct jc_encoder **ret_encoder,
                            struct jc_err *err)
{
    const struct jc_encoder_source source = {.kind = run->config->encoder.kind,
                                             .bert = jc_run_is_fake(run) ? NULL : &run->bert,
                                             .weights = run->weights_path,
                                             .calibration = calibration ? calibration->values : NULL,
                                             .n_calibration = calibration ? calibration->n : 0};
    return jc_encoder_load(&source, options, ret_encoder, err);
}

static jc_code open_tokenizer(struct jc_run *run, struct jc_err *err)
{
    const struct jc_train_config *config = run->config;
    const struct jc_encoder_info *info = jc_encoder_info(run->encoder);
    run->max_tokens = config->encoder.max_tokens ? config->encoder.max_tokens : info->max_tokens;
    if (run->max_tokens > info->max_tokens)
        return jc_fail(err, JC_E_INVALID, "encoder.max_tokens is %zu, the encoder takes %zu", run->max_tokens,
                       info->max_tokens);
    jc_code code = jc_tokenizer_load(run->vocab_path, run->max_tokens, &run->tokenizer, err);
    return code ? code : jc_tokenizer_set_prefix(run->tokenizer, config->encoder.prefix, err);
}

/* First of all, so that a run with a missing weight file fails before it has read anything. */
jc_code jc_step_open(struct jc_run *run, struct jc_err *err)
{
    jc_code code = check_outputs(run, err);
    if (code || (code = open_checkpoint(run, err)))
        return code;
    struct jc_encoder_options options = {.backend = run->config->encoder.backend,
                                         .precision = run->config->encoder.precision};
    if ((code = jc_cuda_buckets_parse(run->config->encoder.buckets.items, run->config->encoder.buckets.n,
                                      &options.buckets, err)))
        return jc_wrap(err, "encoder.buckets");
    if (options.precision == JC_PRECISION_INT8 && options.backend == JC_BACKEND_ONEDNN)
        options.precision = JC_PRECISION_F32; /* until it is calibrated: step_encode.c */
    if ((code = jc_run_load_encoder(run, &options, NULL, &run->encoder, err)))
        return code;
    return open_tokenizer(run, err);
}
