/* Bundles with exemplars: both files written and listed, versions and formats, and each file missing or damaged. */
#include "bundle_files.h"

enum { DIM = 2, N = 3, N_TEXTS = 2 };

static struct jc_head head; /* with exemplars */
static const struct jc_category categories[N] = {{"a", "A"}, {"b", "B"}, {"c", "C"}};

static void make_head(void)
{
    static const char texts[] = "first\0second";
    struct jc_exemplars *exemplars = &head.exemplars;
    REQUIRE_OK(jc_head_init(&head, N, DIM, 0, 0, &err));
    REQUIRE_OK(jc_exemplars_init(exemplars, N_TEXTS, DIM, 3, sizeof texts, &err));
    memcpy(exemplars->vectors, (float[]){0.6F, 0.8F, -1, 0}, N_TEXTS * DIM * sizeof(float));
    memcpy(exemplars->code_begins, (size_t[]){0, 2, 3}, 3 * sizeof(size_t));
    memcpy(exemplars->codes, (uint32_t[]){0, 2, 1}, 3 * sizeof(uint32_t));
    memcpy(exemplars->code_weights, (float[]){1, 1, 1}, 3 * sizeof(float));
    memcpy(exemplars->text_data, texts, sizeof texts);
    memcpy(exemplars->text_begins, (size_t[]){0, 6, 13}, 3 * sizeof(size_t));
}

static void write_bundle_of(const struct jc_head *written, bool portable)
{
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = bundle_manifest_create("exemplar", "fake");
    struct jc_bundle_content content = {
        .manifest = manifest, .categories = categories, .head = written, .vocab_path = portable ? NULL : vocab};
    REQUIRE_OK(jc_bundle_write(folder, &content, &err));
}

/* The version as models/README.md says, of the files that are listed. */
static void check_version(const struct jc_manifest *manifest)
{
    static const char *const names[] = {JC_BUNDLE_CATEGORIES, JC_BUNDLE_TITLES, JC_BUNDLE_EXEMPLARS,
                                        JC_BUNDLE_EXEMPLAR_TEXTS, JC_BUNDLE_VOCAB};
    char hashes[(JC_COUNT(names) + 1) * JC_SHA256_HEX] = "", sha256[JC_SHA256_HEX], version[100];
    for (size_t i = 0; i < JC_COUNT(names); i++)
        if (jc_manifest_find_file(manifest, names[i]))
            strcat(hashes, jc_manifest_find_file(manifest, names[i])->sha256);
    strcat(hashes, " title 1 16 ");
    jc_sha256_hex(hashes, strlen(hashes), sha256);
    snprintf(version, sizeof version, "test-exemplar-%.12s", sha256);
    CHECK_STR(manifest->version, version);
}

static void check_round_trip(bool portable)
{
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    write_bundle_of(&head, portable);
    REQUIRE_OK(jc_bundle_load(folder, portable ? JC_BUNDLE_PORTABLE : JC_BUNDLE_COMPLETE, &bundle, &err));
    check_version(jc_bundle_manifest(bundle));
    const struct jc_exemplars *exemplars = &jc_bundle_head(bundle)->exemplars;
    CHECK_INT(exemplars->n, N_TEXTS);
    CHECK(memcmp(exemplars->vectors, head.exemplars.vectors, N_TEXTS * DIM * sizeof(float)) == 0);
    CHECK_STR(jc_exemplars_text(exemplars, 0), "first");
    CHECK_STR(jc_exemplars_text(exemplars, 1), "second");
}

/* Without exemplars nothing is different from a bundle that knows of none. */
static void test_none(void)
{
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    struct jc_head plain = head;
    plain.exemplars = (struct jc_exemplars){0};
    write_bundle_of(&plain, false);
    CHECK(!jc_file_exists(path_of(JC_BUNDLE_EXEMPLARS)) && !jc_file_exists(path_of(JC_BUNDLE_EXEMPLAR_TEXTS)));
    REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_COMPLETE, &bundle, &err));
    CHECK_INT(jc_bundle_manifest(bundle)->n_files, 3);
    CHECK_INT(jc_bundle_head(bundle)->exemplars.n, 0);
    check_version(jc_bundle_manifest(bundle));
}

