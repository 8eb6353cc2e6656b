/* The cache: whole keys, prefixes of answers, generations; against a list that is searched from end to end, over random
 * operations; the bound; many threads. */
#include "server/queue/cache.h"

#include <pthread.h>

#include "answers.h"
#include "check.h"

static struct jc_cache *create(size_t n_bytes)
{
    struct jc_err err;
    struct jc_cache *cache;
    REQUIRE_OK(jc_cache_create(n_bytes, &cache, &err));
    return cache;
}

static bool get(struct jc_cache *cache, uint64_t generation, struct jc_input *input)
{
    return jc_cache_get(cache, generation, jc_cache_hash(cache, generation, input), input);
}

static size_t put(struct jc_cache *cache, uint64_t generation, const struct jc_input *input)
{
    return jc_cache_put(cache, generation, jc_cache_hash(cache, generation, input), input);
}

static void put_text(struct jc_cache *cache, uint64_t generation, uint32_t text, uint32_t top_n)
{
    struct answer_memory memory;
    struct jc_input input;
    answer_init(&input, &memory, text, top_n);
    answer_compute(&input, generation);
    put(cache, generation, &input);
}

static bool get_text(struct jc_cache *cache, uint64_t generation, uint32_t text, uint32_t top_n)
{
    struct answer_memory memory = {0};
    struct jc_input input;
    answer_init(&input, &memory, text, top_n);
    if (!get(cache, generation, &input))
        return false;
    CHECK(answer_is_right(&input, generation));
    return true;
}

static void test_keys(void)
{
    JC_AUTO(jc_cache) struct jc_cache *cache = create(1 << 20);
    struct answer_memory memory;
    struct jc_input input;
    answer_init(&input, &memory, 7, 5);
    answer_compute(&input, 1);
    CHECK(!get(cache, 1, &input));
    CHECK_INT(put(cache, 1, &input), 0);
    CHECK(get_text(cache, 1, 7, 5));
    CHECK(get_text(cache, 1, 7, 3)); /* the head of a longer answer */
    CHECK(!get_text(cache, 1, 7, 6));
    CHECK(!get_text(cache, 2, 7, 5));
    CHECK(!get_text(cache, 1, 8, 5));

    /* Not the same key: another level; a longer text, and one cut short, that begin alike. */
    int32_t longer[ANSWER_IDS + 1] = {0};
    memcpy(longer, memory.ids, sizeof memory.ids);
    struct jc_input other = input;
    other.level = JC_LEVEL_MAJOR;
    CHECK(!get(cache, 1, &other));
    other = input;
    other.ids = longer;
    other.n_ids++;
    CHECK(!get(cache, 1, &other));
    other.n_ids -= 2;
    CHECK(!get(cache, 1, &other));
    CHECK(!jc_cache_same_key(&input, &other));

    put_text(cache, 1, 7, 2); /* does not replace what has more */
    CHECK(get_text(cache, 1, 7, 5));
    put_text(cache, 1, 7, 8);
    CHECK(get_text(cache, 1, 7, 8));
    CHECK_INT(jc_cache_size(cache).n_entries, 1);
}

/* A model of three categories: asked for five, it has said all it can, also to who asks for eight. */
static void test_complete_answers(void)
{
    JC_AUTO(jc_cache) struct jc_cache *cache = create(1 << 20);
    struct answer_memory memory;
    struct jc_input input;
    answer_init(&input, &memory, 7, 5);
    answer_compute(&input, 1);
    input.n_hits = 3;
    put(cache, 1, &input);
    input.top_n = 8;
    input.n_hits = 0;
    CHECK(get(cache, 1, &input));
    CHECK_INT(input.n_hits, 3);
}

/* Without evidence an answer does not serve who wants some. */
static void test_evidence(void)
{
    JC_AUTO(jc_cache) struct jc_cache *cache = create(1 << 20);
    struct answer_memory memory;
    struct jc_input input, bare;
    answer_init(&input, &memory, 7, 5);
    answer_compute(&input, 1);
    bare = input;
    bare.evidence = NULL;
    put(cache, 1, &bare);
    CHECK(get(cache, 1, &bare));
    CHECK(!get(cache, 1, &input));
    put(cache, 1, &input);
    CHECK(get(cache, 1, &input) && get(cache, 1, &bare));
}

static void test_clear(void)
{
    JC_AUTO(jc_cache) struct jc_cache *cache = create(1 << 20);
    for (uint32_t text = 0; text < 300; text++)
        put_text(cache, 1 + text % 3, text, 5);
    size_t n_bytes = jc_cache_size(cache).n_bytes;
    jc_cache_clear(cache, 2);
    CHECK_INT(jc_cache_size(cache).n_entries, 200);
    CHECK(jc_cache_size(cache).n_bytes < n_bytes);
    for (uint32_t text = 0; text < 300; text++)
        CHECK(get_text(cache, 1 + text % 3, text, 5) == (text % 3 != 1));
}

