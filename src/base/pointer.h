/* JSON pointers (RFC 6901), to say where in a document something is wrong. Threads: any. */
#ifndef JC_BASE_POINTER_H
#define JC_BASE_POINTER_H

#include <stddef.h>

/* Writes "<parent>/<member>", the member with its '~' and '/' escaped, and returns ret_pointer. What does not fit into
 * n_pointer bytes is cut, never in the middle of an escape. parent and ret_pointer do not overlap. */
const char *jc_pointer_join(char *ret_pointer, size_t n_pointer, const char *parent, const char *member);

#endif
