/*
 * Flights: inputs with the same key (cache.h) that are on their way at the same time are computed once. The first leads
 * and is queued; the others follow, are not queued, and get what it gets. Nobody waits longer for that:
 *   - Who would have its turn earlier than a leader far behind in a large ticket takes the lead from it.
 *   - A leader past its deadline, or whose client left, is computed all the same while a follower wants it; whether
 *     the followers' clients are there is asked at the leader's turn.
 *   - Where the leader's computation fails, a follower tries next.
 * Flights have no memory of their own: they are lists through the items. An item that leads or follows is pending, so
 * its ticket is not done and it stays where it is. Locks: the batcher's comes before a flight's, a flight's before the
 * cache's, each held for a look-up; a flight's also while clients are asked for. Threads: any.
 */
#ifndef JC_SERVER_QUEUE_FLIGHTS_H
#define JC_SERVER_QUEUE_FLIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/own.h"
#include "server/queue/cache.h"
#include "server/queue/ticket.h"

struct jc_flights;

/* `cache` outlives them; half_closed_left as in peers.h. Errors: NOMEM. */
JC_MUST_CHECK jc_code jc_flights_create(struct jc_cache *cache, bool half_closed_left, struct jc_flights **ret_flights,
                                        struct jc_err *err);
void jc_flights_destroy(struct jc_flights *flights);
JC_DEFINE_AUTO(jc_flights)

enum jc_flights_way {
    JC_FLIGHTS_ANSWERED, /* the cache had it by now */
    JC_FLIGHTS_LEADS,    /* to be computed */
    JC_FLIGHTS_FOLLOWS,  /* will be completed by who lands the flight */
};

/* The item's flight.hash and place (where it would be queued) are set; a follower's place becomes 0. As soon as this
 * returns FOLLOWS, and before, the item may be completed. */
enum jc_flights_way jc_flights_join(struct jc_flights *flights, struct jc_item *item);

/* The item was computed: its answer goes to the cache (*ret_n_evicted as jc_cache_put). Returns the followers, linked
 * by `next`; they are the caller's to fill from the item and to complete, before the item itself is completed. */
struct jc_item *jc_flights_land(struct jc_flights *flights, struct jc_item *item, size_t *ret_n_evicted);

/* The item failed: the next in the lead, which the caller is to compute at once, or NULL. */
struct jc_item *jc_flights_hand_over(struct jc_flights *flights, struct jc_item *item);

/* Asks the system for the clients of the item's followers, one by one up to the first that is there (peers.h).
 * No flights (NULL): none follow. */
void jc_flights_ask_clients(struct jc_flights *flights, const struct jc_item *item, uint64_t now_ns);

/* The item is not wanted by its own ticket. False where a follower that has time left, and whose client has not left as
 * far as is known, wants it computed; else the flight ends, and the item and its followers are put onto *dropped. No
 * flights (NULL): nobody wants it. */
bool jc_flights_abandon(struct jc_flights *flights, struct jc_item *item, uint64_t now_ns, struct jc_item **dropped);

#endif
