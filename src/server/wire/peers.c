/* One poll for the clients of a batch. See peers.h. */
#include "server/wire/peers.h"

#include <poll.h>

enum { MAX_POLLED = 64 };

static void poll_tickets(struct pollfd *fds, struct jc_ticket *const *tickets, size_t n)
{
    if (poll(fds, n, 0) <= 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (fds[i].revents)
            atomic_store_explicit(&tickets[i]->gone, true, memory_order_relaxed);
}

void jc_peers_mark_gone(struct jc_item *const *items, size_t n_items, bool half_closed_left)
{
    struct pollfd fds[MAX_POLLED];
    struct jc_ticket *tickets[MAX_POLLED];
    size_t n = 0;
    for (size_t i = 0; i < n_items; i++) {
        struct jc_ticket *ticket = items[i]->ticket;
        if (ticket->fd < 0 || (i && ticket == items[i - 1]->ticket)) /* a ticket's items lie together */
            continue;
        tickets[n] = ticket;
        /* POLLERR and POLLHUP come unasked. */
        fds[n++] = (struct pollfd){.fd = ticket->fd, .events = half_closed_left ? POLLRDHUP : 0};
        if (n == MAX_POLLED) {
            poll_tickets(fds, tickets, n);
            n = 0;
        }
    }
    if (n)
        poll_tickets(fds, tickets, n);
}
