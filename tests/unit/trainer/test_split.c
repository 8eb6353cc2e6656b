/* The split: how titles are compared, and the roles of rows against an all-pairs version of the rule. */
#include "trainer/split.h"

#include "base/rng.h"
#include "check.h"

static struct jc_err err;

static void check_normalized(const char *title, const char *wanted)
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    jc_split_normalize(title, &buf);
    CHECK_STR(buf.n ? buf.data : "", wanted);
}

static void test_normalize(void)
{
    check_normalized("Senior C++ Developer (R&D)", "senior c++ developer r&d");
    check_normalized("C#/.NET -- Engineer 2", "c# net engineer 2");
    check_normalized("  Caf\xc3\xa9\tHost  ", "caf host");
    check_normalized("", "");
    check_normalized("(--)", "");
    check_normalized("A", "a");
}

static void add(struct jc_dataset *dataset, const char *title, bool from_postings)
{
    struct jc_example example = {.raw = title, .from_postings = from_postings, .role = JC_ROLE_TRAIN};
    REQUIRE_OK(jc_dataset_add(dataset, &example, &err));
}

static void test_roles(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = jc_dataset_create();
    REQUIRE(dataset);
    add(dataset, "Nurse", false);
    add(dataset, "nurse!", true); /* also a training title */
    add(dataset, "Night Nurse", true);
    add(dataset, "Night-Nurse", true); /* twice in the test set, as the source has it */
    add(dataset, "Nurse", false);

    REQUIRE_OK(jc_split_dataset(dataset, JC_SPLIT_POSTINGS, &err));
    const enum jc_role wanted[] = {JC_ROLE_TRAIN, JC_ROLE_UNUSED, JC_ROLE_TEST, JC_ROLE_TEST, JC_ROLE_TRAIN};
    for (size_t i = 0; i < JC_COUNT(wanted); i++)
        CHECK_INT(dataset->examples[i].role, wanted[i]);

    REQUIRE_OK(jc_split_dataset(dataset, JC_SPLIT_NONE, &err));
    CHECK_INT(jc_dataset_count(dataset, JC_ROLE_TRAIN), 5);
}

static void normalize_copy(const char *title, char ret_text[64])
{
    JC_AUTO_BUF struct jc_buf buf = {0};
    jc_split_normalize(title, &buf);
    snprintf(ret_text, 64, "%s", buf.n ? buf.data : "");
}

/* Random titles over few words: a posting's row tests exactly where no training row is equal to it. */
static void test_roles_at_random(void)
{
    enum { N = 400 };
    static char titles[N][64], normalized[N][64];
    struct jc_rng rng = jc_rng_seeded(3);
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = jc_dataset_create();
    REQUIRE(dataset);
    for (size_t i = 0; i < N; i++) {
        snprintf(titles[i], sizeof(titles[i]), "%s%d %d", jc_rng_next(&rng) % 2 ? "W" : "w",
                 (int)(jc_rng_next(&rng) % 20), (int)(jc_rng_next(&rng) % 20));
        normalize_copy(titles[i], normalized[i]);
        add(dataset, titles[i], jc_rng_next(&rng) % 2);
    }
    REQUIRE_OK(jc_split_dataset(dataset, JC_SPLIT_POSTINGS, &err));
    for (size_t i = 0; i < N; i++) {
        bool is_train_title = false;
        for (size_t j = 0; j < N; j++)
            is_train_title |= !dataset->examples[j].from_postings && strcmp(normalized[i], normalized[j]) == 0;
        enum jc_role wanted = !dataset->examples[i].from_postings ? JC_ROLE_TRAIN
                              : is_train_title                    ? JC_ROLE_UNUSED
                                                                  : JC_ROLE_TEST;
        CHECK_INT(dataset->examples[i].role, wanted);
    }
}

static void test_errors(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = jc_dataset_create();
    REQUIRE(dataset);
    CHECK_FAILS(jc_split_dataset(dataset, JC_SPLIT_NONE, &err), JC_E_INVALID, "no row is left to train");
    add(dataset, "a", false);
    CHECK_FAILS(jc_split_dataset(dataset, JC_SPLIT_POSTINGS, &err), JC_E_INVALID,
                "no title is known from employers' postings alone");
    dataset->examples[0].from_postings = true;
    CHECK_FAILS(jc_split_dataset(dataset, JC_SPLIT_POSTINGS, &err), JC_E_INVALID, "no row is left to train");
}

/* Three categories of texts "t0" .. : many rows, JC_SPLIT_RARE rows, and two texts of the first in a second rare one. */
enum { N_COMMON = 4000, N_RARE = JC_SPLIT_RARE, N_SHARED = 2, N_ROWS = N_COMMON + N_RARE + N_SHARED };

