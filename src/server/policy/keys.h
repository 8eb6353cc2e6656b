/*
 * API keys as a file holds them, one a line:
 *
 *     # a comment
 *     billing:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
 *
 * A name of [A-Za-z0-9._-], a colon, the SHA-256 of the key in hexadecimal (jobcode-server --hash-key writes the line).
 * A name may have several lines, and then any of its keys counts: a new key is added before the old one goes.
 * Threads: a parsed table is immutable.
 */
#ifndef JC_SERVER_POLICY_KEYS_H
#define JC_SERVER_POLICY_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/sha256.h"

#define JC_KEY_NAME 33       /* bytes of a name with its NUL */
#define JC_KEYS_MAX 1000     /* lines */
#define JC_KEY_NAMES_MAX 256 /* names: each is a label in the metrics */
#define JC_KEY_BYTES_MIN 16  /* of a key: a shorter one is guessed from its hash */

struct jc_key {
    unsigned char digest[JC_SHA256_BYTES];
    size_t name; /* index into names */
};

struct jc_keys {
    struct jc_key *keys; /* [n_keys] */
    size_t n_keys;
    char (*names)[JC_KEY_NAME]; /* [n_names], distinct */
    size_t n_names;
};

/* 1 to 32 characters of [A-Za-z0-9._-]. */
bool jc_key_name_is_valid(const char *name);

/* Reads a file's text into *ret_keys; finish it with jc_keys_finish. An error's text begins with the line's number and
 * holds nothing of the line, which may be a key by mistake. Errors: INVALID, TOO_LARGE, NOMEM. */
JC_MUST_CHECK jc_code jc_keys_parse(const char *text, size_t n, struct jc_keys *ret_keys, struct jc_err *err);
void jc_keys_finish(struct jc_keys *keys);

/* The name (its index) of the key with that digest, or n_names. Takes the same time whichever matches, and whether one
 * does. */
size_t jc_keys_find(const struct jc_keys *keys, const unsigned char digest[JC_SHA256_BYTES]);

#endif
