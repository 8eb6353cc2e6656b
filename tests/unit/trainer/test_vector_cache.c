/* The cache of vectors: what goes in comes out, also after a kill at any moment, a torn file, a full disk; and what is
 * damaged or someone else's does not. Text i is the ids {i, -i}; its vector is drawn from seed i. */
#include "trainer/vectors/vector_cache.h"

#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/rng.h"
#include "base/sha256.h"
#include "check.h"

enum { HEADER = 128, RECORD = 24, MAX_DIM = 384, SMALL = 2 };

static struct jc_err err;
static char folder[PATH_MAX];
static char root[] = "/tmp/test_vector_cache.XXXXXX";

static struct jc_vector_key key_of(size_t i)
{
    const int32_t ids[] = {(int32_t)i, -(int32_t)i};
    return jc_vector_key_make(ids, 2);
}

static void draw_vector(size_t i, size_t dim, float *ret_vector)
{
    struct jc_rng rng = jc_rng_seeded(i);
    for (size_t d = 0; d < dim; d++)
        ret_vector[d] = (float)(jc_rng_unit(&rng) - 0.5);
}

/* Encoders of the same weights: what tells their vectors apart is vectors_sha256. */
static jc_code open_as(const char *name, size_t dim, struct jc_vector_cache **ret_cache)
{
    struct jc_encoder_info info = {.kind = "test", .source_sha256 = "0", .dim = dim, .max_tokens = 512};
    jc_sha256_hex(name, strlen(name), info.vectors_sha256);
    return jc_vector_cache_open(folder, &info, ret_cache, &err);
}

static struct jc_vector_cache *open_cache(size_t dim)
{
    struct jc_vector_cache *cache = NULL;
    REQUIRE_OK(open_as("a", dim, &cache));
    return cache;
}

/* Texts [begin, begin + n), in one append. */
static void append(struct jc_vector_cache *cache, size_t dim, size_t begin, size_t n)
{
    JC_AUTO_FREE float *vectors = calloc(n + 1, dim * sizeof(*vectors));
    JC_AUTO_FREE struct jc_vector_key *keys = calloc(n + 1, sizeof(*keys));
    REQUIRE(vectors && keys);
    for (size_t i = 0; i < n; i++) {
        keys[i] = key_of(begin + i);
        draw_vector(begin + i, dim, vectors + i * dim);
    }
    REQUIRE_OK(jc_vector_cache_append(cache, keys, vectors, n, &err));
}

static bool has(struct jc_vector_cache *cache, size_t i)
{
    uint32_t row;
    struct jc_vector_key key = key_of(i);
    return jc_vector_cache_find(cache, &key, &row);
}

/* Text i is there, with its vector to the bit. */
static bool is_right(struct jc_vector_cache *cache, size_t dim, size_t i)
{
    uint32_t row;
    float want[MAX_DIM];
    const float *got;
    struct jc_vector_key key = key_of(i);
    if (!jc_vector_cache_find(cache, &key, &row))
        return false;
    REQUIRE_OK(jc_vector_cache_get(cache, row, &got, &err));
    draw_vector(i, dim, want);
    return memcmp(got, want, dim * sizeof(*want)) == 0;
}

static void use_folder(const char *name)
{
    REQUIRE_OK(jc_path_join(folder, sizeof(folder), root, name, &err));
}

/* The one file of the folder that ends so. */
static const char *file_of(const char *ending)
{
    static char paths[2][PATH_MAX];
    static int turn;
    char *path = paths[turn ^= 1], pattern[PATH_MAX + 16];
    snprintf(pattern, sizeof(pattern), "%s/*%s", folder, ending);
    glob_t found;
    REQUIRE(glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 1);
    snprintf(path, PATH_MAX, "%s", found.gl_pathv[0]);
    globfree(&found);
    return path;
}

static size_t size_of(const char *path)
{
    struct stat st;
    REQUIRE(stat(path, &st) == 0);
    return (size_t)st.st_size;
}

static void put_file(const char *path, const char *bytes, size_t n)
{
    JC_AUTO_FILE FILE *file = fopen(path, "wb");
    REQUIRE(file && fwrite(bytes, 1, n, file) == n);
}

