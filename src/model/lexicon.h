/*
 * The lexical features of a text: its tokens and its pairs of neighbouring tokens, [CLS] and [SEP] counted as
 * neighbours. A feature's key is first << 32 | second of its token ids, second = JC_LEXICON_ALONE for a token by
 * itself. One function for serving and training. Threads: any.
 */
#ifndef JC_MODEL_LEXICON_H
#define JC_MODEL_LEXICON_H

#include <stddef.h>
#include <stdint.h>

/* Tokens that count: titles are shorter, and what follows in a longer text says less. */
enum { JC_LEXICON_TOKENS = 32, JC_LEXICON_FEATURES = 2 * JC_LEXICON_TOKENS + 1 };

#define JC_LEXICON_ALONE INT32_MAX

/* ids: as the tokenizer gives them, [CLS] first and [SEP] last. Writes the distinct keys in ascending order; room for
 * JC_LEXICON_FEATURES. Returns how many. */
size_t jc_lexicon_keys(const int32_t *ids, size_t n_ids, int64_t *ret_keys);

/* The rows of a lexicon with `known` [n_known] ascending keys that a text has: ascending; room for JC_LEXICON_FEATURES.
 * Returns how many. */
size_t jc_lexicon_features(const int32_t *ids, size_t n_ids, const int64_t *known, size_t n_known,
                           uint32_t *ret_features);

/* The order of keys, for qsort and bsearch. */
int jc_lexicon_compare(const void *left, const void *right);

/* ret_words [dim] = sum of rows[f] over the features / sqrt(n); zeros where n is 0. */
void jc_lexicon_embed(const float *rows, size_t dim, const uint32_t *features, size_t n, float *ret_words);

#endif
