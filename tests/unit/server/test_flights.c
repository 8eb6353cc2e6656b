/* Flights, step by step: who leads, who follows, who takes over, and what becomes of followers where a leader is gone,
 * late or fails. */
#include "server/queue/flights.h"

#include <sys/socket.h>
#include <unistd.h>

#include "answers.h"
#include "check.h"
#include "server/queue/batcher.h"

enum { N = 4 };

struct scene {
    struct jc_cache *cache;
    struct jc_flights *flights;
    struct jc_ticket tickets[N];
    struct jc_item items[N];
    struct answer_memory memories[N];
};

/* N tickets of one item each, all of the same text. */
static void open_scene(struct scene *scene)
{
    struct jc_err err;
    *scene = (struct scene){.cache = NULL};
    REQUIRE_OK(jc_cache_create(1 << 20, &scene->cache, &err));
    REQUIRE_OK(jc_flights_create(scene->cache, false, &scene->flights, &err));
    for (int i = 0; i < N; i++) {
        scene->tickets[i] = (struct jc_ticket){.generation = 1, .deadline_ns = 1000, .fd = -1};
        answer_init(&scene->items[i].input, &scene->memories[i], 7, 5);
        scene->items[i].ticket = &scene->tickets[i];
        scene->items[i].flight.hash = jc_cache_hash(scene->cache, 1, &scene->items[i].input);
    }
}

static void close_scene(struct scene *scene)
{
    jc_flights_destroy(scene->flights);
    jc_cache_destroy(scene->cache);
}

static enum jc_flights_way join(struct scene *scene, int i)
{
    return jc_flights_join(scene->flights, &scene->items[i]);
}

static struct jc_item *land(struct scene *scene, int i)
{
    size_t n_evicted;
    answer_compute(&scene->items[i].input, 1);
    return jc_flights_land(scene->flights, &scene->items[i], &n_evicted);
}

static size_t length(const struct jc_item *list)
{
    size_t n = 0;
    for (; list; list = list->next)
        n++;
    return n;
}

static void test_land(void)
{
    struct scene scene;
    open_scene(&scene);
    CHECK_INT(join(&scene, 0), JC_FLIGHTS_LEADS);
    CHECK_INT(join(&scene, 1), JC_FLIGHTS_FOLLOWS);
    CHECK_INT(join(&scene, 2), JC_FLIGHTS_FOLLOWS);
    CHECK_INT(length(land(&scene, 0)), 2);
    CHECK_INT(join(&scene, 3), JC_FLIGHTS_ANSWERED);
    CHECK(answer_is_right(&scene.items[3].input, 1));
    close_scene(&scene);
}

/* Other texts, levels, models and larger answers fly on their own. */
static void test_strangers(void)
{
    struct scene scene;
    open_scene(&scene);
    CHECK_INT(join(&scene, 0), JC_FLIGHTS_LEADS);
    scene.items[1].input.level = JC_LEVEL_MAJOR; /* with the same hash: keys are compared */
    CHECK_INT(join(&scene, 1), JC_FLIGHTS_LEADS);
    scene.tickets[2].generation = 2;
    CHECK_INT(join(&scene, 2), JC_FLIGHTS_LEADS);
    scene.items[3].input.top_n = 6;
    CHECK_INT(join(&scene, 3), JC_FLIGHTS_LEADS);
    for (int i = 0; i < N; i++)
        CHECK(land(&scene, i) == NULL);
    close_scene(&scene);
}

static void test_smaller_follows(void)
{
    struct scene scene;
    open_scene(&scene);
    scene.items[1].input.top_n = 3;
    CHECK_INT(join(&scene, 0), JC_FLIGHTS_LEADS);
    CHECK_INT(join(&scene, 1), JC_FLIGHTS_FOLLOWS);
    CHECK_INT(length(land(&scene, 0)), 1);
    close_scene(&scene);
}

/* The leader stands three turns deep in a large ticket: a single title does not wait for it, its followers neither. */
static void test_take_over(void)
{
    struct scene scene;
    open_scene(&scene);
    scene.items[0].place = 3 * JC_BATCHER_QUANTUM;
    scene.items[1].place = 3 * JC_BATCHER_QUANTUM;
    CHECK_INT(join(&scene, 0), JC_FLIGHTS_LEADS);
    CHECK_INT(join(&scene, 1), JC_FLIGHTS_FOLLOWS); /* as deep itself */
    CHECK_INT(join(&scene, 2), JC_FLIGHTS_LEADS);
    CHECK(atomic_load(&scene.items[0].flight.superseded));
    CHECK_INT(join(&scene, 3), JC_FLIGHTS_FOLLOWS);
    CHECK_INT(length(land(&scene, 2)), 2);
    CHECK_INT(join(&scene, 0), JC_FLIGHTS_ANSWERED); /* when its turn comes */
    CHECK(answer_is_right(&scene.items[0].input, 1));
    close_scene(&scene);
}

