/* Media types in Content-Type and Accept headers, codings in Accept-Encoding (RFC 9110, sections 8.3, 12.4.2, 12.5). Threads: any. */
#ifndef JC_SERVER_POLICY_ACCEPT_H
#define JC_SERVER_POLICY_ACCEPT_H

#include <stdbool.h>

/* Is `header` the media type `type` ("application/json"), parameters aside? Case-insensitive. */
bool jc_media_type_is(const char *header, const char *type);

/* Does an Accept header allow `type` (its parameters are not compared)? Ranges, wildcards and q=0 are honoured; an
 * empty header allows everything. */
bool jc_accept_allows(const char *accept, const char *type);

/* Does an Accept-Encoding header want `coding` ("gzip"), named or by *, and not less than the plain bytes where it
 * weighs those ("identity")? */
bool jc_accept_encoding_prefers(const char *header, const char *coding);

#endif
