/*
 * How much each client address has open: a count an address, kept while it is above zero, with a limit. An IPv6 client
 * is its /64, because one subscriber has all of it. The hash is keyed: who chooses addresses cannot make them collide.
 * Threads: any; one short lock.
 */
#ifndef JC_SERVER_WIRE_ADDRESS_COUNTS_H
#define JC_SERVER_WIRE_ADDRESS_COUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/own.h"
#include "server/wire/client_address.h"

struct jc_address_counts;

/* limit: the most an address may have; 0 = no limit, and nothing is counted. */
JC_MUST_CHECK jc_code jc_address_counts_create(size_t limit, struct jc_address_counts **ret_counts, struct jc_err *err);
void jc_address_counts_destroy(struct jc_address_counts *counts);
JC_DEFINE_AUTO(jc_address_counts)

/* Counts one more and returns true, or returns false at the limit or out of memory. */
bool jc_address_counts_take(struct jc_address_counts *counts, const struct jc_address *address);

/* Counts one less: once for each take that returned true. */
void jc_address_counts_return(struct jc_address_counts *counts, const struct jc_address *address);

/* Addresses that have something open. */
size_t jc_address_counts_size(struct jc_address_counts *counts);

#endif
