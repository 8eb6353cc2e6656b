/* Loading models beside the one that serves. See reloader.h. */
#include "server/life/reloader.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/life/signals.h"

#define REAP_MS 20      /* how often it is looked whether a swapped-out model is still used */
#define MAX_DOUBLINGS 5 /* a bundle that keeps failing is tried again after 1, 2, 4 .. 32 looks */

struct reload_list {
    struct jc_reload *first, *last;
};

struct jc_reloader {
    struct jc_reloader_options options;
    struct jc_model_slot *slot;
    struct jc_metrics *metrics;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock; /* the next three */
    pthread_cond_t changed;
    struct reload_list waiting;
    bool stopped;
    bool busy;

    /* The thread's own. */
    size_t n_retired;
    uint64_t look_ns; /* when the watch looks next */
    struct {
        char identity[JC_SHA256_HEX]; /* of the bundle that was last refused; "" = none */
        unsigned n_times;
        unsigned n_skip; /* looks until it is tried again */
        bool unreadable; /* there was no manifest at the last look */
    } refused;
};

static const char *cause_name(enum jc_reload_cause cause)
{
    static const char *const names[] = {[JC_RELOAD_START] = "start",
                                        [JC_RELOAD_SIGNAL] = "signal",
                                        [JC_RELOAD_REQUEST] = "request",
                                        [JC_RELOAD_WATCH] = "watch"};
    return names[cause];
}

static struct jc_reload *pop_first(struct reload_list *list)
{
    struct jc_reload *reload = list->first;
    if (reload && !(list->first = reload->next))
        list->last = NULL;
    return reload;
}

static void append(struct reload_list *list, struct jc_reload *reload)
{
    reload->next = NULL;
    if (list->last)
        list->last->next = reload;
    else
        list->first = reload;
    list->last = reload;
}

static void cancel(struct jc_reload *reload)
{
    jc_fail(&reload->err, JC_E_CANCELLED, "the server is shutting down");
    reload->done(reload);
}

/* Loads the bundle and swaps it in where its content is not what serves. *ret holds the result. */
static void load(struct jc_reloader *reloader, struct jc_reload *ret)
{
    uint64_t start_ns = jc_clock_ns();
    struct jc_model *current = jc_model_slot_take(reloader->slot);
    if (current)
        snprintf(ret->previous, sizeof ret->previous, "%s", jc_model_version(current));
    snprintf(ret->version, sizeof ret->version, "%s", ret->previous);

    JC_AUTO(jc_model) struct jc_model *model = NULL;
    ret->err.code = JC_OK;
    if (jc_model_load(reloader->options.folder, &reloader->options.encoder, reloader->options.n_sessions, &model,
                      &ret->err) == JC_OK) {
        snprintf(ret->version, sizeof ret->version, "%s", jc_model_version(model));
        ret->changed = !current || !model->identity[0] || strcmp(model->identity, current->identity) != 0;
        if (ret->changed)
            jc_model_slot_swap(reloader->slot, TAKE(model));
    }
    jc_model_give(current);
    /* Lost for the model that serves, too. Of the first load the program waits for the result. */
    if (ret->err.code == JC_E_DEVICE && ret->cause != JC_RELOAD_START)
        jc_signals_post(JC_WISH_LEAVE);
    ret->load_ms = (jc_clock_ns() - start_ns) / JC_NS_PER_MS;
}

static void count(struct jc_reloader *reloader, const struct jc_reload *result)
{
    struct jc_metrics *metrics = reloader->metrics;
    bool loaded = result->err.code == JC_OK;
    jc_metrics_model_loaded(metrics, loaded, result->changed);
    if (result->cause != JC_RELOAD_START)
        jc_metrics_add(metrics,
                       !loaded           ? JC_COUNTER_RELOADS_REFUSED
                       : result->changed ? JC_COUNTER_RELOADS_CHANGED
                                         : JC_COUNTER_RELOADS_UNCHANGED,
                       1);
}

/* Of the first load the program speaks. */
static void log_result(const struct jc_reload *result, enum jc_log_level refused_level)
{
    char ms[24];
    snprintf(ms, sizeof ms, "%ju", (uintmax_t)result->load_ms);
    if (result->cause == JC_RELOAD_START)
        return;
    if (result->err.code)
        jc_log(refused_level, "reload_refused", "cause", cause_name(result->cause), "model", result->previous, "code",
               jc_code_name(result->err.code), "detail", result->err.text, NULL);
    else
        jc_log(JC_LOG_INFO, result->changed ? "reloaded" : "reload_unchanged", "cause", cause_name(result->cause),
               "previous", result->previous, "model", result->version, "ms", ms, NULL);
}

/* One load for all of the list. */
static void serve(struct jc_reloader *reloader, struct reload_list list)
{
    struct jc_reload result = {.cause = list.first->cause};
    load(reloader, &result);
    count(reloader, &result);
    log_result(&result, JC_LOG_ERROR);
    for (struct jc_reload *reload; (reload = pop_first(&list));) {
        reload->err = result.err;
        reload->changed = result.changed;
        reload->load_ms = result.load_ms;
        memcpy(reload->previous, result.previous, sizeof reload->previous);
        memcpy(reload->version, result.version, sizeof reload->version);
        reload->done(reload);
    }
}

