/*
 * BERT uncased WordPiece: text to token ids, identical to the Hugging Face `tokenizers` BertNormalizer +
 * BertPreTokenizer + WordPiece (clean text, split CJK, strip accents, lower case, split at punctuation, greedy longest
 * match, at most 100 characters a word, else [UNK]). "[SEP]" and the like written in a text are plain text, as with
 * encode_special_tokens. Immutable after creation. Threads: any.
 */
#ifndef JC_TEXT_TOKENIZER_H
#define JC_TEXT_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"

struct jc_tokenizer;

/* max_tokens: the longest id sequence made, [CLS] and [SEP] included (2..512); longer texts are cut.
 * Errors: as jc_vocab_load; FORMAT where the vocabulary lacks [CLS], [SEP] or [UNK]. */
JC_MUST_CHECK jc_code jc_tokenizer_load(const char *vocab_path, size_t max_tokens, struct jc_tokenizer **ret_tokenizer,
                                        struct jc_err *err);
void jc_tokenizer_destroy(struct jc_tokenizer *tokenizer);
JC_DEFINE_AUTO(jc_tokenizer)

/* Every text is encoded as if `prefix`, a piece of its own, stood before it, at the head of each of its chunks: what
 * some encoders were trained to be told ("query: "). Once, right after loading; "" = none. Errors: INVALID (no UTF-8;
 * over half of max_tokens), NOMEM. */
JC_MUST_CHECK jc_code jc_tokenizer_set_prefix(struct jc_tokenizer *tokenizer, const char *prefix, struct jc_err *err);

size_t jc_tokenizer_max_tokens(const struct jc_tokenizer *tokenizer);
size_t jc_tokenizer_vocab_size(const struct jc_tokenizer *tokenizer);

/* Writes [CLS] ids [SEP] into ret_ids, and their number into *ret_n (2 for a text without tokens). A text that does not
 * fit goes on in another such chunk behind it, of `max_chunks` (1 or more) at most; what does not fit then is cut.
 * ret_ids has room for max_chunks * max_tokens. Works in time linear in n and allocates nothing that grows with hostile
 * words. Errors: INVALID (invalid UTF-8 with its byte offset), NOMEM. */
JC_MUST_CHECK jc_code jc_tokenizer_encode(const struct jc_tokenizer *tokenizer, const char *text, size_t n,
                                          size_t max_chunks, int32_t *ret_ids, size_t *ret_n, struct jc_err *err);

#endif
