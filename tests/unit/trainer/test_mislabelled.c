/* Planted wrong labels are found and honest ones are not, and all figures against a slow version that makes each mean
 * anew without the title it judges. */
#include "trainer/measure/mislabelled.h"

#include "base/rng.h"
#include "fixture.h"
#include "linalg/linalg.h"

static struct jc_err err;

enum { DIM = 32, CLUSTERS = 12, MAX_TEXTS = 600 };

struct world {
    struct jc_dataset *dataset;
    float vectors[MAX_TEXTS][DIM]; /* of text i */
    uint32_t n_texts;
    float centres[CLUSTERS][DIM];
    struct jc_rng rng;
};

static void world_init(struct world *world, uint64_t seed)
{
    *world = (struct world){.dataset = fixture_dataset(CLUSTERS), .rng = jc_rng_seeded(seed)};
    for (size_t c = 0; c < CLUSTERS; c++) {
        for (size_t k = 0; k < DIM; k++)
            world->centres[c][k] = (float)(jc_rng_unit(&world->rng) - .5);
        (void)jc_vec_normalize(world->centres[c], DIM);
    }
}

static void world_finish(struct world *world)
{
    jc_dataset_destroy(world->dataset);
}

/* A new title near the centre of a cluster. */
static uint32_t add_text(struct world *world, uint32_t cluster, double noise)
{
    REQUIRE(world->n_texts < MAX_TEXTS);
    float *vector = world->vectors[world->n_texts];
    for (size_t k = 0; k < DIM; k++)
        vector[k] = world->centres[cluster][k] + (float)(noise * (jc_rng_unit(&world->rng) - .5));
    (void)jc_vec_normalize(vector, DIM);
    return world->n_texts++;
}

static struct jc_train_data view(const struct world *world, unsigned n_threads)
{
    return (struct jc_train_data){
        .dataset = world->dataset, .vectors = world->vectors[0], .dim = DIM, .n_threads = n_threads};
}

static struct jc_mislabelled find(const struct world *world, unsigned roles, unsigned n_threads)
{
    struct jc_train_data data = view(world, n_threads);
    struct jc_mislabelled found;
    REQUIRE_OK(jc_mislabelled_find(&data, roles, &found, &err));
    return found;
}

/* Tight clusters of 30 titles, and five rows that say another category than their title. */
static void test_planted(void)
{
    enum { PLANTED = 5 };
    __attribute__((cleanup(world_finish))) struct world world;
    world_init(&world, 3);
    for (uint32_t i = 0; i < 30 * CLUSTERS; i++)
        fixture_add(world.dataset, i % CLUSTERS, add_text(&world, i % CLUSTERS, .3), JC_ROLE_TRAIN);
    uint32_t first = (uint32_t)world.dataset->n_examples;
    for (uint32_t i = 0; i < PLANTED; i++)
        fixture_add(world.dataset, 2 * i, add_text(&world, 2 * i + 1, .3), JC_ROLE_TEST);

    struct jc_mislabelled found = find(&world, JC_ROLE_ANY, 2);
    CHECK_INT(found.n_rows, 30 * CLUSTERS + PLANTED);
    CHECK_INT(found.n_checked, found.n_rows);
    CHECK_INT(found.n_suspect, PLANTED);
    REQUIRE(found.n_suspects == PLANTED);
    bool seen[PLANTED] = {false};
    for (size_t i = 0; i < PLANTED; i++) {
        const struct jc_suspect *suspect = &found.suspects[i];
        REQUIRE(suspect->example >= first);
        uint32_t which = suspect->example - first;
        CHECK(!seen[which]);
        seen[which] = true;
        CHECK_INT(suspect->suggested, 2 * which + 1);
        CHECK_INT(suspect->n_rows, 1);
        CHECK((double)suspect->probability >= JC_SUSPECT_OTHER && (double)suspect->own_probability <= JC_SUSPECT_OWN);
        CHECK(i == 0 || suspect->probability <= found.suspects[i - 1].probability);
    }
    CHECK_INT(find(&world, JC_ROLE_TRAIN, 1).n_suspect, 0);
}

