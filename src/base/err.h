/*
 * Errors: a code that says what the CALLER does about it, and a text for a person.
 *
 * A function that can fail returns jc_code (0 is OK), writes its `ret_...` results on success only, and on failure
 * fills the caller's struct jc_err, which is never NULL. Codes are passed up unchanged; jc_wrap adds context in front
 * of the text. Libraries return errors and print nothing; a program logs each error once.
 * Threads: a struct jc_err belongs to one thread.
 */
#ifndef JC_BASE_ERR_H
#define JC_BASE_ERR_H

#include "base/attr.h"

JC_C_BEGIN

typedef enum {
    JC_OK = 0,
    /* The client sent something that will never work. */
    JC_E_INVALID,     /* malformed or out of range */
    JC_E_TOO_LARGE,   /* over a cap of the configuration */
    JC_E_UNSUPPORTED, /* understood, and not offered */
    JC_E_NOT_FOUND,   /* no such thing */
    /* The client may try again. */
    JC_E_OVERLOADED, /* the queue is full */
    JC_E_DEADLINE,   /* out of time */
    JC_E_CANCELLED,  /* shutting down, or the peer left */
    /* Ours: an operator looks. */
    JC_E_IO,       /* the system refused a file or socket */
    JC_E_FORMAT,   /* a file of ours does not parse or verify */
    JC_E_MODEL,    /* a model's numbers or answers are wrong */
    JC_E_DEVICE,   /* an accelerator failed */
    JC_E_NOMEM,    /* out of memory */
    JC_E_INTERNAL, /* a bug */
} jc_code;

struct jc_err {
    jc_code code;
    int line;         /* where jc_fail stood */
    const char *file; /* static storage */
    char text[512];   /* one line, UTF-8, truncated if longer */
};

/* "invalid", "too_large", ...: stable, for logs and metrics. Static storage. */
const char *jc_code_name(jc_code code);

/* Fills *err and returns `code`, so that a failure is one line: return jc_fail(err, JC_E_IO, "open '%s'", path); */
#define jc_fail(err, code, ...) jc_fail_at((err), (code), __FILE__, __LINE__, __VA_ARGS__)

/* The same, with ": <strerror(errno)>" behind the text. */
#define jc_fail_errno(err, code, ...) jc_fail_errno_at((err), (code), __FILE__, __LINE__, __VA_ARGS__)

/* Puts "<context>: " in front of the text of a failure under way and returns its code. */
jc_code jc_wrap(struct jc_err *err, const char *fmt, ...) JC_PRINTF(2, 3);

jc_code jc_fail_at(struct jc_err *err, jc_code code, const char *file, int line, const char *fmt, ...) JC_PRINTF(5, 6);
jc_code jc_fail_errno_at(struct jc_err *err, jc_code code, const char *file, int line, const char *fmt, ...)
    JC_PRINTF(5, 6);

JC_C_END

#endif
