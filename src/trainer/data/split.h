/*
 * The step `split`: which examples train, which test, which calibrate. Every draw is a hash of what a row says and of
 * the seed: it does not depend on the order of the rows, but for rows that are alike.
 */
#ifndef JC_TRAINER_SPLIT_H
#define JC_TRAINER_SPLIT_H

#include "base/buf.h"
#include "trainer/data/dataset.h"

struct jc_split_config;

/* What a split came to, for the data report. */
struct jc_split_report {
    size_t n_train, n_validation, n_test, n_unused; /* examples of each role */
    size_t n_leaked;                                /* test examples whose title also trains or validates */
    size_t n_test_categories;                       /* that have a test example */
    size_t n_rare_categories; /* stratified: categories that train with all of their rows for being small */
    size_t n_rare_rows;       /* rows in them */
    size_t n_undated;         /* time: rows without a date, which train */
    int64_t test_from_s;      /* time: the first test row's instant, seconds since 1970-01-01 UTC; 0: another split */
};

/* Clears *buf and writes the title as two titles are compared: lower case, every run of characters other than a-z 0-9
 * + # & is one blank, none at either end. A title that has no such character is compared as it is. */
void jc_split_normalize(const char *title, struct jc_buf *buf);

/*
 * Gives every example its role.
 *   none        all train
 *   postings    the public benchmark: O*NET titles known from employers' postings test; all others train
 *   stratified  of each category with more than `rare` rows the share `test` of them, so that the share of all is right
 *   random      each title by itself: it stays where it is when others are added
 *   time        the latest of the dated rows, about the share `test`; the rows of an instant stay together
 *   column      what the rows ask for; a row that asks for nothing trains
 * keep_equal, always so with `postings`: no title is on two sides. A stratified or random split draws titles instead of
 * rows, and takes no title that would exceed a category's share; a test (or validation) row whose title trains all the
 * same, by its date, its column or an auxiliary row, is unused.
 * Auxiliary examples train, but with `postings`, and are not counted in shares and sizes. Examples cut from a body go
 * where their posting goes, or are unused where it tests, and with keep_equal where their text is a test title.
 * Errors: INVALID (nothing to train or to test with, no dates, no column), NOMEM.
 */
JC_MUST_CHECK jc_code jc_split_dataset(struct jc_dataset *dataset, const struct jc_split_config *config,
                                       struct jc_split_report *ret_report, struct jc_err *err);

/*
 * Makes about `share` of the training titles validation titles, each by itself as a random split does. Titles of
 * auxiliary rows and of categories with JC_SPLIT_RARE training rows or fewer stay. What was cut from a body follows its
 * posting. Draws nothing where a column made validation rows already. Errors: NOMEM.
 */
enum { JC_SPLIT_RARE = 5 };
JC_MUST_CHECK jc_code jc_split_validation(struct jc_dataset *dataset, double share, uint64_t seed, struct jc_err *err);

/* Counts the roles in the report again, after validation titles were drawn; the rest of it still holds. */
void jc_split_count_roles(const struct jc_dataset *dataset, struct jc_split_report *report);

#endif
