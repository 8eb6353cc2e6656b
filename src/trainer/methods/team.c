/* Threads in step. See team.h. */
#include "trainer/methods/team.h"

#include <stdlib.h>

#include "base/own.h"

enum gate { CLOSED, OPEN, CALLED_OFF };

/* What the members wait for until it is known whether all of them could be started. */
struct start {
    struct jc_team team;
    void (*work)(void *context, struct jc_team *team, unsigned member);
    void *context;
    pthread_mutex_t lock;
    pthread_cond_t decided;
    enum gate gate;
};

struct member {
    struct start *start;
    unsigned number;
    pthread_t thread;
};

static void *run(void *argument)
{
    const struct member *member = argument;
    struct start *start = member->start;
    pthread_mutex_lock(&start->lock);
    while (start->gate == CLOSED)
        pthread_cond_wait(&start->decided, &start->lock);
    pthread_mutex_unlock(&start->lock);
    if (start->gate == OPEN)
        start->work(start->context, &start->team, member->number);
    return NULL;
}

static void decide(struct start *start, enum gate gate)
{
    pthread_mutex_lock(&start->lock);
    start->gate = gate;
    pthread_cond_broadcast(&start->decided);
    pthread_mutex_unlock(&start->lock);
}

jc_code jc_team_run(unsigned n_members, void (*work)(void *context, struct jc_team *team, unsigned member),
                    void *context, struct jc_err *err)
{
    struct start start = {.team = {.n_members = n_members},
                          .work = work,
                          .context = context,
                          .lock = PTHREAD_MUTEX_INITIALIZER,
                          .decided = PTHREAD_COND_INITIALIZER};
    JC_AUTO_FREE struct member *members = calloc(n_members, sizeof(*members));
    if (!members || pthread_barrier_init(&start.team.barrier, NULL, n_members))
        return jc_fail(err, JC_E_NOMEM, "no memory for %u threads", n_members);

    unsigned n_started = 1; /* the caller is member 0 */
    for (; n_started < n_members; n_started++) {
        members[n_started] = (struct member){.start = &start, .number = n_started};
        if (pthread_create(&members[n_started].thread, NULL, run, &members[n_started]))
            break;
    }
    decide(&start, n_started == n_members ? OPEN : CALLED_OFF);
    if (n_started == n_members)
        work(context, &start.team, 0);
    for (unsigned i = 1; i < n_started; i++)
        pthread_join(members[i].thread, NULL);
    pthread_barrier_destroy(&start.team.barrier);
    if (n_started < n_members)
        return jc_fail(err, JC_E_NOMEM, "only %u of %u threads could be started", n_started, n_members);
    return JC_OK;
}

void jc_team_wait(struct jc_team *team)
{
    pthread_barrier_wait(&team->barrier);
}