static void test_round_trip(const char *name, size_t dim)
{
    use_folder(name);
    struct jc_vector_cache *cache = open_cache(dim);
    CHECK(jc_vector_cache_keeps(cache));
    CHECK_STR(jc_vector_cache_note(cache), "");
    CHECK(!has(cache, 0));
    append(cache, dim, 0, 0);
    append(cache, dim, 0, 1);
    append(cache, dim, 1, 2500); /* over several growths of the table */
    for (size_t i = 0; i < 2501; i++)
        CHECK(is_right(cache, dim, i));
    CHECK(!has(cache, 2501));
    jc_vector_cache_destroy(cache);

    cache = open_cache(dim);
    for (size_t i = 2501; i-- > 0;)
        CHECK(is_right(cache, dim, i));
    REQUIRE_OK(jc_vector_cache_reserve(cache, 100, &err));
    append(cache, dim, 2501, 100);
    struct jc_vector_key key = key_of(2600);
    uint32_t row;
    REQUIRE(jc_vector_cache_find(cache, &key, &row));
    CHECK_INT(row, 2600);

    /* Rows outlive the cache. */
    JC_AUTO_FINISH(jc_vector_map) struct jc_vector_map map = {0};
    REQUIRE_OK(jc_vector_cache_take(cache, &map, &err));
    jc_vector_cache_destroy(cache);
    for (size_t i = 0; i < 2601; i++) {
        float want[MAX_DIM];
        draw_vector(i, dim, want);
        CHECK(memcmp(map.rows + i * dim, want, dim * sizeof(*want)) == 0);
    }
}

static void test_no_folder(void)
{
    folder[0] = '\0';
    struct jc_vector_cache *cache = open_cache(MAX_DIM);
    CHECK(!jc_vector_cache_keeps(cache));
    CHECK_STR(jc_vector_cache_note(cache), "");
    for (size_t i = 0; i < 300; i++)
        append(cache, MAX_DIM, i * 10, 10);
    for (size_t i = 0; i < 3000; i++)
        CHECK(is_right(cache, MAX_DIM, i));
    CHECK(!has(cache, 3000));
    jc_vector_cache_destroy(cache);
    JC_AUTO_FINISH(jc_vector_map) struct jc_vector_map map = {0};
    cache = open_cache(MAX_DIM);
    REQUIRE_OK(jc_vector_cache_take(cache, &map, &err));
    jc_vector_cache_destroy(cache);
}

/* Each encoder and each dim has its own files. */
static void test_encoders(void)
{
    use_folder("encoders");
    struct jc_vector_cache *cache = open_cache(SMALL), *other = NULL;
    append(cache, SMALL, 0, 1);
    REQUIRE_OK(open_as("b", SMALL, &other));
    CHECK(jc_vector_cache_keeps(other) && !has(other, 0));
    jc_vector_cache_destroy(other);
    REQUIRE_OK(open_as("a", 3, &other));
    CHECK(jc_vector_cache_keeps(other) && !has(other, 0));
    jc_vector_cache_destroy(other);
    CHECK(is_right(cache, SMALL, 0));
    jc_vector_cache_destroy(cache);
    CHECK_FAILS(open_as("a", 0, &other), JC_E_INVALID, "vectors of 0");
}

static void test_not_finite(void)
{
    use_folder("finite");
    struct jc_vector_cache *cache = open_cache(SMALL);
    const struct jc_vector_key keys[] = {key_of(0), key_of(1)};
    const float vectors[] = {1, 0, 0, NAN};
    CHECK_FAILS(jc_vector_cache_append(cache, keys, vectors, 2, &err), JC_E_MODEL, "vector 1 of a batch");
    CHECK(!has(cache, 0) && !has(cache, 1)); /* all or none */
    jc_vector_cache_destroy(cache);
}

