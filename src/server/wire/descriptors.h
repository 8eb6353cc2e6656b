/*
 * Descriptors for the connections: the process's limit is raised as far as they need and the system lets it, and where
 * that is too little, fewer connections are taken, with a warning. A connection too many then waits in the listen queue
 * until another has closed, and the log and a model that is loaded still find descriptors.
 */
#ifndef JC_SERVER_WIRE_DESCRIPTORS_H
#define JC_SERVER_WIRE_DESCRIPTORS_H

#include "base/err.h"

/* For `wanted` public connections and n_others descriptors besides: *ret_connections of them are to be had, at least
 * n_least. Errors: IO (not even those). Threads: one, before connections are taken. */
JC_MUST_CHECK jc_code jc_descriptors_reserve(unsigned wanted, unsigned n_least, unsigned n_others,
                                             unsigned *ret_connections, struct jc_err *err);

#endif
