/*
 * A ticket: the texts of one request on their way through the batcher and the workers. The event thread makes it and
 * submits it (admission.h); its items are completed by workers; who completes the last one calls `done`, and from then
 * on it is the event thread's again. Whoever made it frees it after `done` (or where it was never submitted).
 */
#ifndef JC_SERVER_QUEUE_TICKET_H
#define JC_SERVER_QUEUE_TICKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/classifier.h"

struct jc_model;
struct jc_ticket;

/* Written by the item's worker before it completes it. */
struct jc_item_timing {
    uint64_t begun_ns;            /* jc_clock_ns when its batch began; 0 = no worker computed it */
    uint64_t encode_ns, score_ns; /* of the whole batch */
};

struct jc_item {
    struct jc_input input;
    struct jc_item_timing timing;
    struct jc_ticket *ticket;
    struct jc_item *next; /* in the one list it is in: its ticket's queue, a flight's followers, or what was dropped */
    uint32_t place;       /* among the queued items of its ticket, from 0; 0 for one that follows */
    bool answered;        /* from the cache, before it was queued */

    /* The flights' own, under their lock (flights.h). */
    struct {
        uint64_t hash;
        bool leads;
        atomic_bool superseded; /* another took the lead while this was queued */
        struct jc_item *chain;  /* leaders of one bucket */
        struct jc_item *followers;
    } flight;
};

struct jc_ticket {
    struct jc_model *model; /* that its items are prepared for; whoever made the ticket keeps it until `done` */
    struct jc_item *items;  /* [n_items], each with input.n_ids > 0 */
    size_t n_items;
    uint64_t generation;  /* of the model: the answers of two are never mixed */
    uint64_t deadline_ns; /* jc_clock_ns; what has not begun by then is not computed */
    int fd;               /* the client's socket, open from the entry until `done`; -1: none */
    atomic_bool gone;     /* the client left */
    bool alone;           /* neither cached nor shared with equal texts: a canary is to see the workers */

    /* The batcher's, under its lock. */
    struct jc_item *queue; /* items not taken */
    size_t n_queued, n_queued_tokens;
    size_t n_reserved, n_reserved_tokens; /* room held for it from the reservation to the push */
    atomic_size_t n_taken;                /* written under the lock, read from anywhere */
    bool swept;                           /* past its deadline or left, and rid of what nobody wants */
    struct jc_ticket *next;
    uint64_t queued_ns; /* jc_clock_ns at the push */

    atomic_size_t n_pending;  /* items not completed, and one more until it is submitted */
    _Atomic(jc_code) failure; /* of the first item that failed, or JC_OK */
    struct jc_err err;        /* its text; valid after done where failure is not JC_OK */
    void (*done)(struct jc_ticket *ticket);
    void *context; /* for `done` */
};

/* Past its deadline, or its client left. Threads: any. */
static inline bool jc_ticket_is_dead(const struct jc_ticket *ticket, uint64_t now_ns)
{
    return ticket->deadline_ns <= now_ns || atomic_load_explicit(&ticket->gone, memory_order_relaxed);
}

/* A worker's word that an item is finished, well (err NULL) or not. Threads: any. */
void jc_item_complete(struct jc_item *item, const struct jc_err *err);

/* Lets go of one of n_pending: who submits a ticket holds one. Threads: any. */
void jc_ticket_release(struct jc_ticket *ticket);

#endif
