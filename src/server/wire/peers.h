/*
 * Which clients have left. libmicrohttpd does not look at a suspended connection, so workers do, with one poll(2) of
 * the sockets behind a batch. Reset or shut down in both directions is left; a client that only says that it sends no more
 * still reads, as HTTP allows. But so looks one that gave up and closed: where no client half-closes on purpose (behind
 * most proxies), that may be counted as left, too.
 */
#ifndef JC_SERVER_WIRE_PEERS_H
#define JC_SERVER_WIRE_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/queue/ticket.h"

/* Sets `gone` of the items' tickets whose client left. The items are pending, so that their sockets
 * are open. Threads: any. */
void jc_peers_mark_gone(struct jc_item *const *items, size_t n_items, bool half_closed_left);

#endif
