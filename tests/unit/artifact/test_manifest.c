/* manifest.json: a round trip, stable bytes, and what each wrong member is told. */
#include <unistd.h>

#include "artifact/manifest.h"
#include "base/file.h"
#include "check.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char path[] = "/tmp/jc-test-manifest-XXXXXX";
static struct jc_err err;

/* What jc_manifest_write makes of make_manifest(). */
static const char expected[] = "{\n"
                               "  \"format_version\": 4,\n"
                               "  \"name\": \"onet \\\"30.1\\\"\",\n"
                               "  \"version\": \"v1\",\n"
                               "  \"taxonomy\": \"O*NET-SOC 2019\",\n"
                               "  \"method\": \"average\",\n"
                               "  \"data_version\": \"O*NET 30.1\",\n"
                               "  \"attribution\": \"\",\n"
                               "  \"dim\": 384,\n"
                               "  \"n_categories\": 1016,\n"
                               "  \"encoder\": {\n"
                               "    \"kind\": \"bert\",\n"
                               "    \"name\": \"all-MiniLM-L6-v2\",\n"
                               "    \"source_sha256\": \"" SHA_B "\",\n"
                               "    \"max_tokens\": 128,\n"
                               "    \"part\": \"title\",\n"
                               "    \"chunks\": 4,\n"
                               "    \"prefix\": \"query: \"\n"
                               "  },\n"
                               "  \"files\": {\n"
                               "    \"a.bin\": \"" SHA_B "\",\n"
                               "    \"b.bin\": \"" SHA_A "\"\n"
                               "  },\n"
                               "  \"canaries\": [\n"
                               "    {\"title\": \"Caf\xc3\xa9 Manager\", \"code\": \"11-9051.00\"}\n"
                               "  ],\n"
                               "  \"metrics\": {\n"
                               "    \"top_1\": 0.463,\n"
                               "    \"n\": 7612,\n"
                               "    \"third\": 0.3333333333333333\n"
                               "  }\n"
                               "}\n";

static struct jc_manifest *make_manifest(void)
{
    struct jc_manifest *manifest = jc_manifest_create();
    REQUIRE(manifest);
    manifest->name = strdup("onet \"30.1\"");
    manifest->version = strdup("v1");
    manifest->taxonomy = strdup("O*NET-SOC 2019");
    manifest->method = strdup("average");
    manifest->data_version = strdup("O*NET 30.1");
    manifest->dim = 384;
    manifest->n_categories = 1016;
    manifest->encoder.kind = strdup("bert");
    manifest->encoder.name = strdup("all-MiniLM-L6-v2");
    strcpy(manifest->encoder.source_sha256, SHA_B);
    manifest->encoder.max_tokens = 128;
    manifest->encoder.part = strdup("title");
    manifest->encoder.chunks = 4;
    manifest->encoder.prefix = strdup("query: ");
    REQUIRE_OK(jc_manifest_set_file(manifest, "b.bin", SHA_B, &err));
    REQUIRE_OK(jc_manifest_set_file(manifest, "a.bin", SHA_B, &err));
    REQUIRE_OK(jc_manifest_set_file(manifest, "b.bin", SHA_A, &err)); /* replaces */
    manifest->canaries = calloc(1, sizeof(*manifest->canaries));
    manifest->metrics = calloc(3, sizeof(*manifest->metrics));
    REQUIRE(manifest->canaries && manifest->metrics);
    manifest->canaries[manifest->n_canaries++] =
        (struct jc_manifest_canary){strdup("Caf\xc3\xa9 Manager"), strdup("11-9051.00")};
    manifest->metrics[manifest->n_metrics++] = (struct jc_manifest_metric){strdup("top_1"), 0.463};
    manifest->metrics[manifest->n_metrics++] = (struct jc_manifest_metric){strdup("n"), 7612};
    manifest->metrics[manifest->n_metrics++] = (struct jc_manifest_metric){strdup("third"), 1.0 / 3};
    return manifest;
}

static void check_written(const struct jc_manifest *manifest)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    REQUIRE_OK(jc_manifest_write(manifest, path, &err));
    REQUIRE_OK(jc_file_read(path, 10000, &buf, &err));
    CHECK_STR(buf.data, expected);
}

