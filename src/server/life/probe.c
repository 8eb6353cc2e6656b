/* Asking the running server a canary, again and again. See probe.h. */
#include "server/life/probe.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/canary.h"

struct jc_probe {
    uint64_t interval_ms, timeout_ms;
    struct jc_model_slot *slot;
    struct jc_admission *admission;
    struct jc_metrics *metrics;
    pthread_t thread;
    bool has_thread;
    atomic_bool passes;

    pthread_mutex_t lock; /* the next two */
    pthread_cond_t changed;
    bool stopping;
    bool answered; /* the ticket is done */

    /* The thread's own. */
    size_t number;        /* of the canary */
    uint64_t n_titles;    /* classified when it was last looked */
    uint64_t progress_ns; /* when that last changed */
};

/* A canary on its way. */
struct question {
    struct jc_model *model;
    struct jc_hit hit;
    struct jc_item item;
    struct jc_ticket ticket;
};

static void note_answer(struct jc_ticket *ticket)
{
    struct jc_probe *probe = ticket->context;
    pthread_mutex_lock(&probe->lock);
    probe->answered = true;
    pthread_cond_signal(&probe->changed);
    pthread_mutex_unlock(&probe->lock);
}

/* Waits; returns at once where it is to stop, or where the answer is here. */
static void wait_ms(struct jc_probe *probe, uint64_t ms, bool *ret_stopping, bool *ret_answered)
{
    uint64_t due_ns = jc_clock_ns() + ms * JC_NS_PER_MS;
    bool is_due = false;
    pthread_mutex_lock(&probe->lock);
    while (!probe->stopping && !probe->answered && !is_due)
        is_due = jc_clock_wait(&probe->changed, &probe->lock, due_ns);
    *ret_stopping = probe->stopping;
    *ret_answered = probe->answered;
    pthread_mutex_unlock(&probe->lock);
}

static void wait_for_answer(struct jc_probe *probe)
{
    pthread_mutex_lock(&probe->lock);
    while (!probe->answered)
        pthread_cond_wait(&probe->changed, &probe->lock);
    pthread_mutex_unlock(&probe->lock);
}

/* err NULL: it passes. */
static void set_verdict(struct jc_probe *probe, const struct jc_err *err)
{
    bool passed = atomic_exchange(&probe->passes, !err);
    if (err && passed)
        jc_log_err("canary_failed", err);
    if (!err && !passed)
        jc_log(JC_LOG_INFO, "canary_passes_again", NULL);
}

static void note_progress(struct jc_probe *probe, uint64_t now)
{
    uint64_t n_titles = jc_metrics_counter(probe->metrics, JC_COUNTER_TITLES);
    if (n_titles != probe->n_titles)
        probe->progress_ns = now;
    probe->n_titles = n_titles;
}

/* Nothing came out of the workers since the canary wanted in, or since the last title did, for the whole timeout. */
static void judge_silence(struct jc_probe *probe, uint64_t since_ns)
{
    uint64_t now = jc_clock_ns();
    note_progress(probe, now);
    uint64_t silent_since = probe->progress_ns > since_ns ? probe->progress_ns : since_ns;
    struct jc_err err;
    if (now - silent_since < probe->timeout_ms * JC_NS_PER_MS)
        return;
    jc_fail(&err, JC_E_DEADLINE, "a canary has no answer after %ju ms, nor was any other title classified",
            (uintmax_t)((now - since_ns) / JC_NS_PER_MS));
    set_verdict(probe, &err);
}

static void judge_answer(struct jc_probe *probe, struct question *question)
{
    struct jc_err err;
    jc_code code = atomic_load(&question->ticket.failure);
    if (code == JC_E_CANCELLED)
        return;
    if (code)
        err = question->ticket.err;
    else
        code = jc_canary_judge(question->model->classifier, probe->number, &question->item.input, &err);
    set_verdict(probe, code ? &err : NULL);
}

