/*
 * Ownership by the cleanup attribute: a local that owns something frees it when it goes out of scope, and TAKE hands
 * it over at the end of a constructor.
 *
 *     JC_AUTO_FREE char *text = strdup(s);
 *     JC_AUTO(jc_vocab) struct jc_vocab *vocab = NULL;    // after JC_DEFINE_AUTO(jc_vocab) in vocab.h
 *     ...
 *     *ret = TAKE(vocab);
 */
#ifndef JC_BASE_OWN_H
#define JC_BASE_OWN_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The value of pointer `p`, which becomes NULL. */
#define TAKE(p)                     \
    __extension__({                 \
        __typeof__(p) taken_ = (p); \
        (p) = NULL;                 \
        taken_;                     \
    })

#define JC_AUTO_FREE __attribute__((cleanup(jc_auto_free)))
#define JC_AUTO_FD __attribute__((cleanup(jc_auto_fd)))     /* int, -1 = none */
#define JC_AUTO_FILE __attribute__((cleanup(jc_auto_file))) /* FILE *, NULL = none */

/* For an opaque `struct NAME` with a `NAME_destroy(struct NAME *)` that accepts NULL. */
#define JC_AUTO(name) __attribute__((cleanup(name##_auto)))
#define JC_DEFINE_AUTO(name)                            \
    static inline void name##_auto(struct name **owned) \
    {                                                   \
        name##_destroy(*owned);                         \
    }

/* For a visible `struct NAME` with a `NAME_finish(struct NAME *)`. */
#define JC_AUTO_FINISH(name) __attribute__((cleanup(name##_finish)))

static inline void jc_auto_free(void *owned)
{
    free(*(void **)owned);
}

static inline void jc_auto_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void jc_auto_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

#endif
