/* Files of the source tree inside the program; embed.py writes the definitions. */
#ifndef JC_SERVER_API_EMBEDDED_H
#define JC_SERVER_API_EMBEDDED_H

#include <stddef.h>

extern const char jc_embedded_openapi[];
extern const size_t jc_embedded_openapi_n;

#endif
