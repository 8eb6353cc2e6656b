/* Error texts. See err.h. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const code_names[] = {
    [JC_OK] = "ok",
    [JC_E_INVALID] = "invalid",
    [JC_E_TOO_LARGE] = "too_large",
    [JC_E_UNSUPPORTED] = "unsupported",
    [JC_E_NOT_FOUND] = "not_found",
    [JC_E_OVERLOADED] = "overloaded",
    [JC_E_DEADLINE] = "deadline",
    [JC_E_CANCELLED] = "cancelled",
    [JC_E_IO] = "io",
    [JC_E_FORMAT] = "format",
    [JC_E_MODEL] = "model",
    [JC_E_DEVICE] = "device",
    [JC_E_NOMEM] = "out_of_memory",
    [JC_E_INTERNAL] = "internal",
};

const char *jc_code_name(jc_code code)
{
    return (size_t)code < JC_COUNT(code_names) ? code_names[code] : "unknown";
}

static void JC_PRINTF(5, 0)
    fill(struct jc_err *err, jc_code code, const char *file, int line, const char *fmt, va_list args)
{
    err->code = code;
    err->file = file;
    err->line = line;
    vsnprintf(err->text, sizeof err->text, fmt, args);
}

jc_code jc_fail_at(struct jc_err *err, jc_code code, const char *file, int line, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fill(err, code, file, line, fmt, args);
    va_end(args);
    return code;
}

jc_code jc_fail_errno_at(struct jc_err *err, jc_code code, const char *file, int line, const char *fmt, ...)
{
    int saved = errno;
    va_list args;
    va_start(args, fmt);
    fill(err, code, file, line, fmt, args);
    va_end(args);

    char reason[128];
    const char *text = strerror_r(saved, reason, sizeof reason);
    size_t n = strlen(err->text);
    snprintf(err->text + n, sizeof err->text - n, ": %s", text);
    return code;
}

jc_code jc_wrap(struct jc_err *err, const char *fmt, ...)
{
    char inner[sizeof err->text];
    memcpy(inner, err->text, sizeof inner);

    va_list args;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);

    size_t n = strlen(err->text);
    snprintf(err->text + n, sizeof err->text - n, ": %s", inner);
    return err->code;
}
