/*
 * The test harness: a program of checks that exits 0 (all held), 1 (some failed) or 77 (skipped: something it needs is
 * not there, and it says what). A failed check prints where and goes on; REQUIRE ends the test.
 */
#ifndef JC_TESTS_CHECK_H
#define JC_TESTS_CHECK_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Checks may stand in threads. */
static _Atomic int check_failures;
static _Atomic long check_count;

static inline int check_report(int held, const char *file, int line, const char *fmt, ...) JC_PRINTF(4, 5);
static inline int check_report(int held, const char *file, int line, const char *fmt, ...)
{
    check_count++;
    if (held)
        return 1;
    check_failures++;
    fprintf(stderr, "%s:%d: ", file, line);
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return 0;
}

#define CHECK(x) check_report(!!(x), __FILE__, __LINE__, "failed: %s", #x)
#define REQUIRE(x)     \
    do {               \
        if (!CHECK(x)) \
            exit(1);   \
    } while (0)

#define CHECK_INT(got, want)                                                                        \
    do {                                                                                            \
        long long got_ = (long long)(got), want_ = (long long)(want);                               \
        check_report(got_ == want_, __FILE__, __LINE__, "%s is %lld, not %lld", #got, got_, want_); \
    } while (0)

#define CHECK_STR(got, want)                                                                                \
    do {                                                                                                    \
        const char *got_ = (got), *want_ = (want);                                                          \
        check_report(got_ &&strcmp(got_, want_) == 0, __FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #got, \
                     got_ ? got_ : "(null)", want_);                                                        \
    } while (0)

#define CHECK_CONTAINS(got, want)                                                                          \
    do {                                                                                                   \
        const char *got_ = (got), *want_ = (want);                                                         \
        check_report(got_ &&strstr(got_, want_), __FILE__, __LINE__, "%s is \"%s\", without \"%s\"", #got, \
                     got_ ? got_ : "(null)", want_);                                                       \
    } while (0)

#define CHECK_NEAR(got, want, eps)                                                                                  \
    do {                                                                                                            \
        double got_ = (got), want_ = (want);                                                                        \
        check_report(fabs(got_ - want_) <= (eps), __FILE__, __LINE__, "%s is %.9g, not %.9g within %g", #got, got_, \
                     want_, (double)(eps));                                                                         \
    } while (0)

/* A call that must succeed; its error is printed where it does not, and the test ends. `err` is in scope. */
#define REQUIRE_OK(call)                                                                   \
    do {                                                                                   \
        if (!check_report((call) == JC_OK, __FILE__, __LINE__, "%s: %s", #call, err.text)) \
            exit(1);                                                                       \
    } while (0)

/* A call that must fail with `want` and a text that contains `part`. `err` is in scope. */
#define CHECK_FAILS(call, want, part)                                                                               \
    do {                                                                                                            \
        jc_code code_ = (call);                                                                                     \
        if (check_report(code_ == (want), __FILE__, __LINE__, "%s: code %s, not %s", #call, jc_code_name(code_),    \
                         jc_code_name(want)) &&                                                                     \
            code_ != JC_OK)                                                                                         \
            check_report(strstr(err.text, (part)) != NULL, __FILE__, __LINE__, "%s: \"%s\", without \"%s\"", #call, \
                         err.text, (part));                                                                         \
    } while (0)

static inline void check_skip(const char *why)
{
    fprintf(stderr, "skipped: %s\n", why);
    exit(77);
}

static inline int check_finish(void)
{
    fprintf(stderr, "%ld checks, %d failed\n", check_count, check_failures);
    return check_failures ? 1 : 0;
}

#endif
