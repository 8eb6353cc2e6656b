/*
 * Allocations that fail when a test wants them to: the project's own, in every thread. The test is linked with
 * -Wl,--wrap for each function below (tests/unit/meson.build); libraries' own allocations are not reached, but jansson's
 * parses are (artifact/json.h). Include it in one file of a program.
 */
#ifndef JC_TESTS_ALLOC_FAULT_H
#define JC_TESTS_ALLOC_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static atomic_long alloc_fault_left = -1; /* allocations until the first that fails; under 0: none does */
static atomic_bool alloc_fault_stays;     /* those behind it fail too */
static atomic_bool alloc_fault_hit;

/* The n-th allocation from now fails, from 1 on; `stays`: every later one too. */
static inline void alloc_fault_arm(long n, bool stays)
{
    atomic_store(&alloc_fault_stays, stays);
    atomic_store(&alloc_fault_hit, false);
    atomic_store(&alloc_fault_left, n);
}

/* Returns whether one failed. */
static inline bool alloc_fault_disarm(void)
{
    atomic_store(&alloc_fault_left, -1);
    return atomic_load(&alloc_fault_hit);
}

static inline bool alloc_fault_fails(void)
{
    long left = atomic_load(&alloc_fault_left);
    while (left >= 0) {
        bool fails = left <= 1;
        long next = !fails ? left - 1 : atomic_load(&alloc_fault_stays) ? 1 : -1;
        if (!atomic_compare_exchange_weak(&alloc_fault_left, &left, next))
            continue;
        if (fails)
            atomic_store(&alloc_fault_hit, true);
        return fails;
    }
    return false;
}

/* The names are the linker's. */
#define ALLOC_FAULT_WRAP(name, parameters, arguments)                \
    void *__real_##name parameters;                                  \
    void *__wrap_##name parameters;                                  \
    void *__wrap_##name parameters                                   \
    {                                                                \
        return alloc_fault_fails() ? NULL : __real_##name arguments; \
    }

ALLOC_FAULT_WRAP(malloc, (size_t n), (n))
ALLOC_FAULT_WRAP(calloc, (size_t n, size_t size), (n, size))
ALLOC_FAULT_WRAP(realloc, (void *old, size_t n), (old, n))
ALLOC_FAULT_WRAP(reallocarray, (void *old, size_t n, size_t size), (old, n, size))
ALLOC_FAULT_WRAP(aligned_alloc, (size_t alignment, size_t n), (alignment, n))
ALLOC_FAULT_WRAP(strdup, (const char *text), (text))
ALLOC_FAULT_WRAP(strndup, (const char *text, size_t n), (text, n))

#endif
