/* Tokenising all texts once. See tokens.h. */
#include "trainer/data/tokens.h"

#include <stdlib.h>

static jc_code fill(const struct jc_tokenizer *tokenizer, const struct jc_texts *texts, size_t max_chunks,
                    struct jc_tokens *tokens, struct jc_err *err)
{
    const size_t max_tokens = max_chunks * jc_tokenizer_max_tokens(tokenizer), n_texts = jc_texts_count(texts);
    size_t n_ids = 0, cap = 0;
    for (size_t i = 0; i < n_texts; i++) {
        if (cap - n_ids < max_tokens) {
            cap = 2 * cap + 16 * max_tokens;
            int32_t *ids = reallocarray(tokens->ids, cap, sizeof(*ids));
            if (!ids)
                return jc_fail(err, JC_E_NOMEM, "no memory for %zu tokens", cap);
            tokens->ids = ids;
        }
        size_t n_bytes, n;
        const char *text = jc_texts_get(texts, (uint32_t)i, &n_bytes);
        jc_code code = jc_tokenizer_encode(tokenizer, text, n_bytes, max_chunks, tokens->ids + n_ids, &n, err);
        if (code)
            return jc_wrap(err, "'%.60s'", text);
        n_ids += n;
        tokens->offsets[i + 1] = n_ids;
    }
    return JC_OK;
}

jc_code jc_tokens_make(const struct jc_tokenizer *tokenizer, const struct jc_texts *texts, size_t max_chunks,
                       struct jc_tokens *ret_tokens, struct jc_err *err)
{
    JC_AUTO_FINISH(jc_tokens)
    struct jc_tokens tokens = {.offsets = calloc(jc_texts_count(texts) + 1, sizeof(*tokens.offsets))};
    if (!tokens.offsets)
        return jc_fail(err, JC_E_NOMEM, "no memory for the tokens of %zu texts", jc_texts_count(texts));
    jc_code code = fill(tokenizer, texts, max_chunks, &tokens, err);
    if (code)
        return code;
    *ret_tokens = tokens;
    tokens = (struct jc_tokens){0};
    return JC_OK;
}

void jc_tokens_finish(struct jc_tokens *tokens)
{
    free(tokens->ids);
    free(tokens->offsets);
    *tokens = (struct jc_tokens){0};
}