/* Kills a writer again and again; what it left is a prefix of what it wrote, and never less than before. */
static void test_kill(void)
{
    enum { ROUNDS = 100, BATCH = 64 };
    use_folder("kill");
    struct jc_rng rng = jc_rng_seeded(5);
    size_t n = 0, n_torn = 0;
    for (int round = 0; round < ROUNDS; round++) {
        pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            struct jc_vector_cache *cache = open_cache(MAX_DIM);
            for (size_t next = n;; next += BATCH)
                append(cache, MAX_DIM, next, BATCH);
        }
        struct timespec wait = {.tv_nsec = (long)(jc_rng_next(&rng) % 4000000)};
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
        int status;
        REQUIRE(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

        bool torn = false;
        if (n) {
            size_t n_keys = size_of(file_of(".keys")) - HEADER, n_vectors = size_of(file_of(".vectors")) - HEADER;
            torn = n_keys / RECORD != n_vectors / (MAX_DIM * sizeof(float)) || n_keys % RECORD;
        }
        n_torn += torn;
        struct jc_vector_cache *cache = open_cache(MAX_DIM);
        CHECK(jc_vector_cache_keeps(cache));
        size_t n_now = 0;
        while (has(cache, n_now))
            CHECK(is_right(cache, MAX_DIM, n_now++));
        CHECK(n_now >= n);
        n = n_now;
        CHECK(jc_vector_cache_damaged(cache) == 0);
        CHECK_INT(size_of(file_of(".keys")), HEADER + n * RECORD);
        CHECK_INT(size_of(file_of(".vectors")), HEADER + n * MAX_DIM * sizeof(float));
        jc_vector_cache_destroy(cache);
        if (n > 4000) { /* begin anew: the test stays short */
            n = 0;
            unlink(file_of(".keys"));
            unlink(file_of(".vectors"));
        }
    }
    fprintf(stderr, "%d kills, %zu left the files torn\n", ROUNDS, n_torn);
}

static void check_torn(const struct jc_buf *keys, size_t n_keys, const struct jc_buf *vectors, size_t n_vectors)
{
    put_file(file_of(".keys"), keys->data, n_keys);
    put_file(file_of(".vectors"), vectors->data, n_vectors);
    size_t n_rows = n_keys < HEADER ? 0 : (n_keys - HEADER) / RECORD, row_bytes = SMALL * sizeof(float);
    size_t n_other = n_vectors < HEADER ? 0 : (n_vectors - HEADER) / row_bytes;
    n_rows = n_other < n_rows ? n_other : n_rows;

    struct jc_vector_cache *cache = open_cache(SMALL);
    for (size_t i = 0; i < 3; i++)
        CHECK(i < n_rows ? is_right(cache, SMALL, i) : !has(cache, i));
    append(cache, SMALL, n_rows, 3 - n_rows);
    jc_vector_cache_destroy(cache);
    JC_AUTO_BUF struct jc_buf keys_now = {0}, vectors_now = {0};
    REQUIRE_OK(jc_file_read(file_of(".keys"), 4096, &keys_now, &err));
    REQUIRE_OK(jc_file_read(file_of(".vectors"), 4096, &vectors_now, &err));
    CHECK(keys_now.n == keys->n && memcmp(keys_now.data, keys->data, keys->n) == 0);
    CHECK(vectors_now.n == vectors->n && memcmp(vectors_now.data, vectors->data, vectors->n) == 0);
}

/* Either file cut at every byte: the whole rows count, and appending makes the files what they were. */
static void test_torn(void)
{
    use_folder("torn");
    struct jc_vector_cache *cache = open_cache(SMALL);
    append(cache, SMALL, 0, 3);
    jc_vector_cache_destroy(cache);
    JC_AUTO_BUF struct jc_buf keys = {0};
    JC_AUTO_BUF struct jc_buf vectors = {0};
    REQUIRE_OK(jc_file_read(file_of(".keys"), 4096, &keys, &err));
    REQUIRE_OK(jc_file_read(file_of(".vectors"), 4096, &vectors, &err));
    CHECK_INT(keys.n, HEADER + 3 * RECORD);
    CHECK_INT(vectors.n, HEADER + 3 * SMALL * sizeof(float));
    for (size_t n = 0; n <= keys.n; n++)
        check_torn(&keys, n, &vectors, vectors.n);
    for (size_t n = 0; n <= vectors.n; n++)
        check_torn(&keys, keys.n, &vectors, n);
    for (size_t n = 0; n <= keys.n; n++)
        check_torn(&keys, n, &vectors, n <= vectors.n ? n : vectors.n);
}