/* What keeps a title that lies in another cluster from being a suspect. */
static void test_exceptions(void)
{
    enum { ROWS = 100 };
    __attribute__((cleanup(world_finish))) struct world world;
    world_init(&world, 4);
    for (uint32_t i = 0; i < ROWS * 4; i++)
        fixture_add(world.dataset, i % 4, add_text(&world, i % 4, .3), JC_ROLE_TRAIN);
    /* It stands under the other code too. */
    uint32_t both = add_text(&world, 1, .3);
    fixture_add(world.dataset, 0, both, JC_ROLE_TRAIN);
    fixture_add(world.dataset, 1, both, JC_ROLE_TRAIN);
    /* Its category has two rows of other titles, and that its own title stands there often does not help. */
    uint32_t rare = add_text(&world, 2, .3);
    for (uint32_t i = 0; i < 5; i++)
        fixture_add(world.dataset, 5, rare, JC_ROLE_TRAIN);
    for (uint32_t i = 0; i < 2; i++)
        fixture_add(world.dataset, 5, add_text(&world, 5, .3), JC_ROLE_TRAIN);
    /* What looks better has two rows. */
    fixture_add(world.dataset, 7, add_text(&world, 7, .1), JC_ROLE_TRAIN);
    fixture_add(world.dataset, 7, add_text(&world, 7, .1), JC_ROLE_TRAIN);
    fixture_add(world.dataset, 0, add_text(&world, 7, .1), JC_ROLE_TRAIN);
    /* It was cut from a body. */
    struct jc_example cut = {.category = 0,
                             .text = add_text(&world, 1, .3),
                             .parent = 0,
                             .n_sources = 1,
                             .weight = 1,
                             .role = JC_ROLE_TRAIN};
    REQUIRE_OK(jc_dataset_add(world.dataset, &cut, &err));

    struct jc_mislabelled found = find(&world, JC_ROLE_ANY, 2);
    CHECK_INT(found.n_suspect, 0);
    CHECK_INT(found.n_rows, ROWS * 4 + 5); /* without 5 + 2 + 1 */
    /* And without any of that it is one: two rows of a title. */
    uint32_t wrong = add_text(&world, 1, .3), example = (uint32_t)world.dataset->n_examples;
    fixture_add(world.dataset, 0, wrong, JC_ROLE_TRAIN);
    fixture_add(world.dataset, 0, wrong, JC_ROLE_TRAIN);
    found = find(&world, JC_ROLE_ANY, 2);
    CHECK_INT(found.n_suspect, 2);
    REQUIRE(found.n_suspects == 1);
    CHECK_INT(found.suspects[0].example, example);
    CHECK_INT(found.suspects[0].n_rows, 2);
    CHECK_INT(found.suspects[0].suggested, 1);
}

/* Of example i, by the definition. Probabilities [CLUSTERS] at the given sharpness. */
static void judge_slowly(const struct world *world, size_t i, double sharpness, double *ret_probabilities)
{
    const struct jc_example *left_out = &world->dataset->examples[i];
    double scores[CLUSTERS], sum = 0;
    for (uint32_t c = 0; c < CLUSTERS; c++) {
        double mean[DIM] = {0}, square = 0, dot = 0;
        for (size_t j = 0; j < world->dataset->n_examples; j++) {
            const struct jc_example *other = &world->dataset->examples[j];
            if (other->category != c || (c == left_out->category && other->text == left_out->text))
                continue;
            for (size_t k = 0; k < DIM; k++)
                mean[k] += (double)other->weight * (double)world->vectors[other->text][k];
        }
        for (size_t k = 0; k < DIM; k++) {
            square += mean[k] * mean[k];
            dot += mean[k] * (double)world->vectors[left_out->text][k];
        }
        scores[c] = square > 0 ? exp(sharpness * dot / sqrt(square)) : 0;
        sum += scores[c];
    }
    for (size_t c = 0; c < CLUSTERS; c++)
        ret_probabilities[c] = scores[c] / sum;
}

static size_t count_others(const struct world *world, const struct jc_example *example)
{
    size_t n = 0;
    for (size_t j = 0; j < world->dataset->n_examples; j++)
        n += world->dataset->examples[j].category == example->category &&
             world->dataset->examples[j].text != example->text;
    return n;
}

static bool stands_in(const struct world *world, uint32_t text, uint32_t category)
{
    for (size_t j = 0; j < world->dataset->n_examples; j++)
        if (world->dataset->examples[j].text == text && world->dataset->examples[j].category == category)
            return true;
    return false;
}

static double measure_nll(const struct world *world, double sharpness)
{
    double sum = 0;
    for (size_t i = 0; i < world->dataset->n_examples; i++) {
        const struct jc_example *example = &world->dataset->examples[i];
        double p[CLUSTERS];
        bool is_first = true; /* of its title and category */
        for (size_t j = 0; j < i; j++)
            is_first &= world->dataset->examples[j].text != example->text ||
                        world->dataset->examples[j].category != example->category;
        if (!is_first || count_others(world, example) < JC_SUSPECT_ROWS)
            continue;
        judge_slowly(world, i, sharpness, p);
        sum -= log(p[example->category]);
    }
    return sum;
}

/* Clusters of very different sizes, a tenth of the labels wrong, titles that stand in several rows. */
static void make_messy(struct world *world)
{
    world_init(world, 7);
    for (uint32_t i = 0; i < 500; i++) {
        double u = jc_rng_unit(&world->rng);
        uint32_t cluster = (uint32_t)(u * u * CLUSTERS), category = cluster;
        if (jc_rng_unit(&world->rng) < .1)
            category = (uint32_t)(jc_rng_unit(&world->rng) * CLUSTERS);
        uint32_t text = add_text(world, cluster, .4);
        do {
            struct jc_example example = {.category = category,
                                         .text = text,
                                         .parent = JC_EXAMPLE_NO_PARENT,
                                         .n_sources = 1,
                                         .weight = (float)(.5 + jc_rng_unit(&world->rng)),
                                         .role = JC_ROLE_TRAIN};
            REQUIRE_OK(jc_dataset_add(world->dataset, &example, &err));
            if (jc_rng_unit(&world->rng) < .3)
                category = (uint32_t)(jc_rng_unit(&world->rng) * CLUSTERS);
        } while (jc_rng_unit(&world->rng) < .3);
    }
}

