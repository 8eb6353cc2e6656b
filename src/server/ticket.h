/*
 * A ticket: the texts of one request on their way through the batcher and the workers. The event thread makes it and
 * pushes it; workers complete its items; who completes the last one calls `done`, and from then on it is the event
 * thread's again. Whoever made it frees it after `done` (or where it was never pushed).
 */
#ifndef JC_SERVER_TICKET_H
#define JC_SERVER_TICKET_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "model/classifier.h"

struct jc_ticket;

/* Written by the item's worker before it completes it. */
struct jc_item_timing {
    uint64_t taken_ns;            /* jc_clock_ns when its batch was taken; 0 = by no worker */
    uint64_t encode_ns, score_ns; /* of the whole batch */
};

struct jc_item {
    struct jc_input input;
    struct jc_item_timing timing;
    struct jc_ticket *ticket;
};

struct jc_ticket {
    struct jc_item *items; /* [n_items], each with input.n_ids > 0 */
    size_t n_items;
    size_t n_taken;           /* the batcher's cursor, under its lock */
    struct jc_ticket *next;   /* the batcher's list */
    uint64_t queued_ns;       /* jc_clock_ns at the push */
    atomic_size_t n_pending;  /* items not completed */
    _Atomic(jc_code) failure; /* of the first item that failed, or JC_OK */
    struct jc_err err;        /* its text; valid after done where failure is not JC_OK */
    void (*done)(struct jc_ticket *ticket);
    void *context; /* for `done` */
};

/* A worker's word that an item is finished, well (err NULL) or not. Threads: any. */
void jc_item_complete(struct jc_item *item, const struct jc_err *err);

#endif