static void test_round_trip(void)
{
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = make_manifest(), *loaded = NULL;
    check_written(manifest);
    REQUIRE_OK(jc_manifest_load(path, &loaded, &err));
    check_written(loaded);
    CHECK_STR(loaded->name, manifest->name);
    CHECK_STR(loaded->attribution, "");
    CHECK_STR(loaded->encoder.source_sha256, SHA_B);
    CHECK_INT(loaded->encoder.max_tokens, 128);
    CHECK_STR(loaded->encoder.part, "title");
    CHECK_INT(loaded->encoder.chunks, 4);
    CHECK_STR(loaded->encoder.prefix, "query: ");
    CHECK_INT(loaded->n_categories, 1016);
    CHECK_STR(loaded->canaries[0].title, "Caf\xc3\xa9 Manager");
    CHECK(loaded->metrics[2].value == 1.0 / 3);
    CHECK_STR(jc_manifest_find_file(loaded, "b.bin")->sha256, SHA_A);
    CHECK(!jc_manifest_find_file(loaded, "c.bin"));
}

static void test_empty_lists(void)
{
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = jc_manifest_create(), *loaded = NULL;
    REQUIRE(manifest);
    REQUIRE_OK(jc_manifest_write(manifest, path, &err)); /* well-formed, and refused for what is missing */
    CHECK_FAILS(jc_manifest_load(path, &loaded, &err), JC_E_FORMAT, "/name: empty");

    char **texts[] = {&manifest->name,         &manifest->version,      &manifest->taxonomy,
                      &manifest->method,       &manifest->data_version, &manifest->encoder.kind,
                      &manifest->encoder.name, &manifest->encoder.part};
    for (size_t i = 0; i < JC_COUNT(texts); i++)
        REQUIRE((*texts[i] = strdup("x")));
    manifest->dim = manifest->n_categories = manifest->encoder.max_tokens = manifest->encoder.chunks = 1;
    REQUIRE_OK(jc_manifest_write(manifest, path, &err));
    REQUIRE_OK(jc_manifest_load(path, &loaded, &err));
    CHECK_STR(loaded->encoder.source_sha256, "");
    CHECK_STR(loaded->encoder.prefix, "");
    CHECK(loaded->n_files == 0 && loaded->n_canaries == 0 && loaded->n_metrics == 0);
}

/* Replaces the first `from` of the expected text and loads it. */
static void check_refused(const char *from, const char *to, jc_code code, const char *part)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    struct jc_manifest *loaded = NULL;
    const char *at = strstr(expected, from);
    REQUIRE(at);
    jc_buf_put(&buf, expected, (size_t)(at - expected));
    jc_buf_puts(&buf, to);
    jc_buf_puts(&buf, at + strlen(from));
    REQUIRE_OK(jc_file_write(path, buf.data, buf.n, &err));
    CHECK_FAILS(jc_manifest_load(path, &loaded, &err), code, part);
    CHECK_CONTAINS(err.text, path);
    CHECK(!loaded);
}

static void test_wrong_members(void)
{
    check_refused("\"format_version\": 4", "\"format_version\": 5, \"new\": 1", JC_E_UNSUPPORTED,
                  "/format_version: 5, and this program reads 4");
    check_refused("\"format_version\": 4", "\"format_version\": 3", JC_E_UNSUPPORTED,
                  "/format_version: 3, and this program reads 4");
    check_refused("\"format_version\": 4", "\"format_version\": 1.0", JC_E_FORMAT, "/format_version: not an integer");
    check_refused("\"format_version\": 4,", "", JC_E_FORMAT, "/format_version: missing");
    check_refused("\"dim\"", "\"new\": 1, \"dim\"", JC_E_FORMAT, "/new: unknown member");
    check_refused("\"kind\"", "\"a/b~c\": 1, \"kind\"", JC_E_FORMAT, "/encoder/a~1b~0c: unknown member");
    check_refused("\"version\": \"v1\"", "\"version\": 1", JC_E_FORMAT, "/version: not a string");
    check_refused("\"version\": \"v1\"", "\"version\": \"\"", JC_E_FORMAT, "/version: empty");
    check_refused("  \"taxonomy\": \"O*NET-SOC 2019\",\n", "", JC_E_FORMAT, "/taxonomy: missing");
    check_refused("  \"attribution\": \"\",\n", "", JC_E_FORMAT, "/attribution: missing");
    check_refused("384", "0", JC_E_FORMAT, "/dim: not an integer from 1 to 65536");
    check_refused("384", "65537", JC_E_FORMAT, "/dim");
    check_refused("384", "\"384\"", JC_E_FORMAT, "/dim");
    check_refused("384", "384.5", JC_E_FORMAT, "/dim");
    check_refused("1016", "-1", JC_E_FORMAT, "/n_categories: not an integer");
    check_refused("  \"dim\": 384,\n", "", JC_E_FORMAT, "/dim: missing");
    check_refused("\"max_tokens\": 128", "\"max_tokens\": 0", JC_E_FORMAT, "/encoder/max_tokens");
    check_refused("\"chunks\": 4", "\"chunks\": 17", JC_E_FORMAT, "/encoder/chunks: not an integer from 1 to 16");
    check_refused(",\n    \"prefix\": \"query: \"", "", JC_E_FORMAT, "/encoder/prefix: missing");
    check_refused("\"query: \"", "null", JC_E_FORMAT, "/encoder/prefix: not a string");
    check_refused("query: ", "a\\u0000b", JC_E_FORMAT, "\\u0000 is not allowed");
    check_refused("\"source_sha256\": \"0", "\"source_sha256\": \"X", JC_E_FORMAT, "/encoder/source_sha256: neither");
    check_refused("\"source_sha256\": \"0", "\"source_sha256\": \"00", JC_E_FORMAT, "/encoder/source_sha256: neither");
    check_refused("\"encoder\": {", "\"encoder\": 1, \"x\": {", JC_E_FORMAT, "/x: unknown member");
    check_refused("\"top_1\": 0.463", "\"top_1\": \"high\"", JC_E_FORMAT, "/metrics/top_1: not a named number");
    check_refused("\"top_1\"", "\"\"", JC_E_FORMAT, "/metrics/: not a named number");
    check_refused("\"code\": \"11-9051.00\"", "\"code\": 11", JC_E_FORMAT, "/canaries/0/code: not a string");
    check_refused("\"code\": \"11-9051.00\"", "\"kode\": \"1\"", JC_E_FORMAT, "/canaries/0/code: missing");
    check_refused(", \"code\": \"11-9051.00\"", "", JC_E_FORMAT, "/canaries/0: not an object of title and code");
    check_refused("\"canaries\": [", "\"canaries\": [[], ", JC_E_FORMAT, "/canaries/0: not an object");
}

