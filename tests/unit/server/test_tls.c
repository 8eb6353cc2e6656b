/* TLS files: read whole, and refused by name where they are no PEM of their kind. */
#include "server/wire/tls.h"

#include "base/file.h"
#include "base/own.h"
#include "check.h"

#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define KEY "-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n"

static char folder[] = "/tmp/test_tls-XXXXXX";

static const char *write_file(const char *name, const char *text, size_t n)
{
    static char paths[4][64];
    static size_t next;
    char *path = paths[next++ % JC_COUNT(paths)];
    struct jc_err err;
    REQUIRE_OK(jc_path_join(path, sizeof paths[0], folder, name, &err));
    REQUIRE_OK(jc_file_write(path, text, n, &err));
    return path;
}

int main(void)
{
    struct jc_err err;
    REQUIRE(mkdtemp(folder));
    const char *certificate = write_file("cert.pem", CERTIFICATE, strlen(CERTIFICATE));
    const char *key = write_file("key.pem", KEY, strlen(KEY));
    JC_AUTO(jc_tls) struct jc_tls *tls = NULL;
    REQUIRE_OK(jc_tls_load(certificate, key, &tls, &err));
    CHECK_STR(jc_tls_certificate(tls), CERTIFICATE);
    CHECK_STR(jc_tls_key(tls), KEY);

    struct jc_tls *none = NULL;
    CHECK_FAILS(jc_tls_load("/nothing/cert.pem", key, &none, &err), JC_E_NOT_FOUND, "tls.certificate: open '/nothing");
    CHECK_FAILS(jc_tls_load(certificate, "/nothing/key.pem", &none, &err), JC_E_NOT_FOUND, "tls.key: open '/nothing");
    CHECK_FAILS(jc_tls_load(certificate, certificate, &none, &err), JC_E_INVALID, "tls.key '");
    CHECK_FAILS(jc_tls_load(key, key, &none, &err), JC_E_INVALID, "tls.certificate '");
    CHECK_FAILS(jc_tls_load(folder, key, &none, &err), JC_E_IO, folder);
    const char *empty = write_file("empty.pem", "", 0);
    CHECK_FAILS(jc_tls_load(empty, key, &none, &err), JC_E_INVALID, "empty.pem");
    const char *binary = write_file("binary.pem", "\0" CERTIFICATE, sizeof CERTIFICATE);
    CHECK_FAILS(jc_tls_load(binary, key, &none, &err), JC_E_INVALID, "binary.pem");
    CHECK(!none);
    jc_dir_remove(folder);
    return check_finish();
}
