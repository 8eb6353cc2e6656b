/* Compiler attributes the whole tree uses. */
#ifndef JC_BASE_ATTR_H
#define JC_BASE_ATTR_H

#define JC_MUST_CHECK __attribute__((warn_unused_result))
#define JC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define JC_NORETURN __attribute__((noreturn))

#define JC_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Headers that C++ includes (the torch shim) wrap their declarations in these. */
#ifdef __cplusplus
#define JC_C_BEGIN extern "C" {
#define JC_C_END }
#else
#define JC_C_BEGIN
#define JC_C_END
#endif

#endif
