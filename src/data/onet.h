/*
 * An O*NET text release folder: "Occupation Data.txt" and "Alternate Titles.txt" (tab-separated, a header line; see the
 * O*NET data dictionary). Columns are found by their header names. Errors name file and line. Immutable after loading.
 */
#ifndef JC_DATA_ONET_H
#define JC_DATA_ONET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"

struct jc_onet_occupation {
    const char *code, *title, *description;
};

struct jc_onet_title {
    uint32_t occupation; /* index into occupations */
    const char *title;
    const char *sources; /* "02,08,10": two-digit source codes; 10 = employers' job postings */
};

struct jc_onet;

/* Errors: NOT_FOUND, FORMAT (a missing column, an unknown code, a code twice, invalid UTF-8), NOMEM. */
JC_MUST_CHECK jc_code jc_onet_load(const char *folder, struct jc_onet **ret_onet, struct jc_err *err);
void jc_onet_destroy(struct jc_onet *onet);
JC_DEFINE_AUTO(jc_onet)

/* In the order of the file (by code). */
const struct jc_onet_occupation *jc_onet_occupations(const struct jc_onet *onet, size_t *ret_n);
const struct jc_onet_title *jc_onet_titles(const struct jc_onet *onet, size_t *ret_n);

/* Is `source` ("10") one of a title's sources? */
int jc_onet_title_has_source(const struct jc_onet_title *title, const char *source);

#endif