/* Row `i` of the order is row (i * step + 1) mod N_ROWS of the plain one; step has no divisor in common with N_ROWS. */
static struct jc_dataset *make_rows(size_t step, uint32_t first_shared, size_t ret_rows[N_ROWS])
{
    struct jc_dataset *dataset = jc_dataset_create();
    REQUIRE(dataset);
    dataset->n_categories = 3;
    for (size_t i = 0; i < N_ROWS; i++) {
        size_t row = ret_rows[i] = (i * step + 1) % N_ROWS;
        bool is_common = row < N_COMMON, is_rare = !is_common && row < N_COMMON + N_RARE;
        char text[32];
        int n =
            snprintf(text, sizeof(text), "t%zu", is_common || is_rare ? row : first_shared + (row - N_COMMON - N_RARE));
        struct jc_example example = {.raw = "x", .category = is_common ? 0 : is_rare ? 1 : 2, .role = JC_ROLE_TRAIN};
        REQUIRE_OK(jc_texts_add(dataset->texts, text, (size_t)n, &example.text, &err));
        REQUIRE_OK(jc_dataset_add(dataset, &example, &err));
    }
    return dataset;
}

/* Fills the role of each plain row and returns how many rows validate. */
static size_t split_rows(size_t step, uint32_t first_shared, double share, enum jc_role ret_roles[N_ROWS])
{
    static size_t rows[N_ROWS];
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = make_rows(step, first_shared, rows);
    REQUIRE_OK(jc_split_validation(dataset, share, &err));
    for (size_t i = 0; i < N_ROWS; i++)
        ret_roles[rows[i]] = dataset->examples[i].role;
    return jc_dataset_count(dataset, JC_ROLE_VALIDATION);
}

static void test_validation(void)
{
    static enum jc_role roles[N_ROWS], again[N_ROWS];
    CHECK_INT(split_rows(1, 0, 0, roles), 0);
    size_t n = split_rows(1, 0, 0.1, roles);
    CHECK_NEAR((double)n / N_COMMON, 0.1, 4 * sqrt(0.1 * 0.9 / N_COMMON)); /* four standard deviations */
    for (size_t i = N_COMMON; i < N_ROWS; i++)
        CHECK_INT(roles[i], JC_ROLE_TRAIN);

    CHECK_INT(split_rows(2003, 0, 0.1, again), n);
    CHECK(memcmp(roles, again, sizeof(roles)) == 0);
    size_t n_more = split_rows(1, 0, 0.2, again); /* a larger share holds the smaller */
    CHECK(n_more > n);
    for (size_t i = 0; i < N_ROWS; i++)
        CHECK(roles[i] != JC_ROLE_VALIDATION || again[i] == JC_ROLE_VALIDATION);

    uint32_t drawn = 0;
    while (drawn < N_COMMON - 1 && roles[drawn] != JC_ROLE_VALIDATION)
        drawn++;
    REQUIRE(roles[drawn] == JC_ROLE_VALIDATION);
    split_rows(1, drawn, 0.1, again); /* also a rare category's text: trains in both */
    CHECK_INT(again[drawn], JC_ROLE_TRAIN);
    CHECK_INT(again[N_COMMON + N_RARE], JC_ROLE_TRAIN);
}

/* Rows of one text have one role; other roles stay as they are. */
static void test_validation_texts(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = jc_dataset_create();
    REQUIRE(dataset);
    dataset->n_categories = 2;
    for (uint32_t i = 0; i < 1200; i++) {
        char text[32];
        int n = snprintf(text, sizeof(text), "title %u", (unsigned)(i % 300));
        struct jc_example example = {
            .raw = "x", .category = i / 600, .role = i % 4 == 3 ? JC_ROLE_TEST : JC_ROLE_TRAIN};
        REQUIRE_OK(jc_texts_add(dataset->texts, text, (size_t)n, &example.text, &err));
        REQUIRE_OK(jc_dataset_add(dataset, &example, &err));
    }
    REQUIRE_OK(jc_split_validation(dataset, 0.5, &err));
    CHECK(jc_dataset_count(dataset, JC_ROLE_VALIDATION) > 0);
    CHECK(jc_dataset_count(dataset, JC_ROLE_TRAIN) > 0);
    for (size_t i = 0; i < 1200; i++) {
        CHECK((i % 4 == 3) == (dataset->examples[i].role == JC_ROLE_TEST));
        CHECK_INT(dataset->examples[i].role, dataset->examples[i % 300].role);
    }
}

int main(void)
{
    test_normalize();
    test_roles();
    test_roles_at_random();
    test_errors();
    test_validation();
    test_validation_texts();
    return check_finish();
}