/* Whether the folder holds, or leads to, a bundle that is to be tried. */
static bool sees_change(struct jc_reloader *reloader, char ret_identity[JC_SHA256_HEX])
{
    struct jc_err err;
    bool was_unreadable = reloader->refused.unreadable;
    reloader->refused.unreadable = jc_model_identify(reloader->options.folder, ret_identity, &err) != JC_OK;
    if (reloader->refused.unreadable) {
        if (!was_unreadable)
            jc_log(JC_LOG_WARN, "watch_failed", "code", jc_code_name(err.code), "detail", err.text, NULL);
        return false;
    }
    struct jc_model *current = jc_model_slot_take(reloader->slot);
    bool differs = current && strcmp(ret_identity, current->identity) != 0;
    jc_model_give(current);
    if (!differs || strcmp(ret_identity, reloader->refused.identity) != 0) {
        reloader->refused.n_times = reloader->refused.n_skip = 0;
        reloader->refused.identity[0] = '\0';
        return differs;
    }
    return reloader->refused.n_skip == 0 || --reloader->refused.n_skip == 0;
}

static void look(struct jc_reloader *reloader)
{
    char identity[JC_SHA256_HEX];
    if (!sees_change(reloader, identity))
        return;
    struct jc_reload result = {.cause = JC_RELOAD_WATCH};
    load(reloader, &result);
    count(reloader, &result);
    /* Said once of a bundle: it may be on its way here still. */
    log_result(&result, reloader->refused.n_times ? JC_LOG_DEBUG : JC_LOG_ERROR);
    if (!result.err.code)
        return;
    memcpy(reloader->refused.identity, identity, sizeof identity);
    unsigned n_times = reloader->refused.n_times++;
    reloader->refused.n_skip = 1u << (n_times < MAX_DOUBLINGS ? n_times : MAX_DOUBLINGS);
}

/* Waits for a wish, the watch's next look, models to be reaped, or the end. */
static void wait_locked(struct jc_reloader *reloader)
{
    uint64_t due_ns = reloader->options.watch_ms ? reloader->look_ns : UINT64_MAX;
    uint64_t reap_ns = reloader->n_retired ? jc_clock_ns() + REAP_MS * JC_NS_PER_MS : UINT64_MAX;
    due_ns = reap_ns < due_ns ? reap_ns : due_ns;
    while (!reloader->stopped && !reloader->waiting.first)
        if (jc_clock_wait(&reloader->changed, &reloader->lock, due_ns))
            return;
}

static void work(struct jc_reloader *reloader, struct reload_list list)
{
    if (list.first)
        serve(reloader, list);
    if (reloader->options.watch_ms && jc_clock_ns() >= reloader->look_ns) {
        look(reloader);
        reloader->look_ns = jc_clock_ns() + reloader->options.watch_ms * JC_NS_PER_MS;
    }
    reloader->n_retired = jc_model_slot_reap(reloader->slot);
}

static void *run(void *argument)
{
    struct jc_reloader *reloader = argument;
    pthread_mutex_lock(&reloader->lock);
    for (;;) {
        wait_locked(reloader);
        if (reloader->stopped)
            break;
        struct reload_list list = reloader->waiting;
        reloader->waiting = (struct reload_list){0};
        reloader->busy = true;
        pthread_mutex_unlock(&reloader->lock);
        work(reloader, list);
        pthread_mutex_lock(&reloader->lock);
        reloader->busy = false;
    }
    pthread_mutex_unlock(&reloader->lock);
    return NULL;
}

jc_code jc_reloader_start(const struct jc_reloader_options *options, struct jc_model_slot *slot,
                          struct jc_metrics *metrics, struct jc_reloader **ret_reloader, struct jc_err *err)
{
    JC_AUTO_FREE struct jc_reloader *reloader = calloc(1, sizeof *reloader);
    if (!reloader)
        return jc_fail(err, JC_E_NOMEM, "out of memory");
    reloader->options = *options;
    reloader->slot = slot;
    reloader->metrics = metrics;
    reloader->look_ns = jc_clock_ns() + options->watch_ms * JC_NS_PER_MS;
    pthread_mutex_init(&reloader->lock, NULL);
    pthread_cond_init(&reloader->changed, NULL);
    int error = pthread_create(&reloader->thread, NULL, run, reloader);
    if (error)
        return jc_fail(err, JC_E_IO, "start the reload thread: %s", strerror(error));
    reloader->has_thread = true;
    *ret_reloader = TAKE(reloader);
    return JC_OK;
}

void jc_reloader_submit(struct jc_reloader *reloader, struct jc_reload *reload)
{
    pthread_mutex_lock(&reloader->lock);
    bool stopped = reloader->stopped;
    if (!stopped)
        append(&reloader->waiting, reload);
    pthread_cond_signal(&reloader->changed);
    pthread_mutex_unlock(&reloader->lock);
    if (stopped)
        cancel(reload);
}

void jc_reloader_stop(struct jc_reloader *reloader)
{
    pthread_mutex_lock(&reloader->lock);
    struct reload_list list = reloader->waiting;
    reloader->waiting = (struct reload_list){0};
    reloader->stopped = true;
    pthread_cond_signal(&reloader->changed);
    pthread_mutex_unlock(&reloader->lock);
    for (struct jc_reload *reload; (reload = pop_first(&list));)
        cancel(reload);
}

bool jc_reloader_busy(struct jc_reloader *reloader)
{
    pthread_mutex_lock(&reloader->lock);
    bool busy = reloader->busy;
    pthread_mutex_unlock(&reloader->lock);
    return busy;
}

void jc_reloader_finish(struct jc_reloader *reloader)
{
    jc_reloader_stop(reloader);
    if (reloader->has_thread)
        pthread_join(reloader->thread, NULL);
    reloader->has_thread = false;
}

void jc_reloader_destroy(struct jc_reloader *reloader)
{
    if (!reloader)
        return;
    jc_reloader_finish(reloader);
    pthread_cond_destroy(&reloader->changed);
    pthread_mutex_destroy(&reloader->lock);
    free(reloader);
}
