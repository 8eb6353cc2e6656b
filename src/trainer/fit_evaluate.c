/* jobcode-train fit, jobcode-train evaluate: a configuration and a run. */
#include "trainer/command.h"
#include "trainer/options.h"
#include "trainer/pipeline.h"

static int run_command(enum jc_run_kind kind, const char *summary, int argc, char **argv)
{
    const char *path = NULL;
    struct jc_option_list sets = {0};
    const struct jc_option options[] = {
        {.name = "--config",
         .argument = "FILE",
         .help = "the configuration (see --help-config)",
         .required = true,
         .value = &path},
        {.name = "--set", .argument = "KEY=VALUE", .help = "overrides a key of it", .list = &sets},
    };
    int status = jc_options_parse(options, JC_COUNT(options), summary, argc, argv);
    if (status >= 0)
        return status;

    struct jc_err err = {0};
    struct jc_train_config config;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    if (jc_train_config_load(path, sets.items, sets.n, &config, &conf, &err)) {
        jc_command_fail(argv[0], &err);
        return JC_EXIT_USAGE;
    }
    return jc_run_execute(&config, kind, &err) ? jc_command_fail(argv[0], &err) : JC_EXIT_OK;
}

int jc_command_fit(int argc, char **argv)
{
    return run_command(JC_RUN_FIT,
                       "Makes a model with one method and publishes it as a bundle. With a split, the method is\n"
                       "measured on the held-out rows first; what is published is fitted on all.",
                       argc, argv);
}

int jc_command_evaluate(int argc, char **argv)
{
    return run_command(JC_RUN_EVALUATE, "Fits each method on the training rows and prints how it does on the rest.",
                       argc, argv);
}
