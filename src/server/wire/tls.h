/* TLS: the certificate and key that the listener is started with. The documented default is a proxy in front. */
#ifndef JC_SERVER_WIRE_TLS_H
#define JC_SERVER_WIRE_TLS_H

#include "base/err.h"
#include "base/own.h"

/* For GnuTLS: what is current of its defaults, and nothing older than TLS 1.2. */
#define JC_TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct jc_tls;

/* Reads two PEM files: a chain, the server's certificate first, and its key, without a password. That they belong
 * together is checked where the listener starts. Errors: NOT_FOUND, IO, TOO_LARGE, INVALID (no PEM of that kind),
 * naming the file. */
JC_MUST_CHECK jc_code jc_tls_load(const char *certificate_path, const char *key_path, struct jc_tls **ret_tls,
                                  struct jc_err *err);
void jc_tls_destroy(struct jc_tls *tls);
JC_DEFINE_AUTO(jc_tls)

/* PEM text; lives as long as *tls. */
const char *jc_tls_certificate(const struct jc_tls *tls);
const char *jc_tls_key(const struct jc_tls *tls);

#endif
