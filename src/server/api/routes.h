/* The routes: the place to start reading. The ONE table is in routes.c. */
#ifndef JC_SERVER_API_ROUTES_H
#define JC_SERVER_API_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct jc_request;

/* Where a route lives: a listener offers some of these, and has no others. */
enum jc_route_set {
    JC_ROUTES_PUBLIC = 1,  /* the public listener */
    JC_ROUTES_PROBES = 2,  /* every listener */
    JC_ROUTES_METRICS = 4, /* every listener, or with admin.metrics_only the admin one alone */
    JC_ROUTES_ADMIN = 8,   /* the admin listener alone */
    JC_ROUTES_ANY = 15,
};

struct jc_route {
    const char *method; /* GET also answers HEAD */
    const char *path;   /* "*": every path there is */
    /* JC_OK: the reply is filled (or request->later says how it will be). Else: the problem is filled. */
    jc_code (*handle)(struct jc_request *request);
    bool has_body;         /* a JSON body, capped by limits.body */
    const char *produces;  /* the media type, for the Accept header; NULL: no body to be of one */
    enum jc_route_set set; /* whose listeners have it */
    bool needs_key;        /* where keys are asked for at all (auth.keys_file) */
};

extern const struct jc_route jc_routes[];
extern const size_t jc_n_routes;

/* The row for a request to a listener that offers these sets, or jc_n_routes. *ret_path_exists: whether another method
 * has this path there. */
size_t jc_route_find(unsigned offers, const char *method, const char *path, bool *ret_path_exists);

/* "GET, HEAD, POST, OPTIONS" for a path of the table. Static storage. */
const char *jc_route_allow(unsigned offers, const char *path);

/* "POST /v1/classify", or "none" for jc_n_routes: the label in metrics. */
#define JC_ROUTE_NAME 64
void jc_route_name(size_t route, char ret_name[JC_ROUTE_NAME]);

#endif
