/* jobcode-server --hash-key NAME: the line of a keys file for a key that comes on standard input. */
#ifndef JC_SERVER_POLICY_HASH_KEY_H
#define JC_SERVER_POLICY_HASH_KEY_H

#include <stdio.h>

#include "base/err.h"

/* Reads a key (the first line of `in`, its line feed aside) and writes "name:sha256". Errors: INVALID (the name, or a
 * key that is short or holds what a header cannot), IO. */
JC_MUST_CHECK jc_code jc_hash_key(const char *name, FILE *in, FILE *out, struct jc_err *err);

#endif
