/* Names of requests: the client's own where it is fit to be echoed and logged, else 16 random hexadecimal digits. */
#ifndef JC_SERVER_POLICY_REQUEST_ID_H
#define JC_SERVER_POLICY_REQUEST_ID_H

#define JC_REQUEST_ID 65 /* bytes with the NUL */

/* offered: the X-Request-Id header, or NULL. Kept where it is 1 to 64 letters, digits and of -._~:/=+@#$%&'*!^`| .
 * Threads: any. */
void jc_request_id_choose(const char *offered, char ret_id[JC_REQUEST_ID]);

#endif
