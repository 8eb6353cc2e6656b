/*
 * Configuration: a YAML file, `--set key=value` overrides and ONE table of keys make a plain struct.
 *
 * Each program has a struct and a table of struct jc_conf_key that says where each value goes, its default, its limits
 * and what it means. A key is the dotted path of nested mappings ("http.port"). Everything not in the table is an
 * error that names file:line:column and, where one is near, the key that was probably meant. A key given twice, an
 * anchor or a tag is an error.
 * A key of type ITEMS is a sequence of mappings, each with the keys of a table of its own: "postings[1].weight" in an
 * error's text, `--set postings.1.weight=2` on the command line. Such a --set changes an item of the file or, with the
 * index behind the last one, adds an item; `--set postings=` removes all.
 * Strings, lists and items belong to the struct jc_conf and live as long as it. Threads: one at a time.
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
    JC_CONF_CHOICE,   /* unsigned: the index into the choices ("cpu|cuda") */
    JC_CONF_LIST,     /* struct jc_conf_list: a sequence of scalars, or one comma-separated scalar */
    JC_CONF_ITEMS,    /* struct jc_conf_items: a sequence of mappings, each a struct of the caller's */
};

#define JC_CONF_ITEMS_MAX 64 /* most items of one key */

struct jc_conf_list {
    const char *const *items;
    size_t n;
};

struct jc_conf_items {
    const void *items; /* [n] of the struct that the key's table describes; NULL while n is 0 */
    size_t n;
};

struct jc_conf_key {
    const char *key;
    enum jc_conf_type type;
    size_t offset;            /* offsetof the member in the program's struct */
    const char *default_text; /* parsed like a value; NULL = the key must be given. ITEMS: "" */
    double min, max;          /* for COUNT, NUMBER, SIZE (bytes), DURATION (ms); both 0 = no limits */
    const void *of;           /* CHOICE: the text "a|b|c"; ITEMS: a struct jc_conf_table; LIST, STRING: a struct
                               * jc_conf_check, or NULL; else NULL */
    const char *doc;          /* one sentence: what it does, its unit, what follows */
};

/* What a value of type STRING (one item) or LIST must be besides. Errors: INVALID, with what was expected and found. */
struct jc_conf_check {
    jc_code (*check)(const char *const *items, size_t n, struct jc_err *err);
};

/* The keys of one item, with offsets into its struct; ITEMS is no type for them. A key without a default must be given
 * in every item. */
struct jc_conf_table {
    const struct jc_conf_key *keys;
    size_t n_keys;
    size_t item_size; /* sizeof the struct */
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
