/* Checking an encoder's shape. See bert.h. */
#include "base/bert.h"

#include "base/attr.h"

#define MOST ((size_t)1 << 24)        /* of any size: products of two fit 64 bits */
#define MOST_INPUTS ((size_t)1 << 16) /* of a layer: the sum of so many products of 8 bits fits 32 */

jc_code jc_bert_check(const struct jc_bert *bert, struct jc_err *err)
{
    const size_t sizes[] = {bert->hidden, bert->layers,    bert->heads, bert->intermediate,
                            bert->vocab,  bert->positions, bert->types};
    for (size_t i = 0; i < JC_COUNT(sizes); i++) {
        if (sizes[i] == 0)
            return jc_fail(err, JC_E_FORMAT, "the encoder's configuration has a size of 0");
        if (sizes[i] > MOST)
            return jc_fail(err, JC_E_FORMAT, "the encoder's configuration has a size over %zu", MOST);
    }
    if (bert->hidden > MOST_INPUTS || bert->intermediate > MOST_INPUTS)
        return jc_fail(err, JC_E_FORMAT, "the encoder's layers have over %zu inputs", MOST_INPUTS);
    if (!((float)bert->layer_norm_eps > 0 && bert->layer_norm_eps < 1))
        return jc_fail(err, JC_E_FORMAT, "a layer_norm_eps of %g is not between 0 and 1", bert->layer_norm_eps);
    if (bert->hidden % bert->heads)
        return jc_fail(err, JC_E_FORMAT, "hidden size %zu is not a multiple of %zu heads", bert->hidden, bert->heads);
    if (bert->max_tokens < 2 || bert->max_tokens > bert->positions)
        return jc_fail(err, JC_E_FORMAT, "a context of %zu tokens does not fit %zu positions", bert->max_tokens,
                       bert->positions);
    return JC_OK;
}

size_t jc_bert_calibration_size(const struct jc_bert *bert)
{
    return 2 * bert->layers * (3 * bert->hidden + bert->intermediate);
}

jc_code jc_bert_check_texts(const struct jc_bert *bert, const int32_t *ids, const uint32_t *n_tokens, size_t n_texts,
                            struct jc_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < n_texts; i++) {
        if (n_tokens[i] < 1 || n_tokens[i] > bert->max_tokens)
            return jc_fail(err, JC_E_INVALID, "text %zu has %u tokens, not 1 to %zu", i, (unsigned)n_tokens[i],
                           bert->max_tokens);
        n += n_tokens[i];
    }
    for (size_t i = 0; i < n; i++)
        if (ids[i] < 0 || (size_t)ids[i] >= bert->vocab)
            return jc_fail(err, JC_E_INVALID, "token id %d is outside of the vocabulary of %zu", (int)ids[i],
                           bert->vocab);
    return JC_OK;
}