/* Another vote, or another text, is another version. */
static void test_versions(void)
{
    char versions[3][100];
    for (size_t i = 0; i < 3; i++) {
        JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
        head.exemplars.weight = i == 1 ? 2 : 1;
        head.exemplars.text_data[0] = i == 2 ? 'F' : 'f';
        write_bundle_of(&head, false);
        REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_COMPLETE, &bundle, &err));
        strcpy(versions[i], jc_bundle_manifest(bundle)->version);
    }
    head.exemplars.text_data[0] = 'f';
    CHECK(strcmp(versions[0], versions[1]) != 0);
    CHECK(strcmp(versions[0], versions[2]) != 0);
    CHECK(strcmp(versions[1], versions[2]) != 0);
}

/* Writes the manifest again, with the file `hidden` under another name. */
static void change_manifest(const char *hidden)
{
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = NULL;
    REQUIRE_OK(jc_manifest_load(path_of(JC_BUNDLE_MANIFEST), &manifest, &err));
    for (size_t i = 0; i < manifest->n_files; i++)
        if (strcmp(manifest->files[i].name, hidden) == 0)
            strcpy(manifest->files[i].name, "x");
    REQUIRE_OK(jc_manifest_write(manifest, path_of(JC_BUNDLE_MANIFEST), &err));
}

static void test_listing(void)
{
    write_bundle_of(&head, false);
    change_manifest(JC_BUNDLE_EXEMPLARS);
    check_load_fails(JC_BUNDLE_PORTABLE, JC_E_FORMAT, folder,
                     "'exemplars.txt' is listed without 'exemplars.safetensors'");
    write_bundle_of(&head, false);
    change_manifest(JC_BUNDLE_EXEMPLAR_TEXTS);
    check_load_fails(JC_BUNDLE_PORTABLE, JC_E_FORMAT, folder,
                     "'exemplars.safetensors' is listed without 'exemplars.txt'");
}

static void test_damaged(void)
{
    static const char *const names[] = {JC_BUNDLE_EXEMPLARS, JC_BUNDLE_EXEMPLAR_TEXTS};
    for (size_t i = 0; i < JC_COUNT(names); i++) {
        JC_AUTO_BUF struct jc_buf buf = {0};
        write_bundle_of(&head, true);
        REQUIRE_OK(jc_file_read(path_of(names[i]), 10000, &buf, &err));
        buf.data[buf.n - 2] ^= 1;
        REQUIRE_OK(jc_file_write(path_of(names[i]), buf.data, buf.n, &err));
        check_load_fails(JC_BUNDLE_PORTABLE, JC_E_FORMAT, names[i], "and the manifest says");
        unlink(path_of(names[i]));
        check_load_fails(JC_BUNDLE_PORTABLE, JC_E_NOT_FOUND, names[i], "No such file");
    }
}

/* What would not load is not published: the error names file and place. */
static void test_refused(void)
{
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = NULL;
    write_bundle_of(&head, true);
    REQUIRE_OK(jc_manifest_load(path_of(JC_BUNDLE_MANIFEST), &manifest, &err));
    struct jc_bundle_content content = {.manifest = manifest, .categories = categories, .head = &head};
    head.exemplars.codes[1] = N;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "exemplars.safetensors: tensor 'codes': row 1");
    head.exemplars.codes[1] = 2;
    head.exemplars.text_data[2] = '\xff';
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "exemplars.txt: line 1: empty, or not UTF-8");
    head.exemplars.text_data[2] = 'r';
    head.exemplars.dim--;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "'vectors': not F32 [1 to");
    head.exemplars.dim++;
    REQUIRE_OK(jc_bundle_write(folder, &content, &err));
}

int main(void)
{
    begin_files();
    make_head();
    check_round_trip(false);
    check_round_trip(true);
    test_none();
    test_versions();
    test_listing();
    test_damaged();
    test_refused();
    end_files();
    jc_head_finish(&head);
    return check_finish();
}
