/* Completing the items of a ticket. See ticket.h. */
#include "server/queue/ticket.h"

void jc_item_complete(struct jc_item *item, const struct jc_err *err)
{
    struct jc_ticket *ticket = item->ticket;
    if (err) {
        jc_code none = JC_OK;
        /* Only the first failure writes the text; the release below orders it before `done`. */
        if (atomic_compare_exchange_strong(&ticket->failure, &none, err->code))
            ticket->err = *err;
    }
    jc_ticket_release(ticket);
}

void jc_ticket_release(struct jc_ticket *ticket)
{
    if (atomic_fetch_sub_explicit(&ticket->n_pending, 1, memory_order_acq_rel) == 1)
        ticket->done(ticket);
}
