/* A published BERT checkpoint's folder, as Hugging Face and sentence-transformers lay it out: what its JSON files say
 * about the encoder. */
#ifndef JC_TRAINER_CHECKPOINT_H
#define JC_TRAINER_CHECKPOINT_H

#include "base/err.h"
#include <stdbool.h>

#include "base/bert.h"

/*
 * Reads config.json, 1_Pooling/config.json, sentence_bert_config.json, modules.json and tokenizer_config.json (all but
 * the first may be absent), checks vocab.txt against them, and hashes model.safetensors.
 * pooling: "mean", "cls", or NULL = what 1_Pooling says, else mean; one that contradicts 1_Pooling is refused.
 * *ret_guessed: the pooling is neither stated nor given.
 * Errors: NOT_FOUND, FORMAT, UNSUPPORTED (another architecture, activation, pooling or module), NOMEM.
 */
JC_MUST_CHECK jc_code jc_checkpoint_read(const char *folder, const char *pooling, struct jc_bert *ret_bert,
                                         bool *ret_guessed, struct jc_err *err);

#endif
