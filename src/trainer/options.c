/* The options of a command: parsing and help. */
#include "trainer/options.h"

#include <stdio.h>
#include <string.h>

#include "trainer/command.h"

static void print_help(const struct jc_option *options, size_t n_options, const char *summary, const char *command)
{
    printf("usage: jobcode-train %s", command);
    for (size_t i = 0; i < n_options; i++)
        printf(options[i].required ? " %s %s"
               : options[i].list   ? " [%s %s]..."
                                   : " [%s %s]",
               options[i].name, options[i].argument);
    printf("\n\n%s\n\n", summary);
    for (size_t i = 0; i < n_options; i++)
        printf("  %s %s\n      %s\n", options[i].name, options[i].argument, options[i].help);
}

static int refuse(const char *command, const char *argument, const char *why)
{
    fprintf(stderr, "jobcode-train %s: %s %s; see jobcode-train %s --help\n", command, argument, why, command);
    return JC_EXIT_USAGE;
}

/* The option that `argument` names; *ret_value is what follows its '=', or NULL. */
static const struct jc_option *find_option(const struct jc_option *options, size_t n_options, const char *argument,
                                           const char **ret_value)
{
    for (size_t i = 0; i < n_options; i++) {
        size_t n = strlen(options[i].name);
        if (strncmp(argument, options[i].name, n) != 0 || (argument[n] != '\0' && argument[n] != '='))
            continue;
        *ret_value = argument[n] == '=' ? argument + n + 1 : NULL;
        return &options[i];
    }
    return NULL;
}

int jc_options_parse(const struct jc_option *options, size_t n_options, const char *summary, int argc, char **argv)
{
    unsigned long given = 0; /* a bit an option */
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(options, n_options, summary, argv[0]);
            return JC_EXIT_OK;
        }
        const char *value, *argument = argv[i];
        const struct jc_option *option = find_option(options, n_options, argument, &value);
        if (!option)
            return refuse(argv[0], argument, "is no option");
        if (!value && ++i < argc)
            value = argv[i];
        if (!value)
            return refuse(argv[0], argument, "needs a value");
        unsigned long bit = 1UL << (option - options);
        if (option->list) {
            if (option->list->n == JC_COUNT(option->list->items))
                return refuse(argv[0], argument, "is given too often");
            option->list->items[option->list->n++] = value;
        } else if (given & bit) {
            return refuse(argv[0], option->name, "is given twice");
        } else {
            *option->value = value;
        }
        given |= bit;
    }
    for (size_t i = 0; i < n_options; i++)
        if (options[i].required && !(given & (1UL << i)))
            return refuse(argv[0], options[i].name, "is missing");
    return -1;
}

int jc_command_fail(const char *command, const struct jc_err *err)
{
    fprintf(stderr, "jobcode-train %s: %s\n", command, err->text);
    return JC_EXIT_FAILURE;
}
