/* Bundles: round trips, atomic publishing, and every file that can be missing, damaged or of another bundle. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "artifact/safetensors.h"
#include "bundle_files.h"

enum { DIM = 4, N = 3 };

static const float embeddings[N * DIM] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0.6f, -0.8f};
static struct jc_head head; /* of these embeddings */
static const struct jc_category categories[N] = {{"29-1141.00", "Registered Nurses"},
                                                 {"15-1252.00", "Software Developers"},
                                                 {"35-3023.01", "Baristas, Caf\xc3\xa9"}};

static struct jc_bundle_content make_content(struct jc_manifest *manifest)
{
    return (struct jc_bundle_content){
        .manifest = manifest, .categories = categories, .head = &head, .vocab_path = vocab};
}

/* Publishes a complete bundle over the fake encoder. */
static void write_bundle(void)
{
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = bundle_manifest_create("direct", "fake");
    struct jc_bundle_content content = make_content(manifest);
    REQUIRE_OK(jc_bundle_write(folder, &content, &err));
}

/* How many entries the folder of the test holds. */
static int count_entries(void)
{
    int n = 0;
    DIR *dir = opendir(root);
    REQUIRE(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static void check_titles_refused(const char *text, const char *part)
{
    replace_file(JC_BUNDLE_TITLES, text, strlen(text));
    check_load_fails(JC_BUNDLE_COMPLETE, JC_E_FORMAT, JC_BUNDLE_TITLES, part);
}

static void check_content(const struct jc_bundle *bundle)
{
    size_t n;
    const struct jc_category *read = jc_bundle_categories(bundle, &n);
    REQUIRE(n == N);
    for (size_t i = 0; i < N; i++) {
        CHECK_STR(read[i].code, categories[i].code);
        CHECK_STR(read[i].title, categories[i].title);
    }
    CHECK(memcmp(jc_bundle_head(bundle)->matrix, embeddings, sizeof embeddings) == 0);
    CHECK_INT(jc_bundle_manifest(bundle)->dim, DIM);
    CHECK_INT(jc_bundle_manifest(bundle)->n_categories, N);
}

static void test_round_trip(void)
{
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    write_bundle();
    REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_COMPLETE, &bundle, &err));
    check_content(bundle);
    CHECK_STR(jc_bundle_folder(bundle), folder);
    CHECK(!jc_manifest_find_file(jc_bundle_manifest(bundle), JC_BUNDLE_ENCODER));
    CHECK(!jc_manifest_find_file(jc_bundle_manifest(bundle), JC_BUNDLE_WEIGHTS));
    CHECK(!jc_bundle_bert(bundle));
    size_t n_calibration = 99;
    CHECK(!jc_bundle_calibration(bundle, &n_calibration) && n_calibration == 0);

    /* "test-direct-" and 12 digits: sha256sum of the hashes and the encoder's settings as text. */
    const struct jc_manifest *manifest = jc_bundle_manifest(bundle);
    char hashes[4 * JC_SHA256_HEX], sha256[JC_SHA256_HEX], version[100];
    snprintf(hashes, sizeof hashes, "%s%s%s title 1 16 ", jc_manifest_find_file(manifest, JC_BUNDLE_CATEGORIES)->sha256,
             jc_manifest_find_file(manifest, JC_BUNDLE_TITLES)->sha256,
             jc_manifest_find_file(manifest, JC_BUNDLE_VOCAB)->sha256);
    jc_sha256_hex(hashes, strlen(hashes), sha256);
    snprintf(version, sizeof version, "test-direct-%.12s", sha256);
    CHECK_STR(manifest->version, version);

    /* The old bundle goes on living while a new one takes its place, and the same content has the same version. */
    JC_AUTO(jc_bundle) struct jc_bundle *again = NULL;
    write_bundle();
    check_content(bundle);
    REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_COMPLETE, &again, &err));
    CHECK_STR(jc_bundle_manifest(again)->version, version);
    CHECK_INT(count_entries(), 2); /* the bundle, the vocabulary: no temporary folder */
}

/* A bundle that does not verify is not published: the old one stays, and nothing lies beside it. */
static void test_refused_content(void)
{
    struct jc_category bad[N];
    JC_AUTO(jc_manifest) struct jc_manifest *manifest = bundle_manifest_create("direct", "fake");
    struct jc_bundle_content content = make_content(manifest);
    write_bundle();
    head.matrix[DIM + 2] = NAN;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_MODEL, "row 1, column 2 is not a finite number");
    head.matrix[DIM + 2] = embeddings[DIM + 2];
    memcpy(bad, categories, sizeof bad);
    bad[2].code = bad[0].code;
    content.categories = bad;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "the same code '29-1141.00'");
    bad[2] = (struct jc_category){"x", "two\nlines"};
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "more rows than the 3 categories");
    bad[2].title = "two\tcolumns";
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "categories.tsv: line 4: the title");
    content.categories = categories;
    content.vocab_path = "/nonexistent/vocab.txt";
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_NOT_FOUND, "/nonexistent/vocab.txt");
    content.vocab_path = vocab;
    struct jc_head empty = head;
    empty.n_categories = 0;
    content.head = &empty;
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "/n_categories");
    content.head = &head;
    free(TAKE(manifest->taxonomy));
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_FORMAT, "/taxonomy: empty");
    free(TAKE(manifest->name));
    CHECK_FAILS(jc_bundle_write(folder, &content, &err), JC_E_INVALID, "name and a method");

    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_COMPLETE, &bundle, &err));
    check_content(bundle);
    CHECK_INT(count_entries(), 2);
}