static void test_against_slow(void)
{
    __attribute__((cleanup(world_finish))) struct world world;
    make_messy(&world);
    struct jc_mislabelled found = find(&world, JC_ROLE_ANY, 2);
    size_t n_suspect = 0, n_rows = 0;
    for (size_t i = 0; i < world.dataset->n_examples; i++) {
        const struct jc_example *example = &world.dataset->examples[i];
        double p[CLUSTERS];
        if (count_others(&world, example) < JC_SUSPECT_ROWS)
            continue;
        n_rows++;
        judge_slowly(&world, i, (double)found.sharpness, p);
        uint32_t best = example->category == 0;
        for (uint32_t c = 0; c < CLUSTERS; c++)
            if (c != example->category && p[c] > p[best])
                best = c;
        bool is_suspect = p[best] >= JC_SUSPECT_OTHER && p[example->category] <= JC_SUSPECT_OWN &&
                          !stands_in(&world, example->text, best);
        n_suspect += is_suspect;
        for (size_t s = 0; s < found.n_suspects; s++)
            if (found.suspects[s].example == i) {
                CHECK(is_suspect);
                CHECK_INT(found.suspects[s].suggested, best);
                CHECK_NEAR(found.suspects[s].probability, p[best], 1e-4);
                CHECK_NEAR(found.suspects[s].own_probability, p[example->category], 1e-4);
            }
    }
    CHECK_INT(found.n_rows, n_rows);
    CHECK_INT(found.n_suspect, n_suspect);
    CHECK(n_suspect > 15);
    /* The likeliest sharpness: both neighbours are worse. */
    double nll = measure_nll(&world, (double)found.sharpness);
    CHECK(nll < measure_nll(&world, (double)found.sharpness * 1.02));
    CHECK(nll < measure_nll(&world, (double)found.sharpness / 1.02));
}

/* Threads share the work and do not change a bit of the result. */
static void test_threads(void)
{
    __attribute__((cleanup(world_finish))) struct world world;
    make_messy(&world);
    struct jc_mislabelled one = find(&world, JC_ROLE_ANY, 1), three = find(&world, JC_ROLE_ANY, 3);
    CHECK_INT(one.n_suspect, three.n_suspect);
    REQUIRE(one.n_suspects == three.n_suspects && one.n_suspects > 0);
    CHECK(memcmp(one.suspects, three.suspects, one.n_suspects * sizeof(*one.suspects)) == 0);
}

/* More suspects than are listed: the surest of them, in order. */
static void test_full_list(void)
{
    __attribute__((cleanup(world_finish))) struct world world;
    world_init(&world, 9);
    for (uint32_t i = 0; i < 600; i++) {
        uint32_t away = i < 520 ? 0 : 1 + i % (CLUSTERS - 1);
        fixture_add(world.dataset, (i + away) % CLUSTERS, add_text(&world, i % CLUSTERS, .25), JC_ROLE_TRAIN);
    }
    struct jc_mislabelled found = find(&world, JC_ROLE_ANY, 2);
    CHECK(found.n_suspect > 60 && found.n_suspect <= 80);
    REQUIRE(found.n_suspects == JC_SUSPECTS);
    for (size_t i = 0; i < JC_SUSPECTS; i++) {
        CHECK(found.suspects[i].example >= 520);
        CHECK(i == 0 || found.suspects[i].probability <= found.suspects[i - 1].probability);
    }
}

static void test_nothing_to_check(void)
{
    __attribute__((cleanup(world_finish))) struct world world;
    world_init(&world, 5);
    struct jc_mislabelled found = find(&world, JC_ROLE_ANY, 2);
    CHECK_INT(found.n_rows, 0);
    for (uint32_t i = 0; i < 3; i++)
        fixture_add(world.dataset, 0, add_text(&world, i, .3), JC_ROLE_TRAIN);
    found = find(&world, JC_ROLE_ANY, 2);
    CHECK_INT(found.n_checked, 0);
    CHECK_INT(found.n_suspects, 0);
    /* One category and nothing to suggest. */
    fixture_add(world.dataset, 0, add_text(&world, 3, .3), JC_ROLE_TRAIN);
    found = find(&world, JC_ROLE_ANY, 2);
    CHECK_INT(found.n_checked, 4);
    CHECK_INT(found.n_suspect, 0);
}

int main(void)
{
    jc_linalg_init();
    test_planted();
    test_exceptions();
    test_against_slow();
    test_threads();
    test_full_list();
    test_nothing_to_check();
    return check_finish();
}
