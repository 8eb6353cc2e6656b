/* The exception barrier: nothing thrown by libtorch or the C++ library passes an extern "C" entry. */
#ifndef JC_TORCH_BARRIER_H
#define JC_TORCH_BARRIER_H

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

#include "base/err.h"

/* Runs `body`, a callable that returns jc_code; an exception becomes `code` with its first line as the text. */
template <typename Body>
jc_code jc_torch_guard(jc_code code, struct jc_err *err, const char *what, Body &&body) noexcept
{
    try {
        return body();
    } catch (const std::bad_alloc &) {
        return jc_fail(err, JC_E_NOMEM, "%s: out of memory", what);
    } catch (const c10::Error &error) {
        std::string text = error.what_without_backtrace();
        if (text.find("not enough memory") != std::string::npos) /* libtorch has no type for it */
            return jc_fail(err, JC_E_NOMEM, "%s: out of memory", what);
        return jc_fail(err, code, "%s: %s", what, text.substr(0, text.find('\n')).c_str());
    } catch (const std::exception &error) {
        std::string text = error.what();
        return jc_fail(err, code, "%s: %s", what, text.substr(0, text.find('\n')).c_str());
    } catch (...) {
        return jc_fail(err, code, "%s: unknown exception", what);
    }
}

#endif