/* What a writer that was killed leaves: a temporary folder, some of its files written, none published. */
static void test_killed_writer(void)
{
    char temp[PATH_MAX], path[PATH_MAX];
    JC_AUTO(jc_bundle) struct jc_bundle *bundle = NULL;
    write_bundle();
    REQUIRE_OK(jc_dir_create_temp(folder, temp, sizeof temp, &err));
    REQUIRE_OK(jc_path_join(path, sizeof path, temp, JC_BUNDLE_TITLES, &err));
    REQUIRE_OK(jc_file_write(path, "code\t", 5, &err));
    REQUIRE_OK(jc_bundle_load(folder, JC_BUNDLE_COMPLETE, &bundle, &err));
    check_content(bundle);
    struct jc_bundle *half = NULL;
    CHECK_FAILS(jc_bundle_load(temp, JC_BUNDLE_PORTABLE, &half, &err), JC_E_NOT_FOUND, JC_BUNDLE_MANIFEST);
    write_bundle(); /* the next writer is not in its way */
    jc_dir_remove(temp);
    CHECK_INT(count_entries(), 2);
}

/* Any file that is missing, cut short or changed by a bit is named. */
static void test_damaged_files(void)
{
    static const char *const names[] = {JC_BUNDLE_CATEGORIES, JC_BUNDLE_TITLES, JC_BUNDLE_VOCAB};
    for (size_t i = 0; i < JC_COUNT(names); i++) {
        JC_AUTO_BUF struct jc_buf buf = {0};
        write_bundle();
        REQUIRE_OK(jc_file_read(path_of(names[i]), 10000, &buf, &err));
        unlink(path_of(names[i]));
        check_load_fails(JC_BUNDLE_COMPLETE, JC_E_NOT_FOUND, names[i], "No such file");
        REQUIRE_OK(jc_file_write(path_of(names[i]), buf.data, buf.n - 1, &err));
        check_load_fails(JC_BUNDLE_COMPLETE, JC_E_FORMAT, names[i], "and the manifest says");
        buf.data[buf.n - 1] ^= 1;
        REQUIRE_OK(jc_file_write(path_of(names[i]), buf.data, buf.n, &err));
        check_load_fails(JC_BUNDLE_COMPLETE, JC_E_FORMAT, names[i], "and the manifest says");
    }
    unlink(path_of(JC_BUNDLE_MANIFEST));
    check_load_fails(JC_BUNDLE_COMPLETE, JC_E_NOT_FOUND, JC_BUNDLE_MANIFEST, "No such file");
}

static void test_unlisted_files(void)
{
    static const char *const names[] = {JC_BUNDLE_CATEGORIES, JC_BUNDLE_TITLES, JC_BUNDLE_VOCAB};
    for (size_t i = 0; i < JC_COUNT(names); i++) {
        JC_AUTO(jc_manifest) struct jc_manifest *manifest = NULL;
        write_bundle();
        REQUIRE_OK(jc_manifest_load(path_of(JC_BUNDLE_MANIFEST), &manifest, &err));
        for (size_t f = 0; f < manifest->n_files; f++)
            if (strcmp(manifest->files[f].name, names[i]) == 0)
                strcpy(manifest->files[f].name, "x");
        REQUIRE_OK(jc_manifest_write(manifest, path_of(JC_BUNDLE_MANIFEST), &err));
        check_load_fails(JC_BUNDLE_COMPLETE, JC_E_FORMAT, names[i], "is not listed");
    }
}

