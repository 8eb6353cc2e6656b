/*
 * The probe: sends a canary title through the real queue and workers, past the result cache, every so often, and remembers whether the server
 * still answers it right. It says no where
 *   - the canary gave another code, or failed; or
 *   - it had no answer for `timeout`, and in all of that time no other title was classified either.
 * A full queue or a long one is no failure while titles come out of it: under overload the verdict stays what it was.
 * The next canary that gives its code makes it yes again. It begins with yes: loading a model asks it its canaries.
 * Threads: jc_probe_passes from any; the rest from one.
 */
#ifndef JC_SERVER_LIFE_PROBE_H
#define JC_SERVER_LIFE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "server/life/model_slot.h"
#include "server/observe/metrics.h"
#include "server/queue/admission.h"

struct jc_probe;

/* interval_ms 0: no thread, and always yes. The others outlive the probe. Errors: NOMEM, IO. */
JC_MUST_CHECK jc_code jc_probe_start(uint64_t interval_ms, uint64_t timeout_ms, struct jc_model_slot *slot,
                                     struct jc_admission *admission, struct jc_metrics *metrics,
                                     struct jc_probe **ret_probe, struct jc_err *err);

bool jc_probe_passes(const struct jc_probe *probe);

/* Asks no more. Waits for a canary under way: the workers still run, or the queue was cancelled. */
void jc_probe_stop(struct jc_probe *probe);

/* Stops, and frees. */
void jc_probe_destroy(struct jc_probe *probe);
JC_DEFINE_AUTO(jc_probe)

#endif