static void test_bound(void)
{
    static const size_t bounds[] = {4096, 10000, 65536, 1 << 20};
    for (size_t b = 0; b < JC_COUNT(bounds); b++) {
        JC_AUTO(jc_cache) struct jc_cache *cache = create(bounds[b]);
        for (uint32_t text = 0; text < 20000; text++)
            put_text(cache, 1, text, 1 + text % ANSWER_TOP);
        struct jc_cache_size size = jc_cache_size(cache);
        check_report(size.n_bytes <= bounds[b], __FILE__, __LINE__, "%zu bytes, not at most %zu", size.n_bytes,
                     bounds[b]);
        check_report(bounds[b] < 65536 || size.n_bytes > bounds[b] / 2, __FILE__, __LINE__, "%zu bytes of %zu are used",
                     size.n_bytes, bounds[b]);
    }
    JC_AUTO(jc_cache) struct jc_cache *tiny = create(1); /* holds nothing, and works */
    put_text(tiny, 1, 7, 5);
    CHECK(!get_text(tiny, 1, 7, 5));
}

/* The cache over one shard's keys and a list of what it must hold, last used first. Every key here is of shard 0, and
 * every entry of the same size, so that the shard holds a number of entries that the test finds out. */
enum { N_TEXTS = 400 };

struct list {
    uint32_t texts[N_TEXTS], tops[N_TEXTS];
    size_t n, cap;
};

/* Puts the text first; where it is new and the list is full, the last goes. */
static void list_use(struct list *list, uint32_t text, uint32_t top_n)
{
    size_t at = 0;
    while (at < list->n && list->texts[at] != text)
        at++;
    if (at == list->n && list->n < list->cap)
        list->n++;
    else if (at == list->n)
        at--;
    memmove(list->texts + 1, list->texts, at * sizeof *list->texts);
    memmove(list->tops + 1, list->tops, at * sizeof *list->tops);
    list->texts[0] = text;
    list->tops[0] = top_n;
}

static bool list_has(const struct list *list, uint32_t text)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->texts[i] == text)
            return true;
    return false;
}

static bool is_of_shard_0(struct jc_cache *cache, uint32_t text)
{
    struct answer_memory memory;
    struct jc_input input;
    answer_init(&input, &memory, text, 5);
    return jc_cache_hash(cache, 1, &input) >> 60 == 0;
}

static void test_against_list(void)
{
    JC_AUTO(jc_cache) struct jc_cache *cache = create(256 * 1024);
    uint32_t texts[N_TEXTS];
    for (uint32_t text = 0, n = 0; n < N_TEXTS; text++)
        if (is_of_shard_0(cache, text))
            texts[n++] = text;
    for (size_t i = 0; i < N_TEXTS; i++)
        put_text(cache, 1, texts[i], 5);
    struct list list = {.cap = jc_cache_size(cache).n_entries};
    REQUIRE(list.cap > 10 && list.cap < N_TEXTS / 2);
    for (size_t i = 0; i < N_TEXTS; i++)
        list_use(&list, texts[i], 5);

    struct jc_rng rng = jc_rng_seeded(1);
    for (int step = 0; step < 50000; step++) {
        uint32_t text = texts[(size_t)(jc_rng_unit(&rng) * jc_rng_unit(&rng) * N_TEXTS)];
        if (jc_rng_next(&rng) % 3 == 0) {
            put_text(cache, 1, text, 5);
            list_use(&list, text, 5);
            continue;
        }
        bool found = get_text(cache, 1, text, 5);
        REQUIRE(found == list_has(&list, text));
        if (found)
            list_use(&list, text, 5);
    }
    CHECK_INT(jc_cache_size(cache).n_entries, list.cap);
}

enum { N_THREADS = 4, N_STEPS = 20000 };

struct user {
    pthread_t thread;
    struct jc_cache *cache;
    uint64_t seed;
    size_t n_hits, n_wrong;
};

static void *use_cache(void *context)
{
    struct user *user = context;
    struct jc_rng rng = jc_rng_seeded(user->seed);
    for (int step = 0; step < N_STEPS; step++) {
        uint64_t draw = jc_rng_next(&rng), generation = 1 + (draw >> 40) % 2;
        struct answer_memory memory;
        struct jc_input input;
        answer_init(&input, &memory, (uint32_t)(draw % 500), 1 + (uint32_t)(draw >> 20) % ANSWER_TOP);
        if (draw >> 50 == 0)
            jc_cache_clear(user->cache, generation);
        if (get(user->cache, generation, &input)) {
            user->n_hits++;
            user->n_wrong += !answer_is_right(&input, generation);
        } else {
            answer_compute(&input, generation);
            put(user->cache, generation, &input);
        }
    }
    return NULL;
}

static void test_threads(void)
{
    JC_AUTO(jc_cache) struct jc_cache *cache = create(128 * 1024);
    struct user users[N_THREADS] = {0};
    for (size_t i = 0; i < N_THREADS; i++) {
        users[i].cache = cache;
        users[i].seed = i;
        REQUIRE(pthread_create(&users[i].thread, NULL, use_cache, &users[i]) == 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        pthread_join(users[i].thread, NULL);
        CHECK(users[i].n_hits > 0);
        CHECK_INT(users[i].n_wrong, 0);
    }
    CHECK(jc_cache_size(cache).n_bytes <= 128 * 1024);
}

int main(void)
{
    test_keys();
    test_complete_answers();
    test_evidence();
    test_clear();
    test_bound();
    test_against_list();
    test_threads();
    return check_finish();
}
