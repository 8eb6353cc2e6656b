/* Sentences of bodies: where they are cut, whose are taken, what they weigh and where they belong. */
#include "trainer/data/augment.h"

#include "fixture.h"

static struct jc_err err;

/* The sentences of a cleaned text, with '|' between them. */
static void check_sentences(int line, const char *text, const char *want)
{
    JC_AUTO_BUF struct jc_buf seen = {0};
    const char *sentence;
    size_t at = 0, n;
    while (jc_augment_sentence(text, strlen(text), &at, &sentence, &n)) {
        if (seen.n)
            jc_buf_puts(&seen, "|");
        jc_buf_put(&seen, sentence, n);
    }
    const char *got = seen.n ? seen.data : "";
    check_report(strcmp(got, want) == 0, __FILE__, line, "'%s' is cut to '%s', not '%s'", text, got, want);
    CHECK_INT(at, strlen(text));
}

#define CHECK_SENTENCES(text, want) check_sentences(__LINE__, text, want)
#define BULLET "\xe2\x80\xa2"

static void test_cutting(void)
{
    CHECK_SENTENCES("", "");
    CHECK_SENTENCES("one two three", "");
    CHECK_SENTENCES("one two three four", "one two three four");
    CHECK_SENTENCES("one two three four.", "one two three four");
    CHECK_SENTENCES("Bake the daily bread. Clean the oven well! Can you start now? Yes.",
                    "Bake the daily bread|Clean the oven well|Can you start now");
    CHECK_SENTENCES("You know .NET and node.js at 9.30 daily.", "You know .NET and node.js at 9.30 daily");
    CHECK_SENTENCES("Duties: " BULLET " bake the daily bread " BULLET "clean the big oven" BULLET BULLET " rest",
                    "bake the daily bread|clean the big oven");
    CHECK_SENTENCES("really do come here... or stay at your home", "really do come here..|or stay at your home");
    CHECK_SENTENCES("\xe2\x80\x93 caf\xc3\xa9 \xe7\x9c\x8b na\xc3\xafve. \xc3\xa9 \xc3\xa9 \xc3\xa9 \xc3\xa9\xe2\x80",
                    "\xe2\x80\x93 caf\xc3\xa9 \xe7\x9c\x8b na\xc3\xafve|\xc3\xa9 \xc3\xa9 \xc3\xa9 \xc3\xa9\xe2\x80");
}

/* At most 400 bytes; what is longer is no sentence, and reading goes on behind it. */
static void test_length(void)
{
    char text[1000];
    for (size_t n = 398; n <= 402; n++) {
        memset(text, 'a', sizeof(text));
        for (size_t i = 50; i < 200; i += 50)
            text[i] = ' ';
        memcpy(text + n, ". a b c d", 10);
        const char *sentence;
        size_t at = 0, n_sentence;
        REQUIRE(jc_augment_sentence(text, n + 9, &at, &sentence, &n_sentence));
        CHECK(n <= 400 ? sentence == text && n_sentence == n : sentence == text + n + 2 && n_sentence == 7);
    }
    /* A NUL ends nothing. */
    const char *sentence;
    size_t at = 0, n_sentence;
    CHECK(jc_augment_sentence("a b\0 c d", 8, &at, &sentence, &n_sentence) && n_sentence == 8);
}

static uint32_t add_row(struct jc_dataset *dataset, struct jc_augment *augment, uint32_t category, float weight,
                        const char *body)
{
    struct jc_example example = {.category = category,
                                 .parent = JC_EXAMPLE_NO_PARENT,
                                 .n_sources = 1,
                                 .weight = weight,
                                 .asked = category == 1 ? JC_ROLE_VALIDATION : 0,
                                 .posted_s = 99};
    const struct jc_posting posting = {.title = "t", .n_title = 1, .body = body, .n_body = strlen(body)};
    REQUIRE_OK(jc_dataset_add_title(dataset, "t", example, &err));
    uint32_t parent = (uint32_t)dataset->n_examples - 1;
    REQUIRE_OK(jc_augment_add(augment, dataset, parent, &posting, &err));
    return parent;
}

#define TWO "<p>Bake the daily bread.</p> Sweep all the floors!"

/* Category 0 has 3 postings and is not rare; 1 has 2; 2 has one whose body says nothing; 3 one without a body; of 4 the
 * sentences without a letter and those behind the second are left. */
static void test_rare(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = fixture_dataset(400);
    JC_AUTO(jc_augment) struct jc_augment *augment = NULL;
    REQUIRE_OK(jc_augment_create(3, 2, &augment, &err));
    for (size_t i = 0; i < 3; i++)
        add_row(dataset, augment, 0, 1, TWO);
    uint32_t first = add_row(dataset, augment, 1, 3, TWO),
             second = add_row(dataset, augment, 1, 0.5F, "Sing songs for us");
    add_row(dataset, augment, 2, 1, "* * * * *. Too short.");
    add_row(dataset, augment, 3, 1, "");
    uint32_t fourth =
        add_row(dataset, augment, 399, 1, "- - - - -. one two three 4. five six seven 8. nine ten 11 12.");
    size_t n = dataset->n_examples;
    uint64_t n_added = 0;
    REQUIRE_OK(jc_augment_apply(augment, dataset, &n_added, &err));
    CHECK_INT(n_added, 5);
    CHECK_INT(dataset->n_empty, 0);
    REQUIRE(dataset->n_examples == n + 5);
    const struct {
        const char *text;
        uint32_t parent, category;
        float weight;
    } want[] = {{"Bake the daily bread", first, 1, 1.5F},
                {"Sweep all the floors", first, 1, 1.5F},
                {"Sing songs for us", second, 1, 0.5F},
                {"one two three 4", fourth, 399, 0.5F},
                {"five six seven 8", fourth, 399, 0.5F}};
    for (size_t i = 0; i < JC_COUNT(want); i++) {
        const struct jc_example *example = &dataset->examples[n + i];
        CHECK_STR(jc_dataset_example_text(dataset, n + i), want[i].text);
        CHECK_INT(example->parent, want[i].parent);
        CHECK_INT(example->category, want[i].category);
        CHECK_NEAR(example->weight, want[i].weight, 0);
        CHECK_INT(example->asked, want[i].category == 1 ? JC_ROLE_VALIDATION : 0);
        CHECK_INT(example->posted_s, 99);
    }
}

/* What a clean text holds of markup that was written as text is cleaned once more, as serving would. */
static void test_markup(void)
{
    JC_AUTO(jc_dataset) struct jc_dataset *dataset = fixture_dataset(1);
    JC_AUTO(jc_augment) struct jc_augment *augment = NULL;
    uint64_t n = 0;
    REQUIRE_OK(jc_augment_create(5, 5, &augment, &err));
    add_row(dataset, augment, 0, 1, "&lt;p&gt;one two three four. &lt;i&gt; &lt;b&gt; &lt;u&gt; &lt;p&gt;");
    REQUIRE_OK(jc_augment_apply(augment, dataset, &n, &err));
    CHECK_INT(n, 1);
    CHECK_STR(jc_dataset_example_text(dataset, 1), "one two three four");
    jc_augment_destroy(NULL);
}

int main(void)
{
    test_cutting();
    test_length();
    test_rare();
    test_markup();
    return check_finish();
}
