/* jobcode-train fit, evaluate, compare: a configuration and a run. */
#include "base/parse.h"
#include "trainer/command.h"
#include "trainer/options.h"
#include "trainer/pipeline.h"

/* What all three are told. */
struct arguments {
    const char *path;
    struct jc_option_list sets;
};

#define CONFIG_OPTIONS(arguments)                                                                            \
    {.name = "--config",                                                                                     \
     .argument = "FILE",                                                                                     \
     .help = "the configuration (see --help-config)",                                                        \
     .required = true,                                                                                       \
     .value = &(arguments).path},                                                                            \
    {                                                                                                        \
        .name = "--set", .argument = "KEY=VALUE", .help = "overrides a key of it", .list = &(arguments).sets \
    }

static int execute(const char *command, const struct arguments *arguments, struct jc_run_request *request)
{
    struct jc_err err = {0};
    struct jc_train_config config;
    enum jc_verdict verdict;
    JC_AUTO(jc_conf) struct jc_conf *conf = NULL;
    if (jc_train_config_load(arguments->path, arguments->sets.items, arguments->sets.n, &config, &conf, &err)) {
        jc_command_fail(command, &err);
        return JC_EXIT_USAGE;
    }
    request->config = &config;
    jc_code code = jc_run_execute(request, &verdict, &err);
    if (code) {
        int status = jc_command_fail(command, &err);
        return code == JC_E_CANCELLED ? JC_EXIT_INTERRUPTED : status;
    }
    return verdict == JC_VERDICT_WORSE ? JC_EXIT_WORSE : JC_EXIT_OK;
}

static int run_command(enum jc_run_kind kind, const char *summary, int argc, char **argv)
{
    struct arguments arguments = {0};
    const struct jc_option options[] = {CONFIG_OPTIONS(arguments)};
    int status = jc_options_parse(options, JC_COUNT(options), summary, argc, argv);
    struct jc_run_request request = {.kind = kind};
    return status >= 0 ? status : execute(argv[0], &arguments, &request);
}

int jc_command_fit(int argc, char **argv)
{
    return run_command(JC_RUN_FIT,
                       "Makes a model with one method and publishes it as a bundle. With a split, the method is\n"
                       "measured on the held-out rows first; with refuse_worse, a model that is worse than the one\n"
                       "in place is not published (exit status 3).",
                       argc, argv);
}

int jc_command_evaluate(int argc, char **argv)
{
    return run_command(JC_RUN_EVALUATE, "Fits each method on the training rows and prints how it does on the rest.",
                       argc, argv);
}

int jc_command_compare(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct jc_run_request request = {.kind = JC_RUN_COMPARE};
    const char *margin = "0.01";
    const struct jc_option options[] = {
        CONFIG_OPTIONS(arguments),
        {.name = "--a", .argument = "DIR", .help = "a model, the present one", .required = true, .value = &request.a},
        {.name = "--b", .argument = "DIR", .help = "the model to judge", .required = true, .value = &request.b},
        {.name = "--margin", .argument = "M", .help = "B may be worse by this in top-1 (0.01)", .value = &margin},
    };
    int status = jc_options_parse(options, JC_COUNT(options),
                                  "Asks two models the test rows of a configuration, and says whether B is worse than\n"
                                  "A by more than the margin (exit status 3). The rows should be new to both.",
                                  argc, argv);
    if (status >= 0)
        return status;
    struct jc_err err = {0};
    if (jc_parse_f64(margin, &request.margin, &err) || request.margin < 0 || request.margin > 1) {
        fprintf(stderr, "jobcode-train compare: --margin is a number from 0 to 1, not '%s'\n", margin);
        return JC_EXIT_USAGE;
    }
    return execute(argv[0], &arguments, &request);
}
