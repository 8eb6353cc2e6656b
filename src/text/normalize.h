/*
 * The BERT normaliser and pre-tokeniser in one pass: text to words. Control characters go, white space and every
 * punctuation mark and CJK ideograph separates (the latter two are words of one character), accents are stripped
 * (canonical decomposition without non-spacing marks), the rest is lower case.
 *
 * It gives what BertNormalizer and BertPreTokenizer of Hugging Face `tokenizers` 0.23 give for EVERY code point: their
 * categories are those of Unicode 8, their decomposition Unicode 9, their lower case Unicode 17. unicode_delta.c lists
 * what sets these apart from utf8proc 2.8 (Unicode 15). A later utf8proc differs at most in characters that it newly
 * knows. Threads: any.
 */
#ifndef JC_TEXT_NORMALIZE_H
#define JC_TEXT_NORMALIZE_H

#include <stdbool.h>
#include <stddef.h>

/* WordPiece gives up on words of more characters than these. */
#define JC_WORD_MAX_CHARS 100

/* Receives one word: UTF-8 of 1 to JC_WORD_MAX_CHARS characters, or NULL and 0 for a longer one. Returns false to
 * stop. */
typedef bool jc_word_sink(void *context, const char *word, size_t n);

/* `text` is valid UTF-8 of `n` bytes. Allocates nothing, takes time linear in n. */
void jc_normalize(const char *text, size_t n, jc_word_sink *sink, void *context);

#endif
