/* What the golden tests share: where the model's files are, and reading the recorded JSON. */
#ifndef JC_TESTS_GOLDEN_H
#define JC_TESTS_GOLDEN_H

#include <jansson.h>
#include <limits.h>

#include "base/file.h"
#include "base/sha256.h"
#include "check.h"

/* Writes "<folder that the variable names>/<file>"; skips the test where the variable is not set. */
static inline void find_input(const char *variable, const char *file, char ret_path[PATH_MAX])
{
    struct jc_err err;
    const char *folder = getenv(variable);
    if (!folder || !*folder) {
        char why[128];
        snprintf(why, sizeof why, "%s is not set", variable);
        check_skip(why);
    }
    REQUIRE_OK(jc_path_join(ret_path, PATH_MAX, folder, file, &err));
}

/* A file of the folder of recordings, which the build names. */
static inline void find_recorded(const char *file, char ret_path[PATH_MAX])
{
    struct jc_err err;
    REQUIRE_OK(jc_path_join(ret_path, PATH_MAX, JC_GOLDEN_DIR, file, &err));
}

static inline json_t *load_recorded(const char *file)
{
    char path[PATH_MAX];
    find_recorded(file, path);
    json_error_t problem;
    json_t *value = json_load_file(path, 0, &problem);
    if (!value) {
        fprintf(stderr, "%s:%d: %s\n", path, problem.line, problem.text);
        exit(1);
    }
    return value;
}

#endif