static void test_wrong_titles(void)
{
    write_bundle();
    check_titles_refused("", "line 1: not 'code<TAB>title'");
    check_titles_refused("a\tA\nb\tB\nc\tC\n", "line 1: not 'code<TAB>title'");
    check_titles_refused("code\ttitle\na\tA\nb\tB\n", "2 rows, and the manifest says 3");
    check_titles_refused("code\ttitle\na\tA\nb\tB\nc\tC\nd\tD\n", "more rows than the 3 categories");
    check_titles_refused("code\ttitle\na\tA\nb\tB\nc\tC", "line 4: no line end");
    check_titles_refused("code\ttitle\na\tA\nb\tB\na\tC\n", "lines 2 and 4 have the same code 'a'");
    check_titles_refused("code\ttitle\na\tA\nb B\nc\tC\n", "line 3: no tab");
    check_titles_refused("code\ttitle\na\tA\n\tB\nc\tC\n", "line 3: the code");
    check_titles_refused("code\ttitle\na\tA\nb b\tB\nc\tC\n", "line 3: the code");
    check_titles_refused("code\ttitle\na\tA\n\xc3\xa9\tB\nc\tC\n", "line 3: the code");
    check_titles_refused("code\ttitle\na\tA\nb\t\nc\tC\n", "line 3: the title");
    check_titles_refused("code\ttitle\na\tA\nb\tB\tB\nc\tC\n", "line 3: the title");
    check_titles_refused("code\ttitle\na\tA\nb\tB\r\nc\tC\n", "line 3: the title");
    check_titles_refused("code\ttitle\na\tA\nb\t\xc3\x28\nc\tC\n", "line 3: the title");
    check_titles_refused("code\ttitle\na\tA\nb\t\xed\xa0\x80\nc\tC\n", "line 3: the title"); /* a surrogate */
    check_titles_refused("code\ttitle\na\tA\nb\t\xc0\x80\nc\tC\n", "line 3: the title");     /* an overlong NUL */
    replace_file(JC_BUNDLE_TITLES, "code\ttitle\na\tA\nb\tB\0\nc\tC\n", 25);
    check_load_fails(JC_BUNDLE_COMPLETE, JC_E_FORMAT, JC_BUNDLE_TITLES, "line 3: the title");

    char text[800] = "code\ttitle\na\tA\nb\tB\nc\t";
    memset(text + strlen(text), 'x', 513);
    strcat(text, "\n");
    check_titles_refused(text, "line 4: the title is not 1 to 512 bytes");
}

static void check_embeddings_refused(const struct jc_tensor *tensor, jc_code code, const char *part)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    REQUIRE_OK(jc_safetensors_write(path_of(JC_BUNDLE_CATEGORIES), tensor, 1, &err));
    REQUIRE_OK(jc_file_read(path_of(JC_BUNDLE_CATEGORIES), 10000, &buf, &err));
    replace_file(JC_BUNDLE_CATEGORIES, buf.data, buf.n);
    check_load_fails(JC_BUNDLE_COMPLETE, code, JC_BUNDLE_CATEGORIES, part);
}

static void test_wrong_embeddings(void)
{
    static const float values[] = {NAN, INFINITY, -INFINITY};
    struct jc_tensor tensor = {"embeddings", JC_DTYPE_F32, 2, {N, DIM}, embeddings, sizeof embeddings};
    write_bundle();
    for (size_t i = 0; i < JC_COUNT(values); i++) {
        float wrong[N * DIM] = {0};
        wrong[N * DIM - 1] = values[i];
        tensor.data = wrong;
        check_embeddings_refused(&tensor, JC_E_MODEL, "row 2, column 3 is not a finite number");
    }
    tensor.data = embeddings;
    tensor.shape[0] = DIM;
    tensor.shape[1] = N;
    check_embeddings_refused(&tensor, JC_E_FORMAT, "F32 [4, 3], not F32 [3, 4]");
    tensor = (struct jc_tensor){"embeddings", JC_DTYPE_F32, 2, {N - 1, DIM}, embeddings, (N - 1) * DIM * 4};
    check_embeddings_refused(&tensor, JC_E_FORMAT, "F32 [2, 4], not F32 [3, 4]");
    tensor = (struct jc_tensor){"embeddings", JC_DTYPE_I32, 2, {N, DIM}, embeddings, sizeof embeddings};
    check_embeddings_refused(&tensor, JC_E_FORMAT, "is I32 [3, 4], not F32 [3, 4]");
    tensor = (struct jc_tensor){"embedding", JC_DTYPE_F32, 2, {N, DIM}, embeddings, sizeof embeddings};
    check_embeddings_refused(&tensor, JC_E_FORMAT, "tensor 'embeddings' (F32 [3, 4]) is missing");
    replace_file(JC_BUNDLE_CATEGORIES, "", 0);
    check_load_fails(JC_BUNDLE_COMPLETE, JC_E_FORMAT, JC_BUNDLE_CATEGORIES, "too few");
}

int main(void)
{
    REQUIRE_OK(jc_head_init(&head, N, DIM, 0, 0, &err));
    memcpy(head.matrix, embeddings, sizeof embeddings);
    begin_files();
    test_round_trip();
    test_refused_content();
    test_killed_writer();
    test_damaged_files();
    test_unlisted_files();
    test_wrong_titles();
    test_wrong_embeddings();
    end_files();
    jc_head_finish(&head);
    return check_finish();
}
