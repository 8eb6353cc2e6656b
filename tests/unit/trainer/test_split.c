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

int main(void)
{
    test_normalize();
    test_roles();
    test_roles_at_random();
    test_errors();
    return check_finish();
}
