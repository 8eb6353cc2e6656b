/*
 * The groups of the Standard Occupational Classification 2018 that a model's categories are in, at each of its four
 * levels, and sums over them. A category whose code is not an O*NET-SOC code ("dd-dddd.dd") is a group of its own at
 * every level. Immutable; borrows the categories. Threads: any.
 */
#ifndef JC_MODEL_GROUPS_H
#define JC_MODEL_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "artifact/bundle.h"
#include "base/err.h"
#include "base/own.h"

enum jc_level {
    JC_LEVEL_NONE,     /* the model's own categories */
    JC_LEVEL_MAJOR,    /* 29-0000 */
    JC_LEVEL_MINOR,    /* 29-1000; 15-1200, 31-1100 and 51-5100 */
    JC_LEVEL_BROAD,    /* 29-1140 */
    JC_LEVEL_DETAILED, /* 29-1141 */
    JC_LEVEL_COUNT,
};

/* All names, for messages. */
#define JC_LEVEL_NAMES "\"major\", \"minor\", \"broad\" or \"detailed\""

/* "major" .. "detailed"; not for JC_LEVEL_NONE. Static storage. */
const char *jc_level_name(enum jc_level level);

/* The level of a name of n bytes; false where it is none. */
bool jc_level_parse(const char *name, size_t n, enum jc_level *ret_level);

struct jc_group {
    const char *code;  /* "29-0000", or the code of the category that is a group of its own */
    const char *title; /* NULL where it is not known: of minor and broad groups */
};

struct jc_groups;

/* Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_groups_create(const struct jc_category *categories, size_t n_categories,
                                       struct jc_groups **ret_groups, struct jc_err *err);
void jc_groups_destroy(struct jc_groups *groups);
JC_DEFINE_AUTO(jc_groups)

/* How many groups the categories are in; their numbers, from 0, go with their codes (strcmp). level: not NONE. */
size_t jc_groups_count(const struct jc_groups *groups, enum jc_level level);

/* The group that a category is in. level: not NONE. */
const struct jc_group *jc_groups_of(const struct jc_groups *groups, enum jc_level level, uint32_t category);

/* ret_sums [jc_groups_count]: the sum of probabilities [n_categories] over each group's categories; ret_bests, of the
 * same length: the most probable of them, of equals the lower index. level: not NONE. */
void jc_groups_sum(const struct jc_groups *groups, enum jc_level level, const float *probabilities, float *ret_sums,
                   uint32_t *ret_bests);

#endif
