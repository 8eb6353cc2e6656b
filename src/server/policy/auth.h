/*
 * Who may ask: API keys of a file, read again when it changes, and a rate limit for each name in it.
 *
 * The file is looked at when a key comes in, at most once a second. Where it cannot be read or has a bad line, the keys
 * stay as they are and the log says why, once a change. A name's bucket and counts outlive a reload.
 * Threads: all calls from any; locks are held for look-ups and copies alone, never over a file or a hash.
 */
#ifndef JC_SERVER_POLICY_AUTH_H
#define JC_SERVER_POLICY_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "server/policy/keys.h"
#include "server/policy/rate_limit.h"

struct jc_auth;

/* rate.titles_per_s 0: no limit. Errors: NOT_FOUND, IO, INVALID (naming path and line), TOO_LARGE, NOMEM. */
JC_MUST_CHECK jc_code jc_auth_create(const char *path, const struct jc_rate *rate, struct jc_auth **ret_auth,
                                     struct jc_err *err);
void jc_auth_destroy(struct jc_auth *auth);
JC_DEFINE_AUTO(jc_auth)

/* Reads the file now, changed or not. Errors: as jc_auth_create; then the old keys stay. */
JC_MUST_CHECK jc_code jc_auth_reload(struct jc_auth *auth, struct jc_err *err);

/* Whose key it is; counts a request of that name. False: no one's. */
bool jc_auth_identify(struct jc_auth *auth, const void *key, size_t n, char ret_name[JC_KEY_NAME]);

/* Takes n titles from the name's bucket. False: too soon, and *ret_wait_s (at least 1) says for how long. */
bool jc_auth_take(struct jc_auth *auth, const char *name, uint64_t n_titles, uint64_t *ret_wait_s);

/* Its metrics: requests, titles and refusals by name, reloads. */
void jc_auth_put_metrics(struct jc_auth *auth, struct jc_buf *out);

#endif
