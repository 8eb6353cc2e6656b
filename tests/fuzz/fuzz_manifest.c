/*
 * libFuzzer: bytes as a manifest.json. Checked besides the sanitizers: an error has a text, and what is accepted is
 * written, read and written again as the same bytes.
 */
#include <stdint.h>
#include <string.h>

#include "artifact/manifest.h"
#include "base/file.h"
#include "fuzz.h"

/* Writes the manifest and gives back the bytes. */
static void write_manifest(const struct jc_manifest *manifest, struct jc_buf *buf)
{
    struct jc_err err;
    ENSURE(jc_manifest_write(manifest, fuzz_output(), &err) == JC_OK);
    ENSURE(jc_file_read(fuzz_output(), SIZE_MAX / 2, buf, &err) == JC_OK);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t n)
{
    struct jc_err err = {0};
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = NULL, *again = NULL;
    if (jc_manifest_load(fuzz_file(data, n), &manifest, &err)) {
        ENSURE((err.code == JC_E_FORMAT || err.code == JC_E_UNSUPPORTED) && *err.text && !manifest);
        return 0;
    }
    JC_AUTO_BUF struct jc_buf first = {0}, second = {0};
    write_manifest(manifest, &first);
    ENSURE(jc_manifest_load(fuzz_output(), &again, &err) == JC_OK);
    write_manifest(again, &second);
    ENSURE(first.n == second.n && memcmp(first.data, second.data, first.n) == 0);
    return 0;
}
