/* Entity tags and If-None-Match (RFC 9110, sections 8.8.3 and 13.1.2). Threads: any. */
#ifndef JC_SERVER_POLICY_ETAG_H
#define JC_SERVER_POLICY_ETAG_H

#include <stdbool.h>

/* A tag with its quotes: of a content hash of up to 64 digits, and of a coding. */
#define JC_ETAG 80

/* The strong tag of content in a coding (NULL: as it is): other bytes, so another tag. */
void jc_etag_put(const char *hash, const char *coding, char ret_tag[JC_ETAG]);

/* Does the header's value list the tag, weak or strong, or say "*"? What is no tag ends the list. */
bool jc_etag_is_listed(const char *if_none_match, const char *tag);

#endif