/* A header with any bit changed is refused by name, and the file is left as it is. */
static void test_foreign(void)
{
    static const char *const endings[] = {".keys", ".vectors"};
    use_folder("foreign");
    struct jc_vector_cache *cache = open_cache(SMALL);
    append(cache, SMALL, 0, 1);
    jc_vector_cache_destroy(cache);
    for (size_t e = 0; e < JC_COUNT(endings); e++) {
        JC_AUTO_BUF struct jc_buf bytes = {0};
        const char *path = file_of(endings[e]);
        REQUIRE_OK(jc_file_read(path, 4096, &bytes, &err));
        for (size_t bit = 0; bit < (size_t)HEADER * 8; bit++) {
            bytes.data[bit / 8] ^= (char)(1 << bit % 8);
            put_file(path, bytes.data, bytes.n);
            CHECK_FAILS(open_as("a", SMALL, &cache), JC_E_FORMAT, path);
            CHECK_CONTAINS(err.text, "delete it");
            CHECK_INT(size_of(path), bytes.n);
            bytes.data[bit / 8] ^= (char)(1 << bit % 8);
        }
        put_file(path, "not ours", 8); /* shorter than a header, and no beginning of ours */
        CHECK_FAILS(open_as("a", SMALL, &cache), JC_E_FORMAT, path);
        put_file(path, bytes.data, bytes.n);
    }
    /* The two files in place of one another. */
    char keys[PATH_MAX], vectors[PATH_MAX], swap[PATH_MAX + 8];
    snprintf(keys, sizeof(keys), "%s", file_of(".keys"));
    snprintf(vectors, sizeof(vectors), "%s", file_of(".vectors"));
    snprintf(swap, sizeof(swap), "%s.swap", keys);
    REQUIRE(rename(keys, swap) == 0 && rename(vectors, keys) == 0 && rename(swap, vectors) == 0);
    CHECK_FAILS(open_as("a", SMALL, &cache), JC_E_FORMAT, ".keys' is damaged");
    unlink(keys);
    REQUIRE(mkdir(keys, 0777) == 0);
    CHECK_FAILS(open_as("a", SMALL, &cache), JC_E_IO, keys);
    rmdir(keys);
}

/* The second to open reads what is there and keeps its own to itself. */
static void test_two(void)
{
    use_folder("two");
    struct jc_vector_cache *first = open_cache(MAX_DIM), *early = open_cache(MAX_DIM);
    CHECK(jc_vector_cache_keeps(first) && !jc_vector_cache_keeps(early));
    append(first, MAX_DIM, 0, 3);
    struct jc_vector_cache *second = open_cache(MAX_DIM);
    CHECK(!jc_vector_cache_keeps(second));
    CHECK_CONTAINS(jc_vector_cache_note(second), ".keys is written to by another process");
    append(second, MAX_DIM, 100, 1);
    append(first, MAX_DIM, 3, 50); /* where the second has its own rows in memory */
    append(second, MAX_DIM, 101, 200);
    append(early, MAX_DIM, 100, 3);
    for (size_t i = 0; i < 3; i++)
        CHECK(is_right(second, MAX_DIM, i) && !has(early, i));
    for (size_t i = 100; i < 301; i++)
        CHECK(is_right(second, MAX_DIM, i) && !has(first, i));
    CHECK(!has(second, 3) && is_right(early, MAX_DIM, 102));
    jc_vector_cache_destroy(first);
    jc_vector_cache_destroy(early);

    first = open_cache(MAX_DIM); /* free again, though a reader is left */
    CHECK(jc_vector_cache_keeps(first));
    for (size_t i = 0; i < 53; i++)
        CHECK(is_right(first, MAX_DIM, i));
    CHECK(!has(first, 100));
    jc_vector_cache_destroy(second);
    jc_vector_cache_destroy(first);
}

