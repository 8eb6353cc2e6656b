/* Teams: every member runs once and in step, member 0 is the caller, and a team that cannot start does nothing. */
#include "trainer/methods/team.h"

#include "check.h"

enum { MAX_MEMBERS = 9, STEPS = 200 };

static struct jc_err err;

struct count {
    pthread_t caller;
    int n_runs[MAX_MEMBERS], steps[MAX_MEMBERS], n_behind[MAX_MEMBERS];
    int was_caller[MAX_MEMBERS];
};

/* Between two waits no member is a step ahead or behind. */
static void work(void *context, struct jc_team *team, unsigned member)
{
    struct count *count = context;
    count->n_runs[member]++;
    count->was_caller[member] = pthread_equal(count->caller, pthread_self()) != 0;
    for (int step = 1; step <= STEPS; step++) {
        count->steps[member] = step;
        jc_team_wait(team);
        for (unsigned i = 0; i < team->n_members; i++)
            count->n_behind[member] += count->steps[i] != step;
        jc_team_wait(team);
    }
}

static void check_team(unsigned n_members)
{
    struct count count = {.caller = pthread_self()};
    REQUIRE_OK(jc_team_run(n_members, work, &count, &err));
    for (unsigned i = 0; i < MAX_MEMBERS; i++) {
        CHECK_INT(count.n_runs[i], i < n_members);
        CHECK_INT(count.steps[i], i < n_members ? STEPS : 0);
        CHECK_INT(count.n_behind[i], 0);
        CHECK_INT(count.was_caller[i], i == 0);
    }
}

/* No address space has room for such a stack. */
static void test_no_threads(void)
{
    struct count count = {.caller = pthread_self()};
    pthread_attr_t usual, huge;
    REQUIRE(pthread_getattr_default_np(&usual) == 0);
    REQUIRE(pthread_attr_init(&huge) == 0);
    REQUIRE(pthread_attr_setstacksize(&huge, (size_t)1 << 50) == 0);
    REQUIRE(pthread_setattr_default_np(&huge) == 0);
    CHECK_FAILS(jc_team_run(3, work, &count, &err), JC_E_NOMEM, "only 1 of 3 threads");
    CHECK_INT(count.n_runs[0] + count.n_runs[1] + count.n_runs[2], 0);
    REQUIRE(pthread_setattr_default_np(&usual) == 0);
    pthread_attr_destroy(&huge);
    pthread_attr_destroy(&usual);
}

int main(void)
{
    check_team(1);
    check_team(2);
    check_team(MAX_MEMBERS);
    test_no_threads();
    check_team(3);
    return check_finish();
}
