/* Strict text to numbers. See parse.h. */
#include "base/parse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

jc_code jc_parse_bool(const char *text, bool *ret_value, struct jc_err *err)
{
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0)
        return jc_fail(err, JC_E_INVALID, "expected true or false, not '%s'", text);
    *ret_value = yes;
    return JC_OK;
}

/* Reads the digits at the start of `text`. Returns where they end, or NULL where there are none or too many. */
static const char *scan_u64(const char *text, uint64_t *ret_value)
{
    if (*text < '0' || *text > '9')
        return NULL;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno)
        return NULL;
    *ret_value = value;
    return end;
}

jc_code jc_parse_u64(const char *text, uint64_t *ret_value, struct jc_err *err)
{
    uint64_t value;
    const char *end = scan_u64(text, &value);
    if (!end || *end)
        return jc_fail(err, JC_E_INVALID, "expected a whole number, not '%s'", text);
    *ret_value = value;
    return JC_OK;
}

jc_code jc_parse_f64(const char *text, double *ret_value, struct jc_err *err)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    bool starts_like_a_number = strchr("+-.0123456789", *text) && *text;
    if (!starts_like_a_number || end == text || *end || errno || !isfinite(value))
        return jc_fail(err, JC_E_INVALID, "expected a number, not '%s'", text);
    *ret_value = value;
    return JC_OK;
}

static jc_code parse_with_unit(const char *text, const struct unit *units, size_t n_units, const char *expected,
                               uint64_t *ret_value, struct jc_err *err)
{
    uint64_t value;
    const char *end = scan_u64(text, &value);
    for (size_t i = 0; end && i < n_units; i++) {
        if (strcmp(end, units[i].name) != 0)
            continue;
        if (__builtin_mul_overflow(value, units[i].factor, &value))
            return jc_fail(err, JC_E_INVALID, "'%s' is too large", text);
        *ret_value = value;
        return JC_OK;
    }
    if (end && !*end && value == 0) {
        *ret_value = 0;
        return JC_OK;
    }
    return jc_fail(err, JC_E_INVALID, "expected %s, not '%s'", expected, text);
}

jc_code jc_parse_size(const char *text, uint64_t *ret_bytes, struct jc_err *err)
{
    static const struct unit units[] = {
        {"", 1}, {"B", 1}, {"KiB", UINT64_C(1) << 10}, {"MiB", UINT64_C(1) << 20}, {"GiB", UINT64_C(1) << 30}};
    return parse_with_unit(text, units, JC_COUNT(units), "a size such as 64KiB or 8MiB", ret_bytes, err);
}

jc_code jc_parse_duration(const char *text, uint64_t *ret_ms, struct jc_err *err)
{
    static const struct unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    return parse_with_unit(text, units, JC_COUNT(units), "a duration such as 250ms or 5s", ret_ms, err);
}