/* Every bit of a row and of its checksum: the row is not found, the next one of the key is. */
static void test_flipped(void)
{
    use_folder("flipped");
    struct jc_vector_cache *cache = open_cache(SMALL);
    append(cache, SMALL, 0, 3);
    jc_vector_cache_destroy(cache);
    JC_AUTO_BUF struct jc_buf keys = {0};
    JC_AUTO_BUF struct jc_buf vectors = {0};
    REQUIRE_OK(jc_file_read(file_of(".keys"), 4096, &keys, &err));
    REQUIRE_OK(jc_file_read(file_of(".vectors"), 4096, &vectors, &err));
    enum { ROW = HEADER + SMALL * sizeof(float), N_ROW = SMALL * sizeof(float), N_KEY = 16 };
    for (size_t bit = 0; bit < 8 * (N_ROW + RECORD); bit++) {
        bool in_row = bit < 8 * N_ROW;
        size_t in_record = bit - (size_t)8 * N_ROW;
        char *byte = in_row ? &vectors.data[ROW + bit / 8] : &keys.data[HEADER + RECORD + in_record / 8];
        *byte ^= (char)(1 << bit % 8);
        put_file(file_of(".keys"), keys.data, keys.n);
        put_file(file_of(".vectors"), vectors.data, vectors.n);
        *byte ^= (char)(1 << bit % 8);

        cache = open_cache(SMALL);
        CHECK(!has(cache, 1) && !has(cache, 1));
        bool in_key = !in_row && in_record < (size_t)8 * N_KEY; /* then it is another text's */
        CHECK_INT(jc_vector_cache_damaged(cache), in_key ? 0 : 1);
        CHECK(is_right(cache, SMALL, 0) && is_right(cache, SMALL, 2));
        append(cache, SMALL, 1, 1);
        CHECK(is_right(cache, SMALL, 1));
        jc_vector_cache_destroy(cache);
        cache = open_cache(SMALL);
        for (size_t i = 0; i < 3; i++)
            CHECK(is_right(cache, SMALL, i));
        CHECK_INT(jc_vector_cache_damaged(cache), 0);
        jc_vector_cache_destroy(cache);
    }
}

/* A disk that takes no more: the rest stays in memory; what is on disk stays valid. */
static void test_full(void)
{
    use_folder("full");
    struct jc_vector_cache *cache = open_cache(MAX_DIM);
    append(cache, MAX_DIM, 0, 10);
    struct rlimit old, limit;
    REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
    limit = old;
    limit.rlim_cur = HEADER + 15 * MAX_DIM * sizeof(float) + 100;
    signal(SIGXFSZ, SIG_IGN);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    append(cache, MAX_DIM, 10, 20);
    REQUIRE(setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK(!jc_vector_cache_keeps(cache));
    CHECK_CONTAINS(jc_vector_cache_note(cache), ".vectors cannot be written to: File too large");
    append(cache, MAX_DIM, 30, 5000);
    for (size_t i = 0; i < 5030; i++)
        CHECK(is_right(cache, MAX_DIM, i));
    jc_vector_cache_destroy(cache);
    cache = open_cache(MAX_DIM);
    for (size_t i = 0; i < 10; i++)
        CHECK(is_right(cache, MAX_DIM, i));
    CHECK(jc_vector_cache_keeps(cache) && !has(cache, 10));
    jc_vector_cache_destroy(cache);
}

/* Files that one may only read. Root may write to any. */
static void test_read_only(void)
{
    if (geteuid() == 0)
        return;
    use_folder("read_only");
    struct jc_vector_cache *cache = open_cache(SMALL);
    append(cache, SMALL, 0, 3);
    jc_vector_cache_destroy(cache);
    REQUIRE(chmod(file_of(".keys"), 0444) == 0 && chmod(file_of(".vectors"), 0444) == 0 && chmod(folder, 0555) == 0);
    cache = open_cache(SMALL);
    CHECK(!jc_vector_cache_keeps(cache));
    CHECK_CONTAINS(jc_vector_cache_note(cache), ".keys cannot be written to: Permission denied");
    append(cache, SMALL, 3, 3);
    for (size_t i = 0; i < 6; i++)
        CHECK(is_right(cache, SMALL, i));
    jc_vector_cache_destroy(cache);
    REQUIRE(chmod(folder, 0755) == 0);
}

int main(void)
{
    REQUIRE(mkdtemp(root));
    test_round_trip("small", SMALL);
    test_round_trip("large", MAX_DIM);
    test_round_trip("odd", 5);
    test_no_folder();
    test_encoders();
    test_not_finite();
    test_kill();
    test_torn();
    test_foreign();
    test_two();
    test_flipped();
    test_full();
    test_read_only();
    char command[PATH_MAX];
    snprintf(command, sizeof(command), "rm -rf %s", root);
    CHECK(system(command) == 0);
    return check_finish();
}
