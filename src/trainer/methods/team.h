/* A team: n threads that run one function together, in step. */
#ifndef JC_TRAINER_TEAM_H
#define JC_TRAINER_TEAM_H

#include <pthread.h>

#include "base/err.h"

struct jc_team {
    unsigned n_members;
    pthread_barrier_t barrier;
};

/* Runs work(context, team, member) for member 0 .. n_members - 1, member 0 on the calling thread. Errors: NOMEM (no
 * thread to be had); then none has run. */
JC_MUST_CHECK jc_code jc_team_run(unsigned n_members,
                                  void (*work)(void *context, struct jc_team *team, unsigned member), void *context,
                                  struct jc_err *err);

/* Waits until every member is here. */
void jc_team_wait(struct jc_team *team);

#endif
