/* The pool of texts against a plain list: equal texts have one number, numbers count up, texts come back as given. */
#include "trainer/data/texts.h"

#include "base/rng.h"
#include "check.h"

static struct jc_err err;

static void test_numbers(void)
{
    JC_AUTO(jc_texts) struct jc_texts *texts = jc_texts_create();
    REQUIRE(texts);
    uint32_t id;
    uint32_t found = 7;
    CHECK(!jc_texts_find(texts, "a", 1, &found));
    CHECK_INT(found, 7);
    REQUIRE_OK(jc_texts_add(texts, "a", 1, &id, &err));
    CHECK_INT(id, 0);
    REQUIRE_OK(jc_texts_add(texts, "", 0, &id, &err));
    CHECK_INT(id, 1);
    REQUIRE_OK(jc_texts_add(texts, "a\0b", 3, &id, &err)); /* bytes, not strings */
    CHECK_INT(id, 2);
    REQUIRE_OK(jc_texts_add(texts, "abc", 1, &id, &err));
    CHECK_INT(id, 0);
    CHECK_INT(jc_texts_count(texts), 3);
    size_t n;
    CHECK_STR(jc_texts_get(texts, 1, &n), "");
    CHECK_INT(n, 0);
    jc_texts_get(texts, 2, &n);
    CHECK_INT(n, 3);
}

/* 20,000 draws from 5,000 texts: over several growths of the table. */
static void test_many(void)
{
    enum { N_DIFFERENT = 5000 };
    static uint32_t numbers[N_DIFFERENT]; /* 0 = not yet, else number + 1 */
    JC_AUTO(jc_texts) struct jc_texts *texts = jc_texts_create();
    REQUIRE(texts);
    struct jc_rng rng = jc_rng_seeded(11);
    uint32_t n_seen = 0;
    for (int i = 0; i < 20000; i++) {
        char text[32];
        size_t which = jc_rng_next(&rng) % N_DIFFERENT;
        size_t n = (size_t)snprintf(text, sizeof(text), "title %zu", which);
        uint32_t id = UINT32_MAX;
        CHECK(jc_texts_find(texts, text, n, &id) == (numbers[which] != 0));
        CHECK_INT(id, numbers[which] ? numbers[which] - 1 : UINT32_MAX);
        REQUIRE_OK(jc_texts_add(texts, text, n, &id, &err));
        if (!numbers[which])
            numbers[which] = ++n_seen;
        CHECK_INT(id, numbers[which] - 1);
    }
    CHECK_INT(jc_texts_count(texts), n_seen);
    for (size_t which = 0; which < N_DIFFERENT; which++) {
        char text[32];
        size_t n, wanted = (size_t)snprintf(text, sizeof(text), "title %zu", which);
        if (!numbers[which])
            continue;
        CHECK_STR(jc_texts_get(texts, numbers[which] - 1, &n), text);
        CHECK_INT(n, wanted);
    }
}

int main(void)
{
    test_numbers();
    test_many();
    return check_finish();
}
