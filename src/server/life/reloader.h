/*
 * The reloader: the thread that loads models, the first one and every later one, beside the one that serves. What it
 * takes into the slot has been verified and has answered its canaries; anything else is refused, and the model that
 * serves goes on.
 *   - One load at a time. Who asks while one runs waits for the next: what the running one reads may be older than what
 *     he means. All who wait share one load and its result.
 *   - The same content (every file's SHA-256) is verified again and not swapped; a bundle of another content is, also
 *     where it has the same version.
 *   - With a watch it looks at the bundle's manifest every so often and loads where that changed. A bundle that is not
 *     complete yet fails, and is tried again later, ever more seldom.
 *   - Where a device is lost while a model loads, the model that serves has lost it too: the program is told to leave.
 * Threads: submit from any; the rest from one.
 */
#ifndef JC_SERVER_LIFE_RELOADER_H
#define JC_SERVER_LIFE_RELOADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "server/life/model_slot.h"
#include "server/observe/metrics.h"

enum jc_reload_cause { JC_RELOAD_START, JC_RELOAD_SIGNAL, JC_RELOAD_REQUEST, JC_RELOAD_WATCH };

#define JC_RELOAD_VERSION 256 /* bytes; a longer version is cut in what is said of a reload */

/* Somebody's wish for a load, and later its result. Of the reloader from submit until `done`, which is called on its
 * thread, or on the caller's where there will be no more loads. */
struct jc_reload {
    enum jc_reload_cause cause;
    void (*done)(struct jc_reload *reload);
    void *context;
    struct jc_reload *next; /* the reloader's */

    struct jc_err err;                /* code JC_OK: loaded. Else why not: CANCELLED (shutting down), or the bundle */
    bool changed;                     /* another model serves now */
    char previous[JC_RELOAD_VERSION]; /* "" = there was none */
    char version[JC_RELOAD_VERSION];  /* that serves now */
    uint64_t load_ms;
};

struct jc_reloader_options {
    const char *folder; /* outlives the reloader */
    struct jc_encoder_options encoder;
    size_t n_sessions; /* of a model: the workers */
    uint64_t watch_ms; /* 0 = no watch */
};

struct jc_reloader;

/* Slot and metrics outlive it. Errors: NOMEM, IO (no thread to be had). */
JC_MUST_CHECK jc_code jc_reloader_start(const struct jc_reloader_options *options, struct jc_model_slot *slot,
                                        struct jc_metrics *metrics, struct jc_reloader **ret_reloader,
                                        struct jc_err *err);

void jc_reloader_submit(struct jc_reloader *reloader, struct jc_reload *reload);

/* Begins no more loads. Those who wait for one that has not begun, and later ones, get CANCELLED. */
void jc_reloader_stop(struct jc_reloader *reloader);

/* A load is under way: destroy would wait for its end. */
bool jc_reloader_busy(struct jc_reloader *reloader);

/* Stops, and waits for a load under way. */
void jc_reloader_finish(struct jc_reloader *reloader);

/* Finishes, and frees. */
void jc_reloader_destroy(struct jc_reloader *reloader);
JC_DEFINE_AUTO(jc_reloader)

#endif
