/*
 * A crosswalk from one edition of the O*NET-SOC codes to the next (2010 to 2019): a table with a column of old codes
 * and one of new codes. A code may become several, and several may become one. Immutable after loading.
 */
#ifndef JC_DATA_CROSSWALK_H
#define JC_DATA_CROSSWALK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/own.h"
#include "data/soc_code.h"

struct jc_crosswalk_pair {
    char from[JC_SOC_CODE_SIZE], to[JC_SOC_CODE_SIZE];
    char *title; /* of `to`; "" where the table has none */
};

struct jc_crosswalk;

/*
 * Reads CSV or TSV. The columns are called "O*NET-SOC 2010 Code" and "O*NET-SOC 2019 Code", as the O*NET Center has
 * them, or "soc2010_code" and "soc2019_code"; the new codes' titles, where they are there, "O*NET-SOC 2019 Title" or
 * "soc2019_title".
 * Errors: those of jc_records_open; FORMAT (no such columns, a malformed row or code, with its line; no rows), NOMEM.
 */
JC_MUST_CHECK jc_code jc_crosswalk_load(const char *path, struct jc_crosswalk **ret_crosswalk, struct jc_err *err);
void jc_crosswalk_destroy(struct jc_crosswalk *crosswalk);
JC_DEFINE_AUTO(jc_crosswalk)

/* What became of old code `from`, [*ret_n] in the order of the new codes; *ret_n is 0 where there is no such code. */
const struct jc_crosswalk_pair *jc_crosswalk_find(const struct jc_crosswalk *crosswalk, const char *from,
                                                  size_t *ret_n);

/* Is it one of the new codes? */
bool jc_crosswalk_has_new(const struct jc_crosswalk *crosswalk, const char *code);

/* All pairs, by old and new code. */
const struct jc_crosswalk_pair *jc_crosswalk_pairs(const struct jc_crosswalk *crosswalk, size_t *ret_n);

#endif
