/* jobcode-train assemble: a portable bundle and the encoder's weights become a bundle to serve. */
#include <limits.h>

#include "base/file.h"
#include "trainer/command.h"
#include "trainer/options.h"
#include "trainer/publish/publish.h"

struct parts {
    const char *model, *weights, *output;
};

static jc_code assemble(const struct parts *parts, struct jc_err *err)
{
    JC_AUTO(jc_bundle) struct jc_bundle *model = NULL;
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = NULL; /* a second copy, which the writer completes */
    char path[PATH_MAX], vocab[PATH_MAX], weights[PATH_MAX];
    jc_code code;
    if ((code = jc_bundle_load(parts->model, JC_BUNDLE_PORTABLE, &model, err)) ||
        (code = jc_path_join(path, sizeof(path), parts->model, JC_BUNDLE_MANIFEST, err)) ||
        (code = jc_manifest_load(path, &manifest, err)) ||
        (code = jc_path_join(vocab, sizeof(vocab), parts->weights, JC_BUNDLE_VOCAB, err)) ||
        (code = jc_path_join(weights, sizeof(weights), parts->weights, JC_BUNDLE_WEIGHTS, err)))
        return code;

    struct jc_bundle_content content = {
        .manifest = manifest,
        .head = jc_bundle_head(model),
        .vocab_path = vocab,
        .bert = jc_bundle_bert(model),
    };
    content.weights_path = content.bert ? weights : NULL;
    content.calibration = jc_bundle_calibration(model, &content.n_calibration);
    size_t n;
    content.categories = jc_bundle_categories(model, &n);
    if ((code = jc_publish_bundle(parts->output, &content, err)))
        return code;
    printf("%s: %s, %zu canaries answered\n", parts->output, manifest->version, manifest->n_canaries);
    return JC_OK;
}

int jc_command_assemble(int argc, char **argv)
{
    struct parts parts = {0};
    const struct jc_option options[] = {
        {.name = "--model",
         .argument = "DIR",
         .help = "the portable bundle: manifest.json, categories.safetensors, categories.tsv",
         .required = true,
         .value = &parts.model},
        {.name = "--weights",
         .argument = "DIR",
         .help = "the checkpoint that the bundle was made with: model.safetensors and vocab.txt",
         .required = true,
         .value = &parts.weights},
        {.name = "--output",
         .argument = "DIR",
         .help = "the folder to publish",
         .required = true,
         .value = &parts.output},
    };
    int status = jc_options_parse(options, JC_COUNT(options),
                                  "Puts the parts of a model into one folder, tests it with its canaries, and "
                                  "publishes it.",
                                  argc, argv);
    if (status >= 0)
        return status;
    struct jc_err err = {0};
    return assemble(&parts, &err) ? jc_command_fail(argv[0], &err) : JC_EXIT_OK;
}
