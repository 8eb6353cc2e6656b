/* SHA-256 against the examples of FIPS 180-4. */
#include "base/sha256.h"

#include "base/file.h"
#include "check.h"

int main(void)
{
    struct jc_err err;
    char hex[JC_SHA256_HEX];
    jc_sha256_hex("", 0, hex);
    CHECK_STR(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    jc_sha256_hex("abc", 3, hex);
    CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    JC_AUTO_BUF struct jc_buf million = {0};
    for (int i = 0; i < 1000000; i++)
        jc_buf_putc(&million, 'a');
    char path[] = "/tmp/jc-sha256-XXXXXX";
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    REQUIRE_OK(jc_file_write(path, million.data, million.n, &err));
    REQUIRE_OK(jc_sha256_file(path, hex, &err));
    CHECK_STR(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    unlink(path);
    close(fd);
    CHECK_FAILS(jc_sha256_file(path, hex, &err), JC_E_NOT_FOUND, path);
    return check_finish();
}
