/* The model slot: what was taken stays until it is given back, whatever is swapped in, and nothing stays longer. */
#include "server/life/model_slot.h"

#include <pthread.h>
#include <sched.h>

#include "model/canary.h"
#include "model/encoder.h"
#include "two_models.h"

enum { N_USERS = 4, N_SWAPS = 200 };

static void test_references(void)
{
    struct jc_err err;
    JC_AUTO(jc_model_slot) struct jc_model_slot *slot = NULL;
    REQUIRE_OK(jc_model_slot_create(NULL, &slot, &err));
    CHECK(jc_model_slot_take(slot) == NULL);
    jc_model_give(NULL);

    struct jc_model *first = two_models_load(0, 1), *second = two_models_load(1, 1);
    CHECK(strcmp(first->identity, second->identity) != 0);
    jc_model_slot_swap(slot, first);
    struct jc_model *a = jc_model_slot_take(slot), *b = jc_model_slot_take(slot);
    CHECK(a == first && b == first);
    CHECK_INT(jc_model_slot_reap(slot), 0);

    jc_model_slot_swap(slot, second);
    CHECK_INT(jc_model_slot_reap(slot), 1);
    struct jc_model *c = jc_model_slot_take(slot);
    CHECK(c == second);
    CHECK(first->generation > 0 && second->generation > first->generation);
    jc_model_give(a);
    CHECK_INT(jc_model_slot_reap(slot), 1);
    REQUIRE_OK(jc_canary_run_all(b->classifier, b->sessions[0], &err)); /* swapped out, and as good as ever */
    jc_model_give(b);
    CHECK_INT(jc_model_slot_reap(slot), 0);
    jc_model_give(c);
}

static void test_identity(void)
{
    struct jc_err err;
    char identity[JC_SHA256_HEX];
    JC_AUTO(jc_model) struct jc_model *model = two_models_load(0, 1);
    REQUIRE_OK(jc_model_identify(two_models_path(0), identity, &err));
    CHECK_STR(model->identity, identity);
    CHECK_FAILS(jc_model_identify("/nonexistent", identity, &err), JC_E_NOT_FOUND, "/nonexistent/manifest.json");
}

struct user {
    struct jc_model_slot *slot;
    pthread_t thread;
    size_t number;
    atomic_bool *stopping;
    size_t n_uses[2], n_wrong;
};

static void *use(void *context)
{
    struct user *user = context;
    while (!atomic_load(user->stopping)) {
        struct jc_err err;
        struct jc_model *model = jc_model_slot_take(user->slot);
        if (jc_canary_run_all(model->classifier, model->sessions[user->number], &err) != JC_OK)
            user->n_wrong++;
        size_t n;
        const char *code = jc_bundle_categories(jc_classifier_bundle(model->classifier), &n)[0].code;
        user->n_uses[code[9] - '0']++;
        jc_model_give(model);
        sched_yield();
    }
    return NULL;
}

static void test_threads(void)
{
    struct jc_err err;
    atomic_bool stopping = false;
    JC_AUTO(jc_model_slot) struct jc_model_slot *slot = NULL;
    REQUIRE_OK(jc_model_slot_create(NULL, &slot, &err));
    jc_model_slot_swap(slot, two_models_load(0, N_USERS));
    struct user users[N_USERS];
    for (size_t i = 0; i < N_USERS; i++) {
        users[i] = (struct user){.slot = slot, .number = i, .stopping = &stopping};
        REQUIRE(pthread_create(&users[i].thread, NULL, use, &users[i]) == 0);
    }
    for (size_t i = 1; i <= N_SWAPS; i++) {
        jc_model_slot_swap(slot, two_models_load(i % 2, N_USERS));
        size_t n_used = jc_model_slot_reap(slot);
        check_report(n_used <= N_USERS, __FILE__, __LINE__, "%zu models are used by %d users", n_used, N_USERS);
    }
    atomic_store(&stopping, true);
    for (size_t i = 0; i < N_USERS; i++) {
        pthread_join(users[i].thread, NULL);
        CHECK_INT(users[i].n_wrong, 0);
        CHECK(users[i].n_uses[0] + users[i].n_uses[1] > 0);
    }
    CHECK_INT(jc_model_slot_reap(slot), 0);
}

int main(void)
{
    two_models_write();
    test_references();
    test_identity();
    test_threads();
    return check_finish();
}
