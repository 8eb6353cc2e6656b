/* jobcode-train: from weights and labelled titles to a model that jobcode-server loads. Its table of contents. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/runtime.h"
#include "trainer/command.h"
#include "trainer/config.h"
#include "trainer/methods/method.h"
#include "version.h"

static const struct command {
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"fit", "make a model from labelled titles and publish it", jc_command_fit},
    {"evaluate", "compare methods on titles that they were not fitted on", jc_command_evaluate},
    {"compare", "set two models against each other on held-out rows", jc_command_compare},
    {"assemble", "put a portable model and the encoder's weights into one folder to serve", jc_command_assemble},
};

static void print_help(FILE *out)
{
    fputs("usage: jobcode-train COMMAND [OPTION]...\n\ncommands:\n", out);
    for (size_t i = 0; i < JC_COUNT(commands); i++)
        fprintf(out, "  %-15s %s\n", commands[i].name, commands[i].help);
    fputs(
        "\n"
        "  jobcode-train COMMAND --help   the command's options\n"
        "  jobcode-train --help-config    the keys of a configuration file, and the methods\n"
        "  jobcode-train --version\n"
        "\n"
        "exit status: 0 done, 1 failed, 2 not called as described here, 3 the (new) model is worse, 130 interrupted\n",
        out);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return JC_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return JC_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("jobcode-train %s (%s)\n", JC_VERSION, jc_runtime_versions());
        return JC_EXIT_OK;
    }
    if (strcmp(argv[1], "--help-config") == 0) {
        jc_train_config_print_help(stdout);
        puts("\nmethods:");
        jc_method_print_help(stdout);
        return JC_EXIT_OK;
    }
    for (size_t i = 0; i < JC_COUNT(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            jc_runtime_init();
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "jobcode-train: no command '%s'; jobcode-train --help lists them\n", argv[1]);
    return JC_EXIT_USAGE;
}
