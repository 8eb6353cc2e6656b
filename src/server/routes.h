/* The routes: the place to start reading. The ONE table is in routes.c. */
#ifndef JC_SERVER_ROUTES_H
#define JC_SERVER_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct jc_request;

struct jc_route {
    const char *method; /* GET also answers HEAD */
    const char *path;   /* "*": every path there is */
    /* JC_OK: the reply is filled (or classify.submit is set and it comes later). Else: the problem is filled. */
    jc_code (*handle)(struct jc_request *request);
    bool has_body;        /* a JSON body, capped by limits.body */
    const char *produces; /* the media type, for the Accept header; NULL: no body to be of one */
    bool needs_key;       /* where keys are asked for at all (auth.keys_file) */
};

extern const struct jc_route jc_routes[];
extern const size_t jc_n_routes;

/* The row for a request, or jc_n_routes. *ret_path_exists: whether another method has this path. */
size_t jc_route_find(const char *method, const char *path, bool *ret_path_exists);

/* "GET, HEAD, POST, OPTIONS" for a path of the table. Static storage. */
const char *jc_route_allow(const char *path);

/* "POST /v1/classify", or "none" for jc_n_routes: the label in metrics. */
#define JC_ROUTE_NAME 64
void jc_route_name(size_t route, char ret_name[JC_ROUTE_NAME]);

#endif
