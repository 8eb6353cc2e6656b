/* jobcode-train import-encoder: a published checkpoint becomes an encoder file. */
#include <limits.h>

#include "artifact/safetensors.h"
#include "base/file.h"
#include "trainer/command.h"
#include "trainer/options.h"
#include "trainer/publish/checkpoint.h"

static jc_code import_encoder(const char *folder, const char *pooling, const char *output, struct jc_err *err)
{
    struct jc_bert bert;
    bool guessed;
    char path[PATH_MAX];
    JC_AUTO(jc_safetensors) struct jc_safetensors *weights = NULL;
    jc_code code;
    if ((code = jc_checkpoint_read(folder, pooling, &bert, &guessed, err)) ||
        (code = jc_path_join(path, sizeof(path), folder, "model.safetensors", err)) ||
        (code = jc_safetensors_open(path, &weights, err)))
        return code;
    if (guessed)
        fputs("import-encoder: no 1_Pooling/config.json and no --pooling: taking the mean\n", stderr);
    size_t n_tensors;
    const struct jc_tensor *tensors = jc_safetensors_tensors(weights, &n_tensors);
    if ((code = jc_torch_module_write(output, &bert, tensors, n_tensors, err)))
        return code;
    printf("%s: %zu layers, %zu dimensions, %zu tokens of context, %s pooling, weights %.12s\n", output, bert.layers,
           bert.hidden, bert.max_tokens, bert.pooling == JC_POOLING_CLS ? "cls" : "mean", bert.source_sha256);
    return JC_OK;
}

int jc_command_import_encoder(int argc, char **argv)
{
    const char *folder = NULL, *output = NULL, *pooling = NULL;
    const struct jc_option options[] = {
        {.name = "--weights",
         .argument = "DIR",
         .help = "the checkpoint: model.safetensors, config.json, vocab.txt, 1_Pooling/config.json if it has one",
         .required = true,
         .value = &folder},
        {.name = "--output",
         .argument = "FILE",
         .help = "the encoder file to write",
         .required = true,
         .value = &output},
        {.name = "--pooling",
         .argument = "mean|cls",
         .help = "how token vectors become a text's, where the checkpoint does not say; default mean",
         .value = &pooling},
    };
    int status = jc_options_parse(options, JC_COUNT(options),
                                  "Turns a BERT checkpoint (safetensors) into a TorchScript encoder, without Python.",
                                  argc, argv);
    if (status >= 0)
        return status;
    struct jc_err err = {0};
    return import_encoder(folder, pooling, output, &err) ? jc_command_fail(argv[0], &err) : JC_EXIT_OK;
}
