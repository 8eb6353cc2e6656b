/* The endpoints' handlers, one file each (routes.c says which is where). Each fills request->reply or ->problem. */
#ifndef JC_SERVER_API_ENDPOINTS_H
#define JC_SERVER_API_ENDPOINTS_H

#include "base/err.h"

struct jc_request;

jc_code jc_endpoint_classify(struct jc_request *request);
jc_code jc_endpoint_classify_query(struct jc_request *request);
jc_code jc_endpoint_categories(struct jc_request *request);
jc_code jc_endpoint_model(struct jc_request *request);
jc_code jc_endpoint_livez(struct jc_request *request);
jc_code jc_endpoint_readyz(struct jc_request *request);
jc_code jc_endpoint_startupz(struct jc_request *request);
jc_code jc_endpoint_metrics(struct jc_request *request);
jc_code jc_endpoint_page(struct jc_request *request);
jc_code jc_endpoint_options(struct jc_request *request);
jc_code jc_endpoint_reload(struct jc_request *request);

#endif
