/* Titles as the split compares them, and what follows from two rows having the same. */
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"
#include "trainer/data/split_impl.h"

void jc_split_normalize(const char *title, struct jc_buf *buf)
{
    jc_buf_clear(buf);
    bool gap = false;
    for (const char *at = title; *at; at++) {
        char c = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '#' || c == '&')) {
            gap = true;
            continue;
        }
        if (gap && buf->n)
            jc_buf_putc(buf, ' ');
        gap = false;
        jc_buf_putc(buf, c);
    }
    if (buf->n == 0) /* of another script: all of those would be one title */
        jc_buf_puts(buf, title);
}

uint64_t jc_split_draw(uint64_t hash, uint64_t seed, enum jc_split_purpose purpose)
{
    static const uint64_t ends[] = {UINT64_C(0x8a5cd789635d2dff), UINT64_C(0x121fd2155c472f96),
                                    UINT64_C(0xc2b2ae3d27d4eb4f)};
    struct jc_rng salt = jc_rng_seeded(seed ^ ends[purpose]);
    struct jc_rng rng = jc_rng_seeded(hash ^ jc_rng_next(&salt));
    return jc_rng_next(&rng);
}

struct hashed_text {
    uint64_t hash;
    uint32_t text;
};

static int compare_hashes(const void *a, const void *b)
{
    const struct hashed_text *left = a, *right = b;
    return (left->hash > right->hash) - (left->hash < right->hash);
}

static jc_code hash_texts(const struct jc_texts *texts, struct hashed_text *ret_rows, struct jc_err *err)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    size_t n_texts = jc_texts_count(texts), n;
    for (size_t i = 0; i < n_texts; i++) {
        jc_split_normalize(jc_texts_get(texts, (uint32_t)i, &n), &buf);
        jc_code code = jc_buf_check(&buf, err);
        if (code)
            return code;
        ret_rows[i] = (struct hashed_text){.hash = jc_hash_bytes(buf.data, buf.n), .text = (uint32_t)i};
    }
    return JC_OK;
}

jc_code jc_split_titles_init(struct jc_split_titles *titles, const struct jc_dataset *dataset, struct jc_err *err)
{
    size_t n_texts = jc_texts_count(dataset->texts);
    JC_AUTO_FREE struct hashed_text *rows = calloc(n_texts + 1, sizeof(*rows));
    *titles = (struct jc_split_titles){.of_text = calloc(n_texts + 1, sizeof(*titles->of_text)),
                                       .hashes = calloc(n_texts + 1, sizeof(*titles->hashes)),
                                       .roles = calloc(n_texts + 1, sizeof(*titles->roles))};
    if (!rows || !titles->of_text || !titles->hashes || !titles->roles)
        return jc_fail(err, JC_E_NOMEM, "no memory for the titles of %zu texts", n_texts);
    jc_code code = hash_texts(dataset->texts, rows, err);
    if (code)
        return code;
    qsort(rows, n_texts, sizeof(*rows), compare_hashes);
    for (size_t i = 0; i < n_texts; i++) {
        if (i == 0 || rows[i].hash != rows[i - 1].hash)
            titles->hashes[titles->n++] = rows[i].hash;
        titles->of_text[rows[i].text] = (uint32_t)(titles->n - 1);
    }
    return JC_OK;
}

void jc_split_titles_finish(struct jc_split_titles *titles)
{
    free(titles->of_text);
    free(titles->hashes);
    free(titles->roles);
}

void jc_split_mark(const struct jc_dataset *dataset, bool with_cut, struct jc_split_titles *titles)
{
    memset(titles->roles, 0, titles->n);
    for (size_t i = 0; i < dataset->n_examples; i++) {
        const struct jc_example *example = &dataset->examples[i];
        if (with_cut || jc_example_is_row(example))
            titles->roles[jc_split_title(titles, example)] |= (uint8_t)example->role;
    }
}

void jc_split_follow(struct jc_dataset *dataset, struct jc_split_titles *titles, unsigned apart)
{
    jc_split_mark(dataset, false, titles);
    for (size_t i = 0; i < dataset->n_examples; i++) {
        struct jc_example *example = &dataset->examples[i];
        if (jc_example_is_row(example) || example->role != JC_ROLE_TRAIN)
            continue;
        uint8_t *roles = &titles->roles[jc_split_title(titles, example)];
        enum jc_role role = dataset->examples[example->parent].role;
        if (role == JC_ROLE_TEST || (*roles & apart & ~(unsigned)role))
            role = JC_ROLE_UNUSED;
        example->role = role;
        *roles |= (uint8_t)(role & JC_ROLE_TRAIN);
    }
    for (size_t i = 0; apart && i < dataset->n_examples; i++) {
        struct jc_example *example = &dataset->examples[i];
        if (!jc_example_is_row(example) && example->role == JC_ROLE_VALIDATION &&
            (titles->roles[jc_split_title(titles, example)] & JC_ROLE_TRAIN))
            example->role = JC_ROLE_UNUSED;
    }
}