/* Pushes until there is room, then waits until it is answered; judges meanwhile. */
static void ask(struct jc_probe *probe, struct question *question)
{
    const uint64_t since_ns = jc_clock_ns(), slice_ms = probe->timeout_ms / 8 + 1;
    bool pushed = false, stopping = false, answered = false;
    note_progress(probe, since_ns);
    probe->answered = false;
    while (!answered) {
        if (!pushed) {
            struct jc_err err;
            jc_code code = jc_admission_enter(probe->admission, &question->ticket, &pushed, &err);
            if (code == JC_E_CANCELLED)
                return;
            if (!code)
                jc_admission_submit(probe->admission, &question->ticket);
        }
        wait_ms(probe, slice_ms, &stopping, &answered);
        if (stopping) {
            if (pushed)
                wait_for_answer(probe);
            return;
        }
        if (!answered)
            judge_silence(probe, since_ns);
    }
    judge_answer(probe, question);
}

static void ask_next(struct jc_probe *probe, struct jc_model *model)
{
    struct jc_err err;
    struct question question = {.model = model};
    probe->number++;
    if (jc_canary_prepare(model->classifier, probe->number, &question.hit, &question.item.input, &err) != JC_OK) {
        set_verdict(probe, &err);
        return;
    }
    question.item.ticket = &question.ticket;
    question.ticket = (struct jc_ticket){.model = model,
                                         .generation = model->generation,
                                         .deadline_ns = UINT64_MAX,
                                         .fd = -1,
                                         .alone = true,
                                         .items = &question.item,
                                         .n_items = 1,
                                         .done = note_answer,
                                         .context = probe};
    if (question.item.input.n_ids > 0)
        ask(probe, &question);
    jc_input_finish(&question.item.input);
}

static void *run(void *argument)
{
    struct jc_probe *probe = argument;
    bool stopping = false, answered;
    for (;;) {
        probe->answered = false;
        wait_ms(probe, probe->interval_ms, &stopping, &answered);
        if (stopping)
            return NULL;
        struct jc_model *model = jc_model_slot_take(probe->slot);
        if (model)
            ask_next(probe, model);
        jc_model_give(model);
    }
}

jc_code jc_probe_start(uint64_t interval_ms, uint64_t timeout_ms, struct jc_model_slot *slot,
                       struct jc_admission *admission, struct jc_metrics *metrics, struct jc_probe **ret_probe,
                       struct jc_err *err)
{
    JC_AUTO_FREE struct jc_probe *probe = calloc(1, sizeof *probe);
    if (!probe)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    probe->interval_ms = interval_ms;
    probe->timeout_ms = timeout_ms;
    probe->slot = slot;
    probe->admission = admission;
    probe->metrics = metrics;
    atomic_store(&probe->passes, true);
    pthread_mutex_init(&probe->lock, NULL);
    pthread_cond_init(&probe->changed, NULL);
    probe->has_thread = interval_ms > 0;
    int error = probe->has_thread ? pthread_create(&probe->thread, NULL, run, probe) : 0;
    if (error)
        return jc_fail(err, JC_E_IO, "start the probe's thread: %s", strerror(error));
    *ret_probe = TAKE(probe);
    return JC_OK;
}

bool jc_probe_passes(const struct jc_probe *probe)
{
    return atomic_load(&probe->passes);
}

void jc_probe_stop(struct jc_probe *probe)
{
    pthread_mutex_lock(&probe->lock);
    probe->stopping = true;
    pthread_cond_signal(&probe->changed);
    pthread_mutex_unlock(&probe->lock);
    if (probe->has_thread)
        pthread_join(probe->thread, NULL);
    probe->has_thread = false;
}

void jc_probe_destroy(struct jc_probe *probe)
{
    if (!probe)
        return;
    jc_probe_stop(probe);
    pthread_cond_destroy(&probe->changed);
    pthread_mutex_destroy(&probe->lock);
    free(probe);
}