static void test_wrong_files(void)
{
    static const char *const names[] = {"../a",          "/etc/passwd", ".hidden", "",        "a b",
                                        "manifest.json", "a/b",         "..",      "\xc3\xa9"};
    for (size_t i = 0; i < JC_COUNT(names); i++) {
        char to[100];
        snprintf(to, sizeof to, "\"%s\"", names[i]);
        check_refused("\"a.bin\"", to, JC_E_FORMAT, "not the plain name of a file");
    }
    check_refused("\"a.bin\": \"0", "\"a.bin\": \"", JC_E_FORMAT, "/files/a.bin: not 64 lower-case");
    check_refused("\"a.bin\": \"0", "\"a.bin\": \"A", JC_E_FORMAT, "/files/a.bin: not 64 lower-case");
    check_refused("\"a.bin\"", "\"b.bin\"", JC_E_FORMAT, "duplicate");

    JC_AUTO(jc_manifest) struct jc_manifest *manifest = make_manifest();
    CHECK_FAILS(jc_manifest_set_file(manifest, "../x", SHA_A, &err), JC_E_INVALID, "../x");
    CHECK_FAILS(jc_manifest_set_file(manifest, "x", "short", &err), JC_E_INVALID, "short");
    manifest->metrics[0].value = NAN;
    CHECK_FAILS(jc_manifest_write(manifest, path, &err), JC_E_INVALID, "metric 'top_1'");
}

static void test_wrong_json(void)
{
    struct jc_manifest *loaded = NULL;
    check_refused("\"dim\": 384", "\"dim\": 384, \"dim\": 384", JC_E_FORMAT, "duplicate");
    check_refused("384,\n", "384\n", JC_E_FORMAT, ":10:"); /* where the parser stands: the next line */
    check_refused("v1", "v\xff", JC_E_FORMAT, ":4:");
    check_refused("0.463", "1e999", JC_E_FORMAT, ":");
    REQUIRE_OK(jc_file_write(path, "[]", 2, &err));
    CHECK_FAILS(jc_manifest_load(path, &loaded, &err), JC_E_FORMAT, "not a JSON object");
    for (size_t n = 0; n < sizeof expected - 2; n++) { /* without the last line end it is whole */
        REQUIRE_OK(jc_file_write(path, expected, n, &err));
        CHECK_FAILS(jc_manifest_load(path, &loaded, &err), JC_E_FORMAT, path);
    }
    JC_AUTO_FREE char *blanks = malloc(2 << 20);
    REQUIRE(blanks);
    memset(blanks, ' ', 2 << 20);
    REQUIRE_OK(jc_file_write(path, blanks, 2 << 20, &err));
    CHECK_FAILS(jc_manifest_load(path, &loaded, &err), JC_E_FORMAT, "larger than 1048576");
    CHECK_FAILS(jc_manifest_load("/nonexistent", &loaded, &err), JC_E_NOT_FOUND, "/nonexistent");
}

int main(void)
{
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    close(fd);
    test_round_trip();
    test_empty_lists();
    test_wrong_members();
    test_wrong_files();
    test_wrong_json();
    unlink(path);
    return check_finish();
}
