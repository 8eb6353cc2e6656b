/* A WordPiece vocabulary: vocab.txt, one token a line, the line number is the id. Immutable after loading. Threads:
 * any. */
#ifndef JC_TEXT_VOCAB_H
#define JC_TEXT_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"

struct jc_vocab;

/* Errors: NOT_FOUND, IO, FORMAT (a token twice, an empty line, invalid UTF-8; names the line), TOO_LARGE, NOMEM. */
JC_MUST_CHECK jc_code jc_vocab_load(const char *path, struct jc_vocab **ret_vocab, struct jc_err *err);
void jc_vocab_destroy(struct jc_vocab *vocab);
JC_DEFINE_AUTO(jc_vocab)

size_t jc_vocab_size(const struct jc_vocab *vocab);

/* The id of a token given as bytes, or -1. Word-internal pieces are stored, and looked up, with their "##". */
int32_t jc_vocab_find(const struct jc_vocab *vocab, const char *token, size_t n);

/* The longest token that text[0..n) begins with, at most JC_VOCAB_MAX_PIECE bytes of it: its id and, in *ret_n, its
 * bytes of the text (at least 1); -1 where none does. `inside`: among the tokens stored with "##", without which they
 * are compared. Costs at most one look-up a byte of the longest token. */
#define JC_VOCAB_MAX_PIECE 400
int32_t jc_vocab_longest(const struct jc_vocab *vocab, bool inside, const char *text, size_t n, size_t *ret_n);

#endif
