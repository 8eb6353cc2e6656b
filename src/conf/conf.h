/*
 * Configuration: a YAML file, `--set key=value` overrides and ONE table of keys make a plain struct.
 *
 * Each program has a struct and a table of struct jc_conf_key that says where each value goes, its default, its limits
 * and what it means. A key is the dotted path of nested mappings ("http.port"). Everything not in the table is an
 * error that names file:line:column and, where one is near, the key that was probably meant. A key given twice, an
 * anchor or a tag is an error.
 * Strings and lists belong to the struct jc_conf and live as long as it. Threads: one at a time.
 */
#ifndef JC_CONF_CONF_H
#define JC_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/own.h"

enum jc_conf_type {
    JC_CONF_STRING,   /* const char * */
    JC_CONF_BOOL,     /* bool */
    JC_CONF_COUNT,    /* uint64_t */
    JC_CONF_NUMBER,   /* double */
    JC_CONF_SIZE,     /* uint64_t, bytes: "64KiB" */
    JC_CONF_DURATION, /* uint64_t, milliseconds: "5s" */
    JC_CONF_CHOICE,   /* unsigned: the index into `choices` ("cpu|cuda") */
    JC_CONF_LIST,     /* struct jc_conf_list: a sequence of scalars, or one comma-separated scalar */
};

struct jc_conf_list {
    const char *const *items;
    size_t n;
};

struct jc_conf_key {
    const char *key;
    enum jc_conf_type type;
    size_t offset;            /* offsetof the member in the program's struct */
    const char *default_text; /* parsed like a value; NULL = the key must be given */
    double min, max;          /* for COUNT, NUMBER, SIZE (bytes), DURATION (ms); both 0 = no limits */
    const char *choices;      /* for CHOICE: "a|b|c" */
    const char *doc;          /* one sentence: what it does, its unit, what follows */
};

struct jc_conf;

/*
 * Defaults, then the file (path NULL = none), then `sets` ("key=value", later ones win), into *ret_values.
 * Errors: NOT_FOUND, INVALID (file:line:column in the text), TOO_LARGE (a file over 1 MiB), NOMEM.
 */
JC_MUST_CHECK jc_code jc_conf_load(const struct jc_conf_key *keys, size_t n_keys, const char *path,
                                   const char *const *sets, size_t n_sets, void *ret_values, struct jc_conf **ret_conf,
                                   struct jc_err *err);
void jc_conf_destroy(struct jc_conf *conf);
JC_DEFINE_AUTO(jc_conf)

/* The table as a manual, one key a paragraph: for --help-config. */
void jc_conf_print_help(const struct jc_conf_key *keys, size_t n_keys, FILE *out);

#endif
