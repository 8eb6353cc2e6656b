/*
 * What every request meets before its endpoint and behind it, in one place: names, keys, rates, headers, compression.
 * http.c, classify.c and reply.c call these; the rules are in auth, cors, trace_context, ... Threads: the request's
 * event thread.
 */
#ifndef JC_SERVER_POLICY_POLICY_H
#define JC_SERVER_POLICY_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "server/config.h"

struct jc_request;
struct jc_server;

/* What the configuration names besides the model: the keys file, the certificate. Errors: as jc_auth_create and
 * jc_tls_load. */
JC_MUST_CHECK jc_code jc_policy_start(struct jc_server *server, struct jc_err *err);
void jc_policy_stop(struct jc_server *server);

/* The same, read and let go, and whether a listener could start with it: for --check. Errors: likewise, and as
 * jc_listener_check_tls. */
JC_MUST_CHECK jc_code jc_policy_check_files(const struct jc_server_config *config, struct jc_err *err);

/* A request has come: its id and trace. */
void jc_policy_name(struct jc_request *request);

/* Its route is known: does that want a key, and is this one? Errors: INVALID, with the problem (401) filled. */
JC_MUST_CHECK jc_code jc_policy_authenticate(struct jc_request *request);

/* It is about to be worked on: are so many titles within the key's rate? Errors: INVALID, with the problem (429)
 * filled. */
JC_MUST_CHECK jc_code jc_policy_admit(struct jc_request *request, size_t n_titles);

/* The reply stands: compresses its body where the client takes that and it is worth it. */
void jc_policy_compress(struct jc_request *request);

/* The reply stands, compressed or not: where the client has those very bytes already, it becomes a 304. */
void jc_policy_revalidate(struct jc_request *request);

/* Each header of the reply but those of its connection. duration_ns: since the request came. */
typedef void jc_policy_put(void *context, const char *name, const char *value);
void jc_policy_put_headers(const struct jc_request *request, uint64_t duration_ns, jc_policy_put *put, void *context);

#endif
