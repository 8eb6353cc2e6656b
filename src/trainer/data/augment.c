/* Sentences of bodies. See augment.h. */
#include "trainer/data/augment.h"

#include <string.h>

enum { MIN_WORDS = 4, MAX_BYTES = 400 };

static const char bullet[] = "\xe2\x80\xa2";

/* The sentences of one posting, cleaned. */
struct item {
    uint32_t category, parent;
    uint32_t begin, n; /* of texts */
};

struct jc_augment {
    uint64_t rows, sentences;
    uint32_t *counts; /* [cap_counts]: postings of a category */
    size_t cap_counts;
    struct item *items;
    size_t n_items, cap_items;
    char **texts;
    size_t n_texts, cap_texts;
    struct jc_buf body, sentence;
};

jc_code jc_augment_create(uint64_t rows, uint64_t sentences, struct jc_augment **ret_augment, struct jc_err *err)
{
    struct jc_augment *augment = calloc(1, sizeof(*augment));
    if (!augment)
        return jc_fail(err, JC_E_NOMEM, "no memory for sentences");
    augment->rows = rows;
    augment->sentences = sentences;
    *ret_augment = augment;
    return JC_OK;
}

void jc_augment_destroy(struct jc_augment *augment)
{
    if (!augment)
        return;
    for (size_t i = 0; i < augment->n_texts; i++)
        free(augment->texts[i]);
    jc_buf_finish(&augment->body);
    jc_buf_finish(&augment->sentence);
    free(augment->texts);
    free(augment->items);
    free(augment->counts);
    free(augment);
}

/* Room for element n of *array, zeroed where it is new. */
static jc_code grow(void *array, size_t n, size_t *cap, size_t size, struct jc_err *err)
{
    void **place = array;
    if (n < *cap)
        return JC_OK;
    size_t wanted = 2 * n + 64;
    char *bigger = reallocarray(*place, wanted, size);
    if (!bigger)
        return jc_fail(err, JC_E_NOMEM, "no memory for the sentences of bodies");
    memset(bigger + *cap * size, 0, (wanted - *cap) * size);
    *place = bigger;
    *cap = wanted;
    return JC_OK;
}

/* How many bytes end a sentence at text[i]: 0 where none ends. */
static size_t match_end(const char *text, size_t n, size_t i)
{
    size_t n_bullet = strlen(bullet);
    if (n - i >= n_bullet && memcmp(text + i, bullet, n_bullet) == 0)
        return n_bullet;
    return (text[i] == '.' || text[i] == '!' || text[i] == '?') && (i + 1 == n || text[i + 1] == ' ') ? 1 : 0;
}

static bool is_sentence(const char *text, size_t n)
{
    size_t n_words = n > 0;
    for (size_t i = 0; i < n; i++)
        n_words += text[i] == ' ';
    return n_words >= MIN_WORDS && n <= MAX_BYTES;
}

bool jc_augment_sentence(const char *text, size_t n, size_t *at, const char **ret_sentence, size_t *ret_n)
{
    while (*at < n) {
        while (*at < n && text[*at] == ' ')
            (*at)++;
        size_t begin = *at, end = begin, n_end = 0;
        while (end < n && !(n_end = match_end(text, n, end)))
            end++;
        *at = end + n_end;
        while (end > begin && text[end - 1] == ' ')
            end--;
        if (is_sentence(text + begin, end - begin)) {
            *ret_sentence = text + begin;
            *ret_n = end - begin;
            return true;
        }
    }
    return false;
}

/* Leaves it where no letter or digit is in it. */
static jc_code add_sentence(struct jc_augment *augment, struct item *item, const char *text, size_t n,
                            struct jc_err *err)
{
    const struct jc_posting posting = {.title = text, .n_title = n};
    jc_code code = jc_posting_text(&posting, JC_POSTING_TITLE, &augment->sentence, err);
    if (code || augment->sentence.n == 0)
        return code;
    code = grow(&augment->texts, augment->n_texts, &augment->cap_texts, sizeof(*augment->texts), err);
    if (code)
        return code;
    if (!(augment->texts[augment->n_texts] = strndup(augment->sentence.data, augment->sentence.n)))
        return jc_fail(err, JC_E_NOMEM, "no memory for the sentences of bodies");
    augment->n_texts++;
    item->n++;
    return JC_OK;
}

jc_code jc_augment_add(struct jc_augment *augment, const struct jc_dataset *dataset, uint32_t parent,
                       const struct jc_posting *posting, struct jc_err *err)
{
    struct item item = {
        .category = dataset->examples[parent].category, .parent = parent, .begin = (uint32_t)augment->n_texts};
    jc_code code = grow(&augment->counts, item.category, &augment->cap_counts, sizeof(*augment->counts), err);
    if (code || augment->counts[item.category]++ >= augment->rows || !posting->n_body)
        return code;
    const struct jc_posting body = {.body = posting->body, .n_body = posting->n_body};
    if ((code = jc_posting_text(&body, JC_POSTING_BODY, &augment->body, err)))
        return code;
    const char *sentence;
    for (size_t at = 0, n; !code && item.n < augment->sentences &&
                           jc_augment_sentence(augment->body.data, augment->body.n, &at, &sentence, &n);)
        code = add_sentence(augment, &item, sentence, n, err);
    if (code || !item.n ||
        (code = grow(&augment->items, augment->n_items, &augment->cap_items, sizeof(*augment->items), err)))
        return code;
    augment->items[augment->n_items++] = item;
    return JC_OK;
}

jc_code jc_augment_apply(const struct jc_augment *augment, struct jc_dataset *dataset, uint64_t *ret_n,
                         struct jc_err *err)
{
    uint64_t n_added = 0;
    for (size_t i = 0; i < augment->n_items; i++) {
        const struct item *item = &augment->items[i];
        if (augment->counts[item->category] >= augment->rows)
            continue;
        for (uint32_t t = item->begin; t < item->begin + item->n; t++) {
            struct jc_example example = dataset->examples[item->parent];
            example.parent = item->parent;
            example.weight /= (float)item->n;
            jc_code code =
                jc_texts_add(dataset->texts, augment->texts[t], strlen(augment->texts[t]), &example.text, err);
            if (code || (code = jc_dataset_add(dataset, &example, err)))
                return code;
            n_added++;
        }
    }
    *ret_n = n_added;
    return JC_OK;
}
