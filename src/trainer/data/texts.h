/* A pool of distinct texts: each is stored once and has a number, counted from 0 as they come. Threads: one writer. */
#ifndef JC_TRAINER_TEXTS_H
#define JC_TRAINER_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"

struct jc_texts;

/* NULL when out of memory. */
struct jc_texts *jc_texts_create(void);
void jc_texts_destroy(struct jc_texts *texts);
JC_DEFINE_AUTO(jc_texts)

/* The number of a text, new or known. Errors: NOMEM, TOO_LARGE (2^31 texts). */
JC_MUST_CHECK jc_code jc_texts_add(struct jc_texts *texts, const char *text, size_t n, uint32_t *ret_id,
                                   struct jc_err *err);

/* False where there is no such text. */
bool jc_texts_find(const struct jc_texts *texts, const char *text, size_t n, uint32_t *ret_id);

size_t jc_texts_count(const struct jc_texts *texts);

/* NUL-terminated; valid until the next jc_texts_add. */
const char *jc_texts_get(const struct jc_texts *texts, uint32_t id, size_t *ret_n);

#endif
