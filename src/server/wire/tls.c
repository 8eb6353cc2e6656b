/* The certificate and key. See tls.h. */
#include "server/wire/tls.h"

#include <string.h>

#include "base/file.h"

#define MAX_BYTES ((size_t)1 << 20)

struct jc_tls {
    struct jc_buf certificate, key;
};

/* marker: a part of the BEGIN line that the file must have. */
static jc_code read_pem(const char *key, const char *path, const char *marker, struct jc_buf *text, struct jc_err *err)
{
    jc_code code = jc_file_read(path, MAX_BYTES, text, err);
    if (code)
        return jc_wrap(err, "%s", key);
    if (!text->data || strlen(text->data) != text->n || !strstr(text->data, marker))
        return jc_fail(err, JC_E_INVALID, "%s '%s': expected a PEM file with '%s'", key, path, marker);
    return JC_OK;
}

jc_code jc_tls_load(const char *certificate_path, const char *key_path, struct jc_tls **ret_tls, struct jc_err *err)
{
    JC_AUTO(jc_tls) struct jc_tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    jc_code code = read_pem("tls.certificate", certificate_path, "-----BEGIN CERTIFICATE-----", &tls->certificate, err);
    if (!code)
        code = read_pem("tls.key", key_path, "PRIVATE KEY-----", &tls->key, err);
    if (code)
        return code;
    *ret_tls = TAKE(tls);
    return JC_OK;
}

void jc_tls_destroy(struct jc_tls *tls)
{
    if (!tls)
        return;
    if (tls->key.data)
        explicit_bzero(tls->key.data, tls->key.cap);
    jc_buf_finish(&tls->certificate);
    jc_buf_finish(&tls->key);
    free(tls);
}

const char *jc_tls_certificate(const struct jc_tls *tls)
{
    return tls->certificate.data;
}

const char *jc_tls_key(const struct jc_tls *tls)
{
    return tls->key.data;
}
