/* The options of a command: a table, parsed strictly. "--name value" and "--name=value"; nothing else is accepted. */
#ifndef JC_TRAINER_OPTIONS_H
#define JC_TRAINER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* The values of an option that may be given more than once. */
struct jc_option_list {
    const char *items[64];
    size_t n;
};

struct jc_option {
    const char *name;     /* "--output" */
    const char *argument; /* "FILE" */
    const char *help;
    bool required;
    const char **value;          /* where the value goes (it keeps its default where not given), or */
    struct jc_option_list *list; /* where each value is added */
};

/* Returns -1 to go on, or the exit status: after --help was printed, or what is wrong was said. */
JC_MUST_CHECK int jc_options_parse(const struct jc_option *options, size_t n_options, const char *summary, int argc,
                                   char **argv);

/* Says the error on standard error and returns the exit status for it. */
int jc_command_fail(const char *command, const struct jc_err *err);

#endif
