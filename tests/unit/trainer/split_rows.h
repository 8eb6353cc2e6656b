/* Rows for the tests of the split: random ones over few titles, and a dataset of them in any order. */
#ifndef JC_TESTS_TRAINER_SPLIT_ROWS_H
#define JC_TESTS_TRAINER_SPLIT_ROWS_H

#include "base/rng.h"
#include "check.h"
#include "trainer/config.h"
#include "trainer/data/split.h"

enum { MAX_ROWS = 500, N_TITLE = 32 };

struct row {
    char title[N_TITLE];      /* as it stands in the source */
    char normalized[N_TITLE]; /* as the split compares it */
    uint32_t category;
    uint32_t parent; /* a row before it, or JC_EXAMPLE_NO_PARENT */
    bool auxiliary, from_postings;
    int64_t posted_s;
    enum jc_role asked;
    enum jc_role role; /* what the split said */
};

struct rows {
    struct row rows[MAX_ROWS];
    size_t n;
};

/* What may occur in random rows. */
struct mix {
    size_t n_rows;
    uint32_t n_words, n_categories; /* titles are two of n_words */
    bool auxiliary, children, dates, asked, postings;
};

static inline uint32_t pick(struct jc_rng *rng, uint32_t n)
{
    return (uint32_t)(jc_rng_next(rng) >> 33) % n;
}

static inline void set_title(struct row *row, const char *title)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    jc_split_normalize(title, &buf);
    snprintf(row->title, N_TITLE, "%s", title);
    snprintf(row->normalized, N_TITLE, "%s", buf.n ? buf.data : "");
}

/* Categories are of very different sizes: number c is as likely as 1 / (c + 1), about. */
static inline struct rows *make_rows(const struct mix *mix, uint64_t seed)
{
    struct jc_rng rng = jc_rng_seeded(seed);
    struct rows *rows = calloc(1, sizeof(*rows));
    REQUIRE(rows && mix->n_rows <= MAX_ROWS);
    for (rows->n = 0; rows->n < mix->n_rows; rows->n++) {
        struct row *row = &rows->rows[rows->n];
        char title[N_TITLE];
        snprintf(title, sizeof(title), "%s%u%s%u", pick(&rng, 2) ? "W" : "w", pick(&rng, mix->n_words),
                 pick(&rng, 2) ? " " : "-", pick(&rng, mix->n_words));
        set_title(row, title);
        row->parent = JC_EXAMPLE_NO_PARENT;
        row->category = pick(&rng, 1 + pick(&rng, mix->n_categories));
        row->auxiliary = mix->auxiliary && pick(&rng, 6) == 0;
        row->from_postings = mix->postings && pick(&rng, 2);
        row->posted_s = mix->dates && pick(&rng, 10) && !row->auxiliary ? 86400 * ((int64_t)pick(&rng, 60) - 5) : 0;
        static const enum jc_role asked[] = {0, JC_ROLE_TRAIN, JC_ROLE_VALIDATION, JC_ROLE_TEST};
        row->asked = mix->asked && !row->auxiliary ? asked[pick(&rng, 4)] : 0;
        if (mix->children && rows->n > mix->n_rows / 2) {
            row->parent = pick(&rng, (uint32_t)(mix->n_rows / 2));
            row->category = rows->rows[row->parent].category;
            row->auxiliary = rows->rows[row->parent].auxiliary;
        }
    }
    return rows;
}

/* order[i]: the row that comes i-th; rows with a parent must come behind it. */
static inline struct jc_dataset *make_dataset(const struct rows *rows, const size_t *order)
{
    struct jc_err err;
    struct jc_dataset *dataset = jc_dataset_create();
    uint32_t places[MAX_ROWS];
    REQUIRE(dataset);
    for (size_t i = 0; i < rows->n; i++) {
        const struct row *row = &rows->rows[order[i]];
        struct jc_example example = {.parent = row->parent == JC_EXAMPLE_NO_PARENT ? row->parent : places[row->parent],
                                     .n_sources = 1,
                                     .weight = 1,
                                     .auxiliary = row->auxiliary,
                                     .from_postings = row->from_postings,
                                     .posted_s = row->posted_s,
                                     .asked = row->asked};
        char code[16];
        snprintf(code, sizeof(code), "c%u", (unsigned)row->category);
        places[order[i]] = (uint32_t)i;
        REQUIRE_OK(jc_dataset_add_category(dataset, code, code, NULL, &example.category, &err));
        REQUIRE_OK(jc_dataset_add_title(dataset, row->title, example, &err));
    }
    REQUIRE(dataset->n_examples == rows->n);
    return dataset;
}

/* Rows without parents in any order, then the others in any order: seed 0 leaves them as they are. */
static inline void shuffle(const struct rows *rows, uint64_t seed, size_t *ret_order)
{
    struct jc_rng rng = jc_rng_seeded(seed);
    size_t n = 0, n_own;
    for (size_t i = 0; i < rows->n; i++)
        if (rows->rows[i].parent == JC_EXAMPLE_NO_PARENT)
            ret_order[n++] = i;
    n_own = n;
    for (size_t i = 0; i < rows->n; i++)
        if (rows->rows[i].parent != JC_EXAMPLE_NO_PARENT)
            ret_order[n++] = i;
    for (size_t i = 1; seed && i < n; i++) {
        size_t first = i < n_own ? 0 : n_own, j = first + pick(&rng, (uint32_t)(i - first + 1)), held = ret_order[i];
        ret_order[i] = ret_order[j];
        ret_order[j] = held;
    }
}

/* Splits the rows in the order of `shuffling` and fills their roles. */
static inline struct jc_split_report split_rows(struct rows *rows, const struct jc_split_config *config,
                                                uint64_t shuffling)
{
    struct jc_err err;
    size_t order[MAX_ROWS];
    struct jc_split_report report;
    shuffle(rows, shuffling, order);
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = make_dataset(rows, order);
    REQUIRE_OK(jc_split_dataset(dataset, config, &report, &err));
    for (size_t i = 0; i < rows->n; i++)
        rows->rows[order[i]].role = dataset->examples[i].role;
    return report;
}

static inline bool has_parent(const struct row *row)
{
    return row->parent != JC_EXAMPLE_NO_PARENT;
}

/* Is it counted in shares? */
static inline bool is_drawn(const struct row *row)
{
    return !has_parent(row) && !row->auxiliary;
}

static inline bool is_equal(const struct row *a, const struct row *b)
{
    return strcmp(a->normalized, b->normalized) == 0;
}

#endif
