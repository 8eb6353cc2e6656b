/* The token ids of all texts of a dataset, packed. */
#ifndef JC_TRAINER_TOKENS_H
#define JC_TRAINER_TOKENS_H

#include "text/tokenizer.h"
#include "trainer/data/texts.h"

struct jc_tokens {
    int32_t *ids;    /* [CLS] ... [SEP] of text 0, of text 1, ... */
    size_t *offsets; /* [texts + 1] */
};

static inline const int32_t *jc_tokens_get(const struct jc_tokens *tokens, size_t text, size_t *ret_n)
{
    *ret_n = tokens->offsets[text + 1] - tokens->offsets[text];
    return tokens->ids + tokens->offsets[text];
}

/* Texts of more than max_chunks chunks are cut (text/tokenizer.h). Errors: INVALID (quoting the text), NOMEM. */
JC_MUST_CHECK jc_code jc_tokens_make(const struct jc_tokenizer *tokenizer, const struct jc_texts *texts,
                                     size_t max_chunks, struct jc_tokens *ret_tokens, struct jc_err *err);
void jc_tokens_finish(struct jc_tokens *tokens);

#endif