/* The same leader, once its ticket has had its turns: it is next, or under way. */
static void test_near_leader(void)
{
    struct scene scene;
    open_scene(&scene);
    scene.items[0].place = 3 * JC_BATCHER_QUANTUM;
    CHECK_INT(join(&scene, 0), JC_FLIGHTS_LEADS);
    atomic_store(&scene.tickets[0].n_taken, 3 * JC_BATCHER_QUANTUM);
    CHECK_INT(join(&scene, 1), JC_FLIGHTS_FOLLOWS);
    atomic_store(&scene.tickets[0].n_taken, 3 * JC_BATCHER_QUANTUM + 1);
    CHECK_INT(join(&scene, 2), JC_FLIGHTS_FOLLOWS);
    CHECK_INT(length(land(&scene, 0)), 2);
    close_scene(&scene);
}

/* Who was superseded and is taken before the new leader lands follows that one; landed, it owes nobody anything. */
static void test_superseded(void)
{
    struct scene scene;
    open_scene(&scene);
    scene.items[0].place = JC_BATCHER_QUANTUM;
    CHECK_INT(join(&scene, 0), JC_FLIGHTS_LEADS);
    CHECK_INT(join(&scene, 1), JC_FLIGHTS_LEADS);
    CHECK(jc_flights_hand_over(scene.flights, &scene.items[0]) == NULL); /* has no flight to hand over */
    atomic_store(&scene.tickets[0].n_taken, JC_BATCHER_QUANTUM + 1);
    CHECK_INT(join(&scene, 0), JC_FLIGHTS_FOLLOWS);
    CHECK(land(&scene, 1) == &scene.items[0]);
    CHECK(land(&scene, 1) == NULL);
    close_scene(&scene);
}

static void test_failure(void)
{
    struct scene scene;
    open_scene(&scene);
    for (int i = 0; i < 3; i++)
        join(&scene, i);
    struct jc_item *second = jc_flights_hand_over(scene.flights, &scene.items[0]);
    REQUIRE(second == &scene.items[1] || second == &scene.items[2]);
    CHECK(second->next == NULL);
    CHECK_INT(join(&scene, 3), JC_FLIGHTS_FOLLOWS); /* who comes meanwhile follows the second */
    struct jc_item *third = jc_flights_hand_over(scene.flights, second);
    REQUIRE(third && third != second);
    size_t n_evicted;
    answer_compute(&third->input, 1);
    CHECK_INT(length(jc_flights_land(scene.flights, third, &n_evicted)), 1);
    close_scene(&scene);
}

static void test_abandon(void)
{
    struct scene scene;
    struct jc_item *dropped = NULL;
    open_scene(&scene);
    scene.tickets[0].deadline_ns = 10;
    scene.tickets[1].deadline_ns = 20;
    join(&scene, 0);
    join(&scene, 1);
    CHECK(!jc_flights_abandon(scene.flights, &scene.items[0], 15, &dropped)); /* the follower has time */
    CHECK(dropped == NULL);
    CHECK_INT(join(&scene, 2), JC_FLIGHTS_FOLLOWS);
    atomic_store(&scene.tickets[2].gone, true);
    CHECK(jc_flights_abandon(scene.flights, &scene.items[0], 25, &dropped)); /* nobody has */
    CHECK_INT(length(dropped), 3);
    CHECK_INT(join(&scene, 3), JC_FLIGHTS_LEADS);
    dropped = NULL;
    CHECK(jc_flights_abandon(scene.flights, &scene.items[3], 25, &dropped));
    CHECK(dropped == &scene.items[3] && length(dropped) == 1);
    close_scene(&scene);
}

/* The leader is late and its follower has time; nobody knows that the follower's client left until it is asked for. */
static void test_ask_clients(void)
{
    struct scene scene;
    struct jc_item *dropped = NULL;
    int ends[2];
    open_scene(&scene);
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    scene.tickets[0].deadline_ns = 10;
    scene.tickets[1].fd = ends[0];
    join(&scene, 0);
    join(&scene, 1);
    jc_flights_ask_clients(scene.flights, &scene.items[0], 15);
    CHECK(!atomic_load(&scene.tickets[1].gone));
    close(ends[1]);
    CHECK(!jc_flights_abandon(scene.flights, &scene.items[0], 15, &dropped));
    jc_flights_ask_clients(scene.flights, &scene.items[0], 15);
    CHECK(jc_flights_abandon(scene.flights, &scene.items[0], 15, &dropped));
    CHECK_INT(length(dropped), 2);
    CHECK(atomic_load(&scene.tickets[1].gone));
    close(ends[0]);
    close_scene(&scene);
}

int main(void)
{
    test_land();
    test_strangers();
    test_smaller_follows();
    test_take_over();
    test_near_leader();
    test_superseded();
    test_failure();
    test_abandon();
    test_ask_clients();
    return check_finish();
}
