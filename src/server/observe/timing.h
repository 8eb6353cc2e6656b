/*
 * Where a request's time went, for Server-Timing, the log and the metrics.
 *
 *   parse, tokenize  on the event thread
 *   queue            from the push to where the first batch with one of its titles began
 *   encode, score    of the batches that its titles were in, whole and each batch once: what it waited for, though others
 *                    shared it. Batches of a large request run side by side, so these may exceed the total
 *
 * Threads: the request's event thread, after its ticket is done.
 */
#ifndef JC_SERVER_OBSERVE_TIMING_H
#define JC_SERVER_OBSERVE_TIMING_H

#include <stddef.h>
#include <stdint.h>

struct jc_ticket;

enum jc_stage { JC_STAGE_PARSE, JC_STAGE_TOKENIZE, JC_STAGE_QUEUE, JC_STAGE_ENCODE, JC_STAGE_SCORE, JC_N_STAGES };

struct jc_timing {
    uint64_t ns[JC_N_STAGES]; /* 0: the request did not come there */
};

/* Adds queue, encode and score from the ticket's items; those that no worker computed (from the cache, or with an
 * equal title of another request) are left out. */
void jc_timing_gather(struct jc_timing *timing, const struct jc_ticket *ticket);

/* Milliseconds with three decimals: "12.345". */
#define JC_MS_TEXT 24
void jc_timing_put_ms(uint64_t ns, char ret_text[JC_MS_TEXT]);

/* "parse;dur=0.012, queue;dur=1.200, total;dur=9.876" (W3C Server Timing), stages of 0 left out. */
#define JC_SERVER_TIMING_TEXT 256
void jc_timing_put_header(const struct jc_timing *timing, uint64_t total_ns, char ret_text[JC_SERVER_TIMING_TEXT]);

#endif
