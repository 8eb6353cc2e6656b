/* Sending: the ONE function that makes libmicrohttpd responses and so decides who owns their memory. */
#ifndef JC_SERVER_API_REPLY_H
#define JC_SERVER_API_REPLY_H

#include <microhttpd.h>

struct jc_request;

/* Sends request->problem where one is set, else request->reply, and counts it. Returns what the access handler returns.
 */
enum MHD_Result jc_reply_send(struct jc_request *request);

/* The client left before its answer: counts it, as 499. */
void jc_reply_abandon(struct jc_request *request);

#endif
